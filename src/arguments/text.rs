//! Texts, lists of texts, and texts that become a segment of a path.
//!
//! Knows how an argument's rule is checked in the server's own way; must not know texts with an inner structure.

use super::fields::Fields;
use super::problem::Problem;
use super::scalar::{unwrapped, word};
use super::segment::Segment;
use crate::tool::{Argument, Form, Rule};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proxmox_spec::{Param, Type, check, format};
use serde_json::Value;

/// What the API's `urlencoded` format leaves as it is.
const URLENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value of the API's `urlencoded` format (`sshkeys`), which is encoded inside the value, beside the encoding of the
/// request. A text that is already encoded stays as it is.
pub(super) fn urlencoded(text: String) -> String {
    let encoded = !text.is_empty() && text.contains('%') && format::check("urlencoded", &text).is_ok();
    if encoded { text } else { utf8_percent_encode(&text, URLENCODED).to_string() }
}

impl Fields<'_> {
    /// A text that satisfies the rule's values, length, format and pattern. Numbers are taken as their text.
    pub fn text(&mut self, argument: &'static Argument) -> Option<String> {
        let taken = self.take(argument)?;
        self.said(argument, &taken.value)
    }

    /// Checks a value as the text of this argument.
    pub(super) fn said(&mut self, argument: &'static Argument, value: &Value) -> Option<String> {
        if !argument.rule.values.is_empty() {
            return self.chosen(argument, value);
        }
        let Some(text) = word(value).filter(|_| !value.is_boolean()) else {
            self.bad(argument, value, "is not a text");
            return None;
        };
        let text = if argument.rule.format == Some("urlencoded") { urlencoded(text) } else { text };
        self.ruled(argument, value, &text).then_some(text)
    }

    /// Checks a text against everything that the rule says of texts; `value` is what the caller sees in the problem.
    pub(super) fn ruled(&mut self, argument: &'static Argument, value: &Value, text: &str) -> bool {
        if self.turned_down(argument, text) {
            return false;
        }
        let rule = &argument.rule;
        let wrong = if text.contains('\0') {
            Some("must not contain a NUL character".to_owned())
        } else if rule.part && text.contains([',', '\n']) {
            Some("must not contain a comma or a line feed: it becomes a part of a property string".to_owned())
        } else {
            check::value(&as_param(rule, rule.format, rule.pattern), text).err().map(|problem| match argument.secret {
                // The server's texts repeat the value.
                true => "is not a value that the API takes".to_owned(),
                false => problem.plain(),
            })
        };
        let Some(wrong) = wrong else { return true };
        self.bad(argument, value, wrong);
        false
    }

    /// A text that becomes a segment of the request's path: a remainder with slashes where the facts say so.
    pub fn segment(&mut self, argument: &'static Argument) -> Option<Segment> {
        let text = match argument.form {
            Form::Integer => self.integer(argument)?.to_string(),
            Form::Choice => self.choice(argument)?,
            _ => self.text(argument)?,
        };
        let segment = if takes_rest_of_path(&argument.rule) { Segment::remainder } else { Segment::new };
        segment(text.as_str()).map_err(|bad| self.bad(argument, &Value::from(text), bad.to_string())).ok()
    }

    /// Texts: an array, JSON text of one, or one text split on commas, semicolons and white space.
    pub fn list(&mut self, argument: &'static Argument) -> Option<Vec<String>> {
        let taken = self.take(argument)?;
        let rule = &argument.rule;
        // A parameter that is declared as one string is split by the server, so its elements hold no separators.
        let one_string = fact(rule).is_some_and(|param| param.ty == Type::String);
        let inner = unwrapped(&taken.value);
        // The server would split there, and nobody writes it on purpose.
        let nul = |value: &Value| value.as_str().is_some_and(|text| text.contains('\0'));
        if nul(&inner) || inner.as_array().is_some_and(|items| items.iter().any(nul)) {
            self.bad(argument, &inner, "must not contain a NUL character");
            return None;
        }
        let items: Vec<Value> = match &*inner {
            Value::Array(items) if !one_string => items.clone(),
            Value::Array(items) => items.iter().flat_map(split).collect(),
            value @ (Value::String(_) | Value::Number(_)) => split(value),
            value => {
                self.bad(argument, value, "is not a list");
                return None;
            }
        };
        if items.is_empty() && (argument.required || rule.min_length.is_some_and(|least| least > 0)) {
            self.bad(argument, &taken.value, "is an empty list");
            return None;
        }
        let mut texts = Vec::with_capacity(items.len());
        let mut good = true;
        for item in &items {
            match self.item(argument, item, one_string) {
                Some(text) => texts.push(text),
                None => good = false,
            }
        }
        if good && one_string && !texts.is_empty() {
            good = self.whole(argument, &texts.join(","));
        }
        good.then_some(texts)
    }

    fn item(&mut self, argument: &'static Argument, item: &Value, one_string: bool) -> Option<String> {
        let rule = &argument.rule;
        if !rule.values.is_empty() {
            return self.chosen(argument, item);
        }
        let Some(text) = word(item).filter(|text| !item.is_boolean() && !text.contains('\0')) else {
            self.bad(argument, item, "has an element that is not a text");
            return None;
        };
        if self.turned_down(argument, &text) {
            return None;
        }
        let format = rule.format.map(|format| format.strip_suffix("-list").unwrap_or(format));
        let param = Param {
            min_length: None,
            max_length: None,
            ..as_param(rule, format, rule.pattern.filter(|_| !one_string))
        };
        if let Err(problem) = check::value(&param, &text) {
            self.bad(argument, item, format!("has a bad element: {}", problem.plain()));
            return None;
        }
        Some(text)
    }

    /// The rules that hold for a joined list as a whole.
    fn whole(&mut self, argument: &'static Argument, joined: &str) -> bool {
        let param = Param {
            minimum: None,
            maximum: None,
            values: &[],
            ..as_param(&argument.rule, None, argument.rule.pattern)
        };
        let Err(problem) = check::value(&param, joined) else { return true };
        self.bad(argument, &Value::from(joined), format!("is not a good list: {}", problem.plain()));
        false
    }

    /// A property string: an object of its sub-keys, JSON text of one, or the API's own text form.
    pub fn property(&mut self, argument: &'static Argument) -> Option<String> {
        let taken = self.take(argument)?;
        let Some(param) = fact(&argument.rule).filter(|param| !param.keys.is_empty()) else {
            return self.said(argument, &taken.value);
        };
        if let Some(text) = taken.value.as_str()
            && self.turned_down(argument, text)
        {
            return None;
        }
        let name = self.spelled(argument);
        let wire = super::property::property(param, &name, &taken.value, argument.secret || param.secret);
        match wire {
            Ok(text) if argument.rule.pattern.is_some() => self.ruled(argument, &taken.value, &text).then_some(text),
            Ok(text) => Some(text),
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.record(problem));
                None
            }
        }
    }

    /// Field → expected value, as text; booleans are `1` and `0` as in the API's answers.
    pub fn expect(&mut self, argument: &'static Argument) -> Option<Vec<(String, String)>> {
        let taken = self.take(argument)?;
        let inner = unwrapped(&taken.value);
        let Value::Object(object) = &*inner else {
            self.bad(argument, &taken.value, "is not an object");
            return None;
        };
        let name = self.spelled(argument);
        let mut pairs = Vec::with_capacity(object.len());
        let mut good = true;
        for (field, value) in object {
            if let Some(value) = word(value) {
                pairs.push((field.clone(), value));
                continue;
            }
            let problem = Problem::new(format!("{name}.{field}"), "is not a single value").came(value);
            self.record(problem.expected("a text, a number, true or false"));
            good = false;
        }
        good.then_some(pairs)
    }
}

