//! What is done with whole guests and their disks: snapshots, clones, moves, migration, templates, deletion.

mod common;

use common::Bench;
use serde_json::{Value, json};

#[tokio::test]
async fn snapshots_are_taken_listed_rolled_back_and_deleted() {
    let bench = Bench::start().await;
    let base = "/nodes/pve1/qemu/102/snapshot";
    bench.task(base, &[("snapname", "one"), ("description", "first")]).await;
    bench.put("/nodes/pve1/qemu/102/config", &[("memory", "512")]).await.data();
    bench.task(base, &[("snapname", "two")]).await;
    let list = bench.get(base).await;
    let names: Vec<&str> = list.data().as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["one", "two", "current"]);
    assert_eq!((&list.data()[0]["vmstate"], &list.data()[1]["parent"]), (&json!(0), &json!("one")));
    assert_eq!((&list.data()[2]["parent"], &list.data()[2]["running"]), (&json!("two"), &json!(0)));
    bench.task(&format!("{base}/one/rollback"), &[]).await;
    assert_eq!(bench.get("/nodes/pve1/qemu/102/config").await.data()["memory"], "8192");
    bench.put(&format!("{base}/one/config"), &[("description", "changed")]).await.data();
    assert_eq!(bench.get(&format!("{base}/one/config")).await.data()["description"], "changed");
    assert_eq!(bench.wait(&bench.delete(&format!("{base}/one")).await).await.0, "OK");
    assert_eq!(bench.wait(&bench.delete(&format!("{base}/one")).await).await.0, "snapshot 'one' does not exist");
    assert_eq!(bench.wait(&bench.post(base, &[("snapname", "two")]).await).await.0, "snapshot name 'two' already used");
    assert_eq!(
        bench.post(base, &[("snapname", "current")]).await.failure(),
        (500, "unable to use snapshot name 'current' (reserved name)")
    );
    assert_eq!(
        bench.post(base, &[("snapname", "x")]).await.error("snapname"),
        "invalid format - invalid configuration ID 'x'\n"
    );
    assert_eq!(bench.get(&format!("{base}/nope/config")).await.failure(), (500, "snapshot 'nope' does not exist"));
}

#[tokio::test]
async fn clones_are_full_or_linked() {
    let bench = Bench::start().await;
    let log = bench.task("/nodes/pve1/qemu/102/clone", &[("newid", "400"), ("name", "copy"), ("full", "1")]).await;
    assert!(log.iter().any(|line| line.starts_with("transferred") && line.ends_with("(100.00%)")), "{log:?}");
    assert_eq!(
        bench.get("/nodes/pve1/qemu/400/config").await.data()["scsi0"],
        "local-lvm:vm-400-disk-0,iothread=1,size=64G"
    );
    bench.task("/nodes/pve1/qemu/9000/clone", &[("newid", "401")]).await;
    let linked = bench.get("/nodes/pve1/qemu/401/config").await;
    // A thin pool keeps no link to the base; a storage of files does, in the volume's name.
    assert_eq!(linked.data()["scsi0"], "local-lvm:vm-401-disk-0,iothread=1,size=10G");
    assert_eq!(linked.data()["name"], "Copy-of-VM-debian-12-template");
    bench.task("/nodes/pve1/qemu", &[("vmid", "410"), ("scsi0", "backup-nas:1,format=qcow2")]).await;
    bench.task("/nodes/pve1/qemu/410/template", &[]).await;
    bench.task("/nodes/pve1/qemu/410/clone", &[("newid", "411")]).await;
    let linked = bench.get("/nodes/pve1/qemu/411/config").await;
    assert_eq!(linked.data()["scsi0"], "backup-nas:410/base-410-disk-0.qcow2/411/vm-411-disk-0.qcow2,size=1G");
    let doomed = bench.wait(&bench.delete("/nodes/pve1/qemu/410").await).await;
    assert_eq!(doomed.0, "base volume 'backup-nas:410/base-410-disk-0.qcow2' is still in use by linked cloned");
    let clone = |form: &'static [(&'static str, &'static str)]| bench.post("/nodes/pve1/qemu/102/clone", form);
    assert_eq!(
        clone(&[("newid", "100")]).await.failure(),
        (500, "unable to create VM 100: config file already exists")
    );
    assert_eq!(
        clone(&[("newid", "402"), ("full", "0")]).await.failure(),
        (500, "Linked clone feature is not supported for 'local-lvm:vm-102-disk-0' (scsi0)")
    );
    assert_eq!(clone(&[("newid", "402"), ("target", "none")]).await.failure(), (500, "no such cluster node 'none'"));
    assert_eq!(
        bench.post("/nodes/pve1/lxc/200/clone", &[("newid", "402"), ("full", "1")]).await.failure(),
        (500, "Full clone of a running container is only possible from a snapshot")
    );
    bench.task("/nodes/pve2/lxc/202/clone", &[("newid", "403"), ("hostname", "wiki2")]).await;
    assert_eq!(bench.get("/nodes/pve2/lxc/403/config").await.data()["hostname"], "wiki2");
}

