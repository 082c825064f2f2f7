//! Any method of the API as one plan: a path and parameters, checked against the facts before anything is sent.
//!
//! Knows the facts and how a caller writes a path; how dangerous a method is, its verdict in the facts and the plan
//! gate say. Pure, like every plan.

mod path;

use super::named;
use crate::arguments::{BadArguments, Fields};
use crate::catalogue;
use crate::plan::{Locate, Param, Plan, Raise, Request};
use crate::tool::{Answer, Argument, Returns};
use path::Target;
pub(super) use path::{trimmed, unknown};
use proxmox_spec::{Kind, Method, Type, Upid, Verb};
use serde_json::Map;
use std::borrow::Cow;

/// The key of what the API answered.
const DATA: &str = "data";

static LIST: Returns = Returns { form: Answer::List(DATA), ..Returns::NONE };
static VALUE: Returns = Returns { form: Answer::Value(DATA), ..Returns::NONE };
static DONE: Returns = Returns { form: Answer::Done, ..Returns::NONE };
static TASK: Returns = Returns { form: Answer::Task, ..Returns::NONE };

/// Any call of the API, with the method's own verdict in the place of a reviewed tool's.
///
/// # Errors
/// No such path or method, one that cannot go this way, or parameters that the API would not take.
pub fn request(f: &mut Fields<'_>, arguments: &'static [Argument]) -> Result<Plan, BadArguments> {
    let argument = |name: &str| named(arguments, name);
    let verb = argument("method").and_then(|one| f.text(one)).and_then(|text| Verb::parse(&text));
    let path = argument("path").and_then(|one| f.text(one));
    let mut given = match argument("params") {
        Some(one) if f.given(one) => f.object(one).unwrap_or_default(),
        _ => Map::new(),
    };
    let found = match (argument("path"), verb, path) {
        (Some(one), Some(verb), Some(path)) => {
            path::find(verb, &path, &mut given).map_err(|wrong| f.refuse(one, wrong)).ok()
        }
        _ => None,
    };
    let limit = argument("limit").and_then(|one| f.integer(one)).and_then(|limit| u64::try_from(limit).ok());
    let offset = argument("offset").and_then(|one| f.integer(one)).and_then(|offset| u64::try_from(offset).ok());
    let fields = argument("fields").and_then(|one| f.list(one));
    let wait = argument("wait").and_then(|one| f.integer(one)).and_then(|wait| u64::try_from(wait).ok());
    let Some(Target { method, path }) = found else {
        f.finish()?;
        return Err(f.refused());
    };
    if let (Some(one), Some(wrong)) = (argument("path"), impossible(method)) {
        f.refuse(one, wrong);
        return Err(f.refused());
    }
    let pairs = argument("params").and_then(|one| f.params(one, method, given)).unwrap_or_default();
    f.finish()?;
    let mut request = Request::new(method.verb, path);
    for (name, value) in pairs.pairs {
        let secret = pairs.secret.contains(&name);
        request.params.push(Param { name: Cow::Owned(name), value, argument: "", secret });
    }
    let mut plan = Plan::new(Locate::Nothing);
    plan.route(None, request, returns(method));
    let verdict = method.verdict();
    plan.raises.push(Raise { argument: "", tier: verdict.tier, effect: verdict.effect, because: verdict.because });
    plan.view.limit = limit;
    plan.view.offset = offset.unwrap_or_default();
    plan.view.fields = fields.unwrap_or_default();
    plan.wait = wait;
    Ok(plan)
}

/// Why a method cannot be called this way, and what to do instead.
pub(super) fn impossible(method: &Method) -> Option<String> {
    let call = format!("{} {}", method.verb, method.path);
    let upload = || {
        let of = |tool: &&crate::tool::Tool| tool.routes.iter().any(|route| route.path == method.path);
        catalogue::TOOLS.iter().find(of).map(|tool| format!("; use `{}`", tool.name)).unwrap_or_default()
    };
    match method.kind {
        Kind::Upload => return Some(format!("{call} takes a file, which does not go this way{}", upload())),
        Kind::Download => {
            return Some(format!(
                "{call} answers with a file, and no answer here can hold one; a person uses the web UI"
            ));
        }
        Kind::Websocket | Kind::ConsoleTicket => {
            return Some(format!("{call} opens a console, and no call here can hold one; a person uses the web UI"));
        }
        Kind::Plain => {}
    }
    if method.verb != Verb::Get && method.returns.fields.iter().any(|(_, shape)| shape.secret) {
        return Some(format!(
            "{call} answers with a credential, and none passes through an assistant; a person uses the web UI or pvesh"
        ));
    }
    None
}

/// Who alone can call a method, whatever privileges others have; `None` = it depends on privileges.
pub(super) fn barred(method: &Method) -> Option<String> {
    let call = format!("{} {}", method.verb, method.path);
    if !method.allow_token {
        return Some(format!("{call} refuses API tokens; a person logs in with a password for it"));
    }
    let root = || format!("{call} is for root@pam itself, logged in with a password; no API token ever may");
    method.permissions.root_only.then(root)
}

/// How the declared answer is shown.
fn returns(method: &'static Method) -> &'static Returns {
    match (method.verb, method.upid, method.returns.ty) {
        (Verb::Get, _, Type::Array) => &LIST,
        (_, Upid::Never, Type::Null) => &DONE,
        (Verb::Get, ..) => &VALUE,
        (_, Upid::Always | Upid::Optional, _) => &TASK,
        (_, _, Type::Null) => &DONE,
        _ => &VALUE,
    }
}
