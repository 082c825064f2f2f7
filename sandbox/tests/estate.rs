//! What belongs to no guest: networks of nodes and of the datacenter, high availability, mappings, notifications,
//! disks, services. Answers and texts are those that a real server gave, where it gave any.

mod common;

use common::Bench;
use proxmox_sandbox::Options;
use serde_json::{Value, json};

const CHANGED: &str = "detected modified configuration - file changed by other user? Try again.";

async fn bench() -> Bench {
    Bench::with(Options { task_time: 0.0, ..Options::default() }).await
}

/// The row of a list with this value in this field.
fn row<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    list.as_array().expect("a list").iter().find(|row| row[field] == value).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_nodes_network_waits_until_it_is_applied() {
    let bench = bench().await;
    let network = "/nodes/pve1/network";
    let before = bench.get(network).await;
    assert_eq!(before.body.get("changes"), None);
    bench
        .post(network, &[("iface", "vmbr9"), ("type", "bridge"), ("autostart", "1"), ("comments", "obs")])
        .await
        .data();
    let clash = bench.post(network, &[("iface", "vmbr9"), ("type", "bridge")]).await;
    assert_eq!(clash.error("iface"), "interface already exists");
    let waiting = bench.get(network).await;
    let bridge = json!({
        "iface": "vmbr9", "type": "bridge", "method": "manual", "method6": "manual", "families": ["inet"], "autostart": 1,
        "bridge_ports": "", "bridge_stp": "off", "bridge_fd": "0", "priority": 5, "comments": "obs\n",
    });
    assert_eq!(row(waiting.data(), "iface", "vmbr9"), &bridge);
    let diff = waiting.body["changes"].as_str().expect("a diff");
    assert!(diff.starts_with("--- /etc/network/interfaces"), "{diff}");
    assert!(diff.contains("+auto vmbr9\n+iface vmbr9 inet manual\n"), "{diff}");
    bench.delete(network).await.data();
    assert_eq!(bench.get(network).await.body, before.body);
    assert_eq!(bench.get(&format!("{network}/vmbr9")).await.error("iface"), "interface does not exist");

    let form = [("iface", "vmbr8"), ("type", "bridge"), ("cidr", "198.51.100.2/24"), ("bridge_vlan_aware", "1")];
    bench.post(network, &form).await.data();
    bench.wait(&bench.put(network, &[]).await).await;
    let applied = bench.get(network).await;
    assert_eq!(applied.body.get("changes"), None);
    let bridge = row(applied.data(), "iface", "vmbr8");
    assert_eq!(
        (&bridge["active"], &bridge["address"], &bridge["netmask"]),
        (&json!(1), &json!("198.51.100.2"), &json!("24"))
    );
    assert_eq!((&bridge["method"], &bridge["bridge_vlan_aware"]), (&json!("static"), &json!(1)));
}

#[tokio::test]
async fn an_interface_that_is_changed_without_its_address_loses_it() {
    let bench = bench().await;
    let path = "/nodes/pve1/network/vmbr0";
    assert_eq!(bench.get(path).await.data()["address"], "192.0.2.11");
    bench.put(path, &[("type", "bridge"), ("comments", "no address")]).await.data();
    let changed = bench.get(path).await;
    assert_eq!((&changed.data()["method"], &changed.data()["address"]), (&json!("manual"), &Value::Null));
    let diff = bench.get("/nodes/pve1/network").await.body["changes"].as_str().unwrap_or_default().to_owned();
    assert!(diff.contains("-\taddress 192.0.2.11/24\n"), "{diff}");
    // A card that is built in cannot be got rid of.
    bench.delete("/nodes/pve1/network/eno1").await.data();
    assert_eq!(bench.get("/nodes/pve1/network/eno1").await.data()["exists"], 1);
}

