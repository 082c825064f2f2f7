//! Bearer tokens: made by the command, held to their limits by the server, refused when they are revoked.

use crate::common::{Era, run, text};
use crate::served::{Client, Served, sent};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A folder with a file of tokens.
pub struct Tokens {
    folder: tempfile::TempDir,
}

impl Tokens {
    pub fn new() -> Tokens {
        Tokens { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("tokens.toml")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Output {
        let path = self.path();
        let mut all = vec!["token"];
        all.extend_from_slice(arguments);
        all.extend(["--tokens", path.to_str().expect("a path")]);
        // What the process itself may do has nothing to do with it.
        run(&all, &[("PROXMOX_TIER", "admin"), ("PROXMOX_ALLOW", "delete_guest")])
    }

    /// Makes a token.
    pub fn made(&self, name: &str, limits: &[&str]) -> String {
        let mut all = vec!["new", "--name", name];
        all.extend_from_slice(limits);
        let output = self.command(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).expect("text");
        assert!(told.starts_with("pmcp_") && told.ends_with('\n') && told.lines().count() == 1, "{told}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains(told.trim()), "it is printed once");
        told.trim().to_owned()
    }

    pub fn revoke(&self, name: &str) {
        assert!(self.command(&["revoke", name]).status.success());
    }

    /// A server over the sandbox with these tokens.
    pub fn served(&self, arguments: &[&str]) -> Served {
        let path = self.path();
        let mut all = vec!["--tokens", path.to_str().expect("a path")];
        all.extend_from_slice(arguments);
        Served::sandbox(&all)
    }
}

async fn refused(client: &Client, status: StatusCode) -> (String, String) {
    let reply = client.request("tools/list", json!({})).await;
    assert_eq!(reply.status, status, "{reply:?}");
    (reply.says().to_owned(), reply.headers.get("www-authenticate").cloned().unwrap_or_default())
}

#[tokio::test]
async fn only_a_token_of_the_file_opens() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &[]);
    let server = tokens.served(&[]);
    for era in Era::BOTH {
        let mut client = server.client(era).with_token(&alice);
        assert_eq!(client.open().await.status, StatusCode::OK);
        assert!(client.tools().await.contains(&"list_guests".to_owned()));
        let mut nobody = server.client(era);
        let (says, challenge) = refused(&nobody, StatusCode::UNAUTHORIZED).await;
        assert!(says.contains("bearer token") && says.contains("proxmox-mcp token new"), "{says}");
        assert_eq!(challenge, "Bearer realm=\"proxmox-mcp\"");
        let near = format!("{}x", &alice[..alice.len() - 1]);
        for wrong in [near.as_str(), "pmcp_aaaaaaaaaa_bbbb", "eyJhbGciOiJub25lIn0.e30.", "x"] {
            nobody.token = Some(wrong.to_owned());
            let (_, challenge) = refused(&nobody, StatusCode::UNAUTHORIZED).await;
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        }
    }
    let client = server.client(Era::Stateless);
    for header in [format!("Basic {alice}"), alice.clone()] {
        let reply = sent(client.prepared("tools/list", json!({})).header("authorization", header)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
    let twice = client.prepared("tools/list", json!({}));
    let twice = twice.header("authorization", format!("Bearer {alice}")).header("authorization", "Bearer x");
    assert_eq!(sent(twice).await.status, StatusCode::BAD_REQUEST);
    // In the address it would end up in logs.
    let reply = sent(client.raw(Method::POST, &format!("{}?access_token={alice}", server.url))).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let log = server.log();
    assert!(log.contains("caller=\"alice\"") || !log.contains(" call "), "{log}");
    assert!(!log.contains(&alice) && !log.contains(&alice[20..]), "{log}");
}

#[tokio::test]
async fn each_token_has_limits_of_its_own_and_never_more_than_the_server() {
    let tokens = Tokens::new();
    let reader = tokens.made("reader", &[]);
    let operator = tokens.made("operator", &["--tier", "operate", "--deny", "stop_guest", "--allow-guests", "100-101"]);
    let admin = tokens.made("admin", &["--tier", "admin", "--toolsets", "all", "--allow", "delete_guest"]);
    let server = tokens.served(&["--tier", "operate"]);
    for era in Era::BOTH {
        let mut clients: Vec<Client> = Vec::new();
        for (token, tier) in [(&reader, "Tier read"), (&operator, "Tier operate"), (&admin, "Tier operate")] {
            let mut client = server.client(era).with_token(token);
            let hello = client.open().await;
            assert!(hello.body.contains(tier), "{tier}: {}", hello.body);
            clients.push(client);
        }
        let [reader, operator, admin] = &clients[..] else { panic!("three") };
        let names = |list: Vec<String>, name: &str| list.iter().any(|one| one == name);
        assert!(!names(reader.tools().await, "start_guest"));
        assert!(names(operator.tools().await, "start_guest") && !names(operator.tools().await, "stop_guest"));
        assert!(names(admin.tools().await, "stop_guest") && !names(admin.tools().await, "delete_guest"));
        for (client, tool, arguments, says) in [
            (reader, "start_guest", json!({"vmid": 101}), "the caller's token has `read`"),
            (operator, "stop_guest", json!({"vmid": 100}), "`deny` of the caller's token"),
            (operator, "reboot_guest", json!({"vmid": 102}), "(`allow_guests` of the caller's token is 100-101)"),
            (admin, "delete_guest", json!({"vmid": 110}), "this server runs at `operate`"),
        ] {
            let result = client.call(tool, arguments).await;
            assert_eq!(result["isError"], true, "{tool}: {result}");
            assert!(text(&result).contains(says), "{tool}: {}", text(&result));
        }
        let result = operator.call("reboot_guest", json!({"vmid": 100})).await;
        assert_ne!(result["isError"], true, "{result}");
    }
}

#[tokio::test]
async fn a_token_for_other_clusters_is_told_so() {
    let tokens = Tokens::new();
    let token = tokens.made("elsewhere", &["--clusters", "lab,prod"]);
    let server = tokens.served(&[]);
    for era in Era::BOTH {
        let reply = server.client(era).with_token(&token).open().await;
        let says = reply.answer()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(says.contains("no cluster") && says.contains("lab, prod"), "{reply:?}");
    }
    let token = tokens.made("here", &["--clusters", "Sandbox"]);
    assert!(!server.client(Era::Stateless).with_token(&token).tools().await.is_empty());
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_a_new_one_works_at_once() {
    let tokens = Tokens::new();
    let server = tokens.served(&[]);
    let first = tokens.made("first", &[]);
    for era in Era::BOTH {
        let second = tokens.made("second", &[]);
        let mut client = server.client(era).with_token(&second);
        client.open().await;
        assert!(!client.tools().await.is_empty());
        tokens.revoke("second");
        let (says, _) = refused(&client, StatusCode::UNAUTHORIZED).await;
        assert!(says.contains("revoked"), "{says}");
    }
    let client = server.client(Era::Stateless).with_token(&first);
    let good = std::fs::read_to_string(tokens.path()).expect("readable");
    std::fs::write(tokens.path(), &good[..good.len() / 2]).expect("written");
    let (says, _) = refused(&client, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(says.contains("its log says why"), "{says}");
    std::fs::write(tokens.path(), good).expect("written");
    assert!(!client.tools().await.is_empty());
    let log = server.log();
    assert!(log.contains("ERROR") && log.contains("Every token is refused"), "{log}");
}

#[tokio::test]
async fn a_session_belongs_to_the_token_that_opened_it() {
    let tokens = Tokens::new();
    let (alice, bob) = (tokens.made("alice", &[]), tokens.made("bob", &["--tier", "operate"]));
    let server = tokens.served(&["--tier", "operate"]);
    let mut client = server.client(Era::Handshake).with_token(&alice);
    client.open().await;
    client.token = Some(bob);
    let reply = client.request("tools/list", json!({})).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.says().contains("another token"), "{reply:?}");
    let session = client.session.clone().expect("a session");
    for method in [Method::GET, Method::DELETE] {
        let request = client.raw(method, &server.url).header("mcp-session-id", &session);
        assert_eq!(sent(request.header("accept", "text/event-stream")).await.status, StatusCode::NOT_FOUND);
    }
    client.token = Some(alice);
    assert!(!client.tools().await.is_empty());
}

#[tokio::test]
async fn who_called_stands_in_the_audit_log() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &["--tier", "operate"]);
    let log = tokens.folder.path().join("audit.log");
    let server = tokens.served(&["--tier", "operate", "--audit", log.to_str().expect("a path")]);
    let client = server.client(Era::Stateless).with_token(&alice);
    let result = client.call("reboot_guest", json!({"vmid": 100})).await;
    assert_ne!(result["isError"], true, "{result}");
    let lines = std::fs::read_to_string(&log).expect("a log");
    let all = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let calls: Vec<Value> = all.filter(|line| line["kind"] == "intent").collect();
    assert!(!calls.is_empty() && calls.iter().all(|line| line["caller"] == "alice"), "{lines}");
    assert!(!lines.contains(&alice[16..]));
}

#[test]
fn tokens_are_listed_without_their_secrets() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &["--tier", "configure", "--deny-nodes", "pve3", "--expires", "never"]);
    tokens.made("bob", &[]);
    let output = tokens.command(&["list", "--json"]);
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (first, second) = (&list[0], &list[1]);
    assert_eq!(
        (&first["name"], &first["tier"], &first["deny_nodes"][0]),
        (&json!("alice"), &json!("configure"), &json!("pve3"))
    );
    assert_eq!((&first["expires"], &second["tier"]), (&Value::Null, &json!("read")), "variables give a token nothing");
    assert!(second["expires"].is_string() && second["allow"] == json!([]), "{second}");
    let table = String::from_utf8(tokens.command(&["list"]).stdout).expect("text");
    assert!(table.contains("--deny-nodes pve3") && table.contains("never"), "{table}");
    assert!(!table.contains(&alice[16..]) && !output.stdout.windows(20).any(|part| part == &alice.as_bytes()[16..36]));
}

