//! From a trouble on the wire to the text that a model or a person can act on: cause, argument, next step.
//!
//! Knows the API's statuses and messages (existence is told by texts, hardly ever by 404), and what an administrator
//! would do next. Reads the list of nodes when a node is in doubt; sends nothing else.

use super::call::Call;
use super::clean;
use super::failure::{Failure, FailureKind};
use crate::catalogue;
use crate::client::{PreparedRequest, Rejection, Repeat, Trouble};
use crate::settings::{Settings, Trust};
use crate::tool::{Argument, Hint, Surface, Verb};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a look-up may take that only explains.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// What does not come from the API's own words.
pub fn connection(settings: &Settings, request: &PreparedRequest, trouble: &Trouble) -> Failure {
    let at = settings.origin();
    let (kind, text) = match trouble {
        Trouble::Fenced(text) => (FailureKind::Refused, text.clone()),
        Trouble::Setup(text) | Trouble::File(text) => (FailureKind::Local, text.clone()),
        Trouble::Dns(detail) => (
            FailureKind::Connection,
            format!(
                "The name of {at} cannot be resolved ({detail}). Check PROXMOX_HOST (--host) for a typing error, or \
                 give the node's IP address."
            ),
        ),
        Trouble::Connect(detail) => (
            FailureKind::Connection,
            format!(
                "No connection to {at}: {detail}. Is the node up, and is the API reachable from here? Check \
                 PROXMOX_HOST and PROXMOX_PORT (the API listens on 8006 unless a proxy stands in front), the firewall, \
                 and pveproxy on the node."
            ),
        ),
        Trouble::Tls { detail, presented } => (FailureKind::Tls, tls(settings, &at, detail, presented.as_deref())),
        Trouble::Timeout(milliseconds) => (
            FailureKind::Timeout,
            format!(
                "{at} did not answer {request} within {milliseconds} ms. The node may be overloaded or wait for a \
                 storage or another node; PROXMOX_TIMEOUT (--timeout) gives it longer."
            ),
        ),
        Trouble::Broken(detail) => {
            (FailureKind::Connection, format!("The connection to {at} broke off during {request}: {detail}."))
        }
        Trouble::Busy(limit) => (
            FailureKind::Busy,
            format!(
                "{limit} requests are under way already and none of them ended in time. Call fewer tools at once, and try again."
            ),
        ),
        Trouble::Cancelled => {
            (FailureKind::Cancelled, format!("The call was cancelled before {request} was answered."))
        }
        Trouble::Redirect(to) => (
            FailureKind::Connection,
            format!(
                "{at} redirects to `{to}`, which is not followed: the token is for {at} only. If that is the cluster, \
                 set PROXMOX_HOST (--host) to it."
            ),
        ),
        Trouble::Unreadable(what) => (
            FailureKind::Unreadable,
            format!(
                "What came back from {at} for {request} cannot be read: {what}. Does PROXMOX_HOST really name a Proxmox VE node?"
            ),
        ),
        Trouble::Rejected(rejection) => (FailureKind::Api, rejection.message.clone()),
    };
    let proxy = Settings::proxy().filter(|_| !settings.sandbox);
    match (trouble, proxy) {
        (Trouble::Dns(_) | Trouble::Connect(_) | Trouble::Tls { .. }, Some(variable)) => {
            let host = &settings.host;
            let around = format!(
                "{variable} is set, so connections go through that proxy, and it may be the one that cannot be reached \
                 or refuses. NO_PROXY={host} goes around it."
            );
            Failure::new(kind, format!("{text}\n{around}"))
        }
        _ => Failure::new(kind, text),
    }
}

