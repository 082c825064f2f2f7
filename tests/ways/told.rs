//! Nothing that proves who we are stands in any text, whatever a server repeats.

use super::*;
use calls::{call, fails, has};
use proxmox_mcp::engine::FailureKind;
use serde_json::{Value, json};
use server::{Say, Seen, Server};

const TICKET: &str = "PVE:root@pam:6B011FBD::c2VjcmV0+/dGlja2V0==";
const NEW: &str = "PVE:root@pam:6B012000::YW5vdGhlciBvbmU+/w==";
const CSRF: &str = "6B011FBD:Y3NyZiB0b2tlbg";

fn login(seen: &Seen) -> Option<Say> {
    if seen.path() != "/access/ticket" {
        return None;
    }
    let ticket = if seen.body.contains("PVE%3A") { NEW } else { TICKET };
    Some(Say::Data(json!({"ticket": ticket, "CSRFPreventionToken": CSRF, "username": "root@pam"})))
}

fn at(server: &Server) -> Flags {
    Flags {
        host: Some(server.address.to_string()),
        user: Some("root@pam".to_owned()),
        fingerprint: Some(server.fingerprint()),
        tier: Some("admin".to_owned()),
        retry_delay: Some("0".to_owned()),
        confirm: Some("off".to_owned()),
        ..Flags::default()
    }
}

fn clean(text: &str) {
    for part in [TICKET, NEW, CSRF, PASSWORD, "c2VjcmV0", "YW5vdGhlciBvbmU", "Y3NyZiB0b2tlbg"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_ticket_is_not_repeated() {
    let server = Server::start(|seen| {
        login(seen).unwrap_or_else(|| {
            let sent = [seen.header("cookie"), seen.header("csrfpreventiontoken")].concat().join(" ");
            match seen.verb.as_str() {
                "GET" => Say::Data(json!({"version": sent, "release": TICKET, "repoid": CSRF})),
                _ => Say::refuse("500 no", &format!("no {sent} {CSRF} {TICKET} {PASSWORD}"), Value::Null),
            }
        })
    });
    let (clock, ahead) = turned();
    let engine = clocked(&at(&server), &[("PROXMOX_PASSWORD", PASSWORD)], clock);
    for _ in 0..2 {
        let answer = call(&engine, "get_version", json!({})).await.expect("an answer");
        clean(&format!("{:?} {:?}", answer.content, answer.text));
        let (_, text) = fails(&engine, "create_vm", json!({"node": "pve1", "vmid": 105})).await;
        clean(&text);
        // Then with the ticket that took the place of the first.
        ahead.fetch_add(95 * 60, Ordering::SeqCst);
    }
    assert_eq!(server.count("POST /access/ticket"), 2);
    clean(&format!("{engine:?}"));
}

#[tokio::test]
async fn a_login_that_is_not_answered_leaves_a_write_unsent() {
    for say in [|| Say::Close, || Say::bare("502 Bad Gateway"), || Say::Raw(format!("HTTP/1.1 200 OK\r\n\r\n{TICKET}"))]
    {
        let server = Server::start(move |_| say());
        let engine = engine(&at(&server), &[("PROXMOX_PASSWORD", PASSWORD)]);
        let (kind, text) = fails(&engine, "create_vm", json!({"node": "pve1", "vmid": 105})).await;
        assert_eq!(kind, FailureKind::Unauthenticated, "{text}");
        has(&text, &["login", "Nothing was changed"]);
        clean(&text);
        assert!(server.lines().iter().all(|line| line == "POST /access/ticket"), "{:?}", server.lines());
    }
}

#[tokio::test]
async fn a_ticket_that_is_never_taken_is_not_tried_for_ever() {
    let server = Server::start(|seen| login(seen).unwrap_or_else(|| Say::bare("401 No ticket")));
    let engine = engine(&at(&server), &[("PROXMOX_PASSWORD", PASSWORD)]);
    let (kind, text) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Unauthenticated);
    clean(&text);
    assert_eq!(server.lines().len(), 4, "{:?}", server.lines());
}

#[tokio::test]
async fn a_method_that_refuses_something_else_by_401_is_called_once() {
    let refusal = || Say::refuse("401 authentication failure", "authentication failure", Value::Null);
    let server = Server::start(move |seen| login(seen).unwrap_or_else(refusal));
    let engine = engine(&at(&server), &[("PROXMOX_PASSWORD", PASSWORD)]);
    fails(&engine, "get_version", json!({})).await;
    assert_eq!(server.lines(), ["POST /access/ticket", "GET /version"]);
}

#[tokio::test]
async fn a_write_whose_ticket_is_refused_is_made_once_more_with_a_new_one() {
    let refused = AtomicU64::new(0);
    let server = Server::start(move |seen| {
        login(seen).unwrap_or_else(|| match seen.verb.as_str() {
            "GET" => Say::Data(json!({"status": "stopped", "exitstatus": "OK"})),
            _ if refused.fetch_add(1, Ordering::SeqCst) == 0 => Say::bare("401 Permission denied - invalid csrf token"),
            _ => Say::Data(json!("UPID:pve1:000003E8:00001B58:6B011FBD:qmcreate:105:root@pam:")),
        })
    });
    let engine = engine(&at(&server), &[("PROXMOX_PASSWORD", PASSWORD)]);
    let answer = call(&engine, "create_vm", json!({"node": "pve1", "vmid": 105})).await.expect("made");
    assert_eq!(answer.content["outcome"], "ok", "{:?}", answer.content);
    let create = "POST /nodes/pve1/qemu";
    assert_eq!(server.writes(), ["POST /access/ticket", create, "POST /access/ticket", create]);
    let writes = server.seen().into_iter().filter(|seen| seen.writes() && seen.path() != "/access/ticket");
    assert!(
        writes.into_iter().all(|seen| seen.header("csrfpreventiontoken") == [CSRF] && seen.header("cookie").len() == 1)
    );
}
