//! How the server behaves whatever the tool: tiers, certificates, paths, repetitions, listings, and how guests are found.

use super::*;
use proxmox_mcp::settings::Trust;
use proxmox_mcp::tool::Take;
use proxmox_sandbox::Fault;

#[tokio::test]
async fn running_and_failed_tasks_are_asked_for_in_the_words_of_the_api() {
    let (sandbox, engine) = start(Tier::Operate).await;
    sandbox.with_cluster(|cluster| cluster.fail_next_task("qmstart", "no such bridge"));
    assert!(call(&engine, "start_guest", json!({"vmid": 102})).await.expect("started").failed);
    let running = ok(&engine, "proxmox_task_list", json!({"node": "pve1", "running": true})).await;
    assert_eq!(running["total"], 0, "{running}");
    let asked = |sandbox: &Sandbox| sandbox.requests().pop().expect("a read");
    assert_eq!(parameter(&asked(&sandbox), "source"), Some("active"));
    let failed = ok(&engine, "proxmox_task_list", json!({"node": "pve1", "errors": "true"})).await;
    assert_eq!(
        (parameter(&asked(&sandbox), "errors"), parameter(&asked(&sandbox), "source")),
        (Some("1"), Some("all"))
    );
    assert_eq!(failed["tasks"][0]["status"], "no such bridge", "{failed}");
    // A task that went well is not shown as failed.
    let all = ok(&engine, "proxmox_task_list", json!({"node": "pve1"})).await;
    assert!(all["tasks"].as_array().is_some_and(|tasks| tasks.iter().any(|task| task["status"] == "OK")), "{all}");
}

#[tokio::test]
async fn not_elevated_is_not_elevated() {
    let load = |elevated: Option<&str>| {
        let environment = |name: &str| match name {
            "PROXMOX_TOKEN_VALUE" => Some("12345678-1234-1234-1234-123456789abc".to_owned()),
            "PROXMOX_ALLOW_ELEVATED" => elevated.map(str::to_owned),
            _ => None,
        };
        let flags = Flags {
            host: Some("pve1.example.org".to_owned()),
            user: Some("root@pam".to_owned()),
            token_name: Some("mcp".to_owned()),
            ..Flags::default()
        };
        Settings::from(&flags, &environment)
    };
    for (elevated, tier) in [(Some("false"), Tier::Configure), (Some("true"), Tier::Admin), (None, Tier::Read)] {
        assert_eq!(load(elevated).expect("complete").tier, tier, "{elevated:?}");
    }
    assert!(load(Some("perhaps")).is_err());
    // And certificates are checked unless somebody says otherwise.
    assert_eq!(load(None).expect("complete").trust, Trust::System);
}

#[tokio::test]
async fn false_as_a_text_is_false() {
    let (sandbox, engine) = start(Tier::Admin).await;
    ok(&engine, "delete_vm", json!({"node": "pve1", "vmid": "102", "purge": "false"})).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "purge"), Some("0"));
}

#[tokio::test]
async fn what_destroys_is_for_admins_alone() {
    let (sandbox, engine) = start(Tier::Configure).await;
    for (tool, arguments) in [
        (
            "restore_backup",
            json!({"node": "pve1", "storage": "backup-nas", "volid": VM_BACKUP, "vmid": 100, "force": true}),
        ),
        ("proxmox_snapshot_rollback", json!({"node": "pve1", "vmid": 100, "snapname": "clean"})),
        ("proxmox_backup_delete", json!({"node": "pve1", "storage": "backup-nas", "volume": VM_BACKUP})),
        ("proxmox_execute_vm_command", json!({"node": "pve1", "vmid": 100, "command": "ls"})),
        ("proxmox_vm_config_update", json!({"node": "pve1", "vmid": 100, "config": {"protection": false}})),
        ("update_guest_config", json!({"vmid": 100, "delete": "scsi0"})),
    ] {
        let (kind, text) = fails(&engine, tool, arguments).await;
        assert_eq!(kind, FailureKind::Refused, "{tool}: {text}");
        has(&text, &["`admin`", "PROXMOX_TIER=admin"]);
    }
    // What no API token may do is not a matter of tiers.
    let arguments = json!({"node": "pve1", "vmid": 100, "config": {"args": "-S"}});
    let (_, text) = fails(&engine, "proxmox_vm_config_update", arguments).await;
    has(&text, &["`config.args`", "no API token"]);
    nothing_written(&sandbox);
}

