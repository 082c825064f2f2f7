//! Snapshots of both kinds, and going back to them.

use crate::script::{Scenario, Step, scenario, step};
use serde_json::json;

fn story(vmid: u32, before: serde_json::Value, after: serde_json::Value) -> Vec<Step> {
    vec![
        step("take", "create_snapshot", json!({"vmid": vmid, "snapname": "before", "description": "As it was"})).done(),
        step("listed", "list_snapshots", json!({"vmid": vmid}))
            .answers(json!({"snapshots": [{"name": "before", "description": "~As it was"}]})),
        step("take again", "create_snapshot", json!({"vmid": vmid, "snapname": "before"}))
            .fails(&["snapshot name 'before' already used"]),
        step("a name of one letter", "create_snapshot", json!({"vmid": vmid, "snapname": "x"})).fails(&["snapname"]),
        step("a reserved name", "create_snapshot", json!({"vmid": vmid, "snapname": "current"})).fails(&["current"]),
        step("a bad name", "create_snapshot", json!({"vmid": vmid, "snapname": "a b"})).fails(&["snapname"]),
        step("change", "update_guest_config", json!({"vmid": vmid, "config": {"cores": 3}})).done(),
        step("changed", "get_guest_config", json!({"vmid": vmid})).answers(after),
        step("as it was then", "get_snapshot_config", json!({"vmid": vmid, "snapname": "before"}))
            .answers(before.clone()),
        step("of an unknown one", "get_snapshot_config", json!({"vmid": vmid, "snapname": "never"}))
            .fails(&["snapshot 'never' does not exist"]),
        step("take a second", "create_snapshot", json!({"vmid": vmid, "snapname": "second"})).done(),
        step("on the first", "list_snapshots", json!({"vmid": vmid}))
            .answers(json!({"snapshots": [{"name": "second", "parent": "before"}]})),
        step("back to an unknown one", "rollback_snapshot", json!({"vmid": vmid, "snapname": "never"}))
            .fails(&["snapshot 'never' does not exist"]),
        step("delete an unknown one", "delete_snapshot", json!({"vmid": vmid, "snapname": "never"}))
            .fails(&["snapshot 'never' does not exist"]),
        step("back", "rollback_snapshot", json!({"vmid": vmid, "snapname": "before"})).done(),
        step("as it was", "get_guest_config", json!({"vmid": vmid})).answers(before),
        step("delete", "delete_snapshot", json!({"vmid": vmid, "snapname": "before"})).done(),
        step("gone", "list_snapshots", json!({"vmid": vmid})).lacks("snapshots", json!({"name": "before"})),
        step("the second is left", "list_snapshots", json!({"vmid": vmid}))
            .answers(json!({"snapshots": [{"name": "second"}]})),
        step("delete it too", "delete_snapshot", json!({"vmid": vmid, "snapname": "second"})).done(),
        step("of an unknown guest", "list_snapshots", json!({"vmid": 999})).fails(&["999"]),
    ]
}

pub fn snapshots_of_a_virtual_machine() -> Scenario {
    let steps = story(102, json!({"cores": 8}), json!({"cores": 3}));
    scenario("snapshots of a virtual machine", steps)
}

pub fn snapshots_of_a_container() -> Scenario {
    let steps = story(202, json!({"cores": 2}), json!({"cores": 3}));
    scenario("snapshots of a container", steps)
}
