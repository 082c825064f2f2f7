//! The registry's server.json, by the rules that the registry documents. `.ci/run` checks it against the schema, too.

use regex_lite::Regex;
use serde_json::Value;
use std::fs;
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/packaging/{path}", env!("CARGO_MANIFEST_DIR"))).expect("readable")
}

fn server() -> Value {
    serde_json::from_str(&read("registry/server.json")).expect("JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is missing in {value}"))
}

/// What the registry refuses, whatever the packages are.
fn holds(server: &Value) {
    let name = Regex::new(r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$").expect("a pattern");
    assert!(name.is_match(text(server, "name")) && text(server, "name").len() <= 200);
    assert!((1..=100).contains(&text(server, "description").chars().count()));
    assert!((1..=100).contains(&text(server, "title").chars().count()));
    assert_eq!(text(server, "version"), env!("CARGO_PKG_VERSION"));
    for package in server["packages"].as_array().expect("packages") {
        let identifier = text(package, "identifier");
        assert_eq!(package["transport"]["type"], "stdio");
        assert!(package["registryBaseUrl"].is_null() && package["version"].is_null(), "both stand in the identifier");
        match text(package, "registryType") {
            "oci" => assert!(identifier.ends_with(&format!(":{}", env!("CARGO_PKG_VERSION"))), "{identifier}"),
            "mcpb" => {
                assert!(identifier.starts_with("https://") && identifier.contains("mcp"), "{identifier}");
                let hash = text(package, "fileSha256");
                assert!(hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
            }
            other => panic!("{other} is no kind of package that is built here"),
        }
        for variable in package["environmentVariables"].as_array().expect("variables") {
            let secret = text(variable, "name") == "PROXMOX_TOKEN_VALUE";
            assert_eq!(variable["isSecret"].as_bool().unwrap_or(false), secret, "{variable}");
        }
    }
}

#[test]
fn it_keeps_the_rules_of_the_registry() {
    holds(&server());
}

#[test]
fn the_image_carries_the_name_by_which_the_registry_checks_its_owner() {
    let label = format!(r#"io.modelcontextprotocol.server.name="{}""#, text(&server(), "name"));
    assert!(read("Containerfile").contains(&label));
}

#[test]
fn its_variables_are_those_of_the_program() {
    let help = crate::common::run(&["--help"], &[]);
    let help = String::from_utf8(help.stdout).expect("text");
    for variable in server()["packages"][0]["environmentVariables"].as_array().expect("variables") {
        assert!(help.contains(text(variable, "name")), "{variable}");
    }
}

#[test]
fn a_release_adds_its_bundles_with_their_hashes_and_its_own_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = folder.path().join("proxmox-mcp-x86_64-linux.mcpb");
    fs::write(&bundle, "abc").expect("writable");
    let script = format!("{}/packaging/registry/released.py", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3").arg(script).arg("Someone/pve").arg(&bundle).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let released: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    holds(&released);
    assert_eq!(released["name"], "io.github.someone/pve");
    let bundle = &released["packages"][1];
    let version = env!("CARGO_PKG_VERSION");
    let url = format!("https://github.com/someone/pve/releases/download/v{version}/proxmox-mcp-x86_64-linux.mcpb");
    assert_eq!(text(bundle, "identifier"), url);
    // SHA-256 of "abc", from the standard.
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(text(bundle, "fileSha256"), hash);
}
