//! Backups, and files on storages.

use crate::script::{Scenario, scenario, step};
use serde_json::json;

pub fn backups() -> Scenario {
    scenario(
        "backups",
        vec![
            step("back up", "create_backup", json!({"vmid": 102, "storage": "backup-nas", "notes": "Before the move"}))
                .done()
                .keeps("upid", "/upid"),
            step("its task", "get_task_status", json!({"upid": "$upid"}))
                .answers(json!({"type": "vzdump", "id": "102", "exitstatus": "OK"})),
            step("listed", "list_backups", json!({"node": "pve1", "storage": "backup-nas", "vmid": 102}))
                .answers(json!({"backups": [{"vmid": 102, "notes": "Before the move"}]}))
                .keeps("volid", "/backups/0/volid"),
            step("an unknown storage", "create_backup", json!({"vmid": 102, "storage": "nowhere"})).fails(&["nowhere"]),
            step("a storage for no backups", "create_backup", json!({"vmid": 102, "storage": "local-lvm"}))
                .fails(&["local-lvm"]),
            step("an unknown guest", "create_backup", json!({"vmid": 999, "storage": "backup-nas"})).fails(&["999"]),
            step("restore over it", "restore_backup", json!({"node": "pve1", "volid": "$volid", "vmid": 102}))
                .fails(&["102"]),
            step("restore as another", "restore_backup", json!({"node": "pve1", "volid": "$volid", "vmid": 150}))
                .done(),
            step("restored", "get_guest_config", json!({"vmid": 150}))
                .answers(json!({"name": "build-runner", "cores": 8, "scsi0": "~local-lvm:vm-150-disk-0"})),
            step("overwrite", "restore_backup", json!({"node": "pve1", "volid": "$volid", "vmid": 102, "force": true}))
                .done(),
            step("overwritten", "get_guest_config", json!({"vmid": 102})).answers(json!({"name": "build-runner"})),
            step(
                "restore an unknown",
                "restore_backup",
                json!({
                "node": "pve1", "volid": "backup-nas:backup/vzdump-qemu-102-2020_01_01-00_00_00.vma.zst", "vmid": 151}),
            )
            .fails(&["vzdump-qemu-102-2020_01_01-00_00_00.vma.zst"]),
            step("a container", "create_backup", json!({"vmid": 202, "storage": "backup-nas", "protected": true}))
                .done(),
            step("it is listed", "list_backups", json!({"node": "pve2", "storage": "backup-nas", "vmid": 202}))
                .answers(json!({"backups": [{"vmid": 202, "protected": 1}]}))
                .keeps("archive", "/backups/0/volid"),
            step(
                "restore the container",
                "restore_backup",
                json!({
                "node": "pve2", "volid": "$archive", "vmid": 250, "target_storage": "local-lvm"}),
            )
            .done(),
            step("the restored container", "get_guest_config", json!({"vmid": 250}))
                .answers(json!({"hostname": "wiki", "memory": 2048})),
            step("delete a protected", "delete_backup", json!({"node": "pve2", "volid": "$archive"}))
                .fails(&["protected"]),
            step("delete", "delete_backup", json!({"node": "pve1", "volid": "$volid"})).done(),
            step("gone", "list_backups", json!({"node": "pve1", "storage": "backup-nas", "vmid": 102}))
                .lacks("backups", json!({"notes": "Before the move"})),
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
            step("upload", "upload_file", upload("tiny.iso", json!({}))).done(),
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
                    "other.iso",
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
