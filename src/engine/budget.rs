//! How long an answer may be: the one place through which every answer goes before it leaves.
//!
//! Whole rows go first, from the heaviest list; then long texts lose their beginning. JSON is never cut, totals stay what
//! they were, and the answer says what is missing and how to get it. Knows JSON and the names of paging; no tool.

mod cut;
mod estimate;

pub use estimate::estimate;

use super::{Answer, note};
use crate::tool::{Answer as Form, Surface};
use cut::{Cut, What};
use serde_json::{Map, Value, json};

/// Tokens that the words about what is missing may take.
const WORDS: u64 = 150;
/// Places that are named where something is missing; there is room for the words about so many.
const NAMED: usize = 4;
/// Cuts of one answer, after which it is short whatever it was: each takes what is too much, or all that one place has.
const ROUNDS: usize = 200;

/// The answer within this many tokens, as estimated.
pub(super) fn answer(mut answer: Answer, surface: &Surface, most: u64) -> Answer {
    answer.text = answer.text.map(|told| text(told, most));
    // No byte is more than a token: what has so few of them need not be taken apart.
    if bytes(&answer.content) <= most || weigh(&answer.content) <= most {
        return answer;
    }
    // A little less, as an estimate may be a little too low.
    let goal = (most - most / 32).saturating_sub(WORDS);
    let required = required(surface);
    let mut cuts: Vec<Cut> = Vec::new();
    for _ in 0..ROUNDS {
        let over = weigh(&answer.content).saturating_sub(goal);
        if over == 0 {
            break;
        }
        match cut::heaviest(&mut answer.content, over, &required) {
            Some(made) => remember(&mut cuts, made),
            None => break,
        }
    }
    let said = says(&mut answer.content, &cuts, surface, most);
    note(&mut answer.content, said);
    answer
}

/// A text within this many tokens: its beginning, which names the cause, and its end, which says what to do.
pub(super) fn text(given: String, most: u64) -> String {
    let whole = estimate(&given);
    if whole <= most {
        return given;
    }
    let letters = given.chars().count();
    let mut kept = letters * usize::try_from(most).unwrap_or(usize::MAX) / usize::try_from(whole).unwrap_or(usize::MAX);
    loop {
        let (head, tail) = (kept / 2, kept - kept / 2);
        let first: String = given.chars().take(head).collect();
        let last: String = given.chars().skip(letters - tail).collect();
        let short = format!("{first}\n… ({} characters left out) …\n{last}", letters - kept);
        if estimate(&short) <= most || kept == 0 {
            return short;
        }
        kept = kept * 9 / 10;
    }
}

/// How long a value is as JSON, without writing it anywhere.
fn bytes(content: &Map<String, Value>) -> u64 {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, written: &[u8]) -> std::io::Result<usize> {
            self.0 += written.len() as u64;
            Ok(written.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, content).map_or(u64::MAX, |()| count.0)
}

fn weigh(content: &Map<String, Value>) -> u64 {
    serde_json::to_string(content).map_or(0, |text| estimate(&text))
}

/// The fields that every answer of this tool has.
fn required(surface: &Surface) -> Vec<String> {
    let schema: Value = serde_json::from_str(surface.tool.output_schema).unwrap_or_default();
    let list = schema["required"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Two cuts at one place are one.
fn remember(cuts: &mut Vec<Cut>, made: Cut) {
    match cuts.iter_mut().find(|cut| cut.path == made.path && cut.what == made.what) {
        Some(cut) => cut.left_out += made.left_out,
        None => cuts.push(made),
    }
}

/// What is missing and how to get it; where a page of the tool's own list was shortened, the places of the page too.
fn says(content: &mut Map<String, Value>, cuts: &[Cut], surface: &Surface, most: u64) -> String {
    let mut said = format!("Shortened to the {most} tokens that an answer may have (--budget):");
    for (index, cut) in cuts.iter().take(NAMED).enumerate() {
        let Cut { path, what, left_out, of } = cut;
        let shown = of.saturating_sub(*left_out);
        said.push_str(if index == 0 { " " } else { "; " });
        said.push_str(&match what {
            What::Rows => format!("`{path}` has {shown} of its {of} rows"),
            What::Lines => format!("`{path}` has the last {shown} of its {of} lines"),
            What::Text => format!("the first {left_out} of {of} characters of `{path}` are left out"),
            What::Fields => format!("{left_out} of {of} fields of `{path}` are left out"),
        });
    }
    if cuts.len() > NAMED {
        said.push_str(&format!("; {} more places are shorter", cuts.len() - NAMED));
    }
    said.push_str(". ");
    let page = cuts.iter().find(|cut| is_page(surface, cut));
    match page.and_then(|cut| Some((cut, skips(surface)?))) {
        Some((cut, skip)) => said.push_str(&turn(content, cut, surface, skip)),
        None => said.push_str("Ask for less at once to see the rest."),
    }
    said
}

/// Is this the list that the tool is about?
fn is_page(surface: &Surface, cut: &Cut) -> bool {
    let keys = surface.tool.routes.iter().map(|route| route.returns.form);
    let is = |form: Form| match form {
        Form::List(key) => cut.path == key || cut.path == "rows",
        Form::Values(key) => cut.path == key,
        _ => false,
    };
    matches!(cut.what, What::Rows | What::Lines) && keys.into_iter().any(is)
}

/// The argument by which rows are skipped, as this surface spells it.
fn skips(surface: &Surface) -> Option<&'static str> {
    let ours = ["offset", "start"];
    let has = |name: &&&str| surface.tool.arguments.iter().any(|argument| argument.name == **name);
    let name = *ours.iter().find(has)?;
    Some(surface.rename.iter().find(|(_, canonical)| *canonical == name).map_or(name, |(theirs, _)| *theirs))
}

/// Where the next page begins, or the one before.
fn turn(content: &mut Map<String, Value>, cut: &Cut, surface: &Surface, skip: &str) -> String {
    let offset = content.get("offset").and_then(Value::as_u64).unwrap_or(0);
    if cut.what == What::Lines {
        let first = offset + cut.left_out;
        content.insert("offset".to_owned(), json!(first));
        return format!("Lines before {first}: with `{skip}`.");
    }
    let next = offset + cut.of.saturating_sub(cut.left_out);
    content.insert("offset".to_owned(), json!(offset));
    content.insert("next_offset".to_owned(), json!(next));
    let has = |name: &str| surface.tool.arguments.iter().any(|argument| argument.name == name);
    let mut less = format!("Go on with `{skip}` {next}, or filter");
    if has("fields") {
        less.push_str(", or choose `fields`");
    }
    if has("form") && !content.contains_key("columns") {
        less.push_str(", or take the `form` table");
    }
    less + "."
}

#[cfg(test)]
mod tests;
