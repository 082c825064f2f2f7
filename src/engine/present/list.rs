//! Lists: rows chosen, sorted, cut to a page, and shown as objects or as a table.
//!
//! Knows [`Returns`] and rows that are text. Reads of each row only what decides about it, until it is shown.

use super::{Shown, dig, items, only, project, shape, shown};
use crate::client::{Listing, PreparedRequest, Row};
use crate::engine::coerce::Losses;
use crate::engine::guards::plain;
use crate::plan::View;
use crate::tool::{Answer, Field, Filter, Match, Returns};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Rows of a list as short as this are read once and whole. Of a longer one that would take too much memory.
const SHORT: usize = 200;

/// The answer of a call whose answer is a list.
pub fn listing(returns: &Returns, request: &PreparedRequest, listing: &Listing, view: &View) -> Shown {
    let mut losses = Losses::default();
    let mut content = Map::new();
    let fields = fields(returns, view);
    let names = names(&fields);
    let page = page(returns, request, listing, view, &names, &mut losses);
    let shape = items(shape(request));
    let mut read = |kept: &Kept<'_>| match &kept.fields {
        // What is no object has no fields to choose from.
        _ if fields.is_empty() || !kept.row.is_object() => {
            let mut row = shown(&kept.row.value(), &[], shape, &mut losses);
            if let (Some(row), true) = (&mut row, returns.fields.is_empty()) {
                only(row, &view.fields);
            }
            row
        }
        Some(values) => Some(Value::Object(project(&|name| find(&names, values, name), &fields, shape, &mut losses))),
        None => {
            let values = kept.row.pick(&names);
            Some(Value::Object(project(&|name| find(&names, &values, name), &fields, shape, &mut losses)))
        }
    };
    match returns.form {
        Answer::List(_) if view.table => {
            let cells = |row| match row {
                Value::Object(mut row) => {
                    fields.iter().map(|field| row.get_mut(field.to).map_or(Value::Null, Value::take)).collect()
                }
                single => single,
            };
            let rows = page.rows.iter().filter_map(&mut read).map(cells).collect();
            content.insert("columns".to_owned(), fields.iter().map(|field| field.to).collect());
            page.place(&mut content, "rows", rows);
        }
        Answer::List(key) => {
            let rows = page.rows.iter().filter_map(&mut read).collect();
            page.place(&mut content, key, rows);
        }
        Answer::Values(key) => {
            let rows = singles(page.rows.iter().filter_map(&mut read));
            page.place(&mut content, key, rows);
        }
        _ => {}
    }
    Shown { content, notes: losses.into_notes() }
}

/// The fields to show: what the caller chose, in the caller's order in a table and in the catalogue's otherwise.
fn fields(returns: &Returns, view: &View) -> Vec<&'static Field> {
    let named = |name: &str| returns.fields.iter().find(|field| field.to == name);
    match (view.table, view.fields.as_slice(), returns.columns) {
        (true, [], []) | (false, [], _) => returns.fields.iter().collect(),
        (true, [], columns) => columns.iter().filter_map(|name| named(name)).collect(),
        (true, chosen, _) => chosen.iter().filter_map(|name| named(name)).collect(),
        (false, chosen, _) => {
            returns.fields.iter().filter(|field| chosen.iter().any(|name| name == field.to)).collect()
        }
    }
}

/// Where these fields stand in a row: each by its whole name, and by the first part of one with dots.
fn names(fields: &[&'static Field]) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for field in fields {
        for name in [Some(field.from), field.from.split_once('.').map(|(first, _)| first)].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn find<'v>(names: &[&str], values: &'v [Option<Value>], name: &str) -> Option<&'v Value> {
    values.get(names.iter().position(|known| *known == name)?)?.as_ref()
}

/// A row that is shown; its fields if they were read.
struct Kept<'a> {
    row: Row<'a>,
    place: Option<Place>,
    fields: Option<Vec<Option<Value>>>,
}

/// The rows of a page, and where they stand in the whole.
struct Page<'a> {
    rows: Vec<Kept<'a>>,
    total: u64,
    offset: u64,
}

