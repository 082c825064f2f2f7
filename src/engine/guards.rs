//! What is read right before a write, so that nothing is changed that has moved meanwhile.
//!
//! Knows guards and what a request would change; sends GETs only.

use super::call::Call;
use super::clean;
use super::failure::{Failure, FailureKind};
use super::located::{Located, Reads, fill};
use super::present;
use crate::client::{PreparedRequest, Repeat};
use crate::plan::Guard;
use crate::tool::{Kind, Verb};
use serde_json::{Map, Value};

/// What a guard brought along.
#[derive(Debug, Default)]
pub struct Found {
    pub digest: Option<String>,
    pub previous: Option<(&'static str, Map<String, Value>)>,
    pub note: Option<String>,
}

/// Reads and compares. `draft` is the request that will be sent, still without the digest.
///
/// # Errors
/// Something else is there than was expected, or the read failed.
pub async fn check(
    call: &Call<'_>,
    guard: &Guard,
    draft: &PreparedRequest,
    located: &Located,
    reads: &Reads,
    kind: Option<Kind>,
) -> Result<Found, Failure> {
    match guard {
        Guard::Digest { request, show, expect } => {
            let request = fill(request, located, reads)?;
            let Value::Object(mut now) = call.read(&request, Repeat::Freely).await?.data else {
                let says = format!("{request} did not answer with an object. Nothing was changed.");
                return Err(Failure::new(FailureKind::Unreadable, says));
            };
            // What nobody may see is neither compared nor shown.
            let hides = |name: &str| present::shape(&request).is_some_and(|shape| shape.hides(name));
            now.retain(|name, _| !hides(name));
            expected(&now, expect, &request)?;
            let digest = now.get("digest").and_then(Value::as_str).map(str::to_owned);
            let note = digest.is_none().then(|| {
                "The API gave no digest, so a change by somebody else at the same moment would not be noticed."
                    .to_owned()
            });
            let previous = (!show.is_empty()).then(|| (*show, before(&now, draft)));
            Ok(Found { digest, previous, note })
        }
        Guard::Absent { request, row: (field, value), say } => {
            let request = fill(request, located, reads)?;
            let data = call.read(&request, Repeat::Freely).await?.data;
            let rows = match &data {
                Value::Array(rows) => rows.as_slice(),
                Value::Null => &[],
                _ => {
                    let says = format!("{request} did not answer with a list. Nothing was changed.");
                    return Err(Failure::new(FailureKind::Unreadable, says));
                }
            };
            if rows.iter().any(|row| row.get(*field).is_some_and(|found| plain(found) == *value)) {
                return Err(Failure::new(
                    FailureKind::Conflict,
                    format!("`{}` is there already. {say} Nothing was sent.", clean::line(value, 200)),
                ));
            }
            Ok(Found::default())
        }
        Guard::Vacant { vmid, replace, argument } => vacant(call, *vmid, *replace, argument, draft, kind).await,
    }
}

/// The fields of `expect` must hold these values.
fn expected(now: &Map<String, Value>, expect: &[(String, String)], request: &PreparedRequest) -> Result<(), Failure> {
    let wrong: Vec<String> = expect
        .iter()
        .filter(|(field, value)| !same(now.get(field), value))
        .map(|(field, value)| {
            let there =
                now.get(field).map_or("nothing".to_owned(), |value| format!("`{}`", clean::line(&plain(value), 200)));
            format!("`{field}` is {there}, not `{value}`")
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let there: Vec<String> = now
        .iter()
        .filter(|(name, value)| *name != "digest" && !value.is_object() && !value.is_array())
        .map(|(name, value)| format!("{name}={}", shell_words::quote(&clean::line(&plain(value), 200))))
        .collect();
    Err(Failure::new(
        FailureKind::Conflict,
        format!(
            "What is there is not what was expected: {}. {} holds now: {}. Look again and decide anew. Nothing was changed.",
            wrong.join("; "),
            request.path(),
            there.join(" ")
        ),
    ))
}

/// Booleans of the API are `1` and `0`, and absent for false.
fn same(now: Option<&Value>, expected: &str) -> bool {
    let truth = |text: &str| match text {
        "1" | "true" | "yes" | "on" => Some(true),
        "" | "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    };
    let now = now.map(plain).unwrap_or_default();
    now == expected || (truth(&now).is_some() && truth(&now) == truth(expected))
}

/// A scalar as the API would write it.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) => "0".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The values of what the request sets or deletes, as they are now; null = not set. All of them when the whole object
/// goes.
fn before(now: &Map<String, Value>, draft: &PreparedRequest) -> Map<String, Value> {
    if draft.verb == Verb::Delete {
        let gone = now.iter().filter(|(name, _)| *name != "digest");
        return gone.map(|(name, value)| (name.clone(), shown(value))).collect();
    }
    let mut names: Vec<String> = Vec::new();
    for param in &draft.params {
        match &*param.name {
            "digest" => {}
            "delete" => {
                let values = param.values.iter().flat_map(|value| value.split([',', ';', ' ']));
                names.extend(values.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
            }
            _ if param.secret => {}
            name => names.push(name.to_owned()),
        }
    }
    names
        .into_iter()
        .map(|name| {
            let value = now.get(&name).map_or(Value::Null, shown);
            (name, value)
        })
        .collect()
}

fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean::capped(text, clean::LONGEST).0),
        other => other.clone(),
    }
}

async fn vacant(
    call: &Call<'_>,
    vmid: u32,
    replace: bool,
    argument: &str,
    draft: &PreparedRequest,
    kind: Option<Kind>,
) -> Result<Found, Failure> {
    let all = call.guests().await?;
    let Some(there) = all.iter().find(|guest| guest.vmid == vmid) else { return Ok(Found::default()) };
    let argument = call.spelled(argument);
    let refused = |says: String| Err(Failure::new(FailureKind::Conflict, format!("{says} Nothing was sent.")));
    if !replace {
        return refused(format!(
            "`{argument}`: the id is taken by {}. Choose a free id, or say explicitly that this guest is to be \
             overwritten.",
            there.shown()
        ));
    }
    if kind.is_some_and(|kind| kind != there.kind) {
        let kind = kind.map_or("guest", Kind::noun);
        return refused(format!(
            "`{argument}`: the id is taken by {}, and a {kind} cannot replace a guest of the other kind. Choose another id.",
            there.shown()
        ));
    }
    let target = proxmox_spec::route(draft.verb, draft.path())
        .and_then(|route| route.params.into_iter().find(|(name, _)| *name == "node"))
        .map(|(_, node)| node);
    if target.as_deref().is_some_and(|node| node != there.node) {
        return refused(format!(
            "`{argument}`: the id is taken by {}, on another node than the call goes to. Call it for the node `{}`, or \
             choose another id.",
            there.shown(),
            there.node
        ));
    }
    let note = format!("Overwrites {}.", there.shown());
    Ok(Found { note: Some(note), ..Found::default() })
}
