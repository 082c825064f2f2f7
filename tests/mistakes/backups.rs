//! Backups, restores and uploads: which endpoint, under which names, and what they must leave alone.

use super::*;

#[tokio::test]
async fn restoring_a_virtual_machine_names_the_node_and_the_archive() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let full = format!("backup-nas:backup/{VM_BACKUP}");
    for (vmid, archive) in [(120, VM_BACKUP), (121, &full[11..]), (122, &full)] {
        let arguments = json!({"node": "pve1", "storage": "backup-nas", "archive": archive, "vmid": vmid});
        ok(&engine, "proxmox_backup_restore", arguments).await;
        let (line, request) = last_write(&sandbox);
        assert_eq!(line, "POST /nodes/pve1/qemu");
        assert_eq!(parameter(&request, "archive"), Some(full.as_str()));
    }
}

#[tokio::test]
async fn restoring_a_container_sends_what_containers_need() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let volid = "backup-nas:backup/vzdump-lxc-200-2024_01_01-12_10_00.tar.zst";
    ok(&engine, "restore_backup", json!({"node": "pve1", "volid": volid, "vmid": 220, "target_storage": "local-lvm"}))
        .await;
    let (line, request) = last_write(&sandbox);
    assert_eq!(line, "POST /nodes/pve1/lxc");
    assert_eq!(parameter(&request, "ostemplate"), Some(volid));
    assert_eq!((parameter(&request, "restore"), parameter(&request, "archive")), (Some("1"), None));
}

#[tokio::test]
async fn a_restore_without_an_id_takes_the_one_of_the_backup() {
    let (sandbox, engine) = start(Tier::Admin).await;
    ok(&engine, "delete_guest", json!({"vmid": 202})).await;
    let arguments = json!({
        "node": "pve2", "storage": "backup-nas", "archive": "vzdump-lxc-202-2026_10_31-02_30_00.tar.zst",
        "target_storage": "local-lvm",
    });
    let answer = ok(&engine, "proxmox_backup_restore", arguments).await;
    assert_eq!(answer["vmid"], 202, "{answer}");
    assert_eq!(parameter(&last_write(&sandbox).1, "vmid"), Some("202"));
}

#[tokio::test]
async fn archives_of_a_backup_server_are_recognised() {
    let (sandbox, engine) = start(Tier::Admin).await;
    for (archive, vmid, line) in [
        ("vm/100/2026-10-01T02:00:00Z", 130, "POST /nodes/pve1/qemu"),
        ("backup/ct/200/2026-10-01T02:05:00Z", 230, "POST /nodes/pve1/lxc"),
    ] {
        let target = "local-lvm";
        let arguments =
            json!({"node": "pve1", "storage": "pbs", "volid": archive, "vmid": vmid, "target_storage": target});
        ok(&engine, "restore_backup", arguments).await;
        let (sent, request) = last_write(&sandbox);
        assert_eq!(sent, line);
        // Where the backup lies is not where the disks go.
        assert_eq!(parameter(&request, "storage"), Some(target));
    }
}

#[tokio::test]
async fn what_is_in_an_archive_without_a_telling_name_is_read_from_the_listing() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let volid = "backup-nas:backup/wiki-before-upgrade.tar.zst";
    ok(&engine, "restore_backup", json!({"node": "pve2", "volid": volid, "vmid": 240, "target_storage": "local-lvm"}))
        .await;
    assert_eq!(last_write(&sandbox).0, "POST /nodes/pve2/lxc");
}

#[tokio::test]
async fn a_restore_over_a_guest_of_the_other_kind_is_refused_before_anything_is_sent() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let arguments = json!({"node": "pve1", "storage": "backup-nas", "volid": VM_BACKUP, "vmid": 200, "force": true});
    let (kind, text) = fails(&engine, "restore_backup", arguments).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["200", "other kind"]);
    nothing_written(&sandbox);
}

#[tokio::test]
async fn no_compression_is_said_as_the_api_says_it() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let backup = |compress: Value| json!({"vmid": 200, "storage": "backup-nas", "compress": compress});
    ok(&engine, "proxmox_backup_create", backup(json!("none"))).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "compress"), Some("0"));
    ok(&engine, "create_backup", backup(json!(0))).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "compress"), Some("0"));
    ok(&engine, "create_backup", backup(Value::Null)).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "compress"), Some("zstd"));
}

#[tokio::test]
async fn a_backup_never_prunes_older_ones() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let before = ok(&engine, "list_backups", json!({"node": "pve1", "storage": "backup-nas"})).await;
    ok(&engine, "create_backup", json!({"vmid": 100, "storage": "backup-nas"})).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "remove"), Some("0"));
    let after = ok(&engine, "list_backups", json!({"node": "pve1", "storage": "backup-nas"})).await;
    assert_eq!(after["total"].as_u64(), before["total"].as_u64().map(|total| total + 1));
}

#[tokio::test]
async fn notes_of_a_backup_are_taken_literally() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let notes = "{{guestname}} of C:\\data\nsecond line";
    ok(&engine, "create_backup", json!({"vmid": 100, "storage": "backup-nas", "notes": notes})).await;
    let (_, request) = last_write(&sandbox);
    let sent = parameter(&request, "notes-template").expect("notes");
    has(sent, &["C:\\\\data\\nsecond line"]);
    assert!(!sent.contains('\n') && !sent.contains("{{guestname}}"), "{sent}");
    let listed = ok(&engine, "list_backups", json!({"node": "pve1", "storage": "backup-nas", "vmid": 100})).await;
    // The API has no way to write two braces, so a space keeps them from being a variable.
    assert_eq!(listed["backups"][0]["notes"], notes.replace("{{", "{ {"), "{listed}");
}

#[tokio::test]
async fn a_file_that_is_there_stays() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let upload = json!({"node": "pve1", "storage": "local", "filename": "ubuntu-22.04.iso", "content": "aXNv", "contentType": "iso"});
    let (kind, text) = fails(&engine, "upload_file", upload).await;
    assert_eq!(kind, FailureKind::Conflict);
    has(&text, &["ubuntu-22.04.iso", "overwrite"]);
    nothing_written(&sandbox);
}
