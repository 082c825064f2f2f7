//! Values of the API's parameters from JSON: scalars, lists and property strings, checked against the facts.
//!
//! Knows a parameter's declared type and sub-keys; must not know arguments or tools.

use super::describe;
use super::names::fold;
use super::problem::Problem;
use super::scalar::{boolean, integer, unwrapped, word};
use super::text::urlencoded;
use crate::plan::Value as Wire;
use proxmox_spec::{Param, Problem as Broken, Type, check, property};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The refusal of what no API token may set.
pub(super) const ROOT_ONLY: &str =
    "only root@pam itself, logged in with a password, may set this; no API token ever may";

/// The value of a parameter as it is sent. `wire_name` is the name that is sent (`net0`), `name` the one for problems.
///
/// # Errors
/// Every problem of the value, each under its own dotted name.
pub(super) fn wire(param: &'static Param, wire_name: &str, name: &str, value: &Value) -> Result<Wire, Vec<Problem>> {
    if !param.keys.is_empty() {
        return property(param, name, value, param.secret).map(Wire::Text);
    }
    let listed = param.format.is_some_and(|format| format.ends_with("-list"));
    // A plain text may begin with a bracket.
    let inner = if param.ty == Type::Array || listed { unwrapped(value) } else { Cow::Borrowed(value) };
    match &*inner {
        Value::Array(items) if param.ty == Type::Array || listed => {
            let element = param.items.unwrap_or(param);
            let texts = items.iter().enumerate().map(|(index, item)| element_text(element, name, index, item));
            let texts = collected(texts)?;
            let words: Vec<&str> = texts.iter().map(String::as_str).collect();
            check::value_list(param, wire_name, &words).map_err(|broken| broken_as(&broken, param, name, value))?;
            Ok(if param.ty == Type::Array { Wire::List(texts) } else { Wire::Text(texts.join(",")) })
        }
        scalar => {
            if let Some(problem) = nul(param, name, scalar) {
                return Err(vec![problem]);
            }
            let Some(text) = text_of(param, scalar) else {
                let wrong = if listed || param.ty == Type::Array { "is not a list" } else { "is not a single value" };
                return Err(vec![refusal(param, name, value, wrong)]);
            };
            check::named(param, wire_name, &text).map_err(|broken| broken_as(&broken, param, name, value))?;
            Ok(if param.ty == Type::Array { Wire::List(vec![text]) } else { Wire::Text(text) })
        }
    }
}

/// NUL stands in no value but in the lists that the API parts by it.
fn nul(param: &Param, name: &str, value: &Value) -> Option<Problem> {
    let parted = param.pattern.is_some_and(|pattern| pattern.contains(r"\0"));
    let held = !parted && value.as_str().is_some_and(|text| text.contains('\0'));
    held.then(|| refusal(param, name, value, "must not contain a NUL character"))
}

fn element_text(element: &'static Param, name: &str, index: usize, item: &Value) -> Result<String, Vec<Problem>> {
    if let Some(problem) = nul(element, &format!("{name}[{index}]"), item) {
        return Err(vec![problem]);
    }
    if !element.keys.is_empty() {
        return property(element, &format!("{name}[{index}]"), item, element.secret);
    }
    text_of(element, item)
        .ok_or_else(|| vec![refusal(element, &format!("{name}[{index}]"), item, "is not a single value")])
}

