//! What the guest agent does to the whole guest: freezing its file systems, sleep, shutdown; and the old way to call it.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, agent::reach};
use crate::{
    Power,
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent", by_name),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-freeze", freeze),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-thaw", freeze),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/shutdown", stop),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/suspend-disk", stop),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/suspend-hybrid", sleep),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/agent/suspend-ram", sleep),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/info", info),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-memory-blocks", memory),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/agent/get-memory-block-info", memory_info),
];

/// The size of a memory block: 128 MiB.
const BLOCK: u64 = 128 << 20;

/// The same as the call with the command in its path.
fn by_name(cluster: &mut Cluster, call: &Call) -> Reply {
    let command = call.args.need("command");
    let template = format!("/nodes/{{node}}/qemu/{{vmid}}/agent/{command}");
    let found = [Verb::Get, Verb::Post].into_iter().find_map(|verb| proxmox_spec::find(verb, &template));
    let method = found.ok_or_else(|| Failure::die(format!("unable to run agent command '{command}'")))?;
    let named = call.instead(method, format!("{}/{command}", call.path), call.args.clone());
    match super::handler(method) {
        Some(handler) => handler(cluster, &named),
        None => crate::generic::handle(cluster, &named),
    }
}

/// Answers how many file systems were frozen or thawed.
fn freeze(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    ok(json!({ "result": 1 }))
}

fn stop(cluster: &mut Cluster, call: &Call) -> Reply {
    let vmid = reach(cluster, call)?.vmid;
    cluster.set_power(vmid, Power::Stopped);
    ok(json!({ "result": {} }))
}

fn sleep(cluster: &mut Cluster, call: &Call) -> Reply {
    let vmid = reach(cluster, call)?.vmid;
    cluster.set_power(vmid, Power::Paused);
    ok(json!({ "result": {} }))
}

fn info(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    let below = "/nodes/{node}/qemu/{vmid}/agent/";
    let names = proxmox_spec::methods().iter().filter_map(|method| method.path.strip_prefix(below));
    let commands = names.filter(|name| *name != "info").map(|name| {
        json!({ "name": format!("guest-{}", name.trim_start_matches("get-")), "enabled": true, "success-response": true })
    });
    ok(json!({ "result": { "version": "8.2.2", "supported_commands": commands.collect::<Value>() } }))
}

fn memory(cluster: &mut Cluster, call: &Call) -> Reply {
    let blocks = reach(cluster, call)?.memory() / BLOCK;
    let rows = (0..blocks).map(|number| json!({ "phys-index": number, "online": true, "can-offline": true }));
    ok(json!({ "result": rows.collect::<Value>() }))
}

fn memory_info(cluster: &mut Cluster, call: &Call) -> Reply {
    reach(cluster, call)?;
    ok(json!({ "result": { "size": BLOCK } }))
}
