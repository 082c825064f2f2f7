//! The engine against the embedded cluster: what is sent, what is answered, and what never leaves.

#![cfg(feature = "sandbox")]

#[path = "common/engine.rs"]
mod calls;

use calls::{call, fails, has, ok, watched};
use proxmox_mcp::engine::{Engine, FailureKind, Progress, Watch};
use proxmox_mcp::secret::Secret;
use proxmox_mcp::settings::{Auth, Confirm, Endpoint, Flags, Settings, Trust};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Fault, Options, Sandbox};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A cluster whose tasks end at once, and settings for it at a tier.
async fn cluster(tier: Tier) -> (Sandbox, Settings) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let settings =
        Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
            .expect("complete settings");
    (sandbox, Settings { tier, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings })
}

async fn start(tier: Tier) -> (Sandbox, Engine) {
    let (sandbox, settings) = cluster(tier).await;
    (sandbox, Engine::new(settings))
}

/// Verb and target of every request so far, without `/api2/json`.
fn sent(sandbox: &Sandbox) -> Vec<String> {
    let line = |request: &proxmox_sandbox::Received| {
        format!("{} {}", request.verb, request.target.strip_prefix("/api2/json").unwrap_or(&request.target))
    };
    sandbox.requests().iter().map(line).collect()
}

fn writes(sandbox: &Sandbox) -> Vec<String> {
    sent(sandbox).into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

#[tokio::test]
async fn a_read_answers_with_typed_fields() {
    let (sandbox, engine) = start(Tier::Read).await;
    let answer = ok(&engine, "get_guest_status", json!({"vmid": 100})).await;
    assert_eq!((&answer["name"], &answer["status"]), (&json!("web-server"), &json!("running")));
    let config = ok(&engine, "get_guest_config", json!({"vmid": "web-server"})).await;
    assert!(config["digest"].is_string() && config["memory"].is_string(), "{config}");
    assert_eq!((&config["vmid"], &config["kind"], &config["node"]), (&json!(100), &json!("qemu"), &json!("pve1")));
    // The second look-up came from the first listing.
    let listings = sent(&sandbox).iter().filter(|line| line.contains("/cluster/resources")).count();
    assert_eq!(listings, 1);
}

#[tokio::test]
async fn a_read_with_everything_said_looks_nothing_up() {
    let (sandbox, engine) = start(Tier::Read).await;
    ok(&engine, "get_guest_status", json!({"vmid": 100, "node": "pve1", "kind": "qemu"})).await;
    assert_eq!(sent(&sandbox), ["GET /nodes/pve1/qemu/100/status/current"]);
}

#[tokio::test]
async fn guests_are_listed_filtered_and_paged() {
    let (_sandbox, engine) = start(Tier::Read).await;
    let all = ok(&engine, "list_guests", json!({})).await;
    let total = all["total"].as_u64().expect("a number");
    assert_eq!(all["guests"].as_array().map(Vec::len), usize::try_from(total).ok());
    let some = ok(&engine, "list_guests", json!({"limit": 2, "kind": "lxc"})).await;
    assert_eq!(some["guests"].as_array().map(Vec::len), Some(2));
    assert_eq!((&some["offset"], &some["next_offset"]), (&json!(0), &json!(2)));
    assert!(some["total"].as_u64() < Some(total));
    let named = ok(&engine, "list_guests", json!({"name": "WEB"})).await;
    assert_eq!(named["guests"][0]["vmid"], 100);
}

#[tokio::test]
async fn a_write_waits_for_its_task() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let answer = ok(&engine, "start_guest", json!({"vmid": "build-runner"})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    assert_eq!((&answer["vmid"], &answer["kind"], &answer["node"]), (&json!(102), &json!("qemu"), &json!("pve1")));
    assert_eq!(answer["exitstatus"], "OK");
    has(answer["upid"].as_str().unwrap_or_default(), &["UPID:pve1:", ":qmstart:102:"]);
    assert_eq!(writes(&sandbox), ["POST /nodes/pve1/qemu/102/status/start"]);
}

#[tokio::test]
async fn a_failed_task_shows_the_end_of_its_log() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.with_cluster(|cluster| cluster.fail_next_task("qmstart", "no such bridge"));
    let answer = call(&engine, "start_guest", json!({"vmid": 102})).await.expect("it was started");
    assert!(answer.failed);
    assert_eq!(answer.content["outcome"], "failed");
    assert_eq!(answer.content["exitstatus"], "no such bridge");
    assert!(answer.content["log"].as_array().is_some_and(|log| !log.is_empty()));
    has(
        &answer.text.unwrap_or_default(),
        &["no such bridge", "End of the log", "upid: UPID:pve1:", "POST /nodes/pve1/qemu/102"],
    );
}

