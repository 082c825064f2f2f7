//! Who can reach the server: nobody beyond this machine without a token and TLS.

use crate::common::{Era, run};
use crate::served::{Client, Served};
use crate::tokens::Tokens;
use rustls::crypto::ring;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

#[test]
fn other_machines_need_a_token_and_tls() {
    let tokens = Tokens::new();
    tokens.made("alice", &[]);
    let file = tokens.path();
    let file = file.to_str().expect("a path");
    for (arguments, says) in [
        (vec!["--http", "0.0.0.0:0"], vec!["0.0.0.0:0", "token new", "--tls-cert", "--behind-proxy", "127.0.0.1"]),
        (vec!["--http", "[::]:0"], vec!["token new", "--tls-cert"]),
        (vec!["--http", "0.0.0.0:0", "--behind-proxy"], vec!["token new"]),
        (vec!["--http", "127.0.0.1:0", "--behind-proxy"], vec!["through the proxy", "token new"]),
        (vec!["--http", "0.0.0.0:0", "--tokens", file], vec!["--tls-cert", "--behind-proxy"]),
    ] {
        let mut all = vec!["--sandbox", "serve"];
        all.extend(&arguments);
        let output = run(&all, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{arguments:?}: {told}");
        for says in says {
            assert!(told.contains(says), "{arguments:?}: {told}");
        }
        assert!(told.contains("Nothing was started"), "{told}");
    }
}

#[test]
fn flags_that_mean_nothing_are_told() {
    for (flag, value) in [
        ("--allowed-origin", "*"),
        ("--allowed-origin", "app.example.org"),
        ("--allowed-origin", "https://app.example.org/path"),
        ("--public-url", "mcp.example.org"),
        ("--public-url", "https://mcp.example.org/mcp"),
        ("--oauth-issuer", "http://login.example.org"),
        ("--http", "localhost"),
        ("--tls-cert", "only-this.pem"),
    ] {
        let output = run(&["--sandbox", "serve", "--http", "127.0.0.1:0", flag, value], &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(flag), "{flag} {value}: {told}");
        assert!(output.stdout.is_empty(), "{flag} {value}");
    }
}

#[test]
fn an_address_that_cannot_be_had_is_told_with_one_that_can() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback");
    let taken = taken.local_addr().expect("an address").to_string();
    for (address, says) in [
        ("localhost:8808", "127.0.0.1:8808"),
        ("8808", "127.0.0.1:8808"),
        (":8808", "127.0.0.1:8808"),
        (taken.as_str(), "Give another port"),
    ] {
        let output = run(&["--sandbox", "serve", "--http", address], &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(says), "{address}: {told}");
    }
}

#[tokio::test]
async fn behind_a_proxy_a_token_is_enough() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &[]);
    let server = tokens.served(&["--http", "0.0.0.0:0", "--behind-proxy", "--allowed-host", "mcp.example.org"]);
    let url = server.url.replace("0.0.0.0", "127.0.0.1");
    let client = Client::new(&url, Era::Stateless).with_token(&alice);
    assert!(!client.tools().await.is_empty());
}

#[tokio::test]
async fn without_tokens_this_machine_may_call_and_is_warned() {
    let server = Served::sandbox(&[]);
    assert!(!server.client(Era::Stateless).tools().await.is_empty());
    let log = server.log();
    assert!(log.contains("WARN") && log.contains("no tokens: every program on this machine can call"), "{log}");
}

/// Key and certificate for these names, as files; and the certificate.
fn identity(folder: &tempfile::TempDir, end: &str) -> (PathBuf, PathBuf, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("a key");
    let (certificate, key) =
        (folder.path().join(format!("cert{end}.pem")), folder.path().join(format!("key{end}.pem")));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("closed");
    (certificate, key, made.cert.der().clone())
}

#[tokio::test]
async fn with_a_certificate_of_its_own_it_speaks_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key, root) = identity(&folder, "");
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &[]);
    let (certificate, key) = (certificate.to_str().expect("a path"), key.to_str().expect("a path"));
    let server = tokens.served(&["--http", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let url = server.url.replace("0.0.0.0", "127.0.0.1");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).expect("a root");
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().expect("versions").with_root_certificates(roots);
    let http = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls.with_no_client_auth());
    let http = http.build().expect("a client");
    for era in Era::BOTH {
        let mut client = Client::over(http.clone(), &url, era).with_token(&alice);
        client.open().await;
        assert_ne!(client.call("get_version", json!({})).await["isError"], true);
    }
    // Without TLS nothing is said.
    assert!(crate::served::plain().get(url.replace("https", "http")).send().await.is_err());
}

#[test]
fn what_is_wrong_with_a_certificate_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key, _) = identity(&folder, "");
    let (_, other, _) = identity(&folder, "2");
    let text = |path: &PathBuf| path.to_str().expect("a path").to_owned();
    let missing = folder.path().join("missing.pem");
    let open = folder.path().join("open.pem");
    std::fs::copy(&key, &open).expect("copied");
    #[cfg(unix)]
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("opened");
    for (certificate, key, says) in [
        (&missing, &key, "missing.pem"),
        (&key, &key, "no certificate"),
        (&certificate, &certificate, "cert.pem"),
        (&certificate, &other, "do not fit"),
        (&certificate, &open, "mode 644"),
    ] {
        let (certificate, key) = (text(certificate), text(key));
        let all = ["--sandbox", "serve", "--http", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key];
        let output = run(&all, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(says), "{says}: {told}");
        assert!(!told.contains("PRIVATE KEY"), "{told}");
    }
}
