//! Every tool against answers of every wrong form: never a panic, never an answer against its own schema.

use super::*;
use proxmox_mcp::tool::{Argument, Form, Surface};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers that no right server gives, each in the place of every answer below the guests' listing.
fn strange() -> Vec<Value> {
    let row = json!({
        "vmid": {}, "node": 7, "name": ["a"], "status": null, "type": true, "size": "big", "upid": "UPID:", "n": -1,
        "t": {"x": 1}, "volid": "", "starttime": 1e300, "template": 2, "digest": 5, "pos": "x", "exitstatus": [], "pid": "7"
    });
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e308),
        json!(""),
        json!("\u{0}\u{202e}"),
        json!("UPID:"),
        json!([]),
        json!({}),
        json!([null, 1, "x", [], {}]),
        json!([row, row]),
        row,
        deep,
        json!({"": "", "status": "stopped", "exitstatus": 1, "exited": "maybe", "pid": 1.5, "data": {"data": {}}}),
    ]
}

/// A value that the argument takes; for what is required only.
fn fitting(argument: &Argument) -> Value {
    match (argument.name, argument.form) {
        ("node" | "target", _) => json!("pve1"),
        ("disk", _) => json!("scsi0"),
        ("action", _) => json!("ACCEPT"),
        ("ostemplate", _) => json!("local:vztmpl/a.tar.zst"),
        ("filename", _) => json!("a.iso"),
        (_, Form::Guest) => json!(100),
        (_, Form::Upid) => json!(UPID),
        (_, Form::Volid) => json!("local:backup/vzdump-qemu-100-2026_01_01-00_00_00.vma.zst"),
        (_, Form::Size) => json!("8G"),
        (_, Form::Argv) => json!(["true"]),
        (_, Form::Choice) => json!(argument.rule.values[0]),
        (_, Form::Integer | Form::Number) => json!(argument.rule.minimum.unwrap_or(1.0)),
        (_, Form::Boolean) => json!(true),
        (_, Form::Rest) => json!({"cores": 2}),
        (_, Form::File) => json!("aGVsbG8="),
        _ => json!("local"),
    }
}

fn arguments(surface: &Surface) -> Value {
    let mut given = serde_json::Map::new();
    let taken = |argument: &&Argument| !surface.preset.iter().any(|(name, _)| *name == argument.name);
    for argument in surface.tool.arguments.iter().filter(taken) {
        let chosen = match argument.name {
            "config" | "content" => true,
            "wait" => {
                given.insert("wait".to_owned(), json!(60));
                continue;
            }
            _ => argument.required,
        };
        if chosen {
            given.insert(argument.name.to_owned(), fitting(argument));
        }
    }
    Value::Object(given)
}

/// Calls every tool on a server that says this, and counts those that answered.
async fn every_tool(data: Value, starts: bool) -> usize {
    let shown = data.to_string();
    let polls = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" if seen.query() == "type=vm" => usual(seen),
        "/cluster/nextid" => usual(seen),
        path if starts && path.ends_with("/agent/exec") => Say::Data(json!({"pid": 7})),
        _ if starts && seen.writes() => usual(seen),
        // Every second poll makes sense, so that all waiting ends.
        path if path.ends_with("/exec-status") || (path.contains("/tasks/") && path.ends_with("/status")) => {
            let sense = json!({"status": "stopped", "exitstatus": "OK", "exited": 1, "exitcode": 0});
            let odd = polls.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
            Say::Data(if odd { data.clone() } else { sense })
        }
        _ => Say::Data(data.clone()),
    });
    let engine = engine(&server);
    let mut answered = 0;
    for surface in catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_none() && !surface.tool.handled) {
        match call(&engine, surface.name, arguments(surface)).await {
            Ok(answer) => {
                let schema: Value = serde_json::from_str(surface.tool.output_schema).expect("the schema is JSON");
                let schema = jsonschema::validator_for(&schema).expect("the schema is one");
                let content = Value::Object(answer.content);
                let wrong: Vec<String> = schema.iter_errors(&content).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{} at {shown}: {wrong:?} in {content}", surface.name);
                assert!(!content.to_string().contains('\u{202e}'), "{content}");
                answered += 1;
            }
            Err(failure) => {
                assert_ne!(failure.kind(), FailureKind::BadArguments, "{} {shown}: {failure}", surface.name);
            }
        }
    }
    answered
}

#[tokio::test]
async fn no_answer_is_too_strange() {
    // Writes that are answered well start tasks, of which the odd answers come then.
    let cases = strange().into_iter().flat_map(|data| [every_tool(data.clone(), false), every_tool(data, true)]);
    let answered: usize = futures_util::future::join_all(cases).await.into_iter().sum();
    assert!(answered > 100, "{answered}");
}
