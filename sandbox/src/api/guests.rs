//! Guests as they are: lists, present status, statistics, features, deletion.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, access::forget_path, guest_task, must_exist, nodes, target};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    guest::{Guest, Kind, Power, is_cdrom, size_of},
    request::Call,
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/qemu", list),
    (Verb::Get, "/nodes/{node}/lxc", list),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/status/current", current),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/status/current", current),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/rrddata", rrddata),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/rrddata", rrddata),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/feature", feature),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/feature", feature),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/interfaces", interfaces),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}", delete),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}", delete),
];

/// Bytes of the node's memory that a guest uses.
pub(super) fn memory_in_use(guest: &Guest) -> u64 {
    if guest.running() { guest.memory() * 2 / 5 } else { 0 }
}

/// The part of its processors that a guest uses: the same for the same guest.
fn load(guest: &Guest) -> f64 {
    if guest.power == Power::Running { f64::from(guest.vmid % 7 + 1) / 100.0 } else { 0.0 }
}

/// Seconds since the start.
fn uptime(cluster: &Cluster, guest: &Guest) -> i64 {
    if guest.running() { (cluster.clock.now - guest.started) / 1_000 } else { 0 }
}

/// Bytes of the first disk.
fn disk_size(guest: &Guest) -> u64 {
    let first = match guest.kind {
        Kind::Lxc => guest.text("rootfs").and_then(size_of),
        Kind::Qemu => {
            let bootable = ["scsi", "virtio", "sata", "ide"];
            let disks = bootable.iter().flat_map(|base| (0..31).map(move |number| format!("{base}{number}")));
            disks.filter_map(|disk| guest.text(&disk)).find(|text| !is_cdrom(text)).and_then(size_of)
        }
    };
    first.unwrap_or(0)
}

/// What every report of a guest has.
fn figures(cluster: &Cluster, guest: &Guest) -> Value {
    let running = guest.running();
    let traffic = if running { u64::try_from(uptime(cluster, guest)).unwrap_or(0) * 1_100 } else { 0 };
    let mut row = json!({
        "vmid": guest.vmid, "name": guest.name(), "status": if running { "running" } else { "stopped" },
        "cpu": load(guest), "mem": memory_in_use(guest), "maxmem": guest.memory(), "maxdisk": disk_size(guest),
        "disk": if guest.kind == Kind::Lxc && running { disk_size(guest) / 8 } else { 0 },
        "netin": traffic, "netout": traffic / 2, "uptime": uptime(cluster, guest),
    });
    if let Some(lock) = &guest.lock {
        row["lock"] = json!(lock);
    }
    if let Some(tags) = guest.text("tags").filter(|tags| !tags.is_empty()) {
        row["tags"] = json!(tags);
    }
    row
}

/// The entry of a node's list.
fn entry(cluster: &Cluster, guest: &Guest, full: bool) -> Value {
    let mut row = figures(cluster, guest);
    row["cpus"] = json!(guest.processors());
    if guest.is_template() {
        row["template"] = json!(1);
    }
    match guest.kind {
        Kind::Qemu => {
            row["memhost"] = json!(memory_in_use(guest));
            if full {
                row["qmpstatus"] = json!(qmp_status(guest));
            }
        }
        Kind::Lxc => {
            let swap = guest.number("swap", 512) << 20;
            for (name, value) in [("swap", 0), ("maxswap", swap), ("diskread", 0), ("diskwrite", 0)] {
                row[name] = json!(value);
            }
            row["type"] = json!("lxc");
        }
    }
    if guest.running() {
        row["pid"] = json!(guest.pid);
        for what in ["cpufull", "cpusome", "iofull", "iosome", "memoryfull", "memorysome"] {
            row[format!("pressure{what}")] = json!(0);
        }
        if full && guest.kind == Kind::Qemu {
            let cards = (0..32).filter(|number| guest.config.contains_key(&format!("net{number}")));
            let traffic = json!({ "netin": row["netin"], "netout": row["netout"] });
            row["nics"] =
                cards.map(|number| (format!("tap{}i{number}", guest.vmid), traffic.clone())).collect::<Value>();
        }
    }
    row
}

