//! Which method of the API does what somebody asks for.
//!
//! Knows how a find is told: with the tool that does the same, and what the call would need. How methods are found is
//! [`crate::search`]'s.

use super::named;
use crate::arguments::{BadArguments, Fields};
use crate::plan::{Instead, Locate, Plan};
use crate::search::{self, Found};
use crate::tool::{Argument, Surface};
use proxmox_spec::Method;
use serde_json::{Map, Value, json};

/// Finds when nothing is said, and at most.
const USUAL: i64 = 5;
const MOST: i64 = 20;
/// The longest request that is looked at, in bytes.
const LONGEST: usize = 500;

/// The methods that fit a request, best first.
///
/// # Errors
/// No request, or one that is too long to be one.
pub fn search_methods(f: &mut Fields<'_>, arguments: &'static [Argument]) -> Result<Plan, BadArguments> {
    let query = named(arguments, "query").and_then(|one| f.text(one).map(|text| (one, text)));
    let limit = named(arguments, "limit").and_then(|one| f.integer(one)).unwrap_or(USUAL);
    if let Some((one, text)) = &query {
        if text.len() > LONGEST {
            f.refuse(one, format!("is longer than {LONGEST} bytes; say in a few words what is to be done"));
        } else if text.trim().is_empty() {
            f.refuse(one, "is empty; say in a few words what is to be done".to_owned());
        }
    }
    let dialect = f.dialect();
    f.finish()?;
    let request = query.map(|(_, text)| text).unwrap_or_default();
    let found = search::search(&request, usize::try_from(limit.clamp(1, MOST)).unwrap_or_default());
    let mut answer = Map::new();
    if found.is_empty() {
        let say = "Nothing fits. Say it in other words: what is to be done, and to what.";
        answer.insert("notes".into(), json!([say]));
    }
    answer.insert("methods".into(), found.iter().map(|one| row(one, dialect)).collect());
    let mut plan = Plan::new(Locate::Nothing);
    plan.instead = Some(Instead::Answer(answer));
    Ok(plan)
}

fn row(found: &Found, dialect: Option<&'static str>) -> Value {
    let method = found.method;
    let verdict = method.verdict();
    let mut row = Map::new();
    row.insert("method".into(), method.verb.as_str().into());
    row.insert("path".into(), method.path.into());
    row.insert("title".into(), method.title.into());
    row.insert("tier".into(), verdict.tier.as_str().into());
    row.insert("effect".into(), verdict.effect.as_str().into());
    let all = std::iter::once(method).chain(found.also.iter().copied());
    let mut names: Vec<&str> = Vec::new();
    for name in all.flat_map(|one| tools(one, dialect)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        row.insert("tool".into(), names.join(", ").into());
    }
    if !found.also.is_empty() {
        let also = found.also.iter().map(|one| format!("{} {}", one.verb, one.path));
        row.insert("also".into(), also.collect::<Vec<_>>().into());
    }
    Value::Object(row)
}

/// The tools that do what a method does, by the names of this dialect where it has one.
pub(super) fn tools(method: &Method, dialect: Option<&'static str>) -> Vec<&'static str> {
    let does = |surface: &&Surface| {
        surface.tool.routes.iter().any(|route| route.verb == method.verb && route.path == method.path)
    };
    let of = |dialect: Option<&'static str>| {
        let mut names: Vec<&'static str> = Vec::new();
        let surfaces = crate::catalogue::SURFACES.iter().filter(|one| one.dialect == dialect);
        names.extend(surfaces.filter(does).map(|one| one.name));
        names
    };
    let theirs = of(dialect);
    if theirs.is_empty() { of(None) } else { theirs }
}
