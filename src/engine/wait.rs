//! Following what a call started until it ends, the caller's patience does, or the caller goes away.
//!
//! Knows [`Waiter`]s as data, and of task ids only that one names the node that runs it: there it is asked for.
//! Waiting that ends is never a failure.

use super::call::Call;
use super::clean;
use super::coerce::Losses;
use super::guards::plain;
use super::located::Located;
use super::present;
use super::progress::Ticker;
use super::stop::{self, Stopped};
use super::tail;
use crate::arguments::{Segment, Upid};
use crate::catalogue;
use crate::client::{PreparedRequest, Repeat, Trouble};
use crate::tool::{Condition, Outcome, Verb, Waiter};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// The waiter of every call that answers with a task id, where the catalogue names none.
pub use catalogue::WAIT_TASK as TASK;

/// Short at first: most tasks are over within a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A poll that hangs may take this much longer than the caller's patience.
const GRACE: Duration = Duration::from_secs(2);
/// Lines of the log that a failure carries.
const LOG_LINES: u64 = 20;

/// How it ended, or where it stands.
#[derive(Debug)]
pub struct Followed {
    pub outcome: Outcome,
    /// What identifies it (task id, process id), as fields of the answer.
    pub handle: Map<String, Value>,
    /// The node that runs it, if the handle says it.
    pub node: Option<String>,
    /// What the waiter shows of the last poll.
    pub fields: Map<String, Value>,
    /// The end of the log, after a failure or with warnings.
    pub log: Vec<String>,
    /// What reads all of the log, when it is over.
    pub source: Option<PreparedRequest>,
    pub notes: Vec<String>,
    /// Why it is not known, for [`Outcome::Unknown`].
    pub cause: String,
}

/// What is polled: the values that fill the waiter's places.
struct Target {
    poll: PreparedRequest,
    log: Option<PreparedRequest>,
    handle: Map<String, Value>,
    node: Option<String>,
}

