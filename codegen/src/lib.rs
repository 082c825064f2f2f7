//! The generator: a catalogue of tools in, Rust, schemas and docs out.
//!
//! `parse → check → catalogue → emit`, each step total on what the one before hands it. Only `build.rs` calls this; the
//! server binary holds none of it. Knows the facts of the API; knows nothing of HTTP or of MCP's wire.

pub mod catalogue;
mod check;
pub mod diagnostic;
mod emit;
pub mod path;
mod read;
pub mod spec;
pub mod tree;

use diagnostic::Diagnostics;

/// What is generated from.
pub struct Source<'a> {
    /// The catalogue's name in messages, such as `tools.yaml`.
    pub file: &'a str,
    pub text: &'a str,
    /// (file name, text) of the prose templates.
    pub templates: &'a [(String, String)],
}

/// What is generated.
pub struct Artifacts {
    /// The catalogue as a Rust file to `include!`.
    pub rust: String,
    /// The examples as a Rust file for the tests to `include!`.
    pub examples: String,
    /// What methods are found by, as a Rust file to `include!`.
    pub search: String,
    /// (path below `docs/`, text).
    pub docs: Vec<(String, String)>,
}

/// Compiles a catalogue. The error is one text per mistake, sorted by place.
pub fn compile(source: &Source<'_>) -> Result<Artifacts, Vec<String>> {
    let mut diagnostics = Diagnostics::default();
    let catalogue = tree::parse(source.text, &mut diagnostics).and_then(|root| {
        let spec = read::read(&root, &mut diagnostics);
        check::check(&spec, &mut diagnostics)
    });
    match catalogue {
        Some(catalogue) if diagnostics.is_empty() => {
            emit::emit(&catalogue, source.templates).map_err(|error| vec![error])
        }
        _ => Err(diagnostics.render(source.file, source.text)),
    }
}
