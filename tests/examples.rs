//! Every example of the catalogue: the schema and the decoder take it, the plan is what it says, the sandbox answers it
//! as recorded under `docs/responses/`, and what is required is required by schema and decoder alike.
//!
//! `UPDATE_DOCS=1 cargo test --test examples` records the answers anew.

#![cfg(feature = "sandbox")]

use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Engine, Given, Watch, prepare_with};
use proxmox_mcp::plan::Plan;
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::{Kind, Surface, Tier};
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        other => panic!("not an object: {other:?}"),
    }
}

fn surface(tool: &str) -> &'static Surface {
    catalogue::surface(tool).unwrap_or_else(|| panic!("no tool {tool}"))
}

fn plan(surface: &'static Surface, arguments: &Map<String, Value>) -> Result<Plan, String> {
    let mut fields = Fields::new(surface, Some(arguments));
    (surface.tool.plan)(&mut fields).map_err(|bad| bad.to_string())
}

fn given(text: &str) -> Given {
    let given = object(text);
    let word =
        |name: &str| given.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    Given {
        node: word("node"),
        kind: word("kind").and_then(|kind| Kind::parse(&kind)),
        vmid: given.get("vmid").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()),
        nextid: word("nextid"),
        running: given.get("running").and_then(Value::as_bool),
        digest: word("digest"),
    }
}

fn schema(surface: &Surface) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(surface.input_schema).expect("JSON");
    jsonschema::validator_for(&schema).expect("a JSON schema")
}

/// The plan is what the example says, in sending order.
fn sends(example: &Example) {
    let surface = surface(example.tool);
    let arguments = object(example.args);
    let plan = plan(surface, &arguments).unwrap_or_else(|bad| panic!("{bad}"));
    let requests = prepare_with(&plan, &given(example.given)).unwrap_or_else(|bad| panic!("{bad}"));
    let lines: Vec<String> = requests.iter().map(ToString::to_string).collect();
    assert_eq!(lines, example.sends, "what `{}` sends", example.tool);
}

/// Schema and decoder take the same arguments, and refuse when a required one is left out.
fn schema_and_decoder_agree(example: &Example) {
    let surface = surface(example.tool);
    let validator = schema(surface);
    let arguments = object(example.args);
    if let Err(error) = validator.validate(&Value::Object(arguments.clone())) {
        panic!("the schema of `{}` refuses its example: {error}", example.tool);
    }
    for argument in surface.tool.arguments.iter().filter(|argument| argument.required) {
        let mut fewer = arguments.clone();
        fewer.shift_remove(argument.name);
        assert!(!validator.is_valid(&Value::Object(fewer.clone())), "the schema does not require {}", argument.name);
        let refusal = plan(surface, &fewer).expect_err("the decoder requires it");
        assert!(refusal.contains(argument.name), "{refusal}");
    }
    let mut more = arguments;
    more.insert("no_such_argument".to_owned(), Value::Bool(true));
    assert!(!validator.is_valid(&Value::Object(more.clone())), "the schema takes unknown arguments");
    let refusal = plan(surface, &more).expect_err("the decoder refuses unknown arguments");
    assert!(refusal.contains("no_such_argument"), "{refusal}");
}

async fn cluster() -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags)
        .expect("complete");
    let engine =
        Engine::new(Settings { tier: Tier::Admin, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings });
    (sandbox, engine)
}

async fn answer(engine: &Engine, tool: &str, arguments: &Map<String, Value>) -> Value {
    match engine.call(surface(tool), Some(arguments), Watch::default()).await {
        Ok(answer) if !answer.failed => Value::Object(answer.content),
        Ok(answer) => panic!("`{tool}` failed: {:?}\n{}", answer.text, Value::Object(answer.content)),
        Err(failure) => panic!("`{tool}`: {failure}"),
    }
}

/// The sandbox answers, the answer is true to the output schema, and it is the recorded one.
fn answers(example: &Example, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let content = runtime.block_on(async {
        let (sandbox, engine) = cluster().await;
        for (tool, arguments) in example.before {
            answer(&engine, tool, &object(arguments)).await;
        }
        let content = answer(&engine, example.tool, &object(example.args)).await;
        sandbox.shutdown().await;
        content
    });
    let schema: Value = serde_json::from_str(surface(example.tool).tool.output_schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    if let Err(error) = validator.validate(&content) {
        panic!("the answer is not true to the output schema: {error}\n{content:#}");
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/responses").join(format!("{name}.json"));
    let text = format!("{content:#}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(&file, text).expect("writable");
        return;
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        recorded,
        text,
        "{} is not what the sandbox answers; record it with `UPDATE_DOCS=1 cargo test --test examples`",
        file.display()
    );
}

macro_rules! test_each {
    ($(($name:ident, $index:expr))*) => { $(
        mod $name {
            use super::*;

            #[test]
            fn sends_what_it_says() {
                sends(&EXAMPLES[$index]);
            }

            #[test]
            fn is_taken_by_schema_and_decoder() {
                schema_and_decoder_agree(&EXAMPLES[$index]);
            }

            #[test]
            fn is_answered_as_recorded() {
                answers(&EXAMPLES[$index], stringify!($name));
            }
        }
    )* };
}

each_example!(test_each);

/// A recorded answer that no example gives any more.
#[test]
fn no_recorded_answer_is_left_over() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/responses");
    let mut known = Vec::new();
    macro_rules! names { ($(($name:ident, $index:expr))*) => { $( known.push(concat!(stringify!($name), ".json")); )* }; }
    each_example!(names);
    for entry in std::fs::read_dir(folder).expect("the recorded answers") {
        let name = entry.expect("readable").file_name();
        let name = name.to_string_lossy();
        assert!(known.iter().any(|one| *one == name), "docs/responses/{name} belongs to no example: delete it");
    }
}
