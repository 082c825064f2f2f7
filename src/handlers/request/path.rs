//! From a path as somebody wrote it to a method and the places of its path.
//!
//! Knows the API's routing. A caller's text becomes a place of a path only as a [`Segment`].

use crate::arguments::{Segment, same_name, scalar_text};
use crate::plan::PathPart;
use proxmox_spec::{Method, Segment as Place, Verb, check};
use serde_json::{Map, Value};

/// A method, and the path to it.
#[derive(Debug)]
pub struct Target {
    pub method: &'static Method,
    pub path: Vec<PathPart>,
}

/// Longest path that is looked at, in bytes; the longest of the API, with the longest value at its end, is shorter.
const LONGEST: usize = 4096;
/// Paths that are offered in the place of one that does not exist.
const NEAR: usize = 3;

/// Finds the method that serves a path, concrete (`/nodes/pve1/qemu`) or with places (`/nodes/{node}/qemu`) whose values
/// are taken out of `given`.
///
/// # Errors
/// What is wrong with the path, as the rest of a sentence.
pub fn find(verb: Verb, written: &str, given: &mut Map<String, Value>) -> Result<Target, String> {
    if written.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    if written.contains('?') {
        return Err("must not hold a query; give what stands behind `?` in `params`".to_owned());
    }
    let path = trimmed(written);
    let Some(route) = proxmox_spec::route(verb, path) else { return Err(unknown(verb, path)) };
    let mut values = route.params.iter();
    let mut parts = Vec::new();
    for place in route.method.segments {
        let (name, make): (_, fn(String) -> _) = match place {
            Place::Literal(text) => {
                parts.push(PathPart::Literal(text));
                continue;
            }
            Place::Param(name) => (*name, |text| Segment::new(text)),
            Place::Remainder(name) => (*name, |text| Segment::remainder(text)),
        };
        let text = values.next().map(|(_, text)| text.as_str()).unwrap_or_default();
        let value = value(name, text, given)?;
        if let Some(param) = route.method.param(name)
            && let Err(wrong) = check::value(param, &value)
        {
            return Err(format!("holds a bad `{name}`: {}", wrong.plain()));
        }
        parts.push(PathPart::Value(make(value).map_err(|bad| format!("holds a bad `{name}`: it {bad}"))?));
    }
    Ok(Target { method: route.method, path: parts })
}

/// Without the server's address, the API's prefix and slashes at the ends.
pub fn trimmed(written: &str) -> &str {
    let path = written.trim();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    let path = path.trim_matches('/');
    let prefixes = ["api2/json/", "api2/extjs/"];
    prefixes.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path)
}

/// The value of a place: what stands in the path, or what `given` says for a place in braces.
fn value(name: &'static str, text: &str, given: &mut Map<String, Value>) -> Result<String, String> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let key = |wanted: &str| given.keys().find(|key| same_name(key, wanted)).cloned();
    let Some(inner) = inner else {
        // The same value once more is no mistake, another one is.
        if let Some(key) = key(name)
            && let Some(twice) = given.get(&key).and_then(scalar_text)
        {
            if twice != text {
                return Err(format!("says `{text}` for `{name}`, and `params` says something else; give it once"));
            }
            given.shift_remove(&key);
        }
        return Ok(text.to_owned());
    };
    let key = key(name).or_else(|| key(inner));
    let Some(key) = key else { return Err(format!("needs a value for `{name}`: write it in the path or in `params`")) };
    let found = given.shift_remove(&key);
    found.as_ref().and_then(scalar_text).ok_or_else(|| format!("needs one text or number for `{name}` in `params`"))
}

/// What to say of a path that the API does not have.
pub fn unknown(verb: Verb, path: &str) -> String {
    let others: Vec<&str> = [Verb::Get, Verb::Post, Verb::Put, Verb::Delete]
        .into_iter()
        .filter(|other| *other != verb && proxmox_spec::route(*other, path).is_some())
        .map(Verb::as_str)
        .collect();
    if !others.is_empty() {
        return format!("has no {verb}; it has {}", others.join(", "));
    }
    let near = near(verb, path);
    let near = if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
    format!("is not a path of the API{near}")
}

/// The paths that are most like it.
fn near(verb: Verb, path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let score = |method: &Method| -> usize {
        let both = method.segments.iter().zip(&parts);
        let alike: usize = both
            .map(|(place, part)| match place {
                Place::Literal(text) if text == part => 4,
                Place::Literal(text) if proxmox_spec::nearest(part, [*text]).is_some() => 3,
                Place::Param(_) | Place::Remainder(_) => 1,
                Place::Literal(_) => 0,
            })
            .sum();
        (alike * 2).saturating_sub(method.segments.len().abs_diff(parts.len()))
    };
    let mut scored: Vec<(usize, &Method)> = proxmox_spec::methods()
        .iter()
        .filter(|method| method.verb == verb)
        .map(|method| (score(method), method))
        .filter(|(score, _)| *score > 4)
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.iter().take(NEAR).map(|(_, method)| format!("`{}`", method.path)).collect()
}
