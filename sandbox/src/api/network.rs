//! The network of a node: what is written waits in a second file until it is applied or thrown away.
//!
//! While something waits, lists and single interfaces show it as if it were in force, and the list carries the diff.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Data, Failure, Reply, done, ok},
    cluster::Cluster,
    generic::{clash, fields_of, missing},
    interfaces,
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/network", list),
    (Verb::Post, "/nodes/{node}/network", create),
    (Verb::Put, "/nodes/{node}/network", apply),
    (Verb::Delete, "/nodes/{node}/network", revert),
    (Verb::Get, "/nodes/{node}/network/{iface}", read),
    (Verb::Put, "/nodes/{node}/network/{iface}", update),
    (Verb::Delete, "/nodes/{node}/network/{iface}", delete),
];

type Fields = Map<String, Value>;

/// Where the interfaces in force are kept.
fn current(call: &Call) -> String {
    format!("/nodes/{}/network", call.args.need("node"))
}

/// Where the interfaces wait that are not yet in force.
fn pending(call: &Call) -> String {
    format!("{}.new", current(call))
}

/// The interfaces as the next reload will see them.
fn interfaces(cluster: &Cluster, call: &Call) -> Vec<Fields> {
    let place = if cluster.store.has(&pending(call)) { pending(call) } else { current(call) };
    cluster.store.list(&place)
}

fn find(cluster: &Cluster, call: &Call) -> Result<Fields, Failure> {
    let name = call.args.need("iface");
    let all = interfaces(cluster, call);
    all.into_iter().find(|fields| fields["iface"] == name).ok_or_else(|| missing(call))
}

/// Makes these the interfaces that wait for a reload.
fn write(cluster: &mut Cluster, call: &Call, all: Vec<Fields>) {
    let place = pending(call);
    cluster.store.remove(&place);
    cluster.store.set(&place, json!({}));
    for fields in all {
        let name = fields["iface"].as_str().unwrap_or_default().to_owned();
        cluster.store.put(&format!("{place}/{name}"), &place, "iface", &name, Value::Object(fields));
    }
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let wanted = call.args.text("type");
    let fits = |fields: &Fields| {
        let kind = fields["type"].as_str().unwrap_or_default();
        match wanted {
            None => true,
            Some("any_bridge") => matches!(kind, "bridge" | "OVSBridge" | "vnet"),
            Some("any_local_bridge" | "include_sdn") => matches!(kind, "bridge" | "OVSBridge"),
            Some(wanted) => kind == wanted,
        }
    };
    let all = interfaces(cluster, call);
    let in_force = interfaces::text(&cluster.store.list(&current(call)));
    let changes = interfaces::changes(&in_force, &interfaces::text(&all));
    let rows = all.into_iter().filter(fits).map(Value::Object).collect();
    Ok(Data { changes, ..Value::Array(rows).into() })
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let mut fields = find(cluster, call)?;
    fields.remove("iface");
    ok(Value::Object(fields))
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("iface");
    let mut all = interfaces(cluster, call);
    if all.iter().any(|fields| fields["iface"] == name) {
        return Err(clash(call, "iface", name));
    }
    let mut fields = given(call);
    check(&all, name, &fields)?;
    let last = all.iter().filter_map(|fields| fields["priority"].as_i64()).max().unwrap_or(2);
    fields.insert("iface".to_owned(), json!(name));
    fields.insert("priority".to_owned(), json!(last + 1));
    if fields["type"] == "bridge" {
        for (option, default) in [("bridge_ports", ""), ("bridge_stp", "off"), ("bridge_fd", "0")] {
            fields.entry(option.to_owned()).or_insert(json!(default));
        }
    }
    all.push(fields);
    write(cluster, call, all);
    done()
}

/// Without an address in the call an interface loses the one it had.
fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("iface");
    let mut fields = find(cluster, call)?;
    for option in call.args.list("delete") {
        fields.remove(&option);
    }
    let given = given(call);
    for (family, ending) in [("method", ""), ("method6", "6")] {
        if given[family] == "manual" {
            ["address", "netmask", "cidr", "gateway"].iter().for_each(|option| {
                fields.remove(&format!("{option}{ending}"));
            });
        }
    }
    fields.extend(given);
    let mut all = interfaces(cluster, call);
    check(&all, name, &fields)?;
    if let Some(stored) = all.iter_mut().find(|fields| fields["iface"] == name) {
        *stored = fields;
    }
    write(cluster, call, all);
    done()
}

