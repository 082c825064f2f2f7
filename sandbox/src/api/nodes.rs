//! Nodes: the list, status, time, network and statistics.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, cluster::VERSION, guests};
use crate::{
    answer::{Failure, Reply, done, ok},
    clock,
    cluster::{Cluster, Node},
    guest::{Guest, Kind, Power},
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes", list),
    (Verb::Get, "/nodes/{node}/status", status),
    (Verb::Post, "/nodes/{node}/status", command),
    (Verb::Put, "/nodes/{node}/config", configure),
    (Verb::Get, "/nodes/{node}/time", time),
    (Verb::Put, "/nodes/{node}/time", set_time),
    (Verb::Get, "/nodes/{node}/netstat", netstat),
    (Verb::Get, "/nodes/{node}/rrddata", rrddata),
    (Verb::Get, "/nodes/{node}/syslog", syslog),
    (Verb::Post, "/nodes/{node}/startall", start_all),
    (Verb::Post, "/nodes/{node}/stopall", stop_all),
    (Verb::Post, "/cluster/bulk-action/guest/start", bulk_start),
    (Verb::Post, "/cluster/bulk-action/guest/shutdown", bulk_shutdown),
    (Verb::Post, "/cluster/bulk-action/guest/suspend", bulk_suspend),
    (Verb::Post, "/cluster/bulk-action/guest/migrate", bulk_migrate),
    (Verb::Post, "/nodes/{node}/suspendall", suspend_all),
    (Verb::Post, "/nodes/{node}/migrateall", migrate_all),
];

pub(super) const KERNEL: &str = "6.14.11-4-pve";
const DISK: u64 = 240 << 30;

/// The part of a node's processors in use: the same for the same node.
fn load(node: &Node) -> f64 {
    0.04 * f64::from(node.number)
}

fn used_memory(cluster: &Cluster, name: &str) -> u64 {
    let guests = cluster.guests.values().filter(|guest| guest.node == name);
    (3 << 30) + guests.map(guests::memory_in_use).sum::<u64>()
}

fn uptime(cluster: &Cluster) -> i64 {
    (cluster.clock.now - clock::BOOT) / 1_000
}

/// The row of a node in the cluster's resources.
pub(super) fn resource(cluster: &Cluster, name: &str, node: &Node) -> Value {
    let id = format!("node/{name}");
    if !node.online {
        return json!({ "id": id, "type": "node", "node": name, "status": "offline" });
    }
    json!({
        "id": id, "type": "node", "node": name, "status": "online", "level": "", "cgroup-mode": 2,
        "cpu": load(node), "maxcpu": node.processors, "mem": used_memory(cluster, name), "maxmem": node.memory,
        "disk": cluster.used(name, "local"), "maxdisk": DISK, "uptime": uptime(cluster),
    })
}

fn list(cluster: &mut Cluster, _: &Call) -> Reply {
    let rows = cluster.nodes.iter().map(|(name, node)| {
        let mut row = resource(cluster, name, node);
        row["ssl_fingerprint"] = json!(fingerprint(node));
        if let Value::Object(fields) = &mut row {
            fields.remove("cgroup-mode");
        }
        row
    });
    ok(Value::Array(rows.collect()))
}

pub(super) fn fingerprint(node: &Node) -> String {
    let bytes = (0..32_u32).map(|place| format!("{:02X}", (place * 7 + node.number * 31) % 256));
    bytes.collect::<Vec<_>>().join(":")
}

fn status(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("node");
    let Some(node) = cluster.nodes.get(name) else { return done() };
    let (used, disk) = (used_memory(cluster, name), cluster.used(name, "local"));
    ok(json!({
        "uptime": uptime(cluster), "cpu": load(node), "wait": 0.001, "idle": 0,
        "loadavg": [format!("{:.2}", load(node) * 8.0), "0.21", "0.18"],
        "memory": { "total": node.memory, "used": used, "free": node.memory - used, "available": node.memory - used },
        "swap": { "total": 8_589_934_592_u64, "used": 0, "free": 8_589_934_592_u64 },
        "rootfs": { "total": DISK, "used": disk, "free": DISK - disk, "avail": DISK - disk },
        "ksm": { "shared": 0 }, "pveversion": format!("pve-manager/{VERSION}/14a22df35955d97d"),
        "kversion": format!("Linux {KERNEL} #1 SMP PREEMPT_DYNAMIC"), "boot-info": { "mode": "efi", "secureboot": 0 },
        "cpuinfo": {
            "cpus": node.processors, "cores": node.processors, "sockets": 1, "model": "Sandbox CPU",
            "mhz": "2400.000", "family": "6", "vendor": "GenuineIntel", "hvm": "1", "user_hz": 100, "flags": "fpu vme",
        },
        "current-kernel": {
            "sysname": "Linux", "release": KERNEL, "version": "#1 SMP PREEMPT_DYNAMIC", "machine": "x86_64",
        },
    }))
}

