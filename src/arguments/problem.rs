//! What is wrong with the arguments of a call, in words for a language model and a person.
//!
//! Knows how problems are worded and listed, and how a caller's value is quoted safely; must not know how values are
//! checked.

use serde_json::Value;
use std::fmt;

/// One thing that is wrong with one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The argument as the caller spelled it, else as this surface calls it; parts behind dots (`config.net0.model`).
    pub argument: String,
    /// What came, quoted and shortened; `None` when nothing came or it must not be shown.
    pub came: Option<String>,
    /// What is wrong with it, as the rest of a sentence.
    pub wrong: String,
    /// What would be right.
    pub expected: Option<String>,
    /// What was probably meant.
    pub meant: Option<String>,
}

impl Problem {
    pub(super) fn new(argument: impl Into<String>, wrong: impl Into<String>) -> Problem {
        Problem { argument: argument.into(), came: None, wrong: wrong.into(), expected: None, meant: None }
    }

    pub(super) fn came(mut self, value: &Value) -> Problem {
        self.came = Some(quoted(value));
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Problem {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn meant(mut self, meant: Option<impl Into<String>>) -> Problem {
        self.meant = meant.map(Into::into);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = shortened(printable(&self.wrong), WRONG);
        write!(f, "`{}`: {}", shortened(printable(&self.argument), QUOTED), wrong.trim_end_matches('.'))?;
        if let Some(came) = &self.came {
            write!(f, " (got {came})")?;
        }
        f.write_str(".")?;
        if let Some(expected) = &self.expected {
            write!(f, " Expected {}.", shortened(printable(expected), EXPECTED).trim_end_matches('.'))?;
        }
        if let Some(meant) = &self.meant {
            write!(f, " Did you mean `{meant}`?")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with the arguments of one call. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArguments {
    /// The name that was called.
    pub tool: &'static str,
    /// In the order of the tool's arguments, unknown names last.
    pub problems: Vec<Problem>,
    /// Every argument of the called name, `(required)` behind those that are; empty unless a name was unknown.
    pub valid: Vec<String>,
}

impl fmt::Display for BadArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            0 => write!(f, "{}: the arguments could not be used; nothing was sent.", self.tool)?,
            1 => write!(f, "{}: a problem with the arguments; nothing was sent.", self.tool)?,
            count => write!(f, "{}: {count} problems with the arguments; nothing was sent.", self.tool)?,
        }
        for problem in self.problems.iter().take(LISTED) {
            write!(f, "\n- {problem}")?;
        }
        if self.problems.len() > LISTED {
            write!(f, "\n- and {} more", self.problems.len() - LISTED)?;
        }
        if !self.valid.is_empty() {
            write!(f, "\nArguments of {}: {}.", self.tool, self.valid.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for BadArguments {}

/// Longest quoted value or name, in characters; enough to recognise it by.
const QUOTED: usize = 80;
/// Longest text of what is wrong, which may repeat the value, in characters.
const WRONG: usize = 600;
/// Longest text of what would be right, which may be a command to copy, in characters.
const EXPECTED: usize = 2_000;
/// Problems that are told one by one; a caller with more of them has another problem.
pub(super) const LISTED: usize = 20;

/// A caller's value as JSON, on one line, shortened, with nothing invisible in it.
pub(super) fn quoted(value: &Value) -> String {
    let text = match value {
        // Only the beginning is shown, so a long text is not rendered whole.
        Value::String(text) => Value::String(text.chars().take(QUOTED + 1).collect()).to_string(),
        other => other.to_string(),
    };
    printable(&shortened(text, QUOTED))
}

/// The first characters of a text, with an ellipsis where some are missing.
fn shortened(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A text with control and invisible characters written as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\'' | '\\' => clean.push(letter),
            _ => clean.extend(letter.escape_debug()),
        }
    }
    clean
}
