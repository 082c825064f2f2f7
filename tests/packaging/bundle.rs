//! The MCPB bundle's manifest says what the program is and takes. `mcpb validate` checks its form (`.ci/run`).

use proxmox_mcp::catalogue;
use serde_json::{Value, json};
use std::fs;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/mcpb/manifest.json");

fn manifest() -> Value {
    serde_json::from_str(&fs::read_to_string(MANIFEST).expect("readable")).expect("JSON")
}

/// The tools that are listed when nobody chooses toolsets, at the highest tier.
fn core() -> Value {
    let listed = catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_none() && surface.tool.core);
    listed.map(|surface| json!({ "name": surface.name, "description": surface.title })).collect()
}

#[test]
fn it_names_the_tools_of_the_catalogue() {
    let mut manifest = manifest();
    if manifest["tools"] != core() && std::env::var_os("UPDATE_DOCS").is_some() {
        manifest["tools"] = core();
        fs::write(MANIFEST, format!("{manifest:#}\n")).expect("writable");
    }
    assert_eq!(manifest["tools"], core(), "UPDATE_DOCS=1 cargo test --test packaging writes them");
}

#[test]
fn it_is_of_this_version_and_asks_for_the_secret_as_one() {
    let manifest = manifest();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["server"]["type"], "binary");
    assert_eq!(manifest["user_config"]["token_value"]["sensitive"], true);
    let start = &manifest["server"]["mcp_config"];
    assert_eq!(start["args"], json!([]), "what a person enters stands in no command line");
    for (name, option) in manifest["user_config"].as_object().expect("options") {
        let used = format!("${{user_config.{name}}}");
        assert!(start["env"].as_object().expect("variables").values().any(|value| *value == json!(used)), "{name}");
        // Without a default the client would hand over the placeholder itself.
        assert!(option["required"] == true || option["default"].is_string(), "{name}");
    }
}

#[test]
fn its_variables_are_those_of_the_program() {
    let help = crate::common::run(&["--help"], &[]);
    let help = String::from_utf8(help.stdout).expect("text");
    for name in manifest()["server"]["mcp_config"]["env"].as_object().expect("variables").keys() {
        assert!(help.contains(name.as_str()), "{name}");
    }
}
