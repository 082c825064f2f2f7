//! Every tool as it is served: one snapshot per tool and an index, so that a change of the catalogue shows up as what
//! it does to an assistant's view. The orphan check keeps the folder honest.

use proxmox_mcp::catalogue::{DIALECTS, SURFACES, TOOLS};
use proxmox_mcp::tool::{Effect, Preset, Surface, Tier, Tool};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

mod common;
use common::{Client, Era};

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// No connection is made: the list is the same whatever the cluster does.
const NOWHERE: [(&str, &str); 4] = [
    ("PROXMOX_HOST", "127.0.0.1:1"),
    ("PROXMOX_USER", "nobody@pve"),
    ("PROXMOX_TOKEN_NAME", "none"),
    ("PROXMOX_TOKEN_VALUE", "00000000-0000-0000-0000-000000000000"),
];

fn listed(era: Era, arguments: &[&str]) -> Vec<Value> {
    let mut client = Client::start(era, arguments, &NOWHERE);
    client.open();
    let answer = client.request("tools/list", json!({}));
    answer["result"]["tools"].as_array().expect("tools").clone()
}

fn names(tools: &[Value]) -> Vec<String> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/tools")
}

/// What decides where a call goes and what it may do.
fn route(tool: &Tool) -> Value {
    let endpoints: Vec<Value> = tool
        .routes
        .iter()
        .map(|route| {
            let kind = route.kind.map(proxmox_mcp::tool::Kind::as_str);
            json!({ "kind": kind, "when": route.when, "call": format!("{} {}", route.verb, route.path), "answer": format!("{:?}", route.returns.form) })
        })
        .collect();
    let arguments: Vec<String> = tool
        .arguments
        .iter()
        .map(|argument| {
            let need = if argument.required { "required" } else { "optional" };
            let default = match argument.default {
                Preset::None => String::new(),
                other => format!(" = {other:?}"),
            };
            let fact = argument.rule.fact.map_or(String::new(), |fact| format!(" -> {}", fact.param));
            format!("{}: {:?} {need}{default}{fact}", argument.name, argument.form)
        })
        .collect();
    json!({
        "tier": tool.tier.as_str(),
        "effect": tool.effect.as_str(),
        "toolset": tool.toolset,
        "waiter": tool.waiter.map(|waiter| waiter.name),
        "endpoints": endpoints,
        "arguments": arguments,
        "unsupported": tool.unsupported.iter().map(|(kind, why)| json!({ kind.as_str(): why })).collect::<Vec<_>>(),
    })
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// One tool as served and its route, against its snapshot.
fn is_served_as_recorded(name: &str) {
    static SERVED: OnceLock<Vec<Value>> = OnceLock::new();
    let served = SERVED.get_or_init(|| listed(Era::Handshake, &["--tier", "admin", "--toolsets", "all"]));
    let entry = served.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("`{name}` is not served"));
    let tool = TOOLS.iter().find(|tool| tool.name == name).expect("a tool of the catalogue");
    settings().bind(|| insta::assert_json_snapshot!(name, json!({ "served": entry, "route": route(tool) })));
}

macro_rules! snapshot_each {
    ($($name:ident)*) => {
        mod served_as_recorded {
            $( #[test] fn $name() { super::is_served_as_recorded(stringify!($name)); } )*
        }
    };
}

each_tool!(snapshot_each);

#[test]
fn the_index_is_as_recorded() {
    let mut lines: Vec<String> = TOOLS
        .iter()
        .flat_map(|tool| {
            tool.routes.iter().map(move |route| {
                format!(
                    "{:<9}  {:<10}  {:<6} {:<58} {}",
                    tool.tier.as_str(),
                    tool.effect.as_str(),
                    route.verb.as_str(),
                    route.path,
                    tool.name
                )
            })
        })
        .collect();
    for tier in Tier::ALL {
        let visible = TOOLS.iter().filter(|tool| tool.tier <= tier).count();
        lines.push(format!("visible at {tier}: {visible} tools"));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("index", lines.join("\n")));
}

#[test]
fn no_snapshot_is_left_over() {
    for entry in std::fs::read_dir(folder()).expect("the snapshots") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let tool = name.trim_end_matches(".new").trim_end_matches(".snap");
        assert!(TOOLS.iter().any(|one| one.name == tool), "tests/snapshots/tools/{name} belongs to no tool: delete it");
    }
}

#[test]
fn both_eras_and_every_start_serve_the_same_list() {
    for arguments in [
        &["--tier", "admin"][..],
        &["--tier", "read", "--toolsets", "all"],
        &["--tier", "admin", "--dialect", "mcp-proxmox"],
    ] {
        let first = listed(Era::Handshake, arguments);
        assert_eq!(first, listed(Era::Stateless, arguments));
        assert_eq!(first, listed(Era::Handshake, arguments));
    }
}

