//! One parameter, or the form of an answer, in one line.
//!
//! Knows the facts about values; must not know methods.

use proxmox_spec::{Danger, Param, Shape, Type};

/// Values and fields that are listed; of more, the first ones.
const LISTED: usize = 24;
const FIELDS: usize = 40;

/// The wire name; `net0 … net31` for an indexed one, `*` for one that needs more than its method.
pub fn name(param: &Param) -> String {
    let plain = match (param.name.strip_suffix("[n]"), param.index_max) {
        (Some(base), Some(last)) => format!("{base}0 … {base}{last}"),
        _ => param.name.to_owned(),
    };
    if param.danger.is_empty() { plain } else { format!("{plain} *") }
}

/// Type, limits, default and what to know of a parameter.
pub fn line(param: &Param) -> String {
    let mut said = Vec::new();
    if param.in_path {
        said.push("in the path".to_owned());
    } else if !param.optional {
        said.push("required".to_owned());
    }
    if let (Some(base), Some(last)) = (param.name.strip_suffix("[n]"), param.index_max) {
        said.push(format!("{base}0 … {base}{last}"));
    }
    said.push(kind(param));
    said.extend(limits(param));
    said.extend(param.default.map(|value| format!("default {value}")));
    said.extend(param.alias.map(|other| format!("the same as `{other}`")));
    said.extend(param.requires.map(|other| format!("only with `{other}`")));
    if !param.instance_types.is_empty() {
        said.push(format!("only for {}", some(param.instance_types, LISTED)));
    }
    let flags =
        [(param.default_key, "its name may be left out"), (param.root_only, "root@pam only"), (param.secret, "secret")];
    said.extend(flags.iter().filter(|(is, _)| *is).map(|(_, text)| (*text).to_owned()));
    said.extend(param.since.map(|since| format!("since {since}")));
    let mut text = said.join(", ");
    for danger in param.danger {
        text.push_str("; ");
        text.push_str(&raised(danger));
    }
    text
}

fn kind(param: &Param) -> String {
    let item = param.items;
    let keys = item.filter(|item| !item.keys.is_empty()).map_or(param.keys, |item| item.keys);
    let plain = match param.ty {
        Type::Array => match item {
            Some(item) => format!("list of {}", plain(item)),
            None => "list".to_owned(),
        },
        _ => plain(param),
    };
    if keys.is_empty() {
        return plain;
    }
    let keys: Vec<String> = keys
        .iter()
        .filter(|key| key.alias.is_none() && key.key_alias.is_none())
        .map(|key| if key.optional { key.name.to_owned() } else { format!("{}!", key.name) })
        .collect();
    let many = keys.len() > LISTED;
    format!("parts `key=value,…` of {}{}", keys[..keys.len().min(LISTED)].join(" "), if many { " …" } else { "" })
}

/// Parts whose name is itself a value: `virtio=MAC` says `model` and `macaddr` at once.
pub fn shorthand(keys: &[&Param]) -> Option<String> {
    let short: Vec<&Param> = keys.iter().copied().filter(|key| key.key_alias.is_some()).collect();
    let first = short.first()?;
    let names: Vec<&str> = short.iter().map(|key| key.name).collect();
    let (name, value) = (first.key_alias.unwrap_or_default(), first.alias.unwrap_or_default());
    Some(format!("`NAME=VALUE` says `{name}` and `{value}` at once, with a name of {}", some(&names, LISTED)))
}

fn plain(param: &Param) -> String {
    if !param.values.is_empty() {
        return format!("one of {}", some(param.values, LISTED));
    }
    let word = match param.ty {
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => return "0 or 1".to_owned(),
        Type::Array => "list",
        Type::Object => "object",
        _ => "text",
    };
    match param.format {
        Some(format) => format!("{word} ({format})"),
        None => word.to_owned(),
    }
}

fn limits(param: &Param) -> Option<String> {
    let number = |limit: f64| format!("{limit}");
    match (param.minimum, param.maximum) {
        (Some(low), Some(high)) => return Some(format!("{} to {}", number(low), number(high))),
        (Some(low), None) => return Some(format!("at least {}", number(low))),
        (None, Some(high)) => return Some(format!("at most {}", number(high))),
        (None, None) => {}
    }
    match (param.min_length, param.max_length) {
        (Some(low), Some(high)) => Some(format!("{low} to {high} letters")),
        (Some(low), None) => Some(format!("at least {low} letters")),
        (None, Some(high)) => Some(format!("at most {high} letters")),
        (None, None) => None,
    }
}

/// What giving it needs beyond the method.
fn raised(danger: &Danger) -> String {
    let when = match danger.values {
        [] => String::new(),
        ["@absent"] => "left out: ".to_owned(),
        ["@foreign"] => "a volume of another guest: ".to_owned(),
        values if values.iter().all(|value| value.starts_with('!')) => {
            let but: Vec<&str> = values.iter().filter_map(|value| value.strip_prefix('!')).collect();
            format!("any but {}: ", some(&but, LISTED))
        }
        values => format!("{}: ", some(values, LISTED)),
    };
    format!("{when}tier {}, {} ({})", danger.tier, danger.effect, danger.because.trim_end_matches('.'))
}

/// The form of an answer.
pub fn shape(shape: &Shape) -> String {
    match shape.ty {
        Type::Null => "nothing".to_owned(),
        Type::Array => match shape.items {
            Some(items) if !items.fields.is_empty() => format!("rows of {}", fields(items)),
            Some(items) => format!("list of {}", self::shape(items)),
            None => "list".to_owned(),
        },
        Type::Object if !shape.fields.is_empty() => fields(shape),
        Type::Object => "object".to_owned(),
        Type::Integer => "integer".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Boolean => "0 or 1".to_owned(),
        Type::String => "text".to_owned(),
        Type::Any => "anything".to_owned(),
    }
}

fn fields(shape: &Shape) -> String {
    let names: Vec<&str> = shape.fields.iter().map(|(name, _)| *name).collect();
    some(&names, FIELDS)
}

/// The first ones of a list, and how many more there are. Names that differ in their number only are one: `ide0 … ide3`.
fn some(list: &[&str], most: usize) -> String {
    let runs = runs(list);
    let shown = runs.get(..most.min(runs.len())).unwrap_or_default();
    let text = shown.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ");
    match list.len() - shown.iter().map(|(_, length)| length).sum::<usize>() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// (text, how many names it stands for).
fn runs(list: &[&str]) -> Vec<(String, usize)> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(first) = list.get(at) {
        let mut length = 1;
        if let Some((base, number)) = numbered(first) {
            let next = |step: usize| u64::try_from(step).ok().map(|step| format!("{base}{}", number + step));
            while list.get(at + length).is_some_and(|name| Some((*name).to_owned()) == next(length)) {
                length += 1;
            }
        }
        match list.get(at + length - 1) {
            Some(last) if length > 2 => runs.push((format!("{first} … {last}"), length)),
            _ => {
                length = 1;
                runs.push(((*first).to_owned(), 1));
            }
        }
        at += length;
    }
    runs
}

/// `scsi7` as `scsi` and 7.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let base = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = name.get(base.len()..)?.parse().ok()?;
    (!base.is_empty()).then_some((base, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_row_are_one() {
        assert_eq!(some(&["ide0", "ide1", "ide2", "scsi0", "x"], 9), "ide0 … ide2, scsi0, x");
        assert_eq!(some(&["a", "b", "c", "d1", "d2", "d3"], 2), "a, b and 4 more");
        assert_eq!(some(&["1", "2", "3"], 9), "1, 2, 3");
    }
}
