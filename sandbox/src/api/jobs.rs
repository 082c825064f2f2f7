//! Backup jobs, whose errors come from the job plug-in and are worded by it.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, VERIFICATION_FAILED, done, ok},
    calendar::Event,
    cluster::Cluster,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/backup", list),
    (Verb::Post, "/cluster/backup", create),
    (Verb::Get, "/cluster/backup/{id}", read),
    (Verb::Put, "/cluster/backup/{id}", update),
    (Verb::Delete, "/cluster/backup/{id}", delete),
];

const JOBS: &str = "/cluster/backup";

/// The job of the plug-in's own checks: they are a 500 that speaks of a 400.
fn plugin_error(text: &str) -> Failure {
    Failure::die(format!("400 {VERIFICATION_FAILED}{text}"))
}

fn list(cluster: &mut Cluster, _: &Call) -> Reply {
    let now = cluster.clock.seconds();
    let due = |mut job: Map<String, Value>| {
        let event = job.get("schedule").and_then(Value::as_str).and_then(|text| Event::parse(text).ok());
        if let Some(next) = event.and_then(|event| event.next(now)) {
            job.insert("next-run".to_owned(), json!(next));
        }
        Value::Object(job)
    };
    ok(cluster.store.list(JOBS).into_iter().map(due).collect::<Value>())
}

/// The fields of a call: numbers as numbers, a retention as an object.
fn fields(call: &Call) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, text) in call.args.texts() {
        if matches!(name, "id" | "delete" | "digest") {
            continue;
        }
        let value = match (name, text.parse::<i64>()) {
            ("prune-backups", _) => {
                let pairs = text.split(',').filter_map(|part| part.split_once('='));
                Value::Object(pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect())
            }
            ("vmid" | "starttime" | "schedule" | "compress", _) | (_, Err(_)) => json!(text),
            (_, Ok(number)) => json!(number),
        };
        fields.insert(name.to_owned(), value);
    }
    fields
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    if !call.args.has("schedule") && !call.args.has("starttime") {
        return Err(Failure::param("schedule", "neither 'starttime' nor 'schedule' were set"));
    }
    check_schedule(call)?;
    let id = match call.args.text("id") {
        Some(id) => id.to_owned(),
        None => cluster.draw_uuid(),
    };
    let path = format!("{JOBS}/{id}");
    if cluster.store.has(&path) {
        return Err(Failure::die(format!("Job '{id}' already exists")));
    }
    if !["vmid", "all", "pool"].iter().any(|name| call.args.has(name)) {
        return Err(plugin_error("vmid: property is missing"));
    }
    let mut fields = fields(call);
    fields.insert("type".to_owned(), json!("vzdump"));
    fields.entry("enabled".to_owned()).or_insert(json!(1));
    cluster.store.put(&path, JOBS, "id", &id, Value::Object(fields));
    done()
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("id");
    match cluster.store.get(&call.path) {
        Some(fields) => {
            let mut shown = fields.clone();
            shown.remove("next-run");
            ok(Value::Object(shown))
        }
        None => Err(Failure::param("id", format!("No such job '{id}'"))),
    }
}

fn check_schedule(call: &Call) -> Result<(), Failure> {
    let Some(schedule) = call.args.text("schedule") else { return Ok(()) };
    Event::parse(schedule).map(|_| ()).map_err(|text| Failure::param("schedule", format!("invalid format - {text}\n")))
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    check_schedule(call)?;
    let Some(stored) = cluster.store.get_mut(&call.path) else {
        return Err(Failure::die("no such vzdump job"));
    };
    for name in call.args.list("delete") {
        stored.remove(&name);
    }
    stored.extend(fields(call));
    done()
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    if cluster.store.remove(&call.path) {
        return done();
    }
    Err(plugin_error(&format!("id: No such job '{}'", call.args.need("id"))))
}
