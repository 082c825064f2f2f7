//! API tokens: made, changed, given another secret, deleted.

use serde_json::{Value, json};

use super::acl::forget;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth::bare,
    cluster::Cluster,
    request::Call,
};

/// POST /access/users/{userid}/token/{tokenid}: a new token, which works at once.
pub(super) fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let (userid, tokenid) = (call.args.need("userid").to_owned(), call.args.need("tokenid").to_owned());
    if !cluster.store.has(&format!("/access/users/{userid}")) {
        return Err(bare());
    }
    if cluster.store.has(&call.path) {
        return Err(Failure::param("tokenid", "Token already exists."));
    }
    let mut info = json!({ "privsep": call.args.text("privsep").map_or(json!(1), |text| json!(text)) });
    for name in ["comment", "expire"] {
        if let Some(text) = call.args.text(name) {
            info[name] = json!(text);
        }
    }
    let entry = json!({
        "privsep": u8::from(call.args.text("privsep") != Some("0")), "expire": call.args.number("expire").unwrap_or(0),
        "comment": call.args.text("comment"),
    });
    let value = add(cluster, &userid, &tokenid, entry);
    ok(json!({ "full-tokenid": format!("{userid}!{tokenid}"), "value": value, "info": info }))
}

/// Keeps a token and makes its secret.
pub(super) fn add(cluster: &mut Cluster, userid: &str, tokenid: &str, entry: Value) -> String {
    let parent = format!("/access/users/{userid}/token");
    cluster.store.put(&format!("{parent}/{tokenid}"), &parent, "tokenid", tokenid, entry);
    new_secret(cluster, &format!("{userid}!{tokenid}"))
}

fn new_secret(cluster: &mut Cluster, full: &str) -> String {
    let value = cluster.draw_uuid();
    cluster.secrets.insert(full.to_owned(), value.clone());
    value
}

fn unknown(call: &Call) -> Failure {
    let (userid, tokenid) = (call.args.need("userid"), call.args.need("tokenid"));
    Failure::die(format!("no such token '{tokenid}' for user '{userid}'"))
}

/// PUT /access/users/{userid}/token/{tokenid}: other fields, or another secret.
pub(super) fn change(cluster: &mut Cluster, call: &Call) -> Reply {
    let full = format!("{}!{}", call.args.need("userid"), call.args.need("tokenid"));
    let Some(fields) = cluster.store.get_mut(&call.path) else { return Err(unknown(call)) };
    for name in call.args.list("delete").iter().filter(|name| ["comment", "expire"].contains(&name.as_str())) {
        fields.remove(name);
    }
    for name in ["privsep", "expire"] {
        fields.extend(call.args.number(name).map(|number| (name.to_owned(), json!(number))));
    }
    fields.extend(call.args.text("comment").map(|text| ("comment".to_owned(), json!(text))));
    let mut answer = fields.clone();
    answer.remove("tokenid");
    if call.args.flag("regenerate") {
        let value = new_secret(cluster, &full);
        answer.insert("value".to_owned(), json!(value));
        answer.insert("full-tokenid".to_owned(), json!(full));
    }
    ok(Value::Object(answer))
}

/// DELETE /access/users/{userid}/token/{tokenid}
pub(super) fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let full = format!("{}!{}", call.args.need("userid"), call.args.need("tokenid"));
    if !cluster.store.remove(&call.path) {
        return Err(unknown(call));
    }
    cluster.secrets.remove(&full);
    forget(cluster, |entry| entry.get("ugid").and_then(Value::as_str) == Some(full.as_str()));
    done()
}
