//! Disks: another size, another storage.

use proxmox_spec::Verb;
use serde_json::json;

use super::{Route, config::add_unused, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply},
    cluster::Cluster,
    disks::made,
    guest::{Kind, file_of, parse_size, size_of, with_size, with_volume},
    request::Call,
    tasks::{Plan, copy_progress},
    volumes::Allocation,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/resize", resize),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/resize", resize),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/move_disk", move_disk),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/move_volume", move_disk),
];

fn resize(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let disk = call.args.need("disk").to_owned();
    let size = call.args.need("size").to_owned();
    let digest = call.args.text("digest").map(str::to_owned);
    if kind == Kind::Lxc {
        cluster.wait_for_lock(vmid)?;
        let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
        guest.check_lock().map_err(Failure::die)?;
        if digest.as_ref().is_some_and(|digest| *digest != guest.digest()) {
            return Err(Failure::die("detected modified configuration - file changed by other user? Try again."));
        }
        let Some(text) = guest.text(&disk) else {
            let text = "property is missing and it is not optional".to_owned();
            let errors = [("mp".to_owned(), text.clone()), ("volume".to_owned(), text)];
            return Err(Failure { errors: errors.into_iter().collect(), ..Failure::die("format error") });
        };
        if new_size(text, &size).is_none() {
            return Err(Failure::die("unable to shrink disk size"));
        }
    }
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        if digest.is_some_and(|digest| digest != guest.digest()) {
            return Err("checksum mismatch (file change by other user?)".to_owned());
        }
        guest.check_lock()?;
        let Some(text) = guest.text(&disk).map(str::to_owned) else {
            return Err(format!("disk '{disk}' does not exist"));
        };
        let bytes = new_size(&text, &size).ok_or("shrinking disks is not supported")?;
        let volid = file_of(&text).to_owned();
        let storage = volid.split(':').next().unwrap_or_default().to_owned();
        if cluster.volume(&node, &volid).is_none() {
            return Err(format!("disk '{disk}' does not exist on storage '{storage}'"));
        }
        if size_of(&text) == Some(bytes) {
            return Ok(Plan::nothing());
        }
        // The file of a base volume cannot be written any more.
        if volid.contains("/base-")
            && let Some(path) = Some(cluster.volume_path(&volid)).filter(|path| path.starts_with('/'))
        {
            let format = if volid.ends_with(".qcow2") { "qcow2" } else { "raw" };
            return Err(format!(
                "command '/usr/bin/qemu-img resize '--preallocation=metadata' -f {format} {path} {bytes}' failed: \
                 exit code 1"
            ));
        }
        Ok(Plan::new(1.0, vec!["Image resized.".to_owned()], move |cluster, _| {
            if let Some(volume) = cluster.volume_mut(&node, &volid) {
                volume.size = bytes;
            }
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            guest.config.insert(disk, json!(with_size(&text, bytes)));
            Ok(())
        }))
    });
    guest_task(cluster, call, ["resize", "resize"], begin)
}

/// The size that a disk will have; nothing when it would shrink.
fn new_size(text: &str, wanted: &str) -> Option<u64> {
    let now = size_of(text).unwrap_or(0);
    let size = match wanted.strip_prefix('+') {
        Some(more) => now + parse_size(more)?,
        None => parse_size(wanted)?,
    };
    (size >= now).then_some(size)
}

