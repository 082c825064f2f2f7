//! States of the cluster that stand in the way: said as such, with what to do.

use super::*;

#[tokio::test]
async fn a_lock_is_told_with_what_runs_or_how_a_person_takes_it_away() {
    let (sandbox, engine) = start().await;
    sandbox.apply("lock=102:backup".parse().expect("a state")).expect("a guest");
    let change = json!({"vmid": 102, "config": {"cores": 2}});
    let (kind, text) = fails(&engine, "update_guest_config", change.clone()).await;
    assert_eq!(kind, FailureKind::Locked);
    has(&text, &["lock `backup`", "a backup is made", "No task", "`qm unlock 102` on pve1"]);
    // The end of a task says the same.
    let text = refused(&engine, "start_guest", json!({"vmid": 102})).await;
    has(&text, &["lock `backup`", "`qm unlock 102` on pve1"]);
    sandbox.apply("lock=200:mounted".parse().expect("a state")).expect("a guest");
    let text = refused(&engine, "update_guest_config", json!({"vmid": 200, "config": {"cores": 2}})).await;
    has(&text, &["lock `mounted`", "`pct unlock 200` on pve1"]);
    sandbox.apply("lock=102:suspended".parse().expect("a state")).expect("a guest");
    let text = refused(&engine, "update_guest_config", change).await;
    has(&text, &["its state lies on disk", "start_guest"]);
}

#[tokio::test]
async fn the_task_that_holds_a_guest_is_named() {
    let (sandbox, engine) = start().await;
    sandbox.with_cluster(|cluster| cluster.set_task_time(1000.0));
    let begun = ok(&engine, "create_snapshot", json!({"vmid": 102, "snapname": "before", "wait": 0})).await;
    let text = refused(&engine, "update_guest_config", json!({"vmid": 102, "config": {"cores": 2}})).await;
    has(&text, &["qmsnapshot", begun["upid"].as_str().expect("a task"), "get_task_status"]);
    assert!(!text.contains("unlock"), "{text}");
}

#[tokio::test]
async fn no_quorum_says_who_is_missing() {
    let (sandbox, engine) = start().await;
    for state in ["node-offline=pve3", "no-quorum"] {
        sandbox.apply(state.parse().expect("a state")).expect("it can be");
    }
    let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 102})).await;
    assert_eq!(kind, FailureKind::NoQuorum);
    has(&text, &["no quorum", "enough nodes", "Offline of 3 nodes: pve3"]);
}

#[tokio::test]
async fn a_full_storage_says_where_there_is_room() {
    let (sandbox, engine) = start().await;
    sandbox.apply("storage-full=local-lvm".parse().expect("a state")).expect("a storage");
    let disk = json!({"node": "pve1", "storage": "local-lvm", "disk_size": "8G"});
    let text = refused(&engine, "create_vm", disk).await;
    has(&text, &["no room", "Free on pve1: `", "`local-lvm` 0.0 of ", "GiB, for "]);
    sandbox.apply("storage-full=backup-nas".parse().expect("a state")).expect("a storage");
    let text = refused(&engine, "create_backup", json!({"vmid": 100, "storage": "backup-nas"})).await;
    has(&text, &["no room", "`backup-nas` 0.0 of "]);
}

#[tokio::test]
async fn an_offline_node_is_told_as_one() {
    let (sandbox, engine) = start().await;
    sandbox.apply("node-offline=pve2".parse().expect("a state")).expect("a node");
    let (kind, text) = fails(&engine, "get_node_status", json!({"node": "pve2"})).await;
    assert_eq!(kind, FailureKind::NodeOffline);
    has(&text, &["could not reach the node", "`pve2` is offline"]);
}
