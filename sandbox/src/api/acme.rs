//! ACME: accounts, and what the directory of a certificate authority says of itself.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/acme/account", list),
    (Verb::Post, "/cluster/acme/account", create),
    (Verb::Get, "/cluster/acme/account/{name}", read),
    (Verb::Put, "/cluster/acme/account/{name}", update),
    (Verb::Delete, "/cluster/acme/account/{name}", delete),
    (Verb::Post, "/cluster/acme/plugins", create_plugin),
    (Verb::Get, "/cluster/acme/tos", terms),
    (Verb::Get, "/cluster/acme/meta", meta),
    (Verb::Get, "/cluster/acme/directories", directories),
    (Verb::Get, "/cluster/acme/challenge-schema", challenges),
];

const ACCOUNTS: &str = "/cluster/acme/account";
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
const TERMS: &str = "https://letsencrypt.org/documents/LE-SA-v1.5-February-24-2025.pdf";

fn list(cluster: &mut Cluster, _: &Call) -> Reply {
    let accounts = cluster.store.list(ACCOUNTS);
    ok(accounts.iter().map(|account| json!({ "name": account["name"] })).collect::<Value>())
}

/// The path of the account that a call names, `default` unless it says otherwise.
fn path(call: &Call) -> (String, String) {
    let name = call.args.text("name").unwrap_or("default").to_owned();
    (format!("{ACCOUNTS}/{name}"), name)
}

fn existing(cluster: &Cluster, call: &Call) -> Result<String, Failure> {
    let (path, name) = path(call);
    if cluster.store.has(&path) {
        Ok(path)
    } else {
        Err(Failure::die(format!("ACME account config file '{name}' does not exist.")))
    }
}

/// Starts a task that does this in the end.
fn task(
    cluster: &mut Cluster,
    call: &Call,
    kind: &'static str,
    effect: impl FnOnce(&mut Cluster) + Send + 'static,
) -> Reply {
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(2.0, Vec::new(), move |cluster, _| {
            effect(cluster);
            Ok(())
        }))
    });
    let (node, user) = ("pve1".to_owned(), call.user.clone());
    ok(cluster.spawn(Spawn { node, kind, id: String::new(), user, holds: None, begin }))
}

fn contacts(call: &Call) -> Vec<String> {
    call.args.list("contact").iter().map(|mail| format!("mailto:{mail}")).collect()
}

fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let (path, name) = path(call);
    if cluster.store.has(&path) {
        let text = format!("ACME account config file '{name}' already exists.");
        return Err(Failure::param("name", text));
    }
    let directory = call.args.text("directory").unwrap_or(DIRECTORY).to_owned();
    let account = json!({
        "directory": directory, "location": directory.replace("/directory", "/acme/acct/1"),
        "tos": call.args.text("tos_url"),
        "account": { "contact": contacts(call), "status": "valid", "createdAt": crate::clock::iso_stamp(cluster.clock.seconds()) },
    });
    task(cluster, call, "acmeregister", move |cluster| cluster.store.put(&path, ACCOUNTS, "name", &name, account))
}

fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    let mut account = cluster.store.get(&path).cloned().unwrap_or_default();
    account.remove("name");
    ok(Value::Object(account))
}

fn update(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    let contacts = contacts(call);
    task(cluster, call, "acmeupdate", move |cluster| {
        if let Some(account) = cluster.store.get_mut(&path).and_then(|fields| fields.get_mut("account"))
            && !contacts.is_empty()
        {
            account["contact"] = json!(contacts);
        }
    })
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    task(cluster, call, "acmedeactivate", move |cluster| {
        cluster.store.remove(&path);
    })
}

/// A plug-in is made under an id and told under the name `plugin`.
fn create_plugin(cluster: &mut Cluster, call: &Call) -> Reply {
    const PLUGINS: &str = "/cluster/acme/plugins";
    let id = call.args.need("id");
    let path = format!("{PLUGINS}/{id}");
    if cluster.store.has(&path) {
        return Err(generic::clash(call, "id", id));
    }
    let mut fields = generic::fields_of(call);
    fields.remove("id");
    cluster.store.put(&path, PLUGINS, "plugin", id, Value::Object(fields));
    done()
}

fn terms(_: &mut Cluster, _: &Call) -> Reply {
    ok(TERMS.to_owned())
}

fn meta(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!({ "termsOfService": TERMS, "website": "https://letsencrypt.org", "caaIdentities": ["letsencrypt.org"] }))
}

fn directories(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!([
        { "name": "Let's Encrypt V2", "url": DIRECTORY },
        { "name": "Let's Encrypt V2 Staging", "url": "https://acme-staging-v02.api.letsencrypt.org/directory" },
    ]))
}

/// Some of the providers of name services that plug-ins know.
fn challenges(_: &mut Cluster, _: &Call) -> Reply {
    let known = [
        ("acmedns", "acme-dns"),
        ("cf", "Cloudflare Managed DNS"),
        ("ovh", "OVH"),
        ("nsupdate", "nsupdate (RFC 2136)"),
    ];
    ok(known.iter().map(|(id, name)| json!({ "id": id, "name": name, "type": "dns", "schema": {} })).collect::<Value>())
}
