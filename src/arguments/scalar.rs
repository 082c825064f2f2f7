//! Numbers, booleans and words, however they were written.
//!
//! Knows the lenient readings of JSON scalars (`"12"`, `12.0`, `"yes"`, JSON text in a string) and the limits of an
//! argument's rule; must not know texts with a format of their own.

use super::describe;
use super::fields::Fields;
use super::names::fold;
use super::problem::Problem;
use crate::tool::Argument;
use serde_json::{Number, Value};
use std::borrow::Cow;

/// A whole number: `12`, `12.0`, `"12"`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| decimal(text).and_then(whole))
        }
        _ => None,
    }
}

/// A finite number: `1.5`, `"1.5"`.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => decimal(text.trim()),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// `true`, `"yes"`, `"on"`, `1`, `"1"` and their opposites, in any case.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(_) => integer(value).and_then(|number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A scalar as text; booleans are `1` and `0` as on the wire.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(numeral(number)),
        Value::Bool(value) => Some(if *value { "1" } else { "0" }.to_owned()),
        _ => None,
    }
}

/// A number without a fraction that says nothing.
pub(super) fn numeral(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
        Some(whole) => whole.to_string(),
        None => number.to_string(),
    }
}

/// An object or array that was sent as JSON text, else the value itself.
pub(super) fn unwrapped(value: &Value) -> Cow<'_, Value> {
    let Value::String(text) = value else { return Cow::Borrowed(value) };
    if !text.trim_start().starts_with(['{', '[']) {
        return Cow::Borrowed(value);
    }
    match serde_json::from_str(text) {
        Ok(inner @ (Value::Object(_) | Value::Array(_))) => Cow::Owned(inner),
        _ => Cow::Borrowed(value),
    }
}

/// Only what JSON could hold: no `inf`, no `nan`, no empty text.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|_| plain)
}

/// The integer that a float is, within the range where floats are exact.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

impl Fields<'_> {
    /// A whole number within the rule's limits.
    pub fn integer(&mut self, argument: &'static Argument) -> Option<i64> {
        let taken = self.take(argument)?;
        let Some(number) = integer(&taken.value) else {
            // Beyond what is exact there are whole numbers, too.
            let wrong = match float(&taken.value).filter(|number| number.fract() == 0.0) {
                Some(number) if number > 0.0 => "is too large",
                Some(_) => "is too small",
                None => "is not a whole number",
            };
            self.bad(argument, &taken.value, wrong);
            return None;
        };
        self.within(argument, &taken.value, number as f64).then_some(number)
    }

    /// A finite number within the rule's limits.
    pub fn number(&mut self, argument: &'static Argument) -> Option<f64> {
        let taken = self.take(argument)?;
        let Some(number) = float(&taken.value) else {
            self.bad(argument, &taken.value, "is not a number");
            return None;
        };
        self.within(argument, &taken.value, number).then_some(number)
    }

    fn within(&mut self, argument: &'static Argument, value: &Value, number: f64) -> bool {
        let rule = &argument.rule;
        let wrong = if rule.minimum.is_some_and(|minimum| number < minimum) {
            "is too small"
        } else if rule.maximum.is_some_and(|maximum| number > maximum) {
            "is too large"
        } else {
            return true;
        };
        self.bad(argument, value, wrong);
        false
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, argument: &'static Argument) -> Option<bool> {
        let taken = self.take(argument)?;
        let value = boolean(&taken.value);
        if value.is_none() {
            self.bad(argument, &taken.value, "is neither true nor false");
        }
        value
    }

    /// One of the rule's values, as the API spells it.
    pub fn choice(&mut self, argument: &'static Argument) -> Option<String> {
        let taken = self.take(argument)?;
        self.chosen(argument, &taken.value)
    }

    /// Finds a value among those of the rule; any case, dashes and underscores do not count.
    pub(super) fn chosen(&mut self, argument: &'static Argument, value: &Value) -> Option<String> {
        let Some(said) = word(value) else {
            self.bad(argument, value, "is not a text");
            return None;
        };
        let said = said.trim();
        if self.turned_down(argument, said) {
            return None;
        }
        let values = argument.rule.values;
        // `true` for a choice between words is the word; for one between `0` and `1` it is the digit.
        let other = value.as_bool().map(|value| value.to_string());
        let found = [Some(said), other.as_deref()].into_iter().flatten().find_map(|said| {
            let exact = values.iter().find(|value| **value == said);
            let folded = fold(said);
            exact.or_else(|| values.iter().find(|value| fold(value) == folded))
        });
        if found.is_none() && !values.is_empty() {
            let near = proxmox_spec::nearest(said, values.iter().copied()).filter(|_| !argument.secret);
            let problem = Problem::new(self.spelled(argument), "is not one of the possible values");
            let problem = problem.expected(describe::one_of(values)).meant(near);
            self.record(if argument.secret { problem } else { problem.came(value) });
            return None;
        }
        Some(found.map_or_else(|| said.to_owned(), |value| (*value).to_owned()))
    }

    /// Answers a value that is understood and refused with its reason.
    pub(super) fn turned_down(&mut self, argument: &'static Argument, said: &str) -> bool {
        let refused = argument.rule.refused;
        let Some((_, why)) = refused.iter().find(|(value, _)| value.eq_ignore_ascii_case(said)) else { return false };
        let problem = Problem::new(self.spelled(argument), self.in_their_words(why));
        self.record(if argument.secret { problem } else { problem.came(&Value::from(said)) });
        true
    }
}
