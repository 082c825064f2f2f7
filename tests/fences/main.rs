//! What lies outside of the fences is not changed, whichever way is tried: the engine against the embedded cluster.
//!
//! Every refusal is shown by what the cluster received: nothing but GET.

#![cfg(feature = "sandbox")]

mod around;
#[path = "../common/engine.rs"]
mod calls;
mod deny;
mod ids;
mod protection;

use calls::{call, fails, has, ok};
use proxmox_mcp::engine::{Engine, FailureKind};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

/// An engine that may do everything, but for what these flags say.
async fn fenced(set: impl FnOnce(&mut Flags)) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let mut flags = Flags::default();
    set(&mut flags);
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags)
        .expect("complete settings");
    let settings = Settings { tier: Tier::Admin, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings };
    (sandbox, Engine::new(settings))
}

fn list(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// `VERB /path` of everything that was sent beside GET.
fn writes(sandbox: &Sandbox) -> Vec<String> {
    let sent = sandbox.requests().into_iter().filter(|request| request.verb != "GET");
    sent.map(|request| {
        let target = request.target.strip_prefix("/api2/json").unwrap_or(&request.target);
        format!("{} {}", request.verb, target.split('?').next().unwrap_or_default())
    })
    .collect()
}

/// The call is refused by a fence, its text has these parts, and nothing but GET was sent.
async fn refused(fenced: &(Sandbox, Engine), tool: &str, arguments: Value, parts: &[&str]) {
    let before = writes(&fenced.0).len();
    let shown = arguments.to_string();
    let (kind, text) = fails(&fenced.1, tool, arguments).await;
    assert_eq!(kind, FailureKind::Fenced, "{tool} {shown}: {text}");
    has(&text, parts);
    assert!(text.to_lowercase().contains("nothing was sent"), "{text}");
    assert_eq!(writes(&fenced.0).len(), before, "{tool} {shown}: {:?}", writes(&fenced.0));
}

/// The call goes through and changes something.
async fn allowed(fenced: &(Sandbox, Engine), tool: &str, arguments: Value) -> Value {
    let before = writes(&fenced.0).len();
    let answer = ok(&fenced.1, tool, arguments).await;
    assert_eq!(writes(&fenced.0).len(), before + 1, "{:?}", writes(&fenced.0));
    answer
}

/// The arguments of the generic call.
fn api(method: &str, path: &str, params: Value) -> Value {
    json!({ "method": method, "path": path, "params": params })
}

#[tokio::test]
async fn without_fences_nothing_is_refused_or_looked_at() {
    let fenced = fenced(|_| {}).await;
    assert!(fenced.1.settings().fences.is_empty());
    allowed(&fenced, "start_guest", json!({ "vmid": 102 })).await;
    let looked = fenced.0.requests().into_iter().filter(|request| request.target.contains("/config")).count();
    assert_eq!(looked, 0);
}

#[tokio::test]
async fn ids_pools_tags_nodes_and_storages_hold_for_every_guest() {
    let by_id = fenced(|flags| flags.fences.allow_guests = list(&["100-109"])).await;
    refused(
        &by_id,
        "stop_guest",
        json!({ "vmid": 200 }),
        &["guest 200", "--allow-guests", "PROXMOX_ALLOW_GUESTS", "100-109"],
    )
    .await;
    allowed(&by_id, "stop_guest", json!({ "vmid": 100 })).await;
    let denied = fenced(|flags| flags.fences.deny_guests = list(&["100", "200-299"])).await;
    refused(&denied, "stop_guest", json!({ "vmid": 100 }), &["--deny-guests", "100,200-299"]).await;
    refused(&denied, "start_guest", json!({ "vmid": 202 }), &["guest 202"]).await;
    allowed(&denied, "start_guest", json!({ "vmid": 102 })).await;
    let pool = fenced(|flags| flags.fences.allow_pools = list(&["lab"])).await;
    refused(&pool, "stop_guest", json!({ "vmid": 100 }), &["in the pool production", "--allow-pools"]).await;
    refused(&pool, "start_guest", json!({ "vmid": 102 }), &["in no pool"]).await;
    allowed(&pool, "start_guest", json!({ "vmid": 110 })).await;
    let tag = fenced(|flags| flags.fences.deny_tags = list(&["Prod"])).await;
    refused(&tag, "stop_guest", json!({ "vmid": 101 }), &["with the tags db,prod", "--deny-tags", "`prod`"]).await;
    allowed(&tag, "stop_guest", json!({ "vmid": 200 })).await;
    let node = fenced(|flags| flags.fences.deny_nodes = list(&["pve2"])).await;
    refused(&node, "start_guest", json!({ "vmid": 110 }), &["--deny-nodes", "pve2"]).await;
    refused(&node, "migrate_guest", json!({ "vmid": 102, "target": "pve2" }), &["the node pve2"]).await;
    allowed(&node, "start_guest", json!({ "vmid": 102 })).await;
    let storage = fenced(|flags| flags.fences.allow_storages = list(&["local-lvm"])).await;
    refused(&storage, "create_backup", json!({ "vmid": 102, "storage": "backup-nas" }), &["the storage backup-nas"])
        .await;
    refused(&storage, "delete_guest", json!({ "vmid": 101 }), &["the storage backup-nas"]).await;
}

#[tokio::test]
async fn a_plan_meets_the_same_fences_as_the_call() {
    let fenced = fenced(|flags| flags.fences.allow_guests = list(&["100"])).await;
    let plan = |vmid: u32| json!({ "tool": "stop_guest", "arguments": { "vmid": vmid } });
    let shown = ok(&fenced.1, "plan_call", plan(100)).await;
    let guest = &shown["affects"]["guests"][0];
    assert_eq!(
        (&guest["vmid"], &guest["status"], &guest["pool"]),
        (&json!(100), &json!("running"), &json!("production"))
    );
    assert_eq!(guest["tags"], json!(["prod", "web"]));
    refused(&fenced, "plan_call", plan(101), &["guest 101"]).await;
    assert!(writes(&fenced.0).is_empty());
}

#[tokio::test]
async fn reading_is_never_fenced() {
    let fenced = fenced(|flags| {
        flags.fences.allow_guests = list(&["999"]);
        flags.fences.allow_nodes = list(&["elsewhere"]);
        flags.fences.allow_tools = list(&["start_guest"]);
    })
    .await;
    ok(&fenced.1, "list_guests", json!({})).await;
    ok(&fenced.1, "get_guest_config", json!({ "vmid": 100 })).await;
    ok(&fenced.1, "call_api", api("GET", "/nodes/pve1/qemu/100/config", json!({}))).await;
    assert!(call(&fenced.1, "stop_guest", json!({ "vmid": 100 })).await.is_err());
}
