//! The server's own check of one value, with the server's own words.
//!
//! Knows the order in which the server applies the rules of a schema (the first broken one is the answer);
//! must not know of whole requests: missing and unknown parameters are the caller's.

use crate::format;
use crate::model::{Param, Type};
use crate::pattern;
use crate::problem::Problem;
use crate::property;

/// The text for a required parameter or sub-key that is absent.
pub const MISSING: &str = "property is missing and it is not optional";
/// The text for a parameter or sub-key that does not exist.
pub const UNKNOWN: &str = "property is not defined in schema and the schema does not allow additional properties";

/// Checks a value as it travels on the wire.
///
/// # Errors
/// The first rule that the value breaks. For an indexed parameter use [`named`], so that the text has the real name.
pub fn value(param: &Param, text: &str) -> Result<(), Problem> {
    named(param, param.name, text)
}

/// Checks the value of a parameter that was given under this name, e.g. `net0` for `net[n]`.
///
/// # Errors
/// The first rule that the value breaks.
pub fn named(param: &Param, name: &str, text: &str) -> Result<(), Problem> {
    if param.ty == Type::Array {
        // A single value for an array is wrapped by the server.
        return value_list(param, name, &[text]);
    }
    scalar(param, text).map_err(|problem| problem.of(name))
}

/// Checks a parameter that was given several times (or as a JSON array) under this name.
///
/// For an array each element is checked; for a `-list` format the elements are joined with `,` as the server does.
///
/// # Errors
/// The first rule that is broken; [`Problem::Item`] says in which element of an array.
pub fn value_list(param: &Param, name: &str, texts: &[&str]) -> Result<(), Problem> {
    if param.ty == Type::Array {
        let Some(item) = param.items else { return Ok(()) };
        return texts.iter().enumerate().try_for_each(|(index, text)| {
            scalar(item, text)
                .map_err(|problem| Problem::Item { index, problem: Box::new(problem) })
                .map_err(|problem| problem.of(name))
        });
    }
    match texts {
        [text] => named(param, name, text),
        _ if param.format.is_some_and(|format| format.ends_with("-list")) => named(param, name, &texts.join(",")),
        _ => Err(Problem::value(format!("type check ('{}') failed - got ARRAY", type_name(param.ty)))),
    }
}

fn scalar(param: &Param, text: &str) -> Result<(), Problem> {
    check_type(param.ty, text)?;
    if !param.keys.is_empty() {
        property::parse(param.keys, text)?;
    } else if let Some(format) = param.format {
        format::check(format, text)?;
    }
    if param.pattern.is_some_and(|pattern| !pattern::matches(pattern, text)) {
        return Err(Problem::value("value does not match the regex pattern"));
    }
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if let Some(most) = param.max_length.filter(|most| length > *most) {
        return Err(Problem::value(format!("value may only be {most} characters long")));
    }
    if let Some(least) = param.min_length.filter(|least| length < *least) {
        return Err(Problem::value(format!("value must be at least {least} characters long")));
    }
    if let Some(number) = number(text) {
        if let Some(most) = param.maximum.filter(|most| number > *most) {
            return Err(Problem::value(format!("value must have a maximum value of {most}")));
        }
        if let Some(least) = param.minimum.filter(|least| number < *least) {
            return Err(Problem::value(format!("value must have a minimum value of {least}")));
        }
    }
    if !param.values.is_empty() && !param.values.contains(&text) {
        let list = param.values.join(", ");
        return Err(Problem::value(format!("value '{text}' does not have a value in the enumeration '{list}'")));
    }
    Ok(())
}

fn check_type(ty: Type, text: &str) -> Result<(), Problem> {
    let good = match ty {
        Type::Boolean => matches!(text, "0" | "1"),
        Type::Integer => is_integer(text),
        Type::Number => number(text).is_some(),
        Type::Object => return Err(Problem::value("type check ('object') failed")),
        Type::Null => return Err(Problem::value("type check ('null') failed - value is not null")),
        Type::String | Type::Array | Type::Any => true,
    };
    if good { Ok(()) } else { Err(Problem::value(format!("type check ('{}') failed - got '{text}'", type_name(ty)))) }
}

/// The API's word for a type.
pub const fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Object => "object",
        Type::Null => "null",
        Type::Any => "any",
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that the server sees in a text: digits with at most one point, and an exponent.
fn number(text: &str) -> Option<f64> {
    pattern::matches(r"[+-]?(\d+\.\d+|\d+\.|\.\d+|\d+)([eE][+-]?\d+)?", text).then(|| text.parse().ok()).flatten()
}
