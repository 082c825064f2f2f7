//! Applies the reviewed corrections to the published facts.
//!
//! Knows the form of a correction; must not know what it is for. A correction that changes nothing is a mistake:
//! it is out of date or misspelt.

use crate::lines::{self, Mistake, Placed, selects_entry};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One correction: the selected objects of the selected calls get the keys of `set`, merged key by key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Patterns, see `lines::selects`. Each must lead to a change.
    calls: Vec<String>,
    /// A JSON pointer into the entry; what is missing on the way is created. `""` is the entry itself.
    at: Option<String>,
    /// Parameters of these names. Each must lead to a change.
    #[serde(default)]
    params: Vec<String>,
    /// Sub-keys of property strings with these names, in any parameter.
    #[serde(default)]
    keys: Vec<String>,
    /// Fields of the answer with these names, at any depth.
    #[serde(default)]
    fields: Vec<String>,
    /// What the objects get. An object is merged, anything else replaces.
    set: Map<String, Value>,
    /// Where this is known from; for the reader, and required.
    source: String,
}

/// Applies every line in order, or says which lines are wrong.
pub fn apply(entries: &mut [Value], text: &str) -> Result<(), Vec<Mistake>> {
    let list: Vec<Placed<Line>> = lines::read(text)?;
    let mistakes: Vec<Mistake> = list
        .iter()
        .flat_map(|placed| apply_line(entries, &placed.element).into_iter().map(|text| placed.mistake(text)))
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

fn apply_line(entries: &mut [Value], line: &Line) -> Vec<String> {
    if line.source.is_empty() || line.set.is_empty() || line.calls.is_empty() {
        return vec!["a correction needs `calls`, `set` and a `source`".to_owned()];
    }
    if line.at.is_none() && line.params.is_empty() && line.keys.is_empty() && line.fields.is_empty() {
        return vec!["a correction needs `at`, `params`, `keys` or `fields`".to_owned()];
    }
    // What changed something, by what it is called in the line.
    let mut used: Vec<String> = Vec::new();
    for call in &line.calls {
        for entry in entries.iter_mut().filter(|entry| selects_entry(call, entry)) {
            let before = used.len();
            change(entry, line, &mut used);
            if used.len() > before {
                used.push(call.clone());
            }
        }
    }
    let named = line.calls.iter().chain(&line.params).chain(&line.keys).chain(&line.fields);
    let mut mistakes: Vec<String> = named
        .filter(|name| !used.contains(name))
        .map(|name| format!("the correction changes nothing for `{name}`"))
        .collect();
    mistakes.dedup();
    mistakes
}

fn change(entry: &mut Value, line: &Line, used: &mut Vec<String>) {
    if let Some(pointer) = &line.at
        && merge(reach(entry, pointer), &line.set)
    {
        used.push(pointer.clone());
    }
    if let Some(params) = entry.get_mut("params").and_then(Value::as_object_mut) {
        for (name, param) in params {
            if line.params.contains(name) && merge(param, &line.set) {
                used.push(name.clone());
            }
            change_keys(param, line, used);
            if let Some(items) = param.get_mut("items") {
                change_keys(items, line, used);
            }
        }
    }
    if let Some(returns) = entry.get_mut("returns") {
        change_fields(returns, line, used);
    }
}

fn change_keys(param: &mut Value, line: &Line, used: &mut Vec<String>) {
    for (name, key) in param.get_mut("keys").and_then(Value::as_object_mut).into_iter().flatten() {
        if line.keys.contains(name) && merge(key, &line.set) {
            used.push(name.clone());
        }
    }
}

fn change_fields(shape: &mut Value, line: &Line, used: &mut Vec<String>) {
    for (name, field) in shape.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if line.fields.contains(name) && merge(field, &line.set) {
            used.push(name.clone());
        }
        change_fields(field, line, used);
    }
    if let Some(items) = shape.get_mut("items") {
        change_fields(items, line, used);
    }
}

/// The object at a JSON pointer, made on the way where there is none.
fn reach<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    pointer.split('/').filter(|step| !step.is_empty()).fold(value, |value, step| {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        &mut value[step.replace("~1", "/").replace("~0", "~")]
    })
}

/// Merges `set` into the object; true if that changed anything.
fn merge(value: &mut Value, set: &Map<String, Value>) -> bool {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let mut changed = false;
    for (key, new) in set {
        let old = &mut value[key.as_str()];
        match new {
            Value::Object(inner) => changed |= merge(old, inner),
            _ if old != new => {
                *old = new.clone();
                changed = true;
            }
            _ => {}
        }
    }
    changed
}
