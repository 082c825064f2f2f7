//! Guests come and go.

use crate::script::{Scenario, scenario, step};
use serde_json::json;

pub fn the_life_of_a_virtual_machine() -> Scenario {
    let vm = json!({
        "node": "pve1", "vmid": 120, "name": "shop", "memory": 1024, "cores": 2, "storage": "local-lvm", "disk_size": "8",
        "net0": "virtio,bridge=vmbr0",
    });
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = vm.clone();
        changed[name] = value;
        changed
    };
    scenario(
        "the life of a virtual machine",
        vec![
            step("create", "create_vm", vm.clone()).answers(json!({"outcome": "ok", "vmid": 120})),
            step("listed", "list_guests", json!({})).answers(json!({"guests": [
                {"vmid": 120, "name": "shop", "kind": "qemu", "node": "pve1", "status": "stopped"}]})),
            step("configured", "get_guest_config", json!({"vmid": 120})).answers(json!({"config": {
                "name": "shop", "memory": "1024", "cores": 2, "scsi0": "~local-lvm:vm-120-disk-0", "net0": "~virtio="}})),
            step("create again", "create_vm", vm.clone()).fails(&["VM 120 already exists on node 'pve1'"]),
            step("on an unknown node", "create_vm", with("node", json!("pve9"))).fails(&["pve9"]),
            step("on an unknown storage", "create_vm", json!({
                "node": "pve1", "vmid": 121, "storage": "nowhere", "disk_size": "8"}))
                .fails(&["storage 'nowhere' does not exist"]),
            step("nothing left of it", "list_guests", json!({})).lacks("guests", json!({"vmid": 121})),
            step("in an unknown pool", "create_vm", json!({"node": "pve1", "vmid": 121, "pool": "nowhere"}))
                .fails(&["nowhere"]),
            step("start", "start_guest", json!({"vmid": 120})).done(),
            step("runs", "get_guest_status", json!({"vmid": "shop"})).answers(json!({"status": "running"})),
            step("delete while it runs", "delete_guest", json!({"vmid": 120})).fails(&["VM 120 is running - destroy failed"]),
            step("shut down", "shutdown_guest", json!({"vmid": 120})).done(),
            step("stopped", "get_guest_status", json!({"vmid": 120})).answers(json!({"status": "stopped"})),
            step("protect", "update_guest_config", json!({"vmid": 120, "config": {"protection": true}})).done(),
            step("delete the protected", "delete_guest", json!({"vmid": 120}))
                .fails(&["can't remove VM 120 - protection mode enabled"]),
            step("unprotect", "update_guest_config", json!({"vmid": 120, "delete": ["protection"]})).done(),
            step("delete", "delete_guest", json!({"vmid": 120})).done(),
            step("gone", "list_guests", json!({})).lacks("guests", json!({"vmid": 120})),
            step("delete again", "delete_guest", json!({"vmid": 120})).fails(&["120"]),
        ],
    )
}
