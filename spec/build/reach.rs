//! Applies the reviewed list of what calls reach and which parameters name something.
//!
//! Knows the form of a line and which calls, parameters and formats it names; what a word means is the reader's.

use crate::lines::{self, Mistake, Placed, selects_entry, text};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const REACHES: [&str; 6] = ["named", "host", "list_of_node", "list_of_cluster", "list_only", "unlisted"];
const NAMES: [&str; 13] = [
    "guest", "new", "excluded", "node", "storage", "volume", "source", "pool", "members", "task", "device", "anything",
    "nothing",
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Patterns, see `lines::selects`. Each must select something.
    #[serde(default)]
    calls: Vec<String>,
    /// Every parameter and sub-key of these formats, in any call.
    #[serde(default)]
    formats: Vec<String>,
    /// Parameters (`archive`) and sub-keys (`fleecing.storage`) of the calls.
    #[serde(default)]
    params: Vec<String>,
    /// What the parameters name.
    names: Option<String>,
    /// How far the calls reach.
    reach: Option<String>,
    /// They touch every disk of the guest in their path.
    #[serde(default)]
    disks: bool,
    /// They move guests to another node.
    #[serde(default)]
    moves: bool,
    /// `VERB path` whose parameters describe what is stored at the call's own path.
    stored: Option<String>,
    /// The path of the configuration that the guest has afterwards.
    becomes: Option<String>,
    /// For a person.
    #[serde(default)]
    because: String,
}

/// Marks calls (`reach`, the last line that selects one wins) and parameters (`names`, the last line wins).
pub fn apply(entries: &mut [Value], source: &str) -> Result<(), Vec<Mistake>> {
    let list: Vec<Placed<Line>> = lines::read(source)?;
    let known: BTreeSet<String> =
        entries.iter().map(|entry| format!("{} {}", text(entry, "method"), text(entry, "path"))).collect();
    let mut mistakes = Vec::new();
    let mut winners: Vec<Option<usize>> = vec![None; entries.len()];
    for (number, placed) in list.iter().enumerate() {
        let line = &placed.element;
        let mut say = |text: String| mistakes.push(placed.mistake(text));
        match (&line.names, &line.reach) {
            (Some(names), None) if NAMES.contains(&names.as_str()) => {}
            (None, Some(reach)) if REACHES.contains(&reach.as_str()) => {}
            _ => {
                say("a line says either what parameters name or how far calls reach, in one of the known words".into())
            }
        }
        if line.because.is_empty() && line.formats.is_empty() {
            say("`because` is missing".to_owned());
        }
        if let Some(stored) = line.stored.as_ref().filter(|stored| !known.contains(*stored)) {
            say(format!("there is no call `{stored}`"));
        }
        let mut used = BTreeSet::new();
        for (index, entry) in entries.iter_mut().enumerate() {
            if let Some(names) = &line.names {
                name_formats(entry, line, names, &mut used);
            }
            let calls: Vec<&String> = line.calls.iter().filter(|call| selects_entry(call, entry)).collect();
            for call in calls {
                match &line.names {
                    None => {
                        winners[index] = Some(number);
                        used.insert(call.clone());
                    }
                    Some(names) => {
                        if name_params(entry, line, names, &mut used) {
                            used.insert(call.clone());
                        }
                    }
                }
            }
        }
        let named = line.calls.iter().chain(&line.params).chain(&line.formats);
        for name in named.filter(|name| !used.contains(*name)) {
            say(format!("nothing matches `{name}`"));
        }
    }
    for (entry, winner) in entries.iter_mut().zip(&winners) {
        if let Some(placed) = winner.and_then(|number| list.get(number)) {
            let Line { reach, disks, moves, stored, becomes, because, .. } = &placed.element;
            entry["reach"] = json!({"extent": reach, "disks": disks, "moves": moves, "stored": stored, "becomes": becomes, "because": because});
        } else if text(entry, "method") != "GET" {
            let call = format!("no line says what {} {} reaches", text(entry, "method"), text(entry, "path"));
            mistakes.push(Mistake { line: 1, text: call });
        }
    }
    for (number, placed) in list.iter().enumerate() {
        if placed.element.reach.is_some() && !winners.contains(&Some(number)) {
            mistakes.push(placed.mistake("later lines cover every call of this one".to_owned()));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Marks every parameter of the line's formats, sub-keys and elements included.
fn name_formats(entry: &mut Value, line: &Line, names: &str, used: &mut BTreeSet<String>) {
    fn walk(param: &mut Value, line: &Line, names: &str, used: &mut BTreeSet<String>) {
        if let Some(format) = line.formats.iter().find(|format| text(param, "format") == format.as_str()) {
            used.insert(format.clone());
            param["names"] = names.into();
        }
        for key in param.get_mut("keys").and_then(Value::as_object_mut).into_iter().flat_map(|keys| keys.values_mut()) {
            walk(key, line, names, used);
        }
        if let Some(items) = param.get_mut("items") {
            walk(items, line, names, used);
        }
    }
    let params = entry.get_mut("params").and_then(Value::as_object_mut);
    for param in params.into_iter().flat_map(|params| params.values_mut()) {
        walk(param, line, names, used);
    }
}

/// Marks the parameters and sub-keys that the line names.
fn name_params(entry: &mut Value, line: &Line, names: &str, used: &mut BTreeSet<String>) -> bool {
    let mut any = false;
    for name in &line.params {
        let (first, key) = name.split_once('.').map_or((name.as_str(), None), |(first, key)| (first, Some(key)));
        let mut param = entry["params"].get_mut(first);
        if let Some(key) = key {
            param = param.and_then(|param| param.get_mut("keys")?.get_mut(key));
        }
        if let Some(param) = param {
            param["names"] = names.into();
            used.insert(name.clone());
            any = true;
        }
    }
    any
}