#[tokio::test]
async fn not_waiting_answers_with_the_task_and_the_next_step() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.with_cluster(|cluster| cluster.set_task_time(1.0));
    let answer = ok(&engine, "start_guest", json!({"vmid": 102, "wait": 0})).await;
    assert_eq!(answer["outcome"], "running");
    let upid = answer["upid"].as_str().expect("a task id");
    let notes = answer["notes"].to_string();
    has(&notes, &["get_task_status", upid]);
    let status = ok(&engine, "get_task_status", json!({"upid": upid})).await;
    assert!(status["log"].is_array(), "{status}");
}

#[tokio::test]
async fn cancelling_stops_the_waiting_and_not_the_task() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.with_cluster(|cluster| cluster.set_task_time(1000.0));
    let watch = Watch::default();
    let cancel = watch.cancelled.clone();
    sandbox.on_request(move |request, _| {
        if request.target.contains("/tasks/") {
            cancel.cancel();
        }
    });
    let answer = watched(&engine, "start_guest", json!({"vmid": 102}), watch).await.expect("it was started");
    assert_eq!(answer.content["outcome"], "running");
    has(&answer.content["notes"].to_string(), &["cancelled", "get_task_status", "UPID:pve1:"]);
    assert!(!writes(&sandbox).iter().any(|line| line.starts_with("DELETE")));
}

#[tokio::test]
async fn a_cancelled_call_sends_no_write() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let watch = Watch::default();
    watch.cancelled.cancel();
    let failure = watched(&engine, "start_guest", json!({"vmid": 102}), watch).await.expect_err("cancelled");
    assert_eq!(failure.kind(), FailureKind::Cancelled);
    assert!(writes(&sandbox).is_empty());
}

#[tokio::test]
async fn progress_grows_and_repeats_the_log() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.with_cluster(|cluster| cluster.set_task_time(1.0));
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Progress>();
    let watch = Watch { progress: Some(sender), ..Watch::default() };
    let arguments = json!({"vmid": 100, "storage": "backup-nas"});
    let answer = watched(&engine, "create_backup", arguments, watch).await.expect("started");
    assert_eq!(answer.content["outcome"], "ok", "{:?}", answer.content);
    let mut told = Vec::new();
    while let Ok(progress) = receiver.try_recv() {
        told.push(progress);
    }
    assert!(!told.is_empty());
    assert!(told.windows(2).all(|pair| pair[0].done < pair[1].done), "{told:?}");
    assert!(told.iter().all(|progress| !progress.message.is_empty()));
}

#[tokio::test]
async fn unknown_ambiguous_and_contradicted_guests() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": "web-servr"})).await;
    assert_eq!(kind, FailureKind::NotFound);
    has(&text, &["web-servr", "Did you mean 100 (web-server"]);
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 4711})).await;
    assert_eq!(kind, FailureKind::NotFound);
    has(&text, &["4711", "100 (web-server"]);
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": "test"})).await;
    assert_eq!(kind, FailureKind::Ambiguous);
    has(&text, &["110", "210", "by its id"]);
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 102, "node": "pve2"})).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["pve2", "on pve1"]);
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 200, "kind": "qemu"})).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["container", "lxc"]);
    let (kind, text) = fails(&engine, "start_vm", json!({"vmid": 200, "node": "pve1"})).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["`start_vm`", "`start_container`"]);
    assert!(writes(&sandbox).is_empty());
}

#[tokio::test]
async fn what_one_kind_lacks_is_said_before_anything_is_sent() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let (_, text) = fails(&engine, "exec_guest", json!({"vmid": 200, "command": ["ls"]})).await;
    has(&text, &["container", "pct exec", "Nothing was sent"]);
    let arguments = json!({"vmid": 200, "snapname": "before", "vmstate": true});
    let (_, text) = fails(&engine, "create_snapshot", arguments).await;
    has(&text, &["`vmstate`", "virtual machine only"]);
    assert!(writes(&sandbox).is_empty());
}

