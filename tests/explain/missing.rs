//! Something that does not exist: the near names that do.

use super::*;

#[tokio::test]
async fn the_names_that_exist_are_told() {
    let (_sandbox, engine) = start().await;
    let api = |method: &str, path: &str, params: Value| {
        ("call_api", json!({"method": method, "path": path, "params": params}))
    };
    let disk = json!({"node": "pve1", "storage": "local-lmv", "disk_size": "8G"});
    let archive = "backup-nas:backup/vzdump-qemu-100-2024_01_01-12_00_01.vma.zst";
    let cases: Vec<((&str, Value), &[&str])> = vec![
        (("get_node_status", json!({"node": "pve11"})), &["no node `pve11`", "Did you mean `pve1`?"]),
        (
            ("get_storage_content", json!({"node": "pve1", "storage": "locl"})),
            &["no storage `locl`", "`local`?", "backup-nas"],
        ),
        (("create_vm", disk), &["no storage `local-lmv`", "`local-lvm`?"]),
        (
            ("create_backup", json!({"vmid": 100, "storage": "backup-nsa"})),
            &["no storage `backup-nsa`", "`backup-nas`?"],
        ),
        (("rollback_snapshot", json!({"vmid": 100, "snapname": "nope"})), &["no snapshot `nope`", "guest 100"]),
        (
            ("restore_backup", json!({"node": "pve1", "vmid": 300, "volid": archive})),
            &["no volume", "vzdump-qemu-100-2024_01_01-12_00_00"],
        ),
        (("migrate_guest", json!({"vmid": 102, "target": "pve22"})), &["no node `pve22`", "Did you mean `pve2`?"]),
        (("resize_disk", json!({"vmid": 102, "disk": "scsi7", "size": "+1G"})), &["no disk `scsi7`", "scsi0"]),
        (("create_vm", json!({"node": "pve1", "pool": "nopool"})), &["no pool `nopool`"]),
        (api("GET", "/pools/nopool", json!({})), &["no pool `nopool`"]),
        (api("GET", "/access/users/admn@pve", json!({})), &["no user `admn@pve`", "`admin@pve`?"]),
        (api("GET", "/access/roles/PVEAudito", json!({})), &["no role `PVEAudito`", "`PVEAuditor`?"]),
        (
            api("PUT", "/access/acl", json!({"path": "/", "users": "admin@pve", "roles": "PVEAudito"})),
            &["`PVEAuditor`?"],
        ),
        (api("DELETE", "/storage/locla", json!({})), &["no storage `locla`", "`local`?"]),
        (api("GET", "/cluster/firewall/groups/nogroup", json!({})), &["nogroup"]),
    ];
    let mut wrong = Vec::new();
    for ((tool, arguments), parts) in cases {
        let text = refused(&engine, tool, arguments.clone()).await;
        for part in parts.iter().filter(|part| !text.contains(**part)) {
            wrong.push(format!("{tool} {arguments}: `{part}` is missing in: {text}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_listed_is_not_made_up() {
    let (sandbox, engine) = start().await;
    sandbox.set_faults(vec![
        "status=500:storage 'xx' does not exist@GET /nodes/*/storage/*/content".parse().expect("a rule"),
        "status=500:got timeout@GET /nodes/*/storage".parse().expect("a rule"),
        "status=500:got timeout@GET /storage".parse().expect("a rule"),
    ]);
    let (kind, text) = fails(&engine, "get_storage_content", json!({"node": "pve1", "storage": "xx"})).await;
    assert_eq!(kind, FailureKind::NotFound);
    assert!(!text.contains("There are") && !text.contains("none at all"), "{text}");
}

#[tokio::test]
async fn a_call_that_the_host_lacks_is_told_by_version() {
    let (sandbox, engine) = start().await;
    sandbox
        .set_faults(vec!["status=501:Method 'GET /x' not implemented@GET /nodes/pve1/status".parse().expect("a rule")]);
    let text = refused(&engine, "get_node_status", json!({"node": "pve1"})).await;
    has(&text, &["does not have the call", "since version", "node `pve1` runs 9.2", "should have it"]);
}
