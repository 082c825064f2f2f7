//! The cluster as a whole: version, status, resources, the next free id, recent tasks.

use std::collections::HashMap;

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, guests, nodes, storage};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::Guest,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/version", version),
    (Verb::Get, "/nodes/{node}/version", version),
    (Verb::Get, "/cluster/status", status),
    (Verb::Get, "/cluster/resources", resources),
    (Verb::Get, "/cluster/nextid", next_id),
    (Verb::Get, "/cluster/tasks", recent_tasks),
    (Verb::Get, "/cluster/backup-info/not-backed-up", not_backed_up),
];

/// The version that the sandbox plays.
pub(super) const VERSION: &str = "9.2.11";

fn version(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!({ "version": VERSION, "release": "9.2", "repoid": "14a22df35955d97d" }))
}

/// A node on its own has neither a cluster nor a number.
fn status(cluster: &mut Cluster, _: &Call) -> Reply {
    let mut rows = Vec::new();
    if !cluster.standalone {
        rows.push(json!({
            "type": "cluster", "id": "cluster", "name": "sandbox", "version": cluster.nodes.len(),
            "nodes": cluster.nodes.len(), "quorate": u8::from(cluster.quorate),
        }));
    }
    for (name, node) in &cluster.nodes {
        rows.push(json!({
            "type": "node", "id": format!("node/{name}"), "name": name, "nodeid": if cluster.standalone { 0 } else { node.number },
            "ip": format!("192.0.2.{}", 10 + node.number), "online": u8::from(node.online),
            "local": u8::from(node.number == 1), "level": "",
        }));
    }
    ok(Value::Array(rows))
}

fn resources(cluster: &mut Cluster, call: &Call) -> Reply {
    let wanted = call.args.text("type");
    let mut rows = Vec::new();
    if wanted.is_none_or(|kind| kind == "vm") {
        let pools: HashMap<u32, &str> =
            cluster.pools.iter().flat_map(|(id, pool)| pool.guests.iter().map(|vmid| (*vmid, id.as_str()))).collect();
        let pool_of = |guest: &Guest| pools.get(&guest.vmid).copied();
        rows.extend(cluster.guests.values().map(|guest| guests::resource_in(cluster, guest, pool_of(guest))));
    }
    if wanted.is_none() {
        rows.extend(cluster.pools.keys().map(|id| json!({ "id": format!("/pool/{id}"), "type": "pool", "pool": id })));
    }
    if wanted.is_none_or(|kind| kind == "node") {
        rows.extend(cluster.nodes.iter().map(|(name, node)| nodes::resource(cluster, name, node)));
    }
    if wanted.is_none_or(|kind| kind == "storage") {
        rows.extend(storage::resources(cluster));
    }
    if !cluster.standalone && wanted.is_none_or(|kind| kind == "sdn") {
        rows.extend(cluster.nodes.iter().map(|(name, node)| {
            json!({
                "id": format!("sdn/{name}/localnetwork"), "type": "sdn", "sdn": "localnetwork", "node": name,
                "status": if node.online { "ok" } else { "unknown" },
            })
        }));
    }
    ok(Value::Array(rows))
}

fn next_id(cluster: &mut Cluster, call: &Call) -> Reply {
    match call.args.number("vmid").and_then(|vmid| u32::try_from(vmid).ok()) {
        Some(vmid) if cluster.guests.contains_key(&vmid) => {
            Err(Failure::param("vmid", format!("VM {vmid} already exists")))
        }
        Some(vmid) => ok(vmid.to_string()),
        None => ok(cluster.next_id().to_string()),
    }
}

fn recent_tasks(cluster: &mut Cluster, _: &Call) -> Reply {
    let recent = cluster.tasks.iter().rev().take(25).map(|task| {
        let mut row = task.describe();
        if let Value::Object(fields) = &mut row {
            fields.remove("pstart");
        }
        if let (Some(status), Some(end)) = (task.status(), task.ended()) {
            row["status"] = json!(status);
            row["endtime"] = json!(end);
            row["saved"] = json!("1");
            if let Value::Object(fields) = &mut row {
                fields.remove("pid");
            }
        }
        row
    });
    ok(Value::Array(recent.collect()))
}

fn not_backed_up(cluster: &mut Cluster, _: &Call) -> Reply {
    let covered: Vec<String> = cluster
        .store
        .list("/cluster/backup")
        .iter()
        .flat_map(|job| crate::request::split_list(job.get("vmid").and_then(Value::as_str).unwrap_or_default()))
        .collect();
    let rows = cluster
        .guests
        .values()
        .filter(|guest| !covered.contains(&guest.vmid.to_string()))
        .map(|guest| json!({ "vmid": guest.vmid, "name": guest.name(), "type": guest.kind.as_str() }));
    ok(Value::Array(rows.collect()))
}
