//! Writes that are made once more, and those that never are.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const MISSING: &str = "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist";

/// A cluster whose listing says pve1 at first and `then` later, and where the guest is on none of `empty`.
fn moving(then: &'static str, empty: &'static [&'static str]) -> Server {
    let listings = AtomicUsize::new(0);
    Server::start(move |seen| {
        if seen.path() == "/cluster/resources" {
            let node = if listings.fetch_add(1, Ordering::SeqCst) == 0 { "pve1" } else { then };
            return Say::Data(json!([{"vmid": 100, "type": "qemu", "node": node, "name": "web", "status": "stopped"}]));
        }
        let gone = empty.iter().any(|node| seen.path().starts_with(&format!("/nodes/{node}/qemu/")));
        if gone { Say::refuse("500 x", MISSING, json!({})) } else { usual(seen) }
    })
}

const ON: [&str; 2] = ["POST /nodes/pve1/qemu/100/status/start", "POST /nodes/pve2/qemu/100/status/start"];

#[tokio::test]
async fn a_guest_that_moved_is_followed_once() {
    let server = moving("pve2", &["pve1"]);
    ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!(server.writes(), ON);
    let server = moving("pve2", &["pve1", "pve2"]);
    let (kind, _) = fails(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!((kind, server.writes()), (FailureKind::NotFound, ON.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn a_guest_that_did_not_move_is_not_asked_for_twice() {
    let server = moving("pve1", &["pve1"]);
    fails(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!(server.writes(), ON[..1]);
    // Who says the node means that node.
    let server = moving("pve2", &["pve1"]);
    fails(&engine(&server), "start_guest", json!({"vmid": 100, "node": "pve1"})).await;
    assert_eq!(server.writes(), ON[..1]);
}

#[tokio::test]
async fn a_taken_id_is_exchanged_once_and_only_if_the_cluster_chose_it() {
    let next = AtomicUsize::new(104);
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/nextid" => Say::Data(json!((next.fetch_add(1, Ordering::SeqCst) + 1).to_string())),
        "/nodes/pve1/qemu" => {
            let id = seen.body.split('&').find_map(|pair| pair.strip_prefix("vmid=")).unwrap_or_default().to_owned();
            let says = format!("unable to create VM {id} - VM {id} already exists on node 'pve1'");
            Say::refuse("500 x", &says, json!({}))
        }
        _ => usual(seen),
    });
    let engine = engine(&server);
    fails(&engine, "create_vm", json!({"node": "pve1"})).await;
    let ids = |server: &Server| -> Vec<String> {
        let bodies = server.seen().into_iter().filter(Seen::writes).map(|seen| seen.body);
        bodies.filter_map(|body| body.split('&').find(|pair| pair.starts_with("vmid=")).map(str::to_owned)).collect()
    };
    assert_eq!(ids(&server), ["vmid=105", "vmid=106"]);
    server.forget();
    fails(&engine, "create_vm", json!({"node": "pve1", "vmid": 300})).await;
    assert_eq!(ids(&server), ["vmid=300"]);
}

#[tokio::test]
async fn the_result_of_a_command_is_read_once() {
    for say in [|| Say::Close, || Say::bare("596 Connection timed out"), || Say::Raw("HTTP/1.1 200 OK\r\n".to_owned())]
    {
        let server = Server::start(move |seen| match seen.path() {
            "/nodes/pve1/qemu/100/agent/exec" => Say::Data(json!({"pid": 7})),
            "/nodes/pve1/qemu/100/agent/exec-status" => say(),
            _ => usual(seen),
        });
        let engine = engine(&server);
        let text = unknown(&engine, "exec_guest", json!({"vmid": 100, "command": ["true"]})).await;
        has(&text, &["only once"]);
        assert_eq!(server.count("GET /nodes/pve1/qemu/100/agent/exec-status"), 1);
        assert_eq!(server.writes().len(), 1);
        server.forget();
        let _ = call(&engine, "get_exec_result", json!({"vmid": 100, "pid": 7})).await;
        assert_eq!(server.count("GET /nodes/pve1/qemu/100/agent/exec-status"), 1);
    }
}

#[tokio::test]
async fn a_rejected_guard_changes_nothing() {
    let server = Server::start(|seen| match seen.path() {
        path if path.contains("/firewall/rules/") && !seen.writes() => Say::Data(json!({"pos": 0, "action": "DROP"})),
        _ => usual(seen),
    });
    let engine = engine(&server);
    let arguments = json!({"vmid": 100, "pos": 0, "expect": {"action": "ACCEPT"}});
    let (kind, text) = fails(&engine, "delete_firewall_rule", arguments).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["`action` is `DROP`, not `ACCEPT`"]);
    assert_eq!(server.writes(), Vec::<String>::new());
    // A server without digests: done, and said.
    let answer = ok(&engine, "delete_firewall_rule", json!({"vmid": 100, "pos": 0})).await;
    assert!(answer["notes"].to_string().contains("no digest"), "{answer}");
}
