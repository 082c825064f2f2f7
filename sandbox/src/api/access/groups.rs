//! Groups. Who is a member stands with the users.

use serde_json::{Map, Value, json};

use super::acl::forget;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth::groups_of,
    cluster::Cluster,
    request::Call,
};

fn members(cluster: &Cluster, groupid: &str) -> Vec<String> {
    let users = cluster.store.list("/access/users").into_iter();
    let ids = users.filter_map(|user| Some(user.get("userid")?.as_str()?.to_owned()));
    ids.filter(|userid| groups_of(cluster, userid).iter().any(|group| group == groupid)).collect()
}

/// GET /access/groups
pub(super) fn list(cluster: &mut Cluster, _: &Call) -> Reply {
    let rows = cluster.store.list("/access/groups").into_iter().map(|mut row: Map<String, Value>| {
        let groupid = row.get("groupid").and_then(Value::as_str).unwrap_or_default().to_owned();
        row.insert("users".to_owned(), json!(members(cluster, &groupid).join(",")));
        Value::Object(row)
    });
    ok(rows.collect::<Value>())
}

/// GET /access/groups/{groupid}
pub(super) fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let groupid = call.args.need("groupid");
    let fields = cluster.store.get(&call.path);
    let fields = fields.ok_or_else(|| Failure::die(format!("group '{groupid}' does not exist")))?;
    let mut answer = json!({ "members": members(cluster, groupid) });
    if let Some(comment) = fields.get("comment") {
        answer["comment"] = comment.clone();
    }
    ok(answer)
}

/// DELETE /access/groups/{groupid}: its members and its roles forget it.
pub(super) fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let groupid = call.args.need("groupid").to_owned();
    let members = members(cluster, &groupid);
    if !cluster.store.remove(&call.path) {
        return Err(Failure::die(format!("delete group failed: group '{groupid}' does not exist")));
    }
    for userid in members {
        let groups: Vec<String> = groups_of(cluster, &userid).into_iter().filter(|group| *group != groupid).collect();
        if let Some(user) = cluster.store.get_mut(&format!("/access/users/{userid}")) {
            user.insert("groups".to_owned(), json!(groups.join(",")));
        }
    }
    forget(cluster, |entry| entry.get("type") == Some(&json!("group")) && entry.get("ugid") == Some(&json!(groupid)));
    done()
}
