//! Rules between arguments: what is required, what goes only with another, names that do not exist, names that fix
//! a value, and what counts as left out.

use crate::calls::{anything, arguments, around, decode, spelled, surfaces};
use crate::facts::folded;
use crate::{samples, validator};
use proxmox_mcp::arguments::BadArguments;
use proxmox_mcp::tool::{Argument, Form, Surface};
use serde_json::{Map, Value, json};

type Call = Map<String, Value>;

/// A good call with a value of this argument.
fn with(surface: &'static Surface, argument: &'static Argument) -> Call {
    let samples = samples(surface, argument);
    let good = samples.good.iter().find(|good| good.careless.is_none()).expect("a good value");
    let calls = around(surface, argument).into_iter().map(|mut call| {
        crate::calls::agree(surface, argument, &good.value, &mut call);
        call.insert(spelled(surface, argument.name), good.value.clone());
        call
    });
    let mut calls = calls.filter(|call| decode(surface, call).is_ok());
    calls.next().unwrap_or_else(|| panic!("no good call of {} with {}", surface.name, argument.name))
}

fn refused(surface: &'static Surface, call: &Call) -> BadArguments {
    match decode(surface, call) {
        Err(bad) => bad,
        Ok(_) => panic!("{} takes {call:?}", surface.name),
    }
}

fn plan(surface: &'static Surface, call: &Call) -> String {
    let plan = decode(surface, call).unwrap_or_else(|bad| panic!("{bad}"));
    format!("{plan:?}")
}

fn each(mut check: impl FnMut(&'static Surface, &'static Argument, Call)) {
    for surface in surfaces() {
        for argument in arguments(surface) {
            check(surface, argument, with(surface, argument));
        }
    }
}

/// The same name as other people spell it.
fn respelled(name: &str) -> [String; 4] {
    let mut camel = String::new();
    for part in name.split(['_', '-']) {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if !camel.is_empty() => camel.extend(first.to_uppercase().chain(letters)),
            _ => camel.push_str(part),
        }
    }
    [name.replace('_', "-"), camel, name.to_uppercase(), name.replace('_', "")]
}

fn exists(surface: &'static Surface, name: &str) -> bool {
    let canonical = surface.tool.arguments.iter().map(|one| one.name);
    let theirs = surface.rename.iter().map(|(theirs, _)| *theirs).chain(surface.ignores.iter().map(|(name, _)| *name));
    canonical.chain(theirs).any(|one| folded(one) == folded(name))
}

#[test]
fn what_is_required_is_missed_by_name() {
    let mut missed = 0;
    each(|surface, argument, call| {
        let listed: Value = serde_json::from_str(surface.input_schema).expect("JSON");
        let name = spelled(surface, argument.name);
        let required = listed["required"].as_array().is_some_and(|list| list.contains(&json!(name)));
        let mut fewer = call.clone();
        fewer.shift_remove(&name);
        if !required {
            return;
        }
        missed += 1;
        for value in [None, Some(Value::Null)] {
            let mut call = fewer.clone();
            call.extend(value.map(|value| (name.clone(), value)));
            let bad = refused(surface, &call);
            let problem =
                bad.problems.iter().find(|problem| problem.argument == name).unwrap_or_else(|| panic!("{bad}"));
            assert!(problem.wrong.contains("missing") && problem.expected.is_some(), "{bad}");
        }
        assert!(
            !validator(surface).is_valid(&Value::Object(fewer)),
            "{}: the schema does not require {name}",
            surface.name
        );
    });
    println!("{missed} required arguments");
    assert!(missed > 100);
}

#[test]
fn null_is_the_same_as_left_out() {
    each(|surface, argument, call| {
        let name = spelled(surface, argument.name);
        let mut without = call.clone();
        without.shift_remove(&name);
        let mut null = without.clone();
        null.insert(name, Value::Null);
        match (decode(surface, &without), decode(surface, &null)) {
            (Ok(without), Ok(null)) => assert_eq!(format!("{without:?}"), format!("{null:?}")),
            (Err(without), Err(null)) => assert_eq!(without, null),
            (without, null) => panic!("{}: {without:?} and {null:?}", surface.name),
        }
    });
}

