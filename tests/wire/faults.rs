//! Connections that break, hang or never come about, and how often a request is sent then.

use super::*;
use proxmox_mcp::tool::Tier;
use server::Greet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// Requests in flight at the same time.
const LIMIT: usize = 32;

const START: &str = "POST /nodes/pve1/qemu/100/status/start";

/// Answers like this to whatever changes something, and as usual to the rest.
fn to_writes(say: impl Fn() -> Say + Send + Sync + 'static) -> Server {
    Server::start(move |seen| if seen.writes() { say() } else { usual(seen) })
}

fn impatient(server: &Server) -> Engine {
    Engine::new(settings(&Flags { timeout: Some("400".to_owned()), ..flags(server) }))
}

#[tokio::test]
async fn a_read_is_repeated_after_what_passes_and_nothing_else() {
    let whole: fn(&'static str) -> Say = |status| Say::refuse(status, "no", json!({}));
    let cases: Vec<(&'static str, usize)> = vec![
        ("595 No route to host", 3),
        ("596 Connection timed out", 3),
        ("597 body", 3),
        ("598 aborted", 3),
        ("599 other", 3),
        ("400 Bad", 1),
        ("401 No ticket", 1),
        ("403 Forbidden", 1),
        ("404 Not Found", 1),
        ("408 Request Timeout", 1),
        ("429 Too Many Requests", 1),
        ("500 Internal Server Error", 1),
        ("501 Not Implemented", 1),
        ("502 Bad Gateway", 1),
        ("503 Service Unavailable", 1),
    ];
    for (status, tries) in cases {
        let server = Server::start(move |_| whole(status));
        fails(&engine(&server), "get_version", json!({})).await;
        assert_eq!(server.count("GET /version"), tries, "{status}");
    }
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":";
    for say in [|| Say::Close, || Say::Raw(String::new()), || Say::Raw("HTTP/1.1 20".to_owned())] {
        let server = Server::start(move |_| say());
        let (kind, _) = fails(&engine(&server), "get_version", json!({})).await;
        assert_eq!((kind, server.count("GET /version")), (FailureKind::Connection, 3));
    }
    let server = Server::start(move |_| Say::Raw(cut.to_owned()));
    let (kind, _) = fails(&engine(&server), "get_version", json!({})).await;
    assert_eq!((kind, server.count("GET /version")), (FailureKind::Connection, 3));
}

#[tokio::test]
async fn how_often_is_a_setting() {
    for (attempts, tries) in [("0", 1), ("1", 1), ("5", 5)] {
        let server = Server::start(|_| Say::Close);
        let flags = Flags { retry_attempts: Some(attempts.to_owned()), ..flags(&server) };
        fails(&Engine::new(settings(&flags)), "get_version", json!({})).await;
        assert_eq!(server.count("GET /version"), tries);
    }
}

#[tokio::test]
async fn a_read_that_recovers_is_answered() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |seen| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Say::Close,
        1 => Say::bare("596 Connection timed out"),
        _ => usual(seen),
    });
    ok(&engine(&server), "get_version", json!({})).await;
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_sent_once() {
    let lost: Vec<fn() -> Say> = vec![
        || Say::Close,
        || Say::Raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"da".to_owned()),
        || Say::Status("200 OK", "application/json", "{\"data\":\"UPID:pve1:".to_owned()),
        || Say::Status("200 OK", "text/html", "<html>Welcome</html>".to_owned()),
        || Say::Status("200 OK", "application/json", String::new()),
        || Say::bare("204 No Content"),
        || Say::bare("502 Bad Gateway"),
        || Say::bare("504 Gateway Timeout"),
        || Say::bare("596 Connection timed out"),
        || Say::bare("597 body"),
        || Say::bare("598 aborted"),
        || Say::bare("599 other"),
        || Say::Later(Box::new(Say::Close)),
    ];
    for (number, say) in lost.into_iter().enumerate() {
        let server = to_writes(say);
        let text = unknown(&impatient(&server), "start_guest", json!({"vmid": 100})).await;
        has(&text, &[START, "Do not call it again before you know"]);
        assert_eq!(server.writes(), [START], "case {number}");
        assert!(server.count("GET /nodes/pve1/tasks") == 1, "{:?}", server.lines());
        server.release();
    }
}

