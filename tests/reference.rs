//! The checked-in reference is the generated one, its links lead somewhere, and the README names every setting.
//!
//! `UPDATE_DOCS=1 cargo test --test reference` writes the reference anew.

use proxmox_mcp::catalogue::{SURFACES, TOOLS, TOOLSETS};
use proxmox_mcp::server::annotations;
use proxmox_mcp::settings::Flags;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const COMMAND: &str = "UPDATE_DOCS=1 cargo test --test reference";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Below `docs/`. By the catalogue and not by a listing of `OUT_DIR`, where pages of earlier builds may lie.
fn pages() -> Vec<String> {
    let toolsets = TOOLSETS.iter().map(|set| format!("tools/{}.md", set.name));
    ["tools.md".to_owned(), "catalogue.json".to_owned()].into_iter().chain(toolsets).collect()
}

fn generated(page: &str) -> String {
    let file = Path::new(env!("OUT_DIR")).join("docs").join(page);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Pages below `docs/tools/` that belong to no toolset.
fn left_over() -> Vec<PathBuf> {
    let known = pages();
    let Ok(entries) = fs::read_dir(root().join("docs/tools")) else { return Vec::new() };
    let files = entries.map(|entry| entry.expect("readable").path());
    files.filter(|file| !known.iter().any(|page| root().join("docs").join(page) == *file)).collect()
}

#[test]
fn the_reference_is_the_generated_one() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for page in pages() {
            let file = root().join("docs").join(&page);
            fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
            fs::write(file, generated(&page)).expect("writable");
        }
        left_over().iter().for_each(|file| fs::remove_file(file).expect("removable"));
        return;
    }
    let mut wrong: Vec<String> = Vec::new();
    for page in pages() {
        // A checkout may have other line ends.
        let checked_in = fs::read_to_string(root().join("docs").join(&page)).unwrap_or_default().replace("\r\n", "\n");
        let generated = generated(&page);
        if checked_in != generated {
            let line = 1 + checked_in.lines().zip(generated.lines()).take_while(|(one, other)| one == other).count();
            wrong.push(format!("docs/{page} differs from line {line} on"));
        }
    }
    wrong.extend(left_over().iter().map(|file| format!("{} belongs to no toolset", file.display())));
    assert!(wrong.is_empty(), "{}\nWrite the reference anew with `{COMMAND}`.", wrong.join("\n"));
}

/// Every page that people read, generated or not.
fn prose() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| root().join(name)).into();
    files.push(root().join("docs/tools.md"));
    for folder in ["docs/tools", "docs/decisions"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder");
        files.extend(entries.map(|entry| entry.expect("readable").path()));
    }
    files
}

/// The targets of a page's links, without those that lead out of the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.contains(char::is_whitespace)).collect()
}

/// The anchor that Markdown hosts give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

#[test]
fn every_link_leads_somewhere() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        // The pages are being written at this moment.
        return;
    }
    let mut broken = Vec::new();
    for file in prose() {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for link in links(&text) {
            let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().expect("a folder").join(path) };
            let heads = |text: String| text.lines().any(|line| anchor(line.trim_start_matches('#')) == wanted);
            let found = if wanted.is_empty() { target.exists() } else { fs::read_to_string(target).is_ok_and(heads) };
            if !found {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// What programs read about a tool is what the server serves.
#[test]
fn the_machine_readable_catalogue_is_what_is_served() {
    let whole: Value = serde_json::from_str(&generated("catalogue.json")).expect("JSON");
    let text = |schema: &str| serde_json::from_str::<Value>(schema).expect("JSON");
    let tools = whole["tools"].as_array().expect("tools");
    assert_eq!(tools.len(), TOOLS.len());
    for entry in tools {
        let name = entry["name"].as_str().expect("a name");
        let surface = SURFACES.iter().find(|one| one.name == name && one.dialect.is_none()).expect("a tool");
        assert_eq!(entry["annotations"], annotated(surface), "{name}");
        assert_eq!(entry["inputSchema"], text(surface.input_schema), "{name}");
        assert_eq!(entry["outputSchema"], text(surface.tool.output_schema), "{name}");
        for theirs in entry["names"].as_array().expect("names") {
            let known = |one: &&proxmox_mcp::tool::Surface| one.dialect == theirs["dialect"].as_str();
            let surface = SURFACES.iter().filter(known).find(|one| theirs["name"] == one.name).expect("a name");
            assert_eq!(theirs["inputSchema"], text(surface.input_schema), "{}", surface.name);
            assert_eq!(theirs["description"], surface.description, "{}", surface.name);
        }
    }
}

fn annotated(surface: &proxmox_mcp::tool::Surface) -> Value {
    let hints = annotations(surface);
    serde_json::json!({
        "readOnlyHint": hints.read_only_hint,
        "destructiveHint": hints.destructive_hint,
        "idempotentHint": hints.idempotent_hint,
        "openWorldHint": hints.open_world_hint,
    })
}

#[test]
fn the_guide_of_settings_names_every_flag_and_variable() {
    let guide = fs::read_to_string(root().join("docs/config.md")).expect("the guide");
    let command = <Flags as clap::Args>::augment_args(clap::Command::new("proxmox-mcp"));
    for argument in command.get_arguments() {
        let flag = argument.get_long().map(|name| format!("`--{name}`"));
        let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
        for word in flag.into_iter().chain(variable) {
            assert!(guide.contains(&word), "docs/config.md does not name {word}");
        }
    }
}
