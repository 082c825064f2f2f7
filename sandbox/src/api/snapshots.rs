//! Snapshots: list, create, describe, roll back, delete.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    guest::{Config, Guest, Kind, Power, Snapshot},
    request::Call,
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/snapshot", list),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/snapshot", list),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/snapshot", create),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/snapshot", create),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", read),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", read),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", describe),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", describe),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback", roll_back),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", roll_back),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}", delete),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", delete),
];

/// A snapshot's configuration with what belongs to the snapshot itself.
pub(super) fn config_of(snapshot: &Snapshot) -> Config {
    let mut config = snapshot.config.clone();
    config.insert("snaptime".to_owned(), json!(snapshot.time));
    if !snapshot.description.is_empty() {
        config.insert("description".to_owned(), json!(snapshot.description));
    }
    if let Some(parent) = &snapshot.parent {
        config.insert("parent".to_owned(), json!(parent));
    }
    config
}

fn missing(name: &str) -> String {
    format!("snapshot '{name}' does not exist")
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let mut rows: Vec<Value> = guest
        .snapshots
        .iter()
        .map(|snapshot| {
            let mut row =
                json!({ "name": snapshot.name, "description": snapshot.description, "snaptime": snapshot.time });
            if kind == Kind::Qemu {
                row["vmstate"] = json!(u8::from(snapshot.memory));
            }
            if let Some(parent) = &snapshot.parent {
                row["parent"] = json!(parent);
            }
            row
        })
        .collect();
    let mut current = json!({
        "name": "current", "description": "You are here!", "running": u8::from(guest.running()), "digest": guest.digest(),
    });
    if let Some(parent) = &guest.parent {
        current["parent"] = json!(parent);
    }
    rows.push(current);
    ok(Value::Array(rows))
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let name = call.args.need("snapname");
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let snapshot = guest.snapshot(name).ok_or_else(|| Failure::die(missing(name)))?;
    ok(Value::Object(config_of(snapshot).into_iter().collect()))
}

fn describe(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let name = call.args.need("snapname");
    let guest = cluster.guest_mut(&node, kind, vmid).map_err(Failure::die)?;
    let snapshot = guest.snapshots.iter_mut().find(|snapshot| snapshot.name == name);
    let snapshot = snapshot.ok_or_else(|| Failure::die(missing(name)))?;
    if let Some(text) = call.args.text("description") {
        text.clone_into(&mut snapshot.description);
    }
    done()
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let name = call.args.need("snapname").to_owned();
    if matches!(name.as_str(), "current" | "pending") {
        return Err(Failure::die(format!("unable to use snapshot name '{name}' (reserved name)")));
    }
    let description = call.args.text("description").unwrap_or_default().to_owned();
    let memory = call.args.flag("vmstate");
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        guest.check_lock()?;
        if guest.is_template() {
            return Err("you can't take a snapshot if it's a template".to_owned());
        }
        if guest.snapshot(&name).is_some() {
            return Err(format!("snapshot name '{name}' already used"));
        }
        if !cluster.can_snapshot(&node, &guest.config) {
            return Err("snapshot feature is not available".to_owned());
        }
        let memory = memory && guest.running();
        let mut lines = Vec::new();
        if memory {
            lines.push(format!("saving VM state and RAM using storage 'local-lvm' of VM {vmid}"));
            lines.push(format!("completed saving the VM state in 3s, saved {} MiB", guest.memory() >> 21));
        }
        let disks = guest.volumes().into_iter().filter(|(option, _)| !option.starts_with("unused"));
        lines.extend(disks.map(|(option, volid)| match kind {
            Kind::Qemu => format!("snapshotting 'drive-{option}' ({volid})"),
            Kind::Lxc => format!("snapshotting volume '{volid}' ({option})"),
        }));
        let seconds = if memory { 6.0 } else { 2.0 };
        let plan = Plan::new(seconds, lines, move |cluster, _| {
            let time = cluster.clock.seconds();
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            let snapshot = Snapshot {
                name: name.clone(),
                description,
                parent: guest.parent.take(),
                time,
                memory,
                config: guest.config.clone(),
            };
            guest.snapshots.push(snapshot);
            guest.parent = Some(name);
            Ok(())
        });
        Ok(plan.locked(vmid, "snapshot"))
    });
    guest_task(cluster, call, ["qmsnapshot", "vzsnapshot"], begin)
}

fn roll_back(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let name = call.args.need("snapname").to_owned();
    let start = call.args.flag("start");
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        let snapshot = guest.snapshot(&name).ok_or_else(|| missing(&name))?.clone();
        guest.check_lock()?;
        let plan = Plan::new(3.0, Vec::new(), move |cluster, _| {
            cluster.set_power(vmid, Power::Stopped);
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            let unused: Vec<(String, Value)> = added_since(guest, &snapshot.config);
            guest.config = snapshot.config;
            for (_, value) in unused {
                super::config::add_unused(guest, crate::guest::file_of(value.as_str().unwrap_or_default()));
            }
            guest.parent = Some(name);
            if start || snapshot.memory {
                cluster.set_power(vmid, Power::Running);
            }
            Ok(())
        });
        Ok(plan.locked(vmid, "rollback"))
    });
    guest_task(cluster, call, ["qmrollback", "vzrollback"], begin)
}

/// The disks that the guest has now and the snapshot has not: they are kept, unused.
fn added_since(guest: &Guest, before: &Config) -> Vec<(String, Value)> {
    let old: Vec<String> = crate::guest::volumes_of(before).into_iter().map(|(_, volid)| volid).collect();
    guest
        .volumes()
        .into_iter()
        .filter(|(_, volid)| !old.contains(volid) && !volid.contains("cloudinit") && !volid.contains(":iso/"))
        .map(|(option, volid)| (option, json!(volid)))
        .collect()
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let name = call.args.need("snapname").to_owned();
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        if guest.snapshot(&name).is_none() {
            return Err(missing(&name));
        }
        guest.check_lock()?;
        let plan = Plan::new(2.0, Vec::new(), move |cluster, _| {
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            let gone = guest.snapshots.iter().position(|snapshot| snapshot.name == name);
            let Some(gone) = gone.map(|place| guest.snapshots.remove(place)) else { return Ok(()) };
            for snapshot in &mut guest.snapshots {
                if snapshot.parent.as_ref() == Some(&name) {
                    snapshot.parent.clone_from(&gone.parent);
                }
            }
            if guest.parent.as_ref() == Some(&name) {
                guest.parent = gone.parent;
            }
            Ok(())
        });
        Ok(plan.locked(vmid, "snapshot-delete"))
    });
    guest_task(cluster, call, ["qmdelsnapshot", "vzdelsnapshot"], begin)
}