#[test]
fn a_misspelt_name_is_told_the_right_one() {
    let mut told = 0;
    each(|surface, argument, call| {
        let name = spelled(surface, argument.name);
        let value = call[&name].clone();
        let slips = [format!("{name}x"), name[1..].to_owned(), format!("{}{}", &name[..1], name)];
        for slip in slips.into_iter().filter(|slip| !exists(surface, slip)) {
            let mut call = call.clone();
            call.shift_remove(&name);
            call.insert(slip.clone(), value.clone());
            let bad = refused(surface, &call);
            let problem =
                bad.problems.iter().find(|problem| problem.argument == slip).unwrap_or_else(|| panic!("{bad}"));
            // One letter off is near; of short names there may be a nearer one.
            let near = problem.meant.as_deref();
            assert!(near == Some(name.as_str()) || (near.is_some() && name.len() < 6) || slip.len() < 3, "{bad}");
            assert!(bad.valid.iter().any(|valid| valid.trim_end_matches(" (required)") == name), "{bad}");
            assert!(bad.to_string().contains(surface.name), "{bad}");
            assert!(!validator(surface).is_valid(&Value::Object(call)), "{}: the schema takes {slip}", surface.name);
            told += 1;
        }
    });
    println!("{told} misspelt names");
}

#[test]
fn other_spellings_of_a_name_mean_the_same_and_only_once() {
    let mut same = 0;
    each(|surface, argument, call| {
        let name = spelled(surface, argument.name);
        for other in respelled(&name).into_iter().filter(|other| *other != name) {
            let mut renamed = call.clone();
            let value = renamed.shift_remove(&name).expect("given");
            renamed.insert(other.clone(), value.clone());
            assert_eq!(plan(surface, &renamed), plan(surface, &call), "{}.{other}", surface.name);
            renamed.insert(name.clone(), value);
            let bad = refused(surface, &renamed);
            assert!(bad.problems.iter().any(|problem| problem.wrong.contains("same argument")), "{bad}");
            same += 1;
        }
    });
    println!("{same} other spellings");
}

#[test]
fn the_tools_own_name_of_an_argument_works_in_every_dialect() {
    let mut known = 0;
    each(|surface, argument, call| {
        let name = spelled(surface, argument.name);
        let taken = surface
            .rename
            .iter()
            .any(|(theirs, ours)| folded(theirs) == folded(argument.name) && *ours != argument.name);
        if name != argument.name && !taken {
            let mut ours = call.clone();
            let value = ours.shift_remove(&name).expect("given");
            ours.insert(argument.name.to_owned(), value);
            assert_eq!(plan(surface, &ours), plan(surface, &call), "{}.{}", surface.name, argument.name);
            known += 1;
        }
    });
    println!("{known} arguments under both names");
    assert!(known > 20);
}

/// What the catalogue says of one argument without another, and what the facts say.
#[test]
fn what_means_nothing_alone_is_refused_alone() {
    let mut alone = 0;
    each(|surface, argument, call| {
        let required =
            argument.rule.fact.and_then(|fact| proxmox_spec::find(fact.verb, fact.path)?.param(fact.param)?.requires);
        let by_facts = required.and_then(|wire| {
            let behind = |one: &&Argument| one.rule.fact.is_some_and(|fact| fact.param == wire) || one.name == wire;
            surface.tool.arguments.iter().find(behind).map(|one| one.name)
        });
        // A needed argument that is required, or has a default, is always there.
        let there = |name: &&str| {
            let needed = surface.tool.arguments.iter().find(|one| one.name == *name);
            let default = surface.defaults.iter().find(|(of, _)| of == name).map(|(_, value)| *value != "null");
            needed.is_some_and(|one| {
                one.required || default.unwrap_or(!matches!(one.default, proxmox_mcp::tool::Preset::None))
            })
        };
        let needs = argument.needs.map(|need| need.argument).or(by_facts).filter(|name| !there(name));
        let Some(needed) = needs else { return };
        let mut call = call.clone();
        call.shift_remove(&spelled(surface, needed));
        let bad = refused(surface, &call);
        let name = spelled(surface, argument.name);
        let problem = bad.problems.iter().find(|problem| problem.argument == name).unwrap_or_else(|| panic!("{bad}"));
        assert!(problem.wrong.contains(&spelled(surface, needed)), "{bad}");
        alone += 1;
    });
    println!("{alone} arguments that need another");
    assert!(alone >= 5, "{alone}");
}

