//! Applies the reviewed list of what is more dangerous than its HTTP method looks.
//!
//! Knows the form of a line and which calls and parameters it names; what tier and effect mean is the reader's.

use crate::lines::{self, Mistake, Placed, selects_entry};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TIERS: [&str; 4] = ["read", "operate", "configure", "admin"];
const EFFECTS: [&str; 4] = ["none", "changes", "interrupts", "destroys"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Patterns, see `lines::selects`. Each must select something.
    calls: Vec<String>,
    /// Parameters that raise tier or effect; none = the call itself does.
    #[serde(default)]
    params: Vec<String>,
    /// Only these values of the parameters: `*` at the end = then digits or nothing, `!` in front = any other.
    #[serde(default)]
    values: Vec<String>,
    tier: String,
    effect: String,
    /// One sentence for a person.
    because: String,
}

/// Marks calls (`danger`, the last line that selects one wins) and parameters (`danger`, every line counts).
pub fn apply(entries: &mut [Value], text: &str) -> Result<(), Vec<Mistake>> {
    let list: Vec<Placed<Line>> = lines::read(text)?;
    let mut mistakes = Vec::new();
    let mut winners: Vec<Option<usize>> = vec![None; entries.len()];
    for (number, placed) in list.iter().enumerate() {
        let line = &placed.element;
        let mut say = |text: String| mistakes.push(placed.mistake(text));
        if !TIERS.contains(&line.tier.as_str()) || !EFFECTS.contains(&line.effect.as_str()) {
            say(format!("unknown tier `{}` or effect `{}`", line.tier, line.effect));
        }
        if !line.because.ends_with('.') {
            say("`because` is not a sentence".to_owned());
        }
        let mut used = BTreeSet::new();
        for (index, entry) in entries.iter_mut().enumerate() {
            for call in line.calls.iter().filter(|call| selects_entry(call, entry)).cloned().collect::<Vec<_>>() {
                if line.params.is_empty() {
                    winners[index] = Some(number);
                    used.insert(call);
                } else if mark_params(entry, line, &mut used) {
                    used.insert(call);
                }
            }
        }
        for name in line.calls.iter().chain(&line.params).filter(|name| !used.contains(*name)) {
            say(format!("nothing matches `{name}`"));
        }
        if line.params.is_empty() && !line.values.is_empty() {
            say("`values` without `params`".to_owned());
        }
    }
    for (entry, winner) in entries.iter_mut().zip(&winners) {
        if let Some(placed) = winner.and_then(|number| list.get(number)) {
            entry["danger"] = mark(&placed.element);
        }
    }
    for (number, placed) in list.iter().enumerate() {
        if placed.element.params.is_empty() && !winners.contains(&Some(number)) {
            mistakes.push(placed.mistake("later lines cover every call of this one".to_owned()));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Marks the parameters that the line names, once each even if two patterns select the call.
fn mark_params(entry: &mut Value, line: &Line, used: &mut BTreeSet<String>) -> bool {
    let mut any = false;
    for name in &line.params {
        if let Some(param) = entry["params"].get_mut(name.as_str()) {
            let mut marks = param.get("danger").and_then(Value::as_array).cloned().unwrap_or_default();
            let new = mark(line);
            if !marks.contains(&new) {
                marks.push(new);
            }
            param["danger"] = marks.into();
            used.insert(name.clone());
            any = true;
        }
    }
    any
}

fn mark(line: &Line) -> Value {
    json!({"values": line.values, "tier": line.tier, "effect": line.effect, "because": line.because})
}
