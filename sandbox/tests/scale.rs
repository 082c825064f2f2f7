//! Large clusters: the same guests for the same seed, the usual ones among them, and answers that hold together.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::Bench;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::Value;

const LARGE: u32 = 10_000;

/// Enough to see a difference between two of them.
const MANY: u32 = 500;

async fn cluster(guests: u32, seed: u64) -> Bench {
    Bench::with(Options { nodes: 16, guests, seed, ..Options::default() }).await
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn ten_thousand_guests_are_spread_and_mixed() {
    let bench = cluster(LARGE, 1).await;
    let answer = bench.get("/cluster/resources").await;
    let rows = answer.data().as_array().unwrap();
    let guests: Vec<&Value> = rows.iter().filter(|row| row.get("vmid").is_some()).collect();
    assert_eq!(guests.len(), LARGE as usize);
    let ids: BTreeSet<u64> = guests.iter().map(|row| row["vmid"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), guests.len());
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    for guest in &guests {
        *nodes.entry(text(guest, "node")).or_default() += 1;
    }
    assert_eq!(nodes.len(), 16);
    assert!(nodes.values().all(|count| (500..750).contains(count)), "{nodes:?}");
    let count = |field: &str, value: &str| guests.iter().filter(|row| text(row, field) == value).count();
    for (field, value) in [("type", "qemu"), ("type", "lxc"), ("status", "running"), ("status", "stopped")] {
        assert!(count(field, value) > 2_000, "{field} {value}");
    }
    let with = |field: &str| guests.iter().filter(|row| row.get(field).is_some()).count();
    assert!(with("tags") > 2_000 && with("pool") > 2_000);
    assert!(guests.iter().filter(|row| row["template"] == 1).count() > 50);
    let names: BTreeSet<&str> = guests.iter().map(|row| text(row, "name")).collect();
    // Two of the usual guests have the same name.
    assert_eq!(names.len(), guests.len() - 1);
}

#[tokio::test]
async fn the_usual_guests_stay_what_they_are() {
    let (small, large) = (Bench::start().await, cluster(MANY, 1).await);
    for (node, kind, vmid) in [
        ("pve1", "qemu", 100),
        ("pve2", "qemu", 101),
        ("pve1", "qemu", 9000),
        ("pve3", "lxc", 201),
        ("pve2", "lxc", 202),
    ] {
        for what in ["config", "status/current"] {
            let path = format!("/nodes/{node}/{kind}/{vmid}/{what}");
            assert_eq!(small.get(&path).await.data(), large.get(&path).await.data(), "{path}");
        }
    }
    assert_eq!(small.get("/cluster/nextid").await.body, large.get("/cluster/nextid").await.body);
    assert_eq!(small.get("/pools/production").await.status, 200);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_cluster() {
    let (one, same, other) = (cluster(MANY, 7).await, cluster(MANY, 7).await, cluster(MANY, 8).await);
    for path in ["/cluster/resources", "/nodes/pve16/qemu", "/pools/data", "/nodes/pve9/storage"] {
        let told = one.get(path).await.text;
        assert_eq!(told, same.get(path).await.text, "{path}");
        assert_ne!(told, other.get(path).await.text, "{path}");
    }
}

#[tokio::test]
async fn no_more_is_in_use_than_there_is() {
    let bench = cluster(LARGE, 1).await;
    for node in bench.get("/nodes").await.data().as_array().unwrap() {
        assert!(node["mem"].as_u64() < node["maxmem"].as_u64(), "{node}");
        let name = text(node, "node");
        let status = bench.get(&format!("/nodes/{name}/status")).await;
        assert!(status.data()["memory"]["free"].as_u64() < status.data()["memory"]["total"].as_u64(), "{name}");
        let storages = bench.get(&format!("/nodes/{name}/storage")).await;
        for storage in storages.data().as_array().unwrap() {
            assert!(storage["used"].as_u64() < storage["total"].as_u64(), "{storage}");
        }
    }
}

#[tokio::test]
async fn further_nodes_and_guests_work_like_the_others() {
    let bench = Bench::with(Options { nodes: 5, guests: 40, task_time: 0.0, ..Options::default() }).await;
    assert_eq!(bench.get("/nodes").await.data().as_array().map(Vec::len), Some(5));
    assert_eq!(bench.get("/cluster/config/nodes").await.data().as_array().map(Vec::len), Some(5));
    let network = bench.get("/nodes/pve5/network/vmbr0").await;
    assert_eq!(network.data()["address"], "192.0.2.15");
    let rows = bench.get("/cluster/resources?type=vm").await;
    let stopped =
        |row: &&Value| row["status"] == "stopped" && row["vmid"].as_u64() >= Some(1_000) && row["template"] == 0;
    let guest = rows.data().as_array().unwrap().iter().find(stopped).expect("a stopped one").clone();
    let path = format!("/nodes/{}/{}", text(&guest, "node"), text(&guest, "id"));
    bench.task(&format!("{path}/status/start"), &[]).await;
    assert_eq!(bench.get(&format!("{path}/status/current")).await.data()["status"], "running");
    let made = [
        ("vmid", "500"),
        ("ostemplate", "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst"),
        ("rootfs", "local-lvm:4"),
    ];
    bench.task("/nodes/pve5/lxc", &made).await;
}

#[tokio::test]
async fn sizes_out_of_range_are_refused() {
    for (nodes, guests, part) in
        [(2, 9, "nodes must be from 3"), (65, 9, "nodes"), (3, 8, "guests must be from 9"), (3, 100_001, "guests")]
    {
        let started = Sandbox::start(Options { nodes, guests, ..Options::default() }).await;
        let error = started.err().expect("refused").to_string();
        assert!(error.contains(part), "{error}");
    }
}
