//! High availability: resources, rules, and what the manager says of them.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::{Route, migrate::carry};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    guest::Kind,
    request::{Arg, Call, split_list},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/ha/groups", groups),
    (Verb::Post, "/cluster/ha/groups", create_group),
    (Verb::Get, "/cluster/ha/groups/{group}", group),
    (Verb::Put, "/cluster/ha/groups/{group}", update_group),
    (Verb::Delete, "/cluster/ha/groups/{group}", delete_group),
    (Verb::Post, "/cluster/ha/resources", create),
    (Verb::Get, "/cluster/ha/resources/{sid}", read),
    (Verb::Put, "/cluster/ha/resources/{sid}", update),
    (Verb::Delete, "/cluster/ha/resources/{sid}", delete),
    (Verb::Post, "/cluster/ha/resources/{sid}/migrate", migrate),
    (Verb::Post, "/cluster/ha/resources/{sid}/relocate", migrate),
    (Verb::Get, "/cluster/ha/rules", rules),
    (Verb::Post, "/cluster/ha/rules", create_rule),
    (Verb::Get, "/cluster/ha/status/current", status),
    (Verb::Get, "/cluster/ha/status/manager_status", manager_status),
    (Verb::Post, "/cluster/ha/status/arm-ha", arm),
    (Verb::Post, "/cluster/ha/status/disarm-ha", disarm),
];

const RESOURCES: &str = "/cluster/ha/resources";
const RULES: &str = "/cluster/ha/rules";
/// Where it is kept that high availability has been switched off.
const DISARMED: &str = "/cluster/ha/disarmed";

fn migrated(what: &str) -> Reply {
    Err(Failure::die(format!("cannot {what}: ha groups have been migrated to rules")))
}

fn groups(_: &mut Cluster, _: &Call) -> Reply {
    migrated("index groups")
}

fn create_group(_: &mut Cluster, _: &Call) -> Reply {
    migrated("create group")
}

fn group(_: &mut Cluster, _: &Call) -> Reply {
    migrated("read group")
}

fn update_group(_: &mut Cluster, _: &Call) -> Reply {
    migrated("update group")
}

fn delete_group(_: &mut Cluster, _: &Call) -> Reply {
    migrated("delete group")
}

/// `vm:100` for `100`, by the guest's kind; anything else as given.
fn full(cluster: &Cluster, sid: &str) -> String {
    match sid.parse::<u32>() {
        Ok(vmid) => match cluster.guests.get(&vmid).map(|guest| guest.kind) {
            Some(Kind::Lxc) => format!("ct:{vmid}"),
            _ => format!("vm:{vmid}"),
        },
        Err(_) => sid.to_owned(),
    }
}

/// The guest of a resource: `vm:100`.
fn guest_of(sid: &str) -> Option<u32> {
    sid.split_once(':').and_then(|(_, vmid)| vmid.parse().ok())
}

/// The call with the resource's full name in its path.
fn named(cluster: &Cluster, call: &Call) -> Call {
    let sid = full(cluster, call.args.need("sid"));
    let mut args = call.args.clone();
    args.0.insert("sid".to_owned(), Arg::Text(sid.clone()));
    call.instead(call.method, format!("{RESOURCES}/{sid}"), args)
}

/// The resource's type, if a guest of that type and id is there.
fn check(cluster: &Cluster, sid: &str) -> Result<String, Failure> {
    let (kind, _) = sid.split_once(':').unwrap_or((sid, ""));
    let wanted = match kind {
        "vm" => Kind::Qemu,
        "ct" => Kind::Lxc,
        _ => return Err(Failure::die(format!("unknown section type '{kind}'"))),
    };
    let known = guest_of(sid).and_then(|vmid| cluster.guests.get(&vmid)).is_some_and(|guest| guest.kind == wanted);
    if known { Ok(kind.to_owned()) } else { Err(Failure::die(format!("resource '{sid}' does not exist in cluster"))) }
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let sid = full(cluster, call.args.need("sid"));
    let kind = check(cluster, &sid)?;
    let path = format!("{RESOURCES}/{sid}");
    if cluster.store.has(&path) {
        return Err(generic::clash(call, "sid", &sid));
    }
    let mut fields = generic::fields_of(call);
    fields.insert("type".to_owned(), json!(kind));
    fields.entry("state".to_owned()).or_insert(json!("started"));
    cluster.store.put(&path, RESOURCES, "sid", &sid, Value::Object(fields));
    done()
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let call = named(cluster, call);
    generic::read(cluster, &call)
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    let call = named(cluster, call);
    generic::update(cluster, &call)
}

/// Rules forget the resource, too, unless that is not wanted.
fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let call = named(cluster, call);
    let answer = generic::remove(cluster, &call)?;
    if call.args.text("purge") != Some("0") {
        let sid = call.args.need("sid");
        let paths: Vec<String> = cluster.store.rows(RULES).map(|(path, _)| path.to_owned()).collect();
        for path in paths {
            let Some(rule) = cluster.store.get_mut(&path) else { continue };
            let mut resources = split_list(rule.get("resources").and_then(Value::as_str).unwrap_or_default());
            let before = resources.len();
            resources.retain(|other| other != sid);
            if resources.is_empty() {
                cluster.store.remove(&path);
            } else if resources.len() < before {
                rule.insert("resources".to_owned(), json!(resources.join(",")));
            }
        }
    }
    Ok(answer)
}

