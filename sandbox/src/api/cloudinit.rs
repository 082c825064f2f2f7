//! What cloud-init will read in a virtual machine, keys, and other single things of guests.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    guest::Kind,
    request::{Call, decode},
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/cloudinit", regenerate),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/cloudinit/dump", dump),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/sendkey", send_key),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/dbus-vmstate", state_helper),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/remote_migrate", leave),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/remote_migrate", leave),
    (Verb::Get, "/cluster/firewall/refs", refs),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/refs", refs),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/refs", refs),
];

fn regenerate(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    done()
}

fn dump(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let text = |name: &str| guest.config.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").unwrap_or_else(|| format!("VM{vmid}"));
    let addresses = || (0..10).filter_map(|place| text(&format!("ipconfig{place}")).map(|config| (place, config)));
    let file = match call.args.need("type") {
        "user" => {
            let mut file = format!("#cloud-config\nhostname: {name}\nmanage_etc_hosts: true\nfqdn: {name}\n");
            if let Some(user) = text("ciuser") {
                file.push_str(&format!("user: {user}\n"));
            }
            if let Some(password) = text("cipassword") {
                file.push_str(&format!("password: {password}\n"));
            }
            if let Some(keys) = text("sshkeys") {
                file.push_str("ssh_authorized_keys:\n");
                decode(&keys).lines().for_each(|key| file.push_str(&format!("  - {key}\n")));
            }
            file.push_str("chpasswd:\n  expire: False\nusers:\n  - default\npackage_upgrade: true\n");
            file
        }
        "network" => {
            let mut file = "version: 1\nconfig:\n".to_owned();
            for (place, config) in addresses() {
                file.push_str(&format!("    - type: physical\n      name: eth{place}\n      subnets:\n"));
                let address = config.split(',').find_map(|part| part.strip_prefix("ip=")).unwrap_or("dhcp");
                match address {
                    "dhcp" => file.push_str("      - type: dhcp4\n"),
                    address => file.push_str(&format!("      - type: static\n        address: '{address}'\n")),
                }
            }
            file
        }
        _ => format!("instance-id: {}\n", guest.digest()),
    };
    ok(file)
}

/// The names of keys that are more than one letter or digit.
const KEYS: [&str; 26] = [
    "alt",
    "alt_r",
    "backspace",
    "caps_lock",
    "ctrl",
    "ctrl_r",
    "delete",
    "down",
    "end",
    "esc",
    "home",
    "insert",
    "left",
    "menu",
    "meta_l",
    "minus",
    "num_lock",
    "pgdn",
    "pgup",
    "print",
    "ret",
    "right",
    "shift",
    "spc",
    "tab",
    "up",
];

fn send_key(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    if !guest.running() {
        return Err(Failure::die(format!("VM {vmid} not running")));
    }
    let known = |key: &str| {
        let function = key.strip_prefix('f').and_then(|number| number.parse::<u32>().ok());
        KEYS.contains(&key) || key.len() == 1 || function.is_some_and(|number| (1..=24).contains(&number))
    };
    // The message of the monitor holds a carriage return, which the server refuses to send on.
    if call.args.need("key").split('-').all(known) { done() } else { Err(Failure::empty(400, "Bad Request")) }
}

fn state_helper(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    done()
}

/// There is no other cluster to go to.
fn leave(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let what = if kind == Kind::Qemu { "VM" } else { "CT" };
    if guest.running() && !call.args.flag("online") && !call.args.flag("restart") {
        return Err(Failure::die(format!("can't migrate running {what} without --online")));
    }
    let endpoint = call.args.need("target-endpoint").to_owned();
    let host = endpoint.split(',').find_map(|part| part.strip_prefix("host=")).unwrap_or_default().to_owned();
    let begin = Box::new(move |_: &mut Cluster| {
        let lines = vec![format!("remote: started tunnel worker on '{host}'")];
        Ok(Plan::new(2.0, lines, move |_, _| Err(format!("500 Can't connect to {host}:8006 (No route to host)"))))
    });
    guest_task(cluster, call, ["qmigrate", "vzmigrate"], begin)
}

/// What rules may name: aliases and sets, those of the guest and those of the datacenter.
fn refs(cluster: &mut Cluster, call: &Call) -> Reply {
    let own = call.path.trim_end_matches("/refs");
    let mut places = vec![("/cluster/firewall", "dc")];
    if own != "/cluster/firewall" {
        places.push((own, "guest"));
    }
    let wanted = call.args.text("type");
    let mut rows = Vec::new();
    for (place, scope) in places {
        for (folder, kind, sign) in [("aliases", "alias", ""), ("ipset", "ipset", "+")] {
            if wanted.is_some_and(|wanted| wanted != kind) {
                continue;
            }
            for fields in cluster.store.list(&format!("{place}/{folder}")) {
                let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
                let mut row = json!({ "type": kind, "name": name, "ref": format!("{sign}{name}"), "scope": scope });
                if let Some(comment) = fields.get("comment") {
                    row["comment"] = comment.clone();
                }
                rows.push(row);
            }
        }
    }
    ok(Value::Array(rows))
}
