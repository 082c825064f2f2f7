//! The tools that two other servers document: every name, argument, default, value and example call of theirs works
//! here, spelled as their users spell it.
//!
//! `tests/data/seeds.json` holds, for each dialect, the `tools` with their arguments (`type`, `required`, values that it
//! `accepts` or, spelled carelessly, `takes`, and values that it `refuses` with a reason), what is sent by `defaults`, and the documented `calls`: the
//! arguments as documented, what stands `here` for the ids and names of that document's cluster, what comes `first`, and
//! what it `sends` (verb, path, and at least these parameters).

#![cfg(feature = "sandbox")]

use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Engine, FailureKind, Watch};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::{Surface, Tier};
use proxmox_sandbox::{Options, Received, Sandbox};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const DIALECTS: [&str; 2] = ["tools-reference", "mcp-proxmox"];

/// What a document says.
fn document(dialect: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("data/seeds.json")).expect("JSON");
    all[dialect].clone()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}")).clone()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not an array: {value}"))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The tool as listed with `--dialect`.
fn listed(dialect: &str, name: &str) -> &'static Surface {
    let found = catalogue::SURFACES.iter().find(|surface| surface.dialect == Some(dialect) && surface.name == name);
    found.unwrap_or_else(|| panic!("{dialect} does not list {name}"))
}

/// The tool as called on a server of this dialect, or of none.
fn called(dialect: Option<&str>, name: &str) -> &'static Surface {
    catalogue::surface_in(dialect, name).unwrap_or_else(|| panic!("{name} is not callable"))
}

fn input_schema(surface: &Surface) -> Value {
    serde_json::from_str(surface.input_schema).expect("JSON")
}

/// The arguments of the first documented call of a tool, as they stand here.
fn call_of(document: &Value, tool: &str) -> Map<String, Value> {
    let call = rows(&document["calls"]).iter().find(|call| call["tool"] == tool);
    here(call.unwrap_or_else(|| panic!("no documented call of {tool}")))
}

/// The documented arguments with the ids and names of the sandbox.
fn here(call: &Value) -> Map<String, Value> {
    let mut arguments = object(&call["arguments"]);
    for (name, value) in call["here"].as_object().into_iter().flatten() {
        arguments.insert(name.clone(), value.clone());
    }
    arguments
}

/// As careless clients write it: numbers and booleans as texts.
fn as_texts(arguments: &Map<String, Value>) -> Map<String, Value> {
    let text = |value: &Value| match value {
        Value::Number(number) => json!(number.to_string()),
        Value::Bool(value) => json!(value.to_string()),
        other => other.clone(),
    };
    arguments.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn cluster(dialect: Option<&'static str>) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags)
        .expect("complete settings");
    (
        sandbox,
        Engine::new(Settings {
            tier: Tier::Admin,
            retry_delay: Duration::ZERO,
            dialect,
            confirm: Confirm::Off,
            ..settings
        }),
    )
}

/// Whether this request is the described one: verb, path (decoded), and at least these parameters.
fn is(request: &Received, wanted: &str) -> bool {
    let words = shell_words::split(wanted).expect("one line");
    let (verb, path) = (&words[0], &words[1]);
    let target = request.target.strip_prefix("/api2/json").unwrap_or(&request.target);
    let target = target.split('?').next().unwrap_or_default();
    let target = percent_encoding::percent_decode_str(target).decode_utf8_lossy();
    request.verb == *verb
        && target == path.as_str()
        && words[2..].iter().all(|word| {
            let (name, value) = word.split_once('=').expect("name=value");
            request.params.iter().any(|(has, with)| has == name && same(name, with, value))
        })
}

/// New disks get a comma and more options behind their size.
fn same(name: &str, sent: &str, wanted: &str) -> bool {
    sent == wanted || (name == "scsi0" && sent.split(',').next() == Some(wanted))
}

#[track_caller]
fn was_sent(sandbox: &Sandbox, wanted: &str) {
    let requests = sandbox.requests();
    let shown: Vec<String> =
        requests.iter().map(|one| format!("{} {} {:?} {}", one.verb, one.target, one.params, one.status)).collect();
    assert!(requests.iter().any(|request| is(request, wanted)), "not sent: {wanted}\n{}", shown.join("\n"));
}

#[test]
fn a_dialect_lists_exactly_the_documented_tools() {
    for (dialect, count) in DIALECTS.into_iter().zip([29, 38]) {
        let listed: BTreeSet<&str> = catalogue::SURFACES
            .iter()
            .filter(|surface| surface.dialect == Some(dialect))
            .map(|surface| surface.name)
            .collect();
        let document = document(dialect);
        let documented: BTreeSet<&str> = object_keys(&document["tools"]).collect();
        assert_eq!(listed, documented, "{dialect}");
        assert_eq!(listed.len(), count, "{dialect}");
    }
}

fn object_keys(value: &Value) -> impl Iterator<Item = &str> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.as_str())
}

