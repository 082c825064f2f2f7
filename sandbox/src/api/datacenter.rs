//! The cluster's own affairs: membership, log, metrics, what backup jobs include, when schedules come due.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::{Route, nodes};
use crate::{
    answer::{Failure, Reply, ok},
    calendar::{self, Event},
    cluster::Cluster,
    guest::{Guest, Kind, is_volume_option},
    request::{Call, split_list},
    tasks::Task,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/config/join", join_information),
    (Verb::Get, "/cluster/config/totem", totem),
    (Verb::Post, "/cluster/config", already_member),
    (Verb::Post, "/cluster/config/join", already_member),
    (Verb::Post, "/cluster/config/nodes/{node}", add_node),
    (Verb::Delete, "/cluster/config/nodes/{node}", delete_node),
    (Verb::Get, "/cluster/config/apiversion", version),
    (Verb::Get, "/cluster/config/qdevice", no_device),
    (Verb::Get, "/cluster/log", log),
    (Verb::Get, "/cluster/metrics/export", metrics),
    (Verb::Get, "/cluster/backup/{id}/included_volumes", included),
    (Verb::Get, "/cluster/jobs/schedule-analyze", analyze),
];

const TOTEM: &str = "/cluster/config/totem";

fn totem(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(cluster.store.get(TOTEM).map_or(Value::Null, |totem| Value::Object(totem.clone())))
}

fn join_information(cluster: &mut Cluster, call: &Call) -> Reply {
    if cluster.standalone {
        return Err(Failure::json(424, "node is not in a cluster, no join info available!\n".to_owned()));
    }
    let nodes = cluster.nodes.iter().map(|(name, node)| {
        let address = format!("192.0.2.{}", 10 + node.number);
        json!({
            "name": name, "nodeid": node.number, "pve_addr": address, "pve_fp": nodes::fingerprint(node),
            "quorum_votes": 1, "ring0_addr": address,
        })
    });
    let nodes: Vec<Value> = nodes.collect();
    let totem = cluster.store.get(TOTEM).cloned().unwrap_or_default();
    ok(json!({
        "config_digest": cluster.store.digest_at(TOTEM), "nodelist": nodes,
        "preferred_node": call.args.text("node").unwrap_or("pve1"), "totem": totem,
    }))
}

fn already_member(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.has(TOTEM) {
        return crate::generic::create(cluster, call);
    }
    Err(Failure::die("cluster config '/etc/pve/corosync.conf' already exists"))
}

/// A member is added to the configuration; the machine itself is not there.
fn add_node(cluster: &mut Cluster, call: &Call) -> Reply {
    const NODES: &str = "/cluster/config/nodes";
    let name = call.args.need("node");
    if cluster.store.has(&call.path) && !call.args.flag("force") {
        return Err(Failure::die(format!("can't add existing node '{name}'")));
    }
    let count = cluster.store.list(NODES).len() + 1;
    let fields = json!({
        "name": name, "nodeid": call.args.text("nodeid").map_or_else(|| count.to_string(), str::to_owned),
        "quorum_votes": call.args.text("votes").unwrap_or("1"),
        "ring0_addr": call.args.text("link0").map_or_else(|| format!("192.0.2.{}", 10 + count), str::to_owned),
    });
    cluster.store.put(&call.path, NODES, "node", name, fields);
    ok(json!({
        "corosync_authkey": "sandbox-secret", "corosync_conf": "totem {\n  cluster_name: sandbox\n}\n", "warnings": [],
    }))
}

fn delete_node(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("node");
    if !cluster.store.has(&call.path) {
        return Err(Failure::die(format!("Node/IP: {name} is not a known host of the cluster.")));
    }
    if name == "pve1" {
        return Err(Failure::die("Cannot delete myself from cluster!"));
    }
    cluster.store.remove(&call.path);
    ok(Value::Null)
}

fn version(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!(1))
}

fn no_device(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!({}))
}

/// Beginnings and ends of tasks, the latest first.
fn log(cluster: &mut Cluster, call: &Call) -> Reply {
    let mut events: Vec<(i64, String, &Task)> = Vec::new();
    for task in &cluster.tasks {
        events.push((task.upid.start, format!("starting task {}", task.upid), task));
        if let (Some(status), Some(at)) = (task.status(), task.ended()) {
            events.push((at, format!("end task {} {status}", task.upid), task));
        }
    }
    events.sort_by_key(|(time, ..)| *time);
    let most = call.args.number("max").and_then(|most| usize::try_from(most).ok()).unwrap_or(50);
    let rows = events.iter().enumerate().rev().take(most).map(|(place, (time, text, task))| {
        let number = place + 1;
        json!({
            "uid": number.to_string(), "id": format!("{number}:{}", task.upid.node), "time": time, "pri": 6, "msg": text,
            "node": task.upid.node, "pid": task.upid.pid, "user": task.upid.user, "tag": "pvedaemon",
        })
    });
    ok(Value::Array(rows.collect()))
}

