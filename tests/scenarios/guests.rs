//! Guests come and go.

use crate::script::{Scenario, scenario, step};
use serde_json::{Value, json};

pub fn the_life_of_a_virtual_machine() -> Scenario {
    let vm = json!({
        "node": "pve1", "vmid": 120, "name": "shop", "memory": 1024, "cores": 2, "storage": "local-lvm", "disk_size": "8",
        "net0": "virtio,bridge=vmbr0",
    });
    let with = |name: &str, value: Value| {
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
            step("configured", "get_guest_config", json!({"vmid": 120})).answers(json!({
                "name": "shop", "memory": "1024", "cores": 2, "scsi0": "~local-lvm:vm-120-disk-0", "net0": "~virtio="})),
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
            step("protect", "update_guest_config", json!({"vmid": 102, "config": {"protection": true}})).done(),
            step("delete the protected", "delete_guest", json!({"vmid": 102})).fails(&["has protection switched on"]),
            step("unprotect", "update_guest_config", json!({"vmid": 102, "delete": ["protection"]}))
                .fails(&["not confirmed"]),
            step("delete", "delete_guest", json!({"vmid": 120})).done(),
            step("gone", "list_guests", json!({})).lacks("guests", json!({"vmid": 120})),
            step("delete again", "delete_guest", json!({"vmid": 120})).fails(&["120"]),
        ],
    )
}

pub fn the_life_of_a_container() -> Scenario {
    let container = json!({
        "node": "pve1", "vmid": 220, "hostname": "mail", "ostemplate": "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst",
        "storage": "local-lvm", "disk_size": "4", "memory": 256, "net0": "name=eth0,bridge=vmbr0,ip=dhcp",
    });
    let with = |name: &str, value: Value| {
        let mut changed = container.clone();
        changed[name] = value;
        changed
    };
    let other = |name: &str, value: Value| {
        let mut changed = with(name, value);
        changed["vmid"] = json!(221);
        changed
    };
    scenario(
        "the life of a container",
        vec![
            step("create", "create_container", container.clone()).answers(json!({"outcome": "ok", "vmid": 220})),
            step("listed", "list_guests", json!({})).answers(json!({"guests": [
                {"vmid": 220, "name": "mail", "kind": "lxc", "node": "pve1", "status": "stopped"}]})),
            step("configured", "get_guest_config", json!({"vmid": 220})).answers(json!({
                "hostname": "mail", "memory": 256, "rootfs": "~local-lvm:vm-220-disk-0", "net0": "~name=eth0"})),
            step("create again", "create_container", container.clone())
                .fails(&["CT 220 already exists on node 'pve1'"]),
            step("over a virtual machine", "create_container", with("vmid", json!(100)))
                .fails(&["VM 100 already exists"]),
            step("from an unknown template", "create_container", other("ostemplate", json!("local:vztmpl/no.tar.zst")))
                .fails(&["local:vztmpl/no.tar.zst"]),
            step("on an unknown storage", "create_container", other("storage", json!("nowhere")))
                .fails(&["storage 'nowhere' does not exist"]),
            step("nothing left of it", "list_guests", json!({})).lacks("guests", json!({"vmid": 221})),
            step("start", "start_guest", json!({"vmid": 220})).done(),
            step("runs", "get_guest_status", json!({"vmid": "mail"})).answers(json!({"status": "running"})),
            step("delete while it runs", "delete_guest", json!({"vmid": 220}))
                .fails(&["unable to destroy CT 220 - container is running"]),
            step("shut down", "shutdown_guest", json!({"vmid": 220})).done(),
            step("stopped", "get_guest_status", json!({"vmid": 220})).answers(json!({"status": "stopped"})),
            step("protect", "update_guest_config", json!({"vmid": 210, "config": {"protection": true}})).done(),
            step("delete the protected", "delete_guest", json!({"vmid": 210})).fails(&["has protection switched on"]),
            step("unprotect", "update_guest_config", json!({"vmid": 210, "delete": ["protection"]}))
                .fails(&["not confirmed"]),
            step("delete", "delete_guest", json!({"vmid": 220})).done(),
            step("gone", "list_guests", json!({})).lacks("guests", json!({"vmid": 220})),
        ],
    )
}

