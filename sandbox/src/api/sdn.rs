//! Software-defined networks: zones, vnets, subnets and controllers, written now and in force after they are applied.
//!
//! What is in force is kept beside what is written; a list with `pending=1` tells how they differ.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Put, "/cluster/sdn", apply),
    (Verb::Post, "/cluster/sdn/rollback", rollback),
    (Verb::Post, "/cluster/sdn/lock", lock),
    (Verb::Delete, "/cluster/sdn/lock", unlock),
    (Verb::Get, "/cluster/sdn/dry-run", dry_run),
    (Verb::Get, "/cluster/sdn/zones", list),
    (Verb::Post, "/cluster/sdn/zones", create_zone),
    (Verb::Delete, "/cluster/sdn/zones/{zone}", delete_zone),
    (Verb::Get, "/cluster/sdn/vnets", list),
    (Verb::Post, "/cluster/sdn/vnets", create_vnet),
    (Verb::Put, "/cluster/sdn/vnets/{vnet}", update_vnet),
    (Verb::Delete, "/cluster/sdn/vnets/{vnet}", delete_vnet),
    (Verb::Get, "/cluster/sdn/controllers", list),
    (Verb::Get, "/cluster/sdn/vnets/{vnet}/subnets", list),
    (Verb::Post, "/cluster/sdn/vnets/{vnet}/subnets", create_subnet),
];

pub(super) const ZONES: &str = "/cluster/sdn/zones";
pub(super) const VNETS: &str = "/cluster/sdn/vnets";
const CONTROLLERS: &str = "/cluster/sdn/controllers";
const LOCK: &str = "/cluster/sdn/lock";
/// What is in force is kept under this in front of its path.
pub(super) const RUNNING: &str = "/running";

/// Fields that a pending list tells of an object as such, not as changed or unchanged.
const PLAIN: [&str; 2] = ["type", "vnet"];

type Fields = Map<String, Value>;

/// The collections that are applied, with the key of their items.
fn collections(cluster: &Cluster) -> Vec<(String, &'static str)> {
    let mut all = vec![(ZONES.to_owned(), "zone"), (VNETS.to_owned(), "vnet"), (CONTROLLERS.to_owned(), "controller")];
    let vnets = cluster.store.rows(VNETS).map(|(path, _)| path.to_owned());
    let running = format!("{RUNNING}{VNETS}");
    let gone = cluster.store.rows(&running).filter_map(|(path, _)| path.strip_prefix(RUNNING)).map(str::to_owned);
    let mut paths: Vec<String> = vnets.chain(gone).collect();
    paths.sort_unstable();
    paths.dedup();
    all.extend(paths.into_iter().map(|path| (format!("{path}/subnets"), "subnet")));
    all
}

/// Makes the one state of a collection the same as the other.
fn copy(cluster: &mut Cluster, from: &str, to: &str, key: &str) {
    let old: Vec<String> = cluster.store.rows(to).map(|(path, _)| path.to_owned()).collect();
    let rows = cluster.store.list(from);
    for fields in rows {
        let id = fields[key].as_str().unwrap_or_default().to_owned();
        cluster.store.put(&format!("{to}/{id}"), to, key, &id, Value::Object(fields));
    }
    for path in old {
        let id = path.rsplit('/').next().unwrap_or_default();
        if !cluster.store.has(&format!("{from}/{id}")) {
            cluster.store.remove(&path);
        }
    }
}

fn apply(cluster: &mut Cluster, call: &Call) -> Reply {
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(4.0, Vec::new(), |cluster, _| {
            for (path, key) in collections(cluster) {
                copy(cluster, &path, &format!("{RUNNING}{path}"), key);
            }
            Ok(())
        }))
    });
    let (kind, user) = ("reloadnetworkall", call.user.clone());
    if call.args.text("release-lock") != Some("0") {
        cluster.store.remove(LOCK);
    }
    ok(cluster.spawn(Spawn { node: "pve1".to_owned(), kind, id: String::new(), user, holds: None, begin }))
}

fn rollback(cluster: &mut Cluster, call: &Call) -> Reply {
    for (path, key) in collections(cluster) {
        copy(cluster, &format!("{RUNNING}{path}"), &path, key);
    }
    if call.args.text("release-lock") != Some("0") {
        cluster.store.remove(LOCK);
    }
    done()
}

/// True if something is written that is not in force.
fn unapplied(cluster: &Cluster) -> bool {
    collections(cluster)
        .iter()
        .any(|(path, _)| cluster.store.list(path) != cluster.store.list(&format!("{RUNNING}{path}")))
}

