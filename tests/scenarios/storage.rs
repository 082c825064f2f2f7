//! Backups, and files on storages.

use crate::script::{Scenario, scenario, step};
use serde_json::json;

pub fn backups_are_made() -> Scenario {
    scenario(
        "backups are made",
        vec![
            step("back up", "create_backup", json!({"vmid": 102, "storage": "backup-nas", "notes": "Before the move"}))
                .answers(json!({"outcome": "ok", "volid": "~backup-nas:backup/vzdump-qemu-102-"}))
                .keeps("upid", "/upid")
                .keeps("volid", "/volid"),
            step("its task", "get_task_status", json!({"upid": "$upid"}))
                .answers(json!({"type": "vzdump", "id": "102", "exitstatus": "OK"})),
            step("listed", "list_backups", json!({"node": "pve1", "storage": "backup-nas", "vmid": 102}))
                .answers(json!({"backups": [{"vmid": 102, "notes": "Before the move"}]})),
            step("restore the answered", "restore_backup", json!({"node": "pve1", "volid": "$volid", "vmid": 150}))
                .done(),
            step("a container", "create_backup", json!({"vmid": 202, "storage": "backup-nas", "protected": true}))
                .done(),
            step("the container listed", "list_backups", json!({"node": "pve2", "storage": "backup-nas", "vmid": 202}))
                .answers(json!({"backups": [{"vmid": 202, "protected": true}]})),
            step("an unknown storage", "create_backup", json!({"vmid": 102, "storage": "nowhere"}))
                .fails(&["storage 'nowhere' does not exist"]),
            step("a storage for no backups", "create_backup", json!({"vmid": 102, "storage": "local-lvm"}))
                .fails(&["local-lvm"]),
            step("an unknown guest", "create_backup", json!({"vmid": 999, "storage": "backup-nas"})).fails(&["999"]),
        ],
    )
}

pub fn backups_are_restored() -> Scenario {
    let archive = "backup-nas:backup/vzdump-qemu-100-2026_10_31-02_00_00.vma.zst";
    let container = "backup-nas:backup/vzdump-lxc-202-2026_10_31-02_30_00.tar.zst";
    let restore = |volid: &str, vmid: u32, more: serde_json::Value| {
        let mut arguments = json!({"node": "pve1", "volid": volid, "vmid": vmid});
        if let (Some(all), Some(more)) = (arguments.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        arguments
    };
    let of = |vmid: u32| json!({"node": "pve1", "storage": "backup-nas", "vmid": vmid});
    scenario(
        "backups are restored",
        vec![
            step("of the machine", "list_backups", of(100))
                .answers(json!({"backups": [{"volid": archive, "kind": "qemu"}]})),
            step("of the container", "list_backups", of(202))
                .answers(json!({"backups": [{"volid": container, "vmid": 202}]})),
            step("over a machine", "restore_backup", restore(archive, 100, json!({})))
                .fails(&["the id is taken by 100", "Nothing was sent"]),
            step("over one of the other kind", "restore_backup", restore(archive, 202, json!({"force": true})))
                .fails(&["202"]),
            step("over a running one", "restore_backup", restore(archive, 100, json!({"force": true})))
                .fails(&["running"]),
            step("as another", "restore_backup", restore(archive, 150, json!({}))).done(),
            step("the machine", "get_guest_config", json!({"vmid": 150}))
                .answers(json!({"name": "web-server", "cores": 4, "scsi0": "~local-lvm:vm-150-disk-0"})),
            step("over a stopped one", "restore_backup", restore(archive, 102, json!({"force": true}))).done(),
            step("overwritten", "get_guest_config", json!({"vmid": 102}))
                .answers(json!({"name": "web-server", "cores": 4})),
            step(
                "of an unknown archive",
                "restore_backup",
                restore("backup-nas:backup/vzdump-qemu-100-2020_01_01-00_00_00.vma.zst", 151, json!({})),
            )
            .fails(&["vzdump-qemu-100-2020_01_01-00_00_00.vma.zst"]),
            step(
                "the container as another",
                "restore_backup",
                restore(container, 250, json!({"target_storage": "local-lvm"})),
            )
            .done(),
            step("the container", "get_guest_config", json!({"vmid": 250}))
                .answers(json!({"hostname": "wiki", "memory": 2048})),
            step(
                "delete a protected",
                "delete_backup",
                json!({
                "node": "pve1", "volid": "backup-nas:backup/wiki-before-upgrade.tar.zst"}),
            )
            .fails(&["protected"]),
            step("delete", "delete_backup", json!({"node": "pve1", "volid": archive})).done(),
            step("gone", "list_backups", of(100)).lacks("backups", json!({"volid": archive})),
        ],
    )
}

pub fn files() -> Scenario {
    let content = |storage: &str| json!({"node": "pve1", "storage": storage, "content": "iso"});
    let upload = |name: &str, more: serde_json::Value| {
        let mut arguments = json!({
            "node": "pve1", "storage": "local", "content_type": "iso", "filename": name, "content": "aGVsbG8gd29ybGQ="});
        if let (Some(all), Some(more)) = (arguments.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        arguments
    };
    scenario(
        "files",
        vec![
            step("there at the start", "get_storage_content", content("local"))
                .answers(json!({"volumes": [{"volid": "local:iso/debian-12.7.0-amd64-netinst.iso"}]})),
            step("upload", "upload_file", upload("tiny.iso", json!({})))
                .answers(json!({"outcome": "ok", "volid": "local:iso/tiny.iso"})),
            step("it is there", "get_storage_content", content("local"))
                .answers(json!({"volumes": [{"volid": "local:iso/tiny.iso", "size": 11, "format": "iso"}]})),
            step("again", "upload_file", upload("tiny.iso", json!({}))).fails(&["exists", "overwrite"]),
            step("over it", "upload_file", upload("tiny.iso", json!({"overwrite": true}))).done(),
            step("a wrong ending", "upload_file", upload("tiny.txt", json!({}))).fails(&["wrong file extension"]),
            step(
                "a wrong checksum",
                "upload_file",
                upload(
                    "other.iso",
                    json!({
                "checksum": "0".repeat(64), "checksum_algorithm": "sha256"}),
                ),
            )
            .fails(&["checksum mismatch"]),
            step(
                "a right checksum",
                "upload_file",
                upload(
                    "checked.iso",
                    json!({
                "checksum": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
                "checksum_algorithm": "sha256"}),
                ),
            )
            .done(),
            step("an unknown storage", "upload_file", upload("tiny.iso", json!({"storage": "nowhere"})))
                .fails(&["nowhere"]),
            step("a storage for other things", "upload_file", upload("tiny.iso", json!({"storage": "local-lvm"})))
                .fails(&["local-lvm"]),
            step("what an unknown storage holds", "get_storage_content", content("nowhere"))
                .fails(&["storage 'nowhere' does not exist"]),
            step(
                "boot from it",
                "update_guest_config",
                json!({"vmid": 102, "config": {"ide2": "local:iso/tiny.iso,media=cdrom"}}),
            )
            .done(),
            step("it is in the drive", "get_guest_config", json!({"vmid": 102}))
                .answers(json!({"ide2": "~local:iso/tiny.iso"})),
        ],
    )
}
