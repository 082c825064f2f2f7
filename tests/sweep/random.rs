//! Values that nobody thought of: whatever is read is printed so that it reads the same, nothing panics, and what the
//! decoder lets through is what the API's own check takes.

use crate::calls::{agree, arguments, around, decode, kinds, sent, spelled, surfaces};
use crate::samples;
use proptest::prelude::*;
use proxmox_mcp::arguments::{Size, Upid, Volid};
use proxmox_mcp::tool::{Argument, Form, Surface};
use proxmox_spec::{Param, property};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// Letters that mean something somewhere, more often than others.
fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        ":", "/", ",", "=", ";", ".", "..", "-", "+", " ", "%", "%2e", "%2F", "\\", "\"", "'", "\0", "\n", "{", "[",
        "0", "9", "1e9", "G", "ä", "vzdump-", "UPID:", "local:", "vm/", "ct/", "virtio=", "file=", "\u{202e}",
    ]);
    let piece = prop_oneof![3 => odd.prop_map(str::to_owned), 2 => "[a-zA-Z0-9]{1,4}", 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A good text with one slip: a letter more, less, or another one.
fn slip(good: &str, at: usize, with: &str, how: u8) -> String {
    let letters: Vec<char> = good.chars().collect();
    let at = if letters.is_empty() { 0 } else { at % (letters.len() + 1) };
    let (left, right): (String, String) = (letters[..at].iter().collect(), letters[at..].iter().collect());
    let fewer: String = right.chars().skip(1).collect();
    match how % 3 {
        0 => format!("{left}{with}{right}"),
        1 => format!("{left}{fewer}"),
        _ => format!("{left}{with}{fewer}"),
    }
}

/// Every property string that a call can hold, with a few good texts of each.
fn properties() -> &'static Vec<(&'static Param, Vec<String>)> {
    static PROPERTIES: OnceLock<Vec<(&'static Param, Vec<String>)>> = OnceLock::new();
    PROPERTIES.get_or_init(|| {
        let made = ["/nodes/{node}/qemu", "/nodes/{node}/lxc"];
        let methods = made.iter().filter_map(|path| proxmox_spec::find(proxmox_spec::Verb::Post, path));
        let params = methods.flat_map(|method| method.params).copied().filter(|param| !param.keys.is_empty());
        params
            .map(|param| {
                let mut samples = samples::Samples::default();
                crate::properties::of(&mut samples, param);
                let texts = samples.good.iter().filter_map(|good| good.value.as_str()).map(str::to_owned);
                (param, texts.step_by(7).take(40).collect())
            })
            .collect()
    })
}

/// Every argument of every name with its good texts and a call to try them in.
type Row = (&'static Surface, &'static Argument, Vec<Value>, Map<String, Value>);

fn rows() -> &'static Vec<Row> {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let all = surfaces().flat_map(|surface| arguments(surface).map(move |argument| (surface, argument)));
        all.filter_map(|(surface, argument)| {
            let samples = samples(surface, argument);
            let first = samples.good.first()?.value.clone();
            let is_good = |call: &Map<String, Value>| {
                let mut call = call.clone();
                agree(surface, argument, &first, &mut call);
                call.insert(spelled(surface, argument.name), first.clone());
                decode(surface, &call).is_ok()
            };
            let call = around(surface, argument).into_iter().find(is_good)?;
            let good =
                samples.good.into_iter().map(|good| good.value).filter(|value| value.to_string().len() < 300).collect();
            Some((surface, argument, good, call))
        })
        .collect()
    })
}