/// Follows what `data`, the answer to the write, names.
pub async fn follow(call: &Call<'_>, waiter: &Waiter, data: &Value, located: &Located, patience: Duration) -> Followed {
    let target = match target(waiter, data, located) {
        Ok(target) => target,
        Err(cause) => return ended(Outcome::Unknown, None, cause),
    };
    if patience.is_zero() {
        let note = resume(call, waiter, &target, located);
        return running(target, vec![note]);
    }
    let repeat = if waiter.once { Repeat::Never } else { Repeat::Freely };
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    let mut ticker = Ticker::new(call.watch);
    loop {
        // An answer that can be read once is waited for, whatever the time.
        let hurry = if waiter.once { deadline + Duration::from_secs(3600) } else { deadline + GRACE };
        let polled = tokio::select! {
            polled = call.client.get(&target.poll, repeat, &call.watch.cancelled) => polled,
            () = tokio::time::sleep_until(hurry) => Err(Trouble::Timeout(patience.as_millis())),
        };
        let state = match polled {
            Ok(reply) => reply.data,
            Err(Trouble::Cancelled) => {
                let goes_on = match stop::stop(call, waiter, &target.handle).await {
                    Stopped::Told => "it was told to stop",
                    Stopped::NotMeant => "what was started goes on",
                    Stopped::Refused => "what was started could not be stopped and goes on",
                };
                let note = format!("Waiting was cancelled; {goes_on}. {}", resume(call, waiter, &target, located));
                return running(target, vec![note]);
            }
            Err(trouble) if waiter.once && !trouble.nothing_left() => {
                let cause = format!("its result could not be read ({trouble}), and it can be read only once");
                return ended(Outcome::Unknown, Some(target), cause);
            }
            Err(trouble) => {
                let note = format!("It could not be followed ({trouble}). {}", resume(call, waiter, &target, located));
                return running(target, vec![note]);
            }
        };
        let outcome = judge(waiter, &state);
        if outcome != Outcome::Running {
            return finish(call, waiter, target, outcome, &state).await;
        }
        let now = Instant::now();
        // A log that hangs holds up nobody: it is only for whoever watches.
        let _ = tokio::time::timeout_at(deadline.max(now) + GRACE, ticker.tick(call, target.log.as_ref())).await;
        let now = Instant::now();
        if now >= deadline {
            let seconds = patience.as_secs();
            let note = format!("Still running after {seconds} s. {}", resume(call, waiter, &target, located));
            return running(target, vec![note]);
        }
        tokio::select! {
            () = tokio::time::sleep(pause.min(deadline - now)) => {}
            // The next poll says that it was cancelled.
            () = call.watch.cancelled.cancelled() => {}
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

fn judge(waiter: &Waiter, state: &Value) -> Outcome {
    let text = |field: &str| state.get(field).map(plain).unwrap_or_default();
    let holds = |condition: &Condition| match condition {
        Condition::Always => true,
        Condition::Is(field, wanted) => text(field) == *wanted,
        Condition::Starts(field, wanted) => text(field).starts_with(wanted),
    };
    let found = waiter.outcomes.iter().find(|(condition, _)| holds(condition));
    found.map_or(Outcome::Running, |(_, outcome)| *outcome)
}

async fn finish(call: &Call<'_>, waiter: &Waiter, target: Target, outcome: Outcome, state: &Value) -> Followed {
    let mut losses = Losses::default();
    let shape = proxmox_spec::find(Verb::Get, waiter.poll).map(|method| method.returns);
    let fields = match waiter.fields {
        [] => Ok(Map::new()),
        fields => present::fields_of(state, fields, shape, &mut losses),
    };
    let mut notes = losses.into_notes();
    let fields = fields.unwrap_or_else(|unreadable| {
        notes.push(format!("The end could not be read completely: {unreadable}."));
        Map::new()
    });
    let mut log = Vec::new();
    if matches!(outcome, Outcome::Failed | Outcome::Warnings)
        && let Some(request) = &target.log
    {
        match tail::read(call, request, LOG_LINES).await {
            Ok(reply) => log = tail::lines(&reply.data),
            Err(trouble) => notes.push(format!("The log could not be read: {trouble}.")),
        }
    }
    let Target { handle, node, log: source, .. } = target;
    Followed { outcome, handle, node, fields, log, source, notes, cause: String::new() }
}

fn ended(outcome: Outcome, target: Option<Target>, cause: String) -> Followed {
    let (handle, node) = target.map(|target| (target.handle, target.node)).unwrap_or_default();
    Followed { outcome, handle, node, fields: Map::new(), log: Vec::new(), source: None, notes: Vec::new(), cause }
}

fn running(target: Target, notes: Vec<String>) -> Followed {
    Followed { notes, ..ended(Outcome::Running, Some(target), String::new()) }
}

/// Which tool takes up the poll, and with what.
fn resume(call: &Call<'_>, waiter: &Waiter, target: &Target, located: &Located) -> String {
    if waiter.resume.is_empty() {
        return String::new();
    }
    let same =
        |surface: &&crate::tool::Surface| surface.tool.name == waiter.resume && surface.dialect == call.surface.dialect;
    let name = catalogue::SURFACES.iter().find(same).map_or(waiter.resume, |surface| surface.name);
    let mut arguments: Vec<String> = Vec::new();
    if waiter.poll.contains("{vmid}")
        && let Some(vmid) = located.vmid
    {
        arguments.push(format!("vmid={vmid}"));
    }
    arguments.extend(target.handle.iter().map(|(name, value)| format!("{name}={}", plain(value))));
    format!("Call {name} with {} for its end.", arguments.join(" and "))
}

/// Fills the places of the waiter's paths.
fn target(waiter: &Waiter, data: &Value, located: &Located) -> Result<Target, String> {
    let mut values: Vec<(&str, String)> = Vec::new();
    let mut handle = Map::new();
    let mut node = located.node.clone();
    let mut task_node = None;
    for (name, field) in waiter.from {
        let value = if field.is_empty() { Some(data) } else { data.get(*field) };
        let value = value.filter(|value| value.is_string() || value.is_number());
        let value = value.ok_or_else(|| format!("the API's answer names no {name} to ask for"))?;
        let text = plain(value);
        if let Ok(upid) = Upid::parse(&text) {
            task_node = Some(upid.node().as_str().to_owned());
            node = Some(upid.node());
        }
        let fact = proxmox_spec::find(Verb::Get, waiter.poll).and_then(|method| method.param(name));
        let shown = match fact.map(|fact| fact.ty) {
            Some(proxmox_spec::Type::Integer) => text.parse::<i64>().ok().map(Value::from),
            _ => Some(Value::from(clean::line(&text, 1_000))),
        };
        let shown = shown.ok_or_else(|| format!("the API's answer names no {name} that can be asked for"))?;
        handle.insert((*name).to_owned(), shown);
        values.push((name, text));
    }
    let fill = |path: &str, rest: bool| -> Result<PreparedRequest, String> {
        let mut request = PreparedRequest::new(Verb::Get);
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let Some(place) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                request.literal(part);
                continue;
            };
            let known = values.iter().find(|(name, _)| *name == place).map(|(_, text)| text.clone());
            let known = known.or_else(|| match place {
                "node" => node.as_ref().map(|node| node.as_str().to_owned()),
                "kind" => located.kind.map(|kind| kind.as_str().to_owned()),
                "vmid" => located.vmid.map(|vmid| vmid.to_string()),
                _ => None,
            });
            let text = known.ok_or_else(|| format!("nothing tells the {place} to ask for"))?;
            let segment = Segment::new(text).map_err(|bad| format!("the {place} in the API's answer {bad}"))?;
            request.segment(&segment);
        }
        let in_path = |name: &str| path.contains(&format!("{{{name}}}"));
        for (name, text) in &values {
            // What is no part of the path is a parameter of the poll.
            if rest && !in_path(name) {
                let name = waiter.from.iter().map(|(known, _)| *known).find(|known| known == name).unwrap_or_default();
                request = request.with(name, text.clone());
            }
        }
        Ok(request)
    };
    let poll = fill(waiter.poll, true)?;
    let log = if waiter.log.is_empty() { None } else { Some(fill(waiter.log, false)?) };
    Ok(Target { poll, log, handle, node: task_node })
}

/// The last words of a failure: its exit status, else the last line of the log.
pub fn cause(followed: &Followed) -> String {
    let status = followed.fields.get("exitstatus").and_then(Value::as_str);
    let last = || followed.log.iter().rev().find(|line| !line.trim().is_empty()).map(String::as_str);
    clean::line(status.or_else(last).unwrap_or("no reason was given"), 500)
}
