//! How far a role reaches: below its path, to tokens, to members of pools, to tasks and volumes.

use proxmox_sandbox::Options;
use serde_json::json;

use crate::{ask, bare_token, common::Bench, ids, names, refused, token};

#[tokio::test]
async fn an_entry_reaches_below_its_path_unless_it_says_otherwise() {
    let bench = Bench::start().await;
    let reaching = token(&bench, "reaching", &[("/vms", "PVEVMUser", true)]);
    let staying = token(&bench, "staying", &[("/vms", "PVEVMUser", false)]);
    let hole = token(&bench, "hole", &[("/", "PVEAuditor", true), ("/vms/100", "NoAccess", true)]);
    let list = async |who: &str| ids(&ask(&bench, who, "GET", "/nodes/pve1/qemu", &[]).await);
    assert_eq!(list(&reaching).await, [100, 102, 9000]);
    assert_eq!(list(&staying).await, [] as [u64; 0]);
    assert_eq!(list(&hole).await, [102, 9000]);
    let resources = ask(&bench, &hole, "GET", "/cluster/resources", &[("type", "vm")]).await;
    assert!(!ids(&resources).contains(&100) && ids(&resources).contains(&101));
    let denied = ask(&bench, &hole, "GET", "/nodes/pve1/qemu/100/config", &[]).await;
    assert_eq!(denied.failure(), refused("Permission check failed (/vms/100, VM.Audit)"));
}

#[tokio::test]
async fn a_separate_token_needs_a_role_of_its_own_and_its_users() {
    let bench = Bench::start().await;
    let start = "/nodes/pve1/qemu/102/status/start";
    let secret = bench
        .sandbox
        .with_cluster(|cluster| cluster.add_token("dave@pve", "own", true, &[("/vms", "PVEVMUser", true)]));
    let who = format!("dave@pve!own={secret}");
    let denied = ask(&bench, &who, "POST", start, &[]).await;
    assert_eq!(denied.failure(), refused("Permission check failed (/vms/102, VM.PowerMgmt)"));
    bench.sandbox.with_cluster(|cluster| cluster.grant("dave@pve", "/vms/102", "PVEVMUser", true));
    ask(&bench, &who, "POST", start, &[]).await.upid();
    // The usual way out: a token that is not separate has what its user has.
    bench.put("/access/users/dave@pve/token/own", &[("privsep", "0")]).await.data();
    assert_eq!(ids(&ask(&bench, &who, "GET", "/nodes/pve1/qemu", &[]).await), [102]);
}

#[tokio::test]
async fn members_of_a_pool_come_and_go_with_its_roles() {
    let bench = Bench::start().await;
    let who = token(&bench, "pooled", &[("/pool/production", "PVEVMUser", true)]);
    let all = async || ids(&ask(&bench, &who, "GET", "/cluster/resources", &[("type", "vm")]).await);
    assert_eq!(all().await, [100, 101]);
    bench.put("/pools/production", &[("vms", "202"), ("storage", "backup-nas")]).await.data();
    assert_eq!(all().await, [100, 101, 202]);
    bench.put("/pools/production", &[("vms", "100"), ("delete", "1")]).await.data();
    assert_eq!(all().await, [101, 202]);
    bench
        .put("/access/acl", &[("path", "/pool/production"), ("users", "pooled@pve"), ("roles", "PVEDatastoreUser")])
        .await
        .data();
    let storages = ask(&bench, &who, "GET", "/storage", &[]).await;
    assert_eq!(names(&storages, "storage"), ["backup-nas"]);
    let members = [("path", "/vms/101"), ("users", "pooled@pve"), ("roles", "NoAccess")];
    bench.put("/access/acl", &members).await.data();
    assert_eq!(all().await, [202]);
    // Through a group: alice is an operator.
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token("alice@pve", "own", false, &[]));
    let alice = format!("alice@pve!own={secret}");
    assert_eq!(ids(&ask(&bench, &alice, "GET", "/nodes/pve2/lxc", &[]).await), [202]);
}