impl Page<'_> {
    fn place(&self, content: &mut Map<String, Value>, key: &str, rows: Vec<Value>) {
        let count = rows.len() as u64;
        content.insert(key.to_owned(), Value::Array(rows));
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

/// Chooses, sorts and cuts. Of the rows of a long list, only what chooses and sorts is read; of a short one `shown` too.
fn page<'a>(
    returns: &Returns,
    request: &PreparedRequest,
    listing: &'a Listing,
    view: &View,
    shown: &[&'static str],
    losses: &mut Losses,
) -> Page<'a> {
    let (sort, down) = match returns.sort {
        Some(sort) => sort.strip_prefix('-').map_or((Some(sort), false), |field| (Some(field), true)),
        None => (None, false),
    };
    let short = listing.count() <= SHORT;
    // What is shown comes first, so that it is found where `names` says.
    let mut names = if short { shown.to_vec() } else { Vec::new() };
    for name in looked_at(returns, view, sort) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut kept: Vec<Kept<'a>> = Vec::new();
    for row in listing.rows() {
        let fields = Fields { names: &names, values: if names.is_empty() { Vec::new() } else { row.pick(&names) } };
        if belongs(&fields, returns) && chosen(&fields, returns.filters, view) {
            let place = sort.and_then(|field| fields.text(field)).map(Place::of);
            kept.push(Kept { row, place, fields: short.then_some(fields.values) });
        }
    }
    if sort.is_some() {
        kept.sort_by(|one, other| order(one.place.as_ref(), other.place.as_ref(), down));
    }
    let fetched = listing.count() as u64;
    // The API pages by itself where it says a total and was asked for a part.
    let paged = listing.total.filter(|total| *total > fetched);
    let (total, start) = match paged {
        Some(total) => (total, request.value("start").and_then(|start| start.parse().ok()).unwrap_or(0)),
        None => (kept.len() as u64, 0),
    };
    if paged.is_some() && (kept.len() as u64) < fetched {
        losses.add(format!("The filter looked at the first {fetched} of {total} rows only."));
    }
    // Without a total nobody knows what follows a page that is full.
    let asked = request.value("limit").and_then(|limit| limit.parse::<u64>().ok());
    if listing.total.is_none() && asked.is_some_and(|asked| asked > 0 && fetched >= asked) {
        losses.add(format!("The API gave {fetched} rows, as many as were asked for, and no total: there may be more."));
    }
    let limit = view.limit.or(returns.page.map(u64::from)).unwrap_or(u64::MAX);
    let skip = usize::try_from(view.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let rows = kept.into_iter().skip(skip).take(take).collect();
    Page { rows, total, offset: start + view.offset }
}

/// The fields that decide about a row, by the first of their names.
fn looked_at<'a>(returns: &Returns, view: &View, sort: Option<&'a str>) -> Vec<&'a str> {
    let given = |filter: &&Filter| view.filters.iter().any(|(argument, _)| *argument == filter.argument);
    let fixed = returns.only.iter().chain(returns.drop).map(|(field, _)| *field);
    let mut names: Vec<&str> = Vec::new();
    for field in fixed.chain(returns.filters.iter().filter(given).map(|filter| filter.field)).chain(sort) {
        let first = field.split('.').next().unwrap_or(field);
        if !names.contains(&first) {
            names.push(first);
        }
    }
    names
}

/// What was read of a row.
struct Fields<'n> {
    names: &'n [&'n str],
    values: Vec<Option<Value>>,
}

impl Fields<'_> {
    /// A field by its name, or by a path of names with dots.
    fn text(&self, path: &str) -> Option<String> {
        let get = |name: &str| find(self.names, &self.values, name);
        dig(&get, path, None).map(|(value, _)| plain(value))
    }
}

/// Where a row stands in the order: numbers by value, texts by letter.
struct Place {
    number: Option<f64>,
    text: String,
}

impl Place {
    fn of(text: String) -> Place {
        Place { number: text.parse().ok(), text: text.to_lowercase() }
    }
}

/// What is missing comes last.
fn order(one: Option<&Place>, other: Option<&Place>, down: bool) -> Ordering {
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (Some(_), None) => return Ordering::Less,
        (None, Some(_)) => return Ordering::Greater,
        (None, None) => return Ordering::Equal,
    };
    let by = match (one.number, other.number) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => one.text.cmp(&other.text),
    };
    if down { by.reverse() } else { by }
}

/// A list of rows with one field each → a list of these values.
fn singles(rows: impl Iterator<Item = Value>) -> Vec<Value> {
    let single = |row: Value| match row {
        Value::Object(fields) => fields.into_iter().next().map(|(_, value)| value),
        other => Some(other),
    };
    rows.filter_map(single).collect()
}

fn belongs(row: &Fields<'_>, returns: &Returns) -> bool {
    let text = |field: &str| row.text(field).unwrap_or_default();
    returns.only.iter().all(|(field, values)| values.contains(&text(field).as_str()))
        && !returns.drop.iter().any(|(field, values)| values.contains(&text(field).as_str()))
}

fn chosen(row: &Fields<'_>, filters: &[Filter], view: &View) -> bool {
    view.filters.iter().all(|(argument, wanted)| {
        filters
            .iter()
            .filter(|filter| filter.argument == *argument)
            .all(|filter| matches(filter.by, &row.text(filter.field).unwrap_or_default(), wanted))
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
