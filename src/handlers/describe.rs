//! What a method of the API takes and answers, what it needs and what it does.
//!
//! Knows how to say this shortly: a method with a hundred parameters names them, and tells more of those that are asked
//! for. What is said comes from the facts; how dangerous a call is, from the verdict that the call itself goes by.

mod text;

use super::named;
use super::request::{barred, impossible, unknown};
use crate::arguments::{BadArguments, Fields, printable};
use crate::plan::{Instead, Locate, Plan};
use crate::tool::Argument;
use proxmox_spec::{Method, Param, Upid, Verb};
use serde_json::{Map, Value};

/// A method with more parameters than this names those that are not required.
const MANY: usize = 24;

/// Describes one method.
///
/// # Errors
/// No such path, no such method on it, or no such parameter.
pub fn describe_method(f: &mut Fields<'_>, arguments: &'static [Argument]) -> Result<Plan, BadArguments> {
    let argument = |name: &str| named(arguments, name);
    let verb = argument("method").and_then(|one| f.text(one)).and_then(|text| Verb::parse(&text));
    let path = argument("path").and_then(|one| f.text(one));
    let asked = argument("param").and_then(|one| f.list(one)).unwrap_or_default();
    let method = match (argument("path"), verb, path) {
        (Some(one), Some(verb), Some(path)) => {
            let path = super::request::trimmed(&path);
            let found = proxmox_spec::route(verb, path).map(|route| route.method);
            if found.is_none() {
                f.refuse(one, unknown(verb, path));
            }
            found
        }
        _ => None,
    };
    let mut params: Vec<(String, &'static Param)> = Vec::new();
    if let (Some(one), Some(method)) = (argument("param"), method) {
        for name in &asked {
            match sought(method, name) {
                Some(param) => params.push((name.clone(), param)),
                None => f.refuse(one, lacks(method, name)),
            }
        }
    }
    let dialect = f.dialect();
    f.finish()?;
    let Some(method) = method else { return Err(f.refused()) };
    let answer = match params.is_empty() {
        true => whole(method, dialect),
        false => parts(method, &params),
    };
    let mut plan = Plan::new(Locate::Nothing);
    plan.instead = Some(Instead::Answer(answer));
    Ok(plan)
}

/// A parameter by its name, in any spelling of an index: `net`, `net0` and `net[n]` are one.
fn sought(method: &'static Method, name: &str) -> Option<&'static Param> {
    let name = name.trim();
    method.param(name).or_else(|| {
        let base = name.trim_end_matches("[n]");
        method.params.iter().copied().find(|param| param.name.strip_suffix("[n]") == Some(base))
    })
}

fn lacks(method: &Method, name: &str) -> String {
    let near = proxmox_spec::nearest(name, method.params.iter().map(|param| param.name));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("names `{}`, which {} {} does not have{near}", printable(name), method.verb, method.path)
}

/// Everything about a method, as short as its parameters allow.
fn whole(method: &'static Method, dialect: Option<&'static str>) -> Map<String, Value> {
    let verdict = method.verdict();
    let mut answer = Map::new();
    let mut say = |key: &str, text: String| {
        if !text.is_empty() {
            answer.insert(key.into(), text.into());
        }
    };
    say("method", method.verb.as_str().to_owned());
    say("path", method.path.to_owned());
    say("title", method.title.to_owned());
    say("tier", verdict.tier.as_str().to_owned());
    say("effect", verdict.effect.as_str().to_owned());
    say("because", verdict.because.to_owned());
    say("tool", super::search::tools(method, dialect).join(", "));
    say("privileges", method.permissions.words());
    // What is older than the facts goes without saying.
    say("since", if method.since == OLDEST { String::new() } else { method.since.to_owned() });
    say("impossible", impossible(method).or_else(|| barred(method)).unwrap_or_default());
    let many = method.params.len() > MANY;
    let (told, named): (Vec<&Param>, Vec<&Param>) =
        method.params.iter().partition(|param| !many || !param.optional || param.in_path);
    let mut told = told;
    told.sort_by_key(|param| (!param.in_path, param.optional));
    let told: Map<String, Value> = told.iter().map(|param| (param.name.to_owned(), text::line(param).into())).collect();
    say("optional", named.iter().map(|param| text::name(param)).collect::<Vec<_>>().join(", "));
    say("returns", returns(method));
    answer.insert("params".into(), Value::Object(told));
    if method.extra_params {
        answer.insert("notes".into(), vec!["Takes parameters beyond these."].into());
    }
    answer
}

/// The version since which the facts know of methods.
const OLDEST: &str = "6.4";

/// Only these parameters, with their parts.
fn parts(method: &'static Method, params: &[(String, &'static Param)]) -> Map<String, Value> {
    let mut told = Map::new();
    for (_, param) in params {
        told.insert(param.name.to_owned(), text::line(param).into());
        let keys = param.items.filter(|item| !item.keys.is_empty()).map_or(param.keys, |item| item.keys);
        for key in keys.iter().filter(|key| key.key_alias.is_none()) {
            told.insert(format!("{}.{}", param.name, key.name), text::line(key).into());
        }
        if let Some(both) = text::shorthand(keys) {
            told.insert(format!("{}.…", param.name), both.into());
        }
    }
    let mut answer = Map::new();
    answer.insert("method".into(), method.verb.as_str().into());
    answer.insert("path".into(), method.path.into());
    answer.insert("params".into(), Value::Object(told));
    answer
}

fn returns(method: &Method) -> String {
    let shape = text::shape(method.returns);
    match method.upid {
        Upid::Never | Upid::Hidden => shape,
        Upid::Always => "the id of a task".to_owned(),
        Upid::Optional => "the id of a task, or nothing when it is done at once".to_owned(),
        Upid::Field => format!("{shape}; a field holds the id of a task"),
    }
}
