//! Pools: which guests and storages belong together.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, access::forget_path, guests, storage};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::{Cluster, Pool},
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/pools", list),
    (Verb::Post, "/pools", create),
    (Verb::Put, "/pools", update),
    (Verb::Delete, "/pools", delete),
    (Verb::Get, "/pools/{poolid}", read),
    (Verb::Put, "/pools/{poolid}", update),
    (Verb::Delete, "/pools/{poolid}", delete),
];

fn members(cluster: &Cluster, pool: &Pool, wanted: Option<&str>) -> Vec<Value> {
    let guests = pool.guests.iter().filter_map(|vmid| cluster.guests.get(vmid));
    let mut rows: Vec<Value> = guests.map(|guest| guests::resource(cluster, guest)).collect();
    rows.extend(
        storage::resources(cluster)
            .into_iter()
            .filter(|row| row["storage"].as_str().is_some_and(|id| pool.storages.iter().any(|member| member == id))),
    );
    rows.retain(|row| wanted.is_none_or(|kind| row["type"] == kind));
    for fields in rows.iter_mut().filter_map(Value::as_object_mut) {
        fields.remove("pool");
    }
    rows
}

fn row(id: &str, pool: &Pool) -> Value {
    let mut row = json!({ "poolid": id });
    if let Some(comment) = &pool.comment {
        row["comment"] = json!(comment);
    }
    row
}

fn missing(id: &str) -> String {
    format!("pool '{id}' does not exist")
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let Some(id) = call.args.text("poolid") else {
        return ok(cluster.pools.iter().map(|(id, pool)| row(id, pool)).collect::<Value>());
    };
    let pool = cluster.pools.get(id).ok_or_else(|| Failure::die(missing(id)))?;
    let mut shown = row(id, pool);
    shown["members"] = json!(members(cluster, pool, call.args.text("type")));
    ok(json!([shown]))
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("poolid");
    let pool = cluster.pools.get(id).ok_or_else(|| Failure::die(missing(id)))?;
    let mut shown = row(id, pool);
    shown["members"] = json!(members(cluster, pool, call.args.text("type")));
    ok(shown)
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("poolid").to_owned();
    let failed = |text: String| Failure::die(format!("create pool failed: {text}"));
    if cluster.pools.contains_key(&id) {
        return Err(failed(format!("pool '{id}' already exists")));
    }
    if let Some((parent, _)) = id.rsplit_once('/').filter(|(parent, _)| !cluster.pools.contains_key(*parent)) {
        return Err(failed(format!("parent '{parent}' of pool '{id}' does not exist")));
    }
    cluster.pools.insert(id, Pool { comment: call.args.text("comment").map(str::to_owned), ..Pool::default() });
    done()
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("poolid").to_owned();
    let failed = |text: String| Failure::die(format!("update pools failed: {text}"));
    let Some(mut pool) = cluster.pools.get(&id).cloned() else { return Err(failed(missing(&id))) };
    let removes = call.args.flag("delete");
    let mut moved = Vec::new();
    for vmid in call.args.list("vms").iter().filter_map(|text| text.parse::<u32>().ok()) {
        let member = pool.guests.contains(&vmid);
        match (removes, member) {
            (true, true) => pool.guests.retain(|other| *other != vmid),
            (true, false) => return Err(failed(format!("VM {vmid} is not a pool member"))),
            (false, true) => return Err(failed(format!("VM {vmid} is already a pool member"))),
            (false, false) => {
                if let Some(other) = cluster.pool_of(vmid) {
                    if !call.args.flag("allow-move") {
                        return Err(failed(format!(
                            "VM {vmid} belongs already to pool '{other}' and 'allow-move' is not set"
                        )));
                    }
                    moved.push(vmid);
                }
                pool.guests.push(vmid);
            }
        }
    }
    for storage in call.args.list("storage") {
        let member = pool.storages.contains(&storage);
        match (removes, member) {
            (true, true) => pool.storages.retain(|other| *other != storage),
            (true, false) => return Err(failed(format!("Storage '{storage}' is not a pool member"))),
            (false, true) => return Err(failed(format!("Storage '{storage}' is already a pool member"))),
            (false, false) => pool.storages.push(storage),
        }
    }
    if let Some(comment) = call.args.text("comment") {
        pool.comment = Some(comment.to_owned());
    }
    for other in cluster.pools.values_mut() {
        other.guests.retain(|vmid| !moved.contains(vmid));
    }
    pool.guests.sort_unstable();
    cluster.pools.insert(id, pool);
    done()
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("poolid");
    let failed = |text: String| Failure::die(format!("delete pool failed: {text}"));
    let Some(pool) = cluster.pools.get(id) else { return Err(failed(missing(id))) };
    if let Some(child) = cluster.pools.keys().find(|other| other.starts_with(&format!("{id}/"))) {
        return Err(failed(format!("pool '{id}' is not empty (contains pool '{child}')")));
    }
    if let Some(vmid) = pool.guests.first() {
        return Err(failed(format!("pool '{id}' is not empty (contains VM {vmid})")));
    }
    if let Some(storage) = pool.storages.first() {
        return Err(failed(format!("pool '{id}' is not empty (contains storage '{storage}')")));
    }
    cluster.pools.remove(id);
    forget_path(cluster, &format!("/pool/{id}"));
    done()
}
