//! What writing calls do: they keep what was written, under the path where it will be read.
//!
//! Knows parameters, and the section files that most of the API's configuration stands in. Judges no reference.

use proxmox_spec::{Method, Param, Segment, Shape, Type, Upid, Verb, methods};
use serde_json::{Map, Value, json};

use super::{invent, is_item, jobs, last_param, words};
use crate::{
    answer::{Data, Failure, Reply, done, ok},
    cluster::Cluster,
    request::{Arg, Call},
    tasks::{Plan, Spawn},
};

/// Parameters that steer a call and are not kept.
const STEERING: [&str; 4] = ["digest", "delete", "force", "lock-token"];

/// Answers a POST: a new item of a collection, or something that is done.
pub(crate) fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let fields = fields_of(call);
    match child_key(call.method) {
        Some(key) if call.method.upid == Upid::Never => {
            let id = match call.args.text(key) {
                Some(id) => id.to_owned(),
                None => format!("sandbox-{}", cluster.store.next_serial()),
            };
            let path = format!("{}/{id}", call.path);
            if cluster.store.has(&path) {
                return Err(words::clash(call, key, &id));
            }
            cluster.store.put(&path, &call.path, key, &id, Value::Object(fields));
        }
        _ if is_item(call.method) => {
            let (parent, id) = call.path.rsplit_once('/').unwrap_or(("", ""));
            let key = last_param(call.method).unwrap_or_default();
            if cluster.store.has(&call.path) {
                return Err(words::clash(call, key, id));
            }
            cluster.store.put(&call.path, parent, key, id, Value::Object(fields));
        }
        _ => {}
    }
    written(cluster, call)
}

/// Answers a PUT: options are replaced, those named in `delete` go.
pub(crate) fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.has(&call.path) {
        if is_item(call.method) {
            return Err(words::missing(call));
        }
        cluster.store.set(&call.path, json!({}));
    }
    check_digest(cluster, call, &call.path)?;
    let gone = deletions(call)?;
    let fields = fields_of(call);
    let Some(stored) = cluster.store.get_mut(&call.path) else { return done() };
    for name in gone {
        stored.remove(&name);
    }
    stored.extend(fields);
    written(cluster, call)
}

/// Answers a DELETE.
pub(crate) fn remove(cluster: &mut Cluster, call: &Call) -> Reply {
    if cluster.store.has(&call.path) {
        check_digest(cluster, call, &call.path)?;
    }
    if !cluster.store.remove(&call.path) && is_item(call.method) {
        return Err(words::missing(call));
    }
    written(cluster, call)
}

/// Refuses a digest that is not that of the file in which the item at this path stands.
pub(crate) fn check_digest(cluster: &Cluster, call: &Call, path: &str) -> Result<(), Failure> {
    match call.args.text("digest") {
        Some(given) if given != cluster.store.digest_at(path) => {
            Err(Failure::die("detected modified configuration - file changed by other user? Try again."))
        }
        _ => Ok(()),
    }
}

/// The options to delete, refused as the section files refuse them.
pub(crate) fn deletions(call: &Call) -> Result<Vec<String>, Failure> {
    let mut names = call.args.list("delete");
    if names.is_empty() {
        names = call.args.array("delete");
    }
    for name in names.iter().filter(|_| is_item(call.method)) {
        let param = call.method.param(name).filter(|_| !STEERING.contains(&name.as_str()));
        let needed = creator(call.method).and_then(|method| method.param(name)).is_some_and(|param| !param.optional);
        match param {
            _ if needed => return Err(Failure::die(format!("unable to delete required option '{name}'"))),
            None => return Err(Failure::die(format!("no such option '{name}'"))),
            Some(_) if call.args.has(name) => {
                return Err(Failure::die(format!("cannot set and delete property '{name}' at the same time!")));
            }
            Some(_) => {}
        }
    }
    Ok(names)
}

/// The method that makes items like the one that this method changes.
fn creator(method: &Method) -> Option<&'static Method> {
    let parent = method.path.rsplit_once('/').map_or("", |(parent, _)| parent);
    proxmox_spec::find(Verb::Post, parent).or_else(|| proxmox_spec::find(Verb::Post, method.path))
}

/// The declared answer of a write: a task that ends well, nothing, or what was written.
fn written(cluster: &mut Cluster, call: &Call) -> Reply {
    let shape = call.method.returns;
    match call.method.upid {
        Upid::Always | Upid::Optional => ok(task(cluster, call)),
        Upid::Hidden => {
            task(cluster, call);
            done()
        }
        Upid::Field => {
            let upid = task(cluster, call);
            let mut answer = echoed(cluster, call, shape);
            answer["upid"] = json!(upid);
            ok(answer)
        }
        Upid::Never => match shape.ty {
            Type::Null | Type::Any => done(),
            Type::Object => ok(echoed(cluster, call, shape)),
            _ => Ok(Data::from(invent::value(cluster, call, "", shape))),
        },
    }
}

/// An object with the declared fields that were given, and those that cannot be missing.
fn echoed(cluster: &Cluster, call: &Call, shape: &Shape) -> Value {
    let mut fields = Map::new();
    for (name, field) in shape.fields {
        if let Some(Arg::Text(text)) = call.args.0.get(*name).filter(|_| !field.secret) {
            fields.insert((*name).to_owned(), typed(call.method.param(name), text));
        }
    }
    invent::complete(cluster, call, shape, &mut fields);
    Value::Object(fields)
}

/// Starts a task that ends well and does nothing more than what has been written.
fn task(cluster: &mut Cluster, call: &Call) -> String {
    let node = call.args.text("node").unwrap_or("pve1").to_owned();
    let (kind, id) = jobs::name(call);
    let begin = Box::new(|_: &mut Cluster| Ok(Plan::new(2.0, Vec::new(), |_, _| Ok(()))));
    cluster.spawn(Spawn { node, kind, id, user: call.user.clone(), holds: None, begin })
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

/// The parameters as fields that can be read back: no path parameters, nothing secret, nothing that steers the call.
pub(crate) fn fields_of(call: &Call) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, arg) in &call.args.0 {
        let param = call.method.param(name);
        if param.is_none_or(|param| param.in_path || param.secret) || STEERING.contains(&name.as_str()) {
            continue;
        }
        let value = match arg {
            Arg::Text(text) if param.is_some_and(|param| param.ty == Type::Array) => {
                json!([typed(param.and_then(|param| param.items), text)])
            }
            Arg::Text(text) => typed(param, text),
            Arg::List(list) => {
                let item = param.and_then(|param| param.items);
                list.iter().map(|text| typed(item, text)).collect()
            }
            Arg::Hash => continue,
        };
        fields.insert(name.clone(), value);
    }
    fields
}

/// A text as the declared type: numbers and truth values become numbers.
pub(crate) fn typed(param: Option<&Param>, text: &str) -> Value {
    match param.map(|param| param.ty) {
        Some(Type::Integer | Type::Boolean) => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Some(Type::Number) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) => json!(number),
            _ => json!(text),
        },
        _ => json!(text),
    }
}
