//! Values that nobody wrote: plausible ones of the declared shape, always the same for the same call.
//!
//! Knows shapes, formats and the names by which fields speak of things of the cluster. Only what has to be there is
//! made up; an optional field that nobody wrote is left out.

use proxmox_spec::{Shape, Type};
use serde_json::{Map, Value, json};

use crate::{cluster::Cluster, request::Call};

/// Of an enumeration, the first of these that it holds says "nothing special".
const PEACEFUL: [&str; 12] = [
    "ok",
    "OK",
    "online",
    "running",
    "active",
    "available",
    "enabled",
    "started",
    "user-created",
    "Installed",
    "info",
    "none",
];

/// What fields of these names hold, unless the call itself names such a thing.
const NAMED: [(&str, &str); 23] = [
    ("filename", "sandbox.png"),
    ("node", "pve1"),
    ("target", "pve2"),
    ("storage", "local"),
    ("vmid", "100"),
    ("guest", "100"),
    ("user", "root@pam"),
    ("userid", "root@pam"),
    ("realm", "pam"),
    ("iface", "vmbr0"),
    ("bridge", "vmbr0"),
    ("zone", "localnetwork"),
    ("host", "pve1"),
    ("server", "192.0.2.53"),
    ("ip", "192.0.2.20"),
    ("mac", "BC:24:11:00:00:01"),
    ("status", "ok"),
    ("state", "ok"),
    ("health", "OK"),
    ("path", "/"),
    ("url", "https://192.0.2.53/"),
    ("cert", "sandbox-certificate"),
    ("version", "1.0"),
];

/// Formats and a value that fits.
const FORMATS: [(&str, &str); 18] = [
    ("pve-node", "pve1"),
    ("pve-node-list", "pve1"),
    ("pve-vmid", "100"),
    ("pve-storage-id", "local"),
    ("pve-userid", "root@pam"),
    ("pve-realm", "pam"),
    ("pve-iface", "vmbr0"),
    ("pve-configid", "example"),
    ("ip", "192.0.2.20"),
    ("ipv4", "192.0.2.20"),
    ("ipv6", "2001:db8::20"),
    ("CIDR", "192.0.2.0/24"),
    ("CIDRv4", "192.0.2.0/24"),
    ("mac-addr", "BC:24:11:00:00:01"),
    ("email", "root@example.org"),
    ("dns-name", "example.org"),
    ("pve-sdn-fabric-id", "fabric"),
    ("pve-volume-id", "local:iso/ubuntu-22.04.iso"),
];

/// A value of this shape, as the answer to this call, under this name.
pub(crate) fn value(cluster: &Cluster, call: &Call, name: &str, shape: &Shape) -> Value {
    match shape.ty {
        // Something has to stand there, so that it can be seen whether it is kept from view.
        Type::String if shape.secret => json!("sandbox-secret"),
        Type::String => json!(text(call, name, shape)),
        Type::Integer | Type::Number => number(cluster, call, name, shape),
        Type::Boolean => json!(0),
        Type::Array => json!([]),
        Type::Object => {
            let mut fields = Map::new();
            complete(cluster, call, shape, &mut fields);
            Value::Object(fields)
        }
        Type::Null | Type::Any => Value::Null,
    }
}

/// Adds the fields that an object of this shape cannot be without.
pub(crate) fn complete(cluster: &Cluster, call: &Call, shape: &Shape, fields: &mut Map<String, Value>) {
    for (name, field) in shape.fields.iter().filter(|(_, field)| !field.optional) {
        if !fields.contains_key(*name) {
            fields.insert((*name).to_owned(), value(cluster, call, name, field));
        }
    }
}

fn text(call: &Call, name: &str, shape: &Shape) -> String {
    if let Some(given) = call.args.text(name).filter(|given| shape.values.is_empty() || shape.values.contains(given)) {
        return given.to_owned();
    }
    if let Some(first) = shape.values.first() {
        let peaceful = PEACEFUL.into_iter().find(|word| shape.values.contains(word));
        return peaceful.unwrap_or(first).to_owned();
    }
    let named = NAMED.iter().find(|(field, _)| *field == name);
    let formatted = shape.format.and_then(|format| FORMATS.iter().find(|(known, _)| *known == format));
    formatted.or(named).map_or_else(|| "sandbox".to_owned(), |(_, text)| (*text).to_owned())
}

fn number(cluster: &Cluster, call: &Call, name: &str, shape: &Shape) -> Value {
    if let Some(given) = call.args.number(name) {
        return json!(given);
    }
    let plausible = match name {
        "vmid" | "guest" => 100,
        "port" | "tls-port" => 5_900,
        _ if name.contains("time") || name == "created" || name.starts_with("not") => cluster.clock.seconds(),
        _ if name.contains("size") || name == "free" || name == "total" || name == "used" => 1 << 30,
        _ => 1,
    };
    let (least, most) = (shape.minimum.unwrap_or(f64::MIN), shape.maximum.unwrap_or(f64::MAX));
    let fitting = (plausible as f64).clamp(least, most.max(least));
    if shape.ty == Type::Integer { json!(fitting as i64) } else { json!(fitting) }
}
