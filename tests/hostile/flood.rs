//! Too much of everything: long texts, deep nesting, long lists, long lines.

use super::raw::{Raw, call};
use super::*;
use common::text;
use std::collections::BTreeSet;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_megabyte_in_any_argument_is_answered_in_a_few_words() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    let long = "a".repeat(MEGABYTE);
    let mut tried = BTreeSet::new();
    for surface in canonical() {
        for argument in surface.tool.arguments.iter().filter(|argument| textual(argument.form)) {
            // The same argument of another tool is read by the same code.
            if !tried.insert((argument.name, argument.rule.format)) {
                continue;
            }
            // Uploads and the program's input are meant to be long.
            let may = matches!(argument.form, Form::File) || argument.rule.max_length.is_none();
            let mut given = Value::Object(arguments(surface));
            if surface.tool.arguments.iter().any(|argument| argument.name == "wait") {
                given["wait"] = json!(0);
            }
            given[argument.name] = json!(long);
            world.sandbox.forget_requests();
            let result = outcome(&mut client, surface, &given);
            for received in world.sandbox.requests() {
                assert_own(surface, &received, &json!(argument.name));
                assert!(received.target.len() < 8_192 || may, "{}: {}", surface.name, argument.name);
            }
            let said = text(&result);
            assert!(said.len() < 40_000, "{} {}: {} bytes", surface.name, argument.name, said.len());
            if result["isError"] == true {
                assert!(said.len() < 12_000, "{} {}: {}", surface.name, argument.name, said.len());
            }
        }
    }
    assert!(client.knock().get("result").is_some());
}

#[test]
fn many_arguments_and_many_elements_are_answered() {
    let world = World::start();
    let mut client = world.client(Era::Stateless, &[]);
    let names: Map<String, Value> = (0..20_000).map(|number| (format!("x{number}"), json!(number))).collect();
    let status = catalogue::surface("get_guest_status").expect("it is there");
    let result = outcome(&mut client, status, &Value::Object(names.clone()));
    assert_eq!(result["isError"], true);
    assert!(text(&result).len() < 12_000, "{} bytes", text(&result).len());
    for surface in canonical() {
        for argument in surface.tool.arguments {
            let filled = match argument.form {
                Form::List | Form::Argv => json!((0..20_000).map(|number| format!("e-{number}/")).collect::<Vec<_>>()),
                Form::Rest | Form::Property | Form::Expect => Value::Object(names.clone()),
                _ => continue,
            };
            let mut given = Value::Object(arguments(surface));
            given[argument.name] = filled;
            let result = outcome(&mut client, surface, &given);
            let said = text(&result);
            assert!(said.len() < 40_000, "{} {}: {} bytes", surface.name, argument.name, said.len());
        }
    }
    assert!(client.knock().get("result").is_some());
}

/// A call whose argument is nested this deep.
fn nested(levels: usize, open: &str, close: &str) -> String {
    let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
    call(&json!(1), "update_guest_config", &json!({"vmid": 100, "config": "DEEP"})).replace("\"DEEP\"", &deep)
}

#[test]
fn deep_nesting_is_survived() {
    let mut raw = Raw::opened();
    for levels in [50, 100, 127, 128, 1_000, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            raw.line(&nested(levels, open, close));
            let said = raw.until_alive();
            assert!(said.iter().all(|message| message.to_string().len() < 12_000), "{levels}");
            if levels <= 100 {
                assert_eq!(said[0]["result"]["isError"], true, "{levels}: {said:?}");
            }
        }
    }
    let (well, _, log) = raw.end();
    assert!(well, "{log}");
}

#[test]
fn a_line_of_fifty_megabytes_is_dropped_and_the_next_one_served() {
    let mut raw = Raw::opened();
    raw.say(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_version","arguments":{"x":""#);
    let chunk = vec![b'x'; MEGABYTE];
    for _ in 0..50 {
        raw.say(&chunk);
    }
    raw.say(b"\"}}}\n");
    let said = raw.until_alive();
    assert!(said.iter().all(|message| message["error"].is_object()), "{said:?}");
    let (well, _, log) = raw.end();
    assert!(well && log.len() < 10_000, "{} bytes", log.len());
}

#[test]
fn a_thousand_calls_at_once_are_all_answered() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    let call = json!({"name": "get_guest_status", "arguments": {"vmid": 100}});
    let ids: Vec<u64> = (0..1_000).map(|_| client.send("tools/call", call.clone())).collect();
    for id in ids {
        let answer = client.answer(id);
        assert_eq!(answer["result"]["structuredContent"]["status"], "running", "{answer}");
    }
}