#[test]
fn a_parameter_that_needs_another_is_refused_alone_and_taken_beside_its_argument() {
    let surface = proxmox_mcp::catalogue::surface("update_guest_config").expect("a tool");
    let call = |value: Value| value.as_object().expect("an object").clone();
    let bad = refused(surface, &call(json!({"vmid": 100, "config": {"force": true}})));
    assert!(bad.to_string().contains("`config.force`: means nothing without `delete`"), "{bad}");
    plan(surface, &call(json!({"vmid": 100, "config": {"force": true}, "delete": ["unused0"]})));
}

#[test]
fn a_name_that_fixes_a_value_is_not_contradicted() {
    let mut fixed = 0;
    for surface in surfaces() {
        for (name, value) in surface.preset {
            let argument = surface.tool.arguments.iter().find(|one| one.name == *name).expect("an argument");
            let value: Value = serde_json::from_str(value).expect("JSON");
            let other = argument.rule.values.iter().map(|one| json!(one)).find(|one| *one != value);
            let other = other.unwrap_or_else(|| anything(argument));
            let call = arguments(surface).map(|argument| with(surface, argument)).next().expect("an argument");
            let mut repeated = call.clone();
            repeated.insert(spelled(surface, name), value.clone());
            assert_eq!(plan(surface, &repeated), plan(surface, &call), "{}", surface.name);
            assert!(!validator(surface).is_valid(&Value::Object(repeated)), "{} lists {name}", surface.name);
            let mut against = call.clone();
            against.insert(spelled(surface, name), other);
            let bad = refused(surface, &against);
            assert!(bad.to_string().contains("fixes it") && bad.to_string().contains(surface.name), "{bad}");
            fixed += 1;
        }
        for (ignored, _) in surface.ignores {
            let mut call = arguments(surface).map(|argument| with(surface, argument)).next().expect("an argument");
            call.insert((*ignored).to_owned(), json!("whatever"));
            assert!(decode(surface, &call).is_ok(), "{}.{ignored}", surface.name);
        }
    }
    println!("{fixed} fixed values");
    assert!(fixed > 10);
}

#[test]
fn all_problems_of_a_call_come_at_once() {
    let mut together = 0;
    for surface in surfaces() {
        let mut call = Call::new();
        // A list may be split, a guest may be a name: an object is no value of anything but parameters.
        for argument in arguments(surface) {
            let wrong = if matches!(argument.form, Form::Rest | Form::Expect | Form::Property) {
                json!([1])
            } else {
                json!({"a": 1})
            };
            call.insert(spelled(surface, argument.name), wrong);
        }
        if call.is_empty() {
            continue;
        }
        let bad = refused(surface, &call);
        for argument in arguments(surface) {
            let name = spelled(surface, argument.name);
            let beside =
                surface.tool.arguments.iter().any(|one| one.form == Form::File) && matches!(argument.form, Form::File);
            let told = bad.problems.iter().filter(|problem| problem.argument == name).count();
            assert!(told == 1 || beside, "{} problems of {name}: {bad}", told);
        }
        together += bad.problems.len();
    }
    println!("{together} problems told");
}

/// Reasons and advice of the catalogue name other tools: by the names that the caller's dialect lists.
#[test]
fn reasons_name_tools_as_the_dialect_does() {
    let of = |dialect: &str, name: &str| {
        let mut all = surfaces().filter(|surface| surface.dialect == Some(dialect));
        all.find(|surface| surface.tool.name == name).unwrap_or_else(|| panic!("{dialect} has no {name}"))
    };
    let words = proxmox_mcp::catalogue::in_words_of;
    let stop = of("mcp-proxmox", "stop_guest");
    assert_eq!(
        words(stop, "Try shutdown_guest first; see list_tasks."),
        "Try proxmox_vm_shutdown first; see proxmox_task_list."
    );
    let start = of("tools-reference", "start_guest");
    assert_eq!(
        (start.name, words(start, "stop_guest cuts the power")),
        ("start_vm", "stop_vm cuts the power".to_owned())
    );
    let canonical = proxmox_mcp::catalogue::surface("stop_guest").expect("a tool");
    assert_eq!(words(canonical, "Try shutdown_guest, ä"), "Try shutdown_guest, ä");
    let create = of("tools-reference", "create_vm");
    let call = json!({"node": "pve1", "options": {"archive": "local:backup/a"}});
    let bad = refused(create, call.as_object().expect("an object"));
    let restore = of("tools-reference", "restore_backup").name;
    assert!(bad.to_string().contains(&format!("`options.archive`: Use {restore}.")), "{bad}");
}
