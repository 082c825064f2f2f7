//! Replication: the jobs of the cluster, and how they stand on the node of their guest.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/cluster/replication", create),
    (Verb::Get, "/nodes/{node}/replication", list),
    (Verb::Get, "/nodes/{node}/replication/{id}", index),
    (Verb::Get, "/nodes/{node}/replication/{id}/status", status),
    (Verb::Get, "/nodes/{node}/replication/{id}/log", log),
    (Verb::Post, "/nodes/{node}/replication/{id}/schedule_now", run),
];

const JOBS: &str = "/cluster/replication";

/// A job's id is its guest and a number: `100-0`.
fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let (id, target) = (call.args.need("id"), call.args.need("target"));
    let path = format!("{JOBS}/{id}");
    if cluster.store.has(&path) {
        return Err(generic::clash(call, "id", id));
    }
    let (guest, number) = id.rsplit_once('-').unwrap_or((id, "0"));
    let vmid: u32 = guest.parse().unwrap_or_default();
    let Some(source) = cluster.guests.get(&vmid).map(|guest| guest.node.clone()) else {
        return Err(Failure::die(format!("no such guest '{guest}'")));
    };
    if !cluster.nodes.contains_key(target) {
        return Err(Failure::die(format!("no such cluster node '{target}'")));
    }
    if source == target {
        return Err(Failure::die("source and target are the same node"));
    }
    let mut fields = generic::fields_of(call);
    fields.insert("guest".to_owned(), json!(vmid));
    fields.insert("jobnum".to_owned(), json!(number.parse::<u32>().unwrap_or_default()));
    fields.entry("source".to_owned()).or_insert(json!(source));
    cluster.store.put(&path, JOBS, "id", id, Value::Object(fields));
    done()
}

/// The jobs of guests on the node.
fn on_node(cluster: &Cluster, call: &Call) -> Vec<Map<String, Value>> {
    let node = call.args.need("node");
    let here = |job: &Map<String, Value>| {
        let vmid = job["guest"].as_u64().and_then(|vmid| u32::try_from(vmid).ok()).unwrap_or_default();
        cluster.guests.get(&vmid).is_some_and(|guest| guest.node == node)
    };
    let wanted = call.args.number("guest");
    let jobs = cluster.store.list(JOBS).into_iter().filter(here);
    jobs.filter(|job| wanted.is_none_or(|vmid| job["guest"] == vmid)).collect()
}

fn find(cluster: &Cluster, call: &Call) -> Result<Map<String, Value>, Failure> {
    let id = call.args.need("id");
    let job = on_node(cluster, call).into_iter().find(|job| job["id"] == id);
    job.ok_or_else(|| Failure::die(format!("no such replication job '{id}'")))
}

/// A job with how it stands: it runs every quarter of an hour and has always gone well.
fn shown(cluster: &Cluster, mut job: Map<String, Value>) -> Value {
    let now = cluster.clock.seconds();
    let last = job.get("last_sync").and_then(Value::as_i64).unwrap_or(now / 900 * 900);
    let kind =
        job["guest"].as_u64().and_then(|vmid| cluster.guests.get(&(vmid as u32))).map(|guest| guest.kind.as_str());
    for (name, value) in [
        ("last_sync", json!(last)),
        ("last_try", json!(last)),
        ("next_sync", json!((now / 900 + 1) * 900)),
        ("duration", json!(3.2)),
        ("fail_count", json!(0)),
        ("vmtype", json!(kind)),
    ] {
        job.insert(name.to_owned(), value);
    }
    Value::Object(job)
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let jobs = on_node(cluster, call);
    ok(jobs.into_iter().map(|job| shown(cluster, job)).collect::<Value>())
}

fn index(cluster: &mut Cluster, call: &Call) -> Reply {
    find(cluster, call)?;
    ok(json!([{ "name": "status" }, { "name": "log" }, { "name": "schedule_now" }]))
}

fn status(cluster: &mut Cluster, call: &Call) -> Reply {
    let job = find(cluster, call)?;
    ok(shown(cluster, job))
}

fn log(cluster: &mut Cluster, call: &Call) -> Reply {
    let job = find(cluster, call)?;
    let state = shown(cluster, job);
    let stamp = crate::clock::stamp(state["last_sync"].as_i64().unwrap_or_default());
    let id = call.args.need("id");
    let lines = [format!("{stamp} {id}: start replication job"), format!("{stamp} {id}: end replication job")];
    ok((1..).zip(lines).map(|(n, t)| json!({ "n": n, "t": t })).collect::<Value>())
}

fn run(cluster: &mut Cluster, call: &Call) -> Reply {
    find(cluster, call)?;
    let now = cluster.clock.seconds();
    if let Some(job) = cluster.store.get_mut(&format!("{JOBS}/{}", call.args.need("id"))) {
        job.insert("last_sync".to_owned(), json!(now));
    }
    // Declared as a text, and nothing is told.
    ok(String::new())
}