#[tokio::test]
async fn disks_grow_and_move() {
    let bench = Bench::start().await;
    let vm = "/nodes/pve1/qemu/102";
    let resize = async |size: &str| {
        let answer = bench.put(&format!("{vm}/resize"), &[("disk", "scsi0"), ("size", size)]).await;
        bench.wait(&answer).await.0
    };
    assert_eq!(resize("+1G").await, "OK");
    assert_eq!(resize("1G").await, "shrinking disks is not supported");
    assert_eq!(bench.get(&format!("{vm}/config")).await.data()["scsi0"], "local-lvm:vm-102-disk-0,iothread=1,size=65G");
    let unit = bench.put(&format!("{vm}/resize"), &[("disk", "scsi0"), ("size", "+1g")]).await;
    assert_eq!(unit.error("size"), "value does not match the regex pattern");
    bench.task(&format!("{vm}/move_disk"), &[("disk", "scsi0"), ("storage", "backup-nas"), ("format", "qcow2")]).await;
    let config = bench.get(&format!("{vm}/config")).await;
    assert_eq!(config.data()["scsi0"], "backup-nas:102/vm-102-disk-0.qcow2,iothread=1,size=65G");
    assert_eq!(config.data()["unused0"], "local-lvm:vm-102-disk-0");
    assert_eq!(
        bench.post(&format!("{vm}/move_disk"), &[("disk", "scsi0"), ("storage", "backup-nas")]).await.failure(),
        (500, "you can't move to the same storage with same format")
    );
    let ct = "/nodes/pve2/lxc/202";
    assert_eq!(
        bench.put(&format!("{ct}/resize"), &[("disk", "rootfs"), ("size", "512M")]).await.failure(),
        (500, "unable to shrink disk size")
    );
    bench.task(&format!("{ct}/move_volume"), &[("volume", "rootfs"), ("storage", "backup-nas"), ("delete", "1")]).await;
    assert_eq!(bench.get(&format!("{ct}/config")).await.data()["rootfs"], "backup-nas:202/vm-202-disk-0.raw,size=16G");
}

