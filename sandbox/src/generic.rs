//! The answer of every method that has no handler of its own: what is written can be read back, and what was never
//! written is an empty value of the declared shape.
//!
//! Knows the facts' paths, parameters and shapes, and no single method.

use std::collections::BTreeMap;

use proxmox_spec::{Method, Segment, Shape, Type, Upid, Verb, methods};
use serde_json::{Map, Value, json};

use crate::{
    answer::{Data, Failure, Reply, done, ok},
    cluster::Cluster,
    guest::hex,
    request::{Arg, Call},
    tasks::{Plan, Spawn},
};

/// What was written, by path.
#[derive(Default)]
pub(crate) struct Store {
    items: BTreeMap<String, Item>,
    serial: u32,
}

struct Item {
    /// The path of the collection; empty for values that stand alone.
    parent: String,
    fields: Map<String, Value>,
}

impl Store {
    pub(crate) fn has(&self, path: &str) -> bool {
        self.items.contains_key(path)
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Map<String, Value>> {
        self.items.get(path).map(|item| &item.fields)
    }

    /// Stores an item of a collection; its key becomes a field. Fields that are null are left out.
    pub(crate) fn put(&mut self, path: &str, parent: &str, key: &str, id: &str, fields: Value) {
        let mut fields = without_nulls(fields);
        if !key.is_empty() {
            fields.insert(key.to_owned(), json!(id));
        }
        self.items.insert(path.to_owned(), Item { parent: parent.to_owned(), fields });
    }

    /// Stores a value that stands alone.
    pub(crate) fn set(&mut self, path: &str, fields: Value) {
        self.put(path, "", "", "", fields);
    }

    /// Removes an item and everything below it; false if there was none.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let below = format!("{path}/");
        self.items.retain(|at, _| !at.starts_with(&below));
        self.items.remove(path).is_some()
    }

    /// The items of a collection in the order of their paths.
    pub(crate) fn list(&self, parent: &str) -> Vec<Map<String, Value>> {
        self.items.values().filter(|item| item.parent == parent).map(|item| item.fields.clone()).collect()
    }

    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Map<String, Value>> {
        self.items.get_mut(path).map(|item| &mut item.fields)
    }
}

/// Answers any call by the facts alone.
pub(crate) fn handle(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.path.split('/').any(|segment| segment == "ceph") {
        return Err(Failure::die("binary not installed: /usr/bin/ceph-mon"));
    }
    if call.method.path == "/cluster/ha/groups" {
        return Err(Failure::die("cannot index groups: ha groups have been migrated to rules"));
    }
    match call.method.verb {
        Verb::Get => read(cluster, call),
        Verb::Post => create(cluster, call),
        Verb::Put => update(cluster, call),
        Verb::Delete => remove(cluster, call),
    }
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let shape = call.method.returns;
    let stored = cluster.store.get(&call.path);
    if shape.ty == Type::Array {
        let mut items = cluster.store.list(&call.path);
        for (name, wanted) in call.args.texts().filter(|(name, _)| call.method.param(name).is_some_and(|p| !p.in_path))
        {
            items.retain(|item| item.get(name).is_none_or(|value| text_of(value) == wanted));
        }
        let declared = shape.items.map(|item| item.fields).unwrap_or_default();
        if declared.iter().any(|(name, _)| *name == "digest") {
            for item in &mut items {
                let digest = digest(item);
                item.entry("digest".to_owned()).or_insert(json!(digest));
            }
        }
        if items.is_empty() && stored.is_none() {
            items = index(call.method);
        }
        return ok(Value::Array(items.into_iter().map(Value::Object).collect()));
    }
    if shape.ty != Type::Object && shape.ty != Type::Any {
        return ok(minimal(shape));
    }
    let fields = match stored {
        Some(fields) => fields.clone(),
        None if is_item(call.method) => return Err(missing(call)),
        None => Map::new(),
    };
    let mut fields = fields;
    if let Some(key) = last_param(call.method).filter(|key| shape.fields.iter().all(|(name, _)| name != key)) {
        // Items tell their key only where it is declared.
        fields.remove(key);
    }
    let mut answer = if fields.is_empty() { minimal(shape) } else { Value::Object(fields) };
    if shape.fields.iter().any(|(name, _)| *name == "digest")
        && let Value::Object(map) = &mut answer
        && !map.contains_key("digest")
    {
        map.insert("digest".to_owned(), json!(digest(map)));
    }
    ok(answer)
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let fields = fields_of(call);
    match child_key(call.method) {
        Some(key) if call.method.upid == Upid::Never => {
            let id = match call.args.text(key) {
                Some(id) => id.to_owned(),
                None => {
                    cluster.store.serial += 1;
                    format!("sandbox-{}", cluster.store.serial)
                }
            };
            let path = format!("{}/{id}", call.path);
            if cluster.store.has(&path) {
                return Err(clash(call, key, &id));
            }
            cluster.store.put(&path, &call.path, key, &id, Value::Object(fields));
        }
        _ if matches!(call.method.segments.last(), Some(Segment::Param(_) | Segment::Remainder(_))) => {
            let (parent, id) = call.path.rsplit_once('/').unwrap_or(("", ""));
            cluster.store.put(
                &call.path,
                parent,
                last_param(call.method).unwrap_or_default(),
                id,
                Value::Object(fields),
            );
        }
        _ => {}
    }
    written(cluster, call)
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.has(&call.path) {
        if is_item(call.method) {
            return Err(missing(call));
        }
        cluster.store.set(&call.path, json!({}));
    }
    let fields = fields_of(call);
    let Some(stored) = cluster.store.get_mut(&call.path) else { return done() };
    if call.args.text("digest").is_some_and(|given| given != digest(stored)) {
        return Err(Failure::die("detected modified configuration - file changed by other user? Try again."));
    }
    for name in call.args.list("delete") {
        stored.remove(&name);
    }
    stored.extend(fields);
    written(cluster, call)
}

