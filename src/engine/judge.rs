//! What a call would do, judged: everything looked up, weighed and allowed, and nothing sent but reads.
//!
//! The one step between a plan and its execution. A plan that is only shown, one that a person is asked about and one
//! that is run come through here, so what is shown is what runs.

use super::barred;
use super::call::Call;
use super::clean;
use super::failure::{Failure, FailureKind};
use super::fences;
use super::gate::{self, Need};
use super::objects::{Named, Objects, look};
use super::resolve::{self, Resolved};
use crate::access::Permit;
use crate::arguments::describe;
use crate::client::PreparedRequest;
use crate::plan::{Intent, Plan};
use crate::tool::{Effect, Verb};

/// A call that may be made.
#[derive(Debug)]
pub struct Judged<'p> {
    pub resolved: Resolved<'p>,
    pub need: Need,
    pub permit: Permit,
    /// What the request affects; empty for a read.
    pub objects: Objects,
}

impl Judged<'_> {
    /// Why this is asked about whatever the operator's mode; `None` = nothing that it affects is protected.
    pub fn guarded(&self) -> Option<String> {
        self.objects.guarded()
    }

    /// Everything that was shown of it, and what would be sent: when it is the same, the call is the same.
    pub fn state(&self) -> Vec<String> {
        let resolved = &self.resolved;
        let mut parts = vec![self.need.effect.as_str().to_owned()];
        for request in std::iter::once(&resolved.request).chain(&resolved.also) {
            parts.push(format!("{} {}", request.verb, request.path()));
            for param in &request.params {
                parts.push(param.name.clone().into_owned());
                parts.extend(param.values.iter().cloned());
            }
        }
        parts.push(format!("{:?} {:?}", resolved.located.running, resolved.located.subject()));
        if let Some((field, previous)) = &resolved.previous {
            parts.push((*field).to_owned());
            parts.extend(previous.iter().map(|(name, value)| format!("{name}={value}")));
        }
        parts.extend(resolved.notes.iter().cloned());
        parts.push(self.objects.fingerprint());
        parts
    }

    /// Would both be sent to the same node?
    pub fn same_place(&self, other: &Judged<'_>) -> bool {
        let node = |one: &Judged<'_>| one.resolved.located.node.as_ref().map(|node| node.as_str().to_owned());
        node(self) == node(other)
    }
}

/// Looks everything up and asks every gate.
///
/// # Errors
/// Something cannot be told, a value is not one that the API takes, or a gate refuses. Nothing but GET was sent.
pub async fn judge<'p>(call: &Call<'_>, plan: &'p Plan) -> Result<Judged<'p>, Failure> {
    let resolved = resolve::resolve(call, plan).await?;
    let requests: Vec<&PreparedRequest> = std::iter::once(&resolved.request).chain(&resolved.also).collect();
    call.keep_secret(requests.iter().flat_map(|request| request.secrets()).collect());
    let poll = call.surface.tool.waiter.map_or("", |waiter| waiter.poll);
    let need = gate::need(call.surface, &plan.raises, &requests, poll);
    let permit = gate::pass(&call.engine.access, call.surface, &need, resolved.request.verb)?;
    let fences = &call.engine.settings.fences;
    fences::check_tools(fences, &call.engine.access, call.surface, &resolved.request)?;
    barred::check(&call.engine.settings.auth, &resolved.request)?;
    let mut objects = Objects::default();
    if resolved.request.verb != Verb::Get {
        taken(call, &resolved.request)?;
        // Reads cost time: what nobody shows, compares or fences is only named.
        let protected = fences::protected_tags(fences);
        let looked = call.intent != Intent::Run || need.effect >= Effect::Interrupts || !fences.is_empty();
        objects = match looked {
            true => look::look(call, &resolved.request, &protected).await?,
            false => Objects::unseen(&Named::of(&resolved.request)),
        };
        let rest = fences::leaving_protection(&resolved.request);
        let effect = gate::need(call.surface, &plan.raises, &[&rest], poll).effect;
        fences::check(fences, &resolved.request, effect, &objects)?;
    }
    Ok(Judged { resolved, need, permit, objects })
}

/// Every value must be one that the API takes. Most were checked when the arguments were read; which disks a guest of
/// this kind can have, and what was read from the cluster, is known only now.
fn taken(call: &Call<'_>, request: &PreparedRequest) -> Result<(), Failure> {
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return Ok(()) };
    let mut wrong = Vec::new();
    for param in &request.params {
        let Some(known) = route.method.param(&param.name) else { continue };
        let values: Vec<&str> = param.values.iter().map(String::as_str).collect();
        if let Err(bad) = proxmox_spec::check::value_list(known, &param.name, &values) {
            let argument = if param.argument.is_empty() { &*param.name } else { call.spelled(param.argument) };
            // The API's own words repeat the value.
            let why = match (param.secret, known.values) {
                (true, _) => "is not a value that the API takes".to_owned(),
                (false, []) => bad.plain(),
                (false, all) => {
                    format!("`{}` is not {}", clean::line(&values.join(","), 80), describe::one_of(all))
                }
            };
            wrong.push(format!("- `{argument}`: {why}"));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::BadArguments,
        format!(
            "{} {} does not take this:\n{}\nCall again with the named arguments put right. Nothing was sent.",
            request.verb,
            route.method.path,
            wrong.join("\n")
        ),
    ))
}
