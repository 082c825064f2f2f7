//! What a token may not do is said with the privilege that it lacks.

use crate::script::{Scenario, World, scenario, step};
use serde_json::json;

pub fn an_auditor() -> Scenario {
    let iso = json!({
        "node": "pve1", "storage": "local", "content_type": "iso", "filename": "tiny.iso", "content": "aGVsbG8gd29ybGQ="});
    let steps = vec![
        step("guests", "list_guests", json!({}))
            .answers(json!({"guests": [{"vmid": 100}, {"vmid": 202, "name": "wiki"}]})),
        step("configuration", "get_guest_config", json!({"vmid": 102})).answers(json!({"name": "build-runner"})),
        step("status", "get_guest_status", json!({"vmid": 100})).answers(json!({"status": "running"})),
        step("volumes", "get_storage_content", json!({"node": "pve1", "storage": "local"})),
        step("rules", "list_firewall_rules", json!({"vmid": 102})),
        step("start", "start_guest", json!({"vmid": 102})).fails(&["Permission check failed (/vms/102, VM.PowerMgmt)"]),
        step("stop", "stop_guest", json!({"vmid": 200})).fails(&["Permission check failed (/vms/200, VM.PowerMgmt)"]),
        step("it was not started", "get_guest_status", json!({"vmid": 102})).answers(json!({"status": "stopped"})),
        step("snapshot", "create_snapshot", json!({"vmid": 102, "snapname": "before"}))
            .fails(&["Permission check failed (/vms/102, VM.Snapshot)"]),
        step("configure", "update_guest_config", json!({"vmid": 102, "config": {"memory": 1024}}))
            .fails(&["Permission check failed (/vms/102, VM.Config."]),
        step("resize", "resize_disk", json!({"vmid": 102, "disk": "scsi0", "size": "+1G"}))
            .fails(&["Permission check failed (/vms/102, VM.Config.Disk)"]),
        step("clone", "clone_guest", json!({"vmid": 102, "newid": 140}))
            .fails(&["Permission check failed (/vms/102, VM.Clone)"]),
        step("delete", "delete_guest", json!({"vmid": 102}))
            .fails(&["Permission check failed (/vms/102, VM.Allocate)"]),
        step("create", "create_vm", json!({"node": "pve1", "vmid": 140})).fails(&["Permission check failed"]),
        step("back up", "create_backup", json!({"vmid": 102, "storage": "backup-nas"}))
            .fails(&["Permission check failed (/storage/backup-nas, Datastore.AllocateSpace)"]),
        step("upload", "upload_file", iso).fails(&["403"]),
        step("a rule", "create_firewall_rule", json!({"vmid": 102, "action": "DROP", "rule_type": "in"}))
            .fails(&["Permission check failed (/vms/102, VM.Config.Network)"]),
        step("run", "exec_guest", json!({"vmid": 100, "command": ["id"]}))
            .fails(&["Permission check failed (/vms/100, VM.GuestAgent.Unrestricted)"]),
        step("of an unknown guest", "start_guest", json!({"vmid": 999, "node": "pve1", "kind": "qemu"}))
            .fails(&["999"]),
    ];
    scenario("an auditor", steps).within(World { auditor: true, ..World::default() })
}
