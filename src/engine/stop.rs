//! Stopping what a cancelled call started, where the operator wants that.
//!
//! The waiter's data say which tool stops it; its call goes the road of every call, but nobody is asked again: the setting
//! and the cancellation are the answer. Knows no tool by name, and not how calls are cancelled.

use super::call::Call;
use super::consent::Agreed;
use super::failure::{Failure, FailureKind};
use super::run::attempt;
use super::{Watch, explain, judge};
use crate::arguments::Fields;
use crate::catalogue;
use crate::plan::Intent;
use crate::tool::Waiter;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use std::sync::Mutex;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The API took the order to stop it.
    Told,
    /// Nobody wants that, or nothing can.
    NotMeant,
    /// A gate, a fence or the API said no; the log says why.
    Refused,
}

/// Stops what `handle` names, if the settings say so. How it went stands in the log: whoever cancelled hears no more.
pub fn stop<'a>(call: &'a Call<'_>, waiter: &'a Waiter, handle: &'a Map<String, Value>) -> BoxFuture<'a, Stopped> {
    async move {
        if !call.engine.settings.cancel_stops_tasks || waiter.stop.is_empty() {
            return Stopped::NotMeant;
        }
        let task = handle.values().next().and_then(Value::as_str).unwrap_or_default();
        match told(call, waiter, handle).await {
            Ok(()) => {
                tracing::info!(tool = call.surface.name, task, "cancelled: the task was told to stop");
                Stopped::Told
            }
            Err(failure) => {
                tracing::warn!(tool = call.surface.name, task, why = %failure, "cancelled: the task goes on");
                Stopped::Refused
            }
        }
    }
    .boxed()
}

async fn told(call: &Call<'_>, waiter: &Waiter, handle: &Map<String, Value>) -> Result<(), Failure> {
    let Some(surface) = catalogue::surface(waiter.stop) else {
        return Err(Failure::new(FailureKind::Broken, "nothing stops such a task"));
    };
    call.engine.access.check(surface)?;
    let mut fields = Fields::new(surface, Some(handle));
    let plan = (surface.tool.plan)(&mut fields)?;
    // The call is cancelled, this one is not.
    let (client, caller) = (call.watch.client.clone(), call.watch.caller.clone());
    let watch = Watch { client, caller, ..Watch::default() };
    let own = Call {
        engine: call.engine,
        client: call.client,
        surface,
        given: Some(handle),
        intent: Intent::Run,
        watch: &watch,
        secrets: Mutex::default(),
    };
    let judged = judge::judge(&own, &plan).await?;
    if let Some(why) = judged.guarded() {
        return Err(Failure::new(FailureKind::Unconfirmed, why));
    }
    match attempt(&own, &plan, &judged, &Agreed::Cancelled, &[]).await {
        Ok(Ok(answer)) if answer.failed => Err(Failure::new(FailureKind::Api, answer.text.unwrap_or_default())),
        Ok(end) => end.map(|_| ()),
        Err(trouble) => Err(explain::failure(&own, &judged.resolved.request, &trouble).await),
    }
}
