//! Notifications: endpoints, matchers, and the targets that both speak of.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    guest::hex,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/notifications/targets", targets),
    (Verb::Post, "/cluster/notifications/targets/{name}/test", test),
    (Verb::Get, "/cluster/notifications/matcher-fields", fields),
    (Verb::Get, "/cluster/notifications/matcher-field-values", values),
    (Verb::Post, "/cluster/notifications/matchers", create),
    (Verb::Get, "/cluster/notifications/matchers/{name}", read),
    (Verb::Put, "/cluster/notifications/matchers/{name}", update),
    (Verb::Delete, "/cluster/notifications/matchers/{name}", delete),
    (Verb::Post, "/cluster/notifications/endpoints/gotify", create),
    (Verb::Get, "/cluster/notifications/endpoints/gotify/{name}", read),
    (Verb::Put, "/cluster/notifications/endpoints/gotify/{name}", update),
    (Verb::Delete, "/cluster/notifications/endpoints/gotify/{name}", delete),
    (Verb::Post, "/cluster/notifications/endpoints/sendmail", create),
    (Verb::Get, "/cluster/notifications/endpoints/sendmail/{name}", read),
    (Verb::Put, "/cluster/notifications/endpoints/sendmail/{name}", update),
    (Verb::Delete, "/cluster/notifications/endpoints/sendmail/{name}", delete),
    (Verb::Post, "/cluster/notifications/endpoints/smtp", create),
    (Verb::Get, "/cluster/notifications/endpoints/smtp/{name}", read),
    (Verb::Put, "/cluster/notifications/endpoints/smtp/{name}", update),
    (Verb::Delete, "/cluster/notifications/endpoints/smtp/{name}", delete),
    (Verb::Post, "/cluster/notifications/endpoints/webhook", create),
    (Verb::Get, "/cluster/notifications/endpoints/webhook/{name}", read),
    (Verb::Put, "/cluster/notifications/endpoints/webhook/{name}", update),
    (Verb::Delete, "/cluster/notifications/endpoints/webhook/{name}", delete),
];

const MATCHERS: &str = "/cluster/notifications/matchers";
const ENDPOINTS: &str = "/cluster/notifications/endpoints";
const KINDS: [&str; 4] = ["gotify", "sendmail", "smtp", "webhook"];

/// What is there from the beginning; deleting it brings back its first form.
pub(crate) fn builtin(cluster: &mut Cluster) {
    let mail = json!({
        "comment": "Send mails to root@pam's email address", "mailto-user": ["root@pam"], "origin": "builtin",
    });
    let sendmail = format!("{ENDPOINTS}/sendmail");
    cluster.store.put_builtin(&format!("{sendmail}/mail-to-root"), &sendmail, "name", "mail-to-root", mail);
    let matcher = json!({
        "comment": "Route all notifications to mail-to-root", "mode": "all", "target": ["mail-to-root"],
        "origin": "builtin",
    });
    let path = format!("{MATCHERS}/default-matcher");
    cluster.store.put_builtin(&path, MATCHERS, "name", "default-matcher", matcher);
}

fn endpoints(cluster: &Cluster) -> Vec<(&'static str, Map<String, Value>)> {
    let of =
        |kind: &'static str| cluster.store.list(&format!("{ENDPOINTS}/{kind}")).into_iter().map(move |row| (kind, row));
    KINDS.into_iter().flat_map(of).collect()
}

fn exists(cluster: &Cluster, name: &str) -> bool {
    KINDS.iter().any(|kind| cluster.store.has(&format!("{ENDPOINTS}/{kind}/{name}")))
}

/// All of this stands in one file, whose digest is a SHA-256.
fn digest(cluster: &Cluster) -> String {
    let parents = KINDS.iter().map(|kind| format!("{ENDPOINTS}/{kind}")).chain([MATCHERS.to_owned()]);
    let all: Vec<String> = parents.map(|parent| cluster.store.digest_of(&parent)).collect();
    hex(&Sha256::digest(all.join(" ")))
}

