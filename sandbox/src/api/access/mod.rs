//! Access: logging in, passwords, effective permissions; users, tokens, second factors, groups, roles and the list of
//! who has which role where stand in files of their own.
//!
//! Knows how these things are kept: as items of the store, below `/access`. What they mean for a request is in `auth`.

mod acl;
mod groups;
mod roles;
mod tfa;
mod tokens;
mod users;

use std::collections::BTreeSet;

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth::{self, Rights, bare, listed_paths},
    cluster::Cluster,
    request::Call,
};

pub(crate) use acl::forget_path;

/// A token for a test: makes the user where there is none. The entries are the token's own if it is separate from its
/// user, and the user's otherwise. Answers the secret.
pub(crate) fn add_token(
    cluster: &mut Cluster,
    userid: &str,
    tokenid: &str,
    separate: bool,
    entries: &[(&str, &str, bool)],
) -> String {
    if !cluster.store.has(&format!("/access/users/{userid}")) {
        users::add(cluster, userid);
    }
    let secret = tokens::add(cluster, userid, tokenid, json!({ "privsep": u8::from(separate), "expire": 0 }));
    let full = format!("{userid}!{tokenid}");
    let (kind, id) = if separate { ("token", full.as_str()) } else { ("user", userid) };
    for (path, role, propagate) in entries {
        acl::grant(cluster, kind, id, path, role, *propagate);
    }
    secret
}

/// A role for a test: `who` is a user, a token (`user@realm!token`), or a group (`@name`).
pub(crate) fn grant(cluster: &mut Cluster, who: &str, path: &str, role: &str, propagate: bool) {
    let (kind, id) = match who.strip_prefix('@') {
        Some(group) => ("group", group),
        None if who.contains('!') => ("token", who),
        None => ("user", who),
    };
    acl::grant(cluster, kind, id, path, role, propagate);
}

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/access/ticket", nothing),
    (Verb::Post, "/access/ticket", auth::log_in),
    (Verb::Put, "/access/password", change_password),
    (Verb::Get, "/access/permissions", permissions),
    (Verb::Get, "/access/users", users::list),
    (Verb::Post, "/access/users", users::create),
    (Verb::Get, "/access/users/{userid}", users::read),
    (Verb::Put, "/access/users/{userid}", users::change),
    (Verb::Delete, "/access/users/{userid}", users::delete),
    (Verb::Post, "/access/users/{userid}/token/{tokenid}", tokens::create),
    (Verb::Put, "/access/users/{userid}/token/{tokenid}", tokens::change),
    (Verb::Delete, "/access/users/{userid}/token/{tokenid}", tokens::delete),
    (Verb::Get, "/access/users/{userid}/tfa", tfa::kinds),
    (Verb::Put, "/access/users/{userid}/unlock-tfa", tfa::unlock),
    (Verb::Get, "/access/tfa", tfa::list_all),
    (Verb::Get, "/access/tfa/{userid}", tfa::list),
    (Verb::Post, "/access/tfa/{userid}", tfa::add),
    (Verb::Get, "/access/tfa/{userid}/{id}", tfa::read),
    (Verb::Put, "/access/tfa/{userid}/{id}", tfa::change),
    (Verb::Delete, "/access/tfa/{userid}/{id}", tfa::delete),
    (Verb::Get, "/access/groups", groups::list),
    (Verb::Get, "/access/groups/{groupid}", groups::read),
    (Verb::Delete, "/access/groups/{groupid}", groups::delete),
    (Verb::Post, "/access/roles", roles::create),
    (Verb::Get, "/access/roles/{roleid}", roles::read),
    (Verb::Put, "/access/roles/{roleid}", roles::change),
    (Verb::Delete, "/access/roles/{roleid}", roles::delete),
    (Verb::Get, "/access/acl", acl::list),
    (Verb::Put, "/access/acl", acl::change),
];

fn nothing(_: &mut Cluster, _: &Call) -> Reply {
    done()
}

/// Nobody but root changes how root gets in, and everybody else shows a password again before a change of that kind.
fn confirm(cluster: &Cluster, call: &Call, param: &str) -> Result<(), Failure> {
    let userid = call.args.need("userid");
    if !cluster.store.has(&format!("/access/users/{userid}")) {
        return Err(Failure::die(format!("no such user ('{userid}')")));
    }
    if call.rights.of_root() {
        return Ok(());
    }
    if userid == "root@pam" {
        return Err(bare());
    }
    let Some(given) = call.args.text(param) else {
        return Err(Failure::param(param, "password is required to modify user"));
    };
    match cluster.passwords.get(&call.user) {
        Some(password) if password == given => Ok(()),
        _ => Err(auth::wrong_password()),
    }
}

/// PUT /access/password: one's own, or another's with one's own as a confirmation. Those of the system are root's.
fn change_password(cluster: &mut Cluster, call: &Call) -> Reply {
    let userid = call.args.need("userid");
    confirm(cluster, call, "confirmation-password")?;
    if !call.rights.of_root() && call.user != userid && userid.ends_with("@pam") {
        return Err(bare());
    }
    cluster.passwords.insert(userid.to_owned(), call.args.need("password").to_owned());
    done()
}

/// GET /access/permissions: one's own, those of one's own tokens, or anybody's with `Sys.Audit` on `/access`.
fn permissions(cluster: &mut Cluster, call: &Call) -> Reply {
    let userid = call.args.text("userid").unwrap_or(&call.user);
    let owned = userid == call.user || userid.split_once('!').is_some_and(|(user, _)| user == call.user);
    if !owned {
        call.rights.check("/access", &["Sys.Audit"])?;
    }
    let rights = Rights::of(cluster, userid);
    let on = |path: &str| -> Value {
        rights.on(path).into_iter().map(|(name, propagate)| (name, json!(u8::from(propagate)))).collect()
    };
    if let Some(path) = call.args.text("path") {
        return ok(json!({ path: on(path) }));
    }
    let top = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
    let mut paths: BTreeSet<String> = top.map(str::to_owned).into();
    paths.extend(listed_paths(cluster));
    for pool in cluster.pools.values() {
        paths.extend(pool.guests.iter().map(|vmid| format!("/vms/{vmid}")));
        paths.extend(pool.storages.iter().map(|storage| format!("/storage/{storage}")));
    }
    let all = paths.into_iter().map(|path| (on(&path), path));
    ok(all.filter(|(here, _)| *here != json!({})).map(|(here, path)| (path, here)).collect::<Value>())
}
