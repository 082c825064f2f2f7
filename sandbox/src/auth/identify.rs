//! Who sends a request: API tokens, tickets, and the token against forged requests.
//!
//! Knows headers, secrets, and whether a user may come in at all; what he may do is in `rights`.

use proxmox_spec::{Kind, Method, Verb};
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::rights::Rights;
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    dispatch::Head,
    guest::hex,
    request::{Call, decode},
};

/// Finds out who sends a request: `user@realm`, `user@realm!token`, or nothing where the method answers anybody.
pub(crate) fn identify(
    cluster: &Cluster,
    head: &Head,
    verb: Verb,
    method: Option<&'static Method>,
) -> Result<String, Failure> {
    let token = head.authorization.as_deref().and_then(|value| value.strip_prefix("PVEAPIToken"));
    if method.is_some_and(|method| method.permissions.user == Some("world")) {
        // Nobody is asked who he is here; that a token came along is seen all the same.
        return Ok(if token.is_some() { "!".to_owned() } else { String::new() });
    }
    let refused = || Failure::empty(401, "Authentication failed!");
    if let Some(ticket) = ticket_in(head) {
        let user = user_of_ticket(cluster, &ticket).filter(|user| is_enabled(cluster, user)).ok_or_else(refused)?;
        let upload = method.is_some_and(|method| method.kind == Kind::Upload);
        if verb != Verb::Get && !upload && head.csrf.as_deref() != Some(&csrf_of(cluster, &user)) {
            return Err(Failure::empty(401, "Permission denied - invalid csrf token"));
        }
        return Ok(user);
    }
    let Some(token) = token else { return Err(Failure::empty(401, "No ticket")) };
    if !token.starts_with(['=', ' ']) {
        return Err(refused());
    }
    let value = decode(token[1..].split(';').next().unwrap_or_default());
    let (id, secret) = value.split_once('=').ok_or_else(refused)?;
    let known = cluster.secrets.get(id).is_some_and(|known| known == secret);
    if known && token_lives(cluster, id) { Ok(id.to_owned()) } else { Err(refused()) }
}

/// A ticket: in the cookie, which goes before everything else, or in `Authorization`.
fn ticket_in(head: &Head) -> Option<String> {
    let cookie = head.cookie.as_deref().and_then(|cookies| {
        cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie=")).map(decode)
    });
    let of_header = || {
        let value = head.authorization.as_deref()?;
        value.strip_prefix("PVEAuthCookie=").or_else(|| value.strip_prefix("PVEAuthCookie ")).map(decode)
    };
    cookie.or_else(of_header)
}

/// The user exists, is enabled, and has not expired.
fn is_enabled(cluster: &Cluster, userid: &str) -> bool {
    let user = cluster.store.get(&format!("/access/users/{userid}"));
    user.is_some_and(|user| user.get("enable").and_then(Value::as_i64) != Some(0) && !is_over(cluster, user))
}

fn token_lives(cluster: &Cluster, id: &str) -> bool {
    let Some((user, token)) = id.split_once('!') else { return false };
    let entry = cluster.store.get(&format!("/access/users/{user}/token/{token}"));
    is_enabled(cluster, user) && entry.is_some_and(|entry| !is_over(cluster, entry))
}

/// `expire` lies in the past of the cluster's clock; 0 = never.
fn is_over(cluster: &Cluster, entry: &Map<String, Value>) -> bool {
    let end = entry.get("expire").and_then(Value::as_i64).unwrap_or(0);
    end != 0 && end < cluster.clock.seconds()
}

/// POST /access/ticket: a login, or the renewal of a ticket.
pub(crate) fn log_in(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("username");
    let full = match call.args.text("realm") {
        Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
        _ => name.to_owned(),
    };
    let given = call.args.need("password");
    let known = cluster.passwords.get(&full).is_some_and(|password| password == given);
    let renewed = || user_of_ticket(cluster, given).is_some_and(|user| user == full);
    if !is_enabled(cluster, &full) || !(known || renewed()) {
        return Err(Failure::json(401, "authentication failure\n".to_owned()));
    }
    let rights = Rights::of(cluster, &full);
    let mut answer = json!({
        "username": full, "ticket": ticket_of(cluster, &full), "CSRFPreventionToken": csrf_of(cluster, &full),
        "cap": capabilities(cluster, &rights),
    });
    if !cluster.standalone && rights.has("/", &["Sys.Audit"]) {
        answer["clustername"] = json!("sandbox");
    }
    ok(answer)
}

/// What a user may do anywhere, by area: for showing or hiding buttons, not for checks.
fn capabilities(cluster: &Cluster, rights: &Rights) -> Value {
    const AREAS: [(&str, &[&str]); 7] = [
        ("vms", &["VM.", "Permissions.Modify"]),
        ("access", &["User.", "Group.", "Permissions.Modify"]),
        ("storage", &["Datastore.", "Permissions.Modify"]),
        ("nodes", &["Sys.", "Permissions.Modify"]),
        ("sdn", &["SDN.", "Permissions.Modify"]),
        ("dc", &["Sys.Audit", "Sys.Modify", "SDN."]),
        ("mapping", &["Mapping.", "Permissions.Modify"]),
    ];
    let mut areas: Map<String, Value> = AREAS.iter().map(|(area, _)| ((*area).to_owned(), json!({}))).collect();
    let mut paths: Vec<String> =
        ["/", "/nodes", "/access/groups", "/vms", "/storage", "/sdn", "/mapping"].map(str::to_owned).to_vec();
    paths.extend(listed_paths(cluster));
    for path in paths {
        let top = path.split('/').nth(1).filter(|top| !top.is_empty()).unwrap_or("dc");
        for name in rights.on(&path).into_keys() {
            for (area, starts) in AREAS {
                let through_pool = top == "pool" && matches!(area, "vms" | "storage");
                if (area == top || through_pool) && starts.iter().any(|start| name.starts_with(start)) {
                    areas[area][&name] = json!(1);
                }
            }
        }
    }
    Value::Object(areas)
}

/// The paths that the access control list speaks of.
pub(crate) fn listed_paths(cluster: &Cluster) -> Vec<String> {
    let entries = cluster.store.list("/access/acl").into_iter();
    entries.filter_map(|entry| Some(entry.get("path")?.as_str()?.to_owned())).collect()
}

/// A ticket holds its user and a seal over him.
fn ticket_of(cluster: &Cluster, userid: &str) -> String {
    format!("PVE:{userid}:69051F00::{}", seal(cluster, "ticket", userid))
}

fn user_of_ticket(cluster: &Cluster, ticket: &str) -> Option<String> {
    let userid = ticket.strip_prefix("PVE:")?.split(':').next()?;
    (ticket == ticket_of(cluster, userid)).then(|| userid.to_owned())
}

fn csrf_of(cluster: &Cluster, userid: &str) -> String {
    format!("69051F00:{}", seal(cluster, "csrf", userid))
}

fn seal(cluster: &Cluster, what: &str, userid: &str) -> String {
    hex(&Sha1::digest(format!("{what}/{userid}/{}", cluster.key)))
}
