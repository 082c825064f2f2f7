//! Property strings: every sub-key with its edge values, as an object and as text, and what is wrong with either.
//!
//! Knows the sub-keys that the facts list; must not know how they are decoded.

use crate::facts::{Scalar, Why};
use crate::samples::{Good, Samples};
use proxmox_mcp::tool::Argument;
use proxmox_spec::{Param, Type};
use serde_json::{Map, Value, json};

/// The samples of an argument that is one property string.
pub fn argument(samples: &mut Samples, argument: &'static Argument) {
    let fact = argument.rule.fact.expect("a property string is a parameter");
    let method = proxmox_spec::find(fact.verb, fact.path).expect("a method of the facts");
    let param =
        method.param(fact.param).or_else(|| method.params.iter().copied().find(|param| param.name == fact.param));
    of(samples, param.expect("a parameter of the facts"));
}

/// A value that a part may hold: no comma, not empty.
fn holds(text: &str) -> bool {
    !text.contains(',') && !text.contains('\n') && !text.trim().is_empty()
}

/// The real name of a sub-key, and those of its first and last index.
fn names(key: &Param) -> Vec<String> {
    match (key.name.strip_suffix("[n]"), key.index_max) {
        (Some(base), Some(most)) => vec![format!("{base}0"), format!("{base}{most}")],
        (Some(base), None) => vec![format!("{base}0")],
        _ => vec![key.name.to_owned()],
    }
}

fn values(key: &Param) -> Vec<(Value, String)> {
    Scalar::from(key).good().into_iter().filter(|(_, text)| holds(text)).collect()
}

/// The sub-keys that must be there, with a good value each.
fn least(param: &'static Param) -> Map<String, Value> {
    let needed = param.keys.iter().filter(|key| !key.optional && key.alias.is_none() && key.index_max.is_none());
    needed.filter_map(|key| Some((key.name.to_owned(), values(key).into_iter().next()?.0))).collect()
}

/// Adds what this sub-key must come with.
fn with_needed(param: &'static Param, key: &Param, object: &mut Map<String, Value>) {
    let needed = key.requires.and_then(|other| param.keys.iter().find(|key| key.name == other));
    if let Some((other, (value, _))) = needed.and_then(|other| Some((other, values(other).into_iter().next()?))) {
        object.entry(other.name.to_owned()).or_insert(value);
    }
}

/// The text form of an object, word for word.
pub fn text(object: &Map<String, Value>) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
        other => other.to_string(),
    };
    object.iter().map(|(name, value)| format!("{name}={}", word(value))).collect::<Vec<_>>().join(",")
}

pub fn of(samples: &mut Samples, param: &'static Param) {
    let base = least(param);
    let fits = |text: &str| {
        let length = text.chars().count();
        param.max_length.is_none_or(|most| length <= most as usize)
            && param.min_length.is_none_or(|least| length >= least as usize)
    };
    let mut add = |object: Map<String, Value>| {
        let written = text(&object);
        if fits(&written) {
            let good = |value| Good { value, wire: Some(vec![written.clone()]), careless: None };
            samples.good.push(good(Value::Object(object.clone())));
            samples.good.push(good(json!(written)));
            samples.good.push(good(json!(Value::Object(object).to_string())));
        }
    };
    if !base.is_empty() {
        add(base.clone());
    }
    for key in param.keys.iter().filter(|key| !key.root_only && key.key_alias.is_none()) {
        let target = key.alias.and_then(|alias| param.keys.iter().find(|key| key.name == alias)).unwrap_or(key);
        if target.root_only {
            continue;
        }
        for (value, name) in values(target)
            .into_iter()
            .flat_map(|(value, _)| names(key).into_iter().map(move |name| (value.clone(), name)))
        {
            let mut object = base.clone();
            object.remove(target.name);
            object.insert(name, value);
            with_needed(param, target, &mut object);
            add(object);
        }
    }
    for key in param.keys.iter().filter(|key| key.key_alias.is_some()) {
        let target = key.alias.and_then(|alias| param.keys.iter().find(|key| key.name == alias));
        if let Some((value, _)) = target.and_then(|target| values(target).into_iter().next()) {
            let mut object = base.clone();
            key.key_alias.map(|receiver| object.remove(receiver));
            object.insert(key.name.to_owned(), value);
            add(object);
        }
    }
    if let Some(key) = param.keys.iter().find(|key| key.default_key && !key.root_only) {
        for (value, text) in values(key).into_iter().filter(|(_, text)| !text.contains('=')) {
            let alone = param.keys.iter().all(|other| other.optional || other.default_key || other.alias.is_some());
            if alone && fits(&text) {
                let value = if value.is_string() { value } else { json!(text) };
                samples.good.push(Good { value, wire: Some(vec![text]), careless: None });
            }
        }
    }
    bad(samples, param, &base);
}

