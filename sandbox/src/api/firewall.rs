//! The firewall at all its levels: rules by position, options.

use proxmox_spec::{Method, Type, Verb};
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Data, Failure, Reply, done, ok},
    cluster::Cluster,
    firewall::Firewall,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/firewall/rules", list),
    (Verb::Post, "/cluster/firewall/rules", create),
    (Verb::Get, "/cluster/firewall/rules/{pos}", read),
    (Verb::Put, "/cluster/firewall/rules/{pos}", update),
    (Verb::Delete, "/cluster/firewall/rules/{pos}", delete),
    (Verb::Get, "/cluster/firewall/options", options),
    (Verb::Put, "/cluster/firewall/options", set_options),
    (Verb::Get, "/nodes/{node}/firewall/rules", list),
    (Verb::Post, "/nodes/{node}/firewall/rules", create),
    (Verb::Get, "/nodes/{node}/firewall/rules/{pos}", read),
    (Verb::Put, "/nodes/{node}/firewall/rules/{pos}", update),
    (Verb::Delete, "/nodes/{node}/firewall/rules/{pos}", delete),
    (Verb::Get, "/nodes/{node}/firewall/options", options),
    (Verb::Put, "/nodes/{node}/firewall/options", set_options),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/rules", list),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/firewall/rules", create),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", read),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", update),
    (Verb::Delete, "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", delete),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/options", options),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/firewall/options", set_options),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/rules", list),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/firewall/rules", create),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", read),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", update),
    (Verb::Delete, "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", delete),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/options", options),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/firewall/options", set_options),
    (Verb::Get, "/cluster/firewall/groups/{group}", list),
    (Verb::Post, "/cluster/firewall/groups/{group}", create),
    (Verb::Delete, "/cluster/firewall/groups/{group}", delete_group),
    (Verb::Get, "/cluster/firewall/groups/{group}/{pos}", read),
    (Verb::Put, "/cluster/firewall/groups/{group}/{pos}", update),
    (Verb::Delete, "/cluster/firewall/groups/{group}/{pos}", delete),
    (Verb::Get, "/cluster/firewall/macros", macros),
    (Verb::Get, "/cluster/sdn/vnets/{vnet}/firewall/rules", list),
    (Verb::Post, "/cluster/sdn/vnets/{vnet}/firewall/rules", create),
    (Verb::Get, "/cluster/sdn/vnets/{vnet}/firewall/rules/{pos}", read),
    (Verb::Put, "/cluster/sdn/vnets/{vnet}/firewall/rules/{pos}", update),
    (Verb::Delete, "/cluster/sdn/vnets/{vnet}/firewall/rules/{pos}", delete),
    (Verb::Get, "/cluster/sdn/vnets/{vnet}/firewall/options", options),
    (Verb::Put, "/cluster/sdn/vnets/{vnet}/firewall/options", set_options),
    (Verb::Get, "/nodes/{node}/firewall/log", log),
    (Verb::Get, "/nodes/{node}/qemu/{vmid}/firewall/log", log),
    (Verb::Get, "/nodes/{node}/lxc/{vmid}/firewall/log", log),
];

/// Some of the ready-made services, with what they are.
const MACROS: [(&str, &str); 12] = [
    ("DNS", "Name resolution over UDP and TCP"),
    ("FTP", "Files over FTP"),
    ("HTTP", "Plain web pages"),
    ("HTTPS", "Web pages over TLS"),
    ("IMAPS", "Reading mail over TLS"),
    ("MySQL", "MySQL and MariaDB databases"),
    ("NTP", "Time of day"),
    ("Ping", "Echo requests of ICMP"),
    ("PostgreSQL", "PostgreSQL databases"),
    ("SMTP", "Delivery of mail"),
    ("SSH", "Remote shells"),
    ("Web", "Web pages, with and without TLS"),
];

/// The protocols that rules may name, beside numbers.
const PROTOCOLS: [&str; 12] =
    ["tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp", "dccp", "esp", "ah", "gre", "igmp", "ospf"];

/// Parameters of rule calls that are not part of the rule.
const STEERING: [&str; 4] = ["digest", "moveto", "delete", "pos"];

