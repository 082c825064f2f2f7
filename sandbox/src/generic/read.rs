//! What reading calls answer: items as they were written, with what their kind always tells.
//!
//! Knows shapes and the traits of collections; changes nothing.

use proxmox_spec::{Method, Segment, Type, Verb, methods};
use serde_json::{Map, Value, json};

use super::{invent, is_item, last_param, traits, words::missing};
use crate::{
    answer::{Reply, ok},
    cluster::Cluster,
    request::Call,
};

/// Parts that an index of the API does not name although they exist, by the path of the index.
const UNLISTED: [(&str, &[&str]); 8] = [
    ("/access", &["password", "permissions", "tfa", "ticket", "vncticket"]),
    ("/cluster/sdn", &["dry-run", "lock", "prefix-lists", "rollback", "route-maps"]),
    ("/nodes/{node}", &["execute", "vncwebsocket"]),
    (
        "/nodes/{node}/lxc/{vmid}",
        &["feature", "move_volume", "mtunnel", "mtunnelwebsocket", "remote_migrate", "template"],
    ),
    (
        "/nodes/{node}/qemu/{vmid}",
        &["clone", "dbus-vmstate", "feature", "move_disk", "mtunnelwebsocket", "template", "vncwebsocket"],
    ),
    ("/nodes/{node}/qemu/{vmid}/firewall", &["log"]),
    ("/nodes/{node}/lxc/{vmid}/firewall", &["log"]),
    ("/nodes/{node}/scan", &["lvmthin"]),
];

/// Names in an index that are no part of any path.
const EXTRA: [(&str, &str); 1] = [("/nodes/{node}/qemu/{vmid}", "move")];

/// Answers a GET.
pub(crate) fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let shape = call.method.returns;
    match shape.ty {
        Type::Array => {
            let parts = index(call.method);
            if !parts.is_empty() {
                return ok(Value::Array(parts.into_iter().map(Value::Object).collect()));
            }
            ok(Value::Array(list(cluster, call)))
        }
        Type::Object | Type::Any => item(cluster, call),
        _ => ok(invent::value(cluster, call, "", shape)),
    }
}

/// The items of a collection that the call asks for.
fn list(cluster: &Cluster, call: &Call) -> Vec<Value> {
    let traits = traits::of(call.method.path);
    let wanted: Vec<(&str, &str)> = call
        .args
        .texts()
        .filter(|(name, _)| call.method.param(name).is_some_and(|param| !param.in_path && param.ty != Type::Boolean))
        .collect();
    let shape = call.method.returns.items;
    let declared = |name: &str| shape.is_some_and(|shape| shape.fields.iter().any(|(field, _)| *field == name));
    let digest = cluster.store.digest_of(&call.path);
    let mut rows = Vec::new();
    for mut row in cluster.store.list(&call.path) {
        if !wanted.iter().all(|(name, text)| row.get(*name).is_none_or(|value| text_of(value) == *text)) {
            continue;
        }
        if declared("digest") || traits.digest {
            row.entry("digest".to_owned()).or_insert(json!(digest));
        }
        traits::tell_in_list(&traits, &mut row);
        if let Some(shape) = shape.filter(|_| !traits.bare) {
            invent::complete(cluster, call, shape, &mut row);
        }
        rows.push(Value::Object(row));
    }
    rows
}

/// One item, or a value that stands alone.
fn item(cluster: &Cluster, call: &Call) -> Reply {
    let shape = call.method.returns;
    let parent = call.method.path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let traits = traits::of(parent);
    let stored = cluster.store.get(&call.path);
    if stored.is_none() && is_item(call.method) {
        return Err(missing(call));
    }
    let declared = |name: &str| shape.fields.iter().any(|(field, _)| *field == name);
    let mut fields = stored.cloned().unwrap_or_default();
    if let Some(key) = last_param(call.method).filter(|key| traits.nameless || (!declared(key) && !traits.keyed)) {
        // Items tell their key only where it is declared.
        fields.remove(key);
    }
    if stored.is_some() && (declared("digest") || traits.digest) {
        fields.entry("digest".to_owned()).or_insert(json!(cluster.store.digest_at(&call.path)));
    }
    if is_item(call.method) {
        traits::tell(&traits, &mut fields);
    }
    if !traits.bare {
        invent::complete(cluster, call, shape, &mut fields);
    }
    ok(Value::Object(fields))
}

/// True for a path that only tells which parts are below it.
pub(super) fn is_index(method: &Method) -> bool {
    method.verb == Verb::Get && method.returns.ty == Type::Array && !index(method).is_empty()
}

/// The parts below an index path; empty for a collection.
fn index(method: &Method) -> Vec<Map<String, Value>> {
    let below = format!("{}/", method.path);
    if methods().iter().any(|other| other.path.starts_with(&format!("{below}{{"))) {
        return Vec::new();
    }
    let fields = method.returns.items.map(|items| items.fields).unwrap_or_default();
    let key = fields
        .iter()
        .map(|(name, _)| *name)
        .find(|name| ["subdir", "name", "id", "cmd", "method", "type"].contains(name))
        .unwrap_or(if matches!(method.segments.last(), Some(Segment::Param("snapname"))) { "cmd" } else { "name" });
    let unlisted = UNLISTED.iter().find(|(path, _)| *path == method.path).map_or(&[][..], |(_, names)| names);
    let mut names: Vec<&str> = methods()
        .iter()
        .filter_map(|other| other.path.strip_prefix(&below))
        .filter_map(|rest| rest.split('/').next())
        .filter(|name| !unlisted.contains(name))
        .collect();
    names.extend(EXTRA.iter().filter(|(path, _)| *path == method.path).map(|(_, name)| *name));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| Map::from_iter([(key.to_owned(), json!(name))])).collect()
}

/// A value as a query parameter would write it.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