fn qmp_status(guest: &Guest) -> &'static str {
    match guest.power {
        Power::Stopped => "stopped",
        Power::Running => "running",
        Power::Paused => "paused",
    }
}

/// The row of a guest in the cluster's resources.
pub(super) fn resource(cluster: &Cluster, guest: &Guest) -> Value {
    resource_in(cluster, guest, cluster.pool_of(guest.vmid))
}

/// The row of a guest whose pool is known, which takes a search for each of many guests otherwise.
pub(super) fn resource_in(cluster: &Cluster, guest: &Guest, pool: Option<&str>) -> Value {
    let mut row = figures(cluster, guest);
    row["id"] = json!(format!("{}/{}", guest.kind.as_str(), guest.vmid));
    row["type"] = json!(guest.kind.as_str());
    row["node"] = json!(guest.node);
    row["maxcpu"] = json!(guest.processors());
    row["template"] = json!(u8::from(guest.is_template()));
    row["diskread"] = json!(0);
    row["diskwrite"] = json!(0);
    row["memhost"] = json!(memory_in_use(guest));
    if let Some(pool) = pool {
        row["pool"] = json!(pool);
    }
    if cluster.nodes.get(&guest.node).is_some_and(|node| !node.online) {
        row["status"] = json!("unknown");
        for name in ["cpu", "mem", "memhost", "uptime", "disk", "netin", "netout"] {
            row[name] = json!(0);
        }
    }
    row
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, _) = target(call);
    let guests = cluster.guests.values().filter(|guest| guest.node == node && guest.kind == kind);
    ok(Value::Array(guests.map(|guest| entry(cluster, guest, call.args.flag("full"))).collect()))
}

fn current(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let mut answer = entry(cluster, guest, true);
    answer["ha"] = json!({ "managed": 0 });
    if super::agent::configured(guest) {
        answer["agent"] = json!(1);
    }
    ok(answer)
}

fn rrddata(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let Ok(guest) = cluster.guest(&node, kind, vmid) else {
        return Err(Failure::die(format!(
            "RRD error: rrdcached@unix:/var/run/rrdcached.sock: rrd_fetch_r failed: opening \
             '/var/lib/rrdcached/db/pve-vm-9.0/{vmid}': No such file or directory"
        )));
    };
    let points = nodes::points(cluster, call).into_iter().map(|time| {
        let mut point = json!({
            "time": time, "maxcpu": guest.processors(), "maxmem": guest.memory(), "maxdisk": disk_size(guest), "disk": 0,
        });
        if guest.running() && time * 1_000 >= guest.started {
            point["cpu"] = json!(load(guest));
            point["mem"] = json!(memory_in_use(guest));
            for (name, value) in [("netin", 1100.0), ("netout", 550.0), ("diskread", 0.0), ("diskwrite", 4096.5)] {
                // Nothing reads or writes where there is no operating system.
                if !guest.deaf || !name.starts_with("disk") {
                    point[name] = json!(value);
                }
            }
        }
        point
    });
    ok(Value::Array(points.collect()))
}

fn feature(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let has = match call.args.need("feature") {
        "snapshot" => cluster.can_snapshot(&node, &guest.config),
        "clone" => guest.is_template(),
        _ => true,
    };
    let mut answer = json!({ "hasFeature": u8::from(has) });
    if kind == Kind::Qemu {
        answer["nodes"] = json!([node]);
    }
    ok(answer)
}

fn interfaces(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    if !guest.running() {
        return done();
    }
    let mac = guest.text("net0").and_then(|text| text.split(',').find_map(|part| part.strip_prefix("hwaddr=")));
    let mac = mac.unwrap_or("BC:24:11:00:00:00").to_lowercase();
    let address = address(vmid);
    ok(json!([
        {
            "name": "lo", "hwaddr": "00:00:00:00:00:00", "hardware-address": "00:00:00:00:00:00", "inet": "127.0.0.1/8",
            "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": 8 }],
        },
        {
            "name": "eth0", "hwaddr": mac, "hardware-address": mac, "inet": format!("{address}/24"),
            "ip-addresses": [{ "ip-address": address, "ip-address-type": "inet", "prefix": 24 }],
        },
    ]))
}

