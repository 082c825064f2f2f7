//! What lies on storages: listing, allocating, describing and deleting volumes.
//!
//! Knows volume ids and their names; the storages themselves are in `storage`.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    disks::{is_volume_name, unparsable},
    guest::{Kind, parse_size},
    request::Call,
    tasks::{Plan, Spawn},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/storage/{storage}/content", content),
    (Verb::Post, "/nodes/{node}/storage/{storage}/content", allocate),
    (Verb::Get, "/nodes/{node}/storage/{storage}/content/{volume}", volume),
    (Verb::Put, "/nodes/{node}/storage/{storage}/content/{volume}", annotate),
    (Verb::Delete, "/nodes/{node}/storage/{storage}/content/{volume}", delete),
];

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
