//! Access: logging in, tokens, permissions, the access control list. Users, groups and roles are stored generically.

use proxmox_spec::{Verb, methods};
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth,
    cluster::Cluster,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/access/ticket", nothing),
    (Verb::Post, "/access/ticket", auth::log_in),
    (Verb::Post, "/access/users/{userid}/token/{tokenid}", auth::new_token),
    (Verb::Put, "/access/users/{userid}/token/{tokenid}", auth::change_token),
    (Verb::Delete, "/access/users/{userid}/token/{tokenid}", auth::drop_token),
    (Verb::Post, "/access/users", create_user),
    (Verb::Get, "/access/users/{userid}", user),
    (Verb::Get, "/access/roles/{roleid}", role),
    (Verb::Put, "/access/roles/{roleid}", change_role),
    (Verb::Get, "/access/groups/{groupid}", group),
    (Verb::Get, "/access/permissions", permissions),
    (Verb::Get, "/access/acl", acl),
    (Verb::Put, "/access/acl", set_acl),
];

/// Where the entries of the access control list are kept.
const ACL: &str = "/access/acl";

fn nothing(_: &mut Cluster, _: &Call) -> Reply {
    done()
}

fn create_user(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let userid = args.need("userid");
    let failed = |text: String| Failure::die(format!("create user failed: {text}"));
    if cluster.store.has(&format!("/access/users/{userid}")) {
        return Err(failed(format!("user '{userid}' already exists")));
    }
    if let Some(group) = args.list("groups").iter().find(|id| !cluster.store.has(&format!("/access/groups/{id}"))) {
        return Err(failed(format!("no such group '{group}'")));
    }
    let realm = userid.rsplit('@').next().unwrap_or_default();
    let mut fields = json!({
        "enable": u8::from(args.text("enable") != Some("0")), "expire": args.number("expire").unwrap_or(0),
        "realm-type": if realm == "pam" { "pam" } else { "pve" },
    });
    for name in ["comment", "email", "firstname", "lastname", "groups", "keys"] {
        if let Some(text) = args.text(name).filter(|_| call.method.param(name).is_some_and(|param| !param.secret)) {
            fields[name] = json!(text);
        }
    }
    cluster.store.put(&format!("/access/users/{userid}"), "/access/users", "userid", userid, fields);
    done()
}

fn user(cluster: &mut Cluster, call: &Call) -> Reply {
    let userid = call.args.need("userid");
    let Some(fields) = cluster.store.get(&call.path) else {
        return Err(Failure::die(match userid.contains('@') {
            true => format!("no such user ('{userid}')"),
            false => format!("value '{userid}' does not look like a valid user name"),
        }));
    };
    let mut answer = fields.clone();
    answer.remove("userid");
    answer.remove("realm-type");
    let groups = answer.remove("groups");
    let groups = groups.as_ref().and_then(Value::as_str).map(crate::request::split_list).unwrap_or_default();
    answer.insert("groups".to_owned(), json!(groups));
    let tokens: Map<String, Value> = cluster
        .store
        .list(&format!("{}/token", call.path))
        .into_iter()
        .filter_map(|mut token| {
            let name = token.remove("tokenid")?.as_str()?.to_owned();
            Some((name, Value::Object(token)))
        })
        .collect();
    answer.insert("tokens".to_owned(), if tokens.is_empty() { Value::Null } else { Value::Object(tokens) });
    ok(Value::Object(answer))
}

fn role(cluster: &mut Cluster, call: &Call) -> Reply {
    let roleid = call.args.need("roleid");
    let fields = cluster.store.get(&call.path);
    let fields = fields.ok_or_else(|| Failure::die(format!("role '{roleid}' does not exist")))?;
    let privileges = fields.get("privs").and_then(Value::as_str).map(crate::request::split_list).unwrap_or_default();
    ok(Value::Object(privileges.into_iter().map(|privilege| (privilege, json!(1))).collect()))
}

