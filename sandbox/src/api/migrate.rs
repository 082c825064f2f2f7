//! Migration: what stands in the way, and the move itself.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::{Kind, Power, is_cdrom, size_of},
    request::Call,
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/migrate", preconditions),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/migrate", preconditions),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/migrate", migrate),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/migrate", migrate),
];

/// Option and volume of everything that only this node has.
fn local_volumes(cluster: &Cluster, node: &str, kind: Kind, vmid: u32) -> Vec<(String, String)> {
    let Ok(guest) = cluster.guest(node, kind, vmid) else { return Vec::new() };
    let local = |volid: &str| cluster.volume(node, volid).is_some_and(|volume| volume.node.is_some());
    guest.volumes().into_iter().filter(|(_, volid)| local(volid)).collect()
}

fn preconditions(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let others: Vec<&String> =
        cluster.nodes.iter().filter(|(name, other)| **name != node && other.online).map(|(name, _)| name).collect();
    let mut refused = serde_json::Map::new();
    for other in &others {
        let lacking: Vec<String> = guest
            .volumes()
            .into_iter()
            .filter_map(|(_, volid)| volid.split(':').next().map(str::to_owned))
            .filter(|id| cluster.storages.get(id).is_none_or(|storage| !storage.is_on(other)))
            .collect();
        if !lacking.is_empty() {
            refused.insert((*other).clone(), json!({ "unavailable_storages": lacking }));
        }
    }
    let allowed: Vec<&&String> = others.iter().filter(|name| !refused.contains_key(**name)).collect();
    let running = u8::from(guest.running());
    if kind == Kind::Lxc {
        return ok(json!({ "allowed-nodes": allowed, "not-allowed-nodes": refused, "running": running }));
    }
    let disks: Vec<Value> = local_volumes(cluster, &node, kind, vmid)
        .into_iter()
        .map(|(option, volid)| {
            let text = guest.text(&option).unwrap_or_default();
            let size = cluster.volume(&node, &volid).map(|volume| volume.size).or_else(|| size_of(text));
            json!({
                "volid": volid, "size": size, "drivename": option, "cdrom": u8::from(is_cdrom(text)), "shared": 0,
                "replicate": 1, "is_unused": u8::from(option.starts_with("unused")), "is_attached": 1, "is_vmstate": 0,
                "is_tpmstate": u8::from(option.starts_with("tpmstate")), "is_cloudinit": u8::from(volid.contains("cloudinit")),
            })
        })
        .collect();
    ok(json!({
        "running": running, "allowed_nodes": allowed, "not_allowed_nodes": refused, "local_disks": disks,
        "local_resources": [], "mapped-resources": [], "mapped-resource-info": {}, "has-dbus-vmstate": 1,
    }))
}

fn migrate(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let to = call.args.need("target").to_owned();
    if to == node {
        return Err(Failure::param("target", "target is local node."));
    }
    let Some(place) = cluster.nodes.get(&to) else {
        return Err(Failure::die(format!("no such cluster node '{to}'")));
    };
    let reachable = place.online;
    must_exist(cluster, call)?;
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    guest.check_lock().map_err(Failure::die)?;
    let (online, restart) = (call.args.flag("online"), call.args.flag("restart"));
    if guest.running() {
        match kind {
            Kind::Qemu if !online => return Err(Failure::die("can't migrate running VM without --online")),
            Kind::Lxc if !online && !restart => {
                return Err(Failure::die("can't migrate running container without --online or --restart"));
            }
            _ => {}
        }
    }
    let with_disks = call.args.flag("with-local-disks");
    let storage = call.args.text("targetstorage").or(call.args.text("target-storage")).map(str::to_owned);
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        guest.check_lock()?;
        if !reachable {
            return Err(format!("Can't connect to destination address using public key (node '{to}' is offline)"));
        }
        let running = guest.running();
        let locals = local_volumes(cluster, &node, kind, vmid);
        if let Some((_, iso)) = locals.iter().find(|(_, volid)| volid.contains(":iso/")) {
            return Err(format!("migration aborted: can't migrate local cdrom '{iso}'"));
        }
        if kind == Kind::Lxc && running && !restart {
            return Err("lxc live migration is currently not implemented".to_owned());
        }
        if kind == Kind::Qemu && running && !locals.is_empty() && !with_disks {
            return Err("can't live migrate attached local disks without with-local-disks option".to_owned());
        }
        let lines = lines(cluster, &node, kind, vmid, &to, &locals);
        let seconds = 8.0 + 2.0 * locals.len() as f64;
        let plan = Plan::new(seconds, lines, move |cluster, _| {
            arrive(cluster, &node, kind, vmid, &to, storage.as_deref(), &locals)?;
            if running && kind == Kind::Lxc {
                cluster.set_power(vmid, Power::Stopped);
                cluster.set_power(vmid, Power::Running);
            }
            Ok(())
        });
        Ok(plan.locked(vmid, "migrate"))
    });
    guest_task(cluster, call, ["qmigrate", "vzmigrate"], begin)
}

