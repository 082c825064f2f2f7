//! What stands in the log.

use super::{OrFailed, cluster, engine, kinds, lines, text};
use crate::calls::{call, fails, has, ok};
use proxmox_mcp::audit::verify;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{FailureKind, Watch};
use proxmox_mcp::tool::Tier;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn a_change_has_a_line_before_and_one_after() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let engine = engine(&sandbox, Tier::Operate, &log);
    let surface = catalogue::surface("create_snapshot").expect("a tool");
    let arguments = json!({"vmid": 100, "snapname": "before"});
    let watch = Watch { client: Some("tester 1.0".to_owned()), ..Watch::default() };
    engine.call(surface, arguments.as_object(), watch).await.expect("it is made");
    assert_eq!(kinds(&log), ["start", "intent", "outcome"]);
    let lines = lines(&log);
    assert_eq!((&lines[0]["tier"], &lines[0]["cluster"]), (&json!("operate"), &json!("sandbox")));
    let intent = &lines[1];
    assert_eq!((&intent["client"], &intent["tool"]), (&json!("tester 1.0"), &json!("create_snapshot")));
    assert_eq!(intent["arguments"], arguments);
    assert_eq!(intent["request"]["path"], "/nodes/pve1/qemu/100/snapshot");
    assert_eq!(intent["allowed"], "tier operate");
    let outcome = &lines[2];
    assert_eq!((&outcome["of"], &outcome["outcome"]), (&json!(1), &json!("ok")));
    assert!(outcome["upid"].is_string() && outcome["duration_ms"].is_u64(), "{outcome}");
    let time = intent["time"].as_str().expect("a time");
    assert!(time.len() == "2026-01-01T00:00:00.000Z".len() && time.ends_with('Z'), "{time}");
}

#[tokio::test]
async fn reads_and_plans_write_nothing() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let engine = engine(&sandbox, Tier::Admin, &log);
    ok(&engine, "list_guests", json!({})).await;
    ok(&engine, "plan_call", json!({"tool": "stop_guest", "arguments": {"vmid": 100}})).await;
    assert!(!log.exists(), "{}", text(&log));
    engine.open_audit().expect("it can be opened");
    assert_eq!(kinds(&log), ["start"]);
}

#[tokio::test]
async fn a_rejected_change_and_a_refused_call_are_told() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let operate = engine(&sandbox, Tier::Operate, &log);
    // It runs already.
    assert!(call(&operate, "start_guest", json!({"vmid": 100})).await.is_err_or(|answer| answer.failed));
    let (kind, _) = fails(&operate, "delete_guest", json!({"vmid": 100})).await;
    assert_eq!(kind, FailureKind::Refused);
    let raised = json!({"method": "POST", "path": "/nodes/pve1/vzdump", "params": {"vmid": 100}});
    fails(&operate, "call_api", raised).await;
    assert_eq!(kinds(&log), ["start", "intent", "outcome", "refused", "refused"]);
    let lines = lines(&log);
    assert!(["rejected", "failed"].contains(&lines[2]["outcome"].as_str().unwrap_or_default()), "{}", lines[2]);
    has(lines[3]["why"].as_str().unwrap_or_default(), &["needs the tier `admin`"]);
    assert_eq!(lines[3]["arguments"], json!({"vmid": 100}));
}

#[tokio::test]
async fn no_secret_is_written_down() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let container = json!({
        "node": "pve1", "storage": "local-lvm", "ostemplate": "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
        "password": "marker-one", "hostname": "two"
    });
    let config =
        json!({"method": "PUT", "path": "/nodes/pve1/qemu/100/config", "params": {"ciPassword": "marker-two"}});
    for tier in [Tier::Read, Tier::Admin] {
        let engine = engine(&sandbox, tier, &log);
        let _ = call(&engine, "create_container", container.clone()).await;
        let _ = call(&engine, "call_api", config.clone()).await;
    }
    let text = text(&log);
    assert!(!text.contains("marker-") && text.contains("***"), "{text}");
    assert!(!text.contains(sandbox.token().split_once('=').expect("a secret").1), "{text}");
    assert_eq!(kinds(&log), ["start", "refused", "refused", "start", "intent", "outcome", "intent", "outcome"]);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let engine = engine(&sandbox, Tier::Operate, &folder.path().join("no").join("audit.jsonl"));
    let (kind, text) = fails(&engine, "stop_guest", json!({"vmid": 100})).await;
    assert_eq!(kind, FailureKind::Local);
    has(&text, &["audit.jsonl", "cannot be written", "PROXMOX_AUDIT"]);
    assert!(sandbox.requests().iter().all(|request| request.verb == "GET"));
    ok(&engine, "get_guest_status", json!({"vmid": 100})).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_has_an_end_in_the_log() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let engine = engine(&sandbox, Tier::Operate, &log);
    let arrived = Arc::new(Notify::new());
    let told = arrived.clone();
    sandbox.on_request(move |request, _| {
        if request.verb == "POST" {
            told.notify_one();
        }
    });
    let surface = catalogue::surface("stop_guest").expect("a tool");
    let arguments = json!({"vmid": 100});
    tokio::select! {
        biased;
        () = arrived.notified() => {}
        _ = engine.call(surface, arguments.as_object(), Watch::default()) => {}
    }
    assert_eq!(kinds(&log), ["start", "intent", "outcome"]);
}

#[tokio::test]
async fn calls_side_by_side_and_servers_on_one_file_keep_their_order() {
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    let engines = [engine(&sandbox, Tier::Configure, &log), engine(&sandbox, Tier::Configure, &log)];
    let calls = (0..20).map(|number| {
        let engine = &engines[number % 2];
        let arguments = json!({"vmid": 101, "config": {"description": format!("number {number}")}});
        async move { call(engine, "update_guest_config", arguments).await.is_ok() }
    });
    futures_util::future::join_all(calls).await;
    let report = verify(text(&log).as_bytes()).expect("readable").expect("whole");
    assert_eq!((report.starts, report.open.len()), (2, 0));
    assert_eq!(report.lines, 2 + 2 * report.intents);
    assert!(report.intents >= 20, "{report:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let (sandbox, folder) = (cluster().await, tempfile::tempdir().expect("a folder"));
    let log = folder.path().join("audit.jsonl");
    engine(&sandbox, Tier::Read, &log).open_audit().expect("it can be opened");
    assert_eq!(std::fs::metadata(&log).expect("it is there").permissions().mode() & 0o777, 0o600);
}
