//! Closing what a plan left open: which guest, where, of which kind; values and guards that only the cluster knows.
//!
//! Sends nothing but GETs. Knows plans and look-ups; errors name the argument and what would be right.

use super::call::Call;
use super::clean;
use super::explain;
use super::failure::{Failure, FailureKind};
use super::guards;
use super::guests::Guest;
use super::located::{Located, Reads, fill};
use crate::arguments::{ArchiveRef, GuestId, GuestRef, Segment};
use crate::catalogue;
use crate::client::{PreparedRequest, Repeat};
use crate::plan::{Ask, Locate, Open, Plan, PlannedRoute};
use crate::settings::Fences;
use crate::tool::{Kind, Verb};
use serde_json::{Map, Value};

/// Where the API tells a free id, and whether one is free.
const NEXT_ID: &str = "/cluster/nextid";
/// So many ids that the token cannot see are passed over.
const TRIES: usize = 50;

/// A plan with nothing open.
#[derive(Debug)]
pub struct Resolved<'p> {
    pub located: Located,
    pub route: &'p PlannedRoute,
    pub request: PreparedRequest,
    pub also: Vec<PreparedRequest>,
    /// What was there before, under the field that shows it.
    pub previous: Option<(&'static str, Map<String, Value>)>,
    pub notes: Vec<String>,
    /// A value of the request was chosen by the cluster, so another one may be tried.
    pub chosen: bool,
}

/// Closes every open place of the plan.
///
/// # Errors
/// The guest or archive cannot be told, a guard found something else than expected, or a read failed.
pub async fn resolve<'p>(call: &Call<'_>, plan: &'p Plan) -> Result<Resolved<'p>, Failure> {
    let mut located = match &plan.locate {
        Locate::Nothing => Located::default(),
        Locate::Guest(guest) => locate(call, plan, guest).await?,
        Locate::Archive(archive, ask) => archive_kind(call, archive, ask).await?,
    };
    let route = choose(call, plan, &located)?;
    if route.open().any(|open| matches!(open, Open::GuestRunning)) {
        located.running = Some(is_running(call, &located).await?);
    }
    let mut reads = Reads::default();
    for open in route.open() {
        if let Open::Read(path) = open
            && !reads.values.iter().any(|(known, _)| known == path)
        {
            let fenced = *path == NEXT_ID && call.engine.settings.fences.iter().any(|fences| fences.guests.is_set());
            let value = if fenced { free_id(call).await? } else { scalar(call, path).await? };
            reads.values.push((path, value));
        }
    }
    let mut notes = Vec::new();
    // Guards compare with the finished request, so they come after it; what they read goes into it.
    let draft = fill(&route.request, &located, &reads)?;
    let mut previous = None;
    for guard in &plan.guards {
        let found = guards::check(call, guard, &draft, &located, &reads, route.kind).await?;
        reads.digest = found.digest.or(reads.digest);
        previous = found.previous.or(previous);
        notes.extend(found.note);
    }
    let request = fill(&route.request, &located, &reads)?;
    let also = route.also.iter().map(|also| fill(&also.request, &located, &reads)).collect::<Result<_, _>>()?;
    Ok(Resolved { located, route, request, also, previous, notes, chosen: !reads.values.is_empty() })
}

/// Whether the guest runs right now: the listing of the cluster is up to ten seconds behind.
async fn is_running(call: &Call<'_>, located: &Located) -> Result<bool, Failure> {
    let (Some(node), Some(kind), Some(vmid)) = (&located.node, located.kind, located.vmid) else {
        return Ok(located.running == Some(true));
    };
    let mut request = PreparedRequest::new(Verb::Get);
    request.literal("nodes");
    request.segment(node);
    request.literal(kind.as_str());
    request.literal(&vmid.to_string());
    request.literal("status");
    request.literal("current");
    let reply = call.read(&request, Repeat::Freely).await?;
    match reply.data.get("status").and_then(Value::as_str) {
        Some(status) => Ok(status == "running"),
        None => Err(Failure::new(
            FailureKind::Unreadable,
            format!("{request} did not tell whether the guest runs. Nothing was changed."),
        )),
    }
}

/// The scalar that a GET answers with.
async fn scalar(call: &Call<'_>, path: &'static str) -> Result<String, Failure> {
    let request = PreparedRequest::plain(Verb::Get, path);
    match call.read(&request, Repeat::Freely).await?.data {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Failure::new(
            FailureKind::Unreadable,
            format!("GET {path} did not answer with a single value. Nothing was changed."),
        )),
    }
}

