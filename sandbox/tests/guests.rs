//! Guests: creation, configuration, power, locks.

mod common;

use common::Bench;
use proxmox_sandbox::Power;
use serde_json::{Value, json};

fn find<'a>(list: &'a Value, key: &str, value: &Value) -> &'a Value {
    let found = list.as_array().and_then(|rows| rows.iter().find(|row| row[key] == *value));
    found.unwrap_or_else(|| panic!("no {key}={value} in {list}"))
}

#[tokio::test]
async fn the_cluster_is_what_the_documentation_says() {
    let bench = Bench::start().await;
    let status = bench.get("/cluster/status").await;
    let row = find(status.data(), "type", &json!("cluster"));
    assert_eq!((&row["name"], &row["quorate"], &row["nodes"]), (&json!("sandbox"), &json!(1), &json!(3)));
    let guests = bench.get("/cluster/resources?type=vm").await;
    let web = find(guests.data(), "vmid", &json!(100));
    assert_eq!((&web["status"], &web["node"], &web["pool"]), (&json!("running"), &json!("pve1"), &json!("production")));
    let named_test = guests.data().as_array().unwrap().iter().filter(|row| row["name"] == "test").count();
    assert_eq!(named_test, 2);
    assert_eq!(bench.get("/cluster/nextid").await.data(), &json!("103"));
    assert_eq!(bench.get("/cluster/nextid?vmid=100").await.error("vmid"), "VM 100 already exists");
}

#[tokio::test]
async fn a_virtual_machine_gets_disks_addresses_and_a_boot_order() {
    let bench = Bench::start().await;
    let form = [
        ("vmid", "300"),
        ("name", "new"),
        ("scsi0", "local-lvm:8,iothread=1"),
        ("ide2", "local:iso/ubuntu-22.04.iso,media=cdrom"),
        ("net0", "virtio,bridge=vmbr0"),
        ("tags", "b;a;B"),
    ];
    let answer = bench.post("/nodes/pve1/qemu", &form).await;
    let at_once = bench.get("/nodes/pve1/qemu/300/config").await;
    let mut keys: Vec<&str> = at_once.data().as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort();
    assert_eq!((keys, &at_once.data()["lock"]), (vec!["digest", "lock"], &json!("create")));
    let (status, log) = bench.wait(&answer).await;
    assert_eq!(status, "OK");
    assert!(log.contains(&"scsi0: successfully created disk 'local-lvm:vm-300-disk-0,iothread=1,size=8G'".to_owned()));
    let config = bench.get("/nodes/pve1/qemu/300/config").await;
    let data = config.data();
    assert_eq!(data["scsi0"], "local-lvm:vm-300-disk-0,iothread=1,size=8G");
    assert_eq!(data["ide2"], "local:iso/ubuntu-22.04.iso,media=cdrom,size=2G");
    assert_eq!((&data["boot"], &data["tags"]), (&json!("order=scsi0;ide2;net0"), &json!("a;b")));
    assert!(data["net0"].as_str().unwrap().starts_with("virtio=BC:24:11:"), "{data}");
    let content = bench.get("/nodes/pve1/storage/local-lvm/content?vmid=300").await;
    assert_eq!(content.data()[0]["size"], 8_589_934_592_u64);
}