#[tokio::test]
async fn an_id_that_somebody_else_took_is_asked_for_once_more() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = asked.clone();
    sandbox.on_request(move |request, cluster| {
        if request.verb == "POST" && request.target.ends_with("/qemu") && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            let id = request.params.iter().find(|(name, _)| name == "vmid").map(|(_, id)| id.parse());
            if let Some(Ok(id)) = id {
                cluster.take_id(id);
            }
        }
    });
    let answer = ok(&engine, "create_vm", json!({"node": "pve1", "name": "new"})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(answer["vmid"].as_u64().is_some_and(|vmid| vmid >= 100), "{answer}");
    // An id of the caller's is never exchanged.
    let (_, text) = fails(&engine, "create_vm", json!({"node": "pve1", "name": "new", "vmid": 100})).await;
    has(&text, &["already exists"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_guest_that_moved_meanwhile_is_looked_up_once_more() {
    let (sandbox, engine) = start(Tier::Read).await;
    ok(&engine, "get_guest_status", json!({"vmid": 101})).await;
    ok(
        &Engine::new(Settings { tier: Tier::Operate, ..engine.settings().clone() }),
        "migrate_guest",
        json!({"vmid": 101, "target": "pve3"}),
    )
    .await;
    sandbox.forget_requests();
    ok(&engine, "get_guest_config", json!({"vmid": 101})).await;
    let targets = sent(&sandbox);
    assert_eq!(targets.first().map(String::as_str), Some("GET /nodes/pve2/qemu/101/config"));
    assert_eq!(targets.last().map(String::as_str), Some("GET /nodes/pve3/qemu/101/config"));
}

#[tokio::test]
async fn the_tier_is_a_gate_and_the_method_a_second_one() {
    let (sandbox, engine) = start(Tier::Read).await;
    let (kind, text) = fails(&engine, "stop_guest", json!({"vmid": 100})).await;
    assert_eq!(kind, FailureKind::Refused);
    has(&text, &["`stop_guest`", "`operate`", "`read`", "PROXMOX_TIER=operate", "--allow stop_guest"]);
    // The gate comes before the arguments are looked at.
    let (kind, _) = fails(&engine, "stop_guest", json!({"nonsense": 1})).await;
    assert_eq!(kind, FailureKind::Refused);
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn allow_lifts_a_tool_and_deny_removes_it_under_all_its_names() {
    let (_sandbox, settings) = cluster(Tier::Read).await;
    let engine = Engine::new(Settings { allow: vec!["start_guest".to_owned()], ..settings.clone() });
    ok(&engine, "start_vm", json!({"vmid": 102, "node": "pve1"})).await;
    assert_eq!(fails(&engine, "stop_guest", json!({"vmid": 102})).await.0, FailureKind::Refused);
    let engine = Engine::new(Settings { tier: Tier::Admin, deny: vec!["start_vm".to_owned()], ..settings });
    for name in ["start_guest", "start_container", "proxmox_vm_start"] {
        let (kind, text) = fails(&engine, name, json!({"vmid": 102})).await;
        assert_eq!(kind, FailureKind::Refused);
        has(&text, &["PROXMOX_DENY", "start_vm"]);
    }
}

#[tokio::test]
async fn a_dangerous_argument_needs_more_than_its_tool() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let (kind, text) = fails(&engine, "update_guest_config", json!({"vmid": 102, "delete": ["scsi0"]})).await;
    assert_eq!(kind, FailureKind::Refused, "{text}");
    has(&text, &["`delete`", "`admin`", "`configure`", "PROXMOX_TIER=admin"]);
    // Lifting a tool by name gives the tool's own tier and no more.
    let settings =
        Settings { tier: Tier::Read, allow: vec!["update_guest_config".to_owned()], ..engine.settings().clone() };
    let (kind, _) =
        fails(&Engine::new(settings), "update_guest_config", json!({"vmid": 102, "delete": ["scsi0"]})).await;
    assert_eq!(kind, FailureKind::Refused);
    assert!(writes(&sandbox).is_empty());
}

#[tokio::test]
async fn a_change_of_configuration_shows_what_was_there_and_sends_the_digest() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let answer = ok(&engine, "update_guest_config", json!({"vmid": 102, "config": {"cores": 4, "tags": "ci"}})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    assert!(answer["previous"].as_object().is_some_and(|previous| previous.contains_key("cores")), "{answer}");
    let request = sandbox.requests().into_iter().find(|request| request.verb == "POST").expect("one write");
    assert!(request.params.iter().any(|(name, value)| name == "digest" && !value.is_empty()), "{request:?}");
    let config = ok(&engine, "get_guest_config", json!({"vmid": 102})).await;
    assert_eq!(config["cores"], 4);
}

#[tokio::test]
async fn what_moved_between_look_and_write_is_not_changed() {
    let (sandbox, engine) = start(Tier::Configure).await;
    sandbox.on_request(|request, cluster| {
        if request.verb == "POST" {
            cluster.set_option(102, "description", "somebody was here");
        }
    });
    let (kind, text) = fails(&engine, "update_guest_config", json!({"vmid": 102, "config": {"cores": 4}})).await;
    assert_eq!(kind, FailureKind::Conflict, "{text}");
    has(&text, &["changed by somebody else"]);
}

#[tokio::test]
async fn a_rule_is_deleted_only_if_it_is_the_one_that_was_meant() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let rules = ok(&engine, "list_firewall_rules", json!({"vmid": 100})).await;
    let rule = rules["rules"][0].clone();
    assert_eq!(rule["pos"], 0, "{rules}");
    let wrong = json!({"vmid": 100, "pos": 0, "expect": {"dport": "1", "action": rule["action"]}});
    let (kind, text) = fails(&engine, "delete_firewall_rule", wrong).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["`dport`", "not `1`", "Nothing was changed"]);
    assert!(writes(&sandbox).is_empty());
    let right = json!({"vmid": 100, "pos": 0, "expect": {"action": rule["action"]}});
    let answer = ok(&engine, "delete_firewall_rule", right).await;
    assert_eq!(answer["deleted"]["action"], rule["action"], "{answer}");
    assert!(writes(&sandbox)[0].contains("?digest="), "{:?}", writes(&sandbox));
}

#[tokio::test]
async fn errors_of_the_api_name_argument_and_next_step() {
    let (sandbox, engine) = start(Tier::Admin).await;
    sandbox.with_cluster(|cluster| cluster.set_lock(102, Some("backup")));
    let (kind, text) = fails(&engine, "update_guest_config", json!({"vmid": 102, "config": {"cores": 2}})).await;
    assert_eq!(kind, FailureKind::Locked, "{text}");
    has(&text, &["VM is locked (backup)", "`backup`", "Request: POST /nodes/pve1/qemu/102/config"]);
    sandbox.with_cluster(|cluster| cluster.set_quorate(false));
    let (kind, text) = fails(&engine, "create_vm", json!({"node": "pve1", "name": "new"})).await;
    assert_eq!(kind, FailureKind::NoQuorum, "{text}");
    sandbox.with_cluster(|cluster| cluster.set_quorate(true));
    let (kind, text) = fails(&engine, "get_node_status", json!({"node": "pve11"})).await;
    assert_eq!(kind, FailureKind::NotFound, "{text}");
    has(&text, &["no node `pve11`", "Did you mean `pve1`", "pve2"]);
}

#[tokio::test]
async fn an_offline_node_is_told_apart_and_breaks_no_listing() {
    let (sandbox, engine) = start(Tier::Read).await;
    sandbox.with_cluster(|cluster| cluster.set_node_online("pve3", false));
    let (kind, text) = fails(&engine, "get_node_status", json!({"node": "pve3"})).await;
    assert_eq!(kind, FailureKind::NodeOffline, "{text}");
    has(&text, &["595", "`pve3` is offline"]);
    let tries = sent(&sandbox).iter().filter(|line| line.ends_with("/pve3/status")).count();
    assert_eq!(tries, 3, "reads are repeated as configured");
    let guests = ok(&engine, "list_guests", json!({})).await;
    assert!(guests["total"].as_u64() > Some(5));
}

#[tokio::test]
async fn reads_are_repeated_after_passing_troubles_only() {
    for (fault, tries) in [
        (Fault::Status(596, "Connection timed out".to_owned()), 3),
        (Fault::Status(500, "internal error".to_owned()), 1),
        (Fault::Status(403, "Permission check failed (/, Sys.Audit)".to_owned()), 1),
        (Fault::CloseAfter, 3),
    ] {
        let (sandbox, engine) = start(Tier::Read).await;
        let shown = format!("{fault:?}");
        sandbox.on_request(move |_, cluster| cluster.add_fault(fault.clone().once()));
        fails(&engine, "get_version", json!({})).await;
        // What is read besides only explains.
        let tried = sandbox.requests().iter().filter(|request| request.target.ends_with("/version")).count();
        assert_eq!(tried, tries, "{shown}");
    }
}

#[tokio::test]
async fn a_write_without_answer_is_unknown_and_never_repeated() {
    for fault in [Fault::CloseAfter, Fault::Status(596, "Connection timed out".to_owned())] {
        let (sandbox, engine) = start(Tier::Operate).await;
        let injected = fault.clone();
        sandbox.on_request(move |request, cluster| {
            if request.verb == "POST" {
                cluster.add_fault(injected.clone().once());
            }
        });
        let answer = call(&engine, "start_guest", json!({"vmid": 102})).await.expect("an outcome");
        assert!(answer.failed);
        assert_eq!(answer.content["outcome"], "unknown");
        let text = answer.text.unwrap_or_default();
        has(&text, &["POST /nodes/pve1/qemu/102/status/start", "not known", "Do not call it again"]);
        if fault == Fault::CloseAfter {
            has(&text, &["UPID:pve1:", "qmstart"]);
        }
        assert_eq!(writes(&sandbox).len(), 1);
    }
}

#[tokio::test]
async fn a_write_that_the_other_node_never_got_is_a_plain_failure() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.on_request(|request, cluster| {
        if request.verb == "POST" {
            cluster.add_fault(Fault::Status(595, "No route to host".to_owned()).once());
        }
    });
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 102})).await;
    assert_eq!(kind, FailureKind::NodeOffline);
    has(&text, &["595", "nothing was done"]);
    assert_eq!(writes(&sandbox).len(), 1);
}

