//! From the API's answer to the tool's: chosen fields under their names, rows filtered, sorted and paged.
//!
//! Knows [`Returns`] and the facts' shapes. Never shows what cannot be read as declared.

use super::coerce::{self, Losses};
use super::guards::plain;
use crate::client::{PreparedRequest, Reply};
use crate::plan::View;
use crate::tool::{Answer, Field, Filter, Match, Part, Returns, Take};
use proxmox_spec::Shape;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

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
        Answer::List(key) => {
            let rows = rows(returns, request, reply, view, shape, &mut losses)?;
            rows.into_content(key, &mut content);
        }
        Answer::Values(key) => {
            let mut rows = rows(returns, request, reply, view, shape, &mut losses)?;
            rows.shown = singles(rows.shown);
            rows.into_content(key, &mut content);
        }
        Answer::Value(key) => {
            let value = coerce::value(&reply.data, shape, key, true, &mut losses);
            content.insert(key.to_owned(), value.ok_or_else(|| not_a("a single value", &reply.data))?);
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
        return Ok(project(data, fields, shape, losses));
    }
    match shape {
        Some(shape) => Ok(coerce::object(given, shape, losses)),
        None => match coerce::value(data, None, "answer", false, losses) {
            Some(Value::Object(fields)) => Ok(fields),
            _ => Err(not_a("an object", data)),
        },
    }
}

fn project(row: &Value, fields: &[Field], shape: Option<&'static Shape>, losses: &mut Losses) -> Map<String, Value> {
    let mut shown = Map::new();
    for field in fields {
        let Some((value, shape)) = dig(row, field.from, shape) else { continue };
        if let Some(value) = coerce::value(value, shape, field.to, true, losses) {
            shown.insert(field.to.to_owned(), value);
        }
    }
    shown
}

/// A field by its name, or by a path of names with dots.
fn dig<'a>(row: &'a Value, path: &str, shape: Option<&'static Shape>) -> Option<(&'a Value, Option<&'static Shape>)> {
    if let Some(value) = row.get(path) {
        return Some((value, shape.and_then(|shape| shape.field(path))));
    }
    let (first, rest) = path.split_once('.')?;
    dig(row.get(first)?, rest, shape.and_then(|shape| shape.field(first)))
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

/// The rows of a page, and where they stand in the whole.
struct Rows {
    shown: Vec<Value>,
    total: u64,
    offset: u64,
}

impl Rows {
    fn into_content(self, key: &str, content: &mut Map<String, Value>) {
        let count = self.shown.len() as u64;
        content.insert(key.to_owned(), Value::Array(self.shown));
        content.insert("total".to_owned(), json!(self.total));
        let next = self.offset.saturating_add(count);
        if count < self.total {
            content.insert("offset".to_owned(), json!(self.offset));
            if next < self.total && count > 0 {
                content.insert("next_offset".to_owned(), json!(next));
            }
        }
    }
}

fn rows(
    returns: &Returns,
    request: &PreparedRequest,
    reply: &Reply,
    view: &View,
    shape: Option<&'static Shape>,
    losses: &mut Losses,
) -> Result<Rows, Unreadable> {
    let given = list(&reply.data)?;
    let mut kept: Vec<&Value> =
        given.iter().filter(|row| belongs(row, returns) && chosen(row, returns.filters, view)).collect();
    if let Some(sort) = returns.sort {
        let (field, down) = sort.strip_prefix('-').map_or((sort, false), |field| (field, true));
        kept.sort_by(|one, other| order(dig(one, field, None), dig(other, field, None), down));
    }
    let fetched = given.len() as u64;
    // The API pages by itself where it says a total and was asked for a part.
    let paged = reply.total.filter(|total| *total > fetched);
    let (total, start) = match paged {
        Some(total) => (total, request.value("start").and_then(|start| start.parse().ok()).unwrap_or(0)),
        None => (kept.len() as u64, 0),
    };
    if paged.is_some() && (kept.len() as u64) < fetched {
        losses.add(format!("The filter looked at the first {fetched} of {total} rows only."));
    }
    // Without a total nobody knows what follows a page that is full.
    let asked = request.value("limit").and_then(|limit| limit.parse::<u64>().ok());
    if reply.total.is_none() && asked.is_some_and(|asked| asked > 0 && fetched >= asked) {
        losses.add(format!("The API gave {fetched} rows, as many as were asked for, and no total: there may be more."));
    }
    let limit = view.limit.or(returns.page.map(u64::from)).unwrap_or(u64::MAX);
    let skip = usize::try_from(view.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let shape = items(shape);
    let shown =
        kept.into_iter().skip(skip).take(take).filter_map(|row| shown(row, returns.fields, shape, losses)).collect();
    Ok(Rows { shown, total, offset: start + view.offset })
}

fn shown(row: &Value, fields: &[Field], shape: Option<&'static Shape>, losses: &mut Losses) -> Option<Value> {
    match row {
        Value::Object(_) => fields_of(row, fields, shape, losses).ok().map(Value::Object),
        single => coerce::value(single, shape, "row", false, losses),
    }
}

/// A list of rows with one field each → a list of these values.
fn singles(rows: Vec<Value>) -> Vec<Value> {
    let single = |row: Value| match row {
        Value::Object(fields) => fields.into_iter().next().map(|(_, value)| value),
        other => Some(other),
    };
    rows.into_iter().filter_map(single).collect()
}

fn belongs(row: &Value, returns: &Returns) -> bool {
    let text = |field: &str| dig(row, field, None).map(|(value, _)| plain(value)).unwrap_or_default();
    returns.only.iter().all(|(field, values)| values.contains(&text(field).as_str()))
        && !returns.drop.iter().any(|(field, values)| values.contains(&text(field).as_str()))
}

fn chosen(row: &Value, filters: &[Filter], view: &View) -> bool {
    view.filters.iter().all(|(argument, wanted)| {
        filters.iter().filter(|filter| filter.argument == *argument).all(|filter| {
            let text = dig(row, filter.field, None).map(|(value, _)| plain(value)).unwrap_or_default();
            matches(filter.by, &text, wanted)
        })
    })
}

fn matches(by: Match, text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match by {
        Match::Equals => text == wanted || (text.is_empty() && wanted == "0"),
        Match::Pattern if wanted.contains(['*', '?']) => wildmatch::WildMatch::new(&wanted).matches(&text),
        Match::Pattern => text.contains(&wanted),
        Match::Word => text.split([';', ',', ' ']).any(|word| word == wanted),
    }
}

/// Numbers by value, texts by letter; what is missing comes last.
fn order(one: Option<(&Value, Option<&Shape>)>, other: Option<(&Value, Option<&Shape>)>, down: bool) -> Ordering {
    let (one, other) = match (one, other) {
        (Some((one, _)), Some((other, _))) => (plain(one), plain(other)),
        (Some(_), None) => return Ordering::Less,
        (None, Some(_)) => return Ordering::Greater,
        (None, None) => return Ordering::Equal,
    };
    let by = match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.to_lowercase().cmp(&other.to_lowercase()),
    };
    if down { by.reverse() } else { by }
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
            let found = rows.next().and_then(|row| dig(row, field, shape));
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
