//! Builds the static table of facts: load → overlay → danger → reach → emit.
//!
//! Knows the file names and how a mistake is reported to cargo. Every mistake in the data ends as one
//! `cargo::error=` line that names the file and the line; nothing here panics on data.

mod danger;
mod emit;
mod lines;
mod load;
mod overlay;
mod reach;

use std::path::Path;
use std::{env, fs};

/// The inputs, relative to the package.
const FACTS: &str = "facts/pve-api.json";
const OVERLAY: &str = "overlay.json";
const DANGER: &str = "danger.json";
const REACH: &str = "reach.json";

fn main() {
    for input in [FACTS, OVERLAY, DANGER, REACH, "build"] {
        println!("cargo::rerun-if-changed={input}");
    }
    if let Err(mistakes) = run() {
        for mistake in mistakes {
            println!("cargo::error={mistake}");
        }
    }
}

/// Writes `OUT_DIR/table.rs`, or says everything that is wrong with the inputs.
fn run() -> Result<(), Vec<String>> {
    let read = |name: &str| fs::read_to_string(name).map_err(|error| vec![format!("spec/{name}: {error}")]);
    let mut entries = load::entries(&read(FACTS)?).map_err(|mistake| vec![format!("spec/{FACTS}: {mistake}")])?;
    overlay::apply(&mut entries, &read(OVERLAY)?).map_err(|mistakes| placed(OVERLAY, mistakes))?;
    load::finish(&mut entries);
    danger::apply(&mut entries, &read(DANGER)?).map_err(|mistakes| placed(DANGER, mistakes))?;
    reach::apply(&mut entries, &read(REACH)?).map_err(|mistakes| placed(REACH, mistakes))?;
    let table = emit::table(&entries).map_err(|mistake| vec![format!("spec/{FACTS}: {mistake}")])?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| vec!["OUT_DIR is not set".to_owned()])?;
    fs::write(Path::new(&out).join("table.rs"), table).map_err(|error| vec![format!("table.rs: {error}")])
}

fn placed(file: &str, mistakes: Vec<lines::Mistake>) -> Vec<String> {
    mistakes.into_iter().map(|mistake| format!("spec/{file}:{}: {}", mistake.line, mistake.text)).collect()
}
