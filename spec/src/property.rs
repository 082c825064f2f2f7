//! Property strings: several named values in one text, such as `virtio=BC:24:11:00:00:01,bridge=vmbr0`.
//!
//! Knows the grammar and the server's words for breaking it; must not know which parameters use it.
//! There is no escape in this grammar: a value cannot hold a comma.

use crate::check::{self, MISSING, UNKNOWN};
use crate::lookup;
use crate::model::{Param, Type};
use crate::problem::Problem;

/// Takes a property string apart and checks every part.
///
/// Aliases are resolved (`virtio=MAC` gives `model` and `macaddr`), booleans come back as `1` or `0`. The pairs
/// stand in the order of the text.
///
/// # Errors
/// A broken grammar as [`Problem::Format`], else every missing, unknown and wrong sub-key as [`Problem::Keys`].
pub fn parse(keys: &'static [&'static Param], text: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut pairs: Vec<(&'static str, String)> = Vec::new();
    let mut unknown: Vec<(String, Problem)> = Vec::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        match part.split_once('=') {
            None => {
                let key = keys.iter().find(|key| key.default_key).ok_or_else(no_default)?;
                add(&mut pairs, key.name, value_of(key, part))?;
            }
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                let Some(key) = lookup::named(keys, name) else {
                    if unknown.iter().any(|(known, _)| known == name) {
                        return Err(duplicate(name));
                    }
                    unknown.push((name.to_owned(), Problem::value(UNKNOWN)));
                    continue;
                };
                match key.alias {
                    None => add(&mut pairs, key.name, value_of(key, value))?,
                    Some(alias) => {
                        if let Some(receiver) = key.key_alias {
                            if pairs.iter().any(|(known, _)| *known == receiver) {
                                return Err(Problem::format(format!("key alias '{receiver}' is already defined")));
                            }
                            pairs.push((receiver, key.name.to_owned()));
                        }
                        let target = lookup::named(keys, alias);
                        add(&mut pairs, alias, target.map_or_else(|| value.to_owned(), |key| value_of(key, value)))?;
                    }
                }
            }
            Some(_) => return Err(Problem::format("missing key in comma-separated list property")),
        }
    }
    let mut wrong = wrong(keys, &pairs);
    wrong.append(&mut unknown);
    if wrong.is_empty() { Ok(pairs) } else { Err(Problem::Keys { param: String::new(), keys: wrong }) }
}

/// Writes a property string: the default key first and without its name where its value allows it, the rest in the
/// order given, booleans as `1` and `0`.
///
/// # Errors
/// Unknown, repeated, missing or wrong sub-keys in the server's words, and values that the grammar cannot hold.
pub fn print(keys: &'static [&'static Param], pairs: &[(String, String)]) -> Result<String, Problem> {
    let mut known: Vec<(&'static str, String)> = Vec::new();
    let mut wrong_keys: Vec<(String, Problem)> = Vec::new();
    for (name, value) in pairs {
        let key = lookup::named(keys, name);
        let key = key.and_then(|key| match (key.alias, key.key_alias) {
            // A plain alias is another spelling; one that also moves its name is a form of text only.
            (Some(alias), None) => lookup::named(keys, alias),
            (Some(_), Some(_)) => None,
            (None, _) => Some(key),
        });
        let Some(key) = key else {
            wrong_keys.push((name.clone(), Problem::value(UNKNOWN)));
            continue;
        };
        if let Some(reason) = unwritable(value) {
            wrong_keys.push((name.clone(), Problem::value(reason)));
        }
        add(&mut known, key.name, value_of(key, value))?;
    }
    for (name, problem) in wrong(keys, &known) {
        if wrong_keys.iter().all(|(listed, _)| *listed != name) {
            wrong_keys.push((name, problem));
        }
    }
    if !wrong_keys.is_empty() {
        return Err(Problem::Keys { param: String::new(), keys: wrong_keys });
    }
    let default = keys.iter().find(|key| key.default_key).map(|key| key.name);
    known.sort_by_key(|(name, _)| Some(*name) != default);
    let parts: Vec<String> = known
        .iter()
        .map(|(name, value)| match Some(*name) == default && !value.contains('=') {
            true => value.clone(),
            false => format!("{name}={value}"),
        })
        .collect();
    Ok(parts.join(","))
}

/// Why no property string can hold this value, if so.
fn unwritable(value: &str) -> Option<&'static str> {
    if value.contains(',') {
        Some("value must not contain a comma")
    } else if value.contains('\n') {
        Some("value must not contain a line feed")
    } else if value.trim().is_empty() {
        Some("value must not be empty")
    } else {
        None
    }
}

/// What is wrong with the values, and which sub-keys are missing.
fn wrong(keys: &'static [&'static Param], pairs: &[(&'static str, String)]) -> Vec<(String, Problem)> {
    let given = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let mut wrong = Vec::new();
    for key in keys.iter().filter(|key| key.alias.is_none()) {
        match given(key.name) {
            Some(value) => wrong.extend(check::value(key, value).err().map(|problem| (key.name.to_owned(), problem))),
            None if !key.optional && key.index_max.is_none() => {
                wrong.push((key.name.to_owned(), Problem::value(MISSING)));
            }
            None => {}
        }
        if let Some(other) = key.requires.filter(|other| given(key.name).is_some() && given(other).is_none()) {
            let text = format!("missing property - '{}' requires this property", key.name);
            wrong.push((other.to_owned(), Problem::value(text)));
        }
    }
    wrong
}

fn add(pairs: &mut Vec<(&'static str, String)>, name: &'static str, value: String) -> Result<(), Problem> {
    if pairs.iter().any(|(known, _)| *known == name) {
        return Err(duplicate(name));
    }
    pairs.push((name, value));
    Ok(())
}

/// The value as it counts: in property strings booleans have words.
fn value_of(key: &Param, text: &str) -> String {
    let word = text.to_ascii_lowercase();
    match (key.ty, word.as_str()) {
        (Type::Boolean, "1" | "on" | "yes" | "true") => "1".to_owned(),
        (Type::Boolean, "0" | "off" | "no" | "false") => "0".to_owned(),
        _ => text.to_owned(),
    }
}

fn duplicate(name: &str) -> Problem {
    Problem::format(format!("duplicate key in comma-separated list property: {name}"))
}

fn no_default() -> Problem {
    Problem::format("value without key, but schema does not define a default key")
}