/// A property string from an object of sub-keys (or JSON text of one) or from its own text form.
///
/// A text is checked and sent as it came; `secret` keeps values out of the problems.
///
/// # Errors
/// Every problem of the value: missing, unknown and wrong sub-keys each under `name.key`.
pub(super) fn property(param: &'static Param, name: &str, value: &Value, secret: bool) -> Result<String, Vec<Problem>> {
    let broken = |broken: Broken, text: &Value| sub_problems(param, name, &broken, text, secret);
    match &*unwrapped(value) {
        Value::Object(object) => {
            let pairs = pairs(param, name, object)?;
            let text = property::print(param.keys, &pairs).map_err(|problem| broken(problem, value))?;
            whole(param, name, value, &text)?;
            Ok(text)
        }
        Value::Array(_) | Value::Null => {
            Err(vec![Problem::new(name, "is neither an object nor a text").expected(describe::sub_keys(param.keys))])
        }
        scalar => {
            if let Some(problem) = nul(param, name, scalar) {
                return Err(vec![problem]);
            }
            // `agent: true` and `cpu: "host"` fill the default key.
            let text = word(scalar).unwrap_or_default();
            let parsed = property::parse(param.keys, &text).map_err(|problem| broken(problem, value))?;
            let locked: Vec<Problem> = parsed
                .iter()
                .filter(|(key, _)| sub_key(param.keys, key).is_some_and(|key| key.root_only))
                .map(|(key, _)| Problem::new(format!("{name}.{key}"), ROOT_ONLY))
                .collect();
            if !locked.is_empty() {
                return Err(locked);
            }
            whole(param, name, value, &text)?;
            Ok(text)
        }
    }
}

/// What holds for the text as a whole (length, pattern).
fn whole(param: &'static Param, name: &str, value: &Value, text: &str) -> Result<(), Vec<Problem>> {
    check::value(param, text).map_err(|broken| broken_as(&broken, param, name, value))
}

/// The sub-keys of an object in wire names, values as text.
fn pairs(
    param: &'static Param,
    name: &str,
    object: &Map<String, Value>,
) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut problems = Vec::new();
    for (spelled, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let dotted = format!("{name}.{spelled}");
        let Some(key) = sub_key(param.keys, spelled) else {
            let names = param.keys.iter().filter(|key| key.alias.is_none()).map(|key| key.name);
            let near = proxmox_spec::nearest(spelled, names);
            let problem = Problem::new(dotted, "is no sub-key of this property").meant(near);
            problems.push(problem.expected(describe::sub_keys(param.keys)));
            continue;
        };
        let target = key.alias.and_then(|alias| sub_key(param.keys, alias)).unwrap_or(key);
        if key.root_only || target.root_only {
            problems.push(Problem::new(dotted, ROOT_ONLY));
            continue;
        }
        if let Some(problem) = nul(target, &dotted, value) {
            problems.push(problem);
            continue;
        }
        let Some(text) = sub_text(target, value) else {
            problems.push(refusal(target, &dotted, value, "is not a single value"));
            continue;
        };
        if let Some(receiver) = key.key_alias {
            // `{virtio: MAC}` says the same as `{model: virtio, macaddr: MAC}`.
            pairs.push((receiver.to_owned(), key.name.to_owned()));
        }
        pairs.push((real_name(target, spelled), text));
    }
    if problems.is_empty() { Ok(pairs) } else { Err(with_missing(param, name, &pairs, object, problems)) }
}

/// Adds the checks of the good pairs to the problems of the bad ones, so that all come at once.
fn with_missing(
    param: &'static Param,
    name: &str,
    pairs: &[(String, String)],
    object: &Map<String, Value>,
    mut problems: Vec<Problem>,
) -> Vec<Problem> {
    if let Err(broken) = property::print(param.keys, pairs) {
        let value = Value::Object(object.clone());
        let more = sub_problems(param, name, &broken, &value, param.secret);
        let spoken: Vec<String> = problems.iter().map(|problem| fold(&problem.argument)).collect();
        problems.extend(more.into_iter().filter(|problem| !spoken.contains(&fold(&problem.argument))));
    }
    problems
}

fn real_name(key: &Param, spelled: &str) -> String {
    match key.name.strip_suffix("[n]") {
        Some(base) => {
            let digits: String = spelled.chars().rev().take_while(char::is_ascii_digit).collect();
            format!("{base}{}", digits.chars().rev().collect::<String>())
        }
        None => key.name.to_owned(),
    }
}

/// The sub-key that a spelling means.
pub(super) fn sub_key(keys: &'static [&'static Param], spelled: &str) -> Option<&'static Param> {
    let exact = keys.iter().copied().find(|key| key.name == spelled || key.index_of(spelled).is_some());
    exact.or_else(|| {
        let folded = fold(spelled);
        keys.iter().copied().find(|key| fold(key.name) == folded)
    })
}

