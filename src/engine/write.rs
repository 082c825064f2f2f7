//! The answer of a call that changes something: its outcome, what it was about, and how it ended.
//!
//! Knows the five outcomes. What it cannot read it does not claim.

use super::Answer;
use super::call::Call;
use super::coerce::DATA;
use super::explain;
use super::located::Located;
use super::present;
use super::resolve::Resolved;
use super::told;
use super::unknown;
use super::wait::{self, Followed};
use crate::client::{PreparedRequest, Reply, Trouble};
use crate::plan::Plan;
use crate::tool::{self, Outcome};
use proxmox_spec::Upid as Starts;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// The write was answered: wait for what it started, if it started something.
/// What goes wrong after a write is part of its outcome.
pub async fn done(
    call: &Call<'_>,
    plan: &Plan,
    resolved: &Resolved<'_>,
    reply: &Reply,
    mut notes: Vec<String>,
) -> Answer {
    let tool = call.surface.tool;
    let is_task = reply.data.as_str().is_some_and(|text| text.starts_with("UPID:"));
    // Whoever asks for a task needs its id; other answers are looked into by their waiter.
    let usable = |waiter: &&tool::Waiter| is_task || (!reply.data.is_null() && !waiter.poll.contains("{upid}"));
    let waiter = tool.waiter.filter(usable).or(is_task.then_some(&wait::TASK));
    let Some(waiter) = waiter else {
        let route = proxmox_spec::route(resolved.request.verb, resolved.request.path());
        match route.as_ref().map(|route| route.method.upid) {
            Some(Starts::Hidden) => {
                notes.push("The API started a task for it without telling its id: see the node's tasks.".to_owned());
            }
            Some(Starts::Always) => notes.push(
                "The API accepted it without naming a task, so its end was not waited for: see the node's tasks."
                    .to_owned(),
            ),
            _ => {}
        }
        let starts = route.is_some_and(|route| route.method.upid == Starts::Always);
        // Nothing is what some versions answer; something else was never said of this call.
        let odd = starts && !reply.data.is_null();
        let outcome = if odd { Outcome::Unknown } else { Outcome::Ok };
        let mut content = base(resolved, outcome, None);
        show(resolved, reply, &mut content, &mut notes);
        let text = odd.then(|| {
            format!(
                "The call was accepted, but how it ended is not known: the answer names no task.\nSent: {}\nLook at \
                 the node's tasks and at what is there now before you call it again.",
                resolved.request
            )
        });
        return finished(content, notes, text);
    };
    let patience = plan.wait.map_or(call.engine.settings.wait, Duration::from_secs);
    // What is made new was not looked up: then the request says the node.
    let located = Located { node: unknown::node(&resolved.request, &resolved.located), ..resolved.located.clone() };
    let mut followed = wait::follow(call, waiter, &reply.data, &located, patience).await;
    // What ended may have moved, made or removed guests.
    call.engine.shared.guests.forget();
    let mut content = base(resolved, followed.outcome, followed.node.as_deref());
    show(resolved, reply, &mut content, &mut notes);
    content.append(&mut followed.handle.clone());
    content.append(&mut followed.fields.clone());
    if !followed.log.is_empty() {
        content.insert("log".to_owned(), json!(followed.log));
        notes.push(format!("`log`: what the task printed: {DATA}."));
    }
    notes.append(&mut followed.notes);
    if matches!(followed.outcome, Outcome::Ok | Outcome::Warnings)
        && let Some(log) = &followed.source
    {
        match told::read(call, &resolved.request, log).await {
            Ok(fields) => content.extend(fields),
            Err(trouble) => notes.push(format!("What its log tells could not be read: {trouble}.")),
        }
    }
    let text = match followed.outcome {
        Outcome::Failed => Some(failed(call, &resolved.request, &followed).await),
        Outcome::Unknown => {
            let cause = format!("The call was accepted, but how it ended is not known: {}.", followed.cause);
            notes.push(cause.clone());
            Some(format!("{cause}\nSent: {}\nLook at what is there now before you call it again.", resolved.request))
        }
        _ => None,
    };
    finished(content, notes, text)
}