#[test]
fn a_tier_lists_exactly_what_it_may_call() {
    for tier in Tier::ALL {
        let served = names(&listed(Era::Handshake, &["--tier", tier.as_str(), "--toolsets", "all"]));
        let expected: Vec<&str> = TOOLS.iter().filter(|tool| tool.tier <= tier).map(|tool| tool.name).collect();
        assert_eq!(served, expected, "at {tier}");
    }
}

#[test]
fn the_core_is_listed_unless_toolsets_are_chosen() {
    let served = |arguments: &[&str]| names(&listed(Era::Stateless, &[&["--tier", "admin"], arguments].concat()));
    let tools = |wanted: fn(&Tool) -> bool| -> Vec<&str> {
        TOOLS.iter().filter(|tool| wanted(tool)).map(|tool| tool.name).collect()
    };
    assert_eq!(served(&[]), tools(|tool| tool.core));
    assert_eq!(served(&["--toolsets", "firewall"]), tools(|tool| tool.toolset == "firewall"));
    assert_eq!(served(&["--toolsets", "firewall,core"]), tools(|tool| tool.core || tool.toolset == "firewall"));
    assert_eq!(served(&["--toolsets", "all"]), tools(|_| true));
    // A dialect is another server's whole surface, unless its core is asked for.
    let whole = served(&["--dialect", "mcp-proxmox"]);
    assert_eq!(whole, served(&["--dialect", "mcp-proxmox", "--toolsets", "all"]));
    assert!(served(&["--dialect", "mcp-proxmox", "--toolsets", "core"]).len() < whole.len());
}

#[test]
fn what_is_not_listed_may_still_be_called_and_what_is_allowed_by_name_is_listed() {
    let mut client = Client::start(Era::Stateless, &["--sandbox", "--toolsets", "power"], &[]);
    client.open();
    assert_eq!(client.request("tools/list", json!({}))["result"]["tools"], json!([]));
    let answer = client.request("tools/call", json!({ "name": "get_version", "arguments": {} }));
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let answer = client.request("tools/call", json!({ "name": "stop_guest", "arguments": { "vmid": 100 } }));
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let served = names(&listed(Era::Stateless, &["--toolsets", "cluster", "--allow", "resume_guest"]));
    assert!(served.contains(&"resume_guest".to_owned()) && !served.contains(&"start_guest".to_owned()), "{served:?}");
}

#[test]
fn a_dialect_lists_exactly_its_names() {
    for dialect in DIALECTS {
        let served = names(&listed(Era::Handshake, &["--tier", "admin", "--dialect", dialect.name]));
        let expected: Vec<&str> = SURFACES
            .iter()
            .filter(|surface| surface.dialect == Some(dialect.name))
            .map(|surface| surface.name)
            .collect();
        assert_eq!(served, expected);
    }
    let count = |dialect| SURFACES.iter().filter(|surface| surface.dialect == Some(dialect)).count();
    assert_eq!((count("tools-reference"), count("mcp-proxmox")), (29, 38));
}

/// The names of one surface tell its arguments apart, and the schema's root is a plain object.
#[test]
fn every_schema_is_portable() {
    for Surface { name, input_schema, tool, .. } in SURFACES {
        for schema in [input_schema, &tool.output_schema] {
            let schema: Value = serde_json::from_str(schema).expect("JSON");
            assert_eq!(schema["type"], "object", "{name}");
            for keyword in ["anyOf", "oneOf", "allOf", "$ref"] {
                assert!(schema.get(keyword).is_none(), "{name}: `{keyword}` at the root");
            }
            no_type_arrays(name, &schema);
        }
        let schema: Value = serde_json::from_str(input_schema).expect("JSON");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for (argument, property) in schema["properties"].as_object().expect("properties") {
            assert!(property["description"].is_string(), "{name}.{argument} says nothing");
        }
    }
}

fn no_type_arrays(name: &str, schema: &Value) {
    match schema {
        Value::Object(object) => {
            assert!(!object.get("type").is_some_and(Value::is_array), "{name}: a type is one word");
            object.values().for_each(|value| no_type_arrays(name, value));
        }
        Value::Array(items) => items.iter().for_each(|value| no_type_arrays(name, value)),
        _ => {}
    }
}

/// Reading tools change nothing by method, and nothing that changes calls itself harmless.
#[test]
fn tier_effect_and_method_fit() {
    for tool in TOOLS.iter() {
        let gets = tool.routes.iter().all(|route| route.verb == proxmox_mcp::tool::Verb::Get);
        assert!(tool.tier > Tier::Read || gets, "{} at read sends more than GET", tool.name);
        assert_eq!(tool.effect == Effect::None, gets, "{}", tool.name);
    }
}

#[test]
fn every_tool_has_an_example() {
    let mut tools = BTreeSet::new();
    macro_rules! all { ($($name:ident)*) => { $( tools.insert(stringify!($name)); )* }; }
    each_tool!(all);
    for tool in tools {
        assert!(EXAMPLES.iter().any(|example| example.tool == tool), "{tool} has no example");
    }
}
