//! From a trouble on the wire to the text that a model or a person can act on: cause, argument, next step.
//!
//! Knows the API's statuses and messages (existence is told by texts, hardly ever by 404) and sorts them. What is found
//! out besides, with GETs and as far as they succeed, is in the modules below, one for each sort of trouble.

mod advice;
mod grant;
mod link;
mod look;
mod near;
mod permission;
mod state;
mod version;

use super::call::Call;
use super::failure::{Failure, FailureKind};
use crate::client::{PreparedRequest, Rejection, Trouble};
use crate::settings::Auth;
use crate::tool::{Argument, Verb};
pub use advice::{advice, fits};
pub use link::connection;

/// Puts a trouble in words.
pub async fn failure(call: &Call<'_>, request: &PreparedRequest, trouble: &Trouble) -> Failure {
    let mut failure = match trouble {
        Trouble::Rejected(rejection) => rejected(call, request, rejection).await,
        other => connection(&call.engine.settings, request, other),
    };
    if request.verb != Verb::Get && !trouble.may_have_happened() && !matches!(trouble, Trouble::Rejected(_)) {
        failure = Failure::new(failure.kind(), format!("{failure}\nNothing was changed."));
    }
    failure
}

/// The same in one line, without asking anything: for reads of which there are many.
pub fn brief(request: &PreparedRequest, trouble: &Trouble) -> String {
    super::clean::line(&format!("{request}: {trouble}"), 300)
}

/// A state of the cluster as the cause of what the API, a task or its log said; with what to do about it.
pub async fn state(call: &Call<'_>, request: &PreparedRequest, message: &str) -> Option<(FailureKind, String)> {
    let lower = message.to_lowercase();
    if state::is_locked(&lower) {
        Some((FailureKind::Locked, state::locked(call, request, message).await))
    } else if lower.contains("no quorum") {
        Some((FailureKind::NoQuorum, state::no_quorum(call).await))
    } else if state::is_full(&lower) {
        Some((FailureKind::Api, state::full(call, request).await))
    } else {
        None
    }
}

/// As [`state`], or something that does not exist.
pub async fn cause(call: &Call<'_>, request: &PreparedRequest, message: &str) -> Option<(FailureKind, String)> {
    match state(call, request, message).await {
        None => Some((FailureKind::NotFound, near::missing(call, request, message).await?)),
        known => known,
    }
}

/// What the API said, sorted and completed.
async fn rejected(call: &Call<'_>, request: &PreparedRequest, rejection: &Rejection) -> Failure {
    let settings = &call.engine.settings;
    let message = &rejection.message;
    let lower = message.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let mut text = format!("The API refused: {message} (HTTP {}).", rejection.status);
    for (param, says) in &rejection.errors {
        text.push_str(&format!("\n- {}: {says}", argument(call, request, param)));
    }
    text.push_str(&format!("\nRequest: {request}"));
    let node = || state::node(call, request);
    let (kind, next) = match rejection.status {
        401 => {
            let says = if message.is_empty() { "no reason given" } else { message };
            text = match &settings.auth {
                Auth::Token { user, name, secret } => format!(
                    "Proxmox VE does not accept the API token ({says}). Check its user (now `{user}`), its name (now \
                     `{name}`) and its secret ({}, not shown): is the name spelled as under Datacenter → Permissions → API \
                     Tokens, was the secret copied whole, and has neither user nor token expired?",
                    secret.said_in("PROXMOX_TOKEN_VALUE")
                ),
                Auth::Password { user, .. } => format!(
                    "Proxmox VE does not take the ticket that it gave `{user}` for this ({says}). Do the clocks of the \
                     cluster's nodes agree, and is the user still enabled?"
                ),
            };
            (FailureKind::Unauthenticated, String::new())
        }
        403 => permission::forbidden(call, request, message).await,
        404 => (FailureKind::NotFound, near::missing(call, request, message).await.unwrap_or_default()),
        501 if has("not implemented") => (FailureKind::Api, version::unknown_call(call, request).await),
        595 => {
            let state = node().await.map(|(_, says)| says).unwrap_or_default();
            let says = "The node that answered could not reach the node that this is about; nothing was done there.";
            (FailureKind::NodeOffline, format!("{says} {state}"))
        }
        596..=599 => {
            let state = node().await.map(|(_, says)| says).unwrap_or_default();
            let says = "The node that this is about did not answer in time, or the connection to it broke off.";
            (FailureKind::NodeOffline, format!("{says} {state}"))
        }
        _ if has("hostname lookup") || has("unable to get remote ip address") || has("no such cluster node") => {
            match node().await {
                // It is another node that is not there: the one that a parameter names.
                Some((true, says)) => match near::missing(call, request, message).await {
                    Some(says) => (FailureKind::NotFound, says),
                    None => (FailureKind::NodeOffline, says),
                },
                Some((false, says)) => (FailureKind::NotFound, says),
                // What could not be read denies nothing.
                None => (
                    FailureKind::NotFound,
                    "There is no such node, or it is not known where it is; which nodes there are could not be read."
                        .to_owned(),
                ),
            }
        }
        _ if missing_guest(&lower) => (FailureKind::NotFound, whereabouts(call, request).await),
        _ if has("detected modified configuration") || has("checksum mismatch") => (
            FailureKind::Conflict,
            "It was changed by somebody else since it was read: look at what is there now and decide anew.".to_owned(),
        ),
        status => match cause(call, request, &whole(rejection)).await {
            Some(known) => known,
            None if status == 400 && !rejection.errors.is_empty() => {
                let versions = version::unknown_parameters(call, request, rejection).await;
                let next = "Call again with the named arguments put right.";
                (FailureKind::BadArguments, versions.map_or_else(|| next.to_owned(), |says| format!("{says} {next}")))
            }
            None if has("does not exist") || has("no such") => (FailureKind::NotFound, String::new()),
            None => (FailureKind::Api, String::new()),
        },
    };
    let mut steps = vec![next.trim().to_owned()];
    steps.extend(advice(call.surface, Some(rejection.status), &whole(rejection)));
    steps.retain(|step| !step.is_empty());
    steps.dedup();
    if !steps.is_empty() {
        text.push('\n');
        text.push_str(&steps.join(" "));
    }
    Failure::new(kind, text)
}

