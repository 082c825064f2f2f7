//! What servers for Proxmox VE are known to get wrong, and what this one does instead: one test per mistake, shown by
//! the requests that the embedded cluster received.

#![cfg(feature = "sandbox")]

mod backups;
mod conduct;
mod guests;

use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Answer, Engine, Failure, FailureKind, Watch};
use proxmox_mcp::settings::{Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Received, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

async fn start(tier: Tier) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags)
        .expect("complete settings");
    (sandbox, Engine::new(Settings { tier, retry_delay: Duration::ZERO, ..settings }))
}

/// Every answer has to be true to the tool's output schema.
async fn call(engine: &Engine, tool: &str, arguments: Value) -> Result<Answer, Failure> {
    let surface = catalogue::surface(tool).unwrap_or_else(|| panic!("no tool {tool}"));
    let answer = engine.call(surface, arguments.as_object(), Watch::default()).await?;
    let schema: Value = serde_json::from_str(surface.tool.output_schema).expect("JSON");
    let content = Value::Object(answer.content.clone());
    if let Err(error) = jsonschema::validator_for(&schema).expect("a schema").validate(&content) {
        panic!("{tool} answers against its schema: {error} in {content}");
    }
    Ok(answer)
}

async fn ok(engine: &Engine, tool: &str, arguments: Value) -> Value {
    let answer = call(engine, tool, arguments).await.unwrap_or_else(|failure| panic!("{tool}: {failure}"));
    assert!(!answer.failed, "{tool}: {:?}", answer.text);
    Value::Object(answer.content)
}

async fn fails(engine: &Engine, tool: &str, arguments: Value) -> (FailureKind, String) {
    match call(engine, tool, arguments).await {
        Ok(answer) => panic!("{tool} answered {:?}", answer.content),
        Err(failure) => (failure.kind(), failure.to_string()),
    }
}

/// What was sent beside GET.
fn writes(sandbox: &Sandbox) -> Vec<Received> {
    sandbox.requests().into_iter().filter(|request| request.verb != "GET").collect()
}

#[track_caller]
fn nothing_written(sandbox: &Sandbox) {
    assert!(writes(sandbox).is_empty(), "{:?}", writes(sandbox));
}

/// The last write: `VERB /path`, and its parameters.
#[track_caller]
fn last_write(sandbox: &Sandbox) -> (String, Received) {
    let request = writes(sandbox).pop().expect("a write");
    let target = request.target.strip_prefix("/api2/json").unwrap_or(&request.target);
    (format!("{} {}", request.verb, target.split('?').next().unwrap_or_default()), request)
}

fn parameter<'a>(request: &'a Received, name: &str) -> Option<&'a str> {
    request.params.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

const VM_BACKUP: &str = "vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