fn lock(cluster: &mut Cluster, call: &Call) -> Reply {
    if cluster.store.has(LOCK) {
        return Err(Failure::die("configuration is already locked"));
    }
    if !call.args.flag("allow-pending") && unapplied(cluster) {
        return Err(Failure::die("configuration has pending changes"));
    }
    let token = cluster.draw_uuid();
    cluster.store.set(LOCK, json!({ "token": token }));
    ok(token)
}

fn unlock(cluster: &mut Cluster, call: &Call) -> Reply {
    let held = cluster.store.get(LOCK).and_then(|lock| lock.get("token")).and_then(Value::as_str);
    match (held, call.args.text("lock-token")) {
        (Some(held), given) if given != Some(held) && !call.args.flag("force") => {
            Err(Failure::die("lock token does not match"))
        }
        _ => {
            cluster.store.remove(LOCK);
            done()
        }
    }
}

/// Refuses a write to the configuration that does not bring the token of the lock that is held.
pub(super) fn check_lock(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let held = cluster.store.get(LOCK).and_then(|lock| lock.get("token")).and_then(Value::as_str);
    let needed = call.method.verb != Verb::Get && call.path != LOCK && call.method.param("lock-token").is_some();
    match held {
        Some(held) if needed && call.args.text("lock-token") != Some(held) => {
            Err(Failure::die("sdn configuration is locked"))
        }
        _ => Ok(()),
    }
}

fn dry_run(cluster: &mut Cluster, _: &Call) -> Reply {
    let before: Vec<Fields> = cluster.store.list(&format!("{RUNNING}{VNETS}"));
    let after: Vec<Fields> = cluster.store.list(VNETS);
    let file = |vnets: &[Fields]| {
        let bridges = vnets.iter().map(|vnet| {
            let name = vnet["vnet"].as_str().unwrap_or_default();
            format!("auto {name}\niface {name}\n\tbridge_ports none\n\tbridge_stp off\n\tbridge_fd 0\n\n")
        });
        bridges.collect::<String>()
    };
    let diff = crate::interfaces::changes(&file(&before), &file(&after)).unwrap_or_default();
    ok(json!({ "interfaces-diff": diff, "frr-diff": "" }))
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.args.flag("pending") {
        return ok(pending(cluster, call));
    }
    if call.args.flag("running") {
        return ok(cluster
            .store
            .list(&format!("{RUNNING}{}", call.path))
            .into_iter()
            .map(Value::Object)
            .collect::<Value>());
    }
    generic::read(cluster, call)
}

/// What is in force, and beside it what will be.
fn pending(cluster: &Cluster, call: &Call) -> Value {
    let running = format!("{RUNNING}{}", call.path);
    let mut rows = Vec::new();
    for (path, written) in cluster.store.rows(&call.path) {
        rows.push(compared(written, cluster.store.get(&format!("{RUNNING}{path}"))));
    }
    for (path, fields) in cluster.store.rows(&running) {
        if !path.strip_prefix(RUNNING).is_some_and(|path| cluster.store.has(path)) {
            let mut row = fields.clone();
            row.insert("state".to_owned(), json!("deleted"));
            row.insert("pending".to_owned(), json!({}));
            rows.push(Value::Object(row));
        }
    }
    if call.path == VNETS {
        rows.iter_mut().for_each(|row| row["type"] = json!("vnet"));
    }
    let wanted = call.args.text("type");
    rows.retain(|row| wanted.is_none_or(|kind| row["type"] == kind));
    Value::Array(rows)
}

fn compared(written: &Fields, running: Option<&Fields>) -> Value {
    let key = ["zone", "vnet", "controller", "subnet"].into_iter().find(|key| written.contains_key(*key));
    let key = if written.contains_key("vnet") && !written.contains_key("subnet") { Some("vnet") } else { key };
    let (mut row, mut pending) = (running.cloned().unwrap_or_default(), Map::new());
    for (name, value) in written {
        if PLAIN.contains(&name.as_str()) || Some(name.as_str()) == key {
            row.insert(name.clone(), value.clone());
        } else if running.and_then(|running| running.get(name)) != Some(value) {
            pending.insert(name.clone(), value.clone());
        }
    }
    for name in running.into_iter().flat_map(Map::keys).filter(|name| !written.contains_key(*name)) {
        pending.insert(name.clone(), json!("deleted"));
    }
    let state = if running.is_none() { Some("new") } else { (!pending.is_empty()).then_some("changed") };
    if let Some(state) = state {
        row.insert("state".to_owned(), json!(state));
        row.insert("pending".to_owned(), Value::Object(pending));
    }
    row.insert("digest".to_owned(), Value::Null);
    Value::Object(row)
}