fn remove(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.remove(&call.path) && is_item(call.method) {
        return Err(missing(call));
    }
    written(cluster, call)
}

/// The declared answer of a write: a task that ends well, nothing, or the smallest value.
fn written(cluster: &mut Cluster, call: &Call) -> Reply {
    let shape = call.method.returns;
    match call.method.upid {
        Upid::Always | Upid::Optional | Upid::Hidden => {
            let node = call.args.text("node").map_or_else(|| "pve1".to_owned(), str::to_owned);
            let id = call.args.text("vmid").unwrap_or_default().to_owned();
            let kind = call.method.name;
            let begin = Box::new(|_: &mut Cluster| Ok(Plan::new(2.0, Vec::new(), |_, _| Ok(()))));
            let upid = cluster.spawn(Spawn { node, kind, id, user: call.user.clone(), holds: None, begin });
            if call.method.upid == Upid::Hidden { done() } else { ok(upid) }
        }
        Upid::Never | Upid::Field => match shape.ty {
            Type::Null => done(),
            Type::Object => {
                let mut answer = minimal(shape);
                for (name, _) in shape.fields {
                    if let Some(text) = call.args.text(name) {
                        answer[*name] = typed(call.method, name, text);
                    }
                }
                ok(answer)
            }
            _ => Ok(Data::from(minimal(shape))),
        },
    }
}

/// The smallest value of a shape: what is required, empty.
pub(crate) fn minimal(shape: &Shape) -> Value {
    match shape.ty {
        // Something has to stand there, so that it can be seen whether it is kept from view.
        Type::String if shape.secret => json!("sandbox-secret"),
        Type::String => json!(shape.values.first().copied().unwrap_or_default()),
        Type::Integer | Type::Number => json!(shape.minimum.map_or(0, |least| least as i64)),
        Type::Boolean => json!(0),
        Type::Array => json!([]),
        Type::Object => {
            let fields = shape.fields.iter().filter(|(_, field)| !field.optional);
            Value::Object(fields.map(|(name, field)| ((*name).to_owned(), minimal(field))).collect())
        }
        Type::Null | Type::Any => Value::Null,
    }
}

/// The parts below an index path.
fn index(method: &Method) -> Vec<Map<String, Value>> {
    let fields = method.returns.items.map(|items| items.fields).unwrap_or_default();
    let key = fields
        .iter()
        .map(|(name, _)| *name)
        .find(|name| ["subdir", "name", "id", "cmd", "method"].contains(name))
        .unwrap_or(if method.path.ends_with("{snapname}") { "cmd" } else { "name" });
    let below = format!("{}/", method.path);
    let mut names: Vec<&str> = methods()
        .iter()
        .filter_map(|other| other.path.strip_prefix(&below))
        .filter_map(|rest| rest.split('/').next())
        .filter(|name| !name.starts_with('{'))
        .collect();
    names.dedup();
    if methods().iter().any(|other| other.path.starts_with(&format!("{below}{{"))) {
        // A collection that is empty.
        return Vec::new();
    }
    names.iter().map(|name| Map::from_iter([(key.to_owned(), json!(name))])).collect()
}

