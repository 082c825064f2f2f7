//! Who sends a request, and whether the facts let such a user call the method.
//!
//! Knows tokens, tickets and the CSRF token. Every user of the sandbox may do everything that a token can do at all.

use proxmox_spec::{Method, Verb};
use serde_json::json;
use sha1::{Digest, Sha1};

use crate::{
    Shared, USER,
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    dispatch::Head,
    guest::hex,
    lock,
    request::{Call, decode},
};

/// Paths that answer without authentication, with the method.
const OPEN: [(Verb, &str); 5] = [
    (Verb::Get, "/access/domains"),
    (Verb::Get, "/access/ticket"),
    (Verb::Post, "/access/ticket"),
    (Verb::Post, "/access/openid/auth-url"),
    (Verb::Post, "/access/openid/login"),
];

/// Finds out who sends a request.
pub(crate) fn identify(
    shared: &Shared,
    head: &Head,
    verb: Verb,
    method: Option<&'static Method>,
) -> Result<String, Failure> {
    let refused = || Failure::empty(401, "Authentication failed!");
    let cookie = head.cookie.as_deref().and_then(|cookies| {
        cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie=")).map(decode)
    });
    let of_header = head.authorization.as_deref().and_then(|value| {
        value.strip_prefix("PVEAuthCookie=").or_else(|| value.strip_prefix("PVEAuthCookie ")).map(decode)
    });
    if let Some(ticket) = cookie.or(of_header) {
        if ticket != ticket_of(&shared.password) {
            return Err(refused());
        }
        let upload = method.is_some_and(|method| method.kind == proxmox_spec::Kind::Upload);
        if verb != Verb::Get && !upload && head.csrf.as_deref() != Some(&csrf_of(&shared.password)) {
            return Err(Failure::empty(401, "Permission denied - invalid csrf token"));
        }
        return Ok(USER.to_owned());
    }
    let token = head.authorization.as_deref().and_then(|value| value.strip_prefix("PVEAPIToken"));
    match token {
        Some(rest) if rest.starts_with(['=', ' ']) => {
            let value = decode(rest[1..].split(';').next().unwrap_or_default());
            let (id, secret) = value.split_once('=').ok_or_else(refused)?;
            let known = lock(&shared.cluster).secrets.get(id).is_some_and(|known| known == secret);
            if known { Ok(id.to_owned()) } else { Err(refused()) }
        }
        Some(_) => Err(refused()),
        None if method.is_some_and(|method| OPEN.contains(&(method.verb, method.path))) => Ok(String::new()),
        None => Err(Failure::empty(401, "No ticket")),
    }
}

/// What the facts forbid to every token, and to everybody but root@pam.
pub(crate) fn permit(method: &Method, user: &str, path: &str) -> Result<(), Failure> {
    if !method.allow_token && user.contains('!') {
        return Err(Failure::forbidden(&format!("URI '{path}' not available with API token, need proper ticket.\n")));
    }
    let open = OPEN.contains(&(method.verb, method.path));
    if method.permissions.root_only && !open {
        return Err(Failure::forbidden("user != root@pam"));
    }
    Ok(())
}

/// POST /access/ticket: a login, or the renewal of a ticket.
pub(crate) fn log_in(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("username");
    let full = match call.args.text("realm") {
        Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
        _ => name.to_owned(),
    };
    let password = call.args.need("password");
    if full != USER || (password != cluster.password && password != ticket_of(&cluster.password)) {
        return Err(Failure::json(401, "authentication failure\n".to_owned()));
    }
    ok(json!({
        "username": USER, "ticket": ticket_of(&cluster.password), "CSRFPreventionToken": csrf_of(&cluster.password), "clustername": "sandbox",
        "cap": { "vms": { "VM.Audit": 1, "VM.PowerMgmt": 1 }, "nodes": { "Sys.Audit": 1 }, "dc": { "Sys.Audit": 1 } },
    }))
}

fn ticket_of(password: &str) -> String {
    format!("PVE:{USER}:69051F00::{}", hex(&Sha1::digest(format!("ticket/{password}"))))
}

fn csrf_of(password: &str) -> String {
    format!("69051F00:{}", hex(&Sha1::digest(format!("csrf/{password}"))))
}

/// POST /access/users/{userid}/token/{tokenid}: a new token, which works at once.
pub(crate) fn new_token(cluster: &mut Cluster, call: &Call) -> Reply {
    let (userid, tokenid) = (call.args.need("userid").to_owned(), call.args.need("tokenid").to_owned());
    if !cluster.store.has(&format!("/access/users/{userid}")) {
        return Err(Failure::json(403, "Permission check failed\n".to_owned()));
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
    let privsep = call.args.text("privsep") != Some("0");
    let entry = json!({
        "privsep": u8::from(privsep), "expire": call.args.number("expire").unwrap_or(0),
        "comment": call.args.text("comment"),
    });
    cluster.store.put(&call.path, &format!("/access/users/{userid}/token"), "tokenid", &tokenid, entry);
    let value = cluster.draw_uuid();
    let full = format!("{userid}!{tokenid}");
    cluster.secrets.insert(full.clone(), value.clone());
    ok(json!({ "full-tokenid": full, "value": value, "info": info }))
}

/// PUT /access/users/{userid}/token/{tokenid}: other fields, or another secret.
pub(crate) fn change_token(cluster: &mut Cluster, call: &Call) -> Reply {
    let (userid, tokenid) = (call.args.need("userid"), call.args.need("tokenid"));
    let full = format!("{userid}!{tokenid}");
    let Some(fields) = cluster.store.get_mut(&call.path) else {
        return Err(Failure::die(format!("no such token '{tokenid}' for user '{userid}'")));
    };
    for name in ["privsep", "expire"] {
        fields.extend(call.args.number(name).map(|number| (name.to_owned(), json!(number))));
    }
    fields.extend(call.args.text("comment").map(|text| ("comment".to_owned(), json!(text))));
    let mut answer = fields.clone();
    answer.remove("tokenid");
    if call.args.flag("regenerate") {
        let value = cluster.draw_uuid();
        cluster.secrets.insert(full.clone(), value.clone());
        answer.insert("value".to_owned(), json!(value));
        answer.insert("full-tokenid".to_owned(), json!(full));
    }
    ok(serde_json::Value::Object(answer))
}

/// DELETE /access/users/{userid}/token/{tokenid}
pub(crate) fn drop_token(cluster: &mut Cluster, call: &Call) -> Reply {
    let (userid, tokenid) = (call.args.need("userid"), call.args.need("tokenid"));
    if !cluster.store.remove(&call.path) {
        return Err(Failure::die(format!("no such token '{tokenid}' for user '{userid}'")));
    }
    cluster.secrets.remove(&format!("{userid}!{tokenid}"));
    crate::answer::done()
}