#[tokio::test]
async fn there_is_one_default_gateway_and_a_port_has_one_bridge() {
    let bench = bench().await;
    let network = "/nodes/pve1/network";
    let second = [("iface", "vmbr8"), ("type", "bridge"), ("cidr", "198.51.100.2/24"), ("gateway", "198.51.100.1")];
    let text = bench.post(network, &second).await;
    assert_eq!(text.error("gateway"), "Default gateway already exists on interface 'vmbr0'.");
    let taken = bench.post(network, &[("iface", "vmbr8"), ("type", "bridge"), ("bridge_ports", "eno1")]).await;
    assert_eq!(taken.error("bridge_ports"), "Port 'eno1' is already used on interface 'vmbr0'.");
    let bridges = bench.get(&format!("{network}?type=any_bridge")).await;
    assert!(bridges.data().as_array().is_some_and(|rows| rows.iter().all(|row| row["type"] == "bridge")));
}

#[tokio::test]
async fn resources_of_high_availability_are_guests() {
    let bench = bench().await;
    let resources = "/cluster/ha/resources";
    bench.post(resources, &[("sid", "vm:102"), ("state", "ignored")]).await.data();
    let item = bench.get(&format!("{resources}/102")).await;
    let digest = item.data()["digest"].clone();
    assert_eq!(item.data(), &json!({ "sid": "vm:102", "type": "vm", "state": "ignored", "digest": digest }));
    let failures = [
        ("vm:102", "create resource failed: resource ID 'vm:102' already defined"),
        ("vm:2999", "resource 'vm:2999' does not exist in cluster"),
        ("foo:1", "unknown section type 'foo'"),
    ];
    for (sid, text) in failures {
        assert_eq!(bench.post(resources, &[("sid", sid)]).await.failure(), (500, text));
    }
    bench.put(&format!("{resources}/vm:102"), &[("comment", "x"), ("max_restart", "2")]).await.data();
    assert_eq!(bench.get(resources).await.data()[0]["max_restart"], 2);
    let status = bench.get("/cluster/ha/status/current").await;
    assert_eq!(row(status.data(), "id", "service:vm:102")["request_state"], "ignored");
    let rule =
        [("rule", "apart"), ("type", "resource-affinity"), ("resources", "vm:102,vm:110"), ("affinity", "negative")];
    bench.post("/cluster/ha/rules", &rule).await.data();
    bench.delete(&format!("{resources}/vm:102")).await.data();
    assert_eq!(bench.get("/cluster/ha/rules/apart").await.data()["resources"], "vm:110");
    let gone = bench.delete(&format!("{resources}/vm:102")).await;
    assert_eq!(gone.failure(), (500, "cannot delete service 'vm:102', not HA managed!"));
    let groups = bench.get("/cluster/ha/groups").await;
    assert_eq!(groups.failure(), (500, "cannot index groups: ha groups have been migrated to rules"));
}

#[tokio::test]
async fn a_resource_that_is_sent_to_another_node_arrives_with_its_disks() {
    let bench = bench().await;
    bench.post("/cluster/ha/resources", &[("sid", "vm:102")]).await.data();
    bench.post("/cluster/ha/resources/vm:102/migrate", &[("node", "pve3")]).await.data();
    let disks = bench.get("/nodes/pve3/storage/local-lvm/content?vmid=102").await;
    assert_eq!(disks.data()[0]["volid"], "local-lvm:vm-102-disk-0");
    assert_eq!(bench.get("/nodes/pve3/qemu/102/config").await.data()["name"], "build-runner");
}