/// A card that is built in comes back bare.
fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("iface");
    let gone = find(cluster, call)?;
    let mut all = interfaces(cluster, call);
    all.retain(|fields| fields["iface"] != name);
    if gone.get("exists").is_some_and(|exists| exists == 1) {
        let kept = ["iface", "type", "exists", "active", "priority"];
        let mut bare: Fields = gone.into_iter().filter(|(field, _)| kept.contains(&field.as_str())).collect();
        bare.insert("method".to_owned(), json!("manual"));
        bare.insert("method6".to_owned(), json!("manual"));
        bare.insert("families".to_owned(), json!(["inet"]));
        all.push(bare);
    }
    write(cluster, call, all);
    done()
}

fn revert(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.remove(&pending(call));
    done()
}

fn apply(cluster: &mut Cluster, call: &Call) -> Reply {
    let (current, pending) = (current(call), pending(call));
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(3.0, Vec::new(), move |cluster, _| {
            if !cluster.store.has(&pending) {
                return Ok(());
            }
            let all = cluster.store.list(&pending);
            cluster.store.remove(&pending);
            cluster.store.remove(&current);
            for mut fields in all {
                let name = fields["iface"].as_str().unwrap_or_default().to_owned();
                fields.insert("active".to_owned(), json!(1));
                cluster.store.put(&format!("{current}/{name}"), &current, "iface", &name, Value::Object(fields));
            }
            Ok(())
        }))
    });
    let (node, user) = (call.args.need("node").to_owned(), call.user.clone());
    ok(cluster.spawn(Spawn { node, kind: "srvreload", id: "networking".to_owned(), user, holds: None, begin }))
}

/// The given options, with what follows from them: an address in both notations, methods and families.
fn given(call: &Call) -> Fields {
    let mut fields = fields_of(call);
    let text = |fields: &Fields, name: &str| {
        fields.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let mut families = Vec::new();
    for (ending, family, method) in [("", "inet", "method"), ("6", "inet6", "method6")] {
        let name = |option: &str| format!("{option}{ending}");
        if let Some(cidr) = text(&fields, &name("cidr"))
            && let Some((address, bits)) = cidr.split_once('/')
        {
            fields.insert(name("address"), json!(address));
            fields.insert(name("netmask"), json!(bits));
        } else if let (Some(address), Some(mask)) = (text(&fields, &name("address")), text(&fields, &name("netmask"))) {
            let bits = bits(&mask);
            fields.insert(name("cidr"), json!(format!("{address}/{bits}")));
            fields.insert(name("netmask"), json!(bits));
        }
        let addressed = fields.contains_key(&name("address"));
        if addressed {
            families.push(family);
        }
        fields.insert(method.to_owned(), json!(if addressed { "static" } else { "manual" }));
    }
    if families.is_empty() {
        families.push("inet");
    }
    fields.insert("families".to_owned(), json!(families));
    for comments in ["comments", "comments6"] {
        if let Some(comment) = text(&fields, comments) {
            fields.insert(comments.to_owned(), json!(format!("{}\n", comment.trim_end_matches('\n'))));
        }
    }
    fields
}

/// `255.255.255.0` as `24`; a length stays.
fn bits(mask: &str) -> String {
    match mask.parse::<std::net::Ipv4Addr>() {
        Ok(mask) => u32::from(mask).leading_ones().to_string(),
        Err(_) => mask.to_owned(),
    }
}

/// There is one default gateway, and a port belongs to one bridge or bond.
fn check(all: &[Fields], name: &str, fields: &Fields) -> Result<(), Failure> {
    let others = || all.iter().filter(|other| other["iface"] != name);
    let show = |other: &Fields| other["iface"].as_str().unwrap_or_default().to_owned();
    for gateway in ["gateway", "gateway6"] {
        if fields.contains_key(gateway)
            && let Some(other) = others().find(|other| other.contains_key(gateway))
        {
            let text = format!("Default gateway already exists on interface '{}'.", show(other));
            return Err(Failure::param(gateway, text));
        }
    }
    let ports = |fields: &Fields, option: &str| {
        crate::request::split_list(fields.get(option).and_then(Value::as_str).unwrap_or_default())
    };
    for option in ["bridge_ports", "slaves"] {
        for port in ports(fields, option) {
            let used = |other: &&Fields| ["bridge_ports", "slaves"].iter().any(|of| ports(other, of).contains(&port));
            if let Some(other) = others().find(used) {
                let text = format!("Port '{port}' is already used on interface '{}'.", show(other));
                return Err(Failure::param(option, text));
            }
        }
    }
    Ok(())
}
