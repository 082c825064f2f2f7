//! From the API's answer to the tool's: chosen fields under their names, rows filtered, sorted and paged.
//!
//! Knows [`Returns`] and the facts' shapes. Never shows what cannot be read as declared.

mod list;

use super::coerce::{self, Losses};
use super::guards::plain;
use crate::client::{Listing, PreparedRequest, Reply};
use crate::plan::View;
use crate::tool::{Answer, Field, Part, Returns, Take};
pub use list::listing;
use proxmox_spec::Shape;
use serde_json::{Map, Value, json};

/// An answer that is not of the form that the tool promises: what came, in words.
pub type Unreadable = String;

/// What is shown.
#[derive(Debug, Default)]
pub struct Shown {
    pub content: Map<String, Value>,
    pub notes: Vec<String>,
}

/// The declared form of a request's answer.
pub fn shape(request: &PreparedRequest) -> Option<&'static Shape> {
    proxmox_spec::route(request.verb, request.path()).map(|route| route.method.returns)
}

/// The answer of a call. What starts something answers with its outcome, which is added elsewhere.
///
/// # Errors
/// The answer is not of the promised form.
pub fn answer(returns: &Returns, request: &PreparedRequest, reply: &Reply, view: &View) -> Result<Shown, Unreadable> {
    let shape = shape(request);
    let mut losses = Losses::default();
    let mut content = Map::new();
    match returns.form {
        Answer::Done | Answer::Task => {}
        Answer::Object => content = fields_of(&reply.data, returns.fields, shape, &mut losses)?,
        Answer::List(_) | Answer::Values(_) => {
            let rows = Listing::of(reply).ok_or_else(|| not_a("a list", &reply.data))?;
            return Ok(listing(returns, request, &rows, view));
        }
        Answer::Value(key) => {
            let value = coerce::value(&reply.data, shape, key, true, &mut losses);
            let mut value = value.ok_or_else(|| not_a("a single value", &reply.data))?;
            only(&mut value, &view.fields);
            content.insert(key.to_owned(), value);
        }
        Answer::Split => {
            let given = list(&reply.data)?;
            // Defaults are for parts that this cluster does not have, not for an answer without any.
            if !given.iter().any(|row| returns.parts.iter().any(|part| of_part(row, part))) {
                return Err("none of the rows that were expected came".to_owned());
            }
            for part in returns.parts {
                let value = split(part, given, items(shape), &mut losses);
                if !value.is_null() {
                    content.insert(part.to.to_owned(), value);
                }
            }
        }
    }
    Ok(Shown { content, notes: losses.into_notes() })
}

/// The answer of a further read, as one value.
///
/// # Errors
/// The answer is not of the promised form.
pub fn besides(
    returns: &Returns,
    request: &PreparedRequest,
    reply: &Reply,
) -> Result<(Value, Vec<String>), Unreadable> {
    let shown = answer(returns, request, reply, &View::default())?;
    let value = match returns.form {
        Answer::List(key) | Answer::Values(key) | Answer::Value(key) => shown.content.get(key).cloned(),
        _ => None,
    };
    Ok((value.unwrap_or(Value::Object(shown.content)), shown.notes))
}

/// Chosen fields of an object, or all of them.
///
/// # Errors
/// It is no object.
pub fn fields_of(
    data: &Value,
    fields: &[Field],
    shape: Option<&'static Shape>,
    losses: &mut Losses,
) -> Result<Map<String, Value>, Unreadable> {
    let Value::Object(given) = data else { return Err(not_a("an object", data)) };
    if !fields.is_empty() {
        let fields: Vec<&Field> = fields.iter().collect();
        return Ok(project(&|name| given.get(name), &fields, shape, losses));
    }
    match shape {
        Some(shape) => Ok(coerce::object(given, shape, losses)),
        None => match coerce::value(data, None, "answer", false, losses) {
            Some(Value::Object(fields)) => Ok(fields),
            _ => Err(not_a("an object", data)),
        },
    }
}

