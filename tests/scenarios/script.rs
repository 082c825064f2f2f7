//! The language of the scenarios: steps, what is expected of them, and whether an answer is that.
//!
//! Knows tools by name and JSON, and nothing of who answers.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A story on a fresh cluster.
pub struct Scenario {
    pub name: &'static str,
    pub world: World,
    pub steps: Vec<Step>,
}

/// How the cluster of a scenario differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Tasks take a while, so that they are waited for.
    pub slow: bool,
    /// Guests with a lock in their configuration that stays.
    pub locked: &'static [(u32, &'static str)],
    /// Stopped guests whose start fails, with the error.
    pub failing: &'static [(u32, &'static str)],
    /// The token may look at everything and change nothing.
    pub auditor: bool,
    /// Tickets are over as soon as they are given.
    pub brief: bool,
    /// A password alone does not let anybody in.
    pub factor: bool,
}

/// One call of a tool.
pub struct Step {
    /// Unique in its scenario; the list of differences names it.
    pub name: &'static str,
    pub tool: &'static str,
    pub arguments: Value,
    pub expected: Expected,
    /// Names and JSON pointers of parts of the answer that later arguments use as `"$name"`.
    pub keeps: Vec<(&'static str, &'static str)>,
}

/// What an answer has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// No error, and the structured content has all this ([`contains`]).
    Answers(Value),
    /// No error, and the structured content has nothing like this anywhere in the list under this key.
    Lacks(&'static str, Value),
    /// An error whose text has all these parts.
    Fails(Vec<String>),
}

pub fn scenario(name: &'static str, steps: Vec<Step>) -> Scenario {
    Scenario { name, world: World::default(), steps }
}

/// A step: `name`, and the call that it makes.
pub fn step(name: &'static str, tool: &'static str, arguments: Value) -> Step {
    Step { name, tool, arguments, expected: Expected::Answers(json!({})), keeps: Vec::new() }
}

impl Scenario {
    pub fn within(self, world: World) -> Scenario {
        Scenario { world, ..self }
    }
}

impl Step {
    pub fn answers(self, content: Value) -> Step {
        Step { expected: Expected::Answers(content), ..self }
    }

    /// The call, and the task that it started, went well.
    pub fn done(self) -> Step {
        self.answers(json!({"outcome": "ok"}))
    }

    pub fn lacks(self, list: &'static str, row: Value) -> Step {
        Step { expected: Expected::Lacks(list, row), ..self }
    }

    pub fn fails(self, parts: &[&str]) -> Step {
        Step { expected: Expected::Fails(parts.iter().map(|part| (*part).to_owned()).collect()), ..self }
    }

    pub fn keeps(mut self, name: &'static str, pointer: &'static str) -> Step {
        self.keeps.push((name, pointer));
        self
    }
}

/// What a tool answered, in the terms of the scenarios.
#[derive(Debug)]
pub struct Answered {
    pub failed: bool,
    pub content: Value,
    pub text: String,
}

impl Answered {
    pub fn of(result: &Value) -> Answered {
        let failed = result["isError"] == true;
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        Answered { failed, content: result["structuredContent"].clone(), text }
    }

    /// Whether this is what was expected.
    pub fn is(&self, expected: &Expected) -> bool {
        match expected {
            Expected::Answers(content) => !self.failed && contains(&self.content, content),
            Expected::Lacks(list, row) => {
                let rows = self.content[list].as_array();
                !self.failed && rows.is_some_and(|rows| !rows.iter().any(|has| contains(has, row)))
            }
            Expected::Fails(parts) => self.failed && parts.iter().all(|part| self.text.contains(part)),
        }
    }
}

/// Whether `has` holds all of `wanted`: the named fields of objects, one fitting element per element of a list, and
/// text that is the same, or contains what follows a `~`.
pub fn contains(has: &Value, wanted: &Value) -> bool {
    match (has, wanted) {
        (Value::Object(has), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| has.get(key).is_some_and(|has| contains(has, value)))
        }
        (Value::Array(has), Value::Array(wanted)) => {
            wanted.iter().all(|value| has.iter().any(|has| contains(has, value)))
        }
        (Value::String(has), Value::String(wanted)) => match wanted.strip_prefix('~') {
            Some(part) => has.contains(part),
            None => has == wanted,
        },
        _ => has == wanted,
    }
}

/// Puts what earlier answers kept into arguments.
pub fn filled(arguments: &Value, kept: &BTreeMap<&str, Value>) -> Value {
    match arguments {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => kept.get(name).cloned().unwrap_or(Value::Null),
            None => arguments.clone(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, kept)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), filled(value, kept))).collect())
        }
        _ => arguments.clone(),
    }
}