pub fn copies() -> Scenario {
    scenario(
        "copies",
        vec![
            step("full copy", "clone_guest", json!({"vmid": 102, "newid": 130, "name": "runner-2", "full": true}))
                .done(),
            step("copied", "get_guest_config", json!({"vmid": 130}))
                .answers(json!({"name": "runner-2", "cores": 8, "scsi0": "~local-lvm:vm-130-disk-0"})),
            step("its disk", "get_storage_content", json!({"node": "pve1", "storage": "local-lvm", "vmid": 130}))
                .answers(json!({"volumes": [{"volid": "local-lvm:vm-130-disk-0"}]})),
            step("without a name", "clone_guest", json!({"vmid": 102, "newid": 131})).done(),
            step("named after it", "get_guest_config", json!({"vmid": 131}))
                .answers(json!({"name": "Copy-of-VM-build-runner"})),
            step("to a taken id", "clone_guest", json!({"vmid": 102, "newid": 100}))
                .fails(&["unable to create VM 100: config file already exists"]),
            step("of an unknown guest", "clone_guest", json!({"vmid": 999, "newid": 132})).fails(&["999"]),
            step(
                "to an unknown storage",
                "clone_guest",
                json!({"vmid": 102, "newid": 132, "storage": "nowhere", "full": true}),
            )
            .fails(&["storage 'nowhere' does not exist"]),
            step("linked, of no template", "clone_guest", json!({"vmid": 102, "newid": 132, "full": false}))
                .fails(&["Linked clone feature is not supported for 'local-lvm:vm-102-disk-0' (scsi0)"]),
            step("linked, of a template", "clone_guest", json!({"vmid": 9000, "newid": 133, "full": false})).done(),
            // Thin volumes have no name of their base in theirs, and live on without it.
            step("of thin volumes", "get_guest_config", json!({"vmid": 133}))
                .answers(json!({"scsi0": "~local-lvm:vm-133-disk-0"})),
            step("start a template", "start_guest", json!({"vmid": 9000}))
                .fails(&["you can't start a vm if it's a template"]),
            step(
                "one with files",
                "create_vm",
                json!({
                "node": "pve1", "vmid": 160, "name": "base", "options": {"scsi0": "backup-nas:4,format=qcow2"}}),
            )
            .done(),
            step("make it a template", "convert_to_template", json!({"vmid": 160})).done(),
            step("it is one", "get_guest_config", json!({"vmid": 160}))
                .answers(json!({"template": true, "scsi0": "~backup-nas:160/base-160-disk-0.qcow2"})),
            step("linked, of files", "clone_guest", json!({"vmid": 160, "newid": 161, "full": false})).done(),
            step("on its base", "get_guest_config", json!({"vmid": 161}))
                .answers(json!({"scsi0": "~backup-nas:160/base-160-disk-0.qcow2/161/vm-161-disk-0.qcow2"})),
            step("delete the base", "delete_guest", json!({"vmid": 160}))
                .fails(&["base volume 'backup-nas:160/base-160-disk-0.qcow2' is still in use by linked cloned"]),
            step("delete the linked", "delete_guest", json!({"vmid": 161})).done(),
            step("copy a container", "clone_guest", json!({"vmid": 202, "newid": 230, "name": "wiki-2"})).done(),
            step("the copied container", "get_guest_config", json!({"vmid": 230, "node": "pve2"}))
                .answers(json!({"hostname": "wiki-2", "rootfs": "~local-lvm:vm-230-disk-0", "memory": 2048})),
            step("container to a taken id", "clone_guest", json!({"vmid": 202, "newid": 200}))
                .fails(&["CT 200 already exists"]),
            step("of a running container", "clone_guest", json!({"vmid": 200, "newid": 231}))
                .fails(&["Full clone of a running container is only possible from a snapshot"]),
            step("all that came of it", "list_guests", json!({})).answers(json!({"guests": [
                {"vmid": 130, "name": "runner-2"}, {"vmid": 131}, {"vmid": 230, "name": "wiki-2"}]})),
            step("and no more", "list_guests", json!({})).lacks("guests", json!({"vmid": 132})),
        ],
    )
}

pub fn which_guest_is_meant() -> Scenario {
    scenario(
        "which guest is meant",
        vec![
            step("by number", "get_guest_status", json!({"vmid": 100})).answers(json!({"name": "web-server", "node": "pve1"})),
            step("by name", "get_guest_status", json!({"vmid": "dns"})).answers(json!({"vmid": 200, "kind": "lxc"})),
            step("two of a name", "get_guest_status", json!({"vmid": "test"})).fails(&["110", "210"]),
            step("no such number", "get_guest_status", json!({"vmid": 999})).fails(&["999"]),
            step("no such name", "get_guest_status", json!({"vmid": "nobody"})).fails(&["nobody"]),
            step("on the wrong node", "get_guest_status", json!({"vmid": 100, "node": "pve2"})).fails(&["pve1"]),
            step("of the wrong kind", "get_guest_status", json!({"vmid": 100, "kind": "lxc"})).fails(&["qemu"]),
            step("nodes", "list_nodes", json!({})).answers(json!({"nodes": [
                {"node": "pve1", "status": "online"}, {"node": "pve2"}, {"node": "pve3"}]})),
            step("cluster", "get_cluster_status", json!({})).answers(json!({"quorum": true})),
            step("node", "get_node_status", json!({"node": "pve1"})),
            step("unknown node", "get_node_status", json!({"node": "pve9"})).fails(&["pve9"]),
            step("version", "get_version", json!({})).answers(json!({"release": "~9."})),
            step("storages", "list_storage", json!({"node": "pve1"})).answers(json!({"storages": [
                {"storage": "local", "type": "dir"}, {"storage": "local-lvm", "type": "lvmthin"}, {"storage": "backup-nas"}]})),
        ],
    )
}
