//! Troubles of the cluster itself: what is told, that nothing happened where nothing could, and that it works again when
//! the trouble is over.

use super::*;

/// Trouble, its end, the call, whether the answer still is a good one, and what has to be said.
#[allow(clippy::type_complexity)]
fn troubles() -> Vec<(&'static str, &'static str, &'static str, Value, &'static str, &'static [&'static str])> {
    let start = json!({"vmid": 102, "wait": 60});
    let backup = json!({"vmid": 100, "storage": "backup-nas", "wait": 60});
    let snapshot = json!({"vmid": 110, "snapname": "before"});
    let disk = json!({"node": "pve1", "storage": "local-lvm", "disk_size": "8G"});
    vec![
        (
            "node-offline=pve2",
            "node-online=pve2",
            "get_node_status",
            json!({"node": "pve2"}),
            "bad",
            &["could not reach the node", "pve2"],
        ),
        (
            "node-offline=pve2",
            "node-online=pve2",
            "start_guest",
            json!({"vmid": 110}),
            "bad",
            &["could not reach the node", "offline"],
        ),
        (
            "node-timeout=pve2",
            "node-online=pve2",
            "get_node_status",
            json!({"node": "pve2"}),
            "bad",
            &["did not answer in time"],
        ),
        (
            "node-timeout=pve2",
            "node-online=pve2",
            "start_guest",
            json!({"vmid": 110}),
            "unknown",
            &["not known", "before you"],
        ),
        ("lock=102:backup", "unlock=102", "start_guest", start.clone(), "failed", &["backup"]),
        (
            "lock=102:migrate",
            "unlock=102",
            "update_guest_config",
            json!({"vmid": 102, "config": {"cores": 2}}),
            "bad",
            &["lock `migrate`"],
        ),
        ("no-quorum", "quorum", "start_guest", start.clone(), "bad", &["no quorum", "enough nodes"]),
        ("no-quorum", "quorum", "create_snapshot", snapshot, "bad", &["no quorum"]),
        ("no-quorum", "quorum", "list_guests", json!({}), "good", &[]),
        (
            "task-fails=qmstart:start failed: QEMU exited with code 1",
            "quorum",
            "start_guest",
            start,
            "failed",
            &["QEMU exited with code 1", "upid: UPID:"],
        ),
        ("task-fails=vzdump:job errors", "quorum", "create_backup", backup.clone(), "failed", &["job errors"]),
        ("task-warns=vzdump:2", "quorum", "create_backup", backup.clone(), "warnings", &[]),
        (
            "task-time=1000",
            "task-time=0",
            "create_backup",
            json!({"vmid": 100, "storage": "backup-nas", "wait": 1}),
            "running",
            &[],
        ),
        ("storage-full=backup-nas", "storage-free=backup-nas", "create_backup", backup, "failed", &["space"]),
        ("storage-full=local-lvm", "storage-free=local-lvm", "create_vm", disk, "failed", &[]),
        (
            "agent-silent=100",
            "agent-answers=100",
            "exec_guest",
            json!({"vmid": 100, "command": ["uname"]}),
            "bad",
            &["agent"],
        ),
    ]
}

#[test]
fn troubles_of_the_cluster_are_told_and_over_when_they_are_over() {
    let mut wrong = Vec::new();
    for (number, (trouble, over, tool, arguments, expected, words)) in troubles().into_iter().enumerate() {
        let world = World::start();
        let mut client = world.client(Era::BOTH[number % 2], "30000");
        world.sandbox.apply(trouble.parse().expect("a trouble")).expect("it can be");
        let result = client.call(tool, arguments.clone());
        let came = found(&result);
        println!("{trouble:60} {tool:20} {came}");
        if came != expected {
            wrong.push(format!("{trouble} × {tool}: {came}, not {expected}: {}", text(&result)));
        }
        for word in words.iter().filter(|word| !text(&result).contains(**word)) {
            wrong.push(format!("{trouble} × {tool}: `{word}` is missing: {}", text(&result)));
        }
        let writes = world.writes().len();
        if writes > 1 {
            wrong.push(format!("{trouble} × {tool}: {writes} writes"));
        }
        world.sandbox.apply(over.parse().expect("a trouble")).expect("it can be");
        let again = client.call(tool, arguments);
        // A long task of before may still hold the guest.
        if !matches!(found(&again).as_str(), "good") && expected != "running" {
            wrong.push(format!("{over} × {tool}: no recovery: {}", text(&again)));
        }
        assert!(client.knock().get("result").is_some());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_list_of_nodes_that_cannot_be_read_denies_no_node() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, "30000");
    let ask = json!({"node": "pve9"});
    let known = client.call("get_node_status", ask.clone());
    assert!(text(&known).contains("There is no node `pve9`") && text(&known).contains("pve1, pve2, pve3"), "{known}");
    world.sandbox.set_faults(vec!["status=500:got timeout@GET /nodes".parse().expect("a rule")]);
    let unknown = client.call("get_node_status", ask);
    assert_eq!(unknown["isError"], true);
    assert!(text(&unknown).contains("could not be read"), "{}", text(&unknown));
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let world = World::start();
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        let more = [(variable, "http://127.0.0.1:1")];
        let mut client = world.client_with(Era::Stateless, "30000", &more);
        let result = client.call("get_version", json!({}));
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&result).contains(variable) && text(&result).contains("NO_PROXY=127.0.0.1"), "{}", text(&result));
        let around = [(variable, "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.1")];
        let mut client = world.client_with(Era::Stateless, "30000", &around);
        assert_ne!(client.call("get_version", json!({}))["isError"], true);
    }
}
