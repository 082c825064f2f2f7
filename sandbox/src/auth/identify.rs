//! Who sends a request: API tokens, tickets, and the token against forged requests.
//!
//! Knows headers, secrets, and whether a user may come in at all; what he may do is in `rights`.

use proxmox_spec::{Kind, Method, Verb};
use serde_json::{Map, Value};

use super::tickets;
use crate::{answer::Failure, cluster::Cluster, dispatch::Head, request::decode};

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
        let user =
            tickets::user_of_ticket(cluster, &ticket).filter(|user| is_enabled(cluster, user)).ok_or_else(refused)?;
        let upload = method.is_some_and(|method| method.kind == Kind::Upload);
        let forged = || !head.csrf.as_deref().is_some_and(|csrf| tickets::csrf_is_good(cluster, &user, csrf));
        if verb != Verb::Get && !upload && forged() {
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
pub(super) fn is_enabled(cluster: &Cluster, userid: &str) -> bool {
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