/// What a kind of zone cannot be without.
fn create_zone(cluster: &mut Cluster, call: &Call) -> Reply {
    let needed: &[&str] = match call.args.need("type") {
        "vlan" => &["bridge"],
        "qinq" => &["bridge", "tag"],
        "vxlan" if call.args.has("fabric") => &[],
        "vxlan" => &["peers"],
        "evpn" => &["controller", "vrf-vxlan"],
        _ => &[],
    };
    if let Some(option) = needed.iter().find(|option| !call.args.has(option)) {
        return Err(Failure::die(format!("missing value for required option '{option}'")));
    }
    generic::create(cluster, call)
}

fn delete_zone(cluster: &mut Cluster, call: &Call) -> Reply {
    let zone = call.args.need("zone");
    let vnets = cluster.store.list(VNETS);
    if let Some(vnet) = vnets.iter().find(|vnet| vnet["zone"] == zone) {
        let vnet = vnet["vnet"].as_str().unwrap_or_default();
        return Err(Failure::die(format!(
            "delete sdn zone object failed: zone {zone} is used by vnet {vnet} at \
             /usr/share/perl5/PVE/Network/SDN/Zones/Plugin.pm line 149."
        )));
    }
    generic::remove(cluster, call)
}

fn check_zone(cluster: &Cluster, call: &Call, what: &str) -> Result<(), Failure> {
    match call.args.text("zone") {
        Some(zone) if !cluster.store.has(&format!("{ZONES}/{zone}")) => Err(Failure::die(format!(
            "{what} sdn vnet object failed: cannot lookup undefined type! at \
             /usr/share/perl5/PVE/API2/Network/SDN/Vnets.pm line 326."
        ))),
        _ => Ok(()),
    }
}

fn create_vnet(cluster: &mut Cluster, call: &Call) -> Reply {
    let vnet = call.args.need("vnet");
    if cluster.store.has(&format!("{VNETS}/{vnet}")) {
        return Err(generic::clash(call, "vnet", vnet));
    }
    check_zone(cluster, call, "create")?;
    generic::create(cluster, call)
}

fn update_vnet(cluster: &mut Cluster, call: &Call) -> Reply {
    check_zone(cluster, call, "update")?;
    generic::update(cluster, call)
}

fn delete_vnet(cluster: &mut Cluster, call: &Call) -> Reply {
    if cluster.store.rows(&format!("{}/subnets", call.path)).next().is_some() {
        return Err(Failure::die("delete sdn vnet object failed: can't delete vnet if subnets exists"));
    }
    generic::remove(cluster, call)
}

/// A subnet's id is its zone and its network: `lan-192.0.2.0-24`.
fn create_subnet(cluster: &mut Cluster, call: &Call) -> Reply {
    let (vnet, given) = (call.args.need("vnet"), call.args.need("subnet"));
    let zone = cluster.store.get(&format!("{VNETS}/{vnet}")).and_then(|fields| fields.get("zone"));
    let Some(zone) = zone.and_then(Value::as_str).map(str::to_owned) else {
        return Err(Failure::die(format!("create sdn subnet object failed: vnet '{vnet}' does not exist")));
    };
    let cidr = match given.strip_prefix(&format!("{zone}-")).and_then(|rest| rest.rsplit_once('-')) {
        Some((network, mask)) => format!("{network}/{mask}"),
        None => given.to_owned(),
    };
    let Some((network, mask)) = cidr.split_once('/') else {
        return Err(Failure::param("subnet", "invalid format - value does not look like a valid CIDR network\n"));
    };
    let id = format!("{zone}-{network}-{mask}");
    let path = format!("{}/{id}", call.path);
    if cluster.store.has(&path) {
        return Err(generic::clash(call, "subnet", &id));
    }
    let mut fields = generic::fields_of(call);
    for (name, text) in [("vnet", vnet), ("zone", &zone), ("network", network), ("mask", mask), ("cidr", &cidr)] {
        fields.insert(name.to_owned(), json!(text));
    }
    cluster.store.put(&path, &call.path, "subnet", &id, Value::Object(fields));
    done()
}