#[tokio::test]
async fn networks_of_the_datacenter_are_in_force_after_they_are_applied() {
    let bench = bench().await;
    let (zones, vnets) = ("/cluster/sdn/zones", "/cluster/sdn/vnets");
    bench.post(zones, &[("zone", "obsz"), ("type", "simple")]).await.data();
    let clash = bench.post(zones, &[("zone", "obsz"), ("type", "simple")]).await;
    assert_eq!(clash.failure(), (500, "create sdn zone object failed: sdn zone object ID 'obsz' already defined"));
    let long = bench.post(zones, &[("zone", "obsobsobsobs"), ("type", "simple")]).await;
    assert_eq!(long.error("zone"), "value may only be 8 characters long");
    let pending = bench.get(&format!("{zones}?pending=1")).await;
    let new = json!({ "pending": {}, "type": "simple", "zone": "obsz", "state": "new", "digest": null });
    assert_eq!(pending.data(), &json!([new]));
    bench.post(vnets, &[("vnet", "obsvn"), ("zone", "obsz")]).await.data();
    let unknown = bench.post(vnets, &[("vnet", "obsvn2"), ("zone", "obsnone")]).await;
    assert_eq!(
        unknown.failure(),
        (
            500,
            "create sdn vnet object failed: cannot lookup undefined type! at \
             /usr/share/perl5/PVE/API2/Network/SDN/Vnets.pm line 326."
        )
    );
    assert_eq!(bench.get("/nodes/pve1/sdn/zones").await.data().as_array().map(Vec::len), Some(1));
    bench.wait(&bench.put("/cluster/sdn", &[]).await).await;
    assert_eq!(row(bench.get("/nodes/pve1/sdn/zones").await.data(), "zone", "obsz")["status"], "available");
    let content = bench.get("/nodes/pve1/sdn/zones/obsz/content").await;
    assert_eq!(content.data(), &json!([{ "vnet": "obsvn", "status": "available" }]));
    assert_eq!(bench.get(&format!("{zones}?pending=1")).await.data()[0].get("state"), None);

    bench.put(&format!("{vnets}/obsvn"), &[("alias", "office")]).await.data();
    let changed = bench.get(&format!("{vnets}?pending=1")).await;
    assert_eq!(
        (&changed.data()[0]["state"], &changed.data()[0]["pending"]),
        (&json!("changed"), &json!({ "alias": "office" }))
    );
    bench.post("/cluster/sdn/rollback", &[]).await.data();
    assert_eq!(bench.get(&format!("{vnets}/obsvn")).await.data().get("alias"), None);

    let used = bench.delete(&format!("{zones}/obsz")).await;
    assert!(used.failure().1.starts_with("delete sdn zone object failed: zone obsz is used by vnet obsvn"), "{used:?}");
    bench.delete(&format!("{vnets}/obsvn")).await.data();
    bench.delete(&format!("{zones}/obsz")).await.data();
    assert_eq!(bench.get(&format!("{zones}?pending=1")).await.data()[0]["state"], "deleted");
    assert_eq!(bench.get(&format!("{zones}/obsz")).await.failure(), (500, "sdn 'obsz' does not exist"));
}

#[tokio::test]
async fn a_locked_network_configuration_needs_its_token() {
    let bench = bench().await;
    let lock = "/cluster/sdn/lock";
    let token = bench.post(lock, &[]).await.data().as_str().expect("a token").to_owned();
    assert_eq!(bench.post(lock, &[]).await.status, 500);
    let zones = "/cluster/sdn/zones";
    assert_eq!(bench.post(zones, &[("zone", "obsz"), ("type", "simple")]).await.status, 500);
    bench.post(zones, &[("zone", "obsz"), ("type", "simple"), ("lock-token", &token)]).await.data();
    bench.delete(&format!("{lock}?lock-token={token}")).await.data();
    bench.delete(&format!("{zones}/obsz")).await.data();
}

