//! Where a value went: into a parameter, a part of one, the path, or into what the plan does besides.
//!
//! Knows finished requests and plans; must not know how they are made.

use crate::calls::Sent;
use crate::samples::Good;
use proxmox_mcp::arguments::{FileSource, GuestId};
use proxmox_mcp::plan::{Guard, Locate, Plan};
use proxmox_mcp::tool::{Argument, Form};

/// The places in which the value stands, in words; empty when it is nowhere.
pub fn places(argument: &Argument, good: &Good, plan: &Plan, without: Option<&Plan>, sent: &[Sent]) -> Vec<String> {
    let wire = good.wire.as_deref().unwrap_or_default();
    let mut places: Vec<String> = sent.iter().filter_map(|request| in_request(argument, wire, request)).collect();
    if places.is_empty() {
        places.extend(besides(argument, wire, plan));
    }
    // A switch shows in what is done, not in a text.
    let changed = || without.is_some_and(|without| format!("{without:?}") != format!("{plan:?}"));
    if places.is_empty() && changed() {
        places.push("changes the plan".to_owned());
    }
    places
}

fn in_request(argument: &Argument, wire: &[String], request: &Sent) -> Option<String> {
    let text = wire.first()?;
    let joined = [wire.join(",")];
    // Text that the API would expand as a template is sent escaped.
    let escaped = [text.replace('\\', "\\\\").replace('\n', "\\n")];
    for (name, values, _) in request.params.iter().filter(|(.., from)| *from == argument.name) {
        let whole = [wire, &joined, &escaped].into_iter().any(|wire| values == wire);
        if whole || same_property(argument, values, wire) {
            return Some(format!("{} {name}", request.template));
        }
    }
    if let Some(index) = request.in_path.iter().position(|part| part == text) {
        let placeholder = request.template.split('{').nth(index + 1)?.split('}').next()?;
        return Some(format!("{} {{{placeholder}}}", request.template));
    }
    let made = request.params.iter().filter(|(.., from)| !from.is_empty());
    let mut parted = made.filter(|(_, values, _)| values.iter().any(|value| is_part(value, text)));
    parted.next().map(|(name, ..)| format!("{} part of {name}", request.template))
}

/// `local` and `32` in `local:32`, `local:iso/a.iso` in `local:iso/a.iso,media=cdrom`.
fn is_part(value: &str, text: &str) -> bool {
    let mut between = value.split([':', ',']);
    value != text
        && value.contains([':', ','])
        && (between.any(|part| part == text) || value.starts_with(&format!("{text},")))
}

/// What the plan does besides its requests.
fn besides(argument: &Argument, wire: &[String], plan: &Plan) -> Option<String> {
    let number = || wire.first()?.parse::<u64>().ok();
    let text = wire.first().map(String::as_str);
    if plan.view.filters.iter().any(|(of, value)| *of == argument.name && Some(value.as_str()) == text) {
        return Some("filter of the answer".to_owned());
    }
    if argument.form == Form::Rest && wire.is_empty() {
        return Some("parameters by their own names".to_owned());
    }
    if wire.is_empty() && !matches!(argument.form, Form::File | Form::Expect) {
        return Some("as if left out".to_owned());
    }
    if let Locate::Guest(guest) = &plan.locate {
        if matches!(&guest.guest, GuestId::Name(name) if Some(name.as_str()) == text && argument.form == Form::Guest) {
            return Some("name of the guest".to_owned());
        }
        if guest.node.as_ref().is_some_and(|node| Some(node.as_str()) == text) {
            return Some("node of the guest".to_owned());
        }
        if guest.kind.is_some_and(|kind| Some(kind.as_str()) == text) {
            return Some("kind of the guest".to_owned());
        }
    }
    if let Locate::Archive(archive, _) = &plan.locate
        && archive.kind.is_some_and(|kind| Some(kind.as_str()) == text)
    {
        return Some("kind of the archive".to_owned());
    }
    if argument.form == Form::Integer && number().is_some() {
        if plan.wait == number() {
            return Some("seconds to wait".to_owned());
        }
        if plan.view.limit == number() {
            return Some("rows of the answer".to_owned());
        }
        if argument.name == "offset" && Some(plan.view.offset) == number() {
            return Some("rows to skip".to_owned());
        }
        if plan.routes.iter().flat_map(|route| &route.also).any(|also| also.tail == number()) {
            return Some("rows of a further read".to_owned());
        }
    }
    match &plan.file {
        Some(FileSource::Bytes(_)) if argument.form == Form::File => return Some("file".to_owned()),
        Some(FileSource::Path(path)) if Some(path.as_str()) == text => return Some("file".to_owned()),
        _ => {}
    }
    let expects = |guard: &Guard| matches!(guard, Guard::Digest { expect, .. } if !expect.is_empty());
    (argument.form == Form::Expect && plan.guards.iter().any(expects)).then(|| "expected fields".to_owned())
}

/// Two property strings with the same parts.
fn same_property(argument: &Argument, values: &[String], wire: &[String]) -> bool {
    let (Form::Property, [value], [wire]) = (argument.form, values, wire) else { return false };
    let Some(fact) = argument.rule.fact else { return false };
    let method = proxmox_spec::find(fact.verb, fact.path);
    let param = method.and_then(|method| method.params.iter().find(|param| param.name == fact.param));
    param.is_some_and(|param| same_parts(param, value, wire))
}

pub fn same_parts(param: &'static proxmox_spec::Param, one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let mut pairs = proxmox_spec::property::parse(param.keys, text).ok()?;
        for (key, value) in &mut pairs {
            // Encoded inside of the value, in whatever spelling.
            let encoded = param.keys.iter().any(|one| one.name == *key && one.format == Some("urlencoded"));
            if encoded {
                *value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
            }
        }
        pairs.sort();
        Some(pairs)
    };
    parts(one).is_some() && parts(one) == parts(other)
}
