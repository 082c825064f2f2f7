//! Ways around a fence, each tried and refused.

use super::*;

#[tokio::test]
async fn another_guests_disk_is_not_attached_by_any_spelling() {
    let fenced = fenced(|flags| flags.fences.allow_guests = list(&["102"])).await;
    let foreign = "local-lvm:vm-200-disk-0";
    for options in [
        json!({ "scsi1": foreign }),
        json!({ "scsi1": format!("file={foreign},discard=on") }),
        json!({ "unused0": foreign }),
        json!({ "scsi1": format!("local-lvm:0,import-from={foreign}") }),
        json!({ "efidisk0": foreign }),
    ] {
        let generic = api("PUT", "/nodes/pve1/qemu/102/config", options.clone());
        refused(&fenced, "call_api", generic, &["guest 200"]).await;
        let asynchronous = api("POST", "/nodes/pve1/qemu/102/config", options);
        refused(&fenced, "call_api", asynchronous, &["guest 200"]).await;
    }
    let through_options = json!({ "vmid": 102, "config": { "scsi1": foreign } });
    refused(&fenced, "update_guest_config", through_options, &["guest 200"]).await;
    let moved = api("POST", "/nodes/pve1/qemu/102/move_disk", json!({ "disk": "scsi0", "target-vmid": 100 }));
    refused(&fenced, "call_api", moved, &["guest 100"]).await;
    let created = api("POST", "/nodes/pve1/qemu", json!({ "vmid": 102, "scsi0": foreign }));
    refused(&fenced, "call_api", created, &["guest 200"]).await;
    let path = api("PUT", "/nodes/pve1/qemu/102/config", json!({ "scsi1": "/dev/sdb" }));
    refused(&fenced, "call_api", path, &["a path of the host"]).await;
}

#[tokio::test]
async fn volumes_are_their_owners() {
    let fenced = fenced(|flags| flags.fences.allow_guests = list(&["102"])).await;
    let content = "/nodes/pve1/storage/local-lvm/content";
    let whole = format!("{content}/local-lvm:vm-200-disk-0");
    refused(&fenced, "call_api", api("DELETE", &whole, json!({})), &["guest 200"]).await;
    let bare = format!("{content}/vm-200-disk-0");
    refused(&fenced, "call_api", api("DELETE", &bare, json!({})), &["guest 200"]).await;
    let backups = ok(&fenced.1, "list_backups", json!({ "node": "pve1", "storage": "backup-nas", "vmid": 100 })).await;
    let volid = backups["backups"][0]["volid"].as_str().unwrap_or_default().to_owned();
    assert!(!volid.is_empty(), "{backups}");
    let (storage, _) = volid.split_once(':').expect("a volume id");
    let path = format!("/nodes/pve1/storage/{storage}/content/{volid}");
    refused(&fenced, "call_api", api("DELETE", &path, json!({})), &["guest 100"]).await;
    refused(&fenced, "call_api", api("PUT", &path, json!({ "protected": 0 })), &["guest 100"]).await;
    let prune = format!("/nodes/pve1/storage/{storage}/prunebackups");
    refused(
        &fenced,
        "call_api",
        api("DELETE", &prune, json!({ "prune-backups": "keep-last=1" })),
        &["Without a guest's id"],
    )
    .await;
    let prune_one = api("DELETE", &prune, json!({ "prune-backups": "keep-last=1", "vmid": 100 }));
    refused(&fenced, "call_api", prune_one, &["guest 100"]).await;
    let restore = json!({ "volid": volid, "vmid": 102, "node": "pve1", "force": true });
    refused(&fenced, "restore_backup", restore, &["guest 100"]).await;
    let restore = api("POST", "/nodes/pve1/qemu", json!({ "archive": volid, "vmid": 102, "force": 1 }));
    refused(&fenced, "call_api", restore, &["guest 100"]).await;
}

