//! Peers that begin to say something and do not go on: each holds its place for a while, and not for ever.

use crate::common::{Era, PATIENCE};
use crate::served::Client;
use proxmox_mcp::clusters::Clusters;
use proxmox_mcp::engine::Engine;
use proxmox_mcp::http::{Door, Http, Options, PATH, Ready, Stop};
use proxmox_mcp::server::Server;
use proxmox_mcp::settings::{Flags, Settings};
use reqwest::StatusCode;
use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The listener of the binary, with less patience, one place, and no cluster.
async fn listening() -> SocketAddr {
    let settings = Settings::limits(&Flags::default()).expect("the defaults are right");
    let server = Server::new(Clusters::one(Arc::new(Engine::new(settings))));
    let options = Options { patience: Duration::from_millis(50), calls: 1, ..Options::default() };
    let http = Http::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, options).await.expect("loopback");
    let address = http.address();
    let calls = server.calls().clone();
    tokio::spawn(http.serve(server, Door::default(), Ready::always(), calls, Stop::default()));
    address
}

/// Everything that comes until the server closes the connection.
fn said_to(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.write_all(bytes.as_bytes()).expect("taken");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).expect("the server closes it");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_a_body_that_is_too_long_keeps_it() {
    let address = listening().await;
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nexpect: 100-continue\r\ncontent-length: 1000000000000\r\n\r\n"
    );
    let said = tokio::task::spawn_blocking(move || said_to(address, &request)).await.expect("said");
    assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("--max-body"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_told_so_and_gives_its_place_back() {
    let address = listening().await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n"
    );
    let nothing = format!("{head}content-length: 100\r\n\r\n");
    let half = format!("{head}content-length: 100\r\n\r\n{{\"jsonrpc\":\"2.0\",");
    let pieces = format!("{head}transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n");
    for request in [nothing, half, pieces] {
        let said = tokio::task::spawn_blocking(move || said_to(address, &request)).await.expect("said");
        let said = said.to_ascii_lowercase();
        assert!(said.starts_with("http/1.1 408 ") && said.contains("\r\nconnection: close\r\n"), "{said}");
        assert!(said.contains("did not arrive in time; nothing was done"), "{said}");
        // The only place is free again.
        let client = Client::new(&format!("http://{address}{PATH}"), Era::Stateless);
        assert_eq!(client.request("tools/list", json!({})).await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_none_is_the_senders_mistake() {
    let address = listening().await;
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcde\r\n0\r\n\r\n"
    );
    let said = tokio::task::spawn_blocking(move || said_to(address, &request)).await.expect("said");
    let said = said.to_ascii_lowercase();
    assert!(
        said.starts_with("http/1.1 400 ") && said.contains("not sent as its head says; nothing was done"),
        "{said}"
    );
    let client = Client::new(&format!("http://{address}{PATH}"), Era::Stateless);
    assert_eq!(client.request("tools/list", json!({})).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_takes_no_answer_is_cut_off() {
    let address = listening().await;
    let asks = move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_write_timeout(Some(PATIENCE)).expect("a limit");
        let many = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
        // Until answers fill every buffer on the way, and the server waits for room.
        loop {
            if let Err(error) = stream.write_all(many.as_bytes()) {
                return error.kind();
            }
        }
    };
    let ended = tokio::task::spawn_blocking(asks).await.expect("it ends");
    assert!(matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{ended:?}");
    let client = Client::new(&format!("http://{address}{PATH}"), Era::Stateless);
    assert_eq!(client.request("tools/list", json!({})).await.status, StatusCode::OK);
}
