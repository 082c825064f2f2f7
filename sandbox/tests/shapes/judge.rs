//! Whether an answer has the form that the facts declare, and speaks of things that are there.

use std::collections::BTreeSet;

use proxmox_spec::{Method, Shape, Type, format};
use serde_json::Value;

/// What the cluster under test has, by name.
pub struct Known {
    pub nodes: BTreeSet<String>,
    pub guests: BTreeSet<String>,
    pub storages: BTreeSet<String>,
}

/// Fields whose type is not the declared one on the real server, by the end of their place: what stands there instead.
const OTHERWISE: &[(&str, Type)] = &[
    // An id that is free is a text.
    ("/cluster/nextid GET", Type::String),
    // Ports of consoles are texts.
    ("vncproxy POST.port", Type::String),
    ("termproxy POST.port", Type::String),
    ("vncshell POST.port", Type::String),
    // The position of one rule is a text, in a list it is a number.
    ("/{pos} GET.pos", Type::String),
    // Defaults of backups come as objects.
    ("/vzdump/defaults GET.fleecing", Type::Object),
    ("/vzdump/defaults GET.performance", Type::Object),
    ("prune-backups", Type::Object),
    // Memory of a virtual machine is a text.
    ("GET.memory", Type::String),
    ("GET.cpulimit", Type::String),
    // What has been given comes back as it was given.
    ("token/{tokenid} POST.info.privsep", Type::String),
    ("token/{tokenid} POST.info.expire", Type::String),
];

/// Truth values that are true or false, not 1 or 0.
const REAL_TRUTH: &[&str] = &["has-dbus-vmstate"];

/// Texts that are empty on the real server, too.
const EMPTY: &[&str] =
    &["level", "description", "msg", "frr-diff", "interfaces-diff", "comment", "privs", "options", "users"];

/// What is null on the real server instead of missing.
const NULLS: &[&str] = &["tokens", "parent", "digest"];

/// Every way in which this answer is not what the method declares.
pub fn judge(known: &Known, method: &Method, data: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let place = format!("{} {}", method.path, method.verb);
    shape(method.returns, data, &place, &mut faults);
    references(known, data, &place, &mut faults);
    faults
}

fn shape(shape_of: &Shape, value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut ty = shape_of.ty;
    if let Some((_, other)) = OTHERWISE.iter().find(|(end, _)| at.ends_with(end)) {
        let fits = match other {
            Type::String => value.is_string(),
            Type::Object => value.is_object(),
            _ => false,
        };
        if fits {
            return;
        }
    }
    let name = at.rsplit(['.', ' ']).next().unwrap_or(at);
    if value.is_null() && NULLS.contains(&name) {
        return;
    }
    if ty == Type::Any && !shape_of.values.is_empty() {
        ty = Type::String;
    }
    let mut fault = |text: String| faults.push(format!("{at}: {text}"));
    match ty {
        Type::String => match value.as_str() {
            None => fault(format!("not a text: {value}")),
            Some(text) => {
                let untold = (name == "id" && at.contains("/tasks")) || at.ends_with("/schedule_now POST");
                if text.is_empty() && !shape_of.optional && !EMPTY.contains(&name) && !untold {
                    fault("empty".to_owned());
                }
                if !shape_of.values.is_empty() && !shape_of.values.contains(&text) {
                    fault(format!("'{text}' is none of {:?}", shape_of.values));
                }
                // A mask is shown as a length.
                let refused = shape_of.format.filter(|format| *format != "ipv4mask");
                if let Some(Err(problem)) = refused.filter(|_| !text.is_empty()).map(|name| format::check(name, text)) {
                    fault(format!("'{text}' is no {:?}: {problem}", shape_of.format));
                }
            }
        },
        Type::Integer if !(value.is_i64() || value.is_u64()) => fault(format!("no integer: {value}")),
        Type::Number if !value.is_number() => fault(format!("no number: {value}")),
        Type::Integer | Type::Number => {
            let number = value.as_f64().unwrap_or_default();
            if shape_of.minimum.is_some_and(|least| number < least)
                || shape_of.maximum.is_some_and(|most| number > most)
            {
                fault(format!("out of its limits: {number}"));
            }
        }
        Type::Boolean => {
            let truth = value.is_boolean() && REAL_TRUTH.contains(&name);
            if !truth && *value != 0 && *value != 1 {
                fault(format!("not 0 or 1: {value}"));
            }
        }
        Type::Array => match value.as_array() {
            None => fault(format!("no list: {value}")),
            Some(items) => {
                if let Some(of) = shape_of.items {
                    items.iter().for_each(|item| shape(of, item, &format!("{at}[]"), faults));
                }
            }
        },
        Type::Object => match value.as_object() {
            None => fault(format!("no object: {value}")),
            Some(fields) => {
                for (name, of) in shape_of.fields {
                    match fields.get(*name) {
                        Some(field) => shape(of, field, &format!("{at}.{name}"), faults),
                        None if of.optional => {}
                        // Mappings do not tell what nobody wrote.
                        None if at.starts_with("/cluster/mapping/") => {}
                        None => faults.push(format!("{at}: lacks {name}: {value}")),
                    }
                }
            }
        },
        Type::Null if !value.is_null() => fault(format!("not null: {value}")),
        Type::Null | Type::Any => {}
    }
}

/// Names of nodes, guests and storages in an answer are those of the cluster.
fn references(known: &Known, value: &Value, at: &str, faults: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(known, item, at, faults)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let text = field.as_str().map_or_else(|| field.to_string(), str::to_owned);
                let fine = match name.as_str() {
                    "node" if field.is_string() => known.nodes.contains(&text),
                    "vmid" if field.is_string() || field.is_number() => {
                        text.split(',').all(|vmid| known.guests.contains(vmid))
                    }
                    "storage" if field.is_string() => known.storages.contains(&text),
                    "volid" if field.is_string() => {
                        text.split_once(':').is_some_and(|(storage, _)| known.storages.contains(storage))
                    }
                    _ => true,
                };
                if !fine {
                    faults.push(format!("{at}: {name} '{text}' is not there"));
                }
                references(known, field, at, faults);
            }
        }
        _ => {}
    }
}
