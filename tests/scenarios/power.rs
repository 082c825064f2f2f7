//! Guests are switched on and off, and the kinds do not answer alike.

use crate::script::{Scenario, World, scenario, step};
use serde_json::json;

pub fn power_of_a_virtual_machine() -> Scenario {
    let vm = || json!({"vmid": 102});
    scenario(
        "power of a virtual machine",
        vec![
            step("stop a stopped", "stop_guest", vm()).done(),
            step("reboot a stopped", "reboot_guest", vm()).fails(&["VM 102 not running"]),
            step("suspend a stopped", "suspend_guest", vm()).fails(&["VM 102 not running"]),
            step("resume a stopped", "resume_guest", vm()).fails(&["VM 102 not running"]),
            step("reset a stopped", "reset_guest", vm()).fails(&["VM 102 not running"]),
            step("shut down a stopped", "shutdown_guest", vm()).done(),
            step("start", "start_guest", vm()).done(),
            step("runs", "get_guest_status", vm()).answers(json!({"status": "running", "qmpstatus": "running"})),
            step("start a running", "start_guest", vm()).fails(&["VM 102 already running", "resume_guest"]),
            step("suspend", "suspend_guest", vm()).done(),
            step("paused", "get_guest_status", vm()).answers(json!({"status": "running", "qmpstatus": "paused"})),
            step("start a paused", "start_guest", vm()).fails(&["VM 102 already running"]),
            step("suspend a paused", "suspend_guest", vm()).done(),
            step("resume", "resume_guest", vm()).done(),
            step("resume a running", "resume_guest", vm()).done(),
            step("goes on", "get_guest_status", vm()).answers(json!({"status": "running", "qmpstatus": "running"})),
            step("reset", "reset_guest", vm()).done(),
            step("reboot", "reboot_guest", vm()).done(),
            step("runs again", "get_guest_status", vm()).answers(json!({"status": "running"})),
            step("stop", "stop_guest", vm()).done(),
            step("stopped", "get_guest_status", vm()).answers(json!({"status": "stopped"})),
            step("in the list of tasks", "list_tasks", json!({"node": "pve1", "vmid": 102}))
                .answers(json!({"tasks": [{"type": "qmstart", "id": "102", "status": "OK"}, {"type": "qmstop"}]})),
            step("start an unknown", "start_guest", json!({"vmid": 999})).fails(&["999"]),
            step("an unknown, said to be there", "start_guest", json!({"vmid": 999, "node": "pve1", "kind": "qemu"}))
                .fails(&["999"]),
        ],
    )
}

pub fn power_of_a_container() -> Scenario {
    let container = || json!({"vmid": 202});
    scenario(
        "power of a container",
        vec![
            step("stop a stopped", "stop_guest", container()).fails(&["CT 202 not running"]),
            step("shut down a stopped", "shutdown_guest", container()).fails(&["CT 202 not running"]),
            step("reboot a stopped", "reboot_guest", container()).fails(&["VM 202 not running"]),
            step("start", "start_guest", container()).done(),
            step("runs", "get_guest_status", container()).answers(json!({"status": "running"})),
            step("start a running", "start_guest", container()).fails(&["CT 202 already running"]),
            step("reset", "reset_guest", container()).fails(&["container"]),
            step("reboot", "reboot_guest", container()).done(),
            step("stop", "stop_guest", container()).done(),
            step("stopped", "get_guest_status", container()).answers(json!({"status": "stopped"})),
            step("in the list of tasks", "list_tasks", json!({"node": "pve2", "vmid": 202}))
                .answers(json!({"tasks": [{"type": "vzstart", "id": "202", "status": "OK"}, {"type": "vzstop"}]})),
        ],
    )
}

pub fn a_start_that_fails() -> Scenario {
    let world = World {
        failing: &[(102, "no such bridge 'vmbr9'"), (202, "startup for container '202' failed")],
        ..World::default()
    };
    scenario(
        "a start that fails",
        vec![
            step("virtual machine", "start_guest", json!({"vmid": 102}))
                .fails(&["no such bridge 'vmbr9'", "failed"])
                .keeps("upid", "/upid"),
            step("still stopped", "get_guest_status", json!({"vmid": 102})).answers(json!({"status": "stopped"})),
            step("its task", "get_task_status", json!({"upid": "$upid", "include_logs": true}))
                .answers(json!({"status": "stopped", "exitstatus": "no such bridge 'vmbr9'", "type": "qmstart"})),
            step("its log", "get_task_log", json!({"upid": "$upid"}))
                .answers(json!({"lines": ["~TASK ERROR: no such bridge 'vmbr9'"]})),
            step("container", "start_guest", json!({"vmid": 202})).fails(&["startup for container '202' failed"]),
            step("stopped as well", "get_guest_status", json!({"vmid": 202})).answers(json!({"status": "stopped"})),
        ],
    )
    .within(world)
}

pub fn tasks_that_take_a_while() -> Scenario {
    let world = World { slow: true, ..World::default() };
    scenario(
        "tasks that take a while",
        vec![
            step("waited for", "start_guest", json!({"vmid": 102})).done(),
            step("it runs", "get_guest_status", json!({"vmid": 102})).answers(json!({"status": "running"})),
            step("not waited for", "start_guest", json!({"vmid": 202, "wait": 0}))
                .answers(json!({"outcome": "running"}))
                .keeps("upid", "/upid"),
            step("still going on", "get_task_status", json!({"upid": "$upid"})).answers(json!({"status": "running"})),
            step("stopped by hand", "stop_task", json!({"upid": "$upid"})),
            step("ended", "get_task_status", json!({"upid": "$upid"})).answers(json!({"status": "stopped"})),
        ],
    )
    .within(world)
}

pub fn guests_that_are_locked() -> Scenario {
    let world = World { locked: &[(102, "backup"), (202, "backup")], ..World::default() };
    let locked = &["VM is locked (backup)", "qm unlock"];
    let mut steps = vec![step("status", "get_guest_status", json!({"vmid": 102})).answers(json!({"lock": "backup"}))];
    for (vmid, said) in [(102, locked), (202, &["CT is locked (backup)", "pct unlock"])] {
        let name = |vm: &'static str, container: &'static str| if vmid == 102 { vm } else { container };
        let disk = if vmid == 102 { "scsi0" } else { "rootfs" };
        steps.extend([
            step(name("vm: start", "ct: start"), "start_guest", json!({"vmid": vmid})).fails(said),
            step(name("vm: snapshot", "ct: snapshot"), "create_snapshot", json!({"vmid": vmid, "snapname": "before"}))
                .fails(said),
            step(name("vm: resize", "ct: resize"), "resize_disk", json!({"vmid": vmid, "disk": disk, "size": "+1G"}))
                .fails(said),
            step(
                name("vm: config", "ct: config"),
                "update_guest_config",
                json!({"vmid": vmid, "config": {"memory": 1024}}),
            )
            .fails(said),
            step(name("vm: clone", "ct: clone"), "clone_guest", json!({"vmid": vmid, "newid": 140})).fails(said),
            step(name("vm: template", "ct: template"), "convert_to_template", json!({"vmid": vmid})).fails(said),
            step(name("vm: backup", "ct: backup"), "create_backup", json!({"vmid": vmid, "storage": "backup-nas"}))
                .fails(said),
            step(name("vm: delete", "ct: delete"), "delete_guest", json!({"vmid": vmid})).fails(said),
            step(name("vm: still there", "ct: still there"), "get_guest_status", json!({"vmid": vmid}))
                .answers(json!({"status": "stopped", "lock": "backup"})),
        ]);
    }
    scenario("guests that are locked", steps).within(world)
}
