//! A token that is no good any more: what was opened with it ends soon, and what it began ends as it would have.

use crate::common::{Era, PATIENCE};
use crate::oauth::{Issuer, Key, now, served, with};
#[cfg(feature = "metrics")]
use crate::served::get;
use crate::served::{Client, Served};
use crate::tokens::Tokens;
use proxmox_mcp::http::{Door, Http, Options, PATH, Ready, Stop};
use proxmox_sandbox::{Options as World, Sandbox};
use reqwest::{Method, Response, StatusCode};
use rmcp::ServerHandler;
use rmcp::model::{ServerCapabilities, ServerConfig, SubscriptionFilter};
use serde_json::json;
use std::net::SocketAddr;
use tokio_util::task::TaskTracker;

/// The stream on which a session hears what nobody asked for.
async fn listening(client: &Client) -> Response {
    let request = client.raw(Method::GET, &client.url).header("accept", "text/event-stream");
    let request = request.header("mcp-protocol-version", client.era.version());
    let stream = request.header("mcp-session-id", client.session.as_deref().expect("a session")).send().await;
    let stream = stream.expect("an answer");
    assert_eq!(stream.status(), StatusCode::OK);
    stream
}

/// What is said on it to its end, which has to come, and in order.
async fn rest(stream: Response) -> String {
    tokio::time::timeout(PATIENCE, stream.text()).await.expect("it ends").expect("in order")
}

/// Waits until no session is open any more.
#[cfg(feature = "metrics")]
async fn closed(server: &Served) {
    let none = async { while !get(&server.at("/metrics")).await.body.contains("proxmox_mcp_sessions 0\n") {} };
    tokio::time::timeout(PATIENCE, none).await.expect("sessions are closed");
}

#[cfg(not(feature = "metrics"))]
async fn closed(_: &Served) {}

#[tokio::test]
async fn who_listens_with_a_revoked_token_hears_no_more_and_the_others_do() {
    let tokens = Tokens::new();
    let (alice, bob) = (tokens.made("alice", &[]), tokens.made("bob", &[]));
    let server = tokens.served(&[]);
    let (mut gone, mut stays) =
        (server.client(Era::Handshake).with_token(&alice), server.client(Era::Handshake).with_token(&bob));
    gone.open().await;
    stays.open().await;
    let (ends, mut goes_on) = (listening(&gone).await, listening(&stays).await);
    tokens.revoke("alice");
    // One with the same name is another token.
    let again = tokens.made("alice", &[]);
    rest(ends).await;
    assert_eq!(gone.request("tools/list", json!({})).await.status, StatusCode::UNAUTHORIZED);
    assert!(!stays.tools().await.is_empty());
    assert!(goes_on.chunk().await.expect("readable").is_some(), "it is open, and kept so");
    tokens.revoke("bob");
    rest(goes_on).await;
    closed(&server).await;
    gone.token = Some(again);
    assert_eq!(gone.request("tools/list", json!({})).await.status, StatusCode::NOT_FOUND, "its session is closed");
    let log = server.log();
    assert!(log.contains("a session is closed") && log.contains("alice") && log.contains("bob"), "{log}");
}

#[tokio::test]
async fn a_token_that_expires_while_it_listens_hears_no_more() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &["--expires", "30d"]);
    let server = tokens.served(&[]);
    let mut client = server.client(Era::Handshake).with_token(&alice);
    client.open().await;
    let stream = listening(&client).await;
    let text = std::fs::read_to_string(tokens.path()).expect("readable");
    let line = text.lines().find(|line| line.starts_with("expires = ")).expect("an end").to_owned();
    let past = text.replace(&line, "expires = \"2026-01-01T00:00:00Z\"");
    std::fs::write(tokens.path(), past).expect("written");
    rest(stream).await;
    closed(&server).await;
    let refused = client.request("tools/list", json!({})).await;
    assert!(refused.status == StatusCode::UNAUTHORIZED && refused.says().contains("expired"), "{refused:?}");
}