fn bad(samples: &mut Samples, param: &'static Param, base: &Map<String, Value>) {
    let full = |name: &str, value: Value| {
        let mut object = base.clone();
        object.insert(name.to_owned(), value);
        object
    };
    for key in param.keys.iter().copied().filter(|key| key.alias.is_none() && !key.root_only) {
        let name = &names(key)[0];
        for (value, why) in Scalar::from(key).bad() {
            // An array is the list of what stands between `;`, and no list at all is no text.
            if value.is_array() || (key.ty == Type::String && value == json!(true)) {
                continue;
            }
            let mut object = full(name, value.clone());
            with_needed(param, key, &mut object);
            if let Some(text) = value.as_str()
                && holds(text)
                && !text.contains('\0')
            {
                samples.bad(json!(text_with(base, name, text)), why);
            }
            samples.bad(Value::Object(object), why);
        }
        // What is encoded inside of the value may hold anything.
        if key.ty == Type::String && key.values.is_empty() && key.format != Some("urlencoded") {
            for text in ["a,b", "a\nb", " "] {
                samples.bad(Value::Object(full(name, json!(text))), Why::Letter);
            }
        }
        if let (Some(base_name), Some(most)) = (key.name.strip_suffix("[n]"), key.index_max) {
            let value = values(key).into_iter().next().map_or(json!(1), |(value, _)| value);
            samples.bad(Value::Object(full(&format!("{base_name}{}", most + 1), value)), Why::Part);
        }
        let value = values(key).into_iter().next().map_or_else(|| "1".to_owned(), |(_, text)| text);
        let twice = format!("{name}={value},{}", text_with(base, name, &value));
        samples.bad(json!(twice), Why::Part);
        if let Some(other) = key.requires {
            let mut alone = full(name, json!(value));
            alone.remove(other);
            samples.bad(Value::Object(alone), Why::Part);
        }
    }
    for name in base.keys() {
        let mut fewer = base.clone();
        fewer.remove(name);
        // With nothing left there is nothing that could be read as text.
        let written = text(&fewer);
        samples.bad(Value::Object(fewer), Why::Part);
        if !written.is_empty() {
            samples.bad(json!(written), Why::Part);
        }
    }
    let unknown = full("no_such_key", json!(1));
    samples.bad(json!(text(&unknown)), Why::Part);
    samples.bad(Value::Object(unknown), Why::Part);
    samples.bad(json!([]), Why::Type);
    samples.bad(json!([{"a": 1}]), Why::Type);
    samples.bad(json!(format!("{},=1", text(base))), Why::Part);
    for key in param.keys.iter().filter(|key| key.root_only) {
        samples.bad(Value::Object(full(&names(key)[0], json!(1))), Why::Refused);
    }
}

fn text_with(base: &Map<String, Value>, name: &str, value: &str) -> String {
    let mut object = base.clone();
    object.insert(name.to_owned(), json!(value));
    text(&object)
}
