//! What firewall rules refer to: aliases, sets of addresses, security groups as such.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic::digest,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/firewall/aliases", list),
    (Verb::Post, "/cluster/firewall/aliases", create_alias),
    (Verb::Get, "/cluster/firewall/aliases/{name}", alias),
    (Verb::Put, "/cluster/firewall/aliases/{name}", update_alias),
    (Verb::Delete, "/cluster/firewall/aliases/{name}", delete),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/aliases", list),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/firewall/aliases", create_alias),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", alias),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", update_alias),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", delete),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/aliases", list),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/firewall/aliases", create_alias),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", alias),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", update_alias),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", delete),
    (Verb::Get, "/cluster/firewall/ipset", list),
    (Verb::Post, "/cluster/firewall/ipset", create_set),
    (Verb::Get, "/cluster/firewall/ipset/{name}", members),
    (Verb::Post, "/cluster/firewall/ipset/{name}", add_member),
    (Verb::Delete, "/cluster/firewall/ipset/{name}", delete_set),
    (Verb::Delete, "/cluster/firewall/ipset/{name}/{cidr}", delete),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/ipset", list),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/firewall/ipset", create_set),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", members),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", add_member),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", delete_set),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}/{cidr}", delete),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/ipset", list),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/firewall/ipset", create_set),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", members),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", add_member),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", delete_set),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}/{cidr}", delete),
    (Verb::Get, "/cluster/firewall/groups", list),
    (Verb::Post, "/cluster/firewall/groups", create_group),
];

/// The entries of a collection, each with the digest over all.
fn rows(cluster: &Cluster, path: &str) -> Value {
    let entries = cluster.store.list(path);
    let all: Map<String, Value> = entries.iter().map(|entry| (json!(entry).to_string(), Value::Null)).collect();
    let digest = digest(&all);
    let with_digest = entries.into_iter().map(|mut entry| {
        entry.insert("digest".to_owned(), json!(digest));
        Value::Object(entry)
    });
    with_digest.collect()
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    ok(rows(cluster, &call.path))
}

/// Takes an entry away; one that is not there is no error.
fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.remove(&call.path);
    done()
}

fn ip_version(cidr: &str) -> u8 {
    if cidr.contains(':') { 6 } else { 4 }
}

fn put_alias(cluster: &mut Cluster, call: &Call, parent: &str, name: &str) {
    let cidr = call.args.need("cidr");
    let fields = json!({ "cidr": cidr, "ipversion": ip_version(cidr), "comment": call.args.text("comment") });
    cluster.store.put(&format!("{parent}/{name}"), parent, "name", name, fields);
}

fn create_alias(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name");
    if cluster.store.has(&format!("{}/{name}", call.path)) {
        return Err(Failure::param("name", format!("alias '{name}' already exists")));
    }
    put_alias(cluster, call, &call.path, name);
    done()
}

fn alias(cluster: &mut Cluster, call: &Call) -> Reply {
    match cluster.store.get(&call.path) {
        Some(fields) => ok(Value::Object(fields.clone())),
        None => Err(Failure::param("name", "no such alias")),
    }
}

fn update_alias(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.remove(&call.path) {
        return Err(Failure::param("name", "no such alias"));
    }
    let (parent, old) = call.path.rsplit_once('/').unwrap_or_default();
    put_alias(cluster, call, parent, call.args.text("rename").unwrap_or(old));
    done()
}

/// A call that creates, or renames what `rename` names.
fn create(cluster: &mut Cluster, call: &Call, key: &str, what: &str) -> Reply {
    let name = call.args.need(key);
    let path = format!("{}/{name}", call.path);
    let renamed = call.args.text("rename");
    if cluster.store.has(&path) && renamed.is_none_or(|old| old != name) {
        return Err(Failure::param(key, format!("{what} '{name}' already exists")));
    }
    if let Some(old) = renamed.filter(|old| *old != name) {
        let before = format!("{}/{old}", call.path);
        if !cluster.store.has(&before) {
            return Err(Failure::param("rename", format!("{what} '{old}' does not exist")));
        }
        let inside = cluster.store.list(&before);
        cluster.store.remove(&before);
        for member in inside {
            let cidr = member.get("cidr").and_then(Value::as_str).unwrap_or_default().to_owned();
            cluster.store.put(&format!("{path}/{cidr}"), &path, "cidr", &cidr, Value::Object(member));
        }
        if let Some(rules) = cluster.firewalls.remove(&before) {
            cluster.firewalls.insert(path.clone(), rules);
        }
    }
    let fields = json!({ "comment": call.args.text("comment") });
    cluster.store.put(&path, &call.path, key, name, fields);
    done()
}

fn create_set(cluster: &mut Cluster, call: &Call) -> Reply {
    create(cluster, call, "name", "IPSet")
}

fn create_group(cluster: &mut Cluster, call: &Call) -> Reply {
    create(cluster, call, "group", "Security group")
}

fn check_set(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if cluster.store.has(&call.path) {
        return Ok(());
    }
    Err(Failure::die(format!("no such IPSet '{}'", call.args.need("name"))))
}

fn members(cluster: &mut Cluster, call: &Call) -> Reply {
    check_set(cluster, call)?;
    ok(rows(cluster, &call.path))
}

fn add_member(cluster: &mut Cluster, call: &Call) -> Reply {
    check_set(cluster, call)?;
    let cidr = call.args.need("cidr");
    let path = format!("{}/{cidr}", call.path);
    if cluster.store.has(&path) {
        return Err(Failure::param("cidr", format!("address '{cidr}' already exists")));
    }
    let excluded = call.args.flag("nomatch").then_some(1);
    let fields = json!({ "comment": call.args.text("comment"), "nomatch": excluded });
    cluster.store.put(&path, &call.path, "cidr", cidr, fields);
    done()
}

fn delete_set(cluster: &mut Cluster, call: &Call) -> Reply {
    check_set(cluster, call)?;
    if !call.args.flag("force") && !cluster.store.list(&call.path).is_empty() {
        return Err(Failure::die(format!("IPSet '{}' is not empty", call.args.need("name"))));
    }
    cluster.store.remove(&call.path);
    done()
}