#[tokio::test]
async fn a_call_that_runs_is_answered_although_its_token_was_revoked() {
    let sandbox = Sandbox::start(World { task_time: 0.3, ..World::default() }).await.expect("loopback");
    let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
    let fingerprint: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let tokens = Tokens::new();
    let (address, file) = (sandbox.address().to_string(), tokens.path());
    let environment = [
        ("PROXMOX_HOST", address.as_str()),
        ("PROXMOX_FINGERPRINT", &fingerprint),
        ("PROXMOX_TOKEN_NAME", name),
        ("PROXMOX_TOKEN_VALUE", secret),
        ("PROXMOX_TOKENS", file.to_str().expect("a path")),
    ];
    let server = Served::start(&["--tier", "operate"], &environment);
    for (era, vmid) in Era::BOTH.into_iter().zip([100, 102]) {
        let mut client = server.client(era).with_token(&tokens.made("alice", &["--tier", "operate"]));
        client.open().await;
        let listens = match era {
            Era::Handshake => Some(listening(&client).await),
            Era::Stateless => None,
        };
        let params = json!({
            "name": "create_backup",
            "arguments": {"vmid": vmid, "storage": "backup-nas", "wait": 100},
            "_meta": {"progressToken": "p"},
        });
        let mut stream = client.prepared("tools/call", params).send().await.expect("an answer");
        let first = stream.chunk().await.expect("readable").expect("progress");
        tokens.revoke("alice");
        if let Some(listens) = listens {
            rest(listens).await;
        }
        assert_eq!(client.request("tools/list", json!({})).await.status, StatusCode::UNAUTHORIZED);
        let body = String::from_utf8_lossy(&first).into_owned() + &rest(stream).await;
        assert!(body.contains("\"outcome\":\"ok\""), "{era:?}: {body}");
        closed(&server).await;
    }
}

#[tokio::test]
async fn a_signed_token_listens_until_its_end_and_a_session_goes_on_with_the_next() {
    let key = Key::ed("a");
    let issuer = Issuer::start(&[&key]);
    let server = served(&issuer.url, &[]);
    // Clocks may differ by 30 seconds: it opens for a few more.
    let short = key.token(&with(&issuer.claims(), json!({"exp": now() - 22})));
    let next = key.token(&issuer.claims());
    let mut client = server.client(Era::Handshake).with_token(&short);
    client.open().await;
    let mut left = server
        .client(Era::Handshake)
        .with_token(&key.token(&with(&issuer.claims(), json!({"exp": now() - 22, "sub": "u2"}))));
    left.open().await;
    let (stream, other) = (listening(&client).await, listening(&left).await);
    client.token = Some(next);
    assert!(!client.tools().await.is_empty());
    rest(stream).await;
    rest(other).await;
    assert_eq!(left.request("tools/list", json!({})).await.status, StatusCode::UNAUTHORIZED);
    // One of the two sessions is closed.
    #[cfg(feature = "metrics")]
    {
        let one = async { while !get(&server.at("/metrics")).await.body.contains("proxmox_mcp_sessions 1\n") {} };
        tokio::time::timeout(PATIENCE, one).await.expect("a session is closed");
    }
    assert!(!client.tools().await.is_empty(), "the session goes on");
}

/// A server that has news for whoever subscribes.
#[derive(Clone)]
struct News;

impl ServerHandler for News {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_token() {
    let tokens = Tokens::new();
    let alice = tokens.made("alice", &[]);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let http = Http::bind(any, None, Options::default()).await.expect("loopback");
    let url = format!("http://{}{PATH}", http.address());
    let door = Door { tokens: Some(proxmox_mcp::tokens::Tokens::at(tokens.path())), ..Door::default() };
    tokio::spawn(http.serve(News, door, Ready::always(), TaskTracker::new(), Stop::default()));
    let client = Client::new(&url, Era::Stateless).with_token(&alice);
    let params = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = client.prepared("subscriptions/listen", params).send().await.expect("an answer");
    assert_eq!(stream.status(), StatusCode::OK);
    let first = stream.chunk().await.expect("readable").expect("it begins");
    assert!(String::from_utf8_lossy(&first).contains("acknowledged"), "{first:?}");
    tokens.revoke("alice");
    rest(stream).await;
}