/// Leaves the fields that the caller chose, where the catalogue names none; no choice leaves all.
fn only(value: &mut Value, chosen: &[String]) {
    if let (Value::Object(fields), false) = (value, chosen.is_empty()) {
        fields.retain(|name, _| chosen.contains(name));
    }
}

/// Chosen fields of a row, which `get` finds by name.
fn project<'v>(
    get: &impl Fn(&str) -> Option<&'v Value>,
    fields: &[&Field],
    shape: Option<&'static Shape>,
    losses: &mut Losses,
) -> Map<String, Value> {
    let mut shown = Map::with_capacity(fields.len());
    let about = coerce::about_secret(get);
    for field in fields {
        if about && coerce::OF_OPTION.contains(&field.from) {
            continue;
        }
        let Some((value, shape)) = dig(get, field.from, shape) else { continue };
        if let Some(value) = coerce::value(value, shape, field.to, true, losses) {
            shown.insert(field.to.to_owned(), value);
        }
    }
    shown
}

/// A field by its name, or by a path of names with dots.
fn dig<'v>(
    get: &impl Fn(&str) -> Option<&'v Value>,
    path: &str,
    shape: Option<&'static Shape>,
) -> Option<(&'v Value, Option<&'static Shape>)> {
    if let Some(value) = get(path) {
        return Some((value, shape.and_then(|shape| shape.field(path))));
    }
    let (first, mut rest) = path.split_once('.')?;
    let (mut value, mut shape) = (get(first)?, shape.and_then(|shape| shape.field(first)));
    loop {
        if let Some(found) = value.get(rest) {
            return Some((found, shape.and_then(|shape| shape.field(rest))));
        }
        let (next, further) = rest.split_once('.')?;
        (value, shape, rest) = (value.get(next)?, shape.and_then(|shape| shape.field(next)), further);
    }
}

fn items(shape: Option<&'static Shape>) -> Option<&'static Shape> {
    shape.and_then(|shape| shape.items)
}

/// Some endpoints answer null for an empty list.
fn list(data: &Value) -> Result<&[Value], Unreadable> {
    match data {
        Value::Array(rows) => Ok(rows),
        Value::Null => Ok(&[]),
        other => Err(not_a("a list", other)),
    }
}

fn not_a(expected: &str, data: &Value) -> Unreadable {
    let came = match data {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{expected} was expected, and {came} came")
}

fn shown(row: &Value, fields: &[Field], shape: Option<&'static Shape>, losses: &mut Losses) -> Option<Value> {
    match row {
        Value::Object(_) => fields_of(row, fields, shape, losses).ok().map(Value::Object),
        single => coerce::value(single, shape, "row", false, losses),
    }
}

fn of_part(row: &Value, part: &Part) -> bool {
    let (field, value) = part.of;
    row.get(field).is_some_and(|found| plain(found) == value)
}

fn split(part: &Part, given: &[Value], shape: Option<&'static Shape>, losses: &mut Losses) -> Value {
    let mut rows = given.iter().filter(|row| of_part(row, part));
    match part.take {
        Take::Rows(fields) => Value::Array(rows.filter_map(|row| shown(row, fields, shape, losses)).collect()),
        Take::First(field, otherwise) => {
            let found = rows.next().and_then(|row| dig(&|name| row.get(name), field, shape));
            let read = found.and_then(|(value, shape)| coerce::value(value, shape, part.to, true, losses));
            read.unwrap_or_else(|| serde_json::from_str(otherwise).unwrap_or(Value::Null))
        }
    }
}

/// Parameters of the sent request that the answer repeats, typed as the facts say.
pub fn echo(returns: &Returns, request: &PreparedRequest, content: &mut Map<String, Value>) {
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return };
    for (param, field) in returns.echo {
        let in_path = route.params.iter().find(|(name, _)| name == param).map(|(_, value)| value.as_str());
        let Some(text) = request.value(param).or(in_path) else { continue };
        let value = match route.method.param(param).map(|fact| fact.ty) {
            Some(proxmox_spec::Type::Integer) => {
                text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
            }
            Some(proxmox_spec::Type::Boolean) => json!(text == "1"),
            _ => json!(text),
        };
        content.insert((*field).to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