fn move_disk(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let option = if kind == Kind::Qemu { "disk" } else { "volume" };
    let disk = call.args.need(option).to_owned();
    let both = |other: &str| format!("both 'storage' and '{other}' missing, either needs to be set");
    if call.args.has("target-vmid") {
        return reassign(cluster, call, &disk);
    }
    let Some(storage) = call.args.text("storage").map(str::to_owned) else {
        let text = both("target-vmid");
        return Err(Failure::params([("storage".to_owned(), text.clone()), ("target-vmid".to_owned(), text)]));
    };
    cluster.usable_storage(&storage, &node)?;
    cluster.wait_for_lock(vmid)?;
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    guest.check_lock().map_err(Failure::die)?;
    if kind == Kind::Lxc && guest.running() {
        return Err(Failure::die("cannot move volumes of a running container"));
    }
    let Some(text) = guest.text(&disk).map(str::to_owned) else {
        return Err(Failure::die(format!("disk '{disk}' does not exist")));
    };
    let volid = file_of(&text).to_owned();
    let Some(volume) = cluster.volume(&node, &volid).cloned() else {
        return Err(Failure::die(format!("volume '{volid}' does not exist")));
    };
    let format = call.args.text("format").unwrap_or(&volume.format).to_owned();
    if kind == Kind::Qemu && volume.storage() == storage && volume.format == format {
        return Err(Failure::die("you can't move to the same storage with same format"));
    }
    let delete = call.args.flag("delete");
    let begin = Box::new(move |cluster: &mut Cluster| {
        cluster.guest(&node, kind, vmid)?.check_lock()?;
        let wanted = Allocation {
            storage: &storage,
            node: &node,
            vmid,
            kind,
            size: volume.size,
            format: Some(&format),
            what: "disk",
        };
        let copy = cluster.allocate(&wanted).map_err(super::task_error)?;
        let what = if kind == Kind::Qemu { "drive" } else { "mountpoint" };
        let mut lines =
            vec![format!("create full clone of {what} {disk} ({volid})"), made(cluster, &copy, volume.size)];
        lines.extend(copy_progress(volume.size));
        let (undo_node, undo_copy) = (node.clone(), copy.clone());
        let plan = Plan::new(8.0, lines, move |cluster, log| {
            if delete {
                log.push(format!("removing source volume '{volid}' after successful copy"));
                cluster.remove_volume(&node, &volid);
            }
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            guest.config.insert(disk, json!(with_volume(&text, &copy)));
            if !delete {
                log.push(format!("adding source volume '{volid}' as an unused one to config"));
                add_unused(guest, &volid);
            }
            Ok(())
        });
        let plan = plan.undo(move |cluster| {
            cluster.remove_volume(&undo_node, &undo_copy);
        });
        Ok(if kind == Kind::Lxc { plan.locked(vmid, "disk") } else { plan })
    });
    guest_task(cluster, call, ["qmmove", "move_volume"], begin)
}

/// The disk changes its owner.
fn reassign(cluster: &mut Cluster, call: &Call, disk: &str) -> Reply {
    let (node, kind, vmid) = target(call);
    let to = call.args.number("target-vmid").and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
    let place = call.args.text("target-disk").or(call.args.text("target-volume")).unwrap_or(disk).to_owned();
    let other = cluster.guest(&node, kind, to).map_err(Failure::die)?;
    if other.config.contains_key(&place) {
        return Err(Failure::die(format!("Target disk key '{place}' is already in use for '{to}'")));
    }
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let Some(text) = guest.text(disk).map(str::to_owned) else {
        return Err(Failure::die(format!("Disk '{disk}' for {} '{vmid}' does not exist", kind.label())));
    };
    if guest.running() && !disk.starts_with("unused") {
        return Err(Failure::die(format!("Cannot move disk of running {} to another", kind.label())));
    }
    let disk = disk.to_owned();
    let begin = Box::new(move |_: &mut Cluster| {
        let line = format!("moving disk '{disk}' from {} '{vmid}' to '{to}'", kind.label());
        Ok(Plan::new(1.0, vec![line], move |cluster, _| {
            let old = file_of(&text).to_owned();
            let Some(mut volume) = cluster.remove_volume(&node, &old) else { return Ok(()) };
            volume.volid = old.replace(&vmid.to_string(), &to.to_string());
            volume.vmid = Some(to);
            let new = volume.volid.clone();
            cluster.add_volume(volume, &node);
            cluster.guest_mut(&node, kind, vmid)?.config.remove(&disk);
            cluster.guest_mut(&node, kind, to)?.config.insert(place, json!(with_volume(&text, &new)));
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmmove", "move_volume"], begin)
}