#[tokio::test]
async fn many_at_once_are_every_single_one() {
    let fenced = fenced(|flags| flags.fences.deny_guests = list(&["200"])).await;
    let refuse = async |method: &str, path: &str, params: Value| {
        refused(&fenced, "call_api", api(method, path, params), &["guest 200"]).await;
    };
    refuse("POST", "/nodes/pve1/stopall", json!({})).await;
    refuse("POST", "/nodes/pve1/stopall", json!({ "vms": "100,200" })).await;
    refuse("POST", "/nodes/pve1/suspendall", json!({})).await;
    refuse("POST", "/nodes/pve1/migrateall", json!({ "target": "pve2" })).await;
    refuse("POST", "/cluster/bulk-action/guest/shutdown", json!({})).await;
    refuse("POST", "/cluster/bulk-action/guest/shutdown", json!({ "vms": [100, 200] })).await;
    refuse("POST", "/nodes/pve1/vzdump", json!({ "all": 1, "storage": "backup-nas" })).await;
    refuse("POST", "/nodes/pve1/vzdump", json!({ "all": 1, "exclude": "100", "storage": "backup-nas" })).await;
    refuse("POST", "/cluster/backup", json!({ "all": 1, "storage": "backup-nas", "schedule": "daily" })).await;
    refuse("POST", "/nodes/pve1/status", json!({ "command": "reboot" })).await;
    refuse("PUT", "/nodes/pve1/network", json!({})).await;
    allowed(&fenced, "call_api", api("POST", "/nodes/pve1/stopall", json!({ "vms": "100" }))).await;
    let others = json!({ "all": 1, "exclude": "200", "storage": "backup-nas" });
    allowed(&fenced, "call_api", api("POST", "/nodes/pve1/vzdump", others)).await;
}

#[tokio::test]
async fn a_pool_stands_for_its_guests() {
    let fenced = fenced(|flags| flags.fences.deny_guests = list(&["101"])).await;
    let backup = api("POST", "/nodes/pve1/vzdump", json!({ "pool": "production", "storage": "backup-nas" }));
    refused(&fenced, "call_api", backup, &["guest 101"]).await;
    let lab = api("POST", "/nodes/pve2/vzdump", json!({ "pool": "lab", "storage": "backup-nas" }));
    allowed(&fenced, "call_api", lab).await;
}

#[tokio::test]
async fn a_stored_job_is_what_it_names() {
    let fenced = fenced(|flags| flags.fences.deny_guests = list(&["202"])).await;
    let jobs = ok(&fenced.1, "call_api", api("GET", "/cluster/backup", json!({}))).await;
    let all = jobs["data"].as_array().into_iter().flatten().filter(|job| {
        job["all"] == json!(1) || job["vmid"].as_str().is_some_and(|list| list.split(',').any(|id| id == "202"))
    });
    let ids: Vec<String> = all.filter_map(|job| job["id"].as_str().map(str::to_owned)).collect();
    assert!(!ids.is_empty(), "{jobs}");
    for id in ids {
        let path = format!("/cluster/backup/{id}");
        refused(&fenced, "call_api", api("DELETE", &path, json!({})), &["guest 202"]).await;
        refused(&fenced, "call_api", api("PUT", &path, json!({ "enabled": 0 })), &["guest 202"]).await;
    }
}