/// The path parameter of the items of a collection: `{id}` of `/cluster/backup/{id}`.
fn child_key(method: &Method) -> Option<&'static str> {
    let length = method.segments.len();
    methods().iter().find_map(|other| match other.segments.last() {
        Some(Segment::Param(name) | Segment::Remainder(name))
            if other.segments.len() == length + 1 && other.segments[..length] == *method.segments =>
        {
            Some(*name)
        }
        _ => None,
    })
}

fn last_param(method: &Method) -> Option<&'static str> {
    match method.segments.last() {
        Some(Segment::Param(name) | Segment::Remainder(name)) => Some(name),
        _ => None,
    }
}

/// True for the items of collections to which items can be added.
fn is_item(method: &Method) -> bool {
    let Some((parent, _)) = method.path.rsplit_once('/') else { return false };
    last_param(method).is_some_and(|name| name != "node" && name != "vmid")
        && (proxmox_spec::find(Verb::Post, parent).is_some() || proxmox_spec::find(Verb::Post, method.path).is_some())
}

/// How the areas word a clash and a missing item: a part of the path, the clash, status and text of the missing one.
const WORDS: [(&str, &str, u16, &str); 13] = [
    ("/access/groups", "create group failed: group '{}' already exists", 500, "group '{}' does not exist"),
    ("/access/roles", "create role failed: role '{}' already exists", 500, "role '{}' does not exist"),
    ("/access/domains", "domain '{}' already exists", 500, "domain '{}' does not exist"),
    ("/access/users", "user '{}' already exists", 500, "no such user ('{}')"),
    ("/network", "interface already exists", 400, "interface does not exist"),
    ("/mapping/", "mapping ID '{}' already defined", 500, "mapping '{}' not found"),
    ("/notifications/matchers", "matcher '{}' already exists", 404, "matcher '{}' not found"),
    ("/notifications/endpoints", "endpoint '{}' already exists", 404, "endpoint '{}' not found"),
    ("/replication", "replication job '{}' already exists", 500, "no such replication job '{}'"),
    ("/metrics/server", "create server failed: '{}' already defined", 500, "status server entry '{}' does not exist"),
    ("/ha/resources", "create resource failed: resource ID '{}' already defined", 500, "no such resource '{}'"),
    ("/ha/rules", "HA rule '{}' already defined", 500, "no such ha rule '{}'"),
    ("/sdn/", "create sdn object failed: sdn object ID '{}' already defined", 500, "sdn '{}' does not exist"),
];

fn words(call: &Call) -> Option<(&'static str, u16, &'static str)> {
    let line = WORDS.iter().find(|(part, ..)| call.path.contains(part))?;
    Some((line.1, line.2, line.3))
}

fn clash(call: &Call, key: &str, id: &str) -> Failure {
    match words(call) {
        Some((text, 400, _)) => Failure::param(key, text.replace("{}", id)),
        Some((text, ..)) => Failure::die(text.replace("{}", id)),
        None => Failure::die(format!("{key} '{id}' already exists")),
    }
}

fn missing(call: &Call) -> Failure {
    let name = last_param(call.method).unwrap_or("entry");
    let id = call.args.text(name).unwrap_or_default();
    if name == "tokenid" {
        return Failure::die(format!("no such token '{id}' for user '{}'", call.args.need("userid")));
    }
    match words(call) {
        Some((_, 400, text)) => Failure::param(name, text.replace("{}", id)),
        Some((_, status, text)) => Failure::json(status, format!("{}\n", text.replace("{}", id))),
        None => Failure::die(format!("{name} '{id}' does not exist")),
    }
}

/// The parameters as fields that can be read back: no path parameters, nothing secret, nothing that steers the call.
fn fields_of(call: &Call) -> Map<String, Value> {
    const STEERING: [&str; 4] = ["digest", "delete", "force", "lock-token"];
    let mut fields = Map::new();
    for (name, arg) in &call.args.0 {
        let hidden = call.method.param(name).is_none_or(|param| param.in_path || param.secret);
        if hidden || STEERING.contains(&name.as_str()) {
            continue;
        }
        let value = match arg {
            Arg::Text(text) => typed(call.method, name, text),
            Arg::List(list) => json!(list),
            Arg::Hash => continue,
        };
        fields.insert(name.clone(), value);
    }
    fields
}

fn typed(method: &Method, name: &str, text: &str) -> Value {
    let ty = method.param(name).map(|param| param.ty);
    match (ty, text.parse::<i64>()) {
        (Some(Type::Integer | Type::Boolean | Type::Number), Ok(number)) => json!(number),
        _ => json!(text),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The digest of a stored value.
pub(crate) fn digest(fields: &Map<String, Value>) -> String {
    use sha1::Digest as _;
    hex(&sha1::Sha1::digest(Value::Object(fields.clone()).to_string()))
}

fn without_nulls(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
