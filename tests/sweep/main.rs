//! Every argument of every tool under every name, through decoder, schema and wire, with values made from the facts: those
//! at the edges of what the API takes pass all three, and those just outside stop at the decoder with a text that says
//! which argument, what came, and what would be right.

mod calls;
mod carried;
mod facts;
mod formats;
mod patterns;
mod properties;
mod random;
mod rest;
mod rules;
mod samples;
mod tally;

use calls::{arguments, around, decode, kinds, sent, spelled, surfaces, words};
use facts::Why;
use proxmox_mcp::arguments::BadArguments;
use proxmox_mcp::tool::{Argument, Form, Kind, Surface};
use samples::{Bad, Good, Samples};
use serde_json::{Map, Value};
use tally::Tally;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

fn validator(surface: &Surface) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(surface.input_schema).expect("JSON");
    jsonschema::validator_for(&schema).expect("a JSON schema")
}

/// The samples of an argument in the words of a surface.
fn samples(surface: &'static Surface, argument: &'static Argument) -> Samples {
    let placeholder = format!("{{{}}}", argument.name);
    let segment = surface.tool.routes.iter().any(|route| route.path.contains(&placeholder));
    let mut samples =
        if calls::is_file_path(surface, argument) { samples::path() } else { samples::of(argument, segment) };
    let words = words(surface, argument.name);
    if words.is_empty() {
        return samples;
    }
    let booleans = words.iter().all(|(theirs, _)| theirs.is_boolean());
    for good in &mut samples.good {
        if booleans && argument.form != Form::Boolean {
            good.careless.get_or_insert("the API's word where the dialect has its own");
        }
    }
    // Their word may be one of ours with another meaning.
    samples.good.retain(|good| !words.iter().any(|(theirs, _)| *theirs == good.value));
    samples.bad.retain(|bad| !words.iter().any(|(theirs, _)| *theirs == bad.value));
    for (theirs, ours) in words {
        let wire = ours.as_str().map(str::to_owned).or_else(|| ours.as_bool().map(|yes| u8::from(yes).to_string()));
        samples.good.push(Good { value: theirs, wire: Some(wire.into_iter().collect()), careless: None });
    }
    samples
}

/// A good value: taken by the decoder, valid by the schema unless careless, and found in what is sent.
fn passes(
    surface: &'static Surface,
    argument: &'static Argument,
    good: &Good,
    check: &jsonschema::Validator,
    tally: &mut Tally,
) {
    let mut wrong = Vec::new();
    // Calls of one kind of guest only leave the other to the next call.
    let mut open: Vec<Option<Kind>> = surface.tool.routes.iter().map(|route| route.kind).collect();
    for call in around(surface, argument) {
        match passes_in(call, surface, argument, good, check) {
            Ok(found) => {
                open.retain(|kind| !found.kinds.contains(kind));
                found.categories.into_iter().for_each(|what| tally.category(what));
                found.places.into_iter().for_each(|place| tally.place(surface, argument, place));
                if found.lost {
                    tally.lost(surface, argument, &good.value);
                }
                tally.good(surface, argument);
            }
            Err(why) => wrong.push(why),
        }
        if open.is_empty() {
            break;
        }
    }
    if wrong.len() == around(surface, argument).len() {
        tally.wrong(wrong.swap_remove(0));
    }
}

/// What one call with a good value showed.
#[derive(Default)]
struct Found {
    categories: Vec<String>,
    places: Vec<String>,
    /// Kinds of guest for which it was found in what is sent.
    kinds: Vec<Option<Kind>>,
    /// It stands nowhere, and makes no difference.
    lost: bool,
}

fn passes_in(
    mut call: Map<String, Value>,
    surface: &'static Surface,
    argument: &'static Argument,
    good: &Good,
    check: &jsonschema::Validator,
) -> Result<Found, String> {
    let name = spelled(surface, argument.name);
    let mut found = Found::default();
    calls::agree(surface, argument, &good.value, &mut call);
    let without = decode(surface, &call).ok();
    call.insert(name.clone(), good.value.clone());
    let at = || format!("{}.{name} = {}", surface.name, tally::short(&good.value));
    let valid = check.is_valid(&Value::Object(call.clone()));
    match good.careless {
        None if !valid => return Err(format!("{}: the schema refuses it", at())),
        Some(what) if !valid => found.categories.push(format!("taken, though the schema does not list it: {what}")),
        _ => {}
    }
    let plan = decode(surface, &call).map_err(|bad| format!("{}: the decoder refuses it: {bad}", at()))?;
    let kinds = kinds(&plan);
    if kinds.is_empty() {
        found.places = carried::places(argument, good, &plan, without.as_ref(), &[]);
        if found.places.is_empty() {
            return Err(format!("{}: no kind of guest has it", at()));
        }
    }
    let mut refusals = Vec::new();
    for kind in &kinds {
        match sent(&plan, *kind) {
            Ok(requests) => {
                let places = carried::places(argument, good, &plan, without.as_ref(), &requests);
                found.lost |= places.is_empty();
                found.places.extend(places);
                found.kinds.push(*kind);
            }
            Err(why) => refusals.push(format!("{} ({kind:?}): {why}", at())),
        }
    }
    // Which kind the guest is, is known after the look-up; the other kind's own values are then the API's to refuse.
    if kinds.is_empty() || refusals.len() < kinds.len() {
        found.categories.extend(refusals.iter().map(|_| "values of one kind of guest only".to_owned()));
        Ok(found)
    } else {
        Err(refusals.join("; "))
    }
}