fn lines(cluster: &Cluster, node: &str, kind: Kind, vmid: u32, to: &str, locals: &[(String, String)]) -> Vec<String> {
    let number = cluster.nodes.get(to).map_or(0, |node| node.number);
    let what = if kind == Kind::Qemu { "VM" } else { "CT" };
    let mut lines = vec![format!("starting migration of {what} {vmid} to node '{to}' (192.0.2.{})", 10 + number)];
    for (option, volid) in locals {
        lines.push(format!("found local disk '{volid}' ({option})"));
        lines.push(format!("volume '{volid}' is '{volid}' on the target"));
    }
    if kind == Kind::Qemu && cluster.guest(node, kind, vmid).is_ok_and(|guest| guest.running()) {
        lines.push(format!("starting VM {vmid} on remote node '{to}'"));
        lines.push("start migrate command to unix:/run/qemu-server/migrate".to_owned());
        lines.extend((1..=4).map(|part| format!("migration active, transferred {}% of the memory", part * 25)));
        lines.push("average migration speed: 1.0 GiB/s - downtime 42 ms".to_owned());
    }
    lines.push("migration finished successfully (duration 00:00:08)".to_owned());
    lines
}

/// The guest is on the other node, and so are its local volumes.
fn arrive(
    cluster: &mut Cluster,
    node: &str,
    kind: Kind,
    vmid: u32,
    to: &str,
    storage: Option<&str>,
    locals: &[(String, String)],
) -> Result<(), String> {
    for (option, volid) in locals {
        let Some(mut volume) = cluster.remove_volume(node, volid) else { continue };
        let kept = volume.storage().to_owned();
        let wanted = storage.map_or(kept.as_str(), |pairs| mapped(pairs, &kept));
        if wanted != kept && cluster.storages.contains_key(wanted) {
            volume.volid = volid.replacen(&kept, wanted, 1);
        }
        let renamed = volume.volid.clone();
        cluster.add_volume(volume, to);
        let guest = cluster.guest_mut(node, kind, vmid)?;
        let text = guest.text(option).map(|text| crate::guest::with_volume(text, &renamed));
        guest.config.extend(text.map(|text| (option.clone(), json!(text))));
    }
    let folder = kind.as_str();
    if let Some(firewall) = cluster.firewalls.remove(&format!("/nodes/{node}/{folder}/{vmid}")) {
        cluster.firewalls.insert(format!("/nodes/{to}/{folder}/{vmid}"), firewall);
    }
    cluster.guest_mut(node, kind, vmid)?.node = to.to_owned();
    Ok(())
}

/// Takes a guest and its local volumes to another node at once.
pub(super) fn carry(cluster: &mut Cluster, vmid: u32, to: &str) -> Result<(), String> {
    let Some((node, kind)) = cluster.guests.get(&vmid).map(|guest| (guest.node.clone(), guest.kind)) else {
        return Ok(());
    };
    let locals = local_volumes(cluster, &node, kind, vmid);
    arrive(cluster, &node, kind, vmid, to, None, &locals)
}

/// The storage that a mapping gives: `1` keeps, `store` takes all, `a:b` pairs.
fn mapped<'a>(pairs: &'a str, from: &'a str) -> &'a str {
    let pair = pairs.split(',').find_map(|pair| pair.split_once(':').filter(|(source, _)| *source == from));
    match (pair, pairs) {
        (Some((_, to)), _) => to,
        (None, pairs) if pairs == "1" || pairs.contains(':') => from,
        (None, pairs) => pairs,
    }
}