fn tls(settings: &Settings, at: &str, detail: &str, presented: Option<&str>) -> String {
    let Some(fingerprint) = presented else {
        return format!(
            "No TLS connection to {at}: {detail}. Is it the API that listens there (port 8006 unless a proxy stands in \
             front), and does it speak https? Check PROXMOX_HOST and PROXMOX_PORT."
        );
    };
    let mut text = match &settings.trust {
        Trust::Fingerprint(pin) => format!(
            "{at} shows another certificate than the pinned one (PROXMOX_FINGERPRINT {}).",
            crate::client::hex(pin)
        ),
        Trust::CaFile(file) => format!("The certificate of {at} is not trusted by {}: {detail}.", file.display()),
        _ => format!("The certificate of {at} is not trusted: {detail}."),
    };
    text.push_str(&format!(
        " The SHA-256 fingerprint that it showed is {fingerprint}. Compare it on the node itself: `pvenode cert info`, \
         or `openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem`. Only if it is the same, set \
         PROXMOX_FINGERPRINT={fingerprint}. Or set PROXMOX_CA_FILE to a copy of /etc/pve/pve-root-ca.pem."
    ));
    text
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
    let node = || async { node_state(call, request).await };
    let (kind, next) = match rejection.status {
        401 => {
            let says = if message.is_empty() { "no reason given" } else { message };
            text = format!(
                "Proxmox VE does not accept the API token ({says}). Check PROXMOX_USER (now `{}`), PROXMOX_TOKEN_NAME \
                 (now `{}`) and PROXMOX_TOKEN_VALUE (not shown): is the name spelled as under Datacenter → Permissions \
                 → API Tokens, was the secret copied whole, and has neither user nor token expired?",
                settings.user, settings.token_name
            );
            (FailureKind::Unauthenticated, String::new())
        }
        403 => (FailureKind::Forbidden, forbidden(settings, request, message)),
        400 if !rejection.errors.is_empty() => {
            (FailureKind::BadArguments, "Call again with the named arguments put right.".to_owned())
        }
        404 => (FailureKind::NotFound, String::new()),
        501 if has("not implemented") => (FailureKind::Api, too_old(request)),
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
                Some((true, says)) => (FailureKind::NodeOffline, says),
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
        _ if has("is locked (") || has("can't lock file") || has("trying to acquire lock") => {
            let lock = message.split_once('(').and_then(|(_, rest)| Some(rest.split_once(')')?.0));
            let next = match lock.filter(|_| has("is locked (")) {
                Some(lock) => {
                    format!("The guest holds the lock `{lock}`: that operation runs, or broke off and left it.")
                }
                None => "Another task works on the guest at this moment.".to_owned(),
            };
            (FailureKind::Locked, next)
        }
        _ if has("no quorum") => (
            FailureKind::NoQuorum,
            "The cluster has no quorum, so nothing can be changed until enough nodes are back.".to_owned(),
        ),
        _ if has("detected modified configuration") || has("checksum mismatch") => (
            FailureKind::Conflict,
            "It was changed by somebody else since it was read: look at what is there now and decide anew.".to_owned(),
        ),
        _ if has("does not exist") || has("no such") => (FailureKind::NotFound, String::new()),
        _ => (FailureKind::Api, String::new()),
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
    let going = CancellationToken::new();
    let all = tokio::time::timeout(PATIENCE, call.engine.guests.all(call.client, &going)).await;
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

/// The advice of the tool and of the catalogue for this error: the closest that fits of each, so that "guest agent is
/// not running" is not taken for "not running".
pub fn advice(surface: &Surface, status: Option<u16>, message: &str) -> Vec<String> {
    let closest = |hints: &'static [Hint]| {
        let fitting = hints.iter().filter(|hint| fits(hint, status, message));
        fitting.reduce(|best, hint| if hint.has.len() > best.has.len() { hint } else { best })
    };
    let (own, common) = (closest(surface.tool.hints), closest(catalogue::HINTS));
    let mut says: Vec<String> =
        own.into_iter().chain(common).map(|hint| catalogue::in_words_of(surface, hint.say)).collect();
    says.dedup();
    says
}

/// Does a hint concern this error? A hint without a status also fits the end of a task.
pub fn fits(hint: &Hint, status: Option<u16>, message: &str) -> bool {
    hint.status.is_none_or(|wanted| status == Some(wanted)) && message.to_lowercase().contains(&hint.has.to_lowercase())
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

/// Which privilege is missing where, and how it is given.
fn forbidden(settings: &Settings, request: &PreparedRequest, message: &str) -> String {
    let token = format!("{}!{}", settings.user, settings.token_name);
    if message.contains("root@pam") {
        return format!(
            "Only root@pam with a password may do this; no API token ever can, also not `{token}`. A person does it in \
             the web interface or on the node."
        );
    }
    if message.contains("not available with API token") {
        return "The API refuses every token for this call; a person does it in the web interface.".to_owned();
    }
    let route = proxmox_spec::route(request.verb, request.path());
    let inside = message.split_once('(').and_then(|(_, rest)| Some(rest.rsplit_once(')')?.0));
    let parts = inside.and_then(|inside| inside.split_once(", ")).filter(|(path, _)| path.starts_with('/'));
    let (path, privilege) = match parts {
        Some((path, privileges)) => (path.to_owned(), privileges.replace('|', " or ")),
        None => {
            let needed = route.map(|route| route.method.permissions);
            let mut names: Vec<&str> =
                needed.map(|needed| [needed.privileges, needed.privileges_in_code].concat()).unwrap_or_default();
            names.sort_unstable();
            names.dedup();
            let names = if names.is_empty() { "more privileges".to_owned() } else { names.join(", ") };
            ("the object it is about".to_owned(), format!("(some of) {names}"))
        }
    };
    let path_argument = if path.starts_with('/') { path.as_str() } else { "PATH" };
    format!(
        "The token `{token}` lacks {privilege} on {path}. Somebody with Permissions.Modify gives it a role that holds the \
         privilege, e.g. `pveum acl modify {path_argument} --tokens '{token}' --roles ROLE`; with privilege separation \
         the user `{}` needs it as well.",
        settings.user
    )
}

fn too_old(request: &PreparedRequest) -> String {
    match proxmox_spec::route(request.verb, request.path()) {
        Some(route) => format!(
            "This Proxmox VE does not have the call; it is there since version {}.",
            clean::line(route.method.since, 20)
        ),
        None => "The API has no such call.".to_owned(),
    }
}

/// Whether the node in the request's path is one of the cluster's, and what to say about it.
async fn node_state(call: &Call<'_>, request: &PreparedRequest) -> Option<(bool, String)> {
    let route = proxmox_spec::route(request.verb, request.path())?;
    let (_, node) = route.params.into_iter().find(|(name, _)| *name == "node")?;
    let list = PreparedRequest::plain(Verb::Get, "/nodes");
    let going = CancellationToken::new();
    let reply = tokio::time::timeout(PATIENCE, call.client.get(&list, Repeat::Freely, &going)).await.ok()?.ok()?;
    let rows = reply.data.as_array()?;
    let text = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).map(|text| clean::line(text, 64));
    let nodes: Vec<(String, String)> = rows
        .iter()
        .filter_map(|row| Some((text(row, "node")?, text(row, "status").unwrap_or_else(|| "unknown".to_owned()))))
        .collect();
    if let Some((_, status)) = nodes.iter().find(|(name, _)| *name == node) {
        return Some((true, format!("The node `{node}` is {status}.")));
    }
    let names: Vec<&str> = nodes.iter().map(|(name, _)| name.as_str()).collect();
    let near = proxmox_spec::nearest(&node, names.iter().copied());
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    Some((false, format!("There is no node `{node}`.{near} The nodes are: {}.", names.join(", "))))
}
