//! The reviewed lists: which lines the build refuses, and that the table is the same each time.

#[path = "../build/danger.rs"]
mod danger;
#[path = "../build/emit.rs"]
mod emit;
#[path = "../build/lines.rs"]
mod lines;
#[path = "../build/load.rs"]
mod load;
#[path = "../build/overlay.rs"]
mod overlay;

use serde_json::{Value, json};

const FACTS: &str = include_str!("../facts/pve-api.json");
const OVERLAY: &str = include_str!("../overlay.json");
const DANGER: &str = include_str!("../danger.json");

/// A small world: one method with one parameter.
fn entries() -> Vec<Value> {
    vec![json!({
        "method": "POST", "path": "/a/{b}", "name": "x", "since": "6.4", "allowtoken": true, "permissions": {},
        "params": {"b": {"type": "string", "in": "path", "optional": true}, "force": {"type": "boolean"}},
        "returns": {"type": "object", "properties": {"ticket": {"type": "string"}}},
    })]
}

fn overlay_mistake(list: &str) -> String {
    let mistakes = overlay::apply(&mut entries(), list).expect_err("the list is wrong");
    mistakes.iter().map(|mistake| format!("{}: {}", mistake.line, mistake.text)).collect::<Vec<_>>().join("\n")
}

fn danger_mistake(list: &str) -> String {
    let mistakes = danger::apply(&mut entries(), list).expect_err("the list is wrong");
    mistakes.iter().map(|mistake| format!("{}: {}", mistake.line, mistake.text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_correction_reaches_calls_parameters_and_answers() {
    let mut entries = entries();
    let list = r#"[
        {"calls": ["POST /a/**"], "params": ["force"], "set": {"root_only": true}, "source": "s"},
        {"calls": ["* /*/{b}"], "fields": ["ticket"], "set": {"secret": true}, "source": "s"},
        {"calls": ["GET|POST /a/{b}"], "at": "/returns/properties", "set": {"n": {"type": "integer"}}, "source": "s"}
    ]"#;
    overlay::apply(&mut entries, list).expect("every line changes something");
    assert_eq!(entries[0]["params"]["force"]["root_only"], true);
    assert_eq!(entries[0]["returns"]["properties"]["ticket"]["secret"], true);
    assert_eq!(entries[0]["returns"]["properties"]["n"]["type"], "integer");
}

#[test]
fn a_correction_that_changes_nothing_is_refused_with_its_line() {
    let list = "[\n{\"calls\": [\"POST /a/{b}\"], \"params\": [\"force\"],\n \"set\": {\"type\": \"boolean\"}, \"source\": \"s\"}\n]";
    assert_eq!(
        overlay_mistake(list),
        "2: the correction changes nothing for `POST /a/{b}`\n2: the correction changes nothing for `force`"
    );
    let list = "[\n\n{\"calls\": [\"GET /nope\"], \"at\": \"\", \"set\": {\"x\": 1}, \"source\": \"s\"}\n]";
    assert_eq!(overlay_mistake(list), "3: the correction changes nothing for `GET /nope`");
}

#[test]
fn a_correction_needs_a_source_and_known_keys() {
    let list = r#"[{"calls": ["POST /a/{b}"], "at": "", "set": {"x": 1}, "source": ""}]"#;
    assert_eq!(overlay_mistake(list), "1: a correction needs `calls`, `set` and a `source`");
    let list = r#"[{"calls": ["POST /a/{b}"], "att": "", "set": {"x": 1}, "source": "s"}]"#;
    assert!(overlay_mistake(list).starts_with("1: unknown field `att`"), "{}", overlay_mistake(list));
}

#[test]
fn a_danger_line_must_match_and_explain() {
    let list = r#"[{"calls": ["POST /b"], "tier": "admin", "effect": "destroys", "because": "It is."}]"#;
    assert_eq!(danger_mistake(list), "1: nothing matches `POST /b`\n1: later lines cover every call of this one");
    let list = r#"[{"calls": ["POST /a/{b}"], "params": ["purge"], "tier": "admin", "effect": "destroys", "because": "It is."}]"#;
    assert_eq!(danger_mistake(list), "1: nothing matches `POST /a/{b}`\n1: nothing matches `purge`");
    let list = r#"[{"calls": ["POST /a/{b}"], "tier": "root", "effect": "destroys", "because": "No sentence"}]"#;
    assert_eq!(danger_mistake(list), "1: unknown tier `root` or effect `destroys`\n1: `because` is not a sentence");
}

#[test]
fn the_last_danger_line_for_a_call_wins() {
    let list = r#"[
{"calls": ["POST /**"], "tier": "admin", "effect": "changes", "because": "One."},
{"calls": ["POST /a/{b}"], "tier": "admin", "effect": "destroys", "because": "Two."}]"#;
    assert_eq!(danger_mistake(list), "2: later lines cover every call of this one");
}

#[test]
fn path_parameters_are_always_required() {
    let mut entries = entries();
    load::finish(&mut entries);
    assert!(entries[0]["params"]["b"].get("optional").is_none());
}

#[test]
fn the_table_is_the_same_each_time() {
    let build = || {
        let mut entries = load::entries(FACTS).expect("the facts are readable");
        overlay::apply(&mut entries, OVERLAY).expect("every correction counts");
        load::finish(&mut entries);
        danger::apply(&mut entries, DANGER).expect("every danger line counts");
        emit::table(&entries).expect("the facts are understood")
    };
    assert_eq!(build(), build());
}
