//! Storages: definitions and status. What lies on them is in `content`.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, nodes};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic::digest,
    request::{Call, split_list},
    volumes::Storage,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/storage", definitions),
    (Verb::Post, "/storage", define),
    (Verb::Get, "/storage/{storage}", definition),
    (Verb::Put, "/storage/{storage}", redefine),
    (Verb::Delete, "/storage/{storage}", undefine),
    (Verb::Get, "/nodes/{node}/storage", list),
    (Verb::Get, "/nodes/{node}/storage/{storage}/status", status),
    (Verb::Get, "/nodes/{node}/storage/{storage}/rrddata", rrddata),
];

/// Parameters that only some types of storages have.
const OWNED: [(&str, &[&str]); 11] = [
    ("datastore", &["pbs"]),
    ("export", &["nfs"]),
    ("krbd", &["rbd"]),
    ("monhost", &["cephfs", "rbd"]),
    ("pool", &["rbd", "zfs", "zfspool"]),
    ("portal", &["iscsi", "iscsidirect", "zfs"]),
    ("share", &["cifs"]),
    ("target", &["iscsi", "iscsidirect", "zfs"]),
    ("thinpool", &["lvmthin"]),
    ("username", &["cephfs", "cifs", "esxi", "pbs", "rbd"]),
    ("vgname", &["lvm", "lvmthin"]),
];

/// The digest of all definitions.
fn config_digest(cluster: &Cluster) -> String {
    let all = cluster.storages.iter().map(|(id, storage)| (id.clone(), storage.describe(id))).collect();
    digest(&all)
}

fn described(cluster: &Cluster, id: &str, storage: &Storage) -> Value {
    let mut shown = storage.describe(id);
    shown["digest"] = json!(config_digest(cluster));
    shown
}

fn definitions(cluster: &mut Cluster, call: &Call) -> Reply {
    let wanted = call.args.text("type");
    let found = cluster.storages.iter().filter(|(_, storage)| wanted.is_none_or(|kind| storage.kind == kind));
    ok(found.map(|(id, storage)| described(cluster, id, storage)).collect::<Value>())
}

fn definition(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("storage");
    let storage = cluster.storage(id)?;
    ok(described(cluster, id, storage))
}

fn define(cluster: &mut Cluster, call: &Call) -> Reply {
    let (id, kind) = (call.args.need("storage").to_owned(), call.args.need("type").to_owned());
    if cluster.storages.contains_key(&id) {
        return Err(Failure::die(format!("create storage failed: storage ID '{id}' already defined")));
    }
    let required: &[&str] = match kind.as_str() {
        "dir" | "btrfs" => &["path"],
        "nfs" => &["server", "export"],
        "cifs" => &["server", "share"],
        "pbs" => &["server", "datastore"],
        "lvm" => &["vgname"],
        "lvmthin" => &["vgname", "thinpool"],
        "zfspool" => &["pool"],
        _ => &[],
    };
    if let Some(name) = required.iter().find(|name| !call.args.has(name)) {
        return Err(Failure::die(format!("missing value for required option '{name}'")));
    }
    let foreign = |name: &str| OWNED.iter().any(|(owned, kinds)| *owned == name && !kinds.contains(&kind.as_str()));
    if let Some((name, _)) = call.args.texts().find(|(name, _)| foreign(name)) {
        return Err(Failure::die(format!("unexpected property '{name}'")));
    }
    let content = match kind.as_str() {
        "pbs" => "backup",
        "lvm" | "lvmthin" | "zfspool" | "rbd" => "images,rootdir",
        _ => "images,rootdir,vztmpl,iso,backup",
    };
    let mut storage = Storage {
        shared: !matches!(kind.as_str(), "dir" | "btrfs" | "lvm" | "lvmthin" | "zfspool"),
        content: split_list(content),
        kind: kind.clone(),
        disabled: false,
        nodes: Vec::new(),
        size: 100 << 30,
        options: Default::default(),
    };
    change(&mut storage, call);
    cluster.storages.insert(id.clone(), storage);
    ok(json!({ "storage": id, "type": kind }))
}

