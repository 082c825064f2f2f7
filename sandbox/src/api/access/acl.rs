//! The access control list: which user, group or token has which role on which path.
//!
//! Knows how entries are kept and which paths they may stand on; what follows from them is in `auth`.

use serde_json::{Map, Value, json};

use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    request::Call,
};

const ACL: &str = "/access/acl";

/// GET /access/acl
pub(super) fn list(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(cluster.store.list(ACL).into_iter().map(Value::Object).collect::<Value>())
}

/// PUT /access/acl: gives roles, or takes them.
pub(super) fn change(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let given = args.need("path");
    let kinds = [("users", "user"), ("groups", "group"), ("tokens", "token")];
    if kinds.iter().all(|(name, _)| !args.has(name)) {
        let text = "either 'users', 'groups' or 'tokens' is required.";
        return Err(Failure::params(kinds.iter().map(|(name, _)| ((*name).to_owned(), text.to_owned()))));
    }
    let parts: Vec<&str> = given.split('/').filter(|part| !part.is_empty()).collect();
    if given.is_empty() || !(args.flag("delete") || is_path(&parts)) {
        return Err(Failure::param("path", format!("invalid ACL path '{given}'")));
    }
    let path = format!("/{}", parts.join("/"));
    let failed = |text: String| Failure::die(format!("ACL update failed: {text}"));
    for role in args.list("roles") {
        if !cluster.store.has(&format!("/access/roles/{role}")) {
            return Err(failed(format!("role '{role}' does not exist")));
        }
        for (name, kind) in kinds {
            for id in args.list(name) {
                check_known(cluster, kind, &id).map_err(failed)?;
                if args.flag("delete") {
                    cluster.store.remove(&entry(&path, kind, &id, &role));
                } else {
                    grant(cluster, kind, &id, &path, &role, args.text("propagate") != Some("0"));
                }
            }
        }
    }
    done()
}

fn check_known(cluster: &Cluster, kind: &str, id: &str) -> Result<(), String> {
    let (known, text) = match (kind, id.split_once('!')) {
        ("token", Some((user, token))) => (
            cluster.store.has(&format!("/access/users/{user}/token/{token}")),
            format!("no such token '{token}' for user '{user}'"),
        ),
        _ => (cluster.store.has(&format!("/access/{kind}s/{id}")), format!("{kind} '{id}' does not exist")),
    };
    if known { Ok(()) } else { Err(text) }
}

/// Where an entry is kept.
fn entry(path: &str, kind: &str, id: &str, role: &str) -> String {
    format!("{ACL}{path}#{kind}:{id}:{role}")
}

/// Gives a role; `kind` is `user`, `group` or `token`.
pub(crate) fn grant(cluster: &mut Cluster, kind: &str, id: &str, path: &str, role: &str, propagate: bool) {
    let fields = json!({ "path": path, "type": kind, "roleid": role, "propagate": u8::from(propagate) });
    cluster.store.put(&entry(path, kind, id, role), ACL, "ugid", id, fields);
}

/// Removes the entries that meet a condition.
pub(crate) fn forget(cluster: &mut Cluster, doomed: impl Fn(&Map<String, Value>) -> bool) {
    for fields in cluster.store.list(ACL).into_iter().filter(|fields| doomed(fields)) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        cluster.store.remove(&entry(text("path"), text("type"), text("ugid"), text("roleid")));
    }
}

/// What a path stands for is gone, and nobody has anything on it any more.
pub(crate) fn forget_path(cluster: &mut Cluster, path: &str) {
    forget(cluster, |entry| entry.get("path").and_then(Value::as_str) == Some(path));
}

/// The paths that entries may stand on.
fn is_path(parts: &[&str]) -> bool {
    let good = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if !parts.iter().all(good) {
        return false;
    }
    match parts {
        [] | ["access" | "mapping" | "nodes" | "pool" | "sdn" | "storage" | "vms"] => true,
        ["access", "groups" | "realm"] | ["access", "groups" | "realm", _] => true,
        ["nodes" | "storage", _] | ["mapping", ..] => parts.len() <= 3,
        ["pool", ..] => parts.len() <= 4,
        ["sdn", ..] => parts.len() <= 5,
        ["vms", vmid] => vmid.len() >= 3 && !vmid.starts_with('0') && vmid.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_on_known_paths_only() {
        let check = |path: &str| is_path(&path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>());
        for path in ["/", "/vms", "/vms/100", "/access/realm/pve", "/pool/a/b", "/sdn/zones/localnetwork/vmbr0/5"] {
            assert!(check(path), "{path}");
        }
        for path in ["/foo", "/vms/1", "/vms/100/x", "/access/foo", "/pool/a/b/c/d", "/storage/a b"] {
            assert!(!check(path), "{path}");
        }
    }
}
