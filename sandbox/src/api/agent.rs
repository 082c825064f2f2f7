//! The guest agent of virtual machines: what it tells, and commands that it runs.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, guests::address, target};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::Guest,
    programs,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/ping", nothing),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/exec", exec),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/exec-status", exec_status),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces", interfaces),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-osinfo", os_info),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-host-name", host_name),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-fsinfo", file_systems),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-time", time),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-users", users),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-timezone", timezone),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-vcpus", processors),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-status", freeze_status),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/fstrim", trim),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/file-read", file_read),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/file-write", file_write),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/set-user-password", nothing),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/monitor", monitor),
];

/// The configuration switches the agent on.
pub(super) fn configured(guest: &Guest) -> bool {
    let first = guest.text("agent").and_then(|text| text.split(',').next()).unwrap_or_default();
    let value = first.strip_prefix("enabled=").unwrap_or(first).to_ascii_lowercase();
    matches!(value.as_str(), "1" | "on" | "yes" | "true")
}

/// The guest, if its agent answers.
pub(super) fn reach<'a>(cluster: &'a Cluster, call: &Call) -> Result<&'a Guest, Failure> {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    if !configured(guest) {
        return Err(Failure::die("No QEMU guest agent configured"));
    }
    if !guest.running() {
        return Err(Failure::die(format!("VM {vmid} is not running")));
    }
    if !guest.agent_answers || guest.power == crate::Power::Paused {
        return Err(Failure::die("QEMU guest agent is not running"));
    }
    Ok(guest)
}

fn result(value: Value) -> Reply {
    ok(json!({ "result": value }))
}

fn nothing(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!({}))
}

fn exec(cluster: &mut Cluster, call: &Call) -> Reply {
    let guest = reach(cluster, call)?;
    let (name, vmid) = (guest.name(), guest.vmid);
    let argv = call.args.array("command");
    let input = call.args.text("input-data").unwrap_or_default();
    let run = programs::run(&name, &argv, input, cluster.clock.now);
    let pid = cluster.runs.start(vmid, run);
    ok(json!({ "pid": pid }))
}

/// The result of a command that is over can be read once.
fn exec_status(cluster: &mut Cluster, call: &Call) -> Reply {
    let vmid = reach(cluster, call)?.vmid;
    let pid = call.args.number("pid").and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default();
    let now = cluster.clock.now;
    match cluster.runs.status(vmid, pid, now) {
        None => Err(Failure::die(format!("Agent error: PID {pid} does not exist"))),
        Some(None) => ok(json!({ "exited": 0 })),
        Some(Some(run)) => {
            let mut answer = json!({ "exited": 1, "exitcode": run.exit_code });
            if !run.out.is_empty() {
                answer["out-data"] = json!(run.out);
            }
            if !run.err.is_empty() {
                answer["err-data"] = json!(run.err);
            }
            ok(answer)
        }
    }
}

fn interfaces(cluster: &mut Cluster, call: &Call) -> Reply {
    let guest = reach(cluster, call)?;
    let mac = guest.text("net0").and_then(|text| text.split(',').next()).and_then(|card| card.split_once('='));
    let mac = mac.map_or("bc:24:11:00:00:00".to_owned(), |(_, mac)| mac.to_lowercase());
    let counts = json!({
        "rx-bytes": 20_480, "rx-packets": 160, "rx-errs": 0, "rx-dropped": 0,
        "tx-bytes": 10_240, "tx-packets": 120, "tx-errs": 0, "tx-dropped": 0,
    });
    result(json!([
        {
            "name": "lo", "hardware-address": "00:00:00:00:00:00", "statistics": counts,
            "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8 }],
        },
        {
            "name": "eth0", "hardware-address": mac, "statistics": counts,
            "ip-addresses": [
                { "ip-address": address(guest.vmid), "ip-address-type": "ipv4", "prefix": 24 },
                { "ip-address": format!("2001:db8::{:x}", guest.vmid), "ip-address-type": "ipv6", "prefix": 64 },
            ],
        },
    ]))
}

fn os_info(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!({
        "id": "debian", "name": "Debian GNU/Linux", "pretty-name": "Debian GNU/Linux 12 (bookworm)", "version": "12 (bookworm)",
        "version-id": "12", "kernel-release": "6.1.0-18-amd64", "kernel-version": "#1 SMP PREEMPT_DYNAMIC Debian",
        "machine": "x86_64",
    }))
}

fn host_name(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = reach(cluster, call)?.name();
    result(json!({ "host-name": name }))
}

fn file_systems(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!([{
        "name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": 33_685_192_704_u64, "used-bytes": 6_014_304_256_u64,
        "disk": [{ "bus": 0, "bus-type": "scsi", "target": 0, "unit": 0, "dev": "/dev/sda1" }],
    }]))
}

fn time(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!(cluster.clock.now * 1_000_000))
}

fn users(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!([{ "user": "root", "login-time": 1_793_519_000.5 }]))
}

fn timezone(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!({ "zone": "UTC", "offset": 0 }))
}

fn processors(cluster: &mut Cluster, call: &Call) -> Reply {
    let count = reach(cluster, call)?.processors();
    let rows: Vec<Value> =
        (0..count).map(|id| json!({ "logical-id": id, "online": true, "can-offline": id > 0 })).collect();
    result(json!(rows))
}

fn freeze_status(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!("thawed"))
}

fn trim(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    result(json!({ "paths": [{ "path": "/", "trimmed": 1_073_741_824, "minimum": 0 }] }))
}

fn file_read(cluster: &mut Cluster, call: &Call) -> Reply {
    let guest = reach(cluster, call)?;
    let file = call.args.need("file").to_owned();
    let stored = cluster.store.get(&written(guest.vmid, &file)).and_then(|fields| fields.get("content")).cloned();
    if let Some(content) = stored {
        let bytes = content.as_str().map_or(0, str::len);
        return ok(json!({ "content": content, "bytes-read": bytes }));
    }
    let run = programs::run(&guest.name(), &["cat".to_owned(), file.clone()], "", 0);
    if run.exit_code != 0 {
        return Err(Failure::die(format!(
            "Agent error: failed to open file '{file}' (mode: 'r'): No such file or directory"
        )));
    }
    let bytes = run.out.len();
    ok(json!({ "content": run.out, "bytes-read": bytes }))
}

fn file_write(cluster: &mut Cluster, call: &Call) -> Reply {
    let vmid = reach(cluster, call)?.vmid;
    let path = written(vmid, call.args.need("file"));
    cluster.store.set(&path, json!({ "content": call.args.need("content") }));
    ok(Value::Null)
}

/// The machine's own console: only what looks.
fn monitor(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let command = call.args.need("command");
    match command.split_whitespace().collect::<Vec<_>>().as_slice() {
        // The console is asked last, and its silence is an answer like another.
        ["info", ..] | ["help", ..] if !guest.running() => ok(format!("ERROR: VM {vmid} not running\n")),
        ["info", "status"] if guest.power == crate::Power::Paused => ok("VM status: paused\r\n".to_owned()),
        ["info", "status"] => ok("VM status: running\r\n".to_owned()),
        ["info", ..] | ["help", ..] => ok(String::new()),
        words => Err(Failure::die(format!(
            "command '{}' non-existent or not assigned a required permission yet, limiting to root user",
            words.first().unwrap_or(&"")
        ))),
    }
}

/// Where the files that were written into a guest are kept: no path of the API begins like that.
fn written(vmid: u32, file: &str) -> String {
    format!("guest:{vmid}:{file}")
}
