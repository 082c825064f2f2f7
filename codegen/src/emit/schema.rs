//! JSON schemas: what a tool takes under one of its names, and what it answers.
//!
//! Portable on purpose: the root is an object with plain properties, a type is one word, alternatives are `anyOf`.

use crate::catalogue::*;
use proxmox_spec::{Shape, Type};
use serde_json::{Map, Value as Json, json};

/// Longer enumerations are described instead of listed: 256 mount points help nobody.
const LISTED: usize = 24;

/// The argument by which a caller chooses fields of a list's rows.
const FIELDS: &str = "fields";

/// Objects with more fields than this (a guest's configuration has a hundred) are answered whole and described open.
const NAMED: usize = 40;

/// Only limits between these are listed: nobody asks for less than one core or comes near a million of anything by
/// mistake. Lengths of texts are not listed at all, as no assistant counts letters. The decoder knows all limits, and its
/// errors say them.
const NEAR: f64 = 1.0;
const FAR: f64 = 1000.0;

/// The input schema under a name; `None` = the canonical one.
pub fn input(tool: &Tool, name: Option<&Name>) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in &tool.arguments {
        if name.is_some_and(|name| name.preset.iter().any(|(preset, _)| *preset == argument.name)) {
            continue;
        }
        if argument.only.is_some_and(|kind| fixed_kind(name).is_some_and(|fixed| fixed != kind.as_str())) {
            continue;
        }
        let listed = listed_name(argument, name);
        properties.insert(listed.clone(), property(argument, name));
        let loosened = name.is_some_and(|name| name.loosened.contains(&argument.name));
        let defaulted = name.is_some_and(|name| {
            name.defaults.iter().any(|(default, value)| *default == argument.name && !value.is_null())
        });
        if argument.required && !loosened && !defaulted {
            required.push(Json::String(listed));
        }
    }
    for (ignored, note) in name.iter().flat_map(|name| &name.ignores) {
        properties.insert(ignored.clone(), json!({ "description": note }));
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = Json::Array(required);
    }
    schema
}

/// The kind of guest that a name stands for.
fn fixed_kind(name: Option<&Name>) -> Option<&str> {
    name?.preset.iter().find(|(argument, _)| argument == "kind").and_then(|(_, kind)| kind.as_str())
}

/// The name of an argument in a dialect.
pub fn listed_name(argument: &Argument, name: Option<&Name>) -> String {
    name.and_then(|name| name.rename.iter().find(|(ours, _)| *ours == argument.name))
        .map_or_else(|| argument.name.clone(), |(_, theirs)| theirs.clone())
}

fn property(argument: &Argument, name: Option<&Name>) -> Json {
    let rule = &argument.rule;
    let text = || json!({ "type": "string" });
    let mut schema = match argument.form {
        Form::Integer => json!({ "type": "integer" }),
        Form::Number => json!({ "type": "number" }),
        Form::Boolean => json!({ "type": "boolean" }),
        // The fields of a row are seen in any answer; the decoder names them to whoever misspells one.
        Form::List if argument.name != FIELDS && !rule.values.is_empty() && rule.values.len() <= LISTED => {
            json!({ "type": "array", "items": { "type": "string", "enum": rule.values } })
        }
        Form::List => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Choice if rule.values.len() <= LISTED => json!({ "type": "string", "enum": rule.values }),
        // Of two types: the keyword applies to one of them and lets the other through. `anyOf` would say it in twice the
        // words and make the tool look harder to call than it is; an array of types is refused by some clients.
        Form::Guest => json!({ "minimum": 100 }),
        Form::Property => json!({ "minLength": 1 }),
        Form::Argv => json!({ "items": { "type": "string" } }),
        Form::Rest | Form::Expect | Form::Object => json!({ "type": "object" }),
        Form::Text | Form::Choice | Form::Upid | Form::Volid | Form::Size | Form::File | Form::Path => text(),
    };
    let counts = matches!(argument.form, Form::Integer | Form::Number);
    for (key, limit) in [
        ("minimum", rule.minimum.filter(|limit| *limit > NEAR || *limit < 0.0)),
        ("maximum", rule.maximum.filter(|limit| *limit < FAR)),
    ] {
        if let Some(limit) = limit.filter(|_| counts) {
            schema[key] = number(limit);
        }
    }
    if let Some(pattern) = rule.pattern.as_deref().filter(|_| argument.form == Form::Text).and_then(portable) {
        schema["pattern"] = json!(pattern);
    }
    translated(argument, name, &mut schema);
    schema["description"] = Json::String(argument.doc.clone());
    let default = match name.and_then(|name| name.defaults.iter().find(|(one, _)| *one == argument.name)) {
        Some((_, value)) => Some(value.clone()).filter(|value| !value.is_null()),
        None => argument.default.clone(),
    };
    if let Some(default) = default.and_then(|default| in_their_words(argument, name, default)) {
        schema["default"] = default;
    }
    schema
}

