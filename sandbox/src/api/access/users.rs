//! Users: fields, groups, passwords.

use serde_json::{Map, Value, json};

use super::acl::forget;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth::groups_of,
    cluster::Cluster,
    request::Call,
};

const USERS: &str = "/access/users";

/// The fields that a caller may write.
const TEXTS: [&str; 5] = ["comment", "email", "firstname", "lastname", "keys"];

/// GET /access/users
pub(super) fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let full = call.args.flag("full");
    let mut rows = cluster.store.list(USERS);
    if let Some(enabled) = call.args.text("enabled") {
        rows.retain(|row| row.get("enable").and_then(Value::as_i64) == enabled.parse().ok());
    }
    for row in &mut rows {
        let groups = row.remove("groups");
        if full {
            let userid = row.get("userid").and_then(Value::as_str).unwrap_or_default();
            let tokens = cluster.store.list(&format!("{USERS}/{userid}/token"));
            row.insert("tokens".to_owned(), if tokens.is_empty() { Value::Null } else { json!(tokens) });
            row.insert("groups".to_owned(), groups.unwrap_or(json!("")));
        }
    }
    ok(rows.into_iter().map(Value::Object).collect::<Value>())
}

/// POST /access/users
pub(super) fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let userid = args.need("userid");
    let failed = |text: String| Failure::die(format!("create user failed: {text}"));
    if cluster.store.has(&format!("{USERS}/{userid}")) {
        return Err(failed(format!("user '{userid}' already exists")));
    }
    check_groups(cluster, call).map_err(failed)?;
    if let Some(password) = args.text("password") {
        cluster.passwords.insert(userid.to_owned(), password.to_owned());
    }
    add(cluster, userid);
    write(cluster, call, args.list("groups"));
    done()
}

/// A new user with no rights at all.
pub(super) fn add(cluster: &mut Cluster, userid: &str) {
    let realm = userid.rsplit('@').next().unwrap_or_default();
    let kind = cluster.store.get(&format!("/access/domains/{realm}")).and_then(|domain| domain.get("type").cloned());
    let fields = json!({ "enable": 1, "expire": 0, "realm-type": kind });
    cluster.store.put(&format!("{USERS}/{userid}"), USERS, "userid", userid, fields);
}

fn check_groups(cluster: &Cluster, call: &Call) -> Result<(), String> {
    let groups = call.args.list("groups");
    let unknown = groups.iter().find(|id| !cluster.store.has(&format!("/access/groups/{id}")));
    unknown.map_or(Ok(()), |group| Err(format!("no such group '{group}'")))
}

/// Writes the given fields of a user that exists.
fn write(cluster: &mut Cluster, call: &Call, groups: Vec<String>) {
    let args = &call.args;
    let Some(fields) = cluster.store.get_mut(&format!("{USERS}/{}", args.need("userid"))) else { return };
    for name in ["enable", "expire"] {
        fields.extend(args.number(name).map(|number| (name.to_owned(), json!(number))));
    }
    for name in TEXTS.into_iter().filter(|name| call.method.param(name).is_some_and(|param| !param.secret)) {
        fields.extend(args.text(name).map(|text| (name.to_owned(), json!(text))));
    }
    if groups.is_empty() {
        fields.remove("groups");
    } else {
        fields.insert("groups".to_owned(), json!(groups.join(",")));
    }
}

/// GET /access/users/{userid}
pub(super) fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let Some(fields) = cluster.store.get(&call.path) else { return Err(unknown(call.args.need("userid"))) };
    let mut answer = fields.clone();
    answer.remove("userid");
    answer.remove("realm-type");
    answer.insert("groups".to_owned(), json!(groups_of(cluster, call.args.need("userid"))));
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

fn unknown(userid: &str) -> Failure {
    Failure::die(match userid.contains('@') {
        true => format!("no such user ('{userid}')"),
        false => format!("value '{userid}' does not look like a valid user name"),
    })
}

/// PUT /access/users/{userid}
pub(super) fn change(cluster: &mut Cluster, call: &Call) -> Reply {
    let userid = call.args.need("userid");
    if !cluster.store.has(&call.path) {
        return Err(unknown(userid));
    }
    check_groups(cluster, call).map_err(|text| Failure::die(format!("update user failed: {text}")))?;
    let mut groups = groups_of(cluster, userid);
    if call.args.has("groups") {
        if !call.args.flag("append") {
            groups.clear();
        }
        groups.extend(call.args.list("groups"));
        groups.sort();
        groups.dedup();
    }
    write(cluster, call, groups);
    done()
}

/// DELETE /access/users/{userid}: the tokens and all roles of both go with the user.
pub(super) fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let userid = call.args.need("userid").to_owned();
    if !cluster.store.remove(&call.path) {
        return Err(unknown(&userid));
    }
    let of_user = format!("{userid}!");
    cluster.passwords.remove(&userid);
    cluster.factors.remove(&userid);
    cluster.secrets.retain(|id, _| !id.starts_with(&of_user));
    forget(cluster, |entry| {
        let id = entry.get("ugid").and_then(Value::as_str).unwrap_or_default();
        id == userid || id.starts_with(&of_user)
    });
    done()
}