#[tokio::test]
async fn what_is_not_the_api_is_never_read_as_an_answer() {
    for (status, kind) in
        [(200, FailureKind::Unreadable), (302, FailureKind::Connection), (401, FailureKind::Unauthenticated)]
    {
        let (sandbox, engine) = start(Tier::Read).await;
        sandbox
            .on_request(move |_, cluster| cluster.add_fault(Fault::Status(status, "Somebody else".to_owned()).once()));
        let (came, text) = fails(&engine, "get_version", json!({})).await;
        assert_eq!(came, kind, "{text}");
        assert_eq!(sandbox.requests().len(), 1);
        if status == 401 {
            has(&text, &["Somebody else", "PROXMOX_TOKEN_VALUE"]);
        }
    }
}

#[tokio::test]
async fn a_wrong_token_names_the_settings_and_not_the_secret() {
    let (sandbox, settings) = cluster(Tier::Read).await;
    let secret = Secret::given("not-the-secret".to_owned().into());
    let auth = Auth::Token { user: settings.auth.user().to_owned(), name: "mcp".to_owned(), secret };
    let engine = Engine::new(Settings { auth, ..settings });
    let (kind, text) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Unauthenticated);
    has(&text, &["`root@pam`", "`mcp`", "PROXMOX_TOKEN_VALUE"]);
    assert!(!text.contains("not-the-secret"));
    drop(sandbox);
}