/// A Perl pattern in the dialect of JSON schemas, anchored; `None` where that lacks the words: flags, NUL, look-around.
fn portable(pattern: &str) -> Option<String> {
    let beyond = ["\\0", "{,", "\\A", "\\z", "\\Z", "[[:"];
    let plain = !pattern.replace("(?:", "").contains("(?") && !beyond.iter().any(|word| pattern.contains(word));
    plain.then(|| format!("^(?:{})$", pattern.replace("\\_", "_")))
}

/// A default as the dialect says it; `None` when it has no word for it.
fn in_their_words(argument: &Argument, name: Option<&Name>, default: Json) -> Option<Json> {
    let theirs = || name.iter().flat_map(|name| &name.values).filter(|(one, ..)| *one == argument.name);
    match theirs().find(|(.., ours)| *ours == default) {
        Some((_, theirs, _)) => Some(theirs.clone()),
        // Where all of its words are booleans, ours are none of them.
        None => {
            Some(default).filter(|_| theirs().next().is_none() || !theirs().all(|(_, theirs, _)| theirs.is_boolean()))
        }
    }
}

/// A dialect's own words for values.
fn translated(argument: &Argument, name: Option<&Name>, schema: &mut Json) {
    let theirs: Vec<&Json> = name
        .iter()
        .flat_map(|name| &name.values)
        .filter(|(one, ..)| *one == argument.name)
        .map(|(_, theirs, _)| theirs)
        .collect();
    if theirs.is_empty() {
        return;
    }
    if theirs.iter().all(|value| value.is_boolean()) {
        *schema = json!({ "type": "boolean" });
        return;
    }
    if let Some(Json::Array(values)) = schema.get_mut("enum") {
        values.extend(theirs.into_iter().cloned());
    }
}

/// 100, not 100.0.
fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

