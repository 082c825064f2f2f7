//! What is protected is not destroyed, in no mode, and the protection is not taken away first.

use super::*;

/// A guest with protection switched on.
async fn protected() -> (Sandbox, Engine) {
    let fenced = fenced(|_| {}).await;
    allowed(&fenced, "call_api", api("PUT", "/nodes/pve1/qemu/102/config", json!({ "protection": 1 }))).await;
    fenced
}

#[tokio::test]
async fn protection_keeps_a_guest_from_being_destroyed() {
    let fenced = protected().await;
    let parts = ["protection switched on", "Proxmox web interface"];
    refused(&fenced, "delete_guest", json!({ "vmid": 102 }), &parts).await;
    refused(&fenced, "call_api", api("DELETE", "/nodes/pve1/qemu/102", json!({})), &parts).await;
    let config = |params: Value| api("PUT", "/nodes/pve1/qemu/102/config", params);
    // To take the protection away is asked about, in every mode; with something else that destroys it is refused.
    for away in [json!({ "protection": 0 }), json!({ "delete": "protection" })] {
        let (kind, text) = fails(&fenced.1, "call_api", config(away)).await;
        assert_eq!(kind, FailureKind::Unconfirmed, "{text}");
    }
    refused(&fenced, "call_api", config(json!({ "delete": "protection,scsi0" })), &parts).await;
    refused(&fenced, "call_api", config(json!({ "delete": "scsi0" })), &parts).await;
    let volume = api("DELETE", "/nodes/pve1/storage/local-lvm/content/vm-102-disk-0", json!({}));
    refused(&fenced, "call_api", volume, &parts).await;
    // What neither destroys nor interrupts goes on.
    allowed(&fenced, "start_guest", json!({ "vmid": 102 })).await;
    allowed(&fenced, "create_snapshot", json!({ "vmid": 102, "snapname": "before" })).await;
    refused(&fenced, "rollback_snapshot", json!({ "vmid": 102, "snapname": "before" }), &parts).await;
    // Somebody is asked before it is interrupted, although asking is switched off.
    let (kind, text) = fails(&fenced.1, "stop_guest", json!({ "vmid": 102 })).await;
    assert_eq!(kind, FailureKind::Unconfirmed, "{text}");
}

#[tokio::test]
async fn protected_tags_do_the_same_and_stay() {
    let fenced = fenced(|flags| flags.fences.protected_tags = list(&["prod"])).await;
    refused(&fenced, "delete_guest", json!({ "vmid": 100 }), &["the protected tag `prod`"]).await;
    let untag = api("PUT", "/nodes/pve1/qemu/100/config", json!({ "tags": "web" }));
    refused(&fenced, "call_api", untag, &["the protected tag `prod`", "take it away", "--protected-tags"]).await;
    let delete = api("PUT", "/nodes/pve1/qemu/100/config", json!({ "delete": "tags" }));
    refused(&fenced, "call_api", delete, &["take it away"]).await;
    allowed(&fenced, "call_api", api("PUT", "/nodes/pve1/qemu/100/config", json!({ "tags": "prod;more" }))).await;
    allowed(&fenced, "delete_guest", json!({ "vmid": 102 })).await;
    let (kind, text) = fails(&fenced.1, "stop_guest", json!({ "vmid": 101 })).await;
    assert_eq!(kind, FailureKind::Unconfirmed, "{text}");
}

#[tokio::test]
async fn a_backup_of_a_protected_guest_can_be_restored_beside_it() {
    let fenced = fenced(|flags| flags.fences.protected_tags = list(&["prod"])).await;
    let backups = ok(&fenced.1, "list_backups", json!({ "node": "pve1", "storage": "backup-nas", "vmid": 100 })).await;
    let archive = backups["backups"][0]["volid"].as_str().unwrap_or_default().to_owned();
    allowed(&fenced, "restore_backup", json!({ "volid": archive, "vmid": 301, "node": "pve1" })).await;
    let over = json!({ "volid": archive, "vmid": 100, "node": "pve1", "force": true });
    refused(&fenced, "restore_backup", over, &["Guest 100", "the protected tag `prod`"]).await;
}
