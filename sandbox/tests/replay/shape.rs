//! Compares an answer with the recorded shape of one.
//!
//! A shape is `"s"`, `"n"`, `"b"` for text, number and boolean (several joined with `|`), null, `[]` or a list of one
//! shape for lists, an object for objects (a name with `?` is not always there), `{"=": value}` for a value that has to
//! be exactly this, and `"*"` for anything.

use serde_json::{Map, Value, json};

use crate::text::normal;

/// What is different; empty when nothing is.
pub fn compare(seen: &Value, ours: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk("", seen, &of(ours), ours, &mut differences);
    differences
}

/// The shape of a value, without exact values. Lists are one shape over all their items.
fn of(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => json!("b"),
        Value::Number(_) => json!("n"),
        Value::String(_) => json!("s"),
        Value::Array(items) => {
            let shape = items.iter().map(of).reduce(union);
            shape.map_or_else(|| json!([]), |shape| json!([shape]))
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), of(value))).collect(),
    }
}

fn union(one: Value, other: Value) -> Value {
    match (one, other) {
        (one, other) if one == other => one,
        (Value::Object(one), Value::Object(other)) => {
            let mut joined = Map::new();
            let (one, mut other) = (bare(&one), bare(&other));
            for (name, (optional, shape)) in one {
                match other.remove(&name) {
                    Some((too, second)) => {
                        joined.insert(written(&name, optional || too), union(shape, second));
                    }
                    None => {
                        joined.insert(written(&name, true), shape);
                    }
                }
            }
            joined.extend(other.into_iter().map(|(name, (_, shape))| (written(&name, true), shape)));
            Value::Object(joined)
        }
        (Value::Array(one), Value::Array(other)) => match (one.into_iter().next(), other.into_iter().next()) {
            (Some(one), Some(other)) => json!([union(one, other)]),
            (Some(one), None) | (None, Some(one)) => json!([one]),
            (None, None) => json!([]),
        },
        (one, other) => {
            let mut names: Vec<String> = kinds(&one).into_iter().chain(kinds(&other)).collect();
            names.sort();
            names.dedup();
            json!(names.join("|"))
        }
    }
}

fn written(name: &str, optional: bool) -> String {
    format!("{name}{}", if optional { "?" } else { "" })
}

/// The fields without their marks.
fn bare(fields: &Map<String, Value>) -> std::collections::BTreeMap<String, (bool, Value)> {
    let field = |(name, shape): (&String, &Value)| {
        (name.trim_end_matches('?').to_owned(), (name.ends_with('?'), shape.clone()))
    };
    fields.iter().map(field).collect()
}

fn kinds(shape: &Value) -> Vec<String> {
    match shape {
        Value::Null => vec!["null".to_owned()],
        Value::String(names) => names.split('|').map(str::to_owned).collect(),
        Value::Array(_) => vec!["list".to_owned()],
        Value::Object(fields) => match fields.get("=") {
            Some(Value::Number(_)) => vec!["n".to_owned()],
            Some(_) => vec!["s".to_owned()],
            None => vec!["object".to_owned()],
        },
        _ => Vec::new(),
    }
}

/// `value` is what stands at this place where it is a single one, and null below lists.
fn walk(path: &str, seen: &Value, ours: &Value, value: &Value, out: &mut Vec<String>) {
    if seen == "*" {
        return;
    }
    if let Some(exact) = seen.as_object().and_then(|fields| fields.get("=")) {
        let same = match (exact, value) {
            (Value::String(exact), Value::String(value)) => *exact == readable(value),
            (exact, value) => exact == value,
        };
        if !same {
            out.push(format!("{path}: {exact}, here {value}"));
        }
        return;
    }
    match (seen, ours) {
        (Value::Object(seen), Value::Object(ours)) => {
            let (seen, ours) = (bare(seen), bare(ours));
            for (name, (optional, shape)) in &seen {
                match ours.get(name) {
                    Some((_, here)) => walk(&format!("{path}.{name}"), shape, here, &value[name.as_str()], out),
                    None if *optional => {}
                    None => out.push(format!("{path}.{name} is missing")),
                }
            }
            for name in ours.keys().filter(|name| !seen.contains_key(*name)) {
                out.push(format!("{path}.{name} is too much"));
            }
        }
        (Value::Array(seen), Value::Array(ours)) => match (seen.first(), ours.first()) {
            (Some(seen), Some(ours)) => walk(&format!("{path}[]"), seen, ours, &Value::Null, out),
            (None, Some(_)) => out.push(format!("{path} is an empty list, here it has items")),
            (Some(_), None) => out.push(format!("{path} has items, here it is an empty list")),
            (None, None) => {}
        },
        (seen, ours) => {
            let known = kinds(seen);
            if !kinds(ours).iter().all(|kind| known.contains(kind)) {
                out.push(format!("{path}: {}, here {}", known.join("|"), kinds(ours).join("|")));
            }
        }
    }
}

/// A task id as its type and what it works on, anything else without what differs from run to run.
fn readable(text: &str) -> String {
    match text.split(':').collect::<Vec<_>>()[..] {
        ["UPID", _, _, _, _, kind, id, _, ""] => format!("UPID:{kind}:{id}"),
        _ => normal(text),
    }
}