/// The rule of an argument as the facts would say it, so that the server's own check applies.
fn as_param(rule: &Rule, format: Option<&'static str>, pattern: Option<&'static str>) -> Param {
    Param {
        name: "",
        ty: Type::String,
        format,
        values: &[],
        pattern,
        minimum: rule.minimum,
        maximum: rule.maximum,
        min_length: rule.min_length,
        max_length: rule.max_length,
        default: None,
        optional: false,
        in_path: false,
        index_max: None,
        keys: &[],
        default_key: false,
        alias: None,
        key_alias: None,
        items: None,
        requires: None,
        instance_types: &[],
        root_only: false,
        since: None,
        secret: false,
        danger: &[],
        names: None,
    }
}

/// The parameter behind an argument.
pub(super) fn fact(rule: &Rule) -> Option<&'static Param> {
    let fact = rule.fact?;
    proxmox_spec::find(fact.verb, fact.path)?.param(fact.param)
}

fn takes_rest_of_path(rule: &Rule) -> bool {
    let Some(fact) = rule.fact else { return false };
    proxmox_spec::find(fact.verb, fact.path)
        .is_some_and(|method| method.segments.contains(&proxmox_spec::Segment::Remainder(fact.param)))
}

/// The elements of a text as the server splits them; what is not a text is one element.
fn split(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => format::split_list(text).into_iter().map(Value::from).collect(),
        other => vec![other.clone()],
    }
}
