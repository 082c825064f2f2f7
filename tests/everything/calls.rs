//! One good call of every method, and the answer that the API would give.
//!
//! Knows the facts only: not how the call of the API reads its arguments, nor what a call needs.

use crate::UPID;
use crate::facts::Scalar;
use crate::server::{Say, Seen};
use percent_encoding::percent_decode_str;
use proxmox_spec::{Kind, Method, Param, Segment, Shape, Type, Upid, Verb};
use serde_json::{Map, Value, json};

/// Values of formats that only few parameters have.
const FORMATTED: [&str; 15] = [
    "a@pve",
    "a@pve!b",
    "vm:100",
    "/dev/sda",
    "10.0.0.1",
    "10.0.0.0/24",
    "fd00::/64",
    "02:00:00:00:00:01",
    "https://a.example/x",
    "a.example.org",
    "a@example.org",
    "local:vm-100-disk-0",
    "1G",
    "0000:00:01.0",
    "pve8p-0123456789",
];

/// A path and parameters that the method takes.
pub fn arguments(method: &'static Method) -> Value {
    let mut path = String::new();
    for segment in method.segments {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Param(name) | Segment::Remainder(name) => path.push_str(&place(method, name)),
        }
    }
    let required = method.params.iter().filter(|param| !param.optional && !param.in_path);
    let params: Map<String, Value> = required.map(|param| (param.name.replace("[n]", "0"), sample(param))).collect();
    json!({"method": method.verb.as_str(), "path": path, "params": params})
}

/// A value for a place of the path.
pub fn place(method: &'static Method, name: &str) -> String {
    match name {
        "node" => "pve1".to_owned(),
        "vmid" => "100".to_owned(),
        "storage" => "local".to_owned(),
        "volume" => "local:iso/a.iso".to_owned(),
        "upid" => UPID.to_owned(),
        "sid" => "vm:100".to_owned(),
        _ => {
            let text = method.param(name).map_or(json!("a"), sample);
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            text.replace(['/', '?'], "_")
        }
    }
}

/// A good value of a parameter.
pub fn sample(param: &'static Param) -> Value {
    if !param.keys.is_empty() {
        let needed = param.keys.iter().filter(|key| !key.optional && key.alias.is_none());
        let parts: Map<String, Value> = needed.map(|key| (key.name.to_owned(), sample(key))).collect();
        if !parts.is_empty() {
            return Value::Object(parts);
        }
        let first = param.keys.iter().find(|key| key.alias.is_none() && key.key_alias.is_none());
        return first.map_or(json!({}), |key| json!({ key.name: sample(key) }));
    }
    match (param.name, param.ty) {
        ("vmid" | "newid", _) => json!(100),
        ("node" | "target", Type::String) if param.format == Some("pve-node") => json!("pve1"),
        (_, Type::Array) => json!([param.items.map_or(json!("a"), sample)]),
        _ => {
            // The formats of few names are words of their own.
            let more = FORMATTED.map(|text| (json!(text), text.to_owned()));
            let good = Scalar::from(param).good().into_iter().chain(more);
            let mut taken = good.filter(|(_, text)| proxmox_spec::check::value(param, text).is_ok());
            taken.next().map_or(json!("a"), |(value, _)| value)
        }
    }
}

/// Why a method cannot be called this way at all, as the facts have it.
pub fn impossible(method: &Method) -> bool {
    let credential = method.returns.fields.iter().any(|(_, shape)| shape.secret);
    method.kind != Kind::Plain || (method.verb != Verb::Get && credential)
}

/// Whether no token can call a method, as the facts have it.
pub fn barred(method: &Method) -> bool {
    !method.allow_token || method.permissions.root_only
}

/// The method that a request reached.
pub fn method(seen: &Seen) -> Option<&'static Method> {
    let verb = Verb::parse(&seen.verb)?;
    let path = percent_decode_str(seen.path()).decode_utf8().ok()?;
    proxmox_spec::route(verb, &path).map(|route| route.method)
}

/// What the API would answer: the declared form, with what a call looks for where it looks.
pub fn answer(seen: &Seen) -> Say {
    let Some(method) = method(seen) else { return Say::refuse("501 Not Implemented", "no such method", json!({})) };
    Say::Data(match (method.verb, method.path) {
        (Verb::Get, "/cluster/resources") => json!([
            {"id": "qemu/100", "vmid": 100, "type": "qemu", "node": "pve1", "name": "web", "status": "running"},
            {"id": "node/pve1", "type": "node", "node": "pve1", "status": "online"},
            {"id": "storage/pve1/local", "type": "storage", "node": "pve1", "storage": "local", "status": "available"},
        ]),
        (Verb::Get, "/nodes/{node}/tasks/{upid}/status") => json!({"status": "stopped", "exitstatus": "OK"}),
        (Verb::Get, "/cluster/nextid") => json!("105"),
        (Verb::Get, "/nodes/{node}/qemu/{vmid}/config") => {
            json!({"name": "web", "scsi0": "local:100/vm-100-disk-0.qcow2,size=1G", "digest": "d1"})
        }
        (Verb::Get, "/nodes/{node}/lxc/{vmid}/config") => {
            json!({"hostname": "web", "rootfs": "local:100/vm-100-disk-0.raw,size=1G", "digest": "d1"})
        }
        (Verb::Get, "/cluster/ha/rules/{rule}") => {
            json!({"rule": "a", "type": "node-affinity", "resources": "vm:100", "nodes": "pve1", "digest": "d1"})
        }
        _ => data(method, &|_, _| None),
    })
}

/// A value of the declared form; `own` may choose that of a field.
pub fn data(method: &'static Method, own: &impl Fn(&str, &Shape) -> Option<Value>) -> Value {
    match method.upid {
        Upid::Always => json!(UPID),
        Upid::Hidden => Value::Null,
        _ => of(method.returns, "", own),
    }
}

fn of(shape: &Shape, name: &str, own: &impl Fn(&str, &Shape) -> Option<Value>) -> Value {
    if let Some(value) = own(name, shape) {
        return value;
    }
    match shape.ty {
        Type::Object => {
            let fields = shape.fields.iter().filter(|(_, field)| !field.optional || field.secret);
            Value::Object(fields.map(|(name, field)| (name.replace("[n]", "0"), of(field, name, own))).collect())
        }
        Type::Array => match shape.items {
            Some(items) => json!([of(items, name, own)]),
            None => json!([]),
        },
        Type::Boolean | Type::Integer => json!(1),
        Type::Number => json!(0.5),
        Type::String => json!(shape.values.first().copied().unwrap_or("a")),
        Type::Null => Value::Null,
        Type::Any => json!({}),
    }
}
