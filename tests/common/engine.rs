//! Calls of tools on an engine in this process, and what tests expect of them. Every answer has to be true to the tool's
//! output schema.

// Every test file uses a part of it.
#![allow(dead_code)]

use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Answer, Engine, Failure, FailureKind, Watch};
use serde_json::Value;

pub async fn watched(engine: &Engine, tool: &str, arguments: Value, watch: Watch) -> Result<Answer, Failure> {
    let surface = catalogue::surface(tool).unwrap_or_else(|| panic!("no tool {tool}"));
    let answer = engine.call(surface, arguments.as_object(), watch).await?;
    let schema: Value = serde_json::from_str(surface.tool.output_schema).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is one");
    let content = Value::Object(answer.content.clone());
    let wrong: Vec<String> = schema.iter_errors(&content).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{tool} answers against its schema: {wrong:?} in {content}");
    Ok(answer)
}

pub async fn call(engine: &Engine, tool: &str, arguments: Value) -> Result<Answer, Failure> {
    watched(engine, tool, arguments, Watch::default()).await
}

/// The content of an answer that is good.
pub async fn ok(engine: &Engine, tool: &str, arguments: Value) -> Value {
    let answer = call(engine, tool, arguments).await.unwrap_or_else(|failure| panic!("{tool}: {failure}"));
    assert!(!answer.failed, "{tool}: {:?}", answer.text);
    Value::Object(answer.content)
}

/// Kind and text of a refusal.
pub async fn fails(engine: &Engine, tool: &str, arguments: Value) -> (FailureKind, String) {
    match call(engine, tool, arguments).await {
        Ok(answer) => panic!("{tool} answered {:?}", answer.content),
        Err(failure) => (failure.kind(), failure.to_string()),
    }
}

#[track_caller]
pub fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}