/// A shutdown takes the node away; after a reboot it is simply there again.
fn command(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.args.need("command") == "shutdown" {
        cluster.set_node_online(call.args.need("node"), false);
    }
    done()
}

fn time(cluster: &mut Cluster, call: &Call) -> Reply {
    let off = cluster.clocks_off.get(call.args.need("node")).copied().unwrap_or(0);
    let now = cluster.clock.seconds() + off;
    let zone = cluster.store.get(&call.path).and_then(|fields| fields.get("timezone")).cloned();
    ok(json!({ "timezone": zone.unwrap_or(json!("Etc/UTC")), "time": now, "localtime": now }))
}

/// The zone is kept; the clock of the sandbox runs in UTC all the same.
fn set_time(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.set(&call.path, json!({ "timezone": call.args.need("timezone") }));
    done()
}

/// A description ends with a newline, as those of containers do.
fn configure(cluster: &mut Cluster, call: &Call) -> Reply {
    let answer = crate::generic::handle(cluster, call)?;
    if let Some(Value::String(text)) =
        cluster.store.get_mut(&call.path).and_then(|fields| fields.get_mut("description"))
        && !text.is_empty()
        && !text.ends_with('\n')
    {
        text.push('\n');
    }
    Ok(answer)
}

fn netstat(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let running = cluster.guests.values().filter(|guest| guest.node == node && guest.running());
    let rows =
        running.map(|guest| json!({ "vmid": guest.vmid.to_string(), "dev": "net0", "in": "1024", "out": "512" }));
    ok(Value::Array(rows.collect()))
}

fn rrddata(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("node");
    let Some(node) = cluster.nodes.get(name) else { return done() };
    let (cpu, memory, used) = (load(node), node.memory, used_memory(cluster, name));
    let points = points(cluster, call).into_iter().map(|time| {
        json!({
            "time": time, "cpu": cpu, "maxcpu": node.processors, "loadavg": cpu * 8.0, "iowait": 0.001,
            "memtotal": memory, "memused": used, "swaptotal": 8_589_934_592_u64, "swapused": 0,
            "roottotal": DISK, "rootused": 12_884_901_888_u64, "netin": 20_480.5, "netout": 10_240.25, "arcsize": 0,
            "memavailable": memory - used.min(memory), "pressurecpusome": 0, "pressureiofull": 0, "pressureiosome": 0,
            "pressurememoryfull": 0, "pressurememorysome": 0,
        })
    });
    ok(Value::Array(points.collect()))
}

/// The instants of a statistics call: sixty, by its time frame.
pub(super) fn points(cluster: &Cluster, call: &Call) -> Vec<i64> {
    let step = match call.args.text("timeframe") {
        Some("day") => 1_800,
        Some("week") => 10_800,
        Some("month") => 43_200,
        Some("year") => 604_800,
        _ => 60,
    };
    let last = cluster.clock.seconds() / step * step;
    (0..60).map(|place| last - step * (59 - place)).collect()
}

fn syslog(_: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let mut data = crate::answer::Data::from(json!([
        { "n": 1, "t": format!("Nov 01 07:59:58 {node} systemd[1]: Started Proxmox VE API Proxy Server.") },
        { "n": 2, "t": format!("Nov 01 08:00:00 {node} pmxcfs[1021]: [status] notice: received log") },
    ]));
    data.total = Some(2);
    Ok(data)
}

fn start_all(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "startall", Power::Running)
}

fn stop_all(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "stopall", Power::Stopped)
}

/// Without a list this starts every guest of the cluster.
fn bulk_start(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "bulk-start", Power::Running)
}

fn bulk_shutdown(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "bulk-shutdown", Power::Stopped)
}

fn suspend_all(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "suspendall", Power::Paused)
}

fn bulk_suspend(cluster: &mut Cluster, call: &Call) -> Reply {
    all(cluster, call, "bulk-suspend", Power::Paused)
}

