//! The end of the process: what runs may end, what is new is refused.

use crate::common::Era;
use crate::served::{Served, get};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn at_its_end_the_server_lets_calls_end_and_takes_no_new_ones() {
    for (era, signal) in Era::BOTH.into_iter().zip(["TERM", "INT"]) {
        let server = Served::sandbox(&["--tier", "operate"]);
        let mut client = server.client(era);
        client.open().await;
        let params = json!({
            "name": "create_backup",
            "arguments": {"vmid": 100, "storage": "backup-nas", "wait": 30},
            "_meta": {"progressToken": "p"},
        });
        let mut stream = client.prepared("tools/call", params).send().await.expect("an answer");
        let mut body = String::new();
        // Something was started and is waited for.
        while !body.contains("notifications/progress") {
            let chunk = stream.chunk().await.expect("readable").unwrap_or_else(|| panic!("it ended: {body}"));
            body.push_str(&String::from_utf8_lossy(&chunk));
        }
        server.signal(signal);
        // From now on it is not ready, and at the latest when it says so, nothing new is taken.
        while get(&server.at("/ready")).await.status != StatusCode::SERVICE_UNAVAILABLE {}
        let refused = client.request("tools/call", json!({"name": "get_version", "arguments": {}})).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
        assert!(refused.says().contains("ending") && refused.headers.contains_key("retry-after"), "{refused:?}");
        body.push_str(&stream.text().await.expect("the rest"));
        assert!(body.contains("\"outcome\":\"ok\""), "{body}");
        let (status, log) = server.ended();
        assert!(status.success(), "{status}: {log}");
    }
}

#[tokio::test]
async fn patience_with_running_calls_has_an_end() {
    let server = Served::sandbox(&["--confirm", "elicit-only", "--tier", "admin", "--drain", "0"]);
    let mut client = server.client(Era::Handshake);
    client.capabilities = json!({"elicitation": {}});
    client.open().await;
    let params = json!({"name": "delete_guest", "arguments": {"vmid": 110}});
    let mut stream = client.prepared("tools/call", params).send().await.expect("a stream");
    let mut body = String::new();
    while !body.contains("elicitation/create") {
        let chunk = stream.chunk().await.expect("readable").unwrap_or_else(|| panic!("it ended: {body}"));
        body.push_str(&String::from_utf8_lossy(&chunk));
    }
    // Nobody answers the question.
    server.signal("TERM");
    let (status, log) = server.ended();
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains("patience is over"), "{log}");
}
