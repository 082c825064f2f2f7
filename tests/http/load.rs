//! Too much at a time: refused with what to do, and never queued without end.

use crate::common::Era;
use crate::served::Served;
use crate::tokens::Tokens;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_token_that_runs_wild_is_slowed_down_and_the_others_are_not() {
    let tokens = Tokens::new();
    let (wild, calm) = (tokens.made("wild", &[]), tokens.made("calm", &[]));
    let server = tokens.served(&["--rate", "1"]);
    let client = server.client(Era::Stateless).with_token(&wild);
    let replies = join_all((0..12).map(|_| client.request("tools/list", json!({})))).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == StatusCode::TOO_MANY_REQUESTS).collect();
    assert!(!refused.is_empty() && refused.len() < replies.len(), "{}", refused.len());
    for reply in refused {
        assert!(reply.headers["retry-after"].parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{reply:?}");
        assert!(reply.says().contains("--rate") && reply.says().contains("nothing was done"), "{reply:?}");
    }
    let other = server.client(Era::Stateless).with_token(&calm);
    assert_eq!(other.request("tools/list", json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn when_every_place_is_taken_new_calls_are_refused_and_answers_come_in() {
    let server = Served::sandbox(&["--max-calls", "1", "--tier", "admin", "--confirm", "elicit-only"]);
    let mut asking = server.client(Era::Handshake);
    asking.capabilities = json!({"elicitation": {}});
    asking.open().await;
    let call = json!({"name": "stop_guest", "arguments": {"vmid": 100}});
    let mut stream = asking.prepared("tools/call", call).send().await.expect("a stream");
    let mut body = String::new();
    while !body.contains("elicitation/create") || !body.ends_with("\n\n") {
        let chunk = stream.chunk().await.expect("readable").unwrap_or_else(|| panic!("it ended: {body}"));
        body.push_str(&String::from_utf8_lossy(&chunk));
    }
    // The only place is held by the call that asks.
    let refused = server.client(Era::Stateless).request("tools/list", json!({})).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.says().contains("--max-calls") && refused.headers.contains_key("retry-after"), "{refused:?}");
    let question = crate::served::events(&body).into_iter().find(|one| one["method"] == "elicitation/create");
    let id = question.expect("a question")["id"].clone();
    let yes = json!({"jsonrpc": "2.0", "id": id, "result": {"action": "accept", "content": {"confirm": true}}});
    assert_eq!(asking.message(&yes).send().await.expect("an answer").status(), StatusCode::ACCEPTED);
    body.push_str(&stream.text().await.expect("the rest"));
    assert!(body.contains("\"outcome\":\"ok\""), "{body}");
    assert_eq!(server.client(Era::Stateless).request("tools/list", json!({})).await.status, StatusCode::OK);
}