#[test]
fn what_makes_no_token_is_told() {
    let tokens = Tokens::new();
    for (arguments, says) in [
        (vec!["new", "--name", "a b"], "--name"),
        (vec!["new", "--name", "a", "--tier", "reed"], "--tier"),
        (vec!["new", "--name", "a", "--deny", "start_gest"], "start_guest"),
        (vec!["new", "--name", "a", "--allow-guests", "1"], "--allow-guests"),
        (vec!["new", "--name", "a", "--expires", "soon"], "--expires"),
        (vec!["revoke", "nobody"], "no token `nobody`"),
    ] {
        let output = tokens.command(&arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(says), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty() && !tokens.path().exists(), "{arguments:?}");
    }
}

/// Whoever is killed in the middle leaves the old file or the new one.
#[test]
fn a_killed_command_leaves_a_whole_file() {
    let tokens = Tokens::new();
    tokens.made("first", &[]);
    let path = tokens.path();
    for round in 0..20 {
        let name = format!("t{round}");
        let arguments = ["token", "new", "--name", &name, "--tokens", path.to_str().expect("a path")];
        let mut child = crate::common::binary(&arguments, &[]);
        let child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = child.spawn().expect("starts");
        // A little later in each round: from before it begins until after it is done.
        while_reading(&path, round * 40);
        child.kill().expect("killed, or ended already");
        child.wait().expect("ends");
        let output = tokens.command(&["list", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    tokens.made("last", &[]);
}

/// Spends time without sleeping, and looks meanwhile whether what stands in the file is whole.
fn while_reading(path: &Path, times: usize) {
    for _ in 0..times {
        let text = std::fs::read_to_string(path).expect("there is always a file");
        assert!(text.parse::<toml::Table>().is_ok(), "{text}");
    }
}
