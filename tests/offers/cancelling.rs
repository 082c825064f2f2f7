//! A call that is cancelled while it waits leaves its task running, or stops it where the operator wants that.

use crate::common::{Client, Era};
use crate::world::World;
use proxmox_sandbox::Options;
use serde_json::json;

/// A cluster whose tasks take longer than any test.
fn slow() -> World {
    World::with(Options { task_time: 10_000.0, ..Options::default() })
}

impl World {
    /// Starts a backup, cancels the call when its task runs, and gives the server and the task's id.
    fn cancelled(&self, era: Era, arguments: &[&str]) -> (Client, String) {
        let (name, secret) = self.sandbox.token().split_once('=').expect("a secret");
        let pin: String = self.sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let settings = [
            ("PROXMOX_HOST", self.sandbox.address().to_string()),
            ("PROXMOX_TOKEN_NAME", name.to_owned()),
            ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
            ("PROXMOX_FINGERPRINT", pin),
            ("PROXMOX_TIER", "operate".to_owned()),
        ];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut client = Client::start(era, arguments, &settings);
        client.open();
        let id = client.begin("create_backup", json!({"vmid": 100, "storage": "backup-nas", "wait": 600}), "steps");
        client.wait_for("notifications/progress", id);
        let tasks = client.call("list_tasks", json!({"node": "pve1", "source": "active"}));
        let tasks = tasks["structuredContent"]["tasks"].as_array().expect("tasks").clone();
        let task = tasks.iter().find(|task| task["type"] == "vzdump").expect("a backup runs");
        let upid = task["upid"].as_str().expect("an id").to_owned();
        client.notify("notifications/cancelled", json!({"requestId": id, "reason": "not wanted any more"}));
        (client, upid)
    }

    /// How often the cluster was told to stop a task.
    fn stops(&self) -> usize {
        self.sandbox.requests().iter().filter(|one| one.verb == "DELETE" && one.target.contains("/tasks/")).count()
    }
}

fn state(client: &mut Client, upid: &str) -> serde_json::Value {
    client.call("get_task_status", json!({"upid": upid}))["structuredContent"].clone()
}

#[test]
fn a_cancelled_call_leaves_its_task_alone() {
    for era in Era::BOTH {
        let world = slow();
        let (mut client, upid) = world.cancelled(era, &[]);
        for _ in 0..3 {
            assert_eq!(state(&mut client, &upid)["status"], "running");
        }
        assert_eq!(world.stops(), 0);
    }
}

#[test]
fn a_cancelled_call_stops_its_task_where_the_operator_wants_that() {
    for era in Era::BOTH {
        // In every way of asking: the setting is the answer.
        for confirm in ["off", "ask"] {
            let world = slow();
            let (mut client, upid) = world.cancelled(era, &["--cancel-stops-tasks", "--confirm", confirm]);
            while state(&mut client, &upid)["status"] == "running" {}
            assert_ne!(state(&mut client, &upid)["exitstatus"], "OK");
            assert_eq!(world.stops(), 1);
            let log = client.end().log;
            assert!(log.contains("the task was told to stop"), "{log}");
        }
    }
}

#[test]
fn what_may_not_be_stopped_goes_on() {
    for era in Era::BOTH {
        let world = slow();
        let (mut client, upid) = world.cancelled(era, &["--cancel-stops-tasks", "--deny", "stop_task"]);
        for _ in 0..3 {
            assert_eq!(state(&mut client, &upid)["status"], "running");
        }
        assert_eq!(world.stops(), 0);
        let log = client.end().log;
        assert!(log.contains("the task goes on") && log.contains("--deny names `stop_task`"), "{log}");
    }
}
