//! Builds the static table of facts: load → overlay → danger → reach → words → emit.
//!
//! Knows the file names and how a mistake is reported to cargo. Every mistake in the data ends as one
//! `cargo::error=` line that names the file and the line; nothing here panics on data.

mod danger;
mod emit;
mod lines;
mod load;
mod overlay;
mod reach;
#[path = "../src/stem.rs"]
mod stem;
mod words;

use std::path::Path;
use std::{env, fs};

/// The inputs, relative to the package.
const FACTS: &str = "facts/pve-api.json";
const OVERLAY: &str = "overlay.json";
const DANGER: &str = "danger.json";
const REACH: &str = "reach.json";
/// Folder of what people call the methods.
const WORDS: &str = "words";
const THESAURUS: &str = "words/thesaurus.txt";

fn main() {
    for input in [FACTS, OVERLAY, DANGER, REACH, WORDS, "src/stem.rs", "build"] {
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
    words::apply(&mut entries, &word_files()?).map_err(|mistakes| {
        mistakes.into_iter().flat_map(|(file, mistake)| placed(&file, vec![mistake])).collect::<Vec<_>>()
    })?;
    let meanings = words::thesaurus(&read(THESAURUS)?).map_err(|mistakes| placed(THESAURUS, mistakes))?;
    let table = emit::table(&entries).map_err(|mistake| vec![format!("spec/{FACTS}: {mistake}")])?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| vec!["OUT_DIR is not set".to_owned()])?;
    let table = table + &words::written(&meanings);
    fs::write(Path::new(&out).join("table.rs"), table).map_err(|error| vec![format!("table.rs: {error}")])
}

fn placed(file: &str, mistakes: Vec<lines::Mistake>) -> Vec<String> {
    mistakes.into_iter().map(|mistake| format!("spec/{file}:{}: {}", mistake.line, mistake.text)).collect()
}

/// (name, text) of the files about methods, sorted by name.
fn word_files() -> Result<Vec<(String, String)>, Vec<String>> {
    let wrong = |error: std::io::Error| vec![format!("spec/{WORDS}: {error}")];
    let mut files = Vec::new();
    for entry in fs::read_dir(WORDS).map_err(wrong)? {
        let name = format!("{WORDS}/{}", entry.map_err(wrong)?.file_name().to_string_lossy());
        if name.ends_with(".txt") && name != THESAURUS {
            let text = fs::read_to_string(&name).map_err(wrong)?;
            files.push((name, text));
        }
    }
    files.sort();
    Ok(files)
}