/// The address that a guest got from the network.
pub(super) fn address(vmid: u32) -> String {
    format!("192.0.2.{}", 20 + vmid % 230)
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    cluster.wait_for_lock(vmid)?;
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    if guest.config.get("protection") == Some(&json!(1)) {
        return Err(Failure::die(format!("can't remove {} {vmid} - protection mode enabled", kind.label())));
    }
    if kind == Kind::Lxc {
        guest.check_lock().map_err(Failure::die)?;
    }
    let force = call.args.flag("force");
    let sid = format!("{}:{vmid}", if kind == Kind::Qemu { "vm" } else { "ct" });
    if !call.args.flag("purge") && cluster.store.has(&format!("/cluster/ha/resources/{sid}")) {
        let label = kind.label();
        let text = format!("unable to remove {label} {vmid} - used in HA resources and purge parameter not set.");
        return Err(Failure::die(text));
    }
    if guest.running() && !force {
        return Err(Failure::die(match kind {
            Kind::Qemu => format!("VM {vmid} is running - destroy failed"),
            Kind::Lxc => format!("unable to destroy CT {vmid} - container is running"),
        }));
    }
    let purge = call.args.flag("purge");
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        guest.check_lock()?;
        if guest.is_template()
            && let Some(base) = base_in_use(cluster, guest)
        {
            return Err(format!("base volume '{base}' is still in use by linked cloned"));
        }
        let mut lines = Vec::new();
        if cluster.guest(&node, kind, vmid)?.running() {
            lines.push(format!("forced to stop CT {vmid} before destroying!"));
        }
        if purge {
            lines.push(format!("purging {} {vmid} from related configurations..", kind.label()));
        }
        Ok(Plan::new(2.0, lines, move |cluster, _| {
            destroy(cluster, vmid, purge);
            forget_path(cluster, &format!("/vms/{vmid}"));
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmdestroy", "vzdestroy"], begin)
}

/// A base volume of a template that some linked clone stands on.
fn base_in_use(cluster: &Cluster, template: &Guest) -> Option<String> {
    let bases: Vec<String> = template.volumes().into_iter().map(|(_, volid)| volid).collect();
    let others = cluster.guests.values().filter(|guest| guest.vmid != template.vmid);
    let used: Vec<String> = others.flat_map(|guest| guest.volumes().into_iter().map(|(_, volid)| volid)).collect();
    bases.into_iter().find(|base| used.iter().any(|volid| volid.starts_with(&format!("{base}/"))))
}

/// Takes a guest and its volumes away, and everything that named it.
pub(super) fn destroy(cluster: &mut Cluster, vmid: u32, purge: bool) {
    let Some(guest) = cluster.guests.remove(&vmid) else { return };
    let doomed: Vec<(String, String)> = cluster
        .volumes
        .iter()
        .filter(|(_, volume)| volume.vmid == Some(vmid) && matches!(volume.content.as_str(), "images" | "rootdir"))
        .filter(|(_, volume)| volume.node.as_ref().is_none_or(|node| *node == guest.node))
        .map(|(key, _)| key.clone())
        .collect();
    doomed.iter().for_each(|key| {
        cluster.volumes.remove(key);
    });
    for pool in cluster.pools.values_mut() {
        pool.guests.retain(|member| *member != vmid);
    }
    cluster.firewalls.remove(&format!("/nodes/{}/{}/{vmid}", guest.node, guest.kind.as_str()));
    if purge {
        let jobs: Vec<String> = cluster
            .store
            .list("/cluster/backup")
            .iter()
            .filter_map(|job| Some(format!("/cluster/backup/{}", job.get("id")?.as_str()?)))
            .collect();
        for job in jobs {
            let Some(fields) = cluster.store.get_mut(&job) else { continue };
            let Some(named) = fields.get("vmid").and_then(Value::as_str) else { continue };
            let rest: Vec<String> =
                crate::request::split_list(named).into_iter().filter(|id| *id != vmid.to_string()).collect();
            fields.insert("vmid".to_owned(), json!(rest.join(",")));
        }
    }
}
