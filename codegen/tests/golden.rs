//! The generated Rust of `mini.yaml`, eight tools that use each construct once: what a reviewer reads when an emitter
//! changes.
//!
//! One snapshot per tool, so that a change of one construct is a change of the files that use it, one for the tables that
//! all tools share, and one for what the tests of the examples include.

use proxmox_codegen::{Artifacts, Source, compile};
use std::collections::BTreeSet;
use std::path::Path;

const MINI: &str = include_str!("mini.yaml");

fn made() -> Artifacts {
    compile(&Source { file: "mini.yaml", text: MINI, templates: &[] })
        .unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
}

/// The generated file by its parts: `tables`, and one per tool.
fn parts(rust: &str) -> Vec<(String, String)> {
    let mut parts = vec![("tables".to_owned(), String::new())];
    for line in rust.lines() {
        if let Some(name) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(" {")) {
            parts.push((name.to_owned(), String::new()));
        }
        if let Some((_, text)) = parts.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    parts
}

#[test]
fn each_construct_is_generated_as_reviewed() {
    let made = made();
    let mut parts = parts(&made.rust);
    parts.push(("examples".to_owned(), made.examples));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, text) in &parts {
        settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
    }
    let named: BTreeSet<String> = parts.iter().map(|(name, _)| format!("{name}.snap")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let found: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".snap"))
        .collect();
    assert_eq!(found, named, "the snapshots, and what is generated");
}

#[test]
fn a_tool_is_a_module_of_its_own_and_no_larger_than_can_be_read() {
    let made = made();
    for (name, text) in parts(&made.rust).iter().skip(1) {
        let lines = text.lines().count();
        assert!(lines <= 250, "`{name}` is {lines} lines long");
    }
}

/// The catalogue says everything; the generated code knows each tool's line in it.
#[test]
fn a_tool_knows_its_line() {
    let made = made();
    for (index, line) in MINI.lines().enumerate() {
        let Some(name) = line.strip_prefix("      ").and_then(|rest| rest.strip_suffix(':')) else { continue };
        if !name.starts_with(' ') && made.rust.contains(&format!("pub mod {name} {{")) {
            assert!(made.rust.contains(&format!("line: {},", index + 1)), "{name} stands on line {}", index + 1);
        }
    }
}
