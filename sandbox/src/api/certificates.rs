//! A node's certificates: its own, and one that somebody brings or orders.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, nodes::fingerprint};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/certificates/info", list),
    (Verb::Post, "/nodes/{node}/certificates/custom", bring),
    (Verb::Delete, "/nodes/{node}/certificates/custom", delete),
    (Verb::Post, "/nodes/{node}/certificates/acme/certificate", order),
    (Verb::Put, "/nodes/{node}/certificates/acme/certificate", renew),
    (Verb::Delete, "/nodes/{node}/certificates/acme/certificate", revoke),
];

/// What stands for every certificate: the text of the word "sandbox".
const PEM: &str = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n";

/// Where a certificate is kept that is not the node's own.
fn place(call: &Call) -> String {
    format!("/nodes/{}/certificates/custom", call.args.need("node"))
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let mut rows = vec![json!({
        "filename": "pve-ssl.pem", "fingerprint": cluster.nodes.get(node).map(fingerprint),
        "subject": format!("/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={node}"),
        "issuer": "/CN=Proxmox Virtual Environment/O=PVE Cluster Manager CA", "san": [node, "localhost"],
        "notbefore": 1_761_984_000, "notafter": 1_825_056_000, "public-key-type": "rsaEncryption",
        "public-key-bits": 2048, "pem": PEM,
    })];
    if let Some(custom) = cluster.store.get(&place(call)) {
        let mut row = custom.clone();
        row.remove("ordered");
        rows.push(Value::Object(row));
    }
    ok(Value::Array(rows))
}

fn certificate(cluster: &mut Cluster, node: &str, issuer: &str, ordered: bool) -> Value {
    let drawn: Vec<u8> = cluster.draw().into_iter().chain(cluster.draw()).take(32).collect();
    let fingerprint: Vec<String> = drawn.iter().map(|byte| format!("{byte:02X}")).collect();
    let now = cluster.clock.seconds();
    json!({
        "filename": "pveproxy-ssl.pem", "fingerprint": fingerprint.join(":"), "subject": format!("/CN={node}.example.org"),
        "issuer": issuer, "san": [format!("{node}.example.org")], "notbefore": now, "notafter": now + 90 * 86_400,
        "public-key-type": "id-ecPublicKey", "public-key-bits": 256, "pem": PEM, "ordered": u8::from(ordered),
    })
}

fn shown(mut certificate: Value) -> Value {
    if let Value::Object(fields) = &mut certificate {
        fields.remove("ordered");
    }
    certificate
}

/// What is brought is not taken apart: names and dates are those of any certificate of the node.
fn bring(cluster: &mut Cluster, call: &Call) -> Reply {
    let place = place(call);
    if cluster.store.has(&place) && !call.args.flag("force") {
        return Err(Failure::die("Custom certificate files already exist, and 'force' not set"));
    }
    let made = certificate(cluster, call.args.need("node"), "/CN=Example CA", false);
    cluster.store.set(&place, made.clone());
    ok(shown(made))
}

fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.remove(&place(call));
    done()
}

/// Starts a task on the node that leaves it with this certificate, or without one.
fn task(cluster: &mut Cluster, call: &Call, kind: &'static str, made: Option<Value>) -> Reply {
    let place = place(call);
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(5.0, Vec::new(), move |cluster, _| {
            match made {
                Some(made) => cluster.store.set(&place, made),
                None => {
                    cluster.store.remove(&place);
                }
            }
            Ok(())
        }))
    });
    let (node, user) = (call.args.need("node").to_owned(), call.user.clone());
    ok(cluster.spawn(Spawn { node, kind, id: String::new(), user, holds: None, begin }))
}

/// An order needs a domain in the node's configuration.
fn check_domain(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let config = cluster.store.get(&format!("/nodes/{}/config", call.args.need("node")));
    if config.is_some_and(|config| config.keys().any(|name| name.starts_with("acme"))) {
        return Ok(());
    }
    Err(Failure::die("no acme domain list in node configuration"))
}

fn order(cluster: &mut Cluster, call: &Call) -> Reply {
    check_domain(cluster, call)?;
    if cluster.store.has(&place(call)) && !call.args.flag("force") {
        return Err(Failure::param("force", "Custom certificate exists but 'force' is not set."));
    }
    let made = certificate(cluster, call.args.need("node"), "/C=US/O=Let's Encrypt/CN=R11", true);
    task(cluster, call, "acmenewcert", Some(made))
}

fn check_ordered(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    check_domain(cluster, call)?;
    if cluster.store.has(&place(call)) {
        Ok(())
    } else {
        Err(Failure::die("No current (custom) certificate found, please order a new certificate!"))
    }
}

fn renew(cluster: &mut Cluster, call: &Call) -> Reply {
    check_ordered(cluster, call)?;
    let made = certificate(cluster, call.args.need("node"), "/C=US/O=Let's Encrypt/CN=R11", true);
    task(cluster, call, "acmerenew", Some(made))
}

fn revoke(cluster: &mut Cluster, call: &Call) -> Reply {
    check_ordered(cluster, call)?;
    task(cluster, call, "acmerevoke", None)
}
