//! Edge values of one parameter, from what the facts say of it.
//!
//! Knows types, limits, enumerations, formats and patterns; must not know tools or arguments.

use crate::{formats, patterns};
use proxmox_mcp::tool::{Argument, Form};
use proxmox_spec::{Param, Type};
use serde_json::{Value, json};

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Type,
    Minimum,
    Maximum,
    Fraction,
    /// More than a number can say exactly.
    Exact,
    Value,
    Short,
    Long,
    Pattern,
    Format,
    /// Cannot stand in a request at all: NUL, a comma inside of a property string, a slash in a path.
    Letter,
    /// A number or boolean in words that mean nothing.
    Word,
    /// Size, task id, volume id, command, file.
    Form,
    /// An unknown, repeated or missing part.
    Part,
    /// Left out on purpose, with a reason of its own.
    Refused,
}

/// A scalar parameter, whoever says it.
#[derive(Debug, Clone, Copy)]
pub struct Scalar {
    pub ty: Type,
    pub format: Option<&'static str>,
    pub values: &'static [&'static str],
    pub pattern: Option<&'static str>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
}

impl From<&Param> for Scalar {
    fn from(param: &Param) -> Scalar {
        Scalar {
            ty: param.ty,
            format: param.format,
            values: param.values,
            pattern: param.pattern,
            minimum: param.minimum,
            maximum: param.maximum,
            min_length: param.min_length,
            max_length: param.max_length,
        }
    }
}

impl From<&Argument> for Scalar {
    fn from(argument: &Argument) -> Scalar {
        let rule = &argument.rule;
        let ty = match argument.form {
            Form::Integer => Type::Integer,
            Form::Number => Type::Number,
            Form::Boolean => Type::Boolean,
            _ => Type::String,
        };
        Scalar {
            ty,
            format: rule.format,
            values: rule.values,
            pattern: rule.pattern,
            minimum: rule.minimum,
            maximum: rule.maximum,
            min_length: rule.min_length,
            max_length: rule.max_length,
        }
    }
}

/// The largest number that every JSON reader keeps exact.
const LARGEST: f64 = 9_007_199_254_740_991.0;

impl Scalar {
    /// Values as JSON, and what the wire must say.
    pub fn good(&self) -> Vec<(Value, String)> {
        match self.ty {
            Type::Boolean => vec![(json!(true), "1".to_owned()), (json!(false), "0".to_owned())],
            Type::Integer | Type::Number => {
                self.numbers().into_iter().map(|number| (number.clone(), number.to_string())).collect()
            }
            _ => self.texts().into_iter().map(|text| (json!(text), text)).collect(),
        }
    }

    fn numbers(&self) -> Vec<Value> {
        if !self.values.is_empty() {
            return self.values.iter().filter_map(|value| value.parse::<i64>().ok()).map(Value::from).collect();
        }
        let least = self.minimum.unwrap_or(-LARGEST.min(self.maximum.unwrap_or(1.0).abs()));
        let most = self.maximum.unwrap_or(LARGEST);
        let mut numbers: Vec<Value> =
            [least, most, least + 1.0].into_iter().filter(|one| *one <= most).map(number).collect();
        if self.ty == Type::Number && most > least {
            numbers.push(json!(least + (most.min(least + 1.0) - least) / 2.0));
        }
        numbers.dedup();
        numbers
    }

    /// Texts that satisfy everything.
    pub fn texts(&self) -> Vec<String> {
        if !self.values.is_empty() {
            return self.values.iter().map(|value| (*value).to_owned()).collect();
        }
        let mut texts: Vec<String> = match (self.format.and_then(formats::of), self.pattern) {
            (Some(format), _) => format.good.iter().map(|text| (*text).to_owned()).collect(),
            (None, Some(pattern)) => patterns::good(pattern),
            (None, None) => ["a", "Two words", "ä€😀", "1;2&3=4%20+", "'\"\\"].map(str::to_owned).to_vec(),
        };
        texts
            .extend([self.min_length, self.max_length].into_iter().flatten().map(|length| "a".repeat(length as usize)));
        if self.max_length.is_none() && self.format.is_none() && self.pattern.is_none() {
            texts.push("x".repeat(2000));
        }
        texts.retain(|text| self.fits(text));
        texts
    }