/// What a tool answers, whichever route it took.
pub fn output(catalogue: &Catalogue, tool: &Tool) -> Json {
    if let Some(handler) = &tool.handler {
        return handler.schema.clone();
    }
    let mut properties = Map::new();
    let mut required: Option<Vec<String>> = None;
    for route in &tool.routes {
        let mut sure = answer(catalogue, tool, route, &mut properties);
        sure.retain(|field| required.as_ref().is_none_or(|list| list.contains(field)));
        required = Some(sure);
    }
    for also in tool.routes.iter().flat_map(|route| &route.also) {
        properties.entry(also.field.clone()).or_insert_with(|| also_schema(catalogue, &also.returns));
    }
    for told in &tool.told {
        properties.insert(told.field.clone(), json!({ "type": "string", "description": told.doc }));
    }
    for guard in &tool.guards {
        if let Guard::Digest { show, .. } = guard
            && !show.is_empty()
        {
            properties.insert(show.clone(), json!({ "type": "object" }));
        }
    }
    properties.insert("notes".to_owned(), json!({ "type": "array", "items": { "type": "string" } }));
    let mut schema = json!({ "type": "object", "properties": properties });
    let required = required.unwrap_or_default();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Adds a route's fields; answers those that always stand in its answer.
fn answer(catalogue: &Catalogue, tool: &Tool, route: &Route, properties: &mut Map<String, Json>) -> Vec<String> {
    let returns = &route.returns;
    let mut add = |name: &str, schema: Json| either(properties.entry(name.to_owned()).or_insert(Json::Null), schema);
    if matches!(tool.locate, Locate::Guest) {
        add("vmid", json!({ "type": "integer" }));
        add("kind", json!({ "type": "string", "enum": ["qemu", "lxc"] }));
        add("node", json!({ "type": "string" }));
    }
    for (_, field) in &returns.echo {
        add(field, json!({ "type": "integer" }));
    }
    match &returns.answer {
        Answer::Done | Answer::Task => {
            add("outcome", json!({ "type": "string", "enum": ["ok", "warnings", "failed", "running", "unknown"] }));
            let waiter = catalogue.waiters.iter().find(|waiter| Some(&waiter.name) == tool.waiter.as_ref());
            if returns.answer == Answer::Task
                && let Some(waiter) = waiter
            {
                for (name, _) in &waiter.from {
                    let integer = waiter.poll.param(name).is_some_and(|param| param.ty == Type::Integer);
                    add(name, json!({ "type": if integer { "integer" } else { "string" } }));
                }
                for field in &waiter.fields {
                    add(&field.to, field_schema(catalogue, field));
                }
                add("log", json!({ "type": "array", "items": { "type": "string" } }));
            }
            vec!["outcome".to_owned()]
        }
        Answer::Object => {
            let open = tool.routes.iter().any(|route| route.returns.shape.fields.len() > NAMED);
            if returns.fields.is_empty() && !open {
                // Of another route's answer the facts may know nothing: it can have these fields in any form.
                let unknown = |route: &Route| route.returns.answer == Answer::Object && bare(&route.returns);
                let untyped = tool.routes.iter().any(unknown);
                for (name, shape) in returns.shape.fields {
                    if !name.contains('[') {
                        let mut schema = value(catalogue, name, shape);
                        if let (true, Some(keys)) = (untyped, schema.as_object_mut()) {
                            keys.shift_remove("type");
                        }
                        add(name, schema);
                    }
                }
            }
            for field in &returns.fields {
                add(&field.to, field_schema(catalogue, field));
            }
            Vec::new()
        }
        Answer::List(key) => {
            add(key, rows(catalogue, &returns.fields, returns.shape));
            add("total", json!({ "type": "integer" }));
            if returns.paged() {
                add("offset", json!({ "type": "integer" }));
                add("next_offset", json!({ "type": "integer" }));
            }
            if !returns.columns.is_empty() {
                // The other form of the same rows.
                add("columns", json!({ "type": "array", "items": { "type": "string" } }));
                add("rows", json!({ "type": "array", "items": { "type": "array" } }));
                return vec!["total".to_owned()];
            }
            vec![key.clone(), "total".to_owned()]
        }
        Answer::Values(key) => {
            let items = returns.fields.first().map_or(json!({}), |field| field_schema(catalogue, field));
            add(key, json!({ "type": "array", "items": items }));
            add("total", json!({ "type": "integer" }));
            if returns.last.is_some() {
                add("offset", json!({ "type": "integer" }));
                add("next_offset", json!({ "type": "integer" }));
            }
            vec![key.clone(), "total".to_owned()]
        }
        Answer::Value(key) => {
            add(key, value(catalogue, key, returns.shape));
            vec![key.clone()]
        }
        Answer::Split => {
            for part in &returns.parts {
                match &part.take {
                    Take::Rows(fields) => add(&part.to, rows(catalogue, fields, returns.shape)),
                    Take::First(field, _) => add(&part.to, field_schema(catalogue, field)),
                }
            }
            Vec::new()
        }
    }
}

/// Whether an object is shown whole, and nothing is known of its fields.
fn bare(returns: &Returns) -> bool {
    returns.fields.is_empty() && returns.shape.fields.is_empty()
}

/// Two kinds may answer the same field in two forms: a VM's memory is text, a container's a number.
fn either(known: &mut Json, schema: Json) {
    if known.is_null() {
        *known = schema;
        return;
    }
    let mut forms = known.get("anyOf").and_then(Json::as_array).cloned().unwrap_or_else(|| vec![known.clone()]);
    if !forms.iter().any(|one| one.get("type") == schema.get("type")) {
        forms.push(schema);
        *known = json!({ "anyOf": forms });
    }
}

fn also_schema(catalogue: &Catalogue, returns: &Returns) -> Json {
    match &returns.answer {
        Answer::List(_) => rows(catalogue, &returns.fields, returns.shape),
        Answer::Values(_) => {
            let items = returns.fields.first().map_or(json!({}), |field| field_schema(catalogue, field));
            json!({ "type": "array", "items": items })
        }
        Answer::Value(_) => value(catalogue, "", returns.shape),
        _ => json!({ "type": "object" }),
    }
}

fn rows(catalogue: &Catalogue, fields: &[Field], shape: &'static Shape) -> Json {
    let mut properties = Map::new();
    if fields.is_empty() {
        for (name, shape) in shape.items.map_or(&[][..], |items| items.fields) {
            properties.insert((*name).to_owned(), value(catalogue, name, shape));
        }
    }
    for field in fields {
        properties.insert(field.to.clone(), field_schema(catalogue, field));
    }
    json!({ "type": "array", "items": { "type": "object", "properties": properties } })
}

fn field_schema(catalogue: &Catalogue, field: &Field) -> Json {
    match field.shape {
        Some(shape) => value(catalogue, &field.to, shape),
        None => json!({}),
    }
}

/// One value. Objects and arrays inside stay open: their fields are the API's to add.
fn value(catalogue: &Catalogue, name: &str, shape: &Shape) -> Json {
    let mut schema = match shape.ty {
        Type::String => json!({ "type": "string" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Array => json!({ "type": "array" }),
        Type::Object => json!({ "type": "object" }),
        Type::Null | Type::Any => json!({}),
    };
    let counted = matches!(shape.ty, Type::Integer | Type::Number);
    if let Some((_, unit)) = catalogue.units.iter().find(|(field, _)| counted && field == name) {
        schema["description"] = Json::String(unit.clone());
    }
    schema
}