/// Where a firewall is kept: the path before `/firewall`, or the path of the security group.
fn place(call: &Call) -> String {
    match call.args.text("group").filter(|_| call.path.starts_with("/cluster/firewall/groups/")) {
        Some(group) => format!("/cluster/firewall/groups/{group}"),
        None => call.path.split("/firewall").next().unwrap_or_default().to_owned(),
    }
}

/// A security group has to exist; guests and nodes need not.
fn check_group(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let path = place(call);
    match path.strip_prefix("/cluster/firewall/groups/") {
        Some(group) if !cluster.store.has(&path) => Err(Failure::die(format!("no such security group '{group}'"))),
        _ => Ok(()),
    }
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let rules = cluster.firewalls.get(&place(call)).map(Firewall::list).unwrap_or_default();
    ok(Value::Array(rules))
}

fn position(call: &Call) -> usize {
    usize::try_from(call.args.number("pos").unwrap_or(0)).unwrap_or(usize::MAX)
}

fn missing(pos: usize) -> Failure {
    Failure::die(format!("no rule at position {pos}"))
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let pos = position(call);
    let rule = cluster.firewalls.get(&place(call)).and_then(|firewall| firewall.rule(pos));
    let mut rule = rule.ok_or_else(|| missing(pos))?;
    // A single rule tells its position as text, the list as a number.
    rule["pos"] = json!(pos.to_string());
    ok(rule)
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let mut rule = fields(call.method, call);
    check_rule(cluster, call, &rule)?;
    rule.entry("enable".to_owned()).or_insert(json!(0));
    if rule["enable"] != json!(0) {
        rule.insert("enable".to_owned(), json!(1));
    }
    let firewall = cluster.firewalls.entry(place(call)).or_default();
    // The real one takes `pos` and puts every new rule on top all the same.
    firewall.rules.insert(0, rule);
    done()
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let pos = position(call);
    let firewall = checked(cluster, call)?;
    if pos >= firewall.rules.len() {
        return Err(missing(pos));
    }
    if let Some(to) = call.args.number("moveto") {
        // The new place counts the rules as they stand before the move.
        let to = usize::try_from(to).unwrap_or(0).min(firewall.rules.len());
        let rule = firewall.rules.remove(pos);
        firewall.rules.insert(if to > pos { to - 1 } else { to }, rule);
        return done();
    }
    let mut rule = firewall.rules[pos].clone();
    rule.extend(fields(call.method, call));
    for name in call.args.list("delete") {
        rule.remove(&name);
    }
    check_rule(cluster, call, &rule)?;
    if let Some(stored) = cluster.firewalls.get_mut(&place(call)).and_then(|firewall| firewall.rules.get_mut(pos)) {
        *stored = rule;
    }
    done()
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let pos = position(call);
    let firewall = checked(cluster, call)?;
    if pos >= firewall.rules.len() {
        return Err(missing(pos));
    }
    firewall.rules.remove(pos);
    done()
}

fn delete_group(cluster: &mut Cluster, call: &Call) -> Reply {
    check_group(cluster, call)?;
    let (path, group) = (place(call), call.args.need("group"));
    if cluster.firewalls.get(&path).is_some_and(|firewall| !firewall.rules.is_empty()) {
        return Err(Failure::die(format!("Security group '{group}' is not empty")));
    }
    cluster.firewalls.remove(&path);
    cluster.store.remove(&path);
    done()
}

fn options(cluster: &mut Cluster, call: &Call) -> Reply {
    let firewall = cluster.firewalls.get(&place(call)).cloned().unwrap_or_default();
    let mut options = firewall.options.clone();
    options.insert("digest".to_owned(), json!(firewall.digest()));
    ok(Value::Object(options))
}

fn set_options(cluster: &mut Cluster, call: &Call) -> Reply {
    let firewall = checked(cluster, call)?;
    for name in call.args.list("delete") {
        firewall.options.remove(&name);
    }
    firewall.options.extend(fields(call.method, call));
    done()
}

