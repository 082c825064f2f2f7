//! The arguments of a tool for a reader: type, default, and everything that a value must satisfy.

use super::{code, since};
use crate::catalogue::*;
use serde::Serialize;
use serde_json::Value as Json;

/// A row of a parameters table.
#[derive(Serialize)]
pub struct Row {
    name: String,
    ty: &'static str,
    required: bool,
    default: String,
    limits: String,
    text: String,
}

/// The rows of a tool, in schema order.
pub fn rows(tool: &Tool) -> Vec<Row> {
    tool.arguments.iter().map(|argument| row(tool, argument)).collect()
}

fn row(tool: &Tool, argument: &Argument) -> Row {
    Row {
        name: argument.name.clone(),
        ty: word(argument.form),
        required: argument.required,
        default: default(argument),
        limits: limits(tool, argument).join("; "),
        text: argument.doc.clone(),
    }
}

/// What a caller writes.
fn word(form: Form) -> &'static str {
    match form {
        Form::Text | Form::Choice | Form::Path => "string",
        Form::Integer => "integer",
        Form::Number => "number",
        Form::Boolean => "boolean",
        Form::List => "list of strings",
        Form::Property => "string or object",
        Form::Guest => "integer or string",
        Form::Upid => "task id",
        Form::Volid => "volume id",
        Form::Size => "size",
        Form::Argv => "list of strings",
        Form::File => "base64 text",
        Form::Rest | Form::Expect | Form::Object => "object",
    }
}

fn default(argument: &Argument) -> String {
    match (&argument.default, &argument.default_from) {
        (Some(value), _) => json(value),
        (None, Some(DefaultFrom::Read(path))) => format!("answer of `GET {path}`"),
        (None, Some(DefaultFrom::GuestRunning)) => "whether the guest runs".to_owned(),
        (None, Some(DefaultFrom::VolidVmid(volid))) => format!("the id in `{volid}`"),
        (None, None) => String::new(),
    }
}

/// A value as code; a text without its quotes.
pub fn json(value: &Json) -> String {
    match value {
        Json::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

fn limits(tool: &Tool, argument: &Argument) -> Vec<String> {
    let rule = &argument.rule;
    let mut said = Vec::new();
    match argument.form {
        Form::Guest => said.push("an id from 100 to 999999999, or a unique name".to_owned()),
        Form::File => said.push("at most 8 MiB when decoded".to_owned()),
        Form::Size => said.push("such as `32G`, `1.5T`, `512 MiB`".to_owned()),
        _ => {}
    }
    if let Some(kind) = argument.only {
        said.push(format!("{} only", plural(kind)));
    }
    if !rule.values.is_empty() {
        said.push(format!("one of {}", ranges(&rule.values).join(", ")));
    }
    said.extend(span(rule.minimum, rule.maximum, ""));
    said.extend(span(rule.min_length.map(f64::from), rule.max_length.map(f64::from), " characters"));
    said.extend(rule.format.map(|format| format!("format `{format}`")));
    said.extend(rule.pattern.as_ref().map(|pattern| format!("pattern `{pattern}`")));
    said.extend(keys(argument));
    if rule.part {
        said.push("no comma".to_owned());
    }
    said.extend(argument.within.as_ref().map(|storage| format!("with its storage, or `{storage}` names it")));
    said.extend(argument.needs.as_ref().map(|(other, _)| format!("only with `{other}`")));
    said.extend(rule.refused.iter().map(|(value, why)| format!("`{value}` is refused: {}", unpointed(why))));
    if argument.form == Form::Rest {
        said.push("names and values as the API has them".to_owned());
        said.extend(rule.except.iter().map(|(name, why)| format!("not `{name}`: {}", unpointed(why))));
    }
    if argument.escape {
        said.push("sent literally, so the API expands nothing in it; `{{` becomes `{ {`".to_owned());
    }
    said.extend(argument.raises.as_ref().map(|raise| raised("", raise.tier, raise.effect, &raise.because)));
    said.extend(dangers(tool, argument));
    if argument.secret {
        said.push("secret: never shown, never logged".to_owned());
    }
    said.extend(argument.since.map(|version| format!("since {}", since(version))));
    said
}

/// What the danger list says of the parameters behind an argument, where it is more than the tool's own tier and effect.
fn dangers(tool: &Tool, argument: &Argument) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let listed = argument.facts.iter().flat_map(|(_, param)| param.danger);
    for danger in listed.filter(|danger| danger.tier > tool.tier || danger.effect > tool.effect) {
        let values: Vec<String> = danger.values.iter().map(|value| code(value)).collect();
        let of = if values.is_empty() { String::new() } else { format!("{}: ", values.join(", ")) };
        let text = raised(&of, danger.tier.max(tool.tier), danger.effect.max(tool.effect), danger.because);
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

fn raised(of: &str, tier: proxmox_spec::Tier, effect: proxmox_spec::Effect, because: &str) -> String {
    format!("{of}needs tier `{tier}`, effect `{effect}`: {}", unpointed(because))
}

/// The sub-keys of a property string.
fn keys(argument: &Argument) -> Option<String> {
    if argument.form != Form::Property {
        return None;
    }
    let (_, param) = argument.facts.first()?;
    let keys: Vec<String> =
        param.keys.iter().filter(|key| key.alias.is_none()).map(|key| key.name.to_owned()).collect();
    (!keys.is_empty()).then(|| format!("keys {}", ranges(&keys).join(", ")))
}

fn span(least: Option<f64>, most: Option<f64>, unit: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (None, None) => None,
    }
}

/// Several of a kind, for a reader.
pub fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Qemu => "virtual machines",
        Kind::Lxc => "containers",
    }
}

/// A sentence without its point, to stand inside another.
pub fn unpointed(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

/// Words as code, in order of first sight; three or more that count up are one range: `scsi0`–`scsi30`.
fn ranges(values: &[String]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<u32>)> = Vec::new();
    let mut out: Vec<Vec<String>> = Vec::new();
    for value in values {
        let base = value.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &value[base.len()..];
        let number = digits.parse().ok().filter(|_| digits == "0" || !digits.starts_with('0'));
        let Some(number) = number.filter(|_| !base.is_empty()) else {
            groups.push((value, Vec::new()));
            continue;
        };
        match groups.iter_mut().find(|(one, numbers)| *one == base && !numbers.is_empty()) {
            Some((_, numbers)) => numbers.push(number),
            None => groups.push((base, vec![number])),
        }
    }
    for (base, mut numbers) in groups {
        numbers.sort_unstable();
        if numbers.is_empty() {
            out.push(vec![code(base)]);
            continue;
        }
        let runs = numbers.chunk_by(|one, next| one + 1 == *next);
        out.extend(runs.map(|run| match run {
            [first, _, .., last] => vec![format!("`{base}{first}`–`{base}{last}`")],
            few => few.iter().map(|number| format!("`{base}{number}`")).collect(),
        }));
    }
    out.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> String {
        ranges(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn what_counts_up_is_a_range() {
        assert_eq!(
            of(&["ide0", "ide1", "rootfs", "scsi0", "scsi1", "scsi10", "scsi2"]),
            "`ide0` `ide1` `rootfs` `scsi0`–`scsi2` `scsi10`"
        );
    }

    #[test]
    fn numbers_and_words_stay_as_they_are() {
        assert_eq!(of(&["0", "1", "gzip", "sha256", "sha384"]), "`0` `1` `gzip` `sha256` `sha384`");
    }
}
