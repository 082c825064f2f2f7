//! How the areas of the API speak of what is not there, and of what is there already.
//!
//! The texts that were seen in answers are so, the others follow the same pattern. Knows texts and paths only.

use crate::{answer::Failure, request::Call};

/// A refusal in which `{}` stands for the id.
#[derive(Clone, Copy)]
enum Text {
    /// 500.
    Die(&'static str),
    /// 400 on the parameter that holds the id.
    Param(&'static str),
    /// 404.
    Gone(&'static str),
}

use Text::{Die, Gone, Param};

/// A part of the path, the clash, the missing item when it is read or changed, the missing item when it is deleted.
const WORDS: [(&str, Text, Text, Text); 16] = [
    (
        "/access/groups",
        Die("create group failed: group '{}' already exists"),
        Die("group '{}' does not exist"),
        Die("group '{}' does not exist"),
    ),
    (
        "/access/roles",
        Die("create role failed: role '{}' already exists"),
        Die("role '{}' does not exist"),
        Die("delete role failed: role '{}' does not exist"),
    ),
    (
        "/access/domains",
        Die("domain '{}' already exists"),
        Die("domain '{}' does not exist"),
        Die("domain '{}' does not exist"),
    ),
    ("/access/users", Die("user '{}' already exists"), Die("no such user ('{}')"), Die("no such user ('{}')")),
    ("/mapping/", Die("mapping ID '{}' already defined"), Die("mapping '{}' not found"), Die("mapping '{}' not found")),
    (
        "/notifications/matchers",
        Die("matcher '{}' already exists"),
        Gone("matcher '{}' not found"),
        Gone("matcher '{}' not found"),
    ),
    (
        "/notifications/endpoints",
        Die("endpoint '{}' already exists"),
        Gone("endpoint '{}' not found"),
        Gone("endpoint '{}' not found"),
    ),
    (
        "/replication",
        Die("replication job '{}' already exists"),
        Die("no such replication job '{}'"),
        Die("no such replication job '{}'"),
    ),
    (
        "/metrics/server",
        Die("create server failed: '{}' already defined"),
        Die("status server entry '{}' does not exist"),
        Die("status server entry '{}' does not exist"),
    ),
    (
        "/ha/resources",
        Die("create resource failed: resource ID '{}' already defined"),
        Die("no such resource '{}'"),
        Die("cannot delete service '{}', not HA managed!"),
    ),
    ("/ha/rules", Die("HA rule '{}' already defined"), Die("no such ha rule '{}'"), Die("no such ha rule '{}'")),
    (
        "/sdn/zones",
        Die("create sdn zone object failed: sdn zone object ID '{}' already defined"),
        Die("sdn '{}' does not exist"),
        Die("delete sdn zone object failed: sdn '{}' does not exist"),
    ),
    (
        "/sdn/vnets",
        Die("create sdn vnet object failed: sdn vnet object ID '{}' already defined"),
        Die("sdn '{}' does not exist"),
        Die("delete sdn vnet object failed: sdn '{}' does not exist"),
    ),
    (
        "/sdn/",
        Die("create sdn object failed: sdn object ID '{}' already defined"),
        Die("sdn '{}' does not exist"),
        Die("sdn '{}' does not exist"),
    ),
    (
        "/acme/plugins",
        Die("ACME plugin ID '{}' already exists"),
        Die("ACME plugin ID '{}' not found"),
        Die("Plugin '{}' does not exist"),
    ),
    (
        "/network",
        Param("interface already exists"),
        Param("interface does not exist"),
        Param("interface does not exist"),
    ),
];

fn words(call: &Call) -> Option<(Text, Text, Text)> {
    let line = WORDS.iter().find(|(part, ..)| call.path.contains(part))?;
    Some((line.1, line.2, line.3))
}

fn failure(text: Text, key: &str, id: &str) -> Failure {
    match text {
        Die(text) => Failure::die(text.replace("{}", id)),
        Param(text) => Failure::param(key, text.replace("{}", id)),
        Gone(text) => Failure::json(404, format!("{}\n", text.replace("{}", id))),
    }
}

/// The id is taken.
pub(crate) fn clash(call: &Call, key: &str, id: &str) -> Failure {
    match words(call) {
        Some((text, ..)) => failure(text, key, id),
        None => Failure::die(format!("{key} '{id}' already exists")),
    }
}

/// The item that the path names is not there.
pub(crate) fn missing(call: &Call) -> Failure {
    let name = super::last_param(call.method).unwrap_or("entry");
    let id = call.args.need(name);
    if name == "tokenid" {
        return Failure::die(format!("no such token '{id}' for user '{}'", call.args.need("userid")));
    }
    let removing = call.method.verb == proxmox_spec::Verb::Delete;
    match words(call) {
        Some((_, read, delete)) => failure(if removing { delete } else { read }, name, id),
        None => Failure::die(format!("{name} '{id}' does not exist")),
    }
}
