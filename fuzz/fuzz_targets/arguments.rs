//! The arguments of every tool under every name: from JSON to a plan, which is pure and must end for all of them.
//!
//! The input is `{"tool": NAME, "arguments": {…}}`. What is no JSON chooses a tool and values for the arguments that it
//! really has, which reaches deeper than changed JSON does.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::tool::{Argument, Form, Surface};
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    if let Ok(Value::Object(call)) = serde_json::from_slice(data) {
        let surface = call.get("tool").and_then(Value::as_str).and_then(catalogue::surface);
        if let Some(surface) = surface {
            decode(surface, call.get("arguments").and_then(Value::as_object));
        }
    } else if let Ok((surface, arguments)) = chosen(&mut Unstructured::new(data)) {
        decode(surface, Some(&arguments));
    }
});

/// Decodes twice: the same arguments are the same plan or the same refusal, and a refusal can be shown in a terminal.
fn decode(surface: &'static Surface, arguments: Option<&Map<String, Value>>) {
    let plan = || (surface.tool.plan)(&mut Fields::new(surface, arguments));
    match (plan(), plan()) {
        (Ok(one), Ok(two)) => assert_eq!(format!("{one:?}"), format!("{two:?}")),
        (Err(one), Err(two)) => {
            assert_eq!(one, two);
            let says = one.to_string();
            assert!(!one.problems.is_empty(), "a refusal without a reason: {says}");
            let odd = says.chars().find(|letter| letter.is_control() && *letter != '\n');
            assert!(odd.is_none(), "{odd:?} in {says}");
        }
        (one, two) => panic!("{}: once {one:?}, once {two:?}", surface.name),
    }
}

fn chosen(bytes: &mut Unstructured<'_>) -> arbitrary::Result<(&'static Surface, Map<String, Value>)> {
    let surface = bytes.choose(catalogue::SURFACES)?;
    let mut arguments = Map::new();
    for argument in surface.tool.arguments {
        if bytes.ratio(2, 3)? {
            let renamed = surface.rename.iter().find(|(_, canonical)| *canonical == argument.name);
            let name = renamed.map_or(argument.name, |(theirs, _)| theirs);
            arguments.insert(name.to_owned(), value(bytes, argument, 0)?);
        }
    }
    Ok((surface, arguments))
}

fn value(bytes: &mut Unstructured<'_>, argument: &Argument, depth: u8) -> arbitrary::Result<Value> {
    Ok(match bytes.int_in_range(0..=if depth < 2 { 9 } else { 6 })? {
        0 => Value::from(bytes.arbitrary::<i64>()?),
        1 => Value::from(bytes.int_in_range(0..=1000u32)?),
        2 => Value::from(bytes.arbitrary::<bool>()?),
        3 => Value::from(f64::from_bits(bytes.arbitrary()?)),
        4 if !argument.rule.values.is_empty() => Value::from(*bytes.choose(argument.rule.values)?),
        4 | 5 => Value::from(bytes.arbitrary::<&str>()?),
        6 => Value::from(*bytes.choose(typical(argument.form))?),
        7 => {
            let count = bytes.int_in_range(0..=3)?;
            Value::Array((0..count).map(|_| value(bytes, argument, depth + 1)).collect::<arbitrary::Result<_>>()?)
        }
        _ => {
            let mut object = Map::new();
            for _ in 0..bytes.int_in_range(0..=4)? {
                let name = key(bytes, argument)?;
                object.insert(name, value(bytes, argument, depth + 1)?);
            }
            Value::Object(object)
        }
    })
}

/// A sub-key or parameter that the argument's fact knows, or any text.
fn key(bytes: &mut Unstructured<'_>, argument: &Argument) -> arbitrary::Result<String> {
    let method =
        argument.rule.fact.and_then(|fact| proxmox_spec::find(fact.verb, fact.path).map(|found| (found, fact)));
    let known: Vec<&str> = match method {
        Some((method, fact)) if fact.param.is_empty() => method.params.iter().map(|param| param.name).collect(),
        Some((method, fact)) => {
            method.param(fact.param).into_iter().flat_map(|param| param.keys).map(|key| key.name).collect()
        }
        None => Vec::new(),
    };
    if known.is_empty() || bytes.ratio(1, 8)? {
        return Ok(bytes.arbitrary::<&str>()?.to_owned());
    }
    Ok(bytes.choose(&known)?.replace("[n]", &bytes.int_in_range(0..=31u8)?.to_string()))
}

fn typical(form: Form) -> &'static [&'static str] {
    match form {
        Form::Guest => &["100", "web", "0", "999999999", "qemu/100"],
        Form::Upid => &["UPID:pve1:0000ABCD:01234567:65A00000:qmstart:100:root@pam:", "UPID:"],
        Form::Volid => {
            &["local:iso/a.iso", "backup/vzdump-qemu-100-2026_01_31-10_00_00.vma.zst", "local:100/vm-100.raw"]
        }
        Form::Size => &["32G", "+10G", "1.5T", "32 GiB", "0"],
        Form::Property => &["virtio,bridge=vmbr0", "local-lvm:32", "{\"model\":\"virtio\"}", "name=eth0,bridge=vmbr0"],
        Form::Argv => &["ls -l", "[\"ls\", \"-l\"]", "'", "sh -c \"a b\""],
        Form::File => &["YWJj", "/etc/passwd", "../a.iso", "data:;base64,YWJj"],
        Form::Rest | Form::Expect | Form::Object => &["{}", "{\"memory\":4096}", "{\"net0\":\"virtio,bridge=vmbr0\"}"],
        Form::List => &["a,b;c d", "[\"a\",\"b\"]", ""],
        _ => &["pve1", "local", "lab", "true", "12", "zstd", " ", "a/b", "..%2f", "\u{1b}[2J"],
    }
}