#[tokio::test]
async fn what_a_create_call_refuses() {
    let bench = Bench::start().await;
    let create = |form: &'static [(&'static str, &'static str)]| bench.post("/nodes/pve1/qemu", form);
    assert_eq!(
        create(&[("vmid", "100")]).await.failure(),
        (500, "unable to create VM 100 - VM 100 already exists on node 'pve1'")
    );
    assert_eq!(
        create(&[("vmid", "201")]).await.failure(),
        (500, "unable to create VM 201 - CT 201 already exists on node 'pve3'")
    );
    assert_eq!(
        create(&[("vmid", "300"), ("scsi0", "backup-nas:50G")]).await.failure(),
        (500, "unable to parse directory volume name '50G'")
    );
    assert_eq!(
        create(&[("vmid", "300"), ("scsi0", "none-such:1")]).await.failure(),
        (500, "storage 'none-such' does not exist")
    );
    assert_eq!(
        create(&[("vmid", "300"), ("pool", "none-such")]).await.failure(),
        (403, "Permission check failed (pool 'none-such' does not exist)")
    );
    assert_eq!(
        create(&[("vmid", "300"), ("force", "1")]).await.error("archive"),
        "missing property required by 'force'"
    );
    let missing = create(&[("vmid", "300"), ("ide2", "local:iso/none.iso,media=cdrom")]).await;
    let (status, _) = bench.wait(&missing).await;
    assert_eq!(status, "unable to create VM 300 - volume 'local:iso/none.iso' does not exist");
    assert_eq!(
        bench.get("/nodes/pve1/qemu/300/config").await.failure(),
        (500, "Configuration file 'nodes/pve1/qemu-server/300.conf' does not exist")
    );
}

#[tokio::test]
async fn a_container_comes_from_a_template() {
    let bench = Bench::start().await;
    let form = [
        ("vmid", "301"),
        ("ostemplate", "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst"),
        ("storage", "local-lvm"),
        ("hostname", "box"),
        ("net0", "name=eth0,bridge=vmbr0,ip=dhcp"),
        ("password", "secret-1"),
        ("start", "1"),
    ];
    bench.task("/nodes/pve2/lxc", &form).await;
    let config = bench.get("/nodes/pve2/lxc/301/config").await;
    let data = config.data();
    assert_eq!((&data["rootfs"], &data["ostype"]), (&json!("local-lvm:vm-301-disk-0,size=4G"), &json!("debian")));
    assert_eq!(data.get("password"), None);
    assert_eq!(bench.sandbox.with_cluster(|cluster| cluster.power(301)), Some(Power::Running));
    let iso = [("vmid", "302"), ("ostemplate", "local:iso/ubuntu-22.04.iso")];
    assert_eq!(
        bench.post("/nodes/pve2/lxc", &iso).await.failure(),
        (500, "unable to use volume local:iso/ubuntu-22.04.iso - content type needs to be 'vztmpl'")
    );
    assert_eq!(
        bench.post("/nodes/pve1/lxc", &[("vmid", "100"), ("ostemplate", "local:vztmpl/x.tar.gz")]).await.failure(),
        (500, "VM 100 already exists on node 'pve1'")
    );
}

#[tokio::test]
async fn digests_read_differently_per_kind() {
    let bench = Bench::start().await;
    let wrong = [("memory", "1024"), ("digest", "0000000000000000000000000000000000000000")];
    assert_eq!(
        bench.put("/nodes/pve1/qemu/102/config", &wrong).await.failure(),
        (500, "checksum mismatch (file change by other user?)")
    );
    assert_eq!(
        bench.put("/nodes/pve2/lxc/202/config", &wrong).await.failure(),
        (500, "detected modified configuration - file changed by other user? Try again.")
    );
    let config = bench.get("/nodes/pve1/qemu/102/config").await;
    let digest = config.data()["digest"].as_str().unwrap().to_owned();
    let right = [("memory", "1024"), ("digest", digest.as_str())];
    assert_eq!(bench.put("/nodes/pve1/qemu/102/config", &right).await.data(), &Value::Null);
    assert_eq!(bench.put("/nodes/pve1/qemu/102/config", &right).await.status, 500);
}

