//! Whether a value that the catalogue writes (a default, an argument of an example, a preset) is one the argument takes.
//!
//! Knows forms, rules and the API's own checks; the decoder of the server knows more, and has the last word.

use crate::catalogue::{Form, Rule};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, alternatives, nearest};
use crate::tree::{Node, Yaml};
use proxmox_spec::{Param, Problem, check, property};

/// Why a value cannot be taken.
pub(super) struct Mismatch {
    /// The value, or the part of it that is wrong.
    at: Span,
    /// Ends a sentence: `the minimum is 16`.
    problem: String,
    /// The words that were probably meant.
    near: String,
}

impl Mismatch {
    fn new(at: Span, problem: impl Into<String>) -> Mismatch {
        Mismatch { at, problem: problem.into(), near: String::new() }
    }

    fn expected(node: &Node, what: &str) -> Mismatch {
        Mismatch::new(node.at, format!("expected {what}, found {}", node.kind()))
    }

    /// A word that is not one of `all`.
    fn word(at: Span, word: &str, all: &[&str]) -> Mismatch {
        let problem = match all.len() {
            0..=24 => format!("`{word}` is not one of {}", all.join(", ")),
            _ => format!("`{word}` is not one of its values"),
        };
        Mismatch { at, problem, near: alternatives(&nearest(word, all)) }
    }

    /// A part that a property string does not have.
    fn part(at: Span, name: &str, param: &Param) -> Mismatch {
        let names: Vec<&str> = param.keys.iter().map(|key| key.name).collect();
        Mismatch { at, problem: format!("it has no part `{name}`"), near: alternatives(&nearest(name, &names)) }
    }

    /// Reports it under `message`, which says whose value it is.
    pub(super) fn report(self, message: &str, diagnostics: &mut Diagnostics) {
        let report: &mut Diagnostic = diagnostics.report(self.at, format!("{message}: {}", self.problem));
        if !self.near.is_empty() {
            report.help(format!("did you mean {}?", self.near));
        }
    }
}