/// The text of a sub-key's value; an array of a list is joined with `;`, as no part may hold a comma.
fn sub_text(key: &'static Param, value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(word).collect();
            texts.map(|texts| texts.join(";"))
        }
        _ => text_of(key, value),
    }
}

/// A scalar as the text that the API wants for a parameter of this type; a text that cannot be read as that type
/// stays as it is, for the check to refuse.
fn text_of(param: &Param, value: &Value) -> Option<String> {
    let text = word(value)?;
    Some(match param.ty {
        Type::Boolean => boolean(value).map_or(text, |value| if value { "1" } else { "0" }.to_owned()),
        // `true` is no number, although the wire would make it one.
        Type::Integer | Type::Number if value.is_boolean() => value.to_string(),
        Type::Integer => integer(value).map_or(text, |number| number.to_string()),
        Type::Number => text.trim().to_owned(),
        _ if param.format == Some("urlencoded") => urlencoded(text),
        _ => text,
    })
}

fn collected(texts: impl Iterator<Item = Result<String, Vec<Problem>>>) -> Result<Vec<String>, Vec<Problem>> {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for text in texts {
        match text {
            Ok(text) => good.push(text),
            Err(problems) => bad.extend(problems),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

fn refusal(param: &Param, name: &str, value: &Value, wrong: &str) -> Problem {
    let mut problem = Problem::new(name, wrong);
    problem.expected = Some(describe::param(param).unwrap_or_else(|| "a text".to_owned()));
    if param.secret { problem } else { problem.came(value) }
}

fn broken_as(broken: &Broken, param: &'static Param, name: &str, value: &Value) -> Vec<Problem> {
    sub_problems(param, name, broken, value, param.secret)
}

/// The server's problem as ours: one per sub-key or element.
fn sub_problems(param: &'static Param, name: &str, broken: &Broken, value: &Value, secret: bool) -> Vec<Problem> {
    match broken {
        Broken::Keys { keys, .. } => keys
            .iter()
            .flat_map(|(key, problem)| {
                let dotted = format!("{name}.{key}");
                let found = sub_key(param.keys, key);
                if matches!(problem, Broken::Value(text) if text == check::MISSING) {
                    let mut missing = Problem::new(dotted, "is missing and required");
                    missing.expected = found.and_then(describe::param);
                    return vec![missing];
                }
                let Some(found) = found else {
                    let names = param.keys.iter().filter(|key| key.alias.is_none()).map(|key| key.name);
                    let unknown = Problem::new(dotted, "is no sub-key of this property");
                    let near = proxmox_spec::nearest(key, names);
                    return vec![unknown.meant(near).expected(describe::sub_keys(param.keys))];
                };
                let came = part(value, key);
                sub_problems(found, &dotted, problem, &came, secret || found.secret)
            })
            .collect(),
        Broken::Item { index, problem } => {
            let element = param.items.unwrap_or(param);
            let came = value.get(index).cloned().unwrap_or_else(|| value.clone());
            sub_problems(element, &format!("{name}[{index}]"), problem, &came, secret || element.secret)
        }
        Broken::Value(_) | Broken::Format(_) if secret => {
            vec![Problem::new(name, "is not a value that the API takes")]
        }
        Broken::Value(text) | Broken::Format(text) => {
            let mut problem = Problem::new(name, text.trim()).came(value);
            problem.expected = describe::param(param);
            if let (Some(said), false) = (word(value), param.values.is_empty()) {
                problem = problem.meant(proxmox_spec::nearest(&said, param.values.iter().copied()));
                problem.wrong = "is not one of the possible values".to_owned();
            }
            vec![problem]
        }
    }
}

/// What the caller wrote for a sub-key, for the problem; the whole value if that cannot be told.
fn part(value: &Value, key: &str) -> Value {
    let inner = unwrapped(value);
    if let Value::Object(object) = &*inner {
        let found = object.iter().find(|(spelled, _)| fold(spelled) == fold(key));
        return found.map_or_else(|| value.clone(), |(_, value)| value.clone());
    }
    let text = inner.as_str().unwrap_or_default();
    let found = text.split(',').filter_map(|part| part.split_once('=')).find(|(name, _)| *name == key);
    found.map_or_else(|| value.clone(), |(_, part)| Value::from(part))
}