#[tokio::test]
async fn tasks_of_others_are_told_to_who_may_look_at_the_node() {
    let bench = Bench::start().await;
    let who = token(&bench, "starter", &[("/vms/102", "PVEVMUser", true)]);
    let bare = bare_token(&bench);
    let auditor = bench.sandbox.auditor_token().to_owned();
    let own = ask(&bench, &who, "POST", "/nodes/pve1/qemu/102/status/start", &[]).await.upid();
    let foreign = bench.post("/nodes/pve1/qemu/9000/status/start", &[]).await.upid();
    let list = ask(&bench, &who, "GET", "/nodes/pve1/tasks", &[("source", "all")]).await;
    assert_eq!((names(&list, "upid"), &list.body["total"]), (vec![own.as_str()], &json!(1)));
    assert_eq!(names(&ask(&bench, &who, "GET", "/cluster/tasks", &[]).await, "upid"), [own.as_str()]);
    let task = |upid: &str, part: &str| format!("/nodes/pve1/tasks/{upid}{part}");
    assert_eq!(ask(&bench, &who, "GET", &task(&own, "/status"), &[]).await.status, 200);
    assert_eq!(ask(&bench, &who, "GET", &task(&own, "/log"), &[]).await.status, 200);
    let denied = refused("Permission check failed (/nodes/pve1, Sys.Audit)");
    for part in ["/status", "/log"] {
        assert_eq!(ask(&bench, &bare, "GET", &task(&foreign, part), &[]).await.failure(), denied);
        assert_eq!(ask(&bench, &auditor, "GET", &task(&foreign, part), &[]).await.status, 200);
    }
    let stop = ask(&bench, &auditor, "DELETE", &task(&foreign, ""), &[]).await;
    assert_eq!(stop.failure(), refused("Permission check failed (/nodes/pve1, Sys.Modify)"));
    let unknown =
        ask(&bench, &bare, "GET", &task("UPID:pve1:00000001:00000001:00000001:x:1:root@pam:", "/status"), &[]).await;
    assert_eq!(unknown.error("upid"), "no such task");
}

#[tokio::test]
async fn content_shows_what_may_be_used() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let content = async |who: &str, storage: &str| {
        let answer = ask(&bench, who, "GET", &format!("/nodes/pve1/storage/{storage}/content"), &[]).await;
        names(&answer, "volid").iter().map(|volid| (*volid).to_owned()).collect::<Vec<_>>()
    };
    // Who only looks sees installers and templates, and no disks and no backups.
    assert!(content(&auditor, "local").await.contains(&"local:iso/ubuntu-22.04.iso".to_owned()));
    assert_eq!(content(&auditor, "local-lvm").await, [] as [&str; 0]);
    assert_eq!(content(&auditor, "pbs").await, [] as [&str; 0]);
    let who = token(&bench, "owner", &[("/storage", "PVEDatastoreUser", true), ("/vms/200", "PVEVMAdmin", true)]);
    assert_eq!(content(&who, "local-lvm").await, ["local-lvm:vm-200-disk-0"]);
    assert_eq!(content(&who, "pbs").await, ["pbs:backup/ct/200/2026-10-01T02:05:00Z"]);
    let other = ask(&bench, &who, "GET", "/nodes/pve1/storage/local-lvm/content/vm-100-disk-0", &[]).await;
    assert_eq!(other.failure(), refused("Permission check failed (/vms/100, VM.Config.Disk)"));
    let snippet = ask(&bench, &who, "GET", "/nodes/pve1/storage/local/content/snippets%2Fcloud-init.yaml", &[]).await;
    assert_eq!(snippet.failure(), (500, "missing privileges to access local:snippets/cloud-init.yaml"));
}

#[tokio::test]
async fn a_backup_of_a_guest_that_may_not_be_backed_up_fails_as_a_task() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let who = token(&bench, "saver", &[("/storage", "PVEDatastoreUser", true), ("/vms/102", "PVEVMUser", true)]);
    let run = async |params: &[(&str, &str)]| {
        let answer = ask(&bench, &who, "POST", "/nodes/pve1/vzdump", params).await;
        bench.wait(&answer).await
    };
    let (status, _) = run(&[("vmid", "100"), ("storage", "backup-nas")]).await;
    assert_eq!(status, "Permission check failed (/vms/100, VM.Backup)");
    let (status, log) = run(&[("all", "1"), ("storage", "backup-nas")]).await;
    assert_eq!(status, "OK");
    let guests: Vec<&String> = log.iter().filter(|line| line.starts_with("INFO: Starting Backup")).collect();
    assert_eq!(guests, ["INFO: Starting Backup of VM 102 (qemu)"]);
}

/// A change in a task finds out about drives when it comes to them; a change at once says it at once.
#[tokio::test]
async fn drives_are_checked_when_they_are_changed() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let who = token(&bench, "reader", &[("/vms/110", "PVEVMUser", true)]);
    let path = "/nodes/pve2/qemu/110/config";
    let change = [("delete", "scsi0")];
    let text = "Permission check failed (/vms/110, VM.Config.Disk)";
    assert_eq!(ask(&bench, &who, "PUT", path, &change).await.failure(), refused(text));
    let answer = ask(&bench, &who, "POST", path, &change).await;
    assert_eq!(bench.wait(&answer).await.0, text);
    assert!(bench.get(path).await.data()["scsi0"].is_string());
}