/// The lowest id that is not below `from` and inside of all fences.
fn lowest(fences: &[Fences], from: u32) -> Option<u32> {
    let mut vmid = from;
    loop {
        let next = fences.iter().try_fold(vmid, |vmid, fences| fences.guests.lowest(vmid))?;
        if next == vmid {
            return Some(vmid);
        }
        vmid = next;
    }
}

/// The lowest free id that the fences let through. The API knows ids that the token cannot see, so it is asked as well.
async fn free_id(call: &Call<'_>) -> Result<String, Failure> {
    let guests = call.guests().await?;
    let mut from = 0;
    for _ in 0..TRIES {
        let mut next = lowest(&call.engine.settings.fences, from);
        while let Some(taken) = next.filter(|vmid| guests.iter().any(|guest| guest.vmid == *vmid)) {
            next = lowest(&call.engine.settings.fences, taken.saturating_add(1));
        }
        let Some(vmid) = next else { break };
        let request = PreparedRequest::plain(Verb::Get, NEXT_ID).with("vmid", vmid.to_string());
        match call.try_read(&request, Repeat::Freely).await {
            Ok(_) => return Ok(vmid.to_string()),
            Err(trouble) if trouble.rejection().is_some_and(|rejection| rejection.status == 400) => {
                from = vmid.saturating_add(1);
            }
            Err(trouble) => return Err(explain::failure(call, &request, &trouble).await),
        }
    }
    let fences = call.engine.settings.fences.iter().map(|fences| fences.told(|key| key.ends_with("_guests")));
    let fences = fences.filter(|told| !told.is_empty()).collect::<Vec<_>>().join(", ");
    let says = format!(
        "No id for the new guest is free inside the fences of this server ({fences}). Delete a guest there, give an id that \
         is known to be free, or ask whoever runs the server to widen the range. Nothing was sent."
    );
    Err(Failure::new(FailureKind::Fenced, says))
}

async fn locate(call: &Call<'_>, plan: &Plan, guest: &GuestRef) -> Result<Located, Failure> {
    let reads = plan.routes.iter().all(|route| route.request.verb == Verb::Get);
    let asks_state = plan.routes.iter().any(|route| route.open().any(|open| matches!(open, Open::GuestRunning)));
    let said = |kind: Option<Kind>| match (&guest.guest, &guest.node, kind) {
        (GuestId::Id(vmid), Some(node), Some(kind)) => {
            Some(Located { node: Some(node.clone()), vmid: Some(*vmid), kind: Some(kind), running: None })
        }
        _ => None,
    };
    if reads
        && !asks_state
        && let Some(located) = said(guest.kind)
    {
        return Ok(located);
    }
    // A listing of a few seconds ago is enough to find a guest, and never enough to deny one.
    if reads
        && let Some(known) = call.engine.shared.guests.known()
        && let Ok(located) = listed(call, &known, guest)
    {
        return Ok(located);
    }
    let all = call.guests().await?;
    match said(guest.kind.or_else(|| plan.only_kind())) {
        // Not listed to this token, perhaps; as all is said the API may answer.
        Some(located) if matching(&all, guest).is_empty() => Ok(located),
        _ => listed(call, &all, guest),
    }
}

/// The one guest of a listing that is meant.
fn listed(call: &Call<'_>, all: &[Guest], guest: &GuestRef) -> Result<Located, Failure> {
    match matching(all, guest).as_slice() {
        [] => Err(unknown(all, guest)),
        [one] => agree(call, one, guest),
        several => Err(ambiguous(several, guest)),
    }
}

/// The guests that may be meant. A name is looked for as written, then in any case; node and kind choose among several.
fn matching<'a>(all: &'a [Guest], guest: &GuestRef) -> Vec<&'a Guest> {
    let found: Vec<&Guest> = match &guest.guest {
        GuestId::Id(vmid) => all.iter().filter(|row| row.vmid == *vmid).collect(),
        GuestId::Name(name) => {
            let exact: Vec<&Guest> = all.iter().filter(|row| row.name == *name).collect();
            if exact.is_empty() {
                all.iter().filter(|row| row.name.eq_ignore_ascii_case(name)).collect()
            } else {
                exact
            }
        }
    };
    if found.len() < 2 {
        return found;
    }
    let fits = |row: &&&Guest| {
        guest.kind.is_none_or(|kind| kind == row.kind)
            && guest.node.as_ref().is_none_or(|node| node.as_str() == row.node)
    };
    let narrowed: Vec<&Guest> = found.iter().filter(fits).copied().collect();
    if narrowed.is_empty() { found } else { narrowed }
}