#[tokio::test]
async fn certificates_are_verified() {
    let (sandbox, settings) = cluster(Tier::Read).await;
    let with = |trust: Trust| Engine::new(Settings { trust, ..settings.clone() });
    let (kind, text) = fails(&with(Trust::Fingerprints(vec![[7; 32]])), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Tls);
    let shown: String = sandbox.certificate_fingerprint().map(|byte| format!("{byte:02X}")).join(":");
    has(&text, &["PROXMOX_FINGERPRINT", &shown]);
    let file = std::env::temp_dir().join(format!("proxmox-mcp-ca-{}.pem", std::process::id()));
    std::fs::write(&file, sandbox.certificate_pem()).expect("a temporary file");
    ok(&with(Trust::CaFile(file.clone())), "get_version", json!({})).await;
    std::fs::write(&file, "nonsense").expect("a temporary file");
    let (kind, text) = fails(&with(Trust::CaFile(file.clone())), "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Local);
    has(&text, &["PROXMOX_CA_FILE", "holds no certificate"]);
    std::fs::remove_file(&file).expect("it is ours");
    ok(&with(Trust::Anything), "get_version", json!({})).await;
}

#[tokio::test]
async fn nobody_there_is_a_connection_failure_and_recovers() {
    let (sandbox, settings) = cluster(Tier::Operate).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let nobody = Endpoint { host: "127.0.0.1".to_owned(), port: free.port() };
    let engine = Engine::new(Settings { endpoints: vec![nobody], ..settings.clone() });
    let (kind, text) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Connection);
    has(&text, &["PROXMOX_HOST", "8006"]);
    // A server that comes back is used again by the same engine.
    let engine = Engine::new(settings);
    let closes = Arc::new(AtomicUsize::new(0));
    let seen = closes.clone();
    sandbox.on_request(move |_, cluster| {
        if seen.fetch_add(1, Ordering::SeqCst) < 3 {
            cluster.add_fault(Fault::CloseBefore.once());
        }
    });
    assert_eq!(fails(&engine, "get_version", json!({})).await.0, FailureKind::Connection);
    ok(&engine, "get_version", json!({})).await;
}

