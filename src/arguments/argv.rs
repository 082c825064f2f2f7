//! A program and its arguments.
//!
//! Knows which texts only a shell would understand; must not know how commands are run. The API starts a program
//! without a shell, so an operator in a plain text would reach the program as a word: that is refused, with the text
//! that would do what was meant.

use super::fields::Fields;
use super::problem::Problem;
use crate::tool::Argument;
use serde_json::Value;

/// Characters of a whole command when the rule says nothing.
const LONGEST: u32 = 10_000;

impl Fields<'_> {
    /// A program and its arguments: an array, JSON text of one, or one text split as a shell would split it.
    pub fn argv(&mut self, argument: &'static Argument) -> Option<Vec<String>> {
        let taken = self.take(argument)?;
        let words = match &*taken.value {
            Value::Array(items) => items.iter().map(as_word).collect::<Option<Vec<String>>>(),
            Value::String(text) => match serde_json::from_str::<Vec<Value>>(text) {
                Ok(items) => items.iter().map(as_word).collect(),
                Err(_) => return self.command(argument, &taken.value, text),
            },
            _ => None,
        };
        match words {
            Some(words) => self.checked(argument, &taken.value, words),
            None => {
                self.bad(argument, &taken.value, "is not a list of texts");
                None
            }
        }
    }

    fn command(&mut self, argument: &'static Argument, value: &Value, text: &str) -> Option<Vec<String>> {
        if let Some(found) = shell_syntax(text) {
            let problem = Problem::new(self.spelled(argument), found);
            // As JSON, to be copied; a secret command is not repeated.
            let script = Value::from(if argument.secret { "…" } else { text });
            let expected =
                format!("a program and its arguments as an array; to use a shell: [\"sh\", \"-c\", {script}]");
            self.record(problem.expected(expected));
            return None;
        }
        match shell_words::split(text) {
            Ok(words) => self.checked(argument, value, words),
            Err(_) => {
                self.bad(argument, value, "has a quote that is not closed");
                None
            }
        }
    }

    fn checked(&mut self, argument: &'static Argument, value: &Value, words: Vec<String>) -> Option<Vec<String>> {
        let length: usize = words.iter().map(|word| word.chars().count()).sum();
        let most = argument.rule.max_length.unwrap_or(LONGEST);
        let wrong = if words.first().is_none_or(|program| program.trim().is_empty()) {
            "names no program".to_owned()
        } else if words.iter().any(|word| word.contains('\0')) {
            "must not contain NUL characters".to_owned()
        } else if length > most as usize {
            format!("has {length} characters, more than {most}")
        } else {
            return Some(words);
        };
        self.bad(argument, value, wrong);
        None
    }
}

fn as_word(item: &Value) -> Option<String> {
    match item {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What in this text only a shell would understand, if anything.
fn shell_syntax(text: &str) -> Option<String> {
    let found = |what: &str| {
        Some(format!("holds `{what}`, which only a shell understands, and the program is started without one"))
    };
    let mut quote = None;
    let mut letters = text.trim().chars().peekable();
    let mut start_of_word = true;
    while let Some(letter) = letters.next() {
        let at_start = std::mem::replace(&mut start_of_word, quote.is_none() && letter.is_whitespace());
        let next = letters.peek().copied();
        let expands = next.is_some_and(|next| next.is_ascii_alphanumeric() || "_({?@*#$!-".contains(next));
        match (quote, letter) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '$') if expands => return found(&format!("${}", next.unwrap_or_default())),
            (_, '`') => return found("`…`"),
            (Some(_), '\\') => {
                letters.next();
            }
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '\\') if next.is_some_and(char::is_alphanumeric) => {
                return Some("has a backslash that would be lost: texts are split as a shell does".to_owned());
            }
            (None, '\\') => {
                letters.next();
            }
            (None, '|' | '&') if next == Some(letter) => return found(&format!("{letter}{letter}")),
            (None, '\n' | '\r') => return Some("holds several lines, which only a shell understands".to_owned()),
            (None, '|' | '&' | ';' | '<' | '>' | '*' | '(' | ')') => return found(&letter.to_string()),
            (None, '~') if at_start && next.is_none_or(|next| next == '/' || next.is_whitespace()) => {
                return found("~");
            }
            (None, _) => {}
        }
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    let (name, _) = first.split_once('=')?;
    let assigns = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if assigns { found(&format!("{name}=")) } else { None }
}
