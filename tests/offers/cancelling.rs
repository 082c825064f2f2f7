//! A call that is cancelled while it waits leaves its task running, or stops it where the operator wants that.

use crate::common::{Client, Era};
use serde_json::json;

/// Starts a backup, cancels the call when its task runs, and gives the task's id, the server, and the log at its end.
fn cancelled(era: Era, more: &[&str]) -> (Client, String) {
    let mut arguments = vec!["--tier", "operate"];
    arguments.extend_from_slice(more);
    let mut client = Client::sandbox(era, &arguments);
    let id = client.begin("create_backup", json!({"vmid": 100, "storage": "backup-nas", "wait": 600}), "steps");
    client.wait_for("notifications/progress", id);
    let running = client.call("list_tasks", json!({"node": "pve1", "source": "active"}))["structuredContent"].clone();
    let task = running["tasks"].as_array().expect("tasks").iter().find(|task| task["type"] == "vzdump");
    let upid = task.unwrap_or_else(|| panic!("{running}"))["upid"].as_str().expect("an id").to_owned();
    client.notify("notifications/cancelled", json!({"requestId": id, "reason": "not wanted any more"}));
    (client, upid)
}

/// How the task ended.
fn end(client: &mut Client, upid: &str) -> String {
    loop {
        let state = client.call("get_task_status", json!({"upid": upid}))["structuredContent"].clone();
        if state["status"] != "running" {
            return state["exitstatus"].as_str().unwrap_or_else(|| panic!("{state}")).to_owned();
        }
    }
}

#[test]
fn a_cancelled_call_leaves_its_task_alone() {
    for era in Era::BOTH {
        let (mut client, upid) = cancelled(era, &[]);
        assert_eq!(end(&mut client, &upid), "OK");
    }
}

#[test]
fn a_cancelled_call_stops_its_task_where_the_operator_wants_that() {
    for era in Era::BOTH {
        // In every way of asking: the setting is the answer.
        for confirm in ["off", "ask"] {
            let (mut client, upid) = cancelled(era, &["--cancel-stops-tasks", "--confirm", confirm]);
            assert_ne!(end(&mut client, &upid), "OK");
            let log = client.end().log;
            assert!(log.contains("the task was told to stop"), "{log}");
        }
    }
}

#[test]
fn what_may_not_be_stopped_goes_on() {
    for era in Era::BOTH {
        let (mut client, upid) = cancelled(era, &["--cancel-stops-tasks", "--deny", "stop_task"]);
        assert_eq!(end(&mut client, &upid), "OK");
        let log = client.end().log;
        assert!(log.contains("the task goes on") && log.contains("PROXMOX_DENY"), "{log}");
    }
}