/// The write may have been carried out, and nobody said so.
pub async fn unanswered(
    call: &Call<'_>,
    resolved: &Resolved<'_>,
    trouble: &Trouble,
    sent: Instant,
    mut notes: Vec<String>,
) -> Answer {
    let request = &resolved.request;
    let cause =
        format!("{request} was sent, and no usable answer came ({trouble}). Whether it was carried out is not known.");
    let mut content = base(resolved, Outcome::Unknown, None);
    present::echo(resolved.route.returns, request, &mut content);
    let mut found = vec![cause];
    found.extend(unknown::look(call, request, &resolved.located, sent).await);
    let next = "Do not call it again before you know: look at these tasks and at what is there now.";
    let text = format!("{}\n{next}", found.join("\n"));
    notes.extend(found);
    finished(content, notes, Some(text))
}

/// Outcome and subject: the guest, the node, what was there before.
fn base(resolved: &Resolved<'_>, outcome: Outcome, task_node: Option<&str>) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert("outcome".to_owned(), json!(outcome.as_str()));
    content.extend(resolved.located.subject());
    if let Some(kind) = resolved.route.kind {
        content.insert("kind".to_owned(), json!(kind.as_str()));
    }
    let in_path = || {
        let route = proxmox_spec::route(resolved.request.verb, resolved.request.path())?;
        route.params.into_iter().find(|(name, _)| *name == "node").map(|(_, node)| node)
    };
    if let Some(node) = task_node {
        content.insert("node".to_owned(), json!(node));
    } else if !content.contains_key("node")
        && let Some(node) = in_path()
    {
        content.insert("node".to_owned(), json!(node));
    }
    if let Some((field, previous)) = &resolved.previous {
        content.insert((*field).to_owned(), Value::Object(previous.clone()));
    }
    content
}

/// What the API answered and the request chose.
fn show(resolved: &Resolved<'_>, reply: &Reply, content: &mut Map<String, Value>, notes: &mut Vec<String>) {
    let returns = resolved.route.returns;
    match present::answer(returns, &resolved.request, reply, &crate::plan::View::default()) {
        Ok(shown) => {
            for (field, value) in shown.content {
                content.entry(field).or_insert(value);
            }
            notes.extend(shown.notes);
        }
        // A write that answers nothing of use was still carried out.
        Err(what) if !matches!(returns.form, tool::Answer::Done | tool::Answer::Task) => {
            notes.push(format!("What the API answered could not be read: {what}."));
        }
        Err(_) => {}
    }
    present::echo(returns, &resolved.request, content);
}

async fn failed(call: &Call<'_>, request: &PreparedRequest, followed: &Followed) -> String {
    let cause = wait::cause(followed);
    let mut text = format!("It was started and failed: {cause}.\nRequest: {request}");
    for (name, value) in &followed.handle {
        text.push_str(&format!("\n{name}: {}", super::guards::plain(value)));
    }
    if !followed.log.is_empty() {
        text.push_str(&format!("\nEnd of the log ({DATA}):\n  {}", followed.log.join("\n  ")));
    }
    let message = format!("{cause}\n{}", followed.log.join("\n"));
    // The error of a job is often no more than that there was one; its log has the cause.
    let known = match explain::cause(call, request, &cause).await {
        None => explain::state(call, request, &followed.log.join("\n")).await,
        known => known,
    };
    let mut advice: Vec<String> = known.map(|(_, says)| says).into_iter().collect();
    advice.extend(explain::advice(call.surface, None, &message));
    if !advice.is_empty() {
        text.push_str(&format!("\n{}", advice.join(" ")));
    }
    text
}

fn finished(mut content: Map<String, Value>, notes: Vec<String>, text: Option<String>) -> Answer {
    if !notes.is_empty() {
        content.insert("notes".to_owned(), json!(notes));
    }
    Answer { failed: text.is_some(), content, text }
}