fn change_role(cluster: &mut Cluster, call: &Call) -> Reply {
    let roleid = call.args.need("roleid");
    let Some(fields) = cluster.store.get_mut(&call.path) else {
        return Err(Failure::die(format!("role '{roleid}' does not exist")));
    };
    let mut privileges = call.args.list("privs");
    if call.args.flag("append") {
        let before = fields.get("privs").and_then(Value::as_str).map(crate::request::split_list);
        privileges.extend(before.unwrap_or_default());
        privileges.sort();
        privileges.dedup();
    }
    fields.insert("privs".to_owned(), json!(privileges.join(",")));
    done()
}

fn group(cluster: &mut Cluster, call: &Call) -> Reply {
    let groupid = call.args.need("groupid");
    let fields = cluster.store.get(&call.path);
    let fields = fields.ok_or_else(|| Failure::die(format!("group '{groupid}' does not exist")))?;
    let belongs = |user: &Map<String, Value>| {
        let groups = user.get("groups").and_then(Value::as_str).map(crate::request::split_list);
        groups.unwrap_or_default().iter().any(|id| id == groupid)
    };
    let users = cluster.store.list("/access/users").into_iter().filter(belongs);
    let members: Vec<Value> = users.filter_map(|user| user.get("userid").cloned()).collect();
    let mut answer = json!({ "members": members });
    if let Some(comment) = fields.get("comment") {
        answer["comment"] = comment.clone();
    }
    ok(answer)
}

/// Every privilege that the facts name: the token may do everything.
fn permissions(_: &mut Cluster, call: &Call) -> Reply {
    let mut all = Map::new();
    for privilege in methods().iter().flat_map(|method| method.permissions.privileges) {
        all.insert((*privilege).to_owned(), json!(1));
    }
    match call.args.text("path") {
        Some(path) => ok(json!({ path: all })),
        None => {
            let paths = ["/", "/access", "/nodes", "/pool", "/storage", "/vms"];
            ok(Value::Object(paths.iter().map(|path| ((*path).to_owned(), json!(all))).collect()))
        }
    }
}

fn acl(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(cluster.store.list(ACL).into_iter().map(Value::Object).collect::<Value>())
}

fn set_acl(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let path = args.need("path");
    let first = path.split('/').nth(1).unwrap_or_default();
    if !["", "access", "mapping", "nodes", "pool", "sdn", "storage", "vms"].contains(&first) {
        return Err(Failure::param("path", format!("invalid ACL path '{path}'")));
    }
    let kinds = [("users", "user"), ("groups", "group"), ("tokens", "token")];
    if kinds.iter().all(|(name, _)| !args.has(name)) {
        let text = "either 'users', 'groups' or 'tokens' is required.";
        return Err(Failure::params(kinds.iter().map(|(name, _)| ((*name).to_owned(), text.to_owned()))));
    }
    let failed = |text: String| Failure::die(format!("ACL update failed: {text}"));
    for role in args.list("roles") {
        if !cluster.store.has(&format!("/access/roles/{role}")) {
            return Err(failed(format!("role '{role}' does not exist")));
        }
        for (name, kind) in kinds {
            for id in args.list(name) {
                let known = match (kind, id.split_once('!')) {
                    ("user", _) => cluster.store.has(&format!("/access/users/{id}")),
                    ("group", _) => cluster.store.has(&format!("/access/groups/{id}")),
                    (_, Some((user, token))) => cluster.store.has(&format!("/access/users/{user}/token/{token}")),
                    _ => false,
                };
                if !known {
                    return Err(failed(match id.split_once('!') {
                        Some((user, token)) => format!("no such token '{token}' for user '{user}'"),
                        None => format!("{kind} '{id}' does not exist"),
                    }));
                }
                let entry = format!("{ACL}{path}#{kind}:{id}:{role}");
                if args.flag("delete") {
                    cluster.store.remove(&entry);
                } else {
                    let propagate = u8::from(args.text("propagate") != Some("0"));
                    let fields = json!({ "path": path, "type": kind, "roleid": role, "propagate": propagate });
                    cluster.store.put(&entry, ACL, "ugid", &id, fields);
                }
            }
        }
    }
    done()
}
