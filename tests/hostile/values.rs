//! Values of every wrong kind in every argument: each call is answered, nothing leaves the tool's own path, and numbers
//! out of range are refused before anything is sent.

use super::*;
use common::text;
use proxmox_mcp::tool::Argument;

fn strange() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(99),
        json!(1_000_000_001),
        json!(1.5),
        json!(100.5),
        json!(-0.0),
        json!(1e308),
        json!(i64::MIN),
        json!(u64::MAX),
        json!("-1"),
        json!("1e9"),
        json!("0x64"),
        json!("٣"),
        json!("100/../"),
        json!("9".repeat(400)),
        json!("NaN"),
        json!(""),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!([{"a": 1}]),
        json!(["../..", "\u{0}"]),
        json!({"a": {"b": []}}),
        json!({"../..": "x"}),
        deep,
    ]
}

/// Every argument of every tool with every strange value: (answered well, refused).
#[test]
fn no_value_of_any_kind_breaks_a_call() {
    let world = World::start();
    let mut client = world.client(Era::Stateless, &[]);
    for surface in canonical() {
        for (number, argument) in surface.tool.arguments.iter().enumerate() {
            // Each value meets every kind of argument in some tool; all of them in all would take minutes.
            for value in strange().into_iter().skip(number % 3).step_by(3) {
                let mut given = Value::Object(arguments(surface));
                if surface.tool.arguments.iter().any(|argument| argument.name == "wait") {
                    given["wait"] = json!(0);
                }
                given[argument.name] = value.clone();
                world.sandbox.forget_requests();
                let result = outcome(&mut client, surface, &given);
                world.sandbox.requests().iter().for_each(|received| assert_own(surface, received, &given));
                assert!(text(&result).len() < 200_000, "{} {given}", surface.name);
                if result["isError"] != true {
                    assert!(result["structuredContent"].is_object(), "{} {given}: {result}", surface.name);
                }
            }
        }
    }
    assert!(client.knock().get("result").is_some());
}

/// What no id, index, port or count can be: whole arguments, so texts of numbers as well.
fn out_of_range(argument: &Argument) -> Vec<Value> {
    let mut values = vec![json!(1e300), json!("9".repeat(40)), json!(u64::MAX)];
    match argument.form {
        Form::Guest => {
            let ids = [json!(0), json!(99), json!(-1), json!(1_000_000_001_u64), json!(1.5), json!("0"), json!("-1")];
            values.extend(ids);
            values.extend([json!(true), json!([100]), json!({"id": 100})]);
        }
        Form::Integer => {
            values.extend(argument.rule.minimum.map(|least| json!(least - 1.0)));
            values.extend(argument.rule.maximum.map(|most| json!(most + 1.0)));
            values.extend([json!(1.5), json!("1.5"), json!([1]), json!({}), json!("many"), json!("1;2")]);
        }
        _ => {}
    }
    values
}

#[test]
fn numbers_out_of_range_are_refused_before_anything_is_sent() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    let mut refused = 0;
    for surface in canonical() {
        let numbers = surface.tool.arguments.iter();
        for argument in numbers.filter(|argument| matches!(argument.form, Form::Guest | Form::Integer)) {
            for value in out_of_range(argument) {
                let mut given = Value::Object(arguments(surface));
                given[argument.name] = value.clone();
                world.sandbox.forget_requests();
                let result = outcome(&mut client, surface, &given);
                let requests = world.sandbox.requests();
                let name = format!("`{}`", argument.name);
                // What is no number is a guest's name, which is looked up and not found.
                let name_of_a_guest =
                    argument.form == Form::Guest && value.as_str().is_some_and(|text| text.len() > 20);
                // An integer without a limit takes whatever the API's own numbers hold.
                let unlimited = argument.form == Form::Integer && argument.rule.maximum.is_none() && value.is_u64();
                if name_of_a_guest || unlimited {
                    assert!(requests.iter().all(constant) || unlimited, "{} sent {requests:?}", surface.name);
                    continue;
                }
                assert_eq!(result["isError"], true, "{} took {given}: {result}", surface.name);
                assert!(requests.is_empty(), "{} sent {requests:?} for {given}", surface.name);
                assert!(text(&result).contains(&name), "{}: {}", surface.name, text(&result));
                assert!(text(&result).contains("nothing was sent"), "{}", text(&result));
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn a_name_that_is_nearly_right_is_named() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    for surface in canonical() {
        for argument in surface.tool.arguments.iter().filter(|argument| argument.name.len() > 3) {
            // Two letters swapped, as a hurried writer would.
            let mut letters: Vec<char> = argument.name.chars().collect();
            letters.swap(1, 2);
            let wrong: String = letters.into_iter().collect();
            if wrong == argument.name || surface.tool.arguments.iter().any(|other| other.name == wrong) {
                continue;
            }
            let mut given = Value::Object(arguments(surface));
            given[&wrong] = json!(1);
            world.sandbox.forget_requests();
            let result = outcome(&mut client, surface, &given);
            assert_eq!(result["isError"], true, "{} took {given}", surface.name);
            assert!(text(&result).contains(&format!("Did you mean `{}`", argument.name)), "{}", text(&result));
            assert!(world.sandbox.requests().is_empty(), "{} sent something for {given}", surface.name);
        }
    }
}
