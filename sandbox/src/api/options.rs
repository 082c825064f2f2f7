//! Reading a guest's configuration: as it is, as it will be, as a snapshot had it.

use std::collections::BTreeSet;

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, target};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::{Config, Guest, indexed},
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/config", read),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/config", read),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/pending", pending),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/pending", pending),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/cloudinit", cloudinit),
];

/// What cloud-init reads.
const CLOUDINIT: [&str; 7] = ["ciuser", "cipassword", "citype", "sshkeys", "nameserver", "searchdomain", "cicustom"];

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let config = match call.args.text("snapshot") {
        Some(name) => {
            let snapshot = guest.snapshot(name);
            let snapshot = snapshot.ok_or_else(|| Failure::die(format!("snapshot '{name}' does not exist")))?;
            super::snapshots::config_of(snapshot)
        }
        None if call.args.flag("current") => guest.config.clone(),
        None => guest.future_config(),
    };
    ok(shown(guest, config, call.args.has("snapshot")))
}

/// The configuration as an answer: with digest, lock and parent, without the password.
fn shown(guest: &Guest, mut config: Config, snapshot: bool) -> Value {
    if let Some(password) = config.get_mut("cipassword") {
        *password = json!("**********");
    }
    let mut answer: serde_json::Map<String, Value> = config.into_iter().collect();
    answer.insert("digest".to_owned(), json!(guest.digest()));
    if !snapshot {
        if let Some(lock) = &guest.lock {
            answer.insert("lock".to_owned(), json!(lock));
        }
        if let Some(parent) = &guest.parent {
            answer.insert("parent".to_owned(), json!(parent));
        }
    }
    Value::Object(answer)
}

fn pending(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let mut names: BTreeSet<&String> = guest.config.keys().collect();
    names.extend(guest.pending.keys());
    let mask = |name: &str, value: &Value| if name == "cipassword" { json!("**********") } else { value.clone() };
    let mut rows: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let mut row = json!({ "key": name });
            if let Some(value) = guest.config.get(name) {
                row["value"] = mask(name, value);
            }
            match guest.pending.get(name) {
                Some(Some(value)) => row["pending"] = mask(name, value),
                Some(None) => row["delete"] = json!(1),
                None => {}
            }
            row
        })
        .collect();
    rows.push(json!({ "key": "digest", "value": guest.digest() }));
    ok(Value::Array(rows))
}

fn cloudinit(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    let rows = guest.config.iter().filter(|(name, _)| CLOUDINIT.contains(&name.as_str()) || indexed(name, "ipconfig"));
    let rows = rows.map(|(name, value)| {
        json!({ "key": name, "value": if name == "cipassword" { json!("**********") } else { value.clone() } })
    });
    ok(Value::Array(rows.collect()))
}