#[tokio::test]
async fn options_are_deleted_or_refused() {
    let bench = Bench::start().await;
    let config = "/nodes/pve1/qemu/102/config";
    assert_eq!(bench.put(config, &[]).await.failure(), (500, "no options specified"));
    assert_eq!(bench.put(config, &[("delete", "")]).await.failure(), (500, "no options specified"));
    assert_eq!(bench.put(config, &[("delete", "foo")]).await.error("delete"), "unknown option 'foo'");
    assert_eq!(
        bench.put(config, &[("delete", "memory"), ("memory", "64")]).await.error("delete"),
        "you can't use '-memory' and -delete memory' at the same time"
    );
    assert_eq!(bench.put(config, &[("delete", "description")]).await.status, 200);
    assert_eq!(
        bench.put("/nodes/pve2/lxc/202/config", &[("delete", "rootfs")]).await.failure(),
        (500, "unable to delete required option 'rootfs'")
    );
    let log = bench.task(config, &[("description", "x"), ("memory", "64")]).await;
    assert_eq!(log, ["update VM 102: -description x -memory 64", "TASK OK"]);
}

#[tokio::test]
async fn a_running_machine_keeps_changes_for_later() {
    let bench = Bench::start().await;
    let base = "/nodes/pve1/qemu/100";
    bench.put(&format!("{base}/config"), &[("memory", "2048"), ("description", "live")]).await.data();
    let pending = bench.get(&format!("{base}/pending")).await;
    let memory = find(pending.data(), "key", &json!("memory"));
    assert_eq!((&memory["value"], &memory["pending"]), (&json!("4096"), &json!("2048")));
    assert_eq!(bench.get(&format!("{base}/config")).await.data()["memory"], "2048");
    assert_eq!(bench.get(&format!("{base}/config?current=1")).await.data()["memory"], "4096");
    let detach = bench.put(&format!("{base}/config"), &[("delete", "scsi0")]).await;
    assert_eq!(detach.error("scsi0"), "hotplug problem - can't unplug bootdisk 'scsi0'\n");
    bench.put(&format!("{base}/config"), &[("revert", "scsi0,boot")]).await.data();
    bench.task(&format!("{base}/status/stop"), &[]).await;
    assert_eq!(bench.get(&format!("{base}/config?current=1")).await.data()["memory"], "2048");
}

