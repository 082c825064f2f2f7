//! Whom the client believes to be the cluster.

use super::*;
use server::Greet;

fn trusting(server: &Server, change: impl FnOnce(&mut Flags)) -> Engine {
    let mut flags = Flags { fingerprint: None, ..flags(server) };
    change(&mut flags);
    Engine::new(settings(&flags))
}

#[tokio::test]
async fn a_fingerprint_is_taken_in_any_spelling() {
    let server = Server::start(usual);
    let pin = server.fingerprint();
    for pin in [pin.clone(), pin.to_lowercase(), pin.replace(':', ""), pin.replace(':', " ").to_lowercase()] {
        ok(&trusting(&server, |flags| flags.fingerprint = Some(pin)), "get_version", json!({})).await;
    }
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_shown_to_everybody() {
    let server = Server::start(usual);
    let engine = trusting(&server, |flags| flags.fingerprint = Some("ab".repeat(32)));
    let two = tokio::join!(fails(&engine, "get_version", json!({})), fails(&engine, "get_version", json!({})));
    for (kind, text) in [two.0, two.1] {
        assert_eq!(kind, FailureKind::Tls);
        has(&text, &["another certificate than the pinned one", &server.fingerprint()]);
    }
    assert!(server.seen().is_empty(), "nothing is said to somebody else");
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_the_fingerprint() {
    let server = Server::start(usual);
    let other = Server::start(usual);
    let file = std::env::temp_dir().join(format!("proxmox-mcp-wire-ca-{}.pem", std::process::id()));
    let by_file = || trusting(&server, |flags| flags.ca_file = Some(file.to_string_lossy().into_owned()));
    std::fs::write(&file, &other.pem).expect("a file");
    let (kind, text) = fails(&by_file(), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Tls);
    has(&text, &[&server.fingerprint(), "PROXMOX_FINGERPRINT=", "pve-root-ca.pem"]);
    // A write too: nothing can have happened.
    let (_, text) = fails(&by_file(), "create_vm", json!({"node": "pve1", "vmid": 105})).await;
    has(&text, &["Nothing was changed"]);
    std::fs::write(&file, format!("{}{}", other.pem, server.pem)).expect("a file");
    ok(&by_file(), "get_version", json!({})).await;
    std::fs::remove_file(&file).expect("it is ours");
    let (kind, text) = fails(&by_file(), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Local);
    has(&text, &["PROXMOX_CA_FILE"]);
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_believed_without_being_told_so() {
    let server = Server::start(usual);
    let (kind, text) = fails(&trusting(&server, |_| {}), "get_version", json!({})).await;
    // A system without roots says that instead.
    assert!(matches!(kind, FailureKind::Tls | FailureKind::Local), "{text}");
    has(&text, &["PROXMOX_CA_FILE"]);
    assert!(server.seen().is_empty());
    let insecure = trusting(&server, |flags| flags.insecure = Some("true".to_owned()));
    assert!(insecure.settings().notices.iter().any(|(warning, text)| *warning && text.contains("PROXMOX_INSECURE")));
    ok(&insecure, "get_version", json!({})).await;
}

#[tokio::test]
async fn a_server_without_tls_is_not_blamed_for_its_certificate() {
    let server = Server::greeting("127.0.0.1:0", |_| Greet::Plain, usual).expect("loopback");
    let (kind, text) = fails(&engine(&server), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Tls);
    has(&text, &["No TLS connection", "https"]);
    assert!(!text.contains("certificate of") && !text.contains("pinned"), "{text}");
}

#[tokio::test]
async fn an_address_of_the_new_kind_is_reached() {
    let Ok(server) = Server::greeting("[::1]:0", |_| Greet::Serve, usual) else {
        eprintln!("skipped: this machine has no ::1");
        return;
    };
    let port = server.address.port();
    for host in [format!("[::1]:{port}"), format!("https://[::1]:{port}/")] {
        ok(
            &trusting(&server, |flags| {
                flags.host = Some(host);
                flags.fingerprint = Some(server.fingerprint());
            }),
            "get_version",
            json!({}),
        )
        .await;
    }
    let host = server.seen()[0].header("host")[0].to_owned();
    assert_eq!(host, format!("[::1]:{port}"));
}