#[tokio::test]
async fn a_write_that_was_rejected_is_sent_once_and_plainly_failed() {
    for status in ["400 Bad", "401 No ticket", "403 Forbidden", "500 got timeout", "501 No", "503 No", "595 No route"] {
        let server = to_writes(move || Say::bare(status));
        fails(&engine(&server), "start_guest", json!({"vmid": 100})).await;
        assert_eq!(server.writes(), [START], "{status}");
    }
    let server =
        to_writes(|| Say::Raw("HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned()));
    let (kind, text) = fails(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!(kind, FailureKind::Connection);
    has(&text, &["Nothing was changed"]);
    assert_eq!(server.writes(), [START]);
}

#[tokio::test]
async fn a_write_of_which_no_byte_left_is_sent_again() {
    // The look-up is answered and its connection closed, the next one is turned away, the third one serves.
    let close = |seen: &Seen| match usual(seen) {
        Say::Data(data) if !seen.writes() => {
            let body = json!({"data": data}).to_string();
            Say::Raw(format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
        }
        other => other,
    };
    let greet = |number| if number == 1 { Greet::Drop } else { Greet::Serve };
    let server = Server::greeting("127.0.0.1:0", greet, close).expect("loopback");
    ok(&engine(&server), "start_guest", json!({"vmid": 100, "wait": 0})).await;
    assert_eq!(server.writes(), [START]);
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_no_connection() {
    let server = Server::greeting("127.0.0.1:0", |_| Greet::Silence, usual).expect("loopback");
    let (kind, text) = fails(&impatient(&server), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Connection, "{text}");
    assert_eq!(server.connections(), 3);
    // A write without a look-up: nothing can have happened.
    let (kind, text) = fails(&impatient(&server), "create_vm", json!({"node": "pve1", "vmid": 105})).await;
    assert_eq!(kind, FailureKind::Connection, "{text}");
    has(&text, &["Nothing was changed"]);
}

#[tokio::test]
async fn a_server_that_hangs_is_a_timeout_that_names_the_setting() {
    let server = Server::start(|_| Say::Later(Box::new(Say::Close)));
    let (kind, text) = fails(&impatient(&server), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Timeout);
    has(&text, &["400 ms", "GET /version", "PROXMOX_TIMEOUT"]);
    assert_eq!(server.seen().len(), 1);
    server.release();
}

#[tokio::test]
async fn a_name_that_nobody_has_is_said() {
    let server = Server::start(usual);
    let flags = Flags { host: Some("no-such-host.invalid".to_owned()), fingerprint: None, ..flags(&server) };
    let (kind, text) = fails(&Engine::new(settings(&flags)), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Connection);
    has(&text, &["no-such-host.invalid", "PROXMOX_HOST"]);
}

#[tokio::test]
async fn no_more_than_the_limit_is_in_flight_and_all_are_served() {
    let server = Server::start(|seen| Say::Later(Box::new(usual(seen))));
    let engine = engine(&server);
    let calls = futures_util::future::join_all((0..40).map(|_| ok(&engine, "get_version", json!({}))));
    let gate = async {
        while server.waiting() < LIMIT {
            tokio::task::yield_now().await;
        }
        server.release();
    };
    let (answers, ()) = tokio::join!(calls, gate);
    assert_eq!((answers.len(), server.seen().len()), (40, 40));
    assert_eq!(server.most(), LIMIT);
}

#[tokio::test]
async fn more_than_the_limit_is_refused_in_the_end() {
    let server = Server::start(|seen| Say::Later(Box::new(usual(seen))));
    let engine = impatient(&server);
    let calls = (0..=LIMIT).map(|_| fails(&engine, "get_version", json!({})));
    let ends = futures_util::future::join_all(calls).await;
    let busy: Vec<&String> = ends.iter().filter(|(kind, _)| *kind == FailureKind::Busy).map(|(_, text)| text).collect();
    assert!(busy.iter().all(|text| text.contains(&format!("{LIMIT} requests"))), "{busy:?}");
    assert!(ends.iter().filter(|(kind, _)| *kind == FailureKind::Timeout).count() >= LIMIT);
    server.release();
}

#[tokio::test]
async fn a_write_that_waits_for_its_turn_is_not_sent_after_it_was_cancelled() {
    let server = Server::start(|seen| Say::Later(Box::new(usual(seen))));
    let engine = engine(&server);
    let reads = futures_util::future::join_all((0..LIMIT).map(|_| ok(&engine, "get_version", json!({}))));
    let cancelled = CancellationToken::new();
    let watch = Watch { cancelled: cancelled.clone(), ..Watch::default() };
    let write = async {
        while server.waiting() < LIMIT {
            tokio::task::yield_now().await;
        }
        watched(&engine, "create_vm", json!({"node": "pve1", "vmid": 105}), watch).await
    };
    let gate = async {
        while server.waiting() < LIMIT {
            tokio::task::yield_now().await;
        }
        // The write stands in the queue by now: it was polled before this.
        tokio::task::yield_now().await;
        cancelled.cancel();
        tokio::task::yield_now().await;
        server.release();
    };
    let (_, ended, ()) = tokio::join!(reads, write, gate);
    assert_eq!(ended.expect_err("cancelled").kind(), FailureKind::Cancelled);
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn at_the_lowest_tier_nothing_but_reads_leaves() {
    let server = Server::start(usual);
    let engine = Engine::new(settings(&Flags { tier: None, ..flags(&server) }));
    assert_eq!(engine.settings().tier, Tier::Read);
    for surface in catalogue::SURFACES.iter().filter(|surface| surface.tool.tier > Tier::Read) {
        let (kind, text) = fails(&engine, surface.name, json!({"vmid": 100, "node": "pve1"})).await;
        assert_eq!(kind, FailureKind::Refused);
        has(&text, &[surface.name, "PROXMOX_TIER="]);
    }
    assert!(server.seen().is_empty());
}
