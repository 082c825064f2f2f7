//! The methods for second factors: told, added, changed, removed, unlocked.
//!
//! Knows parameters and refusals. What a factor accepts is in `factors`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::confirm;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    factors::{Factors, RECOVERY, Totp},
    guest::hex,
    request::Call,
};

/// How many codes on paper there are.
const CODES: usize = 10;

/// GET /access/tfa: of all users; `auth` takes away those whom the caller may not see.
pub(super) fn list_all(cluster: &mut Cluster, _: &Call) -> Reply {
    let now = cluster.clock.seconds();
    ok(cluster.factors.iter().map(|(userid, factors)| factors.row(userid, now)).collect::<Value>())
}

fn entries(cluster: &Cluster, call: &Call) -> Vec<Value> {
    cluster.factors.get(call.args.need("userid")).map(Factors::entries).unwrap_or_default()
}

/// GET /access/tfa/{userid}
pub(super) fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    ok(Value::Array(entries(cluster, call)))
}

/// GET /access/tfa/{userid}/{id}
pub(super) fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("id");
    let found = entries(cluster, call).into_iter().find(|entry| entry["id"] == id);
    found.map_or_else(|| Err(Failure::json(404, format!("No such tfa entry '{id}'"))), ok)
}

/// POST /access/tfa/{userid}: an app, which has to show that it knows its seed, or codes on paper.
pub(super) fn add(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    confirm(cluster, call, "password")?;
    let userid = args.need("userid").to_owned();
    let created = cluster.clock.seconds();
    let answer = match args.need("type") {
        "totp" => {
            let totp = new_app(call).map_err(Failure::die)?;
            let id = cluster.draw_uuid();
            let factors = cluster.factors.entry(userid.clone()).or_default();
            factors.add_app(id.clone(), args.need("description"), created, totp);
            json!({ "id": id })
        }
        RECOVERY => {
            if ["totp", "value", "challenge"].iter().any(|name| args.has(name)) {
                return Err(Failure::die("generating recovery tokens does not allow additional parameters"));
            }
            if cluster.factors.get(&userid).is_some_and(Factors::has_paper) {
                return Err(Failure::die("user already has recovery keys"));
            }
            let codes: Vec<String> = (0..CODES).map(|_| new_code(cluster)).collect();
            cluster.factors.entry(userid.clone()).or_default().set_paper(&codes, created);
            json!({ "id": RECOVERY, "recovery": codes })
        }
        "yubico" => {
            let realm = userid.rsplit('@').next().unwrap_or_default();
            return Err(Failure::die(format!("no yubico otp configuration available for realm {realm}")));
        }
        other => return Err(Failure::die(format!("no {other} configuration available"))),
    };
    cluster.mark_factors(&userid);
    ok(answer)
}

fn new_app(call: &Call) -> Result<Totp, String> {
    let args = &call.args;
    if args.has("challenge") {
        return Err("'challenge' parameter is invalid for 'totp' entries".to_owned());
    }
    if !args.has("description") {
        return Err("'description' is required for new entries".to_owned());
    }
    let (Some(address), Some(value)) = (args.text("totp"), args.text("value")) else {
        return Err("'totp' type requires both 'totp' and 'value' parameters".to_owned());
    };
    let totp = Totp::of_address(address)?;
    match totp.step_of(value, SystemTime::now()) {
        Some(_) => Ok(totp),
        None => Err("failed to verify TOTP challenge".to_owned()),
    }
}

/// `0123-4567-89ab-cdef`
fn new_code(cluster: &mut Cluster) -> String {
    let text = hex(&cluster.draw());
    format!("{}-{}-{}-{}", &text[0..4], &text[4..8], &text[8..12], &text[12..16])
}

/// PUT /access/tfa/{userid}/{id}; codes on paper cannot be changed.
pub(super) fn change(cluster: &mut Cluster, call: &Call) -> Reply {
    confirm(cluster, call, "password")?;
    let args = &call.args;
    let factors = cluster.factors.get_mut(args.need("userid"));
    let enable = args.text("enable").map(|text| text == "1");
    match factors.is_some_and(|factors| factors.change_app(args.need("id"), args.text("description"), enable)) {
        true => done(),
        false => Err(Failure::die("no such entry")),
    }
}

/// DELETE /access/tfa/{userid}/{id}
pub(super) fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    confirm(cluster, call, "password")?;
    let userid = call.args.need("userid");
    let factors = cluster.factors.get_mut(userid);
    if !factors.is_some_and(|factors| factors.remove(call.args.need("id"))) {
        return Err(Failure::die("no such entry"));
    }
    cluster.mark_factors(userid);
    done()
}

/// GET /access/users/{userid}/tfa
pub(super) fn kinds(cluster: &mut Cluster, call: &Call) -> Reply {
    let kinds = cluster.factors.get(call.args.need("userid")).map(Factors::kinds).unwrap_or_default();
    if call.args.flag("multiple") {
        return ok(json!({ "types": kinds }));
    }
    ok(if kinds.contains(&"totp") { json!({ "user": "oath" }) } else { json!({}) })
}

/// PUT /access/users/{userid}/unlock-tfa: whether the user was locked out.
pub(super) fn unlock(cluster: &mut Cluster, call: &Call) -> Reply {
    let now = cluster.clock.seconds();
    let was = cluster.factors.get_mut(call.args.need("userid")).is_some_and(|factors| factors.unlock(now));
    ok(json!(u8::from(was)))
}
