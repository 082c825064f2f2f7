//! Several addresses of one cluster, some of which do not answer.

use super::*;
use calls::{call, fails, has, ok};
use proxmox_mcp::engine::{FailureKind, Intent, Watch};
use proxmox_sandbox::{Rule, Verbs};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A cluster at two addresses, each with a certificate of its own.
async fn two() -> Sandbox {
    let sandbox = sandbox().await;
    sandbox.also_at(ANY, None).await.expect("loopback");
    sandbox
}

async fn tell(sandbox: &Sandbox, trouble: &str) {
    sandbox.apply(trouble.parse().expect("a trouble")).expect("it fits");
    sandbox.settled().await;
}

/// At which endpoint each request arrived, from 1.
fn places(sandbox: &Sandbox, verb: &str) -> Vec<u16> {
    let endpoints = sandbox.endpoints();
    let number = |at: SocketAddr| endpoints.iter().find(|one| one.address() == at).map_or(0, |one| one.number());
    sandbox.requests().iter().filter(|seen| seen.verb == verb).map(|seen| number(seen.at)).collect()
}

#[tokio::test]
async fn the_first_that_answers_is_used_and_kept() {
    let sandbox = two().await;
    let engine = with_token(&sandbox);
    ok(&engine, "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "GET"), [1]);
    tell(&sandbox, "endpoint-closed=1").await;
    sandbox.forget_requests();
    ok(&engine, "get_version", json!({})).await;
    ok(&engine, "start_guest", json!({"vmid": 102})).await;
    assert!(places(&sandbox, "GET").iter().all(|place| *place == 2));
    assert_eq!(places(&sandbox, "POST"), [2]);
    // Back again, it is not turned to while the other one answers.
    tell(&sandbox, "endpoint-open=1").await;
    sandbox.forget_requests();
    ok(&engine, "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "GET"), [2]);
    tell(&sandbox, "endpoint-closed=2").await;
    sandbox.forget_requests();
    ok(&engine, "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "GET"), [1], "a dead one is tried when no other is left");
}

#[tokio::test]
async fn a_write_goes_to_the_next_only_if_nothing_of_it_left() {
    let sandbox = two().await;
    tell(&sandbox, "endpoint-closed=1").await;
    let engine = with_token(&sandbox);
    ok(&engine, "create_snapshot", json!({"vmid": 102, "snapname": "before"})).await;
    assert_eq!(places(&sandbox, "POST"), [2]);
    for fault in ["close-before", "close-after"] {
        let sandbox = two().await;
        let engine = with_token(&sandbox);
        sandbox.add_fault(at_the_first(fault, Verbs::Writes));
        let answer = call(&engine, "create_snapshot", json!({"vmid": 102, "snapname": "before"})).await;
        let answer = answer.expect("an outcome");
        assert_eq!(answer.content["outcome"], "unknown", "{fault}: {:?}", answer.content);
        assert_eq!(places(&sandbox, "POST"), [1], "{fault}");
        has(answer.text.as_deref().unwrap_or_default(), &[&sandbox.endpoints()[0].address().to_string()]);
    }
}

fn at_the_first(fault: &str, verbs: Verbs) -> Rule {
    let fault = fault.parse().expect("a fault");
    Rule { fault, verbs, path: "**".to_owned(), skip: 0, times: None, endpoint: Some(1) }
}

#[tokio::test]
async fn a_read_that_broke_off_is_repeated_at_the_next() {
    let sandbox = two().await;
    sandbox.add_fault(at_the_first("close-before", Verbs::Any));
    ok(&with_token(&sandbox), "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "GET"), [1, 2]);
}

#[tokio::test]
async fn when_all_are_dead_each_is_told_with_its_cause() {
    let sandbox = two().await;
    let addresses: Vec<String> = sandbox.endpoints().iter().map(|one| one.address().to_string()).collect();
    let shown = hex(&sandbox.endpoints()[1].certificate_fingerprint());
    let (name, secret) = sandbox.token().split_once('=').expect("whole");
    let first = hex(&sandbox.certificate_fingerprint());
    let flags = Flags { token_name: Some(name.to_owned()), fingerprint: Some(first.clone()), ..flags(&sandbox) };
    let engine = engine(&flags, &[("PROXMOX_TOKEN_VALUE", secret)]);
    tell(&sandbox, "endpoint-closed=1").await;
    for (tool, arguments) in [("get_version", json!({})), ("create_vm", json!({"node": "pve1", "vmid": 4711}))] {
        let (kind, text) = fails(&engine, tool, arguments).await;
        assert_eq!(kind, FailureKind::Tls);
        has(&text, &[&addresses[0], &addresses[1], "refused", &shown, &first, "pvenode cert info"]);
    }
    assert!(sandbox.requests().is_empty(), "nothing is said to somebody else");
    tell(&sandbox, "endpoint-closed=2").await;
    let (kind, _) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Connection);
}

#[tokio::test]
async fn an_endpoint_with_another_certificate_is_passed_by() {
    let sandbox = two().await;
    let (name, secret) = sandbox.token().split_once('=').expect("whole");
    let second = hex(&sandbox.endpoints()[1].certificate_fingerprint());
    let flags = Flags { token_name: Some(name.to_owned()), fingerprint: Some(second), ..flags(&sandbox) };
    ok(&engine(&flags, &[("PROXMOX_TOKEN_VALUE", secret)]), "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "GET"), [2]);
}

#[tokio::test]
async fn a_ticket_holds_at_every_endpoint() {
    let sandbox = two().await;
    let engine = with_password(&sandbox, USER);
    ok(&engine, "get_version", json!({})).await;
    tell(&sandbox, "endpoint-closed=1").await;
    ok(&engine, "start_guest", json!({"vmid": 102})).await;
    assert_eq!(logins(&sandbox), 1);
    assert_eq!(places(&sandbox, "POST"), [1, 2]);
}

#[tokio::test]
async fn a_login_finds_the_endpoint_that_answers() {
    let sandbox = two().await;
    tell(&sandbox, "endpoint-closed=1").await;
    ok(&with_password(&sandbox, USER), "get_version", json!({})).await;
    assert_eq!(places(&sandbox, "POST"), [2]);
}

#[tokio::test]
async fn a_plan_names_the_endpoint_in_use() {
    let sandbox = two().await;
    let engine = with_token(&sandbox);
    tell(&sandbox, "endpoint-closed=1").await;
    let surface = proxmox_mcp::catalogue::surface("start_guest").expect("there is one");
    let arguments = json!({"vmid": 102});
    let shown = engine.call_to(Intent::Plan, surface, arguments.as_object(), Watch::default()).await.expect("a plan");
    let text = format!("{:?} {:?}", shown.content, shown.text);
    has(&text, &[&format!("https://{}/api2/json", sandbox.endpoints()[1].address())]);
}
