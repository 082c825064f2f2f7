//! Storages: definitions, status, and what lies on them.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, nodes};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    disks::{is_volume_name, unparsable},
    generic::digest,
    guest::{Kind, parse_size},
    request::{Call, split_list},
    tasks::{Plan, Spawn},
    volumes::{Storage, Volume},
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
    (Verb::Get, "/nodes/{node}/storage/{storage}/content", content),
    (Verb::Post, "/nodes/{node}/storage/{storage}/content", allocate),
    (Verb::Get, "/nodes/{node}/storage/{storage}/content/{volume}", volume),
    (Verb::Put, "/nodes/{node}/storage/{storage}/content/{volume}", annotate),
    (Verb::Delete, "/nodes/{node}/storage/{storage}/content/{volume}", delete),
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

fn content(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, id) = (call.args.need("node"), call.args.need("storage"));
    cluster.usable_storage(id, node)?;
    let vmid = call.args.number("vmid").and_then(|vmid| u32::try_from(vmid).ok());
    let found = cluster
        .volumes_on(node, id)
        .filter(|volume| call.args.text("content").is_none_or(|kind| volume.content == kind))
        .filter(|volume| vmid.is_none() || volume.vmid == vmid);
    ok(found.map(Volume::describe).collect::<Value>())
}

fn allocate(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, id) = (call.args.need("node").to_owned(), call.args.need("storage").to_owned());
    let storage = cluster.usable_storage(&id, &node)?;
    let (files, vmid) = (storage.is_directory(), call.args.vmid());
    let file = call.args.need("filename");
    let volid = if files { format!("{id}:{vmid}/{file}") } else { format!("{id}:{file}") };
    if cluster.volume(&node, &volid).is_some() {
        return Err(Failure::die(format!("disk image '{}' already exists", cluster.volume_path(&volid))));
    }
    // A size without a unit is in KiB here, unlike in a resize.
    let text = call.args.need("size");
    let size =
        if text.ends_with(|c: char| c.is_ascii_digit()) { parse_size(&format!("{text}K")) } else { parse_size(text) };
    let format = call.args.text("format").or_else(|| file.rsplit_once('.').map(|(_, end)| end)).unwrap_or("raw");
    let kind = cluster.guests.get(&vmid).map_or(Kind::Qemu, |guest| guest.kind);
    let volume = Volume {
        volid: volid.clone(),
        node: None,
        content: if kind == Kind::Qemu { "images" } else { "rootdir" }.to_owned(),
        format: if files { format } else { "raw" }.to_owned(),
        size: size.unwrap_or(0),
        vmid: Some(vmid),
        created: cluster.clock.seconds(),
        notes: None,
        protected: false,
        backup_of: None,
    };
    if let Some(text) = cluster.no_space(&volid) {
        return Err(Failure::die(text));
    }
    cluster.add_volume(volume, &node);
    ok(volid)
}

/// The whole volume id of a call that may leave the storage out.
fn volid(cluster: &Cluster, call: &Call) -> Result<String, Failure> {
    let (node, id, name) = (call.args.need("node"), call.args.need("storage"), call.args.need("volume"));
    let name = match name.split_once(':') {
        // Names on a backup server hold colons of their own, in the time.
        Some((storage, rest)) if !storage.contains('/') => {
            if storage != id {
                let text = format!("storage ID mismatch ({storage} != {id})\n");
                return Err(Failure::param("volume", text));
            }
            rest
        }
        _ => name,
    };
    let storage = cluster.usable_storage(id, node)?;
    if !is_volume_name(storage.is_directory() || storage.kind == "pbs", name) {
        return Err(Failure::die(unparsable(&storage.kind, name)));
    }
    Ok(format!("{id}:{name}"))
}

fn volume(cluster: &mut Cluster, call: &Call) -> Reply {
    let volid = volid(cluster, call)?;
    let Some(volume) = cluster.volume(call.args.need("node"), &volid) else {
        return Err(Failure::die(format!("volume_size_info on '{volid}' failed - no format")));
    };
    let format = if volume.format == "qcow2" { "qcow2" } else { "raw" };
    let path = cluster.volume_path(&volid);
    let mut answer = json!({ "path": path, "size": volume.size, "used": volume.size, "format": format });
    if volume.content == "backup" {
        answer["protected"] = json!(u8::from(volume.protected));
        if let Some(notes) = &volume.notes {
            answer["notes"] = json!(notes);
        }
    }
    ok(answer)
}

fn annotate(cluster: &mut Cluster, call: &Call) -> Reply {
    let volid = volid(cluster, call)?;
    let Some(volume) = cluster.volume_mut(call.args.need("node"), &volid) else {
        return Err(Failure::die(format!("volume '{volid}' does not exist")));
    };
    if volume.content != "backup" {
        return Err(Failure::die("volume attributes are only supported for backups"));
    }
    if let Some(notes) = call.args.text("notes") {
        volume.notes = (!notes.is_empty()).then(|| notes.to_owned());
    }
    if let Some(protected) = call.args.text("protected") {
        volume.protected = protected == "1";
    }
    done()
}

/// The guest that a volume's name tells, whether or not the volume is there.
fn owner_in_name(volid: &str) -> Option<u32> {
    let (_, name) = volid.split_once(':')?;
    let marks = ["vzdump-qemu-", "vzdump-lxc-", "backup/vm/", "backup/ct/", "vm-", "base-"];
    let digits = marks.iter().find_map(|mark| name.split_once(mark)).map_or(name, |(_, rest)| rest);
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let volid = volid(cluster, call)?;
    let (node, storage) = (call.args.need("node").to_owned(), call.args.need("storage").to_owned());
    let owner = cluster.volume(&node, &volid).and_then(|volume| volume.vmid).or_else(|| owner_in_name(&volid));
    let id = owner.map_or_else(|| storage.clone(), |vmid| format!("{vmid}@{storage}"));
    let place = node.clone();
    let begin = Box::new(move |cluster: &mut Cluster| {
        let name = volid.split_once(':').map_or("", |(_, name)| name).to_owned();
        if cluster.volume(&node, &volid).is_some_and(|volume| volume.protected) {
            return Err(format!("cannot remove protected volume '{name}' on '{storage}'"));
        }
        Ok(Plan::new(1.0, Vec::new(), move |cluster, log| {
            if cluster.remove_volume(&node, &volid).is_none() {
                log.push(format!("disk image '{}' does not exist", cluster.volume_path(&volid)));
            }
            log.push(format!("Removed volume '{volid}'"));
            Ok(())
        }))
    });
    ok(cluster.spawn(Spawn { node: place, kind: "imgdel", id, user: call.user.clone(), holds: None, begin }))
}