#[tokio::test]
async fn mappings_share_the_digest_of_their_file() {
    let bench = bench().await;
    let dirs = "/cluster/mapping/dir";
    bench.post(dirs, &[("id", "obsmap"), ("map", "node=pve1,path=/var/lib/vz")]).await.data();
    let two = [("id", "obsmap2"), ("map", "node=pve1,path=/var/lib/vz"), ("map", "node=pve2,path=/srv")];
    bench.post(dirs, &two).await.data();
    let list = bench.get(dirs).await;
    assert_eq!(row(list.data(), "id", "obsmap2")["map"], json!(["node=pve1,path=/var/lib/vz", "node=pve2,path=/srv"]));
    assert_eq!(list.data()[0]["digest"], list.data()[1]["digest"]);
    let item = bench.get(&format!("{dirs}/obsmap")).await;
    let digest = list.data()[0]["digest"].clone();
    assert_eq!(item.data(), &json!({ "map": ["node=pve1,path=/var/lib/vz"], "digest": digest, "type": "dir" }));
    // The other mapping changes, and with it the file.
    bench.put(&format!("{dirs}/obsmap2"), &[("description", "x")]).await.data();
    let old = [("description", "y"), ("digest", digest.as_str().unwrap_or_default())];
    assert_eq!(bench.put(&format!("{dirs}/obsmap"), &old).await.failure(), (500, CHANGED));
    assert_eq!(bench.post(dirs, &[("id", "obsmap3")]).await.error("map"), "property is missing and it is not optional");
    let unknown = bench.get("/cluster/mapping/pci/obsnone").await;
    assert_eq!(unknown.failure(), (500, "mapping 'obsnone' not found"));
}

#[tokio::test]
async fn options_are_deleted_as_section_files_delete_them() {
    let bench = bench().await;
    let path = "/cluster/metrics/server/obsm";
    let form = [("type", "graphite"), ("server", "127.0.0.1"), ("port", "2003"), ("disable", "1")];
    bench.post(path, &form).await.data();
    let shown = json!({ "port": 2003, "type": "graphite", "server": "127.0.0.1", "disable": 1 });
    assert_eq!(bench.get(path).await.data(), &shown);
    let put = async |name: &'static str, value: &'static str| {
        bench.put(path, &[("server", "127.0.0.1"), ("port", "2003"), (name, value)]).await
    };
    assert_eq!(put("delete", "nonsense").await.failure(), (500, "no such option 'nonsense'"));
    assert_eq!(put("delete", "type").await.status, 500);
    put("delete", "disable").await.data();
    assert_eq!(bench.get(path).await.data().get("disable"), None);
    assert_eq!(bench.get("/cluster/metrics/server").await.data()[0]["disable"], 0);
    bench.delete(path).await.data();
    assert_eq!(bench.get(path).await.failure(), (500, "status server entry 'obsm' does not exist"));
}

#[tokio::test]
async fn matchers_name_endpoints_that_are_there() {
    let bench = bench().await;
    let matchers = "/cluster/notifications/matchers";
    let form = [("name", "obsmatch"), ("match-severity", "error"), ("target", "mail-to-root"), ("disable", "1")];
    bench.post(matchers, &form).await.data();
    let item = bench.get(&format!("{matchers}/obsmatch")).await;
    let shown = json!({
        "match-severity": ["error"], "disable": 1, "target": ["mail-to-root"], "name": "obsmatch",
        "origin": "user-created", "digest": item.data()["digest"],
    });
    assert_eq!(item.data(), &shown);
    assert_eq!(item.data()["digest"].as_str().map(str::len), Some(64));
    let bad = bench.post(matchers, &[("name", "obsmatch2"), ("target", "obsnone")]).await;
    assert_eq!(bad.failure(), (404, "endpoint 'obsnone' does not exist"));
    assert_eq!(bench.get(&format!("{matchers}/obsnone")).await.failure(), (404, "matcher 'obsnone' not found"));
    let builtin = "/cluster/notifications/endpoints/sendmail/mail-to-root";
    assert_eq!(bench.delete(builtin).await.status, 400);
    bench.put(builtin, &[("comment", "changed")]).await.data();
    let targets = bench.get("/cluster/notifications/targets").await;
    assert_eq!(targets.data()[0]["origin"], "modified-builtin");
}

