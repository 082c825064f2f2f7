//! Reviewed lists: a JSON array whose elements know their line, and the selectors that both lists share.
//!
//! Knows how calls are named in a list; must not know what a list does with the calls it selects.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// What is wrong with one element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line of the file, from 1.
    pub line: usize,
    pub text: String,
}

/// An element of a list and the line on which it begins.
#[derive(Debug)]
pub struct Placed<T> {
    pub line: usize,
    pub element: T,
}

impl<T> Placed<T> {
    pub fn mistake(&self, text: String) -> Mistake {
        Mistake { line: self.line, text }
    }
}

/// Reads a JSON array of `T`, remembering where each element begins.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<Vec<Placed<T>>, Vec<Mistake>> {
    let raw: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| vec![Mistake { line: error.line().max(1), text: error.to_string() }])?;
    let mut elements = Vec::new();
    let mut mistakes = Vec::new();
    for value in raw {
        // The raw value borrows from `text`, so the distance of the two pointers is its offset.
        let offset = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = 1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
        match serde_json::from_str(value.get()) {
            Ok(element) => elements.push(Placed { line, element }),
            Err(error) => mistakes.push(Mistake { line, text: error.to_string() }),
        }
    }
    if mistakes.is_empty() { Ok(elements) } else { Err(mistakes) }
}

/// True if `pattern` selects the call.
///
/// A pattern is `VERB path`: the verb is one or several joined by `|`, or `*`; in the path `*` stands for any one
/// segment, and `/**` at the end for the path before it and everything below.
pub fn selects(pattern: &str, verb: &str, path: &str) -> bool {
    let Some((verbs, wanted)) = pattern.split_once(' ') else { return false };
    if verbs != "*" && !verbs.split('|').any(|one| one == verb) {
        return false;
    }
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    for want in wanted.split('/').filter(|segment| !segment.is_empty()) {
        if want == "**" {
            return true;
        }
        match segments.next() {
            Some(have) if want == "*" || want == have => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// The text under a key of an entry, empty if there is none.
pub fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// True if `pattern` selects this entry of the facts.
pub fn selects_entry(pattern: &str, entry: &Value) -> bool {
    selects(pattern, text(entry, "method"), text(entry, "path"))
}