fn gone(status: u16, text: String) -> Failure {
    Failure::json(status, format!("{text}\n"))
}

fn targets(cluster: &mut Cluster, _: &Call) -> Reply {
    let rows = endpoints(cluster).into_iter().map(|(kind, fields)| {
        let mut row = json!({ "type": kind, "origin": "user-created" });
        for name in ["name", "comment", "disable", "origin"] {
            if let Some(value) = fields.get(name) {
                row[name] = value.clone();
            }
        }
        row
    });
    ok(Value::Array(rows.collect()))
}

fn test(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name");
    if exists(cluster, name) { done() } else { Err(gone(404, format!("endpoint '{name}' does not exist"))) }
}

fn fields(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!([{ "name": "type" }, { "name": "hostname" }, { "name": "job-id" }]))
}

fn values(cluster: &mut Cluster, _: &Call) -> Reply {
    let types = [
        ("fencing", "Node fencing"),
        ("package-updates", "Package updates are available"),
        ("replication", "Replication job notifications"),
        ("system-mail", "Forwarded system mails"),
        ("vzdump", "Backup notifications"),
    ];
    let types = types.iter().map(|(value, comment)| json!({ "field": "type", "value": value, "comment": comment }));
    let nodes = cluster.nodes.keys().map(|node| json!({ "field": "hostname", "value": node }));
    let jobs = cluster.store.list("/cluster/backup");
    let jobs = jobs.iter().map(|job| json!({ "field": "job-id", "value": job["id"] }));
    ok(types.chain(nodes).chain(jobs).collect::<Value>())
}

/// Matchers may only name endpoints that are there.
fn check_targets(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if !call.method.path.starts_with(MATCHERS) {
        return Ok(());
    }
    match call.args.array("target").iter().find(|name| !exists(cluster, name)) {
        Some(name) => Err(gone(404, format!("endpoint '{name}' does not exist"))),
        None => Ok(()),
    }
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name");
    if exists(cluster, name) || cluster.store.has(&format!("{MATCHERS}/{name}")) {
        return Err(gone(400, format!("Cannot create '{name}', an entity with the same name already exists")));
    }
    check_targets(cluster, call)?;
    generic::create(cluster, call)
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let mut answer = generic::read(cluster, call)?;
    answer.data["digest"] = json!(digest(cluster));
    Ok(answer)
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.has(&call.path) {
        return Err(generic::missing(call));
    }
    if call.args.text("digest").is_some_and(|given| given != digest(cluster)) {
        return Err(Failure::die("detected modified configuration - file changed by other user? Try again."));
    }
    check_targets(cluster, call)?;
    let mut args = call.args.clone();
    args.0.remove("digest");
    generic::update(cluster, &call.instead(call.method, call.path.clone(), args))?;
    if let Some(fields) = cluster.store.get_mut(&call.path)
        && fields.get("origin").is_some_and(|origin| origin == "builtin")
    {
        fields.insert("origin".to_owned(), json!("modified-builtin"));
    }
    done()
}

/// An endpoint that a matcher names stays.
fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name");
    if !cluster.store.has(&call.path) {
        return Err(generic::missing(call));
    }
    if call.path.starts_with(ENDPOINTS) {
        let names = |row: &Map<String, Value>| {
            row.get("target")
                .and_then(Value::as_array)
                .is_some_and(|targets| targets.iter().any(|target| target == name))
        };
        let users: Vec<String> = cluster
            .store
            .list(MATCHERS)
            .into_iter()
            .filter(names)
            .map(|row| row["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        if !users.is_empty() {
            return Err(gone(400, format!("cannot delete '{name}', referenced by: {}", users.join(", "))));
        }
    }
    cluster.store.remove(&call.path);
    if matches!(name, "mail-to-root" | "default-matcher") {
        builtin(cluster);
    }
    done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_endpoint_has_routes() {
        for kind in KINDS {
            let path = format!("{ENDPOINTS}/{kind}");
            assert!(ROUTES.iter().any(|(verb, route, _)| *verb == Verb::Post && *route == path), "{kind}");
        }
    }
}
