//! The protocol over HTTP: what both eras must have, and what stands around it.

use crate::common::{Era, text};
use crate::served::{Client, Served, events, get, plain, sent};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn both_eras_are_spoken_by_the_same_server() {
    let server = Served::sandbox(&[]);
    for era in Era::BOTH {
        let mut client = server.client(era);
        let hello = client.open().await;
        assert_eq!(hello.status, StatusCode::OK, "{hello:?}");
        let hello = &hello.answer()["result"];
        match era {
            Era::Handshake => assert_eq!(hello["protocolVersion"], era.version()),
            Era::Stateless => {
                assert!(hello["supportedVersions"].as_array().expect("versions").contains(&json!(era.version())));
            }
        }
        assert_eq!(client.session.is_some(), era == Era::Handshake);
        assert!(client.tools().await.iter().any(|name| name == "list_guests"));
        let result = client.call("list_guests", json!({})).await;
        assert!(text(&result).contains("web-01") || text(&result).contains("guests"), "{result}");
    }
}

#[tokio::test]
async fn health_and_readiness_ask_nobody_for_a_token_and_say_nothing_else() {
    let server = Served::sandbox(&[]);
    let alive = get(&server.at("/health")).await;
    assert_eq!((alive.status, alive.body.as_str()), (StatusCode::OK, r#"{"status":"alive"}"#));
    let ready = get(&server.at("/ready")).await;
    assert_eq!((ready.status, ready.body.as_str()), (StatusCode::OK, r#"{"status":"ready"}"#));
}

#[tokio::test]
async fn without_a_cluster_that_answers_the_server_lives_and_is_not_ready() {
    // Nothing listens there.
    let settings = [
        ("PROXMOX_HOST", "127.0.0.1:1"),
        ("PROXMOX_USER", "root@pam"),
        ("PROXMOX_TOKEN_NAME", "t"),
        ("PROXMOX_TOKEN_VALUE", "12345678-1234-1234-1234-123456789abc"),
    ];
    let server = Served::start(&[], &settings);
    assert_eq!(get(&server.at("/health")).await.status, StatusCode::OK);
    let ready = get(&server.at("/ready")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.body, r#"{"status":"no cluster answers"}"#);
}

#[tokio::test]
async fn a_path_that_there_is_not_names_the_one_that_there_is() {
    let server = Served::sandbox(&[]);
    for path in ["/", "/sse", "/mcp/", "/api2/json/version"] {
        let reply = get(&server.at(path)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.says().contains("/mcp"), "{reply:?}");
    }
}

#[tokio::test]
async fn other_names_and_other_pages_are_refused() {
    let server = Served::sandbox(&["--allowed-host", "mcp.example.org", "--allowed-origin", "https://app.example.org"]);
    let client = server.client(Era::Stateless);
    let with = |name: &str, value: &str| client.prepared("tools/list", json!({})).header(name, value);
    for (name, value, flag) in [
        ("host", "evil.example.org", "--allowed-host"),
        ("origin", "https://evil.example.org", "--allowed-origin"),
        ("origin", "null", "--allowed-origin"),
    ] {
        let reply = sent(with(name, value)).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(reply.says().contains(value) && reply.says().contains(flag), "{reply:?}");
    }
    for (name, value) in [
        ("host", "mcp.example.org"),
        ("host", "localhost:1234"),
        ("origin", "https://app.example.org"),
        ("origin", "http://localhost:6274"),
    ] {
        assert_eq!(sent(with(name, value)).await.status, StatusCode::OK, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_header_that_decides_who_comes_in_is_there_once() {
    let server = Served::sandbox(&[]);
    let client = server.client(Era::Stateless);
    for (name, good, other) in [
        ("host", "localhost", "evil.example.org"),
        ("origin", "http://localhost:6274", "https://evil.example.org"),
        ("authorization", "Bearer a", "Bearer b"),
    ] {
        let reply = sent(client.prepared("tools/list", json!({})).header(name, good).header(name, other)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name}: {reply:?}");
        assert!(reply.says().contains(name) && reply.says().contains("once"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_browser_is_told_which_pages_may_call() {
    let server = Served::sandbox(&["--allowed-origin", "https://app.example.org"]);
    let client = server.client(Era::Stateless);
    for (origin, told) in [("https://app.example.org", true), ("https://evil.example.org", false)] {
        let asks = client.raw(Method::OPTIONS, &server.url).header("origin", origin);
        let asks = asks.header("access-control-request-method", "POST");
        let reply = sent(asks.header("access-control-request-headers", "authorization,mcp-method")).await;
        let allowed = reply.headers.get("access-control-allow-origin").is_some_and(|page| page == origin);
        assert_eq!(allowed, told, "{reply:?}");
    }
    let reply = sent(client.prepared("tools/list", json!({})).header("origin", "https://app.example.org")).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://app.example.org");
    // A page of this machine gets no further than before it asked.
    let local = sent(client.prepared("tools/list", json!({})).header("origin", "http://localhost:3000")).await;
    assert!(!local.headers.contains_key("access-control-allow-origin"), "{local:?}");
}

#[tokio::test]
async fn whatever_is_refused_is_refused_in_one_form_and_says_what_to_do() {
    let server = Served::sandbox(&[]);
    let at = |method| plain().request(method, server.at("/mcp"));
    let both = || at(Method::POST).header("accept", "application/json, text/event-stream");
    let post = || both().header("content-type", "application/json");
    let known = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    for (request, status, says) in [
        (at(Method::GET).header("accept", "text/event-stream"), StatusCode::BAD_REQUEST, "`initialize`"),
        (at(Method::DELETE), StatusCode::BAD_REQUEST, "`initialize`"),
        (at(Method::PUT), StatusCode::METHOD_NOT_ALLOWED, "POST"),
        (post().body("no JSON"), StatusCode::BAD_REQUEST, "JSON-RPC"),
        (post().body(format!("[{known}]")), StatusCode::BAD_REQUEST, "lists of messages are not taken"),
        (at(Method::POST).body(known.clone()), StatusCode::NOT_ACCEPTABLE, "text/event-stream"),
        (
            both().header("content-type", "text/plain").body(known),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "application/json",
        ),
    ] {
        let reply = sent(request).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.says().contains(says), "{reply:?}");
        assert_eq!(reply.headers["content-type"], "application/json");
    }
    let mut client = server.client(Era::Handshake);
    client.open().await;
    let session = client.session.clone().expect("a session");
    let end = at(Method::DELETE).header("mcp-session-id", session);
    assert!(sent(end).await.status.is_success());
    let gone = client.request("tools/list", json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.says().contains("Begin with `initialize` again"), "{gone:?}");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_whatever_its_head_says() {
    let server = Served::sandbox(&["--max-body", "2000"]);
    let client = server.client(Era::Stateless);
    let long = json!({"name": "list_guests", "arguments": {"filter": "x".repeat(3000)}});
    let reply = sent(client.prepared("tools/call", long)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(reply.says().contains("2000 bytes") && reply.says().contains("--max-body"), "{reply:?}");
    let chunks = futures_util::stream::iter((0..10).map(|_| Ok::<_, std::io::Error>(" ".repeat(300))));
    let streamed = client.prepared("tools/list", json!({})).body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(sent(streamed).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_request_has_one_name_in_its_answer_and_in_the_log() {
    let server = Served::sandbox(&[]);
    let client = server.client(Era::Stateless);
    let call = || client.prepared("tools/call", json!({"name": "get_version", "arguments": {}}));
    let reply = sent(call().header("x-request-id", "from-the-proxy.1")).await;
    assert_eq!(reply.headers["x-request-id"], "from-the-proxy.1");
    let made = sent(call().header("x-request-id", "two words")).await;
    let made = &made.headers["x-request-id"];
    assert_eq!(made.len(), 16);
    let other = get(&server.at("/health")).await;
    assert_ne!(&other.headers["x-request-id"], made);
    let made = made.clone();
    let log = server.log();
    for id in ["from-the-proxy.1", &made] {
        let line = log.lines().find(|line| line.contains(id)).unwrap_or_else(|| panic!("{id} is not in {log}"));
        assert!(line.contains("get_version"), "{line}");
    }
    assert!(!log.contains("two words"));
}

#[tokio::test]
async fn sessions_are_limited_and_an_ended_one_makes_room() {
    let server = Served::sandbox(&["--max-sessions", "2"]);
    let mut clients = [server.client(Era::Handshake), server.client(Era::Handshake)];
    for client in &mut clients {
        client.open().await;
        assert!(client.session.is_some());
    }
    let mut third = server.client(Era::Handshake);
    let refused = third.open().await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers.contains_key("retry-after") && refused.says().contains("sessions"), "{refused:?}");
    // Who needs no session is not held up.
    assert_eq!(server.client(Era::Stateless).open().await.status, StatusCode::OK);
    let end = clients[0].raw(Method::DELETE, &server.url);
    let end = end.header("mcp-session-id", clients[0].session.clone().expect("a session"));
    assert!(sent(end.header("mcp-protocol-version", Era::Handshake.version())).await.status.is_success());
    assert_eq!(third.open().await.status, StatusCode::OK);
    let gone = clients[0].request("tools/list", json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.says().contains("initialize"), "{gone:?}");
}

#[tokio::test]
async fn a_person_is_asked_within_a_session_and_by_a_result_without_one() {
    let server = Served::sandbox(&["--tier", "admin", "--confirm", "elicit-only"]);
    for era in Era::BOTH {
        let mut client = server.client(era);
        client.capabilities = json!({"elicitation": {}});
        client.open().await;
        let call = json!({"name": "stop_guest", "arguments": {"vmid": 100}});
        let result = match era {
            Era::Stateless => {
                let asked = client.request("tools/call", call.clone()).await.answer()["result"].clone();
                assert_eq!(asked["resultType"], "input_required", "{asked}");
                let mut again = call;
                again["inputResponses"] = json!({"confirm": {"action": "accept", "content": {"confirm": true}}});
                again["requestState"] = asked["requestState"].clone();
                client.request("tools/call", again).await.answer()["result"].clone()
            }
            Era::Handshake => within_a_session(&client, call).await,
        };
        assert_ne!(result["isError"], true, "{result}");
    }
}

/// Answers the question that comes on the stream of the call itself.
async fn within_a_session(client: &Client, call: Value) -> Value {
    let mut stream = client.prepared("tools/call", call).send().await.expect("a stream");
    let mut body = String::new();
    let mut answered = false;
    loop {
        let chunk = stream.chunk().await.expect("readable").unwrap_or_else(|| panic!("the stream ended: {body}"));
        body.push_str(&String::from_utf8_lossy(&chunk));
        let whole = &body[..body.rfind('\n').map_or(0, |end| end + 1)];
        for message in events(whole) {
            if message["method"] == "elicitation/create" && !answered {
                answered = true;
                let result = json!({"action": "accept", "content": {"confirm": true}});
                let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
                let taken = client.message(&answer).send().await.expect("an answer");
                assert_eq!(taken.status(), StatusCode::ACCEPTED);
            } else if message.get("result").is_some() {
                return message["result"].clone();
            }
        }
    }
}

#[tokio::test]
async fn files_of_the_servers_machine_are_out_of_reach() {
    let (folder, path) = crate::served::file("secret.iso", "what nobody may read");
    let folder = folder.path().to_str().expect("a path");
    let server = Served::sandbox(&["--tier", "admin", "--upload-dir", folder]);
    for era in Era::BOTH {
        let mut client = server.client(era);
        client.open().await;
        for path in [path.to_str().expect("a path"), "secret.iso", "not-there.iso"] {
            let arguments =
                json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "a.iso", "path": path});
            let result = client.call("upload_file", arguments).await;
            assert_eq!(result["isError"], true, "{result}");
            let says = text(&result);
            assert!(says.contains("over HTTP") && says.contains("base64"), "{says}");
        }
    }
}