#[tokio::test]
async fn a_command_is_run_and_its_answer_read_once() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let answer = ok(&engine, "exec_guest", json!({"vmid": 100, "command": ["uname", "-a"]})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    assert_eq!(answer["exit_code"], 0);
    assert!(answer["stdout"].as_str().is_some_and(|text| text.contains("Linux")), "{answer}");
    let request = sandbox.requests().into_iter().find(|request| request.verb == "POST").expect("one write");
    let words: Vec<&str> =
        request.params.iter().filter(|(name, _)| name == "command").map(|(_, value)| value.as_str()).collect();
    assert_eq!(words, ["uname", "-a"]);
}

#[tokio::test]
async fn volumes_are_one_segment_on_the_wire() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let backups = ok(&engine, "list_backups", json!({"node": "pve1", "storage": "backup-nas"})).await;
    let volid = backups["backups"][0]["volid"].as_str().unwrap_or_else(|| panic!("{backups}")).to_owned();
    sandbox.forget_requests();
    ok(&engine, "delete_backup", json!({"node": "pve1", "volid": volid})).await;
    let encoded = volid.replace(':', "%3A").replace('/', "%2F");
    assert_eq!(writes(&sandbox), [format!("DELETE /nodes/pve1/storage/backup-nas/content/{encoded}")]);
}

#[tokio::test]
async fn an_upload_streams_and_refuses_what_is_there() {
    let (sandbox, settings) = cluster(Tier::Configure).await;
    let folder = std::env::temp_dir().join(format!("proxmox-mcp-upload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    std::fs::write(folder.join("big.iso"), vec![7; 3 << 20]).expect("a temporary file");
    let arguments =
        json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "big.iso", "path": "big.iso"});
    let (kind, text) = fails(&Engine::new(settings.clone()), "upload_file", arguments.clone()).await;
    assert_eq!(kind, FailureKind::Local, "{text}");
    has(&text, &["PROXMOX_UPLOAD_DIR"]);
    assert!(writes(&sandbox).is_empty());
    let engine = Engine::new(Settings { upload_dir: Some(folder.clone()), ..settings });
    let answer = ok(&engine, "upload_file", arguments.clone()).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    let (kind, text) = fails(&engine, "upload_file", arguments).await;
    assert_eq!(kind, FailureKind::Conflict, "{text}");
    has(&text, &["big.iso", "there already"]);
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[tokio::test]
async fn a_restore_never_overwrites_unasked_or_the_other_kind() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let volid = "backup-nas:backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
    let at = |vmid: u32, force: bool| json!({"node": "pve1", "volid": volid, "vmid": vmid, "force": force});
    let (kind, text) = fails(&engine, "restore_backup", at(102, false)).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["`vmid`", "102 (build-runner", "overwritten"]);
    let (kind, text) = fails(&engine, "restore_backup", at(200, true)).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["other kind"]);
    assert!(writes(&sandbox).is_empty());
    let answer = ok(&engine, "restore_backup", at(104, false)).await;
    assert_eq!((&answer["outcome"], &answer["kind"]), (&json!("ok"), &json!("qemu")), "{answer}");
}