/// One value each of what nodes, guests and storages report.
fn metrics(cluster: &mut Cluster, call: &Call) -> Reply {
    let now = cluster.clock.seconds();
    if call.args.number("start-time").is_some_and(|start| start > now) {
        return ok(json!({ "data": [] }));
    }
    let mut data = Vec::new();
    let mut add = |id: &str, metric: &str, kind: &str, value: Value| {
        data.push(json!({ "id": id, "metric": metric, "type": kind, "value": value, "timestamp": now }));
    };
    let mut rows: Vec<Value> = cluster.nodes.iter().map(|(name, node)| nodes::resource(cluster, name, node)).collect();
    rows.extend(cluster.guests.values().map(|guest| super::guests::resource(cluster, guest)));
    rows.extend(super::storage::resources(cluster));
    for row in &rows {
        let id = row["id"].as_str().unwrap_or_default();
        for (field, metric, kind) in [
            ("uptime", "uptime", "gauge"),
            ("cpu", "cpu_current", "gauge"),
            ("mem", "mem_used", "gauge"),
            ("maxmem", "mem_total", "gauge"),
            ("disk", "disk_used", "gauge"),
            ("maxdisk", "disk_total", "gauge"),
            ("netin", "net_in", "derive"),
            ("netout", "net_out", "derive"),
        ] {
            if row[field].is_number() {
                add(id, metric, kind, row[field].clone());
            }
        }
    }
    ok(json!({ "data": data }))
}

/// The volumes of the guests that a backup job covers, and why each is in it or not.
fn included(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("id");
    let Some(job) = cluster.store.get(&format!("/cluster/backup/{id}")) else {
        return Err(Failure::param("id", format!("No such job '{id}'")));
    };
    let guests = covered(cluster, job);
    let rows = guests.iter().map(|guest| {
        let volumes = guest.config.iter().filter(|(option, _)| is_volume_option(option));
        let volumes = volumes.filter_map(|(option, value)| {
            let text = value.as_str()?;
            let (included, reason) = reason(guest.kind, option, text)?;
            let name = crate::guest::file_of(text);
            Some(json!({
                "id": format!("{}:{option}", guest.vmid), "name": name, "included": u8::from(included), "reason": reason,
                "leaf": 1,
            }))
        });
        json!({
            "id": guest.vmid, "name": guest.name(), "type": guest.kind.as_str(), "leaf": 0,
            "children": volumes.collect::<Value>(),
        })
    });
    ok(json!({ "children": rows.collect::<Value>() }))
}

fn reason(kind: Kind, option: &str, text: &str) -> Option<(bool, &'static str)> {
    let without = text.split(',').any(|part| part == "backup=0");
    match (kind, option) {
        _ if crate::guest::is_cdrom(text) || option.starts_with("unused") => None,
        (Kind::Lxc, "rootfs") => Some((true, "rootfs")),
        (Kind::Lxc, _) if text.split(',').any(|part| part == "backup=1") => Some((true, "enabled")),
        (Kind::Lxc, _) => Some((false, "disabled")),
        _ if without => Some((false, "disabled")),
        _ => Some((true, "enabled")),
    }
}

/// The guests of a job: those it names, those of its pool, or all but those it leaves out.
fn covered<'a>(cluster: &'a Cluster, job: &Map<String, Value>) -> Vec<&'a Guest> {
    let text = |name: &str| job.get(name).and_then(Value::as_str).unwrap_or_default();
    let (named, excluded) = (split_list(text("vmid")), split_list(text("exclude")));
    let pool = cluster.pools.get(text("pool"));
    let all = job.get("all").is_some_and(|all| all == 1);
    let node = job.get("node").and_then(Value::as_str);
    let wanted = |guest: &&Guest| {
        let id = guest.vmid.to_string();
        (named.contains(&id) || pool.is_some_and(|pool| pool.guests.contains(&guest.vmid)) || all)
            && !excluded.contains(&id)
            && node.is_none_or(|node| guest.node == node)
    };
    cluster.guests.values().filter(wanted).collect()
}

fn analyze(cluster: &mut Cluster, call: &Call) -> Reply {
    let event = Event::parse(call.args.need("schedule"));
    let event = event.map_err(|text| Failure::param("schedule", format!("invalid format - {text}\n")))?;
    let mut time = call.args.number("starttime").unwrap_or(cluster.clock.seconds());
    let mut rows = Vec::new();
    for _ in 0..call.args.number("iterations").unwrap_or(10) {
        let Some(next) = event.next(time) else { break };
        rows.push(json!({ "timestamp": next, "utc": calendar::text(next) }));
        time = next;
    }
    ok(Value::Array(rows))
}