/// The manager moves the guest; the call itself only asks for it.
fn migrate(cluster: &mut Cluster, call: &Call) -> Reply {
    let (sid, target) = (full(cluster, call.args.need("sid")), call.args.need("node"));
    if !cluster.store.has(&format!("{RESOURCES}/{sid}")) {
        return Err(Failure::die(format!("service '{sid}' not found")));
    }
    if !cluster.nodes.contains_key(target) {
        return Err(Failure::die(format!("node '{target}' does not exist")));
    }
    if let Some(vmid) = guest_of(&sid) {
        carry(cluster, vmid, target).map_err(Failure::die)?;
    }
    ok(json!({ "sid": sid, "requested-node": target }))
}

fn rules(cluster: &mut Cluster, call: &Call) -> Reply {
    let wanted = call.args.text("resource").map(|sid| full(cluster, sid));
    let kind = call.args.text("type");
    let rows = cluster.store.list(RULES).into_iter().filter(|rule| {
        kind.is_none_or(|kind| rule["type"] == kind)
            && wanted.as_ref().is_none_or(|sid| {
                split_list(rule.get("resources").and_then(Value::as_str).unwrap_or_default()).contains(sid)
            })
    });
    ok(rows.map(Value::Object).collect::<Value>())
}

fn create_rule(cluster: &mut Cluster, call: &Call) -> Reply {
    let needed = if call.args.need("type") == "node-affinity" { "nodes" } else { "affinity" };
    if !call.args.has(needed) {
        return Err(Failure::die(format!("missing value for required option '{needed}'")));
    }
    for sid in call.args.list("resources") {
        check(cluster, &sid)?;
    }
    generic::create(cluster, call)
}

fn master(cluster: &Cluster) -> String {
    cluster.nodes.iter().find(|(_, node)| node.online).map_or_else(String::new, |(name, _)| name.clone())
}

fn status(cluster: &mut Cluster, _: &Call) -> Reply {
    let (master, now) = (master(cluster), cluster.clock.seconds());
    let resources = cluster.store.list(RESOURCES);
    let disarmed = cluster.store.has(DISARMED);
    let mut rows = vec![json!({
        "id": "quorum", "type": "quorum", "node": master, "quorate": u8::from(cluster.quorate),
        "status": if cluster.quorate { "OK" } else { "No quorum on node!" },
    })];
    let (armed, words) = match (disarmed, resources.is_empty()) {
        (true, _) => ("disarmed", "disarmed (CRM watchdog inactive)"),
        (false, true) => ("standby", "standby (CRM watchdog standby)"),
        (false, false) => ("armed", "armed (CRM watchdog active)"),
    };
    rows.push(json!({ "id": "fencing", "type": "fencing", "node": master, "status": words, "armed-state": armed }));
    if resources.is_empty() {
        return ok(Value::Array(rows));
    }
    rows.push(json!({
        "id": "master", "type": "master", "node": master, "timestamp": now,
        "status": format!("{master} (active, {})", crate::clock::stamp(now)),
    }));
    for (name, node) in &cluster.nodes {
        let word = if node.online { "active" } else { "old timestamp - dead?" };
        rows.push(json!({
            "id": format!("lrm:{name}"), "type": "lrm", "node": name, "timestamp": now,
            "status": format!("{name} ({word}, {})", crate::clock::stamp(now)),
        }));
    }
    rows.extend(resources.iter().map(|resource| service(cluster, resource)));
    ok(Value::Array(rows))
}

/// How the manager sees one resource.
fn service(cluster: &Cluster, resource: &Map<String, Value>) -> Value {
    let sid = resource["sid"].as_str().unwrap_or_default();
    let request = resource.get("state").and_then(Value::as_str).unwrap_or("started");
    let guest = guest_of(sid).and_then(|vmid| cluster.guests.get(&vmid));
    let node = guest.map_or_else(|| master(cluster), |guest| guest.node.clone());
    let state = match (request, guest) {
        ("ignored" | "disabled", _) => request,
        (_, Some(guest)) if guest.running() => "started",
        _ => "stopped",
    };
    let number = |name: &str| resource.get(name).cloned().unwrap_or(json!(1));
    json!({
        "id": format!("service:{sid}"), "type": "service", "sid": sid, "node": node, "state": state,
        "crm_state": state, "request_state": request, "status": format!("{sid} ({node}, {state})"),
        "max_relocate": number("max_relocate"), "max_restart": number("max_restart"),
    })
}

fn manager_status(cluster: &mut Cluster, _: &Call) -> Reply {
    let (master, now) = (master(cluster), cluster.clock.seconds());
    let resources = cluster.store.list(RESOURCES);
    let quorum = json!({ "node": master, "quorate": if cluster.quorate { "1" } else { "0" } });
    if resources.is_empty() {
        return ok(json!({ "manager_status": { "node_status": {} }, "quorum": quorum }));
    }
    let nodes: Map<String, Value> = cluster
        .nodes
        .iter()
        .map(|(name, node)| (name.clone(), json!(if node.online { "online" } else { "unknown" })))
        .collect();
    let services: Map<String, Value> = resources
        .iter()
        .map(|resource| {
            let seen = service(cluster, resource);
            (
                seen["sid"].as_str().unwrap_or_default().to_owned(),
                json!({ "node": seen["node"], "state": seen["state"] }),
            )
        })
        .collect();
    ok(json!({
        "manager_status": {
            "master_node": master, "node_status": nodes, "service_status": services, "timestamp": now,
        },
        "quorum": quorum, "lrm_status": {},
    }))
}

fn disarm(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.set(DISARMED, json!({ "resource-mode": call.args.text("resource-mode") }));
    done()
}

fn arm(cluster: &mut Cluster, _: &Call) -> Reply {
    cluster.store.remove(DISARMED);
    done()
}