/// What the decoder takes must be what the API's check takes, for one kind of guest at least.
fn sound(row: &Row, value: Value) -> Result<(), TestCaseError> {
    let (surface, argument, _, call) = row;
    let before = decode(surface, call).map(|plan| kinds(&plan));
    let mut call = call.clone();
    call.insert(spelled(surface, argument.name), value.clone());
    let Ok(plan) = decode(surface, &call) else { return Ok(()) };
    let kinds = kinds(&plan);
    // Another kind of guest has other disks and options than the call around it names.
    if before.is_ok_and(|before| kinds.len() < before.len()) {
        return Ok(());
    }
    let ends: Vec<_> = kinds.iter().map(|kind| sent(&plan, *kind)).collect();
    let good = ends.is_empty() || ends.iter().any(Result::is_ok);
    let why: Vec<&String> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    prop_assert!(good, "{}.{} = {value}: {why:?}", surface.name, argument.name);
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn sizes_are_printed_as_they_are_read(kib in 1u64..1 << 44, grow: bool, bytes in 1u64..1 << 50) {
        for bytes in [kib << 10, bytes] {
            let size = Size { bytes, grow };
            let unit = if bytes.is_multiple_of(1 << 10) { "" } else { "B" };
            prop_assert_eq!(Size::parse(&format!("{}{unit}", size.api())), Ok(size));
        }
        let gib = Size { bytes: kib << 10, grow: false };
        prop_assert_eq!(Size::parse(&gib.gib()), Ok(gib));
    }

    #[test]
    fn texts_that_are_sizes_stay_the_same(text in text()) {
        if let Ok(size) = Size::parse(&text) {
            let unit = if size.bytes.is_multiple_of(1 << 10) { "" } else { "B" };
            prop_assert_eq!(Size::parse(&format!("{}{unit}", size.api())), Ok(size));
        }
    }

    #[test]
    fn volume_ids_are_printed_as_they_are_read(text in text(), storage in prop::option::of(text()), path in "[a-z0-9./:_-]{0,12}") {
        for text in [text, format!("local:{path}"), path] {
            if let Ok(volid) = Volid::parse(&text, storage.as_deref()) {
                prop_assert_eq!(Volid::parse(&volid.full(), None), Ok(volid.clone()));
                let segment = volid.segment();
                prop_assert_eq!(segment.as_str(), volid.full());
                let (storage, full) = (volid.storage(), volid.full());
                prop_assert_eq!(full.split(':').next(), Some(storage.as_str()));
                prop_assert!(!volid.full().split('/').any(|part| part == ".."));
            }
        }
    }

    #[test]
    fn task_ids_are_printed_as_they_are_read(
        node in "[a-zA-Z0-9-]{1,8}", numbers in prop::array::uniform3("[0-9A-F]{7,9}"), rest in prop::array::uniform3("[a-z0-9@!.%-]{0,6}"),
        text in text(), at: prop::sample::Index,
    ) {
        let whole = format!("UPID:{node}:{}:{}:", numbers.join(":"), rest.join(":"));
        let slipped = slip(&whole, at.index(whole.len()), &text, 0);
        for text in [whole, slipped, text] {
            if let Ok(task) = Upid::parse(&text) {
                prop_assert_eq!(Upid::parse(task.text()), Ok(task.clone()));
                prop_assert_eq!(task.text(), format!("{}:", text.trim().trim_end_matches(':')));
                let node = task.node();
                prop_assert_eq!(task.text().split(':').nth(1), Some(node.as_str()));
            }
        }
    }

    #[test]
    fn property_strings_are_printed_as_they_are_read(at: prop::sample::Index, from: prop::sample::Index, text in text(), how: u8) {
        let (param, good) = &properties()[at.index(properties().len())];
        let base = if good.is_empty() { "" } else { good[from.index(good.len())].as_str() };
        for text in [slip(base, from.index(base.len() + 1), &text, how), text] {
            let Ok(mut pairs) = property::parse(param.keys, &text) else { continue };
            let owned: Vec<(String, String)> = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            match property::print(param.keys, &owned) {
                Ok(printed) => {
                    let mut again = property::parse(param.keys, &printed);
                    again.iter_mut().for_each(|pairs| pairs.sort());
                    pairs.sort();
                    prop_assert_eq!(again, Ok(pairs), "{} of {:?}", printed, text);
                }
                // No object can hold these, although a text can.
                Err(problem) => prop_assert!(text.contains('\n') || text.contains(' ') || text.contains(char::is_whitespace), "{text:?}: {problem}"),
            }
        }
    }

    #[test]
    fn what_is_taken_is_what_the_api_takes(row: prop::sample::Index, good: prop::sample::Index, at: prop::sample::Index, text in text(), how: u8) {
        let row = &rows()[row.index(rows().len())];
        let value = row.2[good.index(row.2.len())].clone();
        match &value {
            Value::String(good) => sound(row, json!(slip(good, at.index(good.len() + 1), &text, how)))?,
            Value::Array(items) if !items.is_empty() => {
                let mut items = items.clone();
                let index = at.index(items.len());
                items[index] = json!(slip(items[index].as_str().unwrap_or_default(), how.into(), &text, how));
                sound(row, Value::Array(items))?;
            }
            Value::Object(object) if !object.is_empty() => {
                let mut object = object.clone();
                let key = object.keys().nth(at.index(object.len())).cloned().unwrap_or_default();
                let part = match &object[&key] {
                    Value::String(part) => json!(slip(part, at.index(part.len() + 1), &text, how)),
                    Value::Number(part) => json!(slip(&part.to_string(), how.into(), &text, how)),
                    _ => json!(text),
                };
                object.insert(key, part);
                sound(row, Value::Object(object))?;
            }
            _ => sound(row, json!(text))?,
        }
    }

    #[test]
    fn any_options_are_taken_or_refused(row: prop::sample::Index, key in text(), from: prop::sample::Index, text in text(), number: i64) {
        let rests: Vec<&Row> = rows().iter().filter(|row| row.1.form == Form::Rest).collect();
        let row = rests[row.index(rests.len())];
        let params: Vec<&str> = row.0.tool.routes.iter().filter_map(|route| proxmox_spec::find(route.verb, route.path))
            .flat_map(|method| method.params).map(|param| param.name).collect();
        let known = params[from.index(params.len())].replace("[n]", "1");
        for value in [json!(text), json!(number), json!(number % 5), json!([text]), json!({ &key: text }), json!(true)] {
            sound(row, json!({ &key: value }))?;
            sound(row, json!({ &known: value }))?;
        }
    }
}
