//! Calls to try a value in: an example of the catalogue in the words of a surface, with one argument set.
//!
//! Knows examples and dialects; must not know what is tried.

use crate::{EXAMPLES, Example};
use proxmox_mcp::arguments::{BadArguments, Fields};
use proxmox_mcp::catalogue::SURFACES;
use proxmox_mcp::engine::{Given, prepare_with};
use proxmox_mcp::plan::{Locate, Plan};
use proxmox_mcp::tool::{Argument, Form, Kind, Surface};
use serde_json::{Map, Value, json};

/// A finished request, as the client would send it.
pub struct Sent {
    pub template: String,
    pub in_path: Vec<String>,
    /// Wire name, values, the argument they come from.
    pub params: Vec<(String, Vec<String>, &'static str)>,
}

/// What this surface calls an argument.
pub fn spelled(surface: &'static Surface, argument: &str) -> String {
    let renamed = surface.rename.iter().find(|(_, canonical)| *canonical == argument);
    renamed.map_or(argument, |(theirs, _)| theirs).to_owned()
}

/// The arguments that a caller of this surface can give.
pub fn arguments(surface: &'static Surface) -> impl Iterator<Item = &'static Argument> {
    let listed: Value = serde_json::from_str(surface.input_schema).expect("JSON");
    surface
        .tool
        .arguments
        .iter()
        .filter(move |argument| listed["properties"].get(spelled(surface, argument.name)).is_some())
}

/// The dialect's own words for values of an argument: theirs, ours (null = as if left out).
pub fn words(surface: &'static Surface, argument: &str) -> Vec<(Value, Value)> {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let rows = surface.values.iter().filter(|(of, ..)| *of == argument);
    rows.map(|(_, theirs, ours)| (json(theirs), json(ours))).collect()
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("an object")
}

/// An example's arguments as this surface spells them.
fn translated(surface: &'static Surface, example: &Example) -> Map<String, Value> {
    let fixed = |name: &str| surface.preset.iter().any(|(preset, _)| *preset == name);
    let ours = object(example.args).into_iter().filter(|(name, _)| !fixed(name));
    ours.map(|(name, value)| {
        let theirs = words(surface, &name).into_iter().find(|(_, ours)| *ours == value).map(|(theirs, _)| theirs);
        (spelled(surface, &name), theirs.unwrap_or(value))
    })
    .collect()
}

/// The calls of a surface in which a value of this argument can be tried, the shortest first: what is required and no
/// more, then the examples that have the argument, then the others.
pub fn around(surface: &'static Surface, argument: &'static Argument) -> Vec<Map<String, Value>> {
    let mut examples: Vec<&Example> = EXAMPLES.iter().filter(|example| example.tool == surface.tool.name).collect();
    let arguments = |example: &&Example| object(example.args);
    examples.sort_by_key(|one| (!arguments(one).contains_key(argument.name), arguments(one).len()));
    let mut calls: Vec<_> = examples.into_iter().map(|example| translated(surface, example)).collect();
    let mut least = calls[0].clone();
    least.retain(|name, _| {
        let of = surface.tool.arguments.iter().find(|one| spelled(surface, one.name) == *name);
        of.is_none_or(|one| one.required || one.form == Form::File)
    });
    calls.insert(0, least);
    calls.into_iter().map(|call| fitted(surface, argument, call)).collect()
}

/// Without the argument itself, with what it needs, and without what would speak against it.
fn fitted(surface: &'static Surface, argument: &'static Argument, mut call: Map<String, Value>) -> Map<String, Value> {
    call.shift_remove(&spelled(surface, argument.name));
    let other = |form: Form| surface.tool.arguments.iter().find(|one| one.form == form && one.name != argument.name);
    if let Some(need) = argument.needs {
        let needed = surface.tool.arguments.iter().find(|one| one.name == need.argument).expect("a needed argument");
        call.insert(spelled(surface, need.argument), anything(needed));
    }
    // A volume of the samples is on `local`, and a file comes one way.
    if argument.form == Form::Volid {
        for storage in surface.tool.arguments.iter().filter(|one| one.rule.format == Some("pve-storage-id")) {
            let needing = surface.tool.arguments.iter();
            let needing = needing.filter(|one| one.needs.is_some_and(|need| need.argument == storage.name));
            for one in needing.chain([storage]).filter(|one| !one.required) {
                call.shift_remove(&spelled(surface, one.name));
            }
        }
    }
    if is_file_path(surface, argument) {
        other(Form::File).map(|file| call.shift_remove(&spelled(surface, file.name)));
    }
    call
}

/// A node beside a task id must be the task's own.
pub fn agree(surface: &'static Surface, argument: &'static Argument, value: &Value, call: &mut Map<String, Value>) {
    let task = surface.tool.arguments.iter().find(|one| one.form == Form::Upid);
    if let (Some(task), Some(node), "node") = (task, value.as_str(), argument.name) {
        let upid = format!("UPID:{node}:00001020:04978980:6AE583E0:qmstart:100:root@pam:");
        call.insert(spelled(surface, task.name), json!(upid));
    }
}

/// The path half of a file: a text beside it that is no parameter and in no path.
pub fn is_file_path(surface: &'static Surface, argument: &'static Argument) -> bool {
    surface.tool.arguments.iter().any(|one| one.form == Form::File) && argument.name == "path"
}

/// Any good value.
pub fn anything(argument: &'static Argument) -> Value {
    match argument.form {
        Form::Boolean => json!(true),
        Form::Integer | Form::Number => json!(argument.rule.minimum.unwrap_or(1.0) as i64),
        _ => match argument.rule.values {
            [first, ..] => json!(first),
            [] if argument.rule.format == Some("pve-storage-id") => json!("local-lvm"),
            [] => json!("abc"),
        },
    }
}

pub fn decode(surface: &'static Surface, call: &Map<String, Value>) -> Result<Plan, BadArguments> {
    (surface.tool.plan)(&mut Fields::new(surface, Some(call)))
}

/// The kinds of guest that a call can end at, `None` where no kind is in play; empty where the API has no such call.
pub fn kinds(plan: &Plan) -> Vec<Option<Kind>> {
    let said = match &plan.locate {
        Locate::Guest(guest) => guest.kind,
        Locate::Archive(archive, _) => archive.volid.kind().or(archive.kind),
        Locate::Nothing => None,
    };
    let kinds: Vec<Option<Kind>> = plan.routes.iter().map(|route| route.kind).collect();
    let mut kinds: Vec<_> = kinds
        .into_iter()
        .filter(|kind| kind.is_none() || said.is_none() || *kind == said)
        .filter(|kind| plan.only.iter().all(|(_, only)| kind.is_none() || Some(*only) == *kind))
        .collect();
    kinds.dedup();
    kinds
}

/// The requests of a plan, with a cluster that says whatever is asked.
pub fn sent(plan: &Plan, kind: Option<Kind>) -> Result<Vec<Sent>, String> {
    let given = Given {
        node: Some("pve9".to_owned()),
        kind,
        vmid: match &plan.locate {
            Locate::Guest(guest) => match guest.guest {
                proxmox_mcp::arguments::GuestId::Id(_) => None,
                proxmox_mcp::arguments::GuestId::Name(_) => Some(777),
            },
            _ => None,
        },
        nextid: Some("888".to_owned()),
        running: Some(true),
        digest: Some("0123abcd".to_owned()),
    };
    let requests = prepare_with(plan, &given).map_err(|failure| failure.to_string())?;
    requests
        .into_iter()
        .map(|request| {
            let route = proxmox_spec::route(request.verb, request.path());
            let route = route.ok_or_else(|| format!("no method for {} {}", request.verb, request.path()))?;
            for param in &request.params {
                let values: Vec<&str> = param.values.iter().map(String::as_str).collect();
                let known = route.method.param(&param.name);
                let known =
                    known.ok_or_else(|| format!("{} {} has no `{}`", request.verb, route.method.path, param.name))?;
                proxmox_spec::check::value_list(known, &param.name, &values)
                    .map_err(|bad| format!("the API refuses {}={values:?}: {}", param.name, bad.plain()))?;
            }
            for (name, value) in &route.params {
                let known = route.method.param(name).ok_or_else(|| format!("{} has no `{name}`", route.method.path))?;
                proxmox_spec::check::value(known, value)
                    .map_err(|bad| format!("the API refuses {{{name}}} = {value}: {}", bad.plain()))?;
            }
            Ok(Sent {
                template: format!("{} {}", request.verb, route.method.path),
                in_path: route.params.iter().map(|(_, value)| value.clone()).collect(),
                params: request
                    .params
                    .into_iter()
                    .map(|one| (one.name.into_owned(), one.values, one.argument))
                    .collect(),
            })
        })
        .collect()
}

/// All surfaces; canonical ones first. What a plan made by hand takes stands in no facts, and has tests of its own.
pub fn surfaces() -> impl Iterator<Item = &'static Surface> {
    SURFACES.iter().filter(|surface| !surface.tool.handled)
}
