//! Agent, firewall, storages, uploads, backups, restores, tasks, pools, access, and what tests may break.

mod common;

use common::{Bench, send};
use proxmox_sandbox::{Fault, Options};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_agent_runs_commands_and_tells_the_result_once() {
    let bench = Bench::start().await;
    let agent = "/nodes/pve1/qemu/100/agent";
    let run = async |words: &[&str]| {
        let form: Vec<(&str, &str)> = words.iter().map(|word| ("command", *word)).collect();
        let answer = bench.post(&format!("{agent}/exec"), &form).await;
        format!("{agent}/exec-status?pid={}", answer.data()["pid"])
    };
    let status = run(&["echo", "a", "b"]).await;
    assert_eq!(bench.get(&status).await.data(), &json!({ "exited": 1, "exitcode": 0, "out-data": "a b\n" }));
    let (code, text) = {
        let again = bench.get(&status).await;
        (again.status, again.failure().1.to_owned())
    };
    assert_eq!(code, 500);
    assert!(text.starts_with("Agent error: PID ") && text.ends_with("does not exist"), "{text}");
    let missing = bench.get(&run(&["ls -la"]).await).await;
    assert_eq!(missing.data()["exitcode"], 127);
    let slow = run(&["sleep", "3"]).await;
    assert_eq!(bench.get(&slow).await.data(), &json!({ "exited": 0 }));
    let first = bench.get(&format!("{agent}/network-get-interfaces")).await;
    assert_eq!(first.data()["result"][1]["name"], "eth0");
    assert_eq!(bench.get(&format!("{agent}/get-host-name")).await.data()["result"]["host-name"], "web-server");
    bench.sandbox.with_cluster(|cluster| cluster.set_agent(100, false));
    assert_eq!(bench.post(&format!("{agent}/ping"), &[]).await.failure(), (500, "QEMU guest agent is not running"));
    assert_eq!(
        bench.get("/nodes/pve2/qemu/110/agent/get-osinfo").await.failure(),
        (500, "No QEMU guest agent configured")
    );
}

#[tokio::test]
async fn firewall_rules_keep_their_order_and_their_digest() {
    let bench = Bench::start().await;
    let rules = "/nodes/pve1/qemu/102/firewall/rules";
    let add = |form: &'static [(&'static str, &'static str)]| bench.post(rules, form);
    add(&[("type", "in"), ("action", "ACCEPT"), ("proto", "tcp"), ("dport", "22"), ("comment", "first")]).await.data();
    add(&[("type", "out"), ("action", "DROP"), ("enable", "1"), ("comment", "second")]).await.data();
    let list = bench.get(rules).await;
    assert_eq!((&list.data()[0]["comment"], &list.data()[0]["enable"]), (&json!("second"), &json!(1)));
    assert_eq!((&list.data()[1]["comment"], &list.data()[1]["enable"]), (&json!("first"), &json!(0)));
    let digest = list.data()[0]["digest"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(&format!("{rules}/0")).await.data()["pos"], "0");
    let wrong = [("enable", "1"), ("digest", "0000000000000000000000000000000000000000")];
    const CHANGED: (u16, &str) = (500, "detected modified configuration - file changed by other user? Try again.");
    assert_eq!(bench.put(&format!("{rules}/1"), &wrong).await.failure(), CHANGED);
    bench.put(&format!("{rules}/1"), &[("enable", "1"), ("digest", &digest)]).await.data();
    assert_eq!(bench.delete(&format!("{rules}/0?digest={digest}")).await.failure(), CHANGED);
    bench.put(&format!("{rules}/0"), &[("moveto", "2")]).await.data();
    assert_eq!(bench.get(rules).await.data()[0]["comment"], "first");
    bench.delete(&format!("{rules}/0")).await.data();
    assert_eq!(bench.delete(&format!("{rules}/9")).await.failure(), (500, "no rule at position 9"));
    assert_eq!(
        add(&[("type", "in"), ("action", "ACCEPT"), ("dport", "22")]).await.error("proto"),
        "missing property - 'dport' requires this property"
    );
    assert_eq!(add(&[("type", "in"), ("action", "accept")]).await.error("action"), "unknown action 'accept'");
    assert_eq!(
        add(&[("type", "in"), ("action", "ACCEPT"), ("source", "nobody")]).await.error("source"),
        "no such alias 'nobody'"
    );
    add(&[("type", "in"), ("action", "ACCEPT"), ("source", "management")]).await.data();
    let options = "/nodes/pve1/qemu/100/firewall/options";
    bench.put(options, &[("policy_in", "ACCEPT"), ("delete", "enable")]).await.data();
    let data = bench.get(options).await;
    assert_eq!((&data.data()["policy_in"], data.data().get("enable")), (&json!("ACCEPT"), None));
    // Groups, sets and aliases are kept generically.
    bench.post("/cluster/firewall/groups", &[("group", "web")]).await.data();
    bench.post("/cluster/firewall/groups/web", &[("type", "in"), ("action", "ACCEPT")]).await.data();
    assert_eq!(bench.get("/cluster/firewall/groups/web").await.data()[0]["pos"], 0);
    bench.post("/cluster/firewall/ipset", &[("name", "hosts")]).await.data();
    bench.post("/cluster/firewall/ipset/hosts", &[("cidr", "192.0.2.0/24")]).await.data();
    assert_eq!(bench.get("/cluster/firewall/ipset/hosts/192.0.2.0%2F24").await.data()["cidr"], "192.0.2.0/24");
    bench.delete("/cluster/firewall/ipset/hosts/192.0.2.0/24").await.data();
    assert_eq!(bench.get("/cluster/firewall/ipset/hosts").await.data(), &json!([]));
}

