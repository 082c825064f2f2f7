//! Compiles the catalogue: `tools.yaml` and `templates/` → `OUT_DIR`.

use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=tools.yaml");
    println!("cargo::rerun-if-changed=templates");
    if let Err(problems) = generate() {
        for problem in problems {
            // Cargo takes one line per instruction and shows a message's lines as they are.
            for line in problem.lines() {
                println!("cargo::error={line}");
            }
        }
        process::exit(1);
    }
}

fn generate() -> Result<(), Vec<String>> {
    let one = |error: std::io::Error| vec![error.to_string()];
    let text = fs::read_to_string("tools.yaml").map_err(one)?;
    let mut templates = Vec::new();
    for entry in fs::read_dir("templates").map_err(one)? {
        let path = entry.map_err(one)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        templates.push((name, fs::read_to_string(&path).map_err(one)?));
    }
    templates.sort();
    let source = proxmox_codegen::Source { file: "tools.yaml", text: &text, templates: &templates };
    let made = proxmox_codegen::compile(&source)?;
    let out = env::var("OUT_DIR").map_err(|error| vec![error.to_string()])?;
    let out = Path::new(&out);
    fs::write(out.join("catalogue.rs"), made.rust).map_err(one)?;
    fs::write(out.join("examples.rs"), made.examples).map_err(one)?;
    fs::write(out.join("search.rs"), made.search).map_err(one)?;
    for (name, text) in made.docs {
        let path = out.join("docs").join(name);
        fs::create_dir_all(path.parent().unwrap_or(out)).map_err(one)?;
        fs::write(path, text).map_err(one)?;
    }
    Ok(())
}
