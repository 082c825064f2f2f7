//! What would be right: the expected value of an argument or a parameter, in a few words.
//!
//! Knows the words for forms, limits and formats; must not know how values are checked.

use crate::tool::{Argument, Form, Rule};
use proxmox_spec::{Param, Type};

/// The expected value of an argument, as the rest of a sentence that starts with "Expected".
pub(super) fn argument(argument: &Argument) -> String {
    let rule = &argument.rule;
    match argument.form {
        Form::Text if !rule.values.is_empty() => one_of(rule.values),
        Form::Text => text(rule.format, rule.pattern, rule.min_length, rule.max_length, rule.part),
        Form::Integer => number("a whole number", rule.minimum, rule.maximum),
        Form::Number => number("a number", rule.minimum, rule.maximum),
        Form::Boolean => "true or false".to_owned(),
        Form::Choice => one_of(rule.values),
        Form::List => list(rule),
        Form::Property => "an object of sub-keys, or the API's text form (`key=value,key=value`)".to_owned(),
        Form::Guest => "a guest's id (a number from 100) or its name".to_owned(),
        Form::Upid => "a task id as a tool answered it (`UPID:node:…:`)".to_owned(),
        Form::Volid => "a volume id such as `local:iso/debian.iso`".to_owned(),
        Form::Size => "a size such as `32G`, `1.5T` or `512M`; a number alone counts GiB".to_owned(),
        Form::Argv => "a program and its arguments as an array, e.g. [\"ls\", \"-la\"]".to_owned(),
        Form::File => "base64 text or a path below the upload folder".to_owned(),
        Form::Rest => "an object of parameters, e.g. {\"cores\": 4}".to_owned(),
        Form::Expect => "an object of field and expected value, e.g. {\"action\": \"ACCEPT\"}".to_owned(),
    }
}

/// The expected value of a parameter of the API, if there is something to say.
pub(super) fn param(param: &Param) -> Option<String> {
    if !param.values.is_empty() {
        return Some(one_of(param.values));
    }
    Some(match param.ty {
        Type::Integer => number("a whole number", param.minimum, param.maximum),
        Type::Number => number("a number", param.minimum, param.maximum),
        Type::Boolean => "true or false".to_owned(),
        Type::Array => "an array".to_owned(),
        _ if !param.keys.is_empty() => sub_keys(param.keys),
        _ if param.format.is_none() && param.pattern.is_none() && param.max_length.is_none() => return None,
        _ => text(param.format, param.pattern, param.min_length, param.max_length, false),
    })
}

/// The sub-keys of a property string.
pub(super) fn sub_keys(keys: &[Param]) -> String {
    let names: Vec<&str> = keys.iter().filter(|key| key.alias.is_none()).map(|key| key.name).collect();
    format!("the sub-keys {}", names.join(", "))
}

pub(super) fn one_of(values: &[&str]) -> String {
    match values {
        [] => "a text".to_owned(),
        [only] => format!("`{only}`"),
        _ => format!("one of {}", values.join(", ")),
    }
}

fn list(rule: &Rule) -> String {
    let items = if !rule.values.is_empty() {
        format!("an array of {}", rule.values.join(", "))
    } else if let Some(format) = rule.format {
        format!("an array of texts of the format {}", format.trim_end_matches("-list"))
    } else {
        "an array of texts".to_owned()
    };
    format!("{items}, or one text separated by commas")
}

fn number(what: &str, minimum: Option<f64>, maximum: Option<f64>) -> String {
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!("{what} from {minimum} to {maximum}"),
        (Some(minimum), None) => format!("{what} from {minimum} up"),
        (None, Some(maximum)) => format!("{what} up to {maximum}"),
        (None, None) => what.to_owned(),
    }
}

fn text(format: Option<&str>, pattern: Option<&str>, least: Option<u32>, most: Option<u32>, part: bool) -> String {
    let mut says = "a text".to_owned();
    match (least, most) {
        (Some(least), Some(most)) => says += &format!(" of {least} to {most} characters"),
        (Some(least), None) => says += &format!(" of at least {least} characters"),
        (None, Some(most)) => says += &format!(" of at most {most} characters"),
        (None, None) => {}
    }
    if let Some(format) = format {
        says += &format!(" of the format {format}");
    } else if let Some(pattern) = pattern {
        says += &format!(" that matches `{pattern}`");
    }
    if part {
        says += " without commas";
    }
    says
}
