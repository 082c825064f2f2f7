//! The end of the process: what runs may end, what is new is refused.

use crate::common::Era;
use crate::served::{Client, Served, events, get};
use proxmox_sandbox::{Options, Sandbox};
use reqwest::StatusCode;
use serde_json::json;

/// Reads on until this was said.
async fn until(stream: &mut reqwest::Response, body: &mut String, says: &str) {
    while !body.contains(says) {
        let chunk = stream.chunk().await.expect("readable").unwrap_or_else(|| panic!("it ended: {body}"));
        body.push_str(&String::from_utf8_lossy(&chunk));
    }
}

/// From now on it takes nothing new, and says so.
async fn refuses(server: &Served, client: &Client) {
    // At the latest when it says that it is not ready.
    while get(&server.at("/ready")).await.status != StatusCode::SERVICE_UNAVAILABLE {}
    let refused = client.request("tools/call", json!({"name": "get_version", "arguments": {}})).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    assert!(refused.says().contains("ending") && refused.headers.contains_key("retry-after"), "{refused:?}");
}

#[tokio::test]
async fn a_call_that_waits_for_its_task_is_answered_before_the_end() {
    let sandbox = Sandbox::start(Options { task_time: 2.0, ..Options::default() }).await.expect("loopback");
    let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
    let fingerprint: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let address = sandbox.address().to_string();
    let environment = [
        ("PROXMOX_HOST", address.as_str()),
        ("PROXMOX_FINGERPRINT", &fingerprint),
        ("PROXMOX_TOKEN_NAME", name),
        ("PROXMOX_TOKEN_VALUE", secret),
    ];
    let server = Served::start(&["--tier", "operate"], &environment);
    let client = server.client(Era::Stateless);
    let params = json!({
        "name": "create_backup",
        "arguments": {"vmid": 100, "storage": "backup-nas", "wait": 100},
        "_meta": {"progressToken": "p"},
    });
    let mut stream = client.prepared("tools/call", params).send().await.expect("an answer");
    let mut body = String::new();
    until(&mut stream, &mut body, "notifications/progress").await;
    server.signal("TERM");
    refuses(&server, &client).await;
    body.push_str(&stream.text().await.expect("the rest"));
    assert!(body.contains("\"outcome\":\"ok\""), "{body}");
    let (status, log) = server.ended();
    assert!(status.success(), "{status}: {log}");
}

#[tokio::test]
async fn whoever_was_asked_can_still_answer() {
    let server = Served::sandbox(&["--tier", "admin", "--confirm", "elicit-only"]);
    let mut client = server.client(Era::Handshake);
    client.capabilities = json!({"elicitation": {}});
    client.open().await;
    let call = json!({"name": "stop_guest", "arguments": {"vmid": 100}});
    let mut stream = client.prepared("tools/call", call).send().await.expect("a stream");
    let mut body = String::new();
    until(&mut stream, &mut body, "elicitation/create").await;
    until(&mut stream, &mut body, "}\n").await;
    server.signal("INT");
    refuses(&server, &client).await;
    let question = events(&body).into_iter().find(|one| one["method"] == "elicitation/create").expect("a question");
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": yes});
    assert_eq!(client.message(&answer).send().await.expect("an answer").status(), StatusCode::ACCEPTED);
    body.push_str(&stream.text().await.expect("the rest"));
    assert!(body.contains("\"outcome\":\"ok\""), "{body}");
    let (status, log) = server.ended();
    assert!(status.success(), "{status}: {log}");
}

#[tokio::test]
async fn patience_with_running_calls_has_an_end() {
    let server = Served::sandbox(&["--confirm", "elicit-only", "--tier", "admin", "--drain", "0"]);
    let mut client = server.client(Era::Handshake);
    client.capabilities = json!({"elicitation": {}});
    client.open().await;
    let params = json!({"name": "delete_guest", "arguments": {"vmid": 110}});
    let mut stream = client.prepared("tools/call", params).send().await.expect("a stream");
    until(&mut stream, &mut String::new(), "elicitation/create").await;
    // Nobody answers the question.
    server.signal("TERM");
    let (status, log) = server.ended();
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains("patience is over"), "{log}");
}