fn migrate_all(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.args.text("node") == call.args.text("target") {
        return Err(Failure::param("target", "target is local node."));
    }
    move_all(cluster, call, "migrateall")
}

fn bulk_migrate(cluster: &mut Cluster, call: &Call) -> Reply {
    move_all(cluster, call, "bulk-migrate")
}

/// The guests that a call names, or all that it may mean.
fn named(call: &Call) -> Vec<String> {
    let named = call.args.list("vms");
    if named.is_empty() { call.args.array("vms") } else { named }
}

/// Takes the named guests of a node or of the cluster, or all of them, to the target.
fn move_all(cluster: &mut Cluster, call: &Call, kind: &'static str) -> Reply {
    let only_node = call.args.text("node").map(str::to_owned);
    let target = call.args.need("target").to_owned();
    if !cluster.nodes.get(&target).is_some_and(|node| node.online) {
        return Err(Failure::die(format!("no such cluster node '{target}'")));
    }
    let (named, node) = (named(call), only_node.clone().unwrap_or_else(|| "pve1".to_owned()));
    let guests: Vec<(u32, Kind)> = cluster
        .guests
        .values()
        .filter(|guest| guest.node != target && only_node.as_ref().is_none_or(|node| guest.node == *node))
        .filter(|guest| named.is_empty() || named.contains(&guest.vmid.to_string()))
        .map(|guest| (guest.vmid, guest.kind))
        .collect();
    let lines = guests.iter().map(|(vmid, kind)| format!("Migrating {} {vmid}", kind.label())).collect();
    let seconds = guests.len() as f64 * 8.0;
    let begin = Box::new(move |_: &mut Cluster| {
        Ok(Plan::new(seconds, lines, move |cluster, _| {
            guests.iter().try_for_each(|(vmid, _)| super::migrate::carry(cluster, *vmid, &target))
        }))
    });
    ok(cluster.spawn(Spawn { node, kind, id: String::new(), user: call.user.clone(), holds: None, begin }))
}

/// Starts, stops or pauses the named guests of a node or of the cluster, or all of them.
fn all(cluster: &mut Cluster, call: &Call, kind: &'static str, power: Power) -> Reply {
    let only_node = call.args.text("node").map(str::to_owned);
    let node = only_node.clone().unwrap_or_else(|| "pve1".to_owned());
    let named = named(call);
    let only_onboot = power == Power::Running && named.is_empty() && only_node.is_some() && !call.args.flag("force");
    let guests: Vec<(u32, Kind)> = cluster
        .guests
        .values()
        .filter(|guest| only_node.as_ref().is_none_or(|node| guest.node == *node))
        .filter(|guest| !guest.is_template() && guest.running() != (power == Power::Running))
        .filter(|guest| power != Power::Paused || guest.kind == Kind::Qemu)
        .filter(|guest| named.is_empty() || named.contains(&guest.vmid.to_string()))
        .filter(|guest| !only_onboot || guest.config.get("onboot") == Some(&json!(1)))
        .map(|guest| (guest.vmid, guest.kind))
        .collect();
    let word = match power {
        Power::Running => "Starting",
        Power::Paused => "Suspending",
        Power::Stopped => "Stopping",
    };
    let mut lines = Vec::new();
    if kind.starts_with("bulk-") && !named.is_empty() {
        let word = if power == Power::Stopped { "Shutting down" } else { word };
        lines.push(format!("{word} guests: {}", named.join(", ")));
        let state = if power == Power::Running { "already running" } else { "not running" };
        let idle = |guest: &&Guest| {
            named.contains(&guest.vmid.to_string()) && !guests.iter().any(|(vmid, _)| *vmid == guest.vmid)
        };
        lines.extend(
            cluster
                .guests
                .values()
                .filter(idle)
                .map(|guest| format!("WARN: Skipping {} {}, {state}.", guest.kind.label(), guest.vmid)),
        );
    }
    lines.extend(guests.iter().map(|(vmid, kind)| format!("{word} {} {vmid}", kind.label())));
    let seconds = guests.len() as f64 * 2.0;
    let begin = Box::new(move |_: &mut Cluster| {
        Ok(Plan::new(seconds, lines, move |cluster, _| {
            guests.iter().for_each(|(vmid, _)| cluster.set_power(*vmid, power));
            Ok(())
        }))
    });
    ok(cluster.spawn(Spawn { node, kind, id: String::new(), user: call.user.clone(), holds: None, begin }))
}
