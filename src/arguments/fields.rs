//! The arguments of one call, by canonical name, and the list of what is wrong with them.
//!
//! Knows how a surface's own names, fixed values, translations and defaults become those of the tool; must not know
//! what the values mean: that is decided form by form in the neighbouring files.

use super::describe;
use super::names::{self, Meaning};
use super::problem::{BadArguments, LISTED, Problem, printable, quoted};
use super::rest::RestPairs;
use crate::tool::{Argument, Form, Preset, Surface};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The longest text of an argument, in bytes: the server's limit for the body of a request (uploads aside).
const LONGEST: usize = 512 * 1024;

/// The arguments of one call. Each reading method takes one argument, answers `None` when it is absent or bad, and
/// keeps what is wrong with it for [`Fields::finish`].
#[derive(Debug)]
pub struct Fields<'a> {
    surface: &'static Surface,
    entries: Vec<Entry<'a>>,
    unknown: Vec<&'a str>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    /// A name was unknown, so the valid ones are worth listing.
    list_valid: bool,
}

#[derive(Debug)]
struct Entry<'a> {
    /// Canonical.
    name: &'static str,
    /// As the caller spelled it, or as the surface calls it.
    spelled: Cow<'a, str>,
    value: Cow<'a, Value>,
    source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The caller wrote it.
    Caller,
    /// The name of the tool fixes it.
    Preset,
    /// Nobody wrote it.
    Default,
}

/// The value of one argument, ready to be decoded.
pub(super) struct Taken<'a> {
    pub value: Cow<'a, Value>,
    pub source: Source,
}