/// Message and per-parameter texts, for matching.
pub fn whole(rejection: &Rejection) -> String {
    let errors = rejection.errors.iter().map(|(param, says)| format!("{param}: {says}"));
    std::iter::once(rejection.message.clone()).chain(errors).collect::<Vec<_>>().join("\n")
}

/// Where the guest is that the API did not find at the place that was said.
async fn whereabouts(call: &Call<'_>, request: &PreparedRequest) -> String {
    let gone =
        || "There is no such guest on that node, or it moved or was deleted just now: look it up again.".to_owned();
    let params = proxmox_spec::route(request.verb, request.path()).map(|route| route.params).unwrap_or_default();
    let of = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    let Some(vmid) = of("vmid").and_then(|vmid| vmid.parse::<u32>().ok()) else { return gone() };
    // A write goes on when its caller cancels, and so does what explains its end.
    let going = tokio_util::sync::CancellationToken::new();
    let all = tokio::time::timeout(look::PATIENCE, call.engine.shared.guests.all(call.client, &going)).await;
    // What could not be read says nothing about where the guest is.
    let Ok(Ok(all)) = all else { return gone() };
    match all.iter().find(|guest| guest.vmid == vmid) {
        // Listed where it was looked for: it is being made or deleted at this moment.
        Some(guest) if of("node") == Some(guest.node.as_str()) && request.path().contains(guest.kind.as_str()) => {
            gone()
        }
        Some(guest) => format!(
            "It is elsewhere: {}. Leave `{}` and the kind out, or give them as they are.",
            guest.shown(),
            call.spelled("node")
        ),
        None => format!("There is no guest {vmid} in the cluster that this token can see: look at what there is."),
    }
}

/// Is this the API's way to say that a guest is not on the node that was asked?
pub fn missing_guest(lower: &str) -> bool {
    (lower.contains("configuration file '") && lower.contains(".conf' does not exist"))
        || lower.contains("unable to find configuration file for")
}

/// The argument behind a parameter of the API, as the caller knows it.
fn argument(call: &Call<'_>, request: &PreparedRequest, param: &str) -> String {
    let same = |name: &str| name == param || name.replace('-', "_") == param.replace('-', "_");
    let sent = request.params.iter().find(|sent| same(&sent.name));
    match sent.map(|sent| sent.argument) {
        Some("") => format!("`{param}` (set by the tool itself)"),
        Some(argument) if same(argument) || same(call.spelled(argument)) => format!("`{}`", call.spelled(argument)),
        Some(argument) => format!("`{}` (the API's `{param}`)", call.spelled(argument)),
        // Not sent: the argument that would set it, which may bear another name.
        None => {
            let arguments = call.surface.tool.arguments;
            let sets = |argument: &&Argument| argument.rule.fact.is_some_and(|fact| same(fact.param));
            let bears = |argument: &&Argument| same(argument.name) && argument.rule.fact.is_none();
            let known = arguments.iter().find(sets).or_else(|| arguments.iter().find(bears));
            match known.map(|argument| call.spelled(argument.name)) {
                Some(argument) if same(argument) => format!("`{argument}`"),
                Some(argument) => format!("`{argument}` (the API's `{param}`)"),
                None => format!("`{param}` (a parameter of the API)"),
            }
        }
    }
}