fn named(guest: &GuestRef) -> String {
    match &guest.guest {
        GuestId::Id(vmid) => format!("with the id {vmid}"),
        GuestId::Name(name) => format!("named `{}`", clean::line(name, 64)),
    }
}

fn unknown(all: &[Guest], guest: &GuestRef) -> Failure {
    let near: Vec<&Guest> = match &guest.guest {
        GuestId::Id(vmid) => {
            let text = vmid.to_string();
            let ids: Vec<String> = all.iter().map(|row| row.vmid.to_string()).collect();
            let near = proxmox_spec::nearest(&text, ids.iter().map(String::as_str)).filter(|_| text.len() > 3);
            all.iter().filter(|row| near == Some(row.vmid.to_string().as_str())).collect()
        }
        GuestId::Name(name) => {
            let part = |row: &&Guest| row.name.to_lowercase().contains(&name.to_lowercase());
            let near = proxmox_spec::nearest(name, all.iter().map(|row| row.name.as_str()));
            let nearest = all.iter().filter(|row| near == Some(row.name.as_str()));
            let mut rows: Vec<&Guest> = nearest.chain(all.iter().filter(part)).collect();
            rows.dedup();
            rows
        }
    };
    let mut text = format!("There is no guest {} that this token can see.", named(guest));
    if !near.is_empty() {
        let near: Vec<String> = near.iter().take(5).map(|row| row.shown()).collect();
        text.push_str(&format!(" Did you mean {}?", near.join(", or ")));
    } else if all.is_empty() {
        text.push_str(" It sees none at all: it needs the privilege VM.Audit on /vms.");
    } else {
        let some: Vec<String> = all.iter().take(10).map(|row| row.shown()).collect();
        let rest = if all.len() > some.len() { format!(" and {} more", all.len() - some.len()) } else { String::new() };
        text.push_str(&format!(" There are: {}{rest}.", some.join(", ")));
    }
    Failure::new(FailureKind::NotFound, text)
}

fn ambiguous(several: &[&Guest], guest: &GuestRef) -> Failure {
    let shown: Vec<String> = several.iter().map(|row| row.shown()).collect();
    let text = format!(
        "{} guests are {}: {}. Say which one by its id, or add its node or kind.",
        several.len(),
        named(guest),
        shown.join("; ")
    );
    Failure::new(FailureKind::Ambiguous, text)
}

/// What was looked up must be what was said.
fn agree(call: &Call<'_>, found: &Guest, guest: &GuestRef) -> Result<Located, Failure> {
    let wrong = |says: String| Err(Failure::new(FailureKind::BadArguments, says));
    if let Some(node) = &guest.node
        && node.as_str() != found.node
    {
        return wrong(format!(
            "The guest {} is not on the node `{node}`: it is {}. Leave the node out, or give `{}`.",
            named(guest),
            found.shown(),
            found.node
        ));
    }
    if let Some(kind) = guest.kind
        && kind != found.kind
    {
        if guest.preset {
            let instead = other_name(call, found.kind);
            return wrong(format!(
                "`{}` is for one kind of guest only, a {}, but {} is a {}. Use `{instead}` for it.",
                call.surface.name,
                kind.noun(),
                found.shown(),
                found.kind.noun()
            ));
        }
        return wrong(format!(
            "The guest {} is a {} ({}), not a {}: {}. Leave the kind out, or say `{}`.",
            named(guest),
            found.kind.noun(),
            found.kind.as_str(),
            kind.noun(),
            found.shown(),
            found.kind.as_str()
        ));
    }
    let node = Segment::new(found.node.as_str()).map_err(|bad| {
        Failure::new(FailureKind::Unreadable, format!("the listed node of {} {bad}. Nothing was changed.", found.vmid))
    })?;
    let running = Some(found.status == "running");
    Ok(Located { node: Some(node), vmid: Some(found.vmid), kind: Some(found.kind), running })
}

