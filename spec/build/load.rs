//! Reads the published facts and brings them into one form.
//!
//! Knows the keys of `facts/pve-api.json`; must not know of corrections or of danger.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Reads the facts, sorted by path, then verb.
pub fn entries(text: &str) -> Result<Vec<Value>, String> {
    let mut entries: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for entry in &entries {
        for key in ["method", "path", "params", "returns", "permissions", "since"] {
            if entry.get(key).is_none() {
                return Err(format!("an entry lacks `{key}`: {entry}"));
            }
        }
    }
    entries.sort_by_key(|entry| (word(entry, "path"), verb_order(&word(entry, "method"))));
    Ok(entries)
}

/// What holds for every method and is therefore a rule and not a correction.
pub fn finish(entries: &mut [Value]) {
    for entry in entries {
        let Some(params) = entry.get_mut("params").and_then(Value::as_object_mut) else { continue };
        for param in params.values_mut().filter_map(Value::as_object_mut) {
            // A path without one of its segments is another path, whatever the schema says.
            if param.get("in").is_some_and(|place| place == "path") {
                param.remove("optional");
            }
            join_variants(param);
        }
    }
}

/// Folds the forms that a parameter has for different object types into one form that accepts each of them.
fn join_variants(param: &mut Map<String, Value>) {
    if let Some(Value::Array(forms)) = param.remove("oneOf") {
        let mut types: Vec<Value> = forms.iter().flat_map(|form| list(form, "instance-types")).collect();
        types.sort_by_key(Value::to_string);
        types.dedup();
        param.insert("instance-types".into(), types.into());
        if forms.iter().all(|form| form.get("optional").is_some()) {
            param.insert("optional".into(), true.into());
        }
        let items: Vec<&Value> = forms.iter().filter_map(|form| form.get("items")).collect();
        let mut item = json!({"type": "string"});
        if items.iter().all(|item| item.get("enum").is_some()) {
            item["enum"] = Value::from(
                BTreeSet::from_iter(
                    items
                        .iter()
                        .flat_map(|item| list(item, "enum"))
                        .filter_map(|name| name.as_str().map(str::to_owned)),
                )
                .into_iter()
                .collect::<Vec<_>>(),
            );
        }
        // A form without known sub-keys takes any text, so the joined form does, too.
        if items.iter().all(|item| item.get("keys").is_some()) {
            item["keys"] = join_keys(&items);
        }
        param.insert("items".into(), item);
    }
    if let Some(Value::Object(variants)) = param.remove("variants") {
        param.insert("instance-types".into(), variants.keys().cloned().collect::<Vec<_>>().into());
    }
}

/// The sub-keys that any of the forms has; optional unless each form requires it.
fn join_keys(items: &[&Value]) -> Value {
    let mut joined: Map<String, Value> = Map::new();
    let forms: Vec<&Map<String, Value>> = items.iter().filter_map(|item| item.get("keys")?.as_object()).collect();
    for (name, key) in forms.iter().flat_map(|keys| keys.iter()) {
        let mut values = list(joined.get(name).unwrap_or(key), "enum");
        values.extend(list(key, "enum"));
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.to_string()));
        let slot = joined.entry(name.clone()).or_insert_with(|| key.clone());
        if !values.is_empty() {
            slot["enum"] = values.into();
        }
        if !forms.iter().all(|keys| keys.contains_key(name)) {
            slot["optional"] = true.into();
        }
    }
    joined.into()
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn word(entry: &Value, key: &str) -> String {
    entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The order of `Verb`, so that the table can be searched by it.
fn verb_order(verb: &str) -> usize {
    ["GET", "POST", "PUT", "DELETE"].iter().position(|one| *one == verb).unwrap_or(usize::MAX)
}