/// Why a value cannot be an argument's, as far as the catalogue can tell. `params` are the parameters behind the
/// argument, one per kind of guest; a value that one of them takes is good.
pub(super) fn mismatch(node: &Node, form: Form, rule: &Rule, params: &[&'static Param]) -> Option<Mismatch> {
    match form {
        Form::Integer | Form::Number => number(node, form, rule),
        Form::Boolean if matches!(node.value, Yaml::Bool(_)) => None,
        Form::Boolean => Some(Mismatch::expected(node, "true or false")),
        Form::Choice => {
            let Some(text) = node.scalar() else { return Some(Mismatch::expected(node, "text")) };
            let all: Vec<&str> = rule.values.iter().map(String::as_str).collect();
            (!all.contains(&text.as_str())).then(|| Mismatch::word(node.at, &text, &all))
        }
        Form::Text | Form::Size => text(node, form, rule, params),
        Form::Guest => match &node.value {
            Yaml::Text(name) if !name.is_empty() => None,
            Yaml::Int(100..=999_999_999) => None,
            _ => Some(Mismatch::new(node.at, "expected an id from 100 to 999999999, or a name")),
        },
        Form::Upid => {
            let good = node.scalar().is_some_and(|text| text.starts_with("UPID:") && text.split(':').count() == 9);
            (!good).then(|| {
                Mismatch::new(
                    node.at,
                    "expected a task id such as UPID:pve1:0002B4A:00F42E2:65A5C6F7:qmstart:100:root@pam:",
                )
            })
        }
        Form::Property => every(params, |param| parts(node, param)),
        Form::List => every(params, |param| elements(node, param)),
        Form::Argv => match &node.value {
            Yaml::Text(_) => None,
            Yaml::List(items) if items.iter().all(|item| item.scalar().is_some()) => None,
            _ => Some(Mismatch::expected(node, "a list of words, or text")),
        },
        Form::Rest | Form::Expect | Form::Object => match &node.value {
            Yaml::Map(_) => None,
            _ => Some(Mismatch::expected(node, "a mapping")),
        },
        Form::Volid | Form::File | Form::Path => match &node.value {
            Yaml::Text(_) => None,
            _ => Some(Mismatch::expected(node, "text")),
        },
    }
}

/// Why the API would not take a value for a parameter, or for a sub-key, of this name.
pub(super) fn api(node: &Node, param: &'static Param, name: &str) -> Option<Mismatch> {
    if !param.keys.is_empty() {
        return parts(node, param);
    }
    if let Yaml::List(_) = node.value {
        return elements(node, param);
    }
    let Some(text) = wire(node) else { return Some(Mismatch::expected(node, "a single value")) };
    api_text(node.at, &text, param, name)
}

/// The same for a value in its wire form.
pub(super) fn api_text(at: Span, text: &str, param: &'static Param, name: &str) -> Option<Mismatch> {
    if !param.values.is_empty() && !param.values.contains(&text) {
        return Some(Mismatch::word(at, text, param.values));
    }
    check::named(param, name, text).err().map(|problem| Mismatch::new(at, problem.plain()))
}

/// What is wrong with the literal parts of a derived property string, such as `{iso},media=cdrom`.
pub(super) fn derived(node: &Node, param: &'static Param) -> Option<Mismatch> {
    let text = node.scalar().filter(|_| !param.keys.is_empty())?;
    let open = |part: &str| part.contains('{');
    pieces(&text).into_iter().find_map(|(offset, piece)| {
        let (key, offset, value) = match piece.split_once('=') {
            Some((name, _)) if open(name) => return None,
            Some((name, value)) => {
                let length = name.chars().count();
                let Some(key) = param.keys.iter().find(|key| key.name == name || key.index_of(name).is_some()) else {
                    return Some(Mismatch::part(node.part(offset, length), name, param));
                };
                (key, offset + length + 1, value)
            }
            None => (param.keys.iter().find(|key| key.default_key)?, offset, piece),
        };
        if open(value) {
            return None;
        }
        api_text(node.part(offset, value.chars().count()), value, key, key.name)
    })
}

/// A scalar as it is sent: booleans as `1` and `0`.
pub(super) fn wire(node: &Node) -> Option<String> {
    match node.value {
        Yaml::Bool(value) => Some(if value { "1" } else { "0" }.to_owned()),
        _ => node.scalar(),
    }
}

/// The mismatch with the first parameter, when none takes the value.
fn every(params: &[&'static Param], one: impl Fn(&'static Param) -> Option<Mismatch>) -> Option<Mismatch> {
    let mut all = params.iter().map(|param| one(param)).collect::<Option<Vec<Mismatch>>>()?;
    (!all.is_empty()).then(|| all.swap_remove(0))
}

fn number(node: &Node, form: Form, rule: &Rule) -> Option<Mismatch> {
    let number = match node.value {
        Yaml::Int(value) => value as f64,
        Yaml::Float(value) if form == Form::Number => value,
        _ => return Some(Mismatch::expected(node, if form == Form::Integer { "an integer" } else { "a number" })),
    };
    if let Some(minimum) = rule.minimum.filter(|minimum| number < *minimum) {
        return Some(Mismatch::new(node.at, format!("the minimum is {minimum}")));
    }
    let maximum = rule.maximum.filter(|maximum| number > *maximum)?;
    Some(Mismatch::new(node.at, format!("the maximum is {maximum}")))
}

fn text(node: &Node, form: Form, rule: &Rule, params: &[&'static Param]) -> Option<Mismatch> {
    let Some(text) = node.scalar() else { return Some(Mismatch::expected(node, "text")) };
    if let Some(most) = rule.max_length.filter(|most| text.chars().count() > *most as usize) {
        return Some(Mismatch::new(node.at, format!("at most {most} characters are allowed")));
    }
    if form == Form::Size {
        let good = text.trim_start_matches('+').starts_with(|c: char| c.is_ascii_digit());
        return (!good).then(|| Mismatch::new(node.at, "expected a size such as 32G"));
    }
    every(params, |param| check::value(param, &text).err().map(|problem| Mismatch::new(node.at, problem.plain())))
}

/// A property string, or the object that stands for one.
fn parts(node: &Node, param: &'static Param) -> Option<Mismatch> {
    let key_of = |name: &str| param.keys.iter().find(|key| key.name == name || key.index_of(name).is_some());
    if let Yaml::Map(pairs) = &node.value {
        return pairs.iter().find_map(|(key, value)| match key_of(&key.text) {
            Some(found) => api(value, found, &key.text),
            None => Some(Mismatch::part(key.at, &key.text, param)),
        });
    }
    let Some(text) = node.scalar() else { return Some(Mismatch::expected(node, "text or a mapping")) };
    let problem = property::parse(param.keys, &text).err()?;
    let Problem::Keys { keys, .. } = &problem else { return Some(Mismatch::new(node.at, problem.plain())) };
    let (name, wrong) = keys.first()?;
    let pieces: Vec<(usize, &str)> = pieces(&text);
    if key_of(name).is_none() {
        let offset =
            pieces.iter().find(|(_, piece)| piece.split('=').next() == Some(name)).map_or(0, |(offset, _)| *offset);
        return Some(Mismatch::part(node.part(offset, name.chars().count()), name, param));
    }
    let key = key_of(name)?;
    // The value of the key, which may stand without its name.
    let piece = pieces.iter().find_map(|(offset, piece)| match piece.split_once('=') {
        Some((key, value)) if key == name => Some((offset + key.chars().count() + 1, value)),
        None if key.default_key => Some((*offset, *piece)),
        _ => None,
    });
    let Some((offset, value)) = piece else { return Some(Mismatch::new(node.at, problem.plain())) };
    let at = node.part(offset, value.chars().count());
    if !key.values.is_empty() && !key.values.contains(&value) {
        return Some(Mismatch::word(at, value, key.values));
    }
    Some(Mismatch::new(at, wrong.plain()))
}

/// The parts of a property string and where they begin, in characters.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut offset = 0;
    text.split(',')
        .map(|piece| {
            let start = offset;
            offset += piece.chars().count() + 1;
            (start, piece)
        })
        .collect()
}

/// A list, or the text that stands for one.
fn elements(node: &Node, param: &'static Param) -> Option<Mismatch> {
    let element = param.items.unwrap_or(param);
    match &node.value {
        Yaml::List(items) => items.iter().find_map(|item| match wire(item) {
            Some(text) if !element.values.is_empty() && !element.values.contains(&text.as_str()) => {
                Some(Mismatch::word(item.at, &text, element.values))
            }
            Some(text) => check::value(element, &text).err().map(|problem| Mismatch::new(item.at, problem.plain())),
            None => Some(Mismatch::expected(item, "a single value")),
        }),
        Yaml::Map(_) | Yaml::Null => Some(Mismatch::expected(node, "a list")),
        _ => None,
    }
}