#[tokio::test]
async fn a_disk_is_used_once() {
    let bench = bench().await;
    let disks = "/nodes/pve2/disks";
    let free = bench.get(&format!("{disks}/list?type=unused")).await;
    assert_eq!(free.data().as_array().map(Vec::len), Some(1));
    let form = [("name", "tank"), ("devices", "/dev/sdb"), ("raidlevel", "single"), ("add_storage", "1")];
    bench.task(&format!("{disks}/zfs"), &form).await;
    assert_eq!(bench.get(&format!("{disks}/zfs/tank")).await.data()["children"][0]["children"][0]["name"], "/dev/sdb");
    assert_eq!(bench.get("/nodes/pve2/storage/tank/status").await.data()["type"], "zfspool");
    let again = bench.post(&format!("{disks}/lvm"), &[("name", "vg1"), ("device", "/dev/sdb")]).await;
    assert_eq!(again.failure(), (500, "device '/dev/sdb' is already in use"));
    let removal = bench.delete(&format!("{disks}/zfs/tank?cleanup-disks=1&cleanup-config=1")).await;
    bench.wait(&removal).await;
    assert_eq!(bench.get(&format!("{disks}/zfs")).await.data(), &json!([]));
    assert_eq!(bench.get(&format!("{disks}/list?type=unused")).await.data().as_array().map(Vec::len), Some(1));
    let unknown = bench.get(&format!("{disks}/smart?disk=/dev/obsnone")).await;
    assert_eq!(unknown.failure(), (500, "not a valid block device"));
}

#[tokio::test]
async fn services_stop_and_start() {
    let bench = bench().await;
    let cron = "/nodes/pve1/services/cron";
    bench.task(&format!("{cron}/stop"), &[]).await;
    assert_eq!(bench.get(&format!("{cron}/state")).await.data()["state"], "dead");
    bench.task(&format!("{cron}/start"), &[]).await;
    assert_eq!(row(bench.get("/nodes/pve1/services").await.data(), "service", "cron")["state"], "running");
}

#[tokio::test]
async fn schedules_come_due_when_they_say() {
    let bench = bench().await;
    let analyze = "/cluster/jobs/schedule-analyze";
    let daily = bench.get(&format!("{analyze}?schedule=daily&iterations=2&starttime=1700000000")).await;
    let due = json!([
        { "timestamp": 1_700_006_400, "utc": "Wed Nov 15 00:00:00 2023" },
        { "timestamp": 1_700_092_800, "utc": "Thu Nov 16 00:00:00 2023" },
    ]);
    assert_eq!(daily.data(), &due);
    let text = "invalid format - invalid calendar event 'foo' - unable to parse calendar event at 'foo' - Context(\"weekday\")\n\n";
    assert_eq!(bench.get(&format!("{analyze}?schedule=foo")).await.error("schedule"), text);
    let job = bench.post("/cluster/backup", &[("id", "obsjob2"), ("vmid", "100"), ("schedule", "foo")]).await;
    assert_eq!(job.error("schedule"), text);
}

#[tokio::test]
async fn a_backup_job_tells_which_volumes_it_includes() {
    let bench = bench().await;
    let included = bench.get("/cluster/backup/nightly/included_volumes").await;
    let guests = included.data()["children"].as_array().expect("guests");
    let of = |vmid: u32| guests.iter().find(|guest| guest["id"] == vmid).expect("the guest");
    assert_eq!(of(202)["children"][0]["reason"], "rootfs");
    assert_eq!(of(202)["children"][0]["name"], "local-lvm:vm-202-disk-0");
    assert_eq!((&of(100)["type"], &of(100)["children"][0]["included"]), (&json!("qemu"), &json!(1)));
}

#[tokio::test]
async fn all_guests_of_a_node_move_away() {
    let bench = bench().await;
    bench.task("/nodes/pve1/migrateall", &[("target", "pve3")]).await;
    assert_eq!(bench.get("/nodes/pve1/qemu").await.data(), &json!([]));
    assert_eq!(bench.get("/nodes/pve3/qemu/100/status/current").await.data()["status"], "running");
}