impl<'a> Fields<'a> {
    /// Sorts the arguments of a call by canonical name. What is wrong with them is told by [`Fields::finish`].
    pub fn new(surface: &'static Surface, given: Option<&'a Map<String, Value>>) -> Fields<'a> {
        let mut fields = Fields {
            surface,
            entries: Vec::new(),
            unknown: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            list_valid: false,
        };
        // Clients send `null` for what they leave out.
        for (spelled, value) in given.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            match names::meaning(surface, spelled) {
                Meaning::Argument(name) => fields.enter(name, spelled, value),
                Meaning::Ignored(note) => fields.notes.push(note.to_owned()),
                Meaning::Unknown => fields.unknown.push(spelled),
            }
        }
        for (name, text) in surface.preset {
            fields.fix(name, json(text));
        }
        fields
    }

    fn enter(&mut self, name: &'static str, spelled: &'a str, value: &'a Value) {
        if let Some(first) = self.entries.iter().find(|entry| entry.name == name) {
            let wrong = format!("is the same argument as `{}`; give it once", printable(&first.spelled));
            self.problems.push(Problem::new(spelled, wrong));
            return;
        }
        let form =
            self.surface.tool.arguments.iter().find(|argument| argument.name == name).map(|argument| argument.form);
        if value.as_str().is_some_and(|text| text.len() > LONGEST) && form != Some(Form::File) {
            self.problems.push(Problem::new(spelled, "is longer than the 512 KiB that the API takes in one request"));
            return;
        }
        let value = self.translated(name, value);
        // A dialect's word for "none of them" is the same as leaving the argument out.
        if value.is_null() {
            return;
        }
        self.entries.push(Entry { name, spelled: Cow::Borrowed(spelled), value, source: Source::Caller });
    }

    /// The value in the tool's words; a list is translated element by element.
    fn translated(&self, name: &str, value: &'a Value) -> Cow<'a, Value> {
        let translate = |value: &Value| {
            let mut rows = self.surface.values.iter().filter(|(argument, ..)| *argument == name);
            rows.find(|(_, from, _)| same(value, &json(from))).map(|(.., to)| json(to))
        };
        match value {
            Value::Array(items) if items.iter().any(|item| translate(item).is_some()) => Cow::Owned(Value::Array(
                items.iter().map(|item| translate(item).unwrap_or_else(|| item.clone())).collect(),
            )),
            _ => translate(value).map_or(Cow::Borrowed(value), Cow::Owned),
        }
    }

    /// Sets a value that the called name fixes. A caller may repeat it, not contradict it.
    fn fix(&mut self, name: &'static str, value: Value) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.name == name) {
            if same(&entry.value, &value) {
                entry.source = Source::Preset;
            } else {
                let fixed = format!("the name `{}` fixes it to {}", self.surface.name, quoted(&value));
                let problem = Problem::new(entry.spelled.clone(), fixed).came(&entry.value);
                let canonical = self.surface.tool.name;
                let instead = (canonical != self.surface.name).then(|| format!("; `{canonical}` takes any"));
                let expected = format!("this value or none{}", instead.unwrap_or_default());
                self.problems.push(problem.expected(expected));
                entry.value = Cow::Owned(value);
                entry.source = Source::Preset;
            }
            return;
        }
        let spelled = Cow::Borrowed(names::shown(self.surface, name));
        self.entries.push(Entry { name, spelled, value: Cow::Owned(value), source: Source::Preset });
    }

    /// The argument's value, or its default. Records a required argument that has neither.
    pub(super) fn take(&mut self, argument: &'static Argument) -> Option<Taken<'a>> {
        let taken = self.peek(argument);
        if taken.is_none() && argument.required {
            self.missing(argument);
        }
        taken
    }

    /// As [`Fields::take`], for an argument that is optional at this place.
    pub(super) fn peek(&self, argument: &'static Argument) -> Option<Taken<'a>> {
        if let Some(entry) = self.entry(argument) {
            return Some(Taken { value: entry.value.clone(), source: entry.source });
        }
        let value = match self.surface.defaults.iter().find(|(name, _)| *name == argument.name) {
            Some((_, text)) => json(text),
            None => match argument.default {
                Preset::None => Value::Null,
                Preset::Boolean(value) => Value::from(value),
                Preset::Integer(value) => Value::from(value),
                Preset::Text(value) => Value::from(value),
            },
        };
        (!value.is_null()).then(|| Taken { value: Cow::Owned(value), source: Source::Default })
    }

    pub(super) fn missing(&mut self, argument: &'static Argument) {
        // It was given, and what was wrong with it is known already.
        let given = |problem: &Problem| matches!(names::meaning(self.surface, &problem.argument), Meaning::Argument(name) if name == argument.name);
        if self.problems.iter().any(given) {
            return;
        }
        let problem = Problem::new(self.spelled(argument), "is missing and required");
        self.record(problem.expected(describe::argument(argument)));
    }

    fn entry(&self, argument: &Argument) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name == argument.name)
    }

    /// The argument as the caller spelled it, else as the surface calls it.
    pub(super) fn spelled(&self, argument: &'static Argument) -> String {
        let entry = self.entry(argument);
        entry.map_or_else(|| names::shown(self.surface, argument.name).to_owned(), |entry| entry.spelled.to_string())
    }

    /// A reason of the catalogue, with the tools' names as this surface's dialect lists them.
    pub(super) fn in_their_words(&self, why: &str) -> String {
        crate::catalogue::in_words_of(self.surface, why)
    }

    /// What this surface calls the argument with that canonical name.
    pub(super) fn shown(&self, canonical: &'static str) -> &'static str {
        names::shown(self.surface, canonical)
    }

    /// Records that a value is not what the argument's form and rule ask for.
    pub(super) fn bad(&mut self, argument: &'static Argument, value: &Value, wrong: impl Into<String>) {
        let problem = Problem::new(self.spelled(argument), wrong).expected(describe::argument(argument));
        self.record(if argument.secret { problem } else { problem.came(value) });
    }

    pub(super) fn record(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether the caller wrote this argument; a default or a value that the called name fixes does not count.
    pub fn given(&self, argument: &'static Argument) -> bool {
        self.entry(argument).is_some_and(|entry| entry.source == Source::Caller)
    }

    /// Whether some argument that was given, or has a default, becomes this parameter.
    pub(super) fn says(&self, param: &str) -> bool {
        let mut arguments = self.surface.tool.arguments.iter();
        arguments.any(|one| one.rule.fact.is_some_and(|fact| fact.param == param) && self.peek(one).is_some())
    }

    /// Applies [`Argument::needs`]: `present` says whether the argument that this one is meaningless without has a
    /// value. A value that the caller wrote in vain is a problem, a default in vain is a note.
    pub fn need(&mut self, argument: &'static Argument, present: bool) {
        let Some(need) = argument.needs.filter(|_| !present) else { return };
        let needed = self.surface.tool.arguments.iter().find(|other| other.name == need.argument);
        // A needed argument that was written and is bad has its own problem.
        if needed.is_some_and(|needed| self.given(needed)) {
            return;
        }
        if self.given(argument) {
            let needed = self.shown(need.argument);
            let wrong = format!("means nothing without `{needed}`; give `{needed}` too, or leave this out");
            self.record(Problem::new(self.spelled(argument), wrong));
        } else if self.peek(argument).is_some() && !need.note.is_empty() {
            self.notes.push(need.note.to_owned());
        }
    }

    /// A parameter that other arguments make (`made` = they have values) must not stand in the `rest` as well.
    pub fn clash(&mut self, argument: &'static Argument, rest: Option<&RestPairs>, name: &str, made: bool) {
        if made && rest.is_some_and(|rest| rest.pairs.iter().any(|(known, _)| known == name)) {
            let dotted = format!("{}.{name}", self.spelled(argument));
            self.record(Problem::new(dotted, "is made by other arguments of this call; give one of the two"));
        }
    }

    /// Any object, or one written as JSON text.
    pub fn object(&mut self, argument: &'static Argument) -> Option<Map<String, Value>> {
        let taken = self.take(argument)?;
        match &*super::scalar::unwrapped(&taken.value) {
            Value::Object(object) => Some(object.clone()),
            _ => {
                self.bad(argument, &taken.value, "is not an object");
                None
            }
        }
    }

    /// The dialect of the name that was called.
    pub fn dialect(&self) -> Option<&'static str> {
        self.surface.dialect
    }

    /// Records a problem that a check outside of the decoder found.
    pub fn refuse(&mut self, argument: &'static Argument, says: String) {
        self.record(Problem::new(self.spelled(argument), says));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every problem of the call, names that the tool does not have among them.
    pub fn finish(&mut self) -> Result<(), BadArguments> {
        for (number, spelled) in std::mem::take(&mut self.unknown).into_iter().enumerate() {
            self.list_valid = true;
            // What nobody is told is not looked for.
            let names = names::offered(self.surface).map(|(name, _)| name).filter(|_| number < LISTED);
            let near = proxmox_spec::nearest(spelled, names);
            let wrong = format!("is not an argument of {}", self.surface.name);
            self.problems.push(Problem::new(spelled, wrong).meant(near));
        }
        if self.problems.is_empty() { Ok(()) } else { Err(self.refused()) }
    }

    /// Every problem found so far, as the error of the call.
    pub fn refused(&self) -> BadArguments {
        let valid = names::offered(self.surface).filter(|_| self.list_valid);
        BadArguments {
            tool: self.surface.name,
            problems: self.problems.clone(),
            valid: valid
                .map(|(name, required)| if required { format!("{name} (required)") } else { name.to_owned() })
                .collect(),
        }
    }

    /// Notes for the answer: what was ignored, and defaults that had no effect.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

/// JSON text of the catalogue; what is not JSON is a plain text.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// A scalar as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a caller's value says the same as a fixed one, in whatever spelling.
fn same(given: &Value, fixed: &Value) -> bool {
    use super::scalar::{boolean, float};
    if given == fixed {
        return true;
    }
    match fixed {
        Value::Bool(fixed) => boolean(given) == Some(*fixed),
        Value::Number(fixed) => float(given).is_some_and(|given| Some(given) == fixed.as_f64()),
        Value::String(fixed) => plain(given).is_some_and(|given| given.trim().eq_ignore_ascii_case(fixed)),
        _ => false,
    }
}
