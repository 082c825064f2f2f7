//! Look-ups: how long a listing of guests is believed, and what is still looked up after the caller went away.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

const MISSING: &str = "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist";
const LISTING: &str = "GET /cluster/resources";

fn row(vmid: u32, node: &str, name: &str) -> Value {
    json!({"vmid": vmid, "type": "qemu", "node": node, "name": name, "status": "running"})
}

/// A cluster that is listed like this at first and like that from then on.
fn changing(first: Value, then: Value) -> Server {
    let listings = AtomicUsize::new(0);
    Server::start(move |seen| match seen.path() {
        "/cluster/resources" if listings.fetch_add(1, Ordering::SeqCst) == 0 => Say::Data(first.clone()),
        "/cluster/resources" => Say::Data(then.clone()),
        _ => usual(seen),
    })
}

#[tokio::test]
async fn a_listing_that_was_kept_denies_nothing() {
    let first = json!([row(100, "pve1", "web"), row(101, "pve1", "twin"), row(102, "pve2", "twin")]);
    let then = json!([row(100, "pve2", "web"), row(101, "pve1", "twin"), row(300, "pve1", "new")]);
    for (arguments, path) in [
        (json!({"vmid": 300}), "/nodes/pve1/qemu/300/status/current"),
        (json!({"vmid": "new"}), "/nodes/pve1/qemu/300/status/current"),
        (json!({"vmid": 100, "node": "pve2"}), "/nodes/pve2/qemu/100/status/current"),
        (json!({"vmid": "twin"}), "/nodes/pve1/qemu/101/status/current"),
    ] {
        let server = changing(first.clone(), then.clone());
        let engine = engine(&server);
        ok(&engine, "get_guest_status", json!({"vmid": 101})).await;
        ok(&engine, "get_guest_status", arguments.clone()).await;
        assert_eq!(server.count(&format!("GET {path}")), if path.contains("101") { 2 } else { 1 }, "{arguments}");
        assert_eq!(server.count(LISTING), 2, "{arguments}");
        // What was asked for right now is believed.
        server.forget();
        fails(&engine, "get_guest_status", json!({"vmid": 999})).await;
        assert_eq!(server.count(LISTING), 1);
    }
    let server = changing(first, then);
    fails(&engine(&server), "get_guest_status", json!({"vmid": 300})).await;
    assert_eq!(server.count(LISTING), 1, "nothing was kept, so it was asked once");
}

#[tokio::test]
async fn a_listing_that_was_begun_before_a_write_is_not_kept() {
    let listings = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" if listings.fetch_add(1, Ordering::SeqCst) == 0 => Say::Later(Box::new(usual(seen))),
        _ => usual(seen),
    });
    let engine = engine(&server);
    let read = ok(&engine, "get_guest_status", json!({"vmid": 100}));
    let write = async {
        while server.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        ok(&engine, "start_guest", json!({"vmid": 100})).await;
        server.release();
    };
    tokio::join!(read, write);
    server.forget();
    ok(&engine, "get_guest_status", json!({"vmid": 100})).await;
    assert_eq!(server.count(LISTING), 1, "{:?}", server.lines());
}

/// A write that is answered like this after its caller went away, when the guest has moved.
async fn abandoned(say: fn() -> Say, arguments: Value) -> Result<Answer, Failure> {
    let listings = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" if listings.fetch_add(1, Ordering::SeqCst) > 0 => {
            Say::Data(json!([row(100, "pve2", "web")]))
        }
        _ if seen.writes() => Say::Later(Box::new(say())),
        _ => usual(seen),
    });
    let engine = engine(&server);
    let cancelled = CancellationToken::new();
    let watch = Watch { cancelled: cancelled.clone(), ..Watch::default() };
    let leave = async {
        while server.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        cancelled.cancel();
        server.release();
    };
    tokio::join!(watched(&engine, "start_guest", arguments, watch), leave).0
}

#[tokio::test]
async fn what_became_of_a_write_is_looked_up_after_it_was_cancelled() {
    let answer = abandoned(|| Say::Close, json!({"vmid": 100})).await.expect("it was sent");
    assert_eq!(answer.content["outcome"], "unknown");
    has(&answer.text.unwrap_or_default(), &["No task for 100 began on the node `pve1` since it was sent"]);

    let offline = || Say::bare("595 No route to host");
    let failure = abandoned(offline, json!({"vmid": 100})).await.expect_err("rejected");
    has(&failure.to_string(), &["The node `pve1` is online"]);

    let moved = || Say::refuse("500 x", MISSING, json!({}));
    let failure = abandoned(moved, json!({"vmid": 100, "node": "pve1"})).await.expect_err("rejected");
    has(&failure.to_string(), &["It is elsewhere: 100 (web, virtual machine, running on pve2)"]);
}

#[tokio::test]
async fn a_listing_that_cannot_be_read_denies_nothing() {
    let listings = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" if listings.fetch_add(1, Ordering::SeqCst) > 0 => Say::bare("503 Not now"),
        _ if seen.writes() => Say::refuse("500 x", MISSING, json!({})),
        _ => usual(seen),
    });
    let (_, text) = fails(&engine(&server), "start_guest", json!({"vmid": 100, "node": "pve1"})).await;
    has(&text, &["There is no such guest on that node"]);
    assert!(!text.contains("in the cluster"), "{text}");
}