    /// Whether a text satisfies everything, in the words of this file and not the decoder's.
    pub fn fits(&self, text: &str) -> bool {
        let length = text.chars().count();
        let format = self.format.and_then(formats::of);
        (self.values.is_empty() || self.values.contains(&text))
            && self.pattern.is_none_or(|pattern| patterns::takes(pattern, text))
            && self.min_length.is_none_or(|least| length >= least as usize)
            && self.max_length.is_none_or(|most| length <= most as usize)
            && !format.is_some_and(|format| format.bad.contains(&text))
            && self.format.is_none_or(|format| proxmox_spec::format::check(format, text).is_ok())
    }

    /// Values just outside.
    pub fn bad(&self) -> Vec<(Value, Why)> {
        let mut bad: Vec<(Value, Why)> = vec![(json!({"a": 1}), Why::Type)];
        match self.ty {
            Type::Boolean => {
                bad.extend([(json!([true]), Why::Type)]);
                let words = [json!("maybe"), json!(""), json!(2), json!(-1), json!(0.5), json!("tru")];
                bad.extend(words.into_iter().map(|word| (word, Why::Word)));
            }
            Type::Integer | Type::Number => {
                bad.extend([(json!([1]), Why::Type), (json!(true), Why::Type)]);
                let words = ["", "abc", "1x", "0x10", "inf", "nan", "1,5", "1 2"];
                bad.extend(words.into_iter().map(|word| (json!(word), Why::Word)));
                let step = if self.ty == Type::Integer { 1.0 } else { 0.5 };
                bad.extend(self.minimum.map(|least| (number(least - step), Why::Minimum)));
                bad.extend(self.maximum.map(|most| (number(most + step), Why::Maximum)));
                if self.ty == Type::Integer {
                    bad.push((json!(self.minimum.unwrap_or(0.0) + 0.5), Why::Fraction));
                    bad.push((json!(1e300), if self.maximum.is_some() { Why::Maximum } else { Why::Exact }));
                }
            }
            _ => bad.extend(self.bad_texts()),
        }
        bad
    }

    fn bad_texts(&self) -> Vec<(Value, Why)> {
        let mut bad = vec![(json!([]), Why::Type), (json!([["a"]]), Why::Type), (json!("a\0b"), Why::Letter)];
        let mut add = |text: String, why: Why| bad.push((json!(text), why));
        if !self.values.is_empty() {
            for value in self.values {
                for near in [format!("{value}x"), value.chars().skip(1).collect(), swapped(value)] {
                    if !self.values.iter().any(|one| folded(one) == folded(&near)) {
                        add(near, Why::Value);
                    }
                }
            }
            add("nothing-of-the-kind".to_owned(), Why::Value);
            return bad;
        }
        // A text that is not yet encoded, the decoder encodes.
        if let Some(format) = self.format.filter(|format| *format != "urlencoded").and_then(formats::of) {
            format.bad.iter().for_each(|text| add((*text).to_owned(), Why::Format));
        }
        if let Some(pattern) = self.pattern {
            patterns::bad(pattern).into_iter().for_each(|text| add(text, Why::Pattern));
        }
        if let Some(most) = self.max_length {
            add("a".repeat(most as usize + 1), Why::Long);
        }
        if let Some(least) = self.min_length.filter(|least| *least > 0) {
            add("a".repeat(least as usize - 1), Why::Short);
        }
        bad
    }
}

/// 100, not 100.0.
pub fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= LARGEST { json!(value as i64) } else { json!(value) }
}

/// Two letters in the other order: the commonest slip.
fn swapped(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let last = letters.len();
    if last > 1 {
        letters.swap(last - 1, last - 2);
    }
    letters.into_iter().collect()
}

/// A word as the decoder compares it: case, dashes and underscores do not count.
pub fn folded(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}
