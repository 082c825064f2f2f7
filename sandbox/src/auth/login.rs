//! Logging in: a password, a ticket to be renewed, a second factor; and what a login answers.
//!
//! Knows who may come in. How tickets are written is in `tickets`, what a second factor accepts in `factors`.
//! Source: pve-access-control `API2/AccessControl.pm` and `AccessControl.pm`.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{
    identify::is_enabled,
    rights::{ROOT, Rights},
    tickets,
};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    factors::Instants,
    request::{Args, Call},
};

/// How a login ends that goes well.
enum Entry {
    /// Nothing was asked for but whether it would go well.
    Verified,
    Complete,
    /// The password was right; the challenge tells which second factors there are.
    Half(String),
}

/// POST /access/ticket: a login, the second half of one, or the renewal of a ticket. Whatever is wrong, the answer is
/// the same, so that nobody learns who exists.
pub(crate) fn log_in(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("username");
    let userid = call.args.text("realm").map_or_else(|| name.to_owned(), |realm| format!("{name}@{realm}"));
    let entry = if is_enabled(cluster, &userid) { enter(cluster, &userid, &call.args) } else { None };
    let Some(entry) = entry else { return Err(wrong_password()) };
    let rights = Rights::of(cluster, &userid);
    let mut answer = json!({ "username": userid });
    match &entry {
        Entry::Verified => {}
        Entry::Complete => {
            answer["ticket"] = json!(tickets::ticket_of(cluster, &userid));
            answer["CSRFPreventionToken"] = json!(tickets::csrf_of(cluster, &userid));
        }
        Entry::Half(challenge) => {
            answer["ticket"] = json!(tickets::half_ticket_of(cluster, &userid, challenge));
            answer["CSRFPreventionToken"] = json!(tickets::csrf_of(cluster, &userid));
            answer["NeedTFA"] = json!(1);
        }
    }
    if !matches!(entry, Entry::Half(_)) {
        answer["cap"] = capabilities(cluster, &rights);
    }
    if !cluster.standalone && rights.has("/", &["Sys.Audit"]) {
        answer["clustername"] = json!("sandbox");
    }
    ok(answer)
}

/// The answer to a password that is not the right one.
pub(crate) fn wrong_password() -> Failure {
    Failure::json(401, "authentication failure\n".to_owned())
}

fn enter(cluster: &mut Cluster, userid: &str, args: &Args) -> Option<Entry> {
    let (given, otp) = (args.need("password"), args.text("otp"));
    if let Some((path, privileges)) = args.text("path").zip(args.text("privs")) {
        let own = tickets::user_of_ticket(cluster, given).is_some_and(|user| user == userid);
        if !own {
            first_factor(cluster, userid, given)?;
            otp.map_or(Some(()), |otp| second_factor(cluster, userid, otp))?;
        }
        let privileges = crate::request::split_list(privileges);
        let privileges: Vec<&str> = privileges.iter().map(String::as_str).collect();
        return Rights::of(cluster, userid).has(path, &privileges).then_some(Entry::Verified);
    }
    if let Some(challenge) = args.text("tfa-challenge") {
        if otp.is_some() || !tickets::is_half_ticket(cluster, challenge, userid) {
            return None;
        }
        return second_factor(cluster, userid, given).map(|()| Entry::Complete);
    }
    // root@pam gets a ticket for anybody.
    if tickets::user_of_ticket(cluster, given).is_some_and(|user| user == userid || user == ROOT) {
        return Some(Entry::Complete);
    }
    first_factor(cluster, userid, given)?;
    let challenge = cluster.factors.get(userid).and_then(|factors| factors.challenge());
    match (challenge, otp) {
        (Some(challenge), None) => Some(Entry::Half(challenge)),
        (Some(_), Some(otp)) => second_factor(cluster, userid, otp).map(|()| Entry::Complete),
        (None, None) => Some(Entry::Complete),
        (None, Some(_)) => None,
    }
}

fn first_factor(cluster: &Cluster, userid: &str, given: &str) -> Option<()> {
    (cluster.passwords.get(userid)? == given).then_some(())
}

/// `totp:123456` or `recovery:CODE`.
fn second_factor(cluster: &mut Cluster, userid: &str, given: &str) -> Option<()> {
    let instants = Instants { cluster: cluster.clock.seconds(), real: SystemTime::now() };
    cluster.factors.get_mut(userid)?.verify(given, &instants).then_some(())
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