#[tokio::test]
async fn detached_disks_become_unused_and_are_destroyed_from_there() {
    let bench = Bench::start().await;
    let config = "/nodes/pve1/qemu/102/config";
    bench.put(config, &[("scsi1", "local-lvm:2")]).await.data();
    bench.put(config, &[("delete", "scsi1")]).await.data();
    assert_eq!(bench.get(config).await.data()["unused0"], "local-lvm:vm-102-disk-1");
    bench.put(config, &[("delete", "unused0")]).await.data();
    let content = bench.get("/nodes/pve1/storage/local-lvm/content?vmid=102").await;
    assert_eq!(content.data().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn power_differs_between_the_kinds() {
    let bench = Bench::start().await;
    let vm = |action: &str| format!("/nodes/pve1/qemu/{}/status/{action}", if action == "start" { 100 } else { 102 });
    let (status, _) = bench.wait(&bench.post(&vm("start"), &[]).await).await;
    assert_eq!(status, "VM 100 already running");
    for action in ["stop", "shutdown"] {
        assert_eq!(bench.wait(&bench.post(&vm(action), &[]).await).await.0, "OK", "{action}");
    }
    for action in ["reset", "reboot", "suspend", "resume"] {
        assert_eq!(bench.post(&vm(action), &[]).await.failure(), (500, "VM 102 not running"), "{action}");
    }
    let ct = |vmid: u32, action: &str| {
        let node = if vmid == 200 { "pve1" } else { "pve2" };
        format!("/nodes/{node}/lxc/{vmid}/status/{action}")
    };
    assert_eq!(bench.post(&ct(200, "start"), &[]).await.failure(), (500, "CT 200 already running"));
    assert_eq!(bench.post(&ct(202, "stop"), &[]).await.failure(), (500, "CT 202 not running"));
    assert_eq!(bench.post(&ct(202, "reboot"), &[]).await.failure(), (500, "VM 202 not running"));
    let unknown = bench.post("/nodes/pve1/qemu/999/status/start", &[]).await;
    assert_eq!(bench.wait(&unknown).await.0, "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist");
    let template = bench.post("/nodes/pve1/qemu/9000/status/start", &[]).await;
    assert_eq!(bench.wait(&template).await.0, "you can't start a vm if it's a template");
}

#[tokio::test]
async fn pausing_suspending_and_a_guest_that_does_not_listen() {
    let bench = Bench::start().await;
    let base = "/nodes/pve1/qemu/100/status";
    bench.task(&format!("{base}/suspend"), &[]).await;
    let current = bench.get(&format!("{base}/current")).await;
    assert_eq!((&current.data()["status"], &current.data()["qmpstatus"]), (&json!("running"), &json!("paused")));
    bench.task(&format!("{base}/resume"), &[]).await;
    bench.task(&format!("{base}/suspend"), &[("todisk", "1")]).await;
    let current = bench.get(&format!("{base}/current")).await;
    assert_eq!((&current.data()["status"], &current.data()["lock"]), (&json!("stopped"), &json!("suspended")));
    bench.task(&format!("{base}/start"), &[]).await;
    bench.sandbox.with_cluster(|cluster| cluster.set_deaf(100, true));
    let refused = bench.post(&format!("{base}/shutdown"), &[("timeout", "3")]).await;
    assert_eq!(bench.wait(&refused).await.0, "VM quit/powerdown failed - got timeout");
    bench.task(&format!("{base}/shutdown"), &[("timeout", "3"), ("forceStop", "1")]).await;
    assert_eq!(bench.sandbox.with_cluster(|cluster| cluster.power(100)), Some(Power::Stopped));
}

#[tokio::test]
async fn a_second_write_waits_for_the_first() {
    let bench = Bench::start().await;
    bench.post("/nodes/pve1/qemu", &[("vmid", "300")]).await.upid();
    let start = bench.post("/nodes/pve1/qemu/300/status/start", &[]).await;
    let (status, log) = bench.wait(&start).await;
    assert_eq!((status.as_str(), &log[..2]), ("OK", &["trying to acquire lock...".to_owned(), " OK".to_owned()][..]));
    bench.sandbox.with_cluster(|cluster| cluster.set_deaf(300, true));
    bench.post("/nodes/pve1/qemu/300/status/shutdown", &[("timeout", "60")]).await.upid();
    assert_eq!(
        bench.put("/nodes/pve1/qemu/300/config", &[("description", "x")]).await.failure(),
        (500, "can't lock file '/var/lock/qemu-server/lock-300.conf' - got timeout")
    );
    bench.task("/nodes/pve1/qemu/300/status/stop", &[("overrule-shutdown", "1")]).await;
}

#[tokio::test]
async fn a_lock_that_stays_stops_almost_everything() {
    let bench = Bench::start().await;
    bench.sandbox.with_cluster(|cluster| {
        cluster.set_lock(102, Some("backup"));
        cluster.set_lock(202, Some("backup"));
    });
    let (vm, ct) = ("/nodes/pve1/qemu/102", "/nodes/pve2/lxc/202");
    assert_eq!(bench.put(&format!("{vm}/config"), &[("memory", "64")]).await.failure(), (500, "VM is locked (backup)"));
    for (path, form) in [("status/start", &[][..]), ("snapshot", &[("snapname", "xx")][..])] {
        let answer = bench.post(&format!("{vm}/{path}"), form).await;
        assert_eq!(bench.wait(&answer).await.0, "VM is locked (backup)", "{path}");
    }
    assert_eq!(bench.wait(&bench.delete(vm).await).await.0, "VM is locked (backup)");
    assert_eq!(bench.delete(ct).await.failure(), (500, "CT is locked (backup)"));
    let stop = bench.post(&format!("{vm}/status/stop"), &[]).await;
    assert_eq!(bench.wait(&stop).await.0, "OK");
}