#[tokio::test]
async fn an_unknown_certificate_ends_the_conversation() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let engine = Engine::new(Settings { trust: Trust::System, ..engine.settings().clone() });
    let (kind, text) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Tls, "{text}");
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_comes_back() {
    let faults = [
        Fault::Status(400, "Parameter verification failed.".to_owned()),
        Fault::Status(500, "got timeout".to_owned()),
        Fault::Status(596, "Connection timed out".to_owned()),
        Fault::CloseAfter,
    ];
    for fault in faults {
        let (sandbox, engine) = start(Tier::Configure).await;
        let shown = format!("{fault:?}");
        sandbox.on_request(move |request, cluster| {
            if request.verb == "POST" {
                cluster.add_fault(fault.clone().once());
            }
        });
        let ended = call(&engine, "clone_guest", json!({"vmid": 100, "newid": 260})).await;
        let text = match ended {
            Ok(answer) => answer.text.unwrap_or_default(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(writes(&sandbox).len(), 1, "{shown}");
        has(&text, &["POST /nodes/pve1/qemu/100/clone"]);
    }
}

#[tokio::test]
async fn a_node_that_is_off_breaks_no_listing() {
    let (sandbox, engine) = start(Tier::Read).await;
    sandbox.with_cluster(|cluster| cluster.set_node_online("pve3", false));
    let guests = ok(&engine, "proxmox_get_vms", json!({})).await;
    assert_eq!(guests["total"], 9, "{guests}");
    let nodes = ok(&engine, "proxmox_get_nodes", json!({})).await;
    let states: Vec<&Value> = nodes["nodes"].as_array().into_iter().flatten().map(|node| &node["status"]).collect();
    assert_eq!(states, ["online", "online", "offline"]);
    let storages = ok(&engine, "proxmox_get_storage", json!({})).await;
    assert!(storages["total"].as_u64() > Some(4), "{storages}");
    let status = ok(&engine, "proxmox_get_cluster_status", json!({})).await;
    assert_eq!(status["nodes"][2]["online"], false, "{status}");
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.target.contains("/cluster/") || request.target.ends_with("/nodes"))
    );
}

#[tokio::test]
async fn the_state_of_the_cluster_tells_quorum() {
    let (sandbox, engine) = start(Tier::Read).await;
    assert_eq!(ok(&engine, "get_cluster_status", json!({})).await["quorum"], true);
    sandbox.with_cluster(|cluster| cluster.set_quorate(false));
    assert_eq!(ok(&engine, "proxmox_get_cluster_status", json!({})).await["quorum"], false);
}

/// Such a node answers without a row for the cluster.
#[test]
fn a_node_on_its_own_has_quorum() {
    let tool = catalogue::surface("get_cluster_status").expect("a tool").tool;
    let quorum = tool.routes[0].returns.parts.iter().find(|part| part.to == "quorum").expect("a part of the answer");
    assert!(matches!(quorum.take, Take::First("quorate", "true")));
}

#[tokio::test]
async fn no_argument_leads_to_another_path() {
    let (sandbox, engine) = start(Tier::Admin).await;
    for (tool, arguments) in [
        ("proxmox_get_node_status", json!({"node": ".."})),
        ("proxmox_get_node_status", json!({"node": "pve1/../pve2"})),
        ("get_storage_content", json!({"node": "pve1", "storage": "../../access"})),
        ("get_storage_content", json!({"node": "pve1", "storage": "%2e%2e"})),
        ("proxmox_backup_delete", json!({"node": "pve1", "storage": "local", "volume": "../../../../access/users"})),
        ("proxmox_snapshot_delete", json!({"node": "pve1", "vmid": 100, "snapname": "../config"})),
    ] {
        let (kind, text) = fails(&engine, tool, arguments).await;
        assert_eq!(kind, FailureKind::BadArguments, "{tool}: {text}");
    }
    assert!(sandbox.requests().is_empty());
    let volume = format!("backup/{VM_BACKUP}");
    ok(&engine, "proxmox_backup_delete", json!({"node": "pve1", "storage": "backup-nas", "volume": volume})).await;
    let target = format!("/storage/backup-nas/content/backup-nas%3Abackup%2F{VM_BACKUP}");
    has(&last_write(&sandbox).0, &[&target]);
}

