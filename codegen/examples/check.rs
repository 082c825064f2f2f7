//! Checks a catalogue and prints its mistakes: `cargo run -p proxmox-codegen --example check -- tools.yaml`.

use proxmox_codegen::{Source, compile};
use std::process::ExitCode;

fn main() -> ExitCode {
    let file = std::env::args().nth(1).unwrap_or_else(|| "tools.yaml".to_owned());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match compile(&Source { file: &file, text: &text, templates: &[] }) {
        Ok(artifacts) => {
            print!("{}", artifacts.rust);
            ExitCode::SUCCESS
        }
        Err(problems) => {
            for problem in problems {
                eprintln!("error: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}
