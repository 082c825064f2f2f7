use super::*;
use crate::catalogue;

fn surface(name: &str) -> &'static Surface {
    catalogue::surface(name).expect("a tool")
}

fn kept(name: &str, content: Value, most: u64) -> Value {
    let Value::Object(content) = content else { panic!("no object") };
    let shortened = answer(Answer { content, failed: false, text: None }, surface(name), most);
    let content = Value::Object(shortened.content);
    assert!(estimate(&content.to_string()) <= most, "{content}");
    let schema: Value = serde_json::from_str(surface(name).tool.output_schema).expect("JSON");
    jsonschema::validate(&schema, &content).unwrap_or_else(|error| panic!("{error}: {content}"));
    content
}

fn said(content: &Value) -> &str {
    content["notes"][0].as_str().expect("a note")
}

#[test]
fn what_fits_stays_as_it_is() {
    let given = json!({ "guests": [{ "vmid": 100 }], "total": 1 });
    assert_eq!(kept("list_guests", given.clone(), 1_000), given);
}

#[test]
fn rows_go_as_a_whole_and_the_rest_is_the_next_page() {
    let rows: Vec<Value> = (0..500).map(|id| json!({ "vmid": 100 + id, "name": format!("guest-{id}") })).collect();
    let content = kept("list_guests", json!({ "guests": rows, "total": 900, "offset": 20 }), 1_000);
    let shown = content["guests"].as_array().expect("rows");
    assert!(shown.len() > 20, "{}", shown.len());
    assert_eq!(shown[..], rows[..shown.len()]);
    assert_eq!((&content["total"], &content["offset"]), (&json!(900), &json!(20)));
    assert_eq!(content["next_offset"], json!(20 + shown.len()));
    assert!(said(&content).contains(&format!("`offset` {}", 20 + shown.len())), "{}", said(&content));
    assert!(said(&content).contains("--budget") && said(&content).contains("table"), "{}", said(&content));
}

#[test]
fn a_table_loses_rows_too() {
    let rows: Vec<Value> = (0..500).map(|id| json!([100 + id, "guest", "qemu"])).collect();
    let given = json!({ "columns": ["vmid", "name", "kind"], "rows": rows, "total": 500 });
    let content = kept("list_guests", given, 1_000);
    assert_eq!(content["columns"], json!(["vmid", "name", "kind"]));
    assert_eq!(content["next_offset"], json!(content["rows"].as_array().expect("rows").len()));
    assert!(!said(&content).contains("table"), "{}", said(&content));
}

#[test]
fn a_log_keeps_its_end_and_says_where_it_begins() {
    let lines: Vec<String> = (0..500).map(|line| format!("INFO: line {line} of the log")).collect();
    let content = kept("get_task_log", json!({ "lines": lines, "total": 700, "offset": 200 }), 1_000);
    let shown = content["lines"].as_array().expect("lines");
    assert_eq!(shown.last(), Some(&json!(lines[499])));
    assert_eq!(content["offset"], json!(700 - shown.len()));
    assert!(said(&content).contains("`start`") && content.get("next_offset").is_none(), "{content}");
}

#[test]
fn a_long_text_keeps_its_end_from_a_line_on() {
    let output: String = (0..2_000).map(|line| format!("line {line}\n")).collect();
    let given = json!({ "outcome": "ok", "exit_code": 0, "stdout": output, "stderr": "" });
    let content = kept("exec_guest", given, 1_000);
    let shown = content["stdout"].as_str().expect("a text");
    assert!(shown.ends_with("line 1999\n") && shown.starts_with("line "), "{shown}");
    assert_eq!((&content["outcome"], &content["exit_code"]), (&json!("ok"), &json!(0)));
    assert!(said(&content).contains("`stdout`"), "{}", said(&content));
}

#[test]
fn one_heavy_row_loses_its_text_before_the_others_go() {
    let given = json!({
        "backups": [{ "volid": "a" }, { "volid": "b", "notes": "word ".repeat(5_000) }, { "volid": "c" }], "total": 3
    });
    let content = kept("list_backups", given, 1_000);
    assert_eq!(content["backups"].as_array().map(Vec::len), Some(3));
    assert!(said(&content).contains("backups[1].notes"), "{}", said(&content));
}

#[test]
fn a_list_beside_others_is_shortened_and_has_no_next_page() {
    let nodes: Vec<Value> = (0..600).map(|id| json!({ "name": format!("pve{id}"), "online": true })).collect();
    let content = kept("get_cluster_status", json!({ "quorum": true, "nodes": nodes, "usage": [] }), 1_000);
    assert!(content.get("next_offset").is_none() && content["quorum"] == true, "{content}");
    assert!(said(&content).contains("`nodes` has"), "{}", said(&content));
}

#[test]
fn many_small_fields_go_from_the_end_and_what_is_promised_stays() {
    let mut given = Map::new();
    given.insert("outcome".to_owned(), json!("ok"));
    for id in 0..2_000 {
        given.insert(format!("field{id}"), json!("some words"));
    }
    let content = kept("start_guest", Value::Object(given), 1_000);
    assert_eq!((&content["outcome"], &content["field0"]), (&json!("ok"), &json!("some words")), "{content}");
    assert!(said(&content).contains("fields of `answer`"), "{}", said(&content));
}

#[test]
fn whatever_is_nested_fits_in_the_end() {
    let inner: Vec<Value> = (0..100).map(|id| json!({ "deep": [[{ "a": "b".repeat(id) }, { "c": id }]] })).collect();
    let mut given = Map::new();
    for id in 0..100 {
        given.insert(format!("list{id}"), json!(inner));
    }
    kept("get_node_status", Value::Object(given), 1_000);
}

#[test]
fn an_error_keeps_its_cause_and_its_advice() {
    let long = format!("The cause.\n{}\nThe advice.", "a line of the log\n".repeat(5_000));
    let short = text(long, 1_000);
    assert!(short.starts_with("The cause.") && short.ends_with("The advice."), "{short}");
    assert!(estimate(&short) <= 1_000 && short.contains("characters left out"), "{short}");
    assert_eq!(text("short".to_owned(), 1_000), "short");
}
