//! One cut: where an answer is heaviest, and what goes there.
//!
//! Knows JSON only. Rows and fields go as a whole, texts from their beginning: the end of a log or of a command's output
//! says how it ended.

use super::estimate;
use serde_json::{Map, Value};

/// Shorter texts stay whole.
const SHORT: u64 = 40;
/// The field that says what is missing.
const NOTES: &str = "notes";

/// Something that was left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// Names with dots, and places in lists in brackets.
    pub path: String,
    pub what: What,
    pub left_out: u64,
    /// How many there were.
    pub of: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Rows from the end.
    Rows,
    /// Texts from the beginning of a list of texts.
    Lines,
    /// Characters from the beginning.
    Text,
    Fields,
}

/// Cuts where the answer is heaviest, by `over` tokens if that place has so many. `None` = nothing is left to cut.
pub fn heaviest(content: &mut Map<String, Value>, over: u64, required: &[String]) -> Option<Cut> {
    let kept = |name: &str| name == NOTES || required.iter().any(|one| one == name);
    within_object(content, over, "", &kept)
}

fn weigh(value: &Value) -> u64 {
    estimate(&value.to_string())
}

fn within(value: &mut Value, over: u64, path: &str) -> Option<Cut> {
    match value {
        Value::String(text) => shorten(text, over, path),
        Value::Array(rows) => within_array(rows, over, path),
        Value::Object(fields) => within_object(fields, over, path, &|_| false),
        _ => None,
    }
}

fn within_array(rows: &mut Vec<Value>, over: u64, path: &str) -> Option<Cut> {
    let weights: Vec<u64> = rows.iter().map(weigh).collect();
    let total: u64 = weights.iter().sum();
    let (heaviest, weight) = weights.iter().copied().enumerate().max_by_key(|(_, weight)| *weight)?;
    if (rows.len() == 1 || weight * 2 > total)
        && let Some(cut) = within(&mut rows[heaviest], over, &format!("{path}[{heaviest}]"))
    {
        return Some(cut);
    }
    if rows.len() < 2 {
        return None;
    }
    let of = rows.len() as u64;
    let lines = rows.iter().all(Value::is_string);
    let enough = |weights: &mut dyn Iterator<Item = u64>| {
        let (mut count, mut gone) = (0, 0);
        for weight in weights {
            if gone >= over || count + 1 == rows.len() {
                break;
            }
            gone += weight;
            count += 1;
        }
        count
    };
    let count = if lines { enough(&mut weights.iter().copied()) } else { enough(&mut weights.iter().rev().copied()) };
    if lines {
        rows.drain(..count);
    } else {
        rows.truncate(rows.len() - count);
    }
    let what = if lines { What::Lines } else { What::Rows };
    Some(Cut { path: path.to_owned(), what, left_out: count as u64, of })
}

fn within_object(fields: &mut Map<String, Value>, over: u64, path: &str, kept: &dyn Fn(&str) -> bool) -> Option<Cut> {
    let mut order: Vec<(u64, String)> = fields
        .iter()
        .filter(|(name, _)| !(path.is_empty() && *name == NOTES))
        .map(|(name, value)| (weigh(value), name.clone()))
        .collect();
    order.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let total: u64 = order.iter().map(|(weight, _)| weight).sum();
    // Many small fields: none of them is worth a cut of its own.
    let wide = order.first().is_some_and(|(weight, _)| weight * 8 < total);
    if !wide {
        for (_, name) in &order {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(cut) = fields.get_mut(name).and_then(|value| within(value, over, &inner)) {
                return Some(cut);
            }
        }
    }
    let of = fields.len() as u64;
    let (mut gone, mut left_out) = (0, 0);
    let names: Vec<String> = fields.keys().rev().filter(|name| !kept(name)).cloned().collect();
    for name in names {
        if gone >= over || fields.len() < 2 {
            break;
        }
        gone += fields.shift_remove(&name).map_or(0, |value| estimate(&format!("\"{name}\":{value},")));
        left_out += 1;
    }
    let path = if path.is_empty() { "answer" } else { path };
    (left_out > 0).then(|| Cut { path: path.to_owned(), what: What::Fields, left_out, of })
}

/// The end of a text, from the beginning of a line where there is one.
fn shorten(text: &mut String, over: u64, path: &str) -> Option<Cut> {
    let whole = estimate(text);
    if whole <= SHORT {
        return None;
    }
    let of = text.chars().count() as u64;
    let goal = whole.saturating_sub(over).max(SHORT / 2);
    let mut keep = (text.len() as u64).saturating_mul(goal) / whole;
    loop {
        let mut start = text.len() - usize::try_from(keep).unwrap_or(text.len()).min(text.len());
        while !text.is_char_boundary(start) {
            start += 1;
        }
        // Half a line says little, unless the text has no lines.
        let rest = &text[start..];
        let line = rest.find('\n').map(|end| end + 1).filter(|end| *end < rest.len() / 4);
        let end = rest[line.unwrap_or(0)..].to_owned();
        if estimate(&end) <= goal || keep < 16 {
            let left_out = of - end.chars().count() as u64;
            *text = end;
            return (left_out > 0).then(|| Cut { path: path.to_owned(), what: What::Text, left_out, of });
        }
        keep = keep * 9 / 10;
    }
}
