//! A look at an endpoint before anything is believed.

use super::*;
use proxmox_mcp::client::probe;
use proxmox_mcp::client::probe::Step;
use proxmox_mcp::settings::{Endpoint, Trust};
use server::{Greet, Say, Server};

const PATIENCE: Duration = Duration::from_secs(20);

fn endpoint(server: &Server) -> Endpoint {
    Endpoint { host: "127.0.0.1".to_owned(), port: server.address.port() }
}

#[tokio::test]
async fn a_certificate_is_shown_before_it_is_trusted() {
    let server = Server::start(|_| Say::Close);
    let seen = probe(&endpoint(&server), &Trust::System, PATIENCE).await;
    assert!(seen.addresses.iter().any(|address| address.is_loopback()) && seen.connected == Some(server.address));
    let shown = seen.certificate.expect("it has one");
    assert_eq!(shown.fingerprint(), server.fingerprint());
    assert!(shown.names.contains(&"localhost".to_owned()) && shown.names.contains(&"127.0.0.1".to_owned()));
    assert!(shown.subject.contains("CN="), "{}", shown.subject);
    assert!(shown.not_before < shown.not_after && shown.system.is_err());
    // A system without roots says that instead.
    let step = seen.failed.expect("nobody knows it").step;
    assert!(matches!(step, Step::Trust | Step::Setup), "{step:?}");
    let pinned = probe(&endpoint(&server), &Trust::Fingerprints(vec![[7; 32], shown.sha256]), PATIENCE).await;
    assert_eq!(pinned.failed, None);
    let other = probe(&endpoint(&server), &Trust::Fingerprints(vec![[7; 32]]), PATIENCE).await;
    assert_eq!(other.failed.map(|failed| failed.step), Some(Step::Trust));
    assert_eq!(other.certificate.map(|shown| shown.sha256), Some(shown.sha256));
    assert!(server.seen().is_empty(), "nothing is said");
}

#[tokio::test]
async fn each_step_that_fails_is_named() {
    let step = async |endpoint: Endpoint, patience| {
        let seen = probe(&endpoint, &Trust::Anything, patience).await;
        seen.failed.map(|failed| (failed.step, failed.detail))
    };
    let nowhere = Endpoint { host: "no-such-host.invalid".to_owned(), port: 8006 };
    assert_eq!(step(nowhere, PATIENCE).await.map(|failed| failed.0), Some(Step::Resolve));
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let (at, detail) = step(Endpoint { host: "127.0.0.1".to_owned(), port }, PATIENCE).await.expect("closed");
    assert!(at == Step::Connect && detail.contains(&format!("127.0.0.1:{port}")), "{detail}");
    let plain = Server::greeting("127.0.0.1:0", |_| Greet::Plain, |_| Say::Close).expect("loopback");
    assert_eq!(step(endpoint(&plain), PATIENCE).await.map(|failed| failed.0), Some(Step::Handshake));
    let silent = Server::greeting("127.0.0.1:0", |_| Greet::Silence, |_| Say::Close).expect("loopback");
    let (at, detail) = step(endpoint(&silent), Duration::from_millis(50)).await.expect("silent");
    assert!(at == Step::Handshake && detail.contains("50 ms"), "{detail}");
}
