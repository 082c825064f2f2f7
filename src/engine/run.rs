//! From the plan of a call to its answer: judged, agreed to, tried, and once more where a complete rejection proves that
//! nothing happened.
//!
//! Knows the order of the steps and what ends them; each step is a module of its own. What the answer may not hold, and how
//! long it may be, is seen to by the caller.

use super::call::Call;
use super::failure::{Failure, FailureKind};
use super::judge::{self, Judged};
use super::{Answer, audited, consent, explain, planned, present, resolve, tail, write};
use crate::catalogue;
use crate::client::{PreparedRequest, Repeat, Trouble};
use crate::plan::{Intent, Locate, Plan};
use crate::tool::{Answer as Form, Verb};
use serde_json::json;

/// Why a rejected call is made a second time.
enum Again {
    /// A value that the cluster chose was taken meanwhile.
    Chosen,
    /// The guest is not where the listing said.
    Moved,
}

/// From the plan to the answer; once more from the start where a complete rejection proves that nothing happened.
pub(super) async fn run(call: &Call<'_>, plan: &Plan, notes: Vec<String>) -> Result<Answer, Failure> {
    let judged = judge::judge(call, plan).await?;
    if call.intent == Intent::Plan {
        return Ok(planned::answer(call, &judged, notes).await);
    }
    let (judged, agreed) = consent::agreed(call, plan, judged).await?;
    let trouble = match attempt(call, plan, &judged, &agreed, &notes).await {
        Ok(end) => return end,
        Err(trouble) => trouble,
    };
    let Some(why) = again(call, plan, &judged, &trouble) else {
        return Err(explain::failure(call, &judged.resolved.request, &trouble).await);
    };
    call.engine.shared.guests.forget();
    let second = judge::judge(call, plan).await?;
    if matches!(why, Again::Moved) && judged.same_place(&second) {
        return Err(explain::failure(call, &judged.resolved.request, &trouble).await);
    }
    // It is another call than the one that somebody agreed to.
    let (second, agreed) = consent::agreed(call, plan, second).await?;
    tracing::info!(request = %second.resolved.request, "once more: the first try was rejected without effect");
    match attempt(call, plan, &second, &agreed, &notes).await {
        Ok(end) => end,
        Err(trouble) => Err(explain::failure(call, &second.resolved.request, &trouble).await),
    }
}

/// May the call be made once more, with everything looked up afresh?
fn again(call: &Call<'_>, plan: &Plan, judged: &Judged<'_>, trouble: &Trouble) -> Option<Again> {
    let rejection = trouble.rejection()?;
    let message = explain::whole(rejection);
    let hinted = |hint: &crate::tool::Hint| hint.retry && explain::fits(hint, Some(rejection.status), &message);
    if judged.resolved.chosen && call.surface.tool.hints.iter().chain(catalogue::HINTS).any(hinted) {
        return Some(Again::Chosen);
    }
    match &plan.locate {
        Locate::Guest(guest) if guest.node.is_none() && explain::missing_guest(&message.to_lowercase()) => {
            Some(Again::Moved)
        }
        _ => None,
    }
}

/// One try. The outer error is a trouble of the main request that the caller may look at before it is put in words;
/// the inner one is final.
pub(super) async fn attempt(
    call: &Call<'_>,
    plan: &Plan,
    judged: &Judged<'_>,
    agreed: &consent::Agreed,
    notes: &[String],
) -> Result<Result<Answer, Failure>, Trouble> {
    let Judged { resolved, need, permit, .. } = judged;
    let request = &resolved.request;
    let mut notes = notes.to_vec();
    notes.extend(resolved.notes.iter().cloned());
    if request.verb == Verb::Get {
        let (returns, stop) = (resolved.route.returns, &call.watch.cancelled);
        if let Some((lines, start)) = plan.view.last {
            let (request, reply) = tail::last(call, request, lines).await?;
            let mut shown = present::answer(returns, &request, &reply, &plan.view);
            if let Ok(shown) = &mut shown {
                shown.notes.extend(tail::earlier(call.surface, start, &shown.content));
            }
            return Ok(read(call, resolved, shown, notes).await);
        }
        let shown = match returns.form {
            Form::List(_) | Form::Values(_) => {
                let listing = call.client.list(request, repeat(request), stop).await?;
                Ok(present::listing(returns, request, &listing, &plan.view))
            }
            _ => {
                let reply = call.client.get(request, repeat(request), stop).await?;
                present::answer(returns, request, &reply, &plan.view)
            }
        };
        return Ok(read(call, resolved, shown, notes).await);
    }
    let sending = match audited::sending(call, judged, agreed) {
        Ok(sending) => sending,
        Err(failure) => return Ok(Err(failure)),
    };
    // Where, and not what: arguments may be commands with passwords in them. `debug` has the rest.
    tracing::info!(tool = call.surface.name, effect = %need.effect, verb = %request.verb, path = request.path(), "writing");
    let sent = tokio::time::Instant::now();
    let reply = call.client.send(request, permit, plan.file.as_ref(), &call.watch.cancelled).await;
    call.engine.shared.guests.forget();
    let mut answer = match reply {
        Ok(reply) => write::done(call, plan, resolved, &reply, notes).await,
        Err(trouble) if trouble.may_have_happened() => write::unanswered(call, resolved, &trouble, sent, notes).await,
        Err(trouble) => {
            audited::ended(call, sending, Err(&trouble));
            return Err(trouble);
        }
    };
    audited::ended(call, sending, Ok(&mut answer));
    Ok(Ok(answer))
}

/// An answer that can be read only once is not asked for twice, whichever tool reads it.
fn repeat(request: &PreparedRequest) -> Repeat {
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return Repeat::Freely };
    let once = catalogue::TOOLS.iter().filter_map(|tool| tool.waiter);
    let once = once.filter(|waiter| waiter.once).any(|waiter| waiter.poll == route.method.path);
    if once { Repeat::Never } else { Repeat::Freely }
}

/// The answer of a read.
async fn read(
    call: &Call<'_>,
    resolved: &resolve::Resolved<'_>,
    shown: Result<present::Shown, present::Unreadable>,
    mut notes: Vec<String>,
) -> Result<Answer, Failure> {
    let request = &resolved.request;
    let unreadable = |request: &PreparedRequest, what: String| {
        Failure::new(FailureKind::Unreadable, format!("The answer of {request} cannot be used: {what}."))
    };
    let shown = shown.map_err(|what| unreadable(request, what))?;
    let mut content = resolved.located.subject();
    // The guest that was looked up is the one that was read, whatever the answer calls it.
    for (field, value) in shown.content {
        content.entry(field).or_insert(value);
    }
    notes.extend(shown.notes);
    present::echo(resolved.route.returns, request, &mut content);
    for (also, request) in resolved.route.also.iter().zip(&resolved.also) {
        let reply = match also.tail {
            Some(lines) => tail::read(call, request, lines).await,
            None => call.try_read(request, Repeat::Freely).await,
        };
        let value = match reply {
            Ok(reply) => present::besides(also.returns, request, &reply).map_err(|what| unreadable(request, what)),
            Err(trouble) => Err(explain::failure(call, request, &trouble).await),
        };
        match value {
            Ok((value, said)) => {
                content.insert(also.field.to_owned(), value);
                notes.extend(said);
            }
            Err(failure) if also.optional => notes.push(format!("`{}` could not be read: {failure}", also.field)),
            Err(failure) => return Err(failure),
        }
    }
    if !notes.is_empty() {
        content.insert("notes".to_owned(), json!(notes));
    }
    Ok(Answer { content, failed: false, text: None })
}
