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
        Form::Object => "an object".to_owned(),
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
pub(super) fn sub_keys(keys: &[&Param]) -> String {
    let names: Vec<&str> = keys.iter().filter(|key| key.alias.is_none()).map(|key| key.name).collect();
    format!("the sub-keys {}", names.join(", "))
}

pub(crate) fn one_of(values: &[&str]) -> String {
    match values {
        [] => "a text".to_owned(),
        [only] => format!("`{only}`"),
        _ => format!("one of {}", runs(values).join(", ")),
    }
}

/// `mp0`, `mp1`, … `mp255` as one word: a long run of numbers says nothing new.
fn runs(values: &[&str]) -> Vec<String> {
    let parts = |value: &str| {
        let base = value.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let number = value.get(base.len()..).and_then(|digits| digits.parse::<u32>().ok());
        (base.to_owned(), number)
    };
    let mut words: Vec<String> = Vec::new();
    let mut rest = values;
    while let Some((first, _)) = rest.split_first() {
        let (base, from) = parts(first);
        let follows = |(index, value): &(usize, &&str)| {
            let next = from.and_then(|from| from.checked_add(u32::try_from(*index).ok()?));
            next.is_some() && parts(value) == (base.clone(), next)
        };
        let length = rest.iter().enumerate().take_while(follows).count().max(1);
        let (run, after) = rest.split_at(length);
        match run {
            [first, .., last] if length > 3 => words.push(format!("{first} to {last}")),
            _ => words.extend(run.iter().map(|value| (*value).to_owned())),
        }
        rest = after;
    }
    words
}

fn list(rule: &Rule) -> String {
    let items = if !rule.values.is_empty() {
        format!("an array of {}", rule.values.join(", "))
    } else if let Some(format) = rule.format {
        match meaning(format) {
            Some(meaning) => format!("an array of texts, each {meaning}"),
            None => format!("an array of texts of the format {}", format.trim_end_matches("-list")),
        }
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

/// What the texts of a format look like, for those that callers meet.
fn meaning(format: &str) -> Option<&'static str> {
    Some(match format.strip_suffix("-list").unwrap_or(format) {
        "pve-node" => "a node's name: letters, digits and dashes, such as `pve1`",
        "pve-vmid" => "a guest's id from 100 to 999999999",
        "pve-storage-id" => {
            "a storage's id: two letters at least, then digits, `-`, `_` and `.` too, such as `local-lvm`"
        }
        "pve-configid" => "a letter, then letters, digits, `-` and `_`, two characters at least",
        "pve-poolid" => "a pool's id: letters, digits, `-`, `_` and `.`",
        "pve-tag" => "a tag: letters, digits, `_`, and behind the first also `-`, `+` and `.`",
        "dns-name" => "a DNS name: letters, digits and dashes between dots, such as `web-1`",
        "mac-addr" => "a unicast MAC address such as `BC:24:11:00:00:01`",
        "pve-iface" => "a network interface such as `net0`",
        "pve-bridge-id" => "a bridge such as `vmbr0`",
        "pve-volume-id" => "a volume id such as `local:iso/debian.iso`",
        "pve-volume-id-or-qm-path" => "a volume id, `STORAGE:GIB` for a new disk, or `none`",
        "pve-volume-id-or-absolute-path" => "a volume id or an absolute path",
        "disk-size" => "a size such as `32G`",
        "ip" => "an IP address",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "address" => "an IP address or a DNS name",
        "CIDR" => "a network such as `10.0.0.0/24`",
        "pve-ipv4-config" => "`dhcp`, `manual`, or an address with its prefix such as `10.0.0.5/24`",
        "pve-ipv6-config" => "`auto`, `dhcp`, `manual`, or an address with its prefix such as `fd00::5/64`",
        "pve-fw-dport-spec" | "pve-fw-sport-spec" => "ports up to 65535, such as `22`, `80,443` or `8000:8080`",
        "pve-startup-order" => "an order such as `order=2,up=30,down=60`",
        _ => return None,
    })
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
        says += &match meaning(format) {
            Some(meaning) => format!(" that is {meaning}"),
            None => format!(" of the format {format}"),
        };
    } else if let Some(pattern) = pattern {
        says += &format!(" that matches `{pattern}`");
    }
    if part {
        says += " without commas";
    }
    says
}