/// The name of the same tool that takes this kind: in the same dialect, else the canonical one.
fn other_name(call: &Call<'_>, kind: Kind) -> &'static str {
    // Only the value that the called name fixes to a kind is one; another argument may hold the same word.
    let of_kind = |name: &str, value: &str| {
        let kinds = call.surface.tool.arguments.iter().find(|argument| argument.name == name);
        kinds.is_some_and(|argument| argument.rule.values == [Kind::Qemu.as_str(), Kind::Lxc.as_str()])
            && value.trim_matches('"') == kind.as_str()
    };
    let fixes = |surface: &crate::tool::Surface| surface.preset.iter().any(|(name, value)| of_kind(name, value));
    let same = |surface: &&crate::tool::Surface| {
        surface.tool.name == call.surface.tool.name && surface.dialect == call.surface.dialect && fixes(surface)
    };
    catalogue::SURFACES.iter().find(same).map_or(call.surface.tool.name, |surface| surface.name)
}

/// The route for what was located, if the tool has one and the arguments fit it.
fn choose<'p>(call: &Call<'_>, plan: &'p Plan, located: &Located) -> Result<&'p PlannedRoute, Failure> {
    let bad = |says: String| Failure::new(FailureKind::BadArguments, says);
    let it = || match (located.vmid, located.kind) {
        (Some(vmid), Some(kind)) => format!("{vmid} is a {}", kind.noun()),
        (None, Some(kind)) => format!("this is a {}", kind.noun()),
        _ => "the kind is not known".to_owned(),
    };
    let Some(route) = plan.route_for(located.kind) else {
        let why = call.surface.tool.unsupported.iter().find(|(kind, _)| Some(*kind) == located.kind);
        let why = why.map_or("The API has no such call for this kind of guest.", |(_, why)| why);
        let why = catalogue::in_words_of(call.surface, why);
        return Err(bad(format!("`{}` cannot be used here: {}. {why} Nothing was sent.", call.surface.name, it())));
    };
    let strange: Vec<String> = plan
        .only
        .iter()
        .filter(|(_, kind)| located.kind.is_some_and(|located| located != *kind))
        .map(|(argument, kind)| format!("`{}` is for a {} only", call.spelled(argument), kind.noun()))
        .collect();
    if !strange.is_empty() {
        return Err(bad(format!("{}, and {}. Call again without it. Nothing was sent.", strange.join("; "), it())));
    }
    Ok(route)
}

/// The kind of guest in an archive: by its name, else as said, else by the storage's listing.
async fn archive_kind(call: &Call<'_>, archive: &ArchiveRef, ask: &Ask) -> Result<Located, Failure> {
    let located = |kind| Located { kind: Some(kind), ..Located::default() };
    let argument = call.spelled(ask.argument);
    match (archive.volid.kind(), archive.kind) {
        (Some(kind), Some(said)) if kind != said => {
            return Err(Failure::new(
                FailureKind::BadArguments,
                format!(
                    "The archive {} holds a {}, but `{argument}` says {}. Leave `{argument}` out. Nothing was sent.",
                    archive.volid.full(),
                    kind.noun(),
                    said.as_str()
                ),
            ));
        }
        (Some(kind), _) | (None, Some(kind)) => return Ok(located(kind)),
        (None, None) => {}
    }
    let request = fill(&ask.request, &Located::default(), &Reads::default())?;
    let reply = call.read(&request, Repeat::Freely).await?;
    let rows = reply.data.as_array().map(Vec::as_slice).unwrap_or_default();
    let (field, wanted) = &ask.row;
    let of = |row: &Value| row.get(*field).and_then(Value::as_str).map(str::to_owned);
    let Some(row) = rows.iter().find(|row| of(row).as_deref() == Some(wanted)) else {
        let names: Vec<String> = rows.iter().filter_map(of).collect();
        let near = proxmox_spec::nearest(wanted, names.iter().map(String::as_str));
        let near = near.map(|near| format!(" Did you mean `{}`?", clean::line(near, 200))).unwrap_or_default();
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("There is no `{wanted}` in the answer of {request}.{near} Nothing was changed."),
        ));
    };
    match row.get(ask.field).and_then(Value::as_str).and_then(Kind::parse) {
        Some(kind) => Ok(located(kind)),
        None => Err(Failure::new(
            FailureKind::BadArguments,
            format!(
                "Neither the name of `{wanted}` nor the storage tells what kind of guest it holds: say `{argument}`, \
                 qemu for a virtual machine or lxc for a container. Nothing was sent."
            ),
        )),
    }
}
