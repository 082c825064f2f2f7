//! Answers of an engine over the sandbox, kept within their budget.

use crate::count::tokens;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Answer, Engine, Failure, Watch};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

/// An engine over a cluster of this many guests.
pub async fn cluster(guests: u32, budget: u64) -> (Sandbox, Engine) {
    let options = Options { task_time: 0.0, guests, ..Options::default() };
    let sandbox = Sandbox::start(options).await.expect("loopback is there");
    let settings =
        Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
            .expect("complete settings");
    let engine = Engine::new(Settings {
        tier: Tier::Admin,
        retry_delay: Duration::ZERO,
        confirm: Confirm::Off,
        budget,
        ..settings
    });
    (sandbox, engine)
}

pub async fn call(engine: &Engine, tool: &str, arguments: Value) -> Result<Answer, Failure> {
    let surface = catalogue::surface(tool).expect("a tool");
    engine.call(surface, arguments.as_object(), Watch::default()).await
}

/// A good answer, which must be true to its schema.
pub async fn ok(engine: &Engine, tool: &str, arguments: Value) -> Value {
    let answer = call(engine, tool, arguments).await.unwrap_or_else(|failure| panic!("{tool}: {failure}"));
    assert!(!answer.failed, "{tool}: {:?}", answer.text);
    let content = Value::Object(answer.content);
    let schema = catalogue::surface(tool).expect("a tool").tool.output_schema;
    let schema = serde_json::from_str(schema).expect("JSON");
    jsonschema::validate(&schema, &content).unwrap_or_else(|error| panic!("{tool}: {error}"));
    content
}

#[tokio::test]
async fn pages_of_a_long_list_join_without_a_gap() {
    let (_sandbox, engine) = cluster(300, 1_000).await;
    let (mut seen, mut offset, mut pages) = (Vec::new(), json!(0), 0);
    while !offset.is_null() {
        let answer = ok(&engine, "list_guests", json!({ "limit": 10_000, "offset": offset })).await;
        assert!(tokens(&answer) <= 1_050, "{} tokens", tokens(&answer));
        assert_eq!(answer["total"], 300);
        seen.extend(answer["guests"].as_array().expect("rows").iter().map(|row| row["vmid"].clone()));
        offset = answer["next_offset"].clone();
        pages += 1;
    }
    assert_eq!(seen.len(), 300);
    assert!(seen.is_sorted_by_key(|vmid| vmid.as_u64()), "{seen:?}");
    assert!(pages > 5, "{pages} pages");
}

#[tokio::test]
async fn a_complete_table_fits_where_it_is_allowed() {
    let (_sandbox, engine) = cluster(300, 1_000_000).await;
    let answer = ok(&engine, "list_guests", json!({ "limit": 300, "form": "table" })).await;
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(300));
    assert!(answer.get("next_offset").is_none());
}

#[tokio::test]
async fn notes_of_a_guest_keep_their_end() {
    let (_sandbox, engine) = cluster(9, 1_000).await;
    let notes: String = (0..700).map(|line| format!("note {line}\n")).collect();
    ok(&engine, "update_guest_config", json!({ "vmid": 100, "config": { "description": notes } })).await;
    let answer = ok(&engine, "get_guest_config", json!({ "vmid": 100 })).await;
    let shown = answer["description"].as_str().expect("the notes");
    assert!(shown.trim_end().ends_with("note 699") && shown.starts_with("note "), "{shown}");
    assert!(answer["digest"].is_string() && answer["cores"].is_number(), "{answer}");
    let said = answer["notes"].to_string();
    assert!(said.contains("`description`") && said.contains("--budget"), "{said}");
    assert!(tokens(&answer) <= 1_050, "{} tokens", tokens(&answer));
}

#[tokio::test]
async fn a_log_is_shown_from_its_end_and_read_backwards() {
    let (_sandbox, engine) = cluster(9, 8_000).await;
    let done = ok(&engine, "create_backup", json!({ "vmid": 100, "storage": "backup-nas" })).await;
    let upid = &done["upid"];
    let all = ok(&engine, "get_task_log", json!({ "upid": upid, "start": 0, "limit": 1_000 })).await;
    let lines = all["lines"].as_array().expect("lines");
    assert!(lines.len() > 5, "{all}");
    let end = ok(&engine, "get_task_log", json!({ "upid": upid, "limit": 2 })).await;
    let count = lines.len();
    assert_eq!(end["lines"].as_array().map(Vec::as_slice), Some(&lines[count - 2..]));
    assert_eq!((&end["total"], &end["offset"]), (&json!(count), &json!(count - 2)));
    assert!(end["notes"].to_string().contains("`start`"), "{end}");
    let before = ok(&engine, "get_task_log", json!({ "upid": upid, "start": count - 4, "limit": 2 })).await;
    assert_eq!(before["lines"].as_array().map(Vec::as_slice), Some(&lines[count - 4..count - 2]));
    // All of a short log needs no words.
    let whole = ok(&engine, "get_task_log", json!({ "upid": upid })).await;
    assert_eq!(whole["lines"], all["lines"]);
    assert!(!whole["notes"].to_string().contains("`start`"), "{whole}");
}