fn change(storage: &mut Storage, call: &Call) {
    for (name, text) in call.args.texts() {
        let secret = call.method.param(name).is_some_and(|param| param.secret);
        match name {
            "storage" | "type" | "digest" | "delete" => {}
            "content" => storage.content = split_list(text),
            "nodes" => storage.nodes = split_list(text),
            "disable" => storage.disabled = text == "1",
            "shared" => storage.shared = text == "1",
            _ if secret => {}
            _ => {
                storage.options.insert(name.to_owned(), text.to_owned());
            }
        }
    }
}

fn redefine(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("storage").to_owned();
    let now = config_digest(cluster);
    let failed = |text: &str| Failure::die(format!("update storage failed: {text}"));
    let Some(storage) = cluster.storages.get_mut(&id) else {
        return Err(failed(&format!("storage '{id}' does not exist")));
    };
    if call.args.text("digest").is_some_and(|given| given != now) {
        return Err(failed("detected modified configuration - file changed by other user? Try again."));
    }
    for name in call.args.list("delete") {
        match name.as_str() {
            "nodes" => storage.nodes.clear(),
            "disable" => storage.disabled = false,
            "shared" => storage.shared = false,
            _ if call.method.param(&name).is_none() => return Err(failed(&format!("no such option '{name}'"))),
            _ => {
                storage.options.remove(&name);
            }
        }
    }
    change(storage, call);
    let kind = storage.kind.clone();
    ok(json!({ "storage": id, "type": kind }))
}

fn undefine(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("storage");
    match cluster.storages.remove(id) {
        Some(_) => done(),
        None => Err(Failure::die(format!("delete storage failed: storage '{id}' does not exist"))),
    }
}

/// The state of a storage on a node.
fn state(cluster: &Cluster, node: &str, id: &str, storage: &Storage) -> Value {
    let up = !storage.disabled;
    let (total, used) = if up { (storage.size, cluster.used(node, id).min(storage.size)) } else { (0, 0) };
    json!({
        "type": storage.kind, "content": storage.content.join(","), "enabled": u8::from(up), "active": u8::from(up),
        "shared": u8::from(storage.shared), "total": total, "used": used, "avail": total - used,
    })
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let wanted = call.args.list("content");
    let rows = cluster
        .storages
        .iter()
        .filter(|(id, storage)| {
            storage.is_on(node)
                && (wanted.is_empty() || wanted.iter().any(|kind| storage.holds(kind)))
                && (!call.args.flag("enabled") || !storage.disabled)
                && call.args.text("storage").is_none_or(|name| name == id.as_str())
                && call
                    .args
                    .text("target")
                    .is_none_or(|other| storage.shared && storage.is_on(other) || storage.is_on(other))
        })
        .map(|(id, storage)| {
            let mut row = state(cluster, node, id, storage);
            row["storage"] = json!(id);
            if let (Some(total), Some(used)) = (row["total"].as_u64().filter(|total| *total > 0), row["used"].as_u64())
            {
                row["used_fraction"] = json!(used as f64 / total as f64);
            }
            row
        });
    ok(rows.collect::<Value>())
}

fn status(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, id) = (call.args.need("node"), call.args.need("storage"));
    match cluster.storages.get(id).filter(|storage| storage.is_on(node)) {
        Some(storage) => ok(state(cluster, node, id, storage)),
        None => Err(Failure::param("storage", "No such storage.")),
    }
}

fn rrddata(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, id) = (call.args.need("node"), call.args.need("storage"));
    let total = cluster.storage(id)?.size;
    let used = cluster.used(node, id);
    let points = nodes::points(cluster, call).into_iter();
    ok(points.map(|time| json!({ "time": time, "total": total, "used": used })).collect::<Value>())
}

/// The rows of all storages in the cluster's resources, one per node.
pub(super) fn resources(cluster: &Cluster) -> Vec<Value> {
    let mut rows = Vec::new();
    for (node, member) in &cluster.nodes {
        for (id, storage) in cluster.storages.iter().filter(|(_, storage)| storage.is_on(node)) {
            let up = member.online && !storage.disabled;
            let mut row = json!({
                "id": format!("storage/{node}/{id}"), "type": "storage", "storage": id, "node": node,
                "plugintype": storage.kind, "content": storage.content.join(","), "shared": u8::from(storage.shared),
                "status": if up { "available" } else { "unknown" },
            });
            if up {
                row["disk"] = json!(cluster.used(node, id).min(storage.size));
                row["maxdisk"] = json!(storage.size);
            }
            rows.push(row);
        }
    }
    rows
}