#[tokio::test]
async fn storages_tell_what_they_hold() {
    let bench = Bench::start().await;
    let names = async |path: &str| -> Vec<String> {
        let answer = bench.get(path).await;
        answer.data().as_array().unwrap().iter().filter_map(|row| row["storage"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names("/storage").await, ["backup-nas", "local", "local-lvm", "pbs"]);
    assert_eq!(names("/nodes/pve2/storage?content=images").await, ["backup-nas", "local-lvm"]);
    let backups = bench.get("/nodes/pve1/storage/backup-nas/content?content=backup&vmid=202").await;
    let odd = backups
        .data()
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["volid"] == "backup-nas:backup/wiki-before-upgrade.tar.zst");
    assert_eq!(odd.unwrap()["subtype"], "lxc");
    assert_eq!(bench.get("/nodes/pve1/storage/none/status").await.error("storage"), "No such storage.");
    let content = "/nodes/pve1/storage/backup-nas/content";
    let volid = "backup-nas:backup/vzdump-lxc-200-2024_01_01-12_10_00.tar.zst";
    let short = volid.trim_start_matches("backup-nas:");
    assert_eq!(bench.get(&format!("{content}/{short}")).await.data()["protected"], 0);
    let encoded = format!("{content}/{}", volid.replace(':', "%3A").replace('/', "%2F"));
    bench.put(&encoded, &[("notes", "keep"), ("protected", "1")]).await.data();
    assert_eq!(bench.get(&encoded).await.data()["notes"], "keep");
    let refused = bench.delete(&encoded).await;
    assert_eq!(
        bench.wait(&refused).await.0,
        "cannot remove protected volume 'backup/vzdump-lxc-200-2024_01_01-12_10_00.tar.zst' on 'backup-nas'"
    );
    assert_eq!(
        bench.get("/nodes/pve1/storage/local/content/backup-nas:backup/x").await.error("volume"),
        "storage ID mismatch (backup-nas != local)\n"
    );
    let pbs = bench.delete("/nodes/pve1/storage/pbs/content/pbs:backup/vm/100/2026-10-01T02:00:00Z").await;
    assert_eq!(bench.wait(&pbs).await.0, "OK");
}

#[tokio::test]
async fn uploads_are_streamed_and_checked() {
    let bench = Bench::start().await;
    let path = "/nodes/pve1/storage/local/upload";
    let large = vec![b'x'; 2_000_000];
    let file = |name: &str| Part::bytes(large.clone()).file_name(name.to_owned());
    let answer = bench.upload(path, Form::new().text("content", "iso").part("filename", file("new 1.iso"))).await;
    assert_eq!(bench.wait(&answer).await.0, "OK");
    let list = bench.get("/nodes/pve1/storage/local/content?content=iso").await;
    let new = list.data().as_array().unwrap().iter().find(|row| row["volid"] == "local:iso/new_1.iso").unwrap();
    assert_eq!(new["size"], 2_000_000);
    let wrong = Form::new().text("content", "iso").part("filename", file("new.txt"));
    assert_eq!(bench.upload(path, wrong).await.error("filename"), "wrong file extension");
    let backup = Form::new().text("content", "backup").part("filename", file("x.vma"));
    assert_eq!(
        bench.upload(path, backup).await.error("content"),
        "value 'backup' does not have a value in the enumeration 'iso, vztmpl, import'"
    );
    let sum = Form::new().text("content", "iso").text("checksum-algorithm", "sha256").text("checksum", "00");
    let (status, _) = bench.wait(&bench.upload(path, sum.part("filename", file("b.iso"))).await).await;
    assert!(status.starts_with("checksum mismatch: got '"), "{status}");
    let order = Form::new().text("checksum", "00").text("content", "iso").part("filename", file("b.iso"));
    let order = bench.upload(path, order).await;
    assert_eq!((order.status, order.text.as_str()), (400, ""));
    let late = Form::new().part("filename", file("b.iso")).text("content", "iso");
    assert_eq!(bench.upload(path, late).await.error("content"), "property is missing and it is not optional");
}

#[tokio::test]
async fn a_backup_makes_an_archive_and_a_log() {
    let bench = Bench::start().await;
    let form = [
        ("vmid", "100"),
        ("storage", "backup-nas"),
        ("compress", "zstd"),
        ("notes-template", "{{guestname}} {{vmid}}"),
        ("remove", "0"),
    ];
    let answer = bench.post("/nodes/pve1/vzdump", &form).await;
    assert_eq!(bench.get("/nodes/pve1/qemu/100/status/current").await.data()["lock"], "backup");
    let (status, log) = bench.wait(&answer).await;
    assert_eq!(status, "OK");
    assert!(log.iter().any(|line| line.contains("100% (32.0 GiB of 32.0 GiB)")), "{log:#?}");
    let list = bench.get("/nodes/pve1/storage/backup-nas/content?content=backup&vmid=100").await;
    let rows = list.data().as_array().unwrap();
    let new = rows.iter().find(|row| row["volid"].as_str().unwrap().contains("2026_11_01-08_00")).unwrap();
    assert_eq!((&new["notes"], &new["subtype"]), (&json!("web-server 100"), &json!("qemu")));
    assert_eq!(rows.len(), 3);
    let bad = bench.post("/nodes/pve1/vzdump", &[("vmid", "100,999"), ("storage", "backup-nas")]).await;
    let (status, log) = bench.wait(&bad).await;
    assert_eq!(status, "job errors");
    assert!(log.contains(&"ERROR: Backup of VM 999 failed - unable to find VM '999'".to_owned()), "{log:#?}");
    let unknown = bench.post("/nodes/pve1/vzdump", &[("vmid", "100"), ("storage", "none")]).await;
    assert!(bench.wait(&unknown).await.0.starts_with("could not activate storage 'none'"));
    assert_eq!(bench.post("/nodes/pve1/vzdump", &[]).await.error("vmid"), "property is missing");
    let marks =
        bench.get("/nodes/pve1/storage/backup-nas/prunebackups?prune-backups=keep-last%3D1&vmid=100&type=qemu").await;
    let marks: Vec<&str> = marks.data().as_array().unwrap().iter().filter_map(|row| row["mark"].as_str()).collect();
    assert_eq!(marks.iter().filter(|mark| **mark == "keep").count(), 1, "{marks:?}");
}

#[tokio::test]
async fn archives_are_restored_by_kind() {
    let bench = Bench::start().await;
    let vm = "backup-nas:backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
    let ct = "backup-nas:backup/vzdump-lxc-200-2024_01_01-12_10_00.tar.zst";
    bench.task("/nodes/pve2/qemu", &[("vmid", "500"), ("archive", vm), ("unique", "1"), ("start", "1")]).await;
    assert_eq!(bench.get("/nodes/pve2/qemu/500/config").await.data()["name"], "web-server");
    let pbs = "pbs:backup/ct/200/2026-10-01T02:05:00Z";
    bench
        .task("/nodes/pve3/lxc", &[("vmid", "501"), ("ostemplate", pbs), ("restore", "1"), ("storage", "local-lvm")])
        .await;
    assert_eq!(bench.get("/nodes/pve3/lxc/501/config").await.data()["hostname"], "dns");
    assert_eq!(
        bench.post("/nodes/pve1/qemu", &[("vmid", "102"), ("archive", vm)]).await.failure(),
        (500, "unable to restore VM 102 - VM 102 already exists on node 'pve1'")
    );
    assert_eq!(
        bench.post("/nodes/pve1/qemu", &[("vmid", "200"), ("archive", vm), ("force", "1")]).await.failure(),
        (500, "unable to restore VM 200 - CT 200 already exists on node 'pve1'")
    );
    bench.task("/nodes/pve1/qemu", &[("vmid", "102"), ("archive", vm), ("force", "1")]).await;
    assert_eq!(bench.get("/nodes/pve1/qemu/102/config").await.data()["name"], "web-server");
    assert_eq!(
        bench
            .post("/nodes/pve1/lxc", &[("vmid", "200"), ("ostemplate", ct), ("restore", "1"), ("force", "1")])
            .await
            .failure(),
        (500, "can't overwrite running container")
    );
    let wrong = bench.post("/nodes/pve1/qemu", &[("vmid", "502"), ("archive", ct)]).await;
    assert!(bench.wait(&wrong).await.0.ends_with("does not look like a QemuServer vzdump backup"));
    assert_eq!(bench.get("/nodes/pve1/qemu/502/config").await.status, 500);
    assert_eq!(
        bench.post("/nodes/pve1/lxc", &[("vmid", "503"), ("ostemplate", ct)]).await.failure().1,
        format!("unable to use volume {ct} - content type needs to be 'vztmpl'")
    );
    assert_eq!(
        bench.post("/nodes/pve1/qemu", &[("vmid", "503"), ("archive", "local:backup/none.vma.zst")]).await.failure(),
        (500, "volume 'local:backup/none.vma.zst' does not exist")
    );
}

#[tokio::test]
async fn tasks_are_listed_filtered_and_stopped() {
    let bench = Bench::start().await;
    let all = bench.get("/nodes/pve1/tasks").await;
    assert_eq!((all.body["total"].as_u64(), all.data().as_array().unwrap().len()), (Some(3), 3));
    let warnings = bench.get("/nodes/pve1/tasks?statusfilter=warning").await;
    assert_eq!(warnings.data()[0]["status"], "WARNINGS: 1");
    assert_eq!(bench.get("/nodes/pve2/tasks?errors=1").await.data()[0]["status"], "job errors");
    let none = bench.get("/nodes/pve1/tasks?limit=0").await;
    assert_eq!((none.data(), &none.body["total"]), (&json!([]), &json!(3)));
    let answer = bench.post("/nodes/pve1/vzdump", &[("vmid", "100"), ("storage", "backup-nas")]).await;
    let upid = answer.upid();
    let active = bench.get("/nodes/pve1/tasks?source=active").await;
    assert_eq!((&active.data()[0]["status"], &active.data()[0]["user"]), (&json!("RUNNING"), &json!("root@pam!mcp")));
    assert_eq!(bench.delete(&format!("/nodes/pve1/tasks/{upid}")).await.data(), &Value::Null);
    let status = bench.get(&format!("/nodes/pve1/tasks/{upid}/status")).await;
    assert_eq!(status.data()["exitstatus"], "received interrupt");
    assert_eq!(status.data()["tokenid"], "mcp");
    assert_eq!(bench.get("/nodes/pve1/qemu/100/config").await.data().get("lock"), None);
    let path = |upid: &str, what: &str| format!("/nodes/pve1/tasks/{upid}/{what}");
    let other = "UPID:pve1:00000001:00000001:60000000:qmstart:2000:root@pam:";
    assert_eq!(bench.get(&path(other, "status")).await.error("upid"), "no such task");
    assert_eq!(bench.get(&path(other, "log")).await.data()[0]["t"], "unable to open file - No such file or directory");
    assert_eq!(bench.get(&path("UPID:foo", "status")).await.error("upid"), "unable to parse worker upid");
    let log = bench.get(&path(&upid, "log?start=1&limit=1")).await;
    assert_eq!((log.data()[0]["n"].as_u64(), log.data().as_array().unwrap().len()), (Some(2), 1));
    let text = send(bench.request(Method::GET, &path(&upid, "log?download=1"))).await;
    assert!(text.text.ends_with("TASK ERROR: received interrupt\n"), "{}", text.text);
}

#[tokio::test]
async fn pools_and_access_are_kept() {
    let bench = Bench::start().await;
    bench.post("/pools", &[("poolid", "new"), ("comment", "c")]).await.data();
    bench.put("/pools", &[("poolid", "new"), ("vms", "102,202")]).await.data();
    assert_eq!(
        bench.put("/pools", &[("poolid", "new"), ("vms", "100")]).await.failure(),
        (500, "update pools failed: VM 100 belongs already to pool 'production' and 'allow-move' is not set")
    );
    assert_eq!(
        bench.delete("/pools?poolid=new").await.failure(),
        (500, "delete pool failed: pool 'new' is not empty (contains VM 102)")
    );
    bench.post("/access/users", &[("userid", "bob@pve"), ("password", "long-enough"), ("comment", "Bob")]).await.data();
    let user = bench.get("/access/users/bob@pve").await;
    assert_eq!((&user.data()["comment"], user.data().get("password")), (&json!("Bob"), None));
    let token = bench.post("/access/users/bob@pve/token/t1", &[("privsep", "0")]).await;
    let value = format!("PVEAPIToken=bob@pve!t1={}", token.data()["value"].as_str().unwrap());
    let as_bob = send(bench.http.get(bench.url("/version")).header("Authorization", value)).await;
    assert_eq!(as_bob.status, 200);
    assert_eq!(bench.post("/access/users/bob@pve/token/t1", &[]).await.error("tokenid"), "Token already exists.");
    bench.delete("/access/users/bob@pve").await.data();
    assert_eq!(bench.get("/access/users/bob@pve").await.failure(), (500, "no such user ('bob@pve')"));
    let acl = [("path", "/vms/100"), ("roles", "PVEVMUser"), ("users", "alice@pve")];
    bench.put("/access/acl", &acl).await.data();
    assert!(bench.get("/access/acl").await.text.contains("/vms/100"));
    bench.put("/cluster/options", &[("description", "hello")]).await.data();
    assert_eq!(bench.get("/cluster/options").await.data()["description"], "hello");
    bench.post("/cluster/ha/groups", &[("group", "g"), ("nodes", "pve1")]).await;
}

#[tokio::test]
async fn a_test_can_make_things_go_wrong() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    bench.sandbox.on_request(|request, cluster| {
        if request.verb == "POST" && request.target.ends_with("/qemu") && cluster.power(103).is_none() {
            cluster.take_id(103);
        }
        if request.target.contains("?fault=close") {
            cluster.add_fault(Fault::CloseAfter.once());
        }
        if request.target.contains("?fault=busy") {
            cluster.add_fault(Fault::Status(596, "Connection timed out".to_owned()).once());
        }
    });
    let next = bench.get("/cluster/nextid").await.data().as_str().unwrap().to_owned();
    let taken = bench.post("/nodes/pve1/qemu", &[("vmid", &next)]).await;
    assert_eq!(taken.failure(), (500, "unable to create VM 103 - VM 103 already exists on node 'pve1'"));
    assert!(bench.request(Method::GET, "/version?fault=close").send().await.is_err());
    assert_eq!(bench.get("/version?fault=busy").await.status, 596);
    bench.sandbox.with_cluster(|cluster| cluster.set_node_online("pve3", false));
    assert_eq!(bench.get("/nodes/pve3/qemu").await.status, 595);
    let resources = bench.get("/cluster/resources").await;
    let proxy = resources.data().as_array().unwrap().iter().find(|row| row["vmid"] == 201).unwrap();
    assert_eq!(proxy["status"], "unknown");
    bench.sandbox.with_cluster(|cluster| {
        cluster.set_node_online("pve3", true);
        cluster.fail_next_task("qmstart", "start failed: QEMU exited with code 1");
    });
    let start = bench.post("/nodes/pve1/qemu/102/status/start", &[]).await;
    assert_eq!(bench.wait(&start).await.0, "start failed: QEMU exited with code 1");
    bench.sandbox.with_cluster(|cluster| cluster.set_quorate(false));
    assert_eq!(
        bench.post("/nodes/pve1/qemu/102/status/start", &[]).await.failure(),
        (500, "cluster not ready - no quorum?")
    );
    let seen = bench.sandbox.requests();
    let last = seen.last().unwrap();
    assert_eq!((last.verb.as_str(), last.status), ("POST", 500));
    assert!(last.params.contains(&("vmid".to_owned(), "102".to_owned())), "{last:?}");
}