/// A bad value: refused by the decoder in so many words, and by the schema where a schema can say it.
fn stops(
    mut call: Map<String, Value>,
    surface: &'static Surface,
    argument: &'static Argument,
    bad: &Bad,
    check: &jsonschema::Validator,
    tally: &mut Tally,
) {
    let name = spelled(surface, argument.name);
    call.insert(name.clone(), bad.value.clone());
    let at = || format!("{}.{name} = {} ({:?})", surface.name, tally::short(&bad.value), bad.why);
    match decode(surface, &call) {
        Ok(_) => return tally.wrong(format!("{}: the decoder takes it", at())),
        Err(problems) => {
            if let Err(why) = says(&problems, &name, argument, bad) {
                tally.wrong(format!("{}: {why}: {problems}", at()));
            }
        }
    }
    if check.is_valid(&Value::Object(call)) {
        match unsaid(argument, bad) {
            Some(what) => tally.category(format!("refused, though the schema cannot say it: {what}")),
            None => tally.wrong(format!("{}: the schema takes it", at())),
        }
    }
    tally.bad(surface, argument);
}

/// Whether a refusal says which argument, what came, and what would be right.
fn says(problems: &BadArguments, name: &str, argument: &Argument, bad: &Bad) -> Result<(), String> {
    let text = problems.to_string();
    // Nobody can tell whether there is a secret in an object that cannot be read.
    let hidden = argument.secret || argument.form == Form::Rest;
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err("control characters are repeated".to_owned());
    }
    for problem in &problems.problems {
        let of = problem.argument.strip_prefix(name);
        if !of.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
            return Err(format!("another argument is named: `{}`", problem.argument));
        }
        match &problem.came {
            Some(_) if argument.secret => return Err("a secret is repeated".to_owned()),
            Some(came) if came.chars().count() > 100 => return Err("the value is not cut".to_owned()),
            None if !hidden && !matches!(bad.why, Why::Part | Why::Refused) && bad.value.is_string() => {
                // A file is not repeated, and a command stands in the example of how it would be right.
                let shown = problem.expected.as_deref().is_some_and(|expected| expected.contains("sh\""));
                if !shown
                    && !problem.wrong.contains("base64")
                    && problem.wrong != "is empty"
                    && !problem.wrong.contains("missing")
                {
                    return Err("what came is not said".to_owned());
                }
            }
            _ => {}
        }
        let guided = problem.expected.is_some() || problem.meant.is_some();
        let reason = bad.why == Why::Refused || problem.wrong.contains("base64") || problem.wrong == "is empty";
        if !guided && !reason && bad.why != Why::Part {
            return Err("what would be right is not said".to_owned());
        }
    }
    match bad.why {
        Why::Minimum | Why::Maximum if !text.contains(" from ") && !text.contains(" up") => {
            Err("the range is not said".to_owned())
        }
        _ => Ok(()),
    }
}

/// Why the schema takes what the decoder refuses, where that is right.
fn unsaid(argument: &Argument, bad: &Bad) -> Option<&'static str> {
    let text = bad.value.is_string();
    Some(match (bad.why, argument.form) {
        (Why::Format, _) => "the API's text formats",
        (Why::Exact, _) => "numbers beyond what is exact",
        (Why::Letter, _) => "letters that no request can hold",
        // What nobody meets is not listed: the rule is the schema emitter's.
        (Why::Minimum, _) if argument.rule.minimum.is_some_and(|least| (0.0..=1.0).contains(&least)) => "small limits",
        (Why::Maximum, _) if argument.rule.maximum.is_some_and(|most| most >= 1000.0) => "large limits",
        (Why::Short | Why::Long, Form::Text) => "lengths of texts",
        (Why::Value, Form::List) if argument.name == "fields" => "fields of a row",
        (_, Form::Guest) if text || bad.value.is_number() => "guests by id or name",
        // Of these, the schema names no type.
        (Why::Type, Form::Guest | Form::Argv | Form::Property) => "values of two types",
        (Why::Form, Form::Size) => "sizes",
        (Why::Form, Form::Upid) => "task ids",
        (Why::Form, Form::Volid) => "volume ids",
        (Why::Form | Why::Long, Form::Argv) => "commands",
        (Why::Form, Form::File) => "base64",
        (Why::Word | Why::Long, Form::Guest) => "guests by name",
        (_, Form::Property) if !matches!(bad.why, Why::Type) || !bad.value.is_array() => {
            "sub-keys of a property string"
        }
        (Why::Type, Form::Expect) if bad.value.is_object() => "values of expected fields",
        (Why::Value, _) if argument.rule.values.len() > 24 => "long enumerations",
        (Why::Long | Why::Short | Why::Pattern | Why::Value, Form::List) if text => "elements of a list",
        _ => return None,
    })
}

#[test]
fn every_argument_of_every_name() {
    let mut tally = Tally::default();
    for surface in surfaces() {
        let check = validator(surface);
        for argument in arguments(surface) {
            let samples = samples(surface, argument);
            for good in &samples.good {
                passes(surface, argument, good, &check, &mut tally);
            }
            // A call that is good but for this argument.
            let good = samples.good.iter().find(|good| good.careless.is_none()).expect("a good value");
            let is_good = |call: &Map<String, Value>| {
                let mut call = call.clone();
                calls::agree(surface, argument, &good.value, &mut call);
                call.insert(spelled(surface, argument.name), good.value.clone());
                decode(surface, &call).is_ok()
            };
            let Some(call) = around(surface, argument).into_iter().find(is_good) else { continue };
            for bad in &samples.bad {
                stops(call.clone(), surface, argument, bad, &check, &mut tally);
            }
        }
    }
    tally.end();
}
