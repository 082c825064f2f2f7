//! Calls of the API on the embedded cluster.

use crate::calls::{call, fails, has, ok};
use proxmox_mcp::engine::{Engine, FailureKind};
use proxmox_mcp::settings::{Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

async fn start(tier: Tier) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let settings =
        Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
            .expect("complete settings");
    (sandbox, Engine::new(Settings { tier, retry_delay: Duration::ZERO, ..settings }))
}

fn api(method: &str, path: &str, params: Value) -> Value {
    json!({"method": method, "path": path, "params": params})
}

#[tokio::test]
async fn a_read_answers_with_data() {
    let (_sandbox, engine) = start(Tier::Read).await;
    let status = ok(&engine, "call_api", api("GET", "/nodes/pve1/qemu/100/status/current", json!({}))).await;
    assert_eq!(status["data"]["status"], "running");
    let rows = json!({
        "method": "GET", "path": "/cluster/resources", "params": {"type": "vm"}, "limit": 2, "offset": 1,
        "fields": ["vmid", "name"]
    });
    let page = ok(&engine, "call_api", rows).await;
    let data = page["data"].as_array().expect("rows");
    assert_eq!(data.len(), 2);
    assert_eq!((&page["offset"], &page["next_offset"]), (&json!(1), &json!(3)));
    assert!(data.iter().all(|row| row.as_object().is_some_and(|row| row.len() == 2)), "{page}");
    let id = ok(&engine, "call_api", api("GET", "/cluster/nextid", json!({}))).await;
    assert!(id["data"].is_string(), "{id}");
}

#[tokio::test]
async fn a_change_is_waited_for() {
    let (_sandbox, engine) = start(Tier::Operate).await;
    let made =
        ok(&engine, "call_api", api("POST", "/nodes/pve1/qemu/100/snapshot", json!({"snapname": "before"}))).await;
    assert_eq!((&made["outcome"], &made["node"]), (&json!("ok"), &json!("pve1")));
    assert!(made["upid"].is_string(), "{made}");
    let (_sandbox, engine) = start(Tier::Configure).await;
    let set = ok(&engine, "call_api", api("PUT", "/nodes/pve1/lxc/200/config", json!({"memory": 1024}))).await;
    assert_eq!(set["outcome"], "ok");
}

#[tokio::test]
async fn nothing_leaves_above_the_tier() {
    let (sandbox, engine) = start(Tier::Read).await;
    for (method, path) in [
        ("POST", "/nodes/pve1/qemu/100/status/start"),
        ("DELETE", "/nodes/pve1/qemu/100"),
        ("GET", "/access/tfa"),
        ("GET", "/access/users/root@pam"),
    ] {
        let (kind, text) = fails(&engine, "call_api", api(method, path, json!({}))).await;
        assert_eq!(kind, FailureKind::Refused, "{text}");
        has(&text, &["PROXMOX_TIER", "Nothing was sent."]);
    }
    assert!(sandbox.requests().is_empty());
    let (sandbox, engine) = start(Tier::Configure).await;
    let parameters = api("PUT", "/nodes/pve1/qemu/100/config", json!({"delete": "scsi0"}));
    let (kind, text) = fails(&engine, "call_api", parameters).await;
    assert_eq!(kind, FailureKind::Refused, "{text}");
    // A backup without a word about `remove` deletes older ones.
    let backup = json!({"vmid": 100, "storage": "backup-nas"});
    let (kind, text) = fails(&engine, "call_api", api("POST", "/nodes/pve1/vzdump", backup)).await;
    assert_eq!(kind, FailureKind::Refused, "{text}");
    has(&text, &["`remove`"]);
    assert!(sandbox.requests().iter().all(|request| request.verb == "GET"));
}

#[tokio::test]
async fn it_can_be_planned() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let arguments = api("PUT", "/nodes/pve1/lxc/200/config", json!({"memory": 1024}));
    let plan = ok(&engine, "plan_call", json!({"tool": "call_api", "arguments": arguments})).await;
    assert_eq!(plan["request"]["method"], "PUT");
    assert_eq!((&plan["tier"], &plan["effect"]), (&json!("configure"), &json!("changes")));
    assert!(sandbox.requests().iter().all(|request| request.verb == "GET"));
}

#[tokio::test]
async fn an_answer_without_data_is_no_error() {
    let (_sandbox, engine) = start(Tier::Admin).await;
    let answer = call(&engine, "call_api", api("GET", "/access/ticket", json!({}))).await;
    assert!(answer.is_ok_and(|answer| !answer.failed));
}
