//! Consoles: tickets for terminals and screens. The connections that they are for are not served.

use proxmox_spec::Verb;
use serde_json::json;

use super::{Route, must_exist};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::{Kind, hex},
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/vncproxy", screen),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/vncproxy", screen),
    (Verb::Post, "/nodes/{node}/vncshell", screen),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/termproxy", terminal),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/termproxy", terminal),
    (Verb::Post, "/nodes/{node}/termproxy", terminal),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/spiceproxy", spice),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/spiceproxy", spice),
    (Verb::Post, "/nodes/{node}/spiceshell", spice),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/mtunnel", tunnel),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/mtunnel", tunnel),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/vncwebsocket", stream),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/vncwebsocket", stream),
    (Verb::Get, "/nodes/{node}/vncwebsocket", stream),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/mtunnelwebsocket", stream),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/mtunnelwebsocket", stream),
];

/// Consoles get ports from this one on.
const FIRST_PORT: usize = 5_900;
const PORTS: usize = 100;

/// The worker that would serve the console: it ends at once, because nobody comes.
fn worker(cluster: &mut Cluster, call: &Call) -> Result<(String, String), Failure> {
    let vmid = call.args.text("vmid").unwrap_or_default().to_owned();
    if !vmid.is_empty() {
        must_exist(cluster, call)?;
    }
    let kind = match (vmid.is_empty(), call.method.name) {
        (_, "mtunnel") if Kind::of_path(&call.path) == Kind::Qemu => "qmtunnel",
        (_, "mtunnel") => "vzmtunnel",
        (true, _) => "vncshell",
        (false, _) => "vncproxy",
    };
    let opened =
        cluster.tasks.iter().filter(|task| ["vncproxy", "vncshell"].contains(&task.upid.kind.as_str())).count();
    let begin = Box::new(|_: &mut Cluster| Ok(Plan::nothing()));
    let (node, user) = (call.args.need("node").to_owned(), call.user.clone());
    let upid = cluster.spawn(Spawn { node, kind, id: vmid, user, holds: None, begin });
    Ok((upid, (FIRST_PORT + opened % PORTS).to_string()))
}

fn ticket(cluster: &mut Cluster, kind: &str) -> String {
    let drawn = hex(&cluster.draw());
    format!("{kind}:{:08X}::{drawn}", cluster.clock.seconds())
}

fn screen(cluster: &mut Cluster, call: &Call) -> Reply {
    let (upid, port) = worker(cluster, call)?;
    let ticket = ticket(cluster, "PVEVNC");
    ok(json!({
        "user": call.user, "ticket": ticket, "password": ticket, "cert": "sandbox-certificate", "upid": upid,
        "port": port,
    }))
}

fn terminal(cluster: &mut Cluster, call: &Call) -> Reply {
    let (upid, port) = worker(cluster, call)?;
    let ticket = ticket(cluster, "PVEVNC");
    ok(json!({ "user": call.user, "ticket": ticket, "upid": upid, "port": port }))
}

/// A virtual machine needs a display for it, a container and a node do not.
fn spice(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.args.has("vmid") {
        must_exist(cluster, call)?;
        let guest = cluster.guests.get(&call.args.vmid());
        let display = guest.and_then(|guest| guest.text("vga")).is_some_and(|vga| vga.starts_with("qxl"));
        if Kind::of_path(&call.path) == Kind::Qemu && !display {
            return Err(Failure::die("no spice port"));
        }
    }
    let node = call.args.need("node");
    let password = ticket(cluster, "PVESPICE");
    ok(json!({
        "type": "spice", "host": node, "proxy": call.args.text("proxy").map_or_else(|| format!("http://{node}:3128"), |proxy| format!("http://{proxy}:3128")),
        "tls-port": 61_000, "password": password,
    }))
}

fn tunnel(cluster: &mut Cluster, call: &Call) -> Reply {
    let (upid, _) = worker(cluster, call)?;
    let ticket = ticket(cluster, "PVETUNNEL");
    let folder = if Kind::of_path(&call.path) == Kind::Qemu { "qemu-server" } else { "pve" };
    ok(json!({ "socket": format!("/run/{folder}/{}.mtunnel", call.args.vmid()), "ticket": ticket, "upid": upid }))
}

/// There is nothing behind a ticket, so none is good.
fn stream(_: &mut Cluster, call: &Call) -> Reply {
    let kind = if call.path.ends_with("/mtunnelwebsocket") { "PVETUNNEL" } else { "PVEVNC" };
    Err(Failure::json(401, format!("permission denied - invalid {kind} ticket\n")))
}