/// The firewall, if nobody has changed it since the caller looked.
fn checked<'a>(cluster: &'a mut Cluster, call: &Call) -> Result<&'a mut Firewall, Failure> {
    let firewall = cluster.firewalls.entry(place(call)).or_default();
    match call.args.text("digest") {
        Some(digest) if digest != firewall.digest() => {
            Err(Failure::die("detected modified configuration - file changed by other user? Try again."))
        }
        _ => Ok(firewall),
    }
}

/// The given fields, with numbers as numbers.
fn fields(method: &Method, call: &Call) -> Map<String, Value> {
    let of_rule = |name: &str| method.param(name).is_some_and(|param| !param.in_path) && !STEERING.contains(&name);
    call.args
        .texts()
        .filter(|(name, _)| of_rule(name))
        .map(|(name, text)| {
            let number = method.param(name).is_some_and(|p| matches!(p.ty, Type::Integer | Type::Boolean));
            let value = text.parse::<i64>().ok().filter(|_| number).map_or_else(|| json!(text), |number| json!(number));
            (name.to_owned(), value)
        })
        .collect()
}

/// What the API checks beyond the single values.
fn check_rule(cluster: &Cluster, call: &Call, rule: &Map<String, Value>) -> Result<(), Failure> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    let group = text("type") == Some("group");
    if let Some(action) = text("action").filter(|_| !group)
        && !["ACCEPT", "DROP", "REJECT"].contains(&action)
    {
        return Err(Failure::param("action", format!("unknown action '{action}'")));
    }
    if let Some(proto) = text("proto").filter(|proto| {
        !PROTOCOLS.contains(&proto.to_lowercase().as_str()) && !proto.bytes().all(|byte| byte.is_ascii_digit())
    }) {
        return Err(Failure::param("proto", format!("invalid format - unknown protocol '{proto}'\n")));
    }
    for port in ["dport", "sport"] {
        if rule.contains_key(port) && !rule.contains_key("proto") && !rule.contains_key("macro") {
            return Err(Failure::param("proto", format!("missing property - '{port}' requires this property")));
        }
    }
    if let Some(name) = text("macro").filter(|name| !MACROS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))) {
        return Err(Failure::param("macro", format!("unknown macro '{name}'")));
    }
    if call.args.has("vmid") && text("iface").is_some_and(|card| !crate::guest::indexed(card, "net")) {
        return Err(Failure::param("iface", "value does not match the regex pattern 'net\\d+'"));
    }
    for side in ["source", "dest"] {
        let Some(value) = text(side) else { continue };
        if value.contains(' ') {
            let text = format!("invalid format - invalid IP address: Invalid chars in IP {value}\n");
            return Err(Failure::param(side, text));
        }
        if let Some(set) = value.strip_prefix('+') {
            let set = set.trim_start_matches("dc/").trim_start_matches("guest/");
            if !named(cluster, call, "ipset", set) {
                return Err(Failure::param(side, format!("no such ipset '{set}'")));
            }
        } else if value.starts_with(|c: char| c.is_ascii_alphabetic()) && !value.contains([':', '.']) {
            let alias = value.trim_start_matches("dc/").trim_start_matches("guest/");
            if !named(cluster, call, "aliases", alias) {
                return Err(Failure::param(side, format!("no such alias '{alias}'")));
            }
        }
    }
    Ok(())
}

fn named(cluster: &Cluster, call: &Call, what: &str, name: &str) -> bool {
    let own = format!("{}/firewall/{what}/{name}", call.path.split("/firewall").next().unwrap_or_default());
    cluster.store.has(&own) || cluster.store.has(&format!("/cluster/firewall/{what}/{name}"))
}

fn macros(_: &mut Cluster, _: &Call) -> Reply {
    ok(MACROS
        .iter()
        .map(|(name, text)| json!({ "macro": name, "descr": text }))
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Value>())
}

/// Nothing is ever dropped here, so there is no file.
fn log(_: &mut Cluster, _: &Call) -> Reply {
    let lines = json!([{ "n": 1, "t": "unable to open file - No such file or directory" }]);
    Ok(Data { total: Some(1), ..lines.into() })
}