#[tokio::test]
async fn many_calls_in_a_row_are_never_stalled() {
    let (sandbox, engine) = start(Tier::Read).await;
    for _ in 0..150 {
        ok(&engine, "get_version", json!({})).await;
    }
    assert_eq!(sandbox.requests().len(), 150);
}

#[tokio::test]
async fn what_the_api_says_about_a_parameter_reaches_the_caller() {
    let (_sandbox, engine) = start(Tier::Admin).await;
    let (kind, text) = fails(&engine, "update_guest_config", json!({"vmid": 102, "delete": ["nonsense"]})).await;
    assert_ne!(kind, FailureKind::Connection);
    has(&text, &["`delete`", "unknown option 'nonsense'"]);
}

#[tokio::test]
async fn the_task_behind_a_change_is_in_the_answer() {
    let (_sandbox, engine) = start(Tier::Admin).await;
    for (tool, arguments, task) in [
        ("proxmox_vm_config_update", json!({"node": "pve1", "vmid": 102, "config": {"cores": 2}}), ":qmconfig:102:"),
        ("proxmox_disk_resize", json!({"node": "pve1", "vmid": 102, "disk": "scsi0", "size": "+1G"}), ":resize:102:"),
        ("proxmox_vm_template", json!({"node": "pve1", "vmid": 102}), ":qmtemplate:102:"),
    ] {
        let answer = ok(&engine, tool, arguments).await;
        assert_eq!(answer["outcome"], "ok", "{answer}");
        has(answer["upid"].as_str().unwrap_or_default(), &["UPID:pve1:", task]);
    }
}

#[tokio::test]
async fn a_guest_is_known_by_number_text_or_unique_name() {
    let (sandbox, engine) = start(Tier::Read).await;
    for vmid in [json!(200), json!("200"), json!(200.0), json!("dns")] {
        let answer = ok(&engine, "get_guest_status", json!({"vmid": vmid})).await;
        assert_eq!((&answer["vmid"], &answer["node"], &answer["kind"]), (&json!(200), &json!("pve1"), &json!("lxc")));
    }
    let (kind, text) = fails(&engine, "proxmox_get_vm_status", json!({"vmid": "test"})).await;
    assert_eq!(kind, FailureKind::Ambiguous);
    has(&text, &["110", "210"]);
    nothing_written(&sandbox);
}

#[tokio::test]
async fn the_kind_is_looked_up_unless_the_caller_says_it() {
    let (sandbox, engine) = start(Tier::Operate).await;
    // The document's default is a virtual machine; this is a container.
    ok(&engine, "proxmox_vm_stop", json!({"node": "pve1", "vmid": 200})).await;
    assert_eq!(last_write(&sandbox).0, "POST /nodes/pve1/lxc/200/status/stop");
    sandbox.forget_requests();
    let (kind, text) = fails(&engine, "proxmox_vm_stop", json!({"node": "pve1", "vmid": 200, "type": "qemu"})).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["is a container (lxc)", "Leave the kind out"]);
    let (_, text) = fails(&engine, "stop_vm", json!({"node": "pve1", "vmid": 200})).await;
    has(&text, &["`stop_vm`", "`stop_container`"]);
    let (_, text) = fails(&engine, "proxmox_vm_stop", json!({"node": "pve2", "vmid": 100})).await;
    has(&text, &["pve2", "pve1"]);
    nothing_written(&sandbox);
}