#[tokio::test]
async fn high_availability_replication_and_tasks_are_about_guests() {
    let fenced = fenced(|flags| flags.fences.allow_guests = list(&["102"])).await;
    let resource = api("POST", "/cluster/ha/resources", json!({ "sid": "vm:100", "state": "stopped" }));
    refused(&fenced, "call_api", resource, &["guest 100"]).await;
    let bare = api("POST", "/cluster/ha/resources", json!({ "sid": "100", "state": "stopped" }));
    refused(&fenced, "call_api", bare, &["guest 100"]).await;
    let relocate = api("POST", "/cluster/ha/resources/ct:200/relocate", json!({ "node": "pve2" }));
    refused(&fenced, "call_api", relocate, &["guest 200"]).await;
    let replicate = api("POST", "/cluster/replication", json!({ "id": "100-0", "type": "local", "target": "pve2" }));
    refused(&fenced, "call_api", replicate, &["guest 100"]).await;
    let upid = "UPID:pve1:0000C123:00112233:65A1B2C3:qmigrate:100:root@pam:";
    refused(&fenced, "stop_task", json!({ "upid": upid }), &["guest 100"]).await;
    let many = "UPID:pve1:0000C123:00112233:65A1B2C3:vzdump::root@pam:";
    refused(&fenced, "stop_task", json!({ "upid": many }), &["cannot be listed", "names no guest"]).await;
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_while_a_fence_is_set() {
    let fenced = fenced(|flags| flags.fences.deny_nodes = list(&["pve9"])).await;
    for (method, path, params) in [
        ("PUT", "/access/acl", json!({ "path": "/", "roles": "Administrator", "users": "x@pve" })),
        ("PUT", "/cluster/options", json!({ "keyboard": "de" })),
        ("PUT", "/storage/local", json!({ "disable": 1 })),
        ("POST", "/nodes/pve1/termproxy", json!({})),
        ("POST", "/nodes/pve1/qemu/102/monitor", json!({ "command": "info" })),
        ("PUT", "/nodes/pve1/disks/wipedisk", json!({ "disk": "/dev/sdb" })),
    ] {
        let shown = format!("{method} {path}");
        match call(&fenced.1, "call_api", api(method, path, params)).await {
            Ok(answer) => panic!("{shown} answered {:?}", answer.content),
            // Consoles do not go this way at all.
            Err(failure) => assert_ne!(failure.kind(), FailureKind::Api, "{shown}: {failure}"),
        }
        assert!(writes(&fenced.0).is_empty(), "{shown}");
    }
    let options = api("PUT", "/cluster/options", json!({ "keyboard": "de" }));
    refused(
        &fenced,
        "call_api",
        options,
        &["PROXMOX_DENY_NODES (--deny-nodes) is pve9", "cannot be listed", "the whole cluster"],
    )
    .await;
}

#[tokio::test]
async fn tags_and_pools_are_not_changed_to_slip_through() {
    let tags = fenced(|flags| flags.fences.deny_tags = list(&["prod"])).await;
    let untag = json!({ "vmid": 100, "config": { "tags": "web" } });
    refused(&tags, "update_guest_config", untag, &["guest 100", "--deny-tags"]).await;
    let delete = api("PUT", "/nodes/pve1/qemu/100/config", json!({ "delete": "tags" }));
    refused(&tags, "call_api", delete, &["guest 100"]).await;
    let enter = api("PUT", "/nodes/pve1/qemu/102/config", json!({ "tags": "prod" }));
    refused(&tags, "call_api", enter, &["guest 102", "as it would be afterwards"]).await;
    allowed(&tags, "call_api", api("PUT", "/nodes/pve1/qemu/102/config", json!({ "tags": "lab" }))).await;
    let allow = fenced(|flags| flags.fences.allow_tags = list(&["lab"])).await;
    let tag = api("PUT", "/nodes/pve1/qemu/102/config", json!({ "tags": "lab" }));
    refused(&allow, "call_api", tag, &["guest 102", "without a tag"]).await;

    let pools = fenced(|flags| flags.fences.allow_pools = list(&["lab"])).await;
    let lab = api("PUT", "/pools", json!({ "poolid": "lab", "vms": "100", "allow-move": 1 }));
    refused(&pools, "call_api", lab, &["guest 100", "in the pool production"]).await;
    let out = api("PUT", "/pools/lab", json!({ "vms": "110", "delete": 1 }));
    refused(&pools, "call_api", out, &["guest 110", "as it would be afterwards", "in no pool"]).await;
    let other = api("PUT", "/pools", json!({ "poolid": "production", "comment": "x" }));
    refused(&pools, "call_api", other, &["the pool production"]).await;
}

#[tokio::test]
async fn copies_stay_inside() {
    let ids = fenced(|flags| flags.fences.allow_guests = list(&["100-199"])).await;
    let out = json!({ "vmid": 102, "newid": 300, "name": "copy" });
    refused(&ids, "clone_guest", out, &["guest 300", "100-199"]).await;
    let into = json!({ "vmid": 200, "newid": 150, "name": "copy" });
    refused(&ids, "clone_guest", into, &["guest 200"]).await;
    let create = json!({ "node": "pve1", "vmid": 300, "name": "new" });
    refused(&ids, "create_vm", create, &["guest 300"]).await;
    allowed(&ids, "clone_guest", json!({ "vmid": 102, "newid": 150, "name": "copy" })).await;

    let tags = fenced(|flags| flags.fences.allow_tags = list(&["web"])).await;
    refused(&tags, "create_vm", json!({ "node": "pve1", "vmid": 300, "name": "new" }), &["guest 300", "without a tag"])
        .await;
    let tagged = json!({ "node": "pve1", "vmid": 300, "name": "new", "tags": "web" });
    allowed(&tags, "create_vm", tagged).await;
    let backups = ok(&tags.1, "list_backups", json!({ "node": "pve1", "storage": "backup-nas", "vmid": 100 })).await;
    let archive = backups["backups"][0]["volid"].as_str().unwrap_or_default().to_owned();
    let restore = json!({ "volid": archive, "vmid": 301, "node": "pve1" });
    refused(&tags, "restore_backup", restore, &["guest 301", "whose tags would come out of a backup"]).await;

    let pools = fenced(|flags| flags.fences.allow_pools = list(&["lab"])).await;
    refused(&pools, "create_vm", json!({ "node": "pve2", "vmid": 300, "name": "new" }), &["guest 300", "in no pool"])
        .await;
    let inside = json!({ "node": "pve2", "vmid": 300, "name": "new", "pool": "lab" });
    allowed(&pools, "create_vm", inside).await;
    refused(&pools, "clone_guest", json!({ "vmid": 110, "newid": 301, "name": "copy" }), &["guest 301", "in no pool"])
        .await;
}

#[tokio::test]
async fn a_node_has_no_second_name() {
    let fenced = fenced(|flags| flags.fences.deny_nodes = list(&["pve1"])).await;
    let local = api("POST", "/nodes/localhost/qemu/102/status/start", json!({}));
    refused(&fenced, "call_api", local, &["localhost"]).await;
    let foreign = api("DELETE", "/nodes/pve1/storage/backup-nas/content/backup-nas:iso/x.iso", json!({}));
    refused(&fenced, "call_api", foreign, &["the node pve1"]).await;
}

#[tokio::test]
async fn state_is_read_afresh() {
    let fenced = fenced(|flags| flags.fences.deny_tags = list(&["frozen"])).await;
    ok(&fenced.1, "list_guests", json!({})).await;
    // Somebody else tags the guest while the listing is still fresh enough for reads.
    let other = Engine::new(Settings { fences: Vec::new(), ..fenced.1.settings().clone() });
    ok(&other, "call_api", api("PUT", "/nodes/pve1/qemu/102/config", json!({ "tags": "frozen" }))).await;
    refused(&fenced, "start_guest", json!({ "vmid": 102 }), &["with the tags frozen"]).await;
}

#[tokio::test]
async fn a_rollback_brings_back_tags_as_well() {
    let fenced = fenced(|flags| flags.fences.deny_tags = list(&["frozen"])).await;
    let config = |params: Value| api("PUT", "/nodes/pve1/qemu/102/config", params);
    let other = Engine::new(Settings { fences: Vec::new(), ..fenced.1.settings().clone() });
    ok(&other, "call_api", config(json!({ "tags": "frozen" }))).await;
    ok(&other, "create_snapshot", json!({ "vmid": 102, "snapname": "before" })).await;
    ok(&other, "call_api", config(json!({ "tags": "lab" }))).await;
    let back = json!({ "vmid": 102, "snapname": "before" });
    refused(&fenced, "rollback_snapshot", back, &["guest 102", "as it would be afterwards", "frozen"]).await;
}

#[tokio::test]
async fn a_disk_that_is_taken_away_is_on_its_storage() {
    let fenced = fenced(|flags| flags.fences.deny_storages = list(&["local-lvm"])).await;
    let config = |params: Value| api("PUT", "/nodes/pve1/qemu/102/config", params);
    refused(&fenced, "call_api", config(json!({ "delete": "scsi0" })), &["the storage local-lvm"]).await;
    refused(&fenced, "resize_disk", json!({ "vmid": 102, "disk": "scsi0", "size": "+1G" }), &["the storage local-lvm"])
        .await;
    refused(&fenced, "create_snapshot", json!({ "vmid": 102, "snapname": "before" }), &["the storage local-lvm"]).await;
    let format = config(json!({ "scsi1": "local-lvm:8" }));
    refused(&fenced, "call_api", format, &["the storage local-lvm"]).await;
    allowed(&fenced, "call_api", config(json!({ "memory": "4096" }))).await;
}

#[tokio::test]
async fn what_the_token_cannot_see_is_not_inside() {
    let fenced = fenced(|flags| flags.fences.deny_pools = list(&["production"])).await;
    let unseen = json!({ "sid": "vm:4711", "state": "started" });
    let resource = api("POST", "/cluster/ha/resources", unseen);
    refused(&fenced, "call_api", resource, &["4711", "cannot see"]).await;
}

#[tokio::test]
async fn other_names_of_a_tool_meet_the_same_fences() {
    let fenced = fenced(|flags| flags.fences.deny_guests = list(&["102"])).await;
    let aliases = proxmox_mcp::catalogue::SURFACES.iter().filter(|surface| {
        surface.tool.routes.iter().any(|route| route.path == "/nodes/{node}/qemu/{vmid}/status/start")
    });
    let mut tried = 0;
    for surface in aliases {
        let spelled = |name: &str| {
            let renamed = surface.rename.iter().find(|(_, canonical)| *canonical == name);
            renamed.map_or(name, |(dialect, _)| dialect).to_owned()
        };
        let arguments = json!({ spelled("vmid"): 102, spelled("node"): "pve1" });
        let answer = fenced.1.call(surface, arguments.as_object(), Default::default()).await;
        let failure = answer.expect_err(surface.name);
        if failure.kind() != FailureKind::BadArguments {
            assert_eq!(failure.kind(), FailureKind::Fenced, "{}: {failure}", surface.name);
            tried += 1;
        }
    }
    assert!(tried > 2, "{tried}");
    assert!(writes(&fenced.0).is_empty());
}

#[tokio::test]
async fn guests_that_stay_together_move_together() {
    let fenced = fenced(|flags| flags.fences.deny_guests = list(&["200"])).await;
    let other = Engine::new(Settings { fences: Vec::new(), ..fenced.1.settings().clone() });
    for sid in ["vm:102", "ct:200"] {
        ok(&other, "call_api", api("POST", "/cluster/ha/resources", json!({ "sid": sid, "state": "ignored" }))).await;
    }
    allowed(&fenced, "migrate_guest", json!({ "vmid": 102, "target": "pve2", "with_local_disks": true })).await;
    let rule =
        json!({ "rule": "pair", "type": "resource-affinity", "affinity": "positive", "resources": "vm:102,ct:200" });
    ok(&other, "call_api", api("POST", "/cluster/ha/rules", rule)).await;
    refused(&fenced, "migrate_guest", json!({ "vmid": 102, "target": "pve1" }), &["guest 200"]).await;
    let managed = api("POST", "/cluster/ha/resources/vm:102/migrate", json!({ "node": "pve1" }));
    refused(&fenced, "call_api", managed, &["guest 200"]).await;
}

#[tokio::test]
async fn a_storage_that_the_api_would_choose_has_to_be_said() {
    let fenced = fenced(|flags| flags.fences.allow_storages = list(&["backup-nas"])).await;
    let backup = api("POST", "/nodes/pve1/vzdump", json!({ "vmid": "102", "remove": 0 }));
    refused(&fenced, "call_api", backup, &["Say `storage`"]).await;
    let job =
        api("POST", "/cluster/backup", json!({ "vmid": "102", "schedule": "daily", "prune-backups": "keep-all=1" }));
    refused(&fenced, "call_api", job, &["Say `storage`"]).await;
}