/// Goes through every documented argument.
fn each_argument(check: impl Fn(&'static Surface, &Value, &str, &Value)) {
    for dialect in DIALECTS {
        let document = document(dialect);
        for (tool, arguments) in object(&document["tools"]) {
            let surface = listed(dialect, &tool);
            for (name, argument) in object(&arguments) {
                check(surface, &document, &name, &argument);
            }
        }
    }
}

#[test]
fn every_documented_argument_is_listed_under_its_name_with_its_type() {
    each_argument(|surface, _, name, argument| {
        let schema = input_schema(surface);
        let listed = &schema["properties"][name];
        assert!(listed.is_object(), "{} does not list `{name}`: {schema}", surface.name);
        let documented = word(&argument["type"]);
        // What takes two types names neither.
        let fits = |one: &Value| one["type"] == documented || (documented == "number" && one["type"] == "integer");
        assert!(
            fits(listed) || listed["type"].is_null(),
            "{}.{name} is documented as {documented} and listed as {listed}",
            surface.name
        );
    });
}

#[test]
fn nothing_is_required_that_the_documents_leave_optional() {
    for dialect in DIALECTS {
        for (tool, arguments) in object(&document(dialect)["tools"]) {
            let schema = input_schema(listed(dialect, &tool));
            for required in schema["required"].as_array().into_iter().flatten() {
                assert_eq!(arguments[word(required)]["required"], true, "{tool} requires {required}");
            }
        }
    }
}

#[test]
fn documented_defaults_are_listed() {
    each_argument(|surface, _, name, argument| {
        let schema = input_schema(surface);
        let default = &schema["properties"][name]["default"];
        // A kind is looked up, and all kinds are what no kind means.
        if !argument["default"].is_null() && name != "type" {
            assert_eq!(*default, argument["default"], "{}.{name}", surface.name);
        }
        if !default.is_null() {
            let own = jsonschema::validator_for(&schema["properties"][name]).expect("a schema");
            assert!(own.is_valid(default), "{}.{name}: {default} is not what its schema takes", surface.name);
        }
    });
}

/// The problems that the decoder has with one value of one argument.
fn decoded(surface: &'static Surface, document: &Value, name: &str, value: &Value) -> Result<(), String> {
    let mut arguments = call_of(document, surface.name);
    arguments.insert(name.to_owned(), value.clone());
    let mut fields = Fields::new(surface, Some(&arguments));
    (surface.tool.plan)(&mut fields).map(|_| ()).map_err(|bad| bad.to_string())
}

#[test]
fn documented_values_are_accepted_by_schema_and_decoder() {
    each_argument(|surface, document, name, argument| {
        let schema = input_schema(surface);
        let validator = jsonschema::validator_for(&schema["properties"][name]).expect("a schema");
        for value in argument["accepts"].as_array().into_iter().flatten() {
            assert!(validator.is_valid(value), "the schema of {}.{name} refuses {value}", surface.name);
            decoded(surface, document, name, value).unwrap_or_else(|bad| panic!("{}: {bad}", surface.name));
        }
    });
}

/// Beyond the calls: careless spellings that the schema does not promise are taken, too.
#[test]
fn every_documented_argument_is_taken() {
    each_argument(|surface, document, name, argument| {
        let samples = argument["takes"].as_array().or(argument["accepts"].as_array());
        let called = || {
            let of = |call: &&Value| call["tool"] == surface.name && call["arguments"].get(name).is_some();
            let call = rows(&document["calls"]).iter().find(of)?;
            here(call).get(name).map(|value| vec![value.clone()])
        };
        let values = samples.cloned().or_else(called);
        for value in values.unwrap_or_else(|| panic!("no sample of {}.{name}", surface.name)) {
            decoded(surface, document, name, &value).unwrap_or_else(|bad| panic!("{}: {bad}", surface.name));
        }
    });
}

#[tokio::test]
async fn documented_values_that_the_api_has_not_are_refused_with_the_reason() {
    let (sandbox, engine) = cluster(None).await;
    let mut refused = 0;
    for dialect in DIALECTS {
        let document = document(dialect);
        for (tool, arguments) in object(&document["tools"]) {
            for (name, argument) in object(&arguments) {
                for (value, reason) in argument["refuses"].as_object().into_iter().flatten() {
                    let mut call = call_of(&document, &tool);
                    call.insert(name.clone(), json!(value));
                    if value == "lxc" {
                        call.insert("vmid".to_owned(), json!(200));
                    }
                    let failure = engine
                        .call(listed(dialect, &tool), Some(&call), Watch::default())
                        .await
                        .expect_err("the API has no such thing");
                    assert_eq!(failure.kind(), FailureKind::BadArguments, "{failure}");
                    assert!(failure.to_string().contains(word(reason)), "{failure}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(refused, 2);
    assert!(sandbox.requests().iter().all(|request| request.verb == "GET"));
}

/// Calls a tool on a fresh cluster and shows what was sent.
async fn makes(dialect: Option<&'static str>, call: &Value, arguments: &Map<String, Value>) {
    let tool = word(&call["tool"]);
    let (sandbox, engine) = cluster(dialect).await;
    for first in call["first"].as_array().into_iter().flatten() {
        let before = object(&first[1]);
        let done = engine.call(called(dialect, word(&first[0])), Some(&before), Watch::default()).await;
        done.unwrap_or_else(|failure| panic!("{first}: {failure}"));
    }
    match engine.call(called(dialect, tool), Some(arguments), Watch::default()).await {
        Ok(answer) => assert!(!answer.failed, "{tool} {arguments:?}: {:?}", answer.text),
        Err(failure) => panic!("{tool} {arguments:?}: {failure}"),
    }
    was_sent(&sandbox, word(&call["sends"]));
}

async fn documented_calls_work(dialect: &'static str, from: Option<&'static str>, texts: bool) {
    let document = document(dialect);
    for call in rows(&document["calls"]) {
        let mut arguments = here(call);
        let validator =
            jsonschema::validator_for(&input_schema(listed(dialect, word(&call["tool"])))).expect("a schema");
        if let Err(error) = validator.validate(&Value::Object(arguments.clone())) {
            panic!("the listed schema refuses {call}: {error}");
        }
        if texts {
            arguments = as_texts(&arguments);
        }
        makes(from, call, &arguments).await;
    }
}

#[tokio::test]
async fn calls_of_the_tools_reference_work_in_its_dialect() {
    documented_calls_work("tools-reference", Some("tools-reference"), false).await;
}

#[tokio::test]
async fn calls_of_the_tools_reference_work_without_a_dialect() {
    documented_calls_work("tools-reference", None, false).await;
}

#[tokio::test]
async fn calls_of_the_tools_reference_work_with_texts_for_numbers_and_booleans() {
    documented_calls_work("tools-reference", Some("tools-reference"), true).await;
}

#[tokio::test]
async fn calls_of_mcp_proxmox_work_in_its_dialect() {
    documented_calls_work("mcp-proxmox", Some("mcp-proxmox"), false).await;
}

#[tokio::test]
async fn calls_of_mcp_proxmox_work_without_a_dialect() {
    documented_calls_work("mcp-proxmox", None, false).await;
}

#[tokio::test]
async fn calls_of_mcp_proxmox_work_with_texts_for_numbers_and_booleans() {
    documented_calls_work("mcp-proxmox", Some("mcp-proxmox"), true).await;
}

#[tokio::test]
async fn documented_defaults_hold_on_the_wire() {
    for dialect in DIALECTS {
        for call in rows(&document(dialect)["defaults"]) {
            for from in [Some(dialect), None] {
                makes(from, call, &object(&call["arguments"])).await;
            }
        }
    }
}

/// A name of the tools reference that is also ours means the same, and is spoken of in the server's dialect.
#[test]
fn a_name_shared_with_the_canonical_ones_is_found_in_the_servers_dialect() {
    assert_eq!(called(Some("tools-reference"), "create_vm").dialect, Some("tools-reference"));
    assert_eq!(called(None, "create_vm").dialect, None);
    assert_eq!(called(Some("mcp-proxmox"), "create_vm").dialect, None);
    assert_eq!(called(Some("tools-reference"), "proxmox_vm_start").dialect, Some("mcp-proxmox"));
}