#[tokio::test]
async fn migration_moves_the_guest() {
    let bench = Bench::start().await;
    let preconditions = bench.get("/nodes/pve1/qemu/100/migrate").await;
    assert_eq!(preconditions.data()["allowed_nodes"], json!(["pve2", "pve3"]));
    assert_eq!(preconditions.data()["local_disks"][0]["volid"], "local-lvm:vm-100-disk-0");
    let migrate = |form: &'static [(&'static str, &'static str)]| bench.post("/nodes/pve1/qemu/100/migrate", form);
    assert_eq!(migrate(&[("target", "pve1")]).await.error("target"), "target is local node.");
    assert_eq!(migrate(&[("target", "none")]).await.failure(), (500, "no such cluster node 'none'"));
    assert_eq!(migrate(&[("target", "pve2")]).await.failure(), (500, "can't migrate running VM without --online"));
    let without = migrate(&[("target", "pve2"), ("online", "1")]).await;
    assert_eq!(bench.wait(&without).await.0, "can't live migrate attached local disks without with-local-disks option");
    bench.task("/nodes/pve1/qemu/100/migrate", &[("target", "pve2"), ("online", "1"), ("with-local-disks", "1")]).await;
    assert_eq!(bench.get("/nodes/pve2/qemu/100/status/current").await.data()["status"], "running");
    assert_eq!(bench.get("/nodes/pve1/qemu/100/config").await.status, 500);
    bench.task("/nodes/pve1/lxc/200/migrate", &[("target", "pve3"), ("restart", "1")]).await;
    let node = bench.sandbox.with_cluster(|cluster| cluster.node_of(200).map(str::to_owned));
    assert_eq!(node.as_deref(), Some("pve3"));
}

#[tokio::test]
async fn templates_are_made_once() {
    let bench = Bench::start().await;
    bench.task("/nodes/pve1/qemu/102/template", &[]).await;
    let config = bench.get("/nodes/pve1/qemu/102/config").await;
    assert_eq!(
        (&config.data()["template"], &config.data()["scsi0"]),
        (&json!(1), &json!("local-lvm:base-102-disk-0,iothread=1,size=64G"))
    );
    assert_eq!(
        bench.post("/nodes/pve1/qemu/102/template", &[]).await.failure(),
        (500, "you can't convert a template to a template")
    );
    assert_eq!(
        bench.post("/nodes/pve1/qemu/100/template", &[]).await.failure(),
        (500, "unable to create template, because VM contains snapshots")
    );
    // Of a container there is no task to wait for, but one runs.
    assert_eq!(bench.post("/nodes/pve2/lxc/202/template", &[]).await.data(), &Value::Null);
    assert_eq!(bench.get("/nodes/pve2/lxc/202/config").await.data().get("template"), None);
    for _ in 0..3 {
        bench.get("/version").await;
    }
    assert_eq!(bench.get("/nodes/pve2/lxc/202/config").await.data()["template"], 1);
}

#[tokio::test]
async fn deleting_takes_away_what_belongs_to_the_guest() {
    let bench = Bench::start().await;
    assert_eq!(bench.delete("/nodes/pve1/qemu/100").await.failure(), (500, "VM 100 is running - destroy failed"));
    assert_eq!(
        bench.delete("/nodes/pve1/lxc/200").await.failure(),
        (500, "unable to destroy CT 200 - container is running")
    );
    assert_eq!(bench.delete("/nodes/pve1/qemu/999").await.status, 500);
    bench.task("/nodes/pve1/qemu/100/status/stop", &[]).await;
    bench.put("/nodes/pve1/qemu/100/config", &[("protection", "1")]).await.data();
    assert_eq!(
        bench.delete("/nodes/pve1/qemu/100").await.failure(),
        (500, "can't remove VM 100 - protection mode enabled")
    );
    bench.put("/nodes/pve1/qemu/100/config", &[("protection", "0")]).await.data();
    let answer = bench.delete("/nodes/pve1/qemu/100?purge=1").await;
    let (_, log) = bench.wait(&answer).await;
    assert_eq!(log[0], "purging VM 100 from related configurations..");
    assert_eq!(bench.get("/cluster/backup/nightly").await.data()["vmid"], "101,202");
    assert_eq!(bench.get("/nodes/pve1/storage/local-lvm/content?vmid=100").await.data(), &json!([]));
    let members = bench.get("/pools?poolid=production").await;
    assert_eq!(members.data()[0]["members"].as_array().unwrap().len(), 1);
    let forced = bench.delete("/nodes/pve1/lxc/200?force=1").await;
    assert_eq!(bench.wait(&forced).await.1[0], "forced to stop CT 200 before destroying!");
}
