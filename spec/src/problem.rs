//! What is wrong with a value, in the server's own words.
//!
//! Knows how the server nests and spaces its texts; must not know which rule was broken.

use std::fmt;

/// What the server would say about a value under `errors`, without the parameter's name in front.
///
/// `Display` gives the server's text to the byte, including the line feeds that it leaves at the end of format errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A broken rule of the schema: `value must have a minimum value of 1`.
    Value(String),
    /// A value that its format refuses; the text stands after `invalid format - `.
    Format(String),
    /// Sub-keys of a property string that are missing, unknown or wrong.
    Keys {
        /// The parameter's wire name, empty if the text was parsed on its own.
        param: String,
        keys: Vec<(String, Problem)>,
    },
    /// An element of an array, counted from 0. The server reports it under `name[index]`.
    Item { index: usize, problem: Box<Problem> },
}

impl Problem {
    pub(crate) fn value(text: impl Into<String>) -> Problem {
        Problem::Value(text.into())
    }

    pub(crate) fn format(text: impl Into<String>) -> Problem {
        Problem::Format(text.into())
    }

    /// The same problem, found in the parameter with this wire name.
    pub fn of(self, name: &str) -> Problem {
        match self {
            Problem::Keys { keys, .. } => Problem::Keys { param: name.to_owned(), keys },
            Problem::Item { index, problem } => {
                Problem::Item { index, problem: Box::new(problem.of(&format!("{name}[{index}]"))) }
            }
            other => other,
        }
    }

    /// The text for a person: no markers of the format check, no line feeds at the end.
    pub fn plain(&self) -> String {
        match self {
            Problem::Value(text) | Problem::Format(text) => text.clone(),
            Problem::Keys { keys, .. } => {
                keys.iter().map(|(key, problem)| format!("{key}: {}", problem.plain())).collect::<Vec<_>>().join("; ")
            }
            Problem::Item { index, problem } => format!("element {index}: {}", problem.plain()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Value(text) => f.write_str(text),
            Problem::Format(text) => writeln!(f, "invalid format - {text}"),
            Problem::Keys { param, keys } => {
                f.write_str("invalid format - format error\n")?;
                let dot = if param.is_empty() { "" } else { "." };
                keys.iter().try_for_each(|(key, problem)| writeln!(f, "{param}{dot}{key}: {problem}"))
            }
            Problem::Item { problem, .. } => problem.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}
