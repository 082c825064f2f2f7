//! [`Catalogue`] → text: Rust, the examples for the tests, and the docs.
//!
//! Emitters are infallible on a checked catalogue; what can still fail is a template, or Rust that does not parse, which
//! is a mistake of this crate and said as such.

mod docs;
mod examples;
mod offers;
mod routes;
mod schema;
mod search;
mod surfaces;
mod tables;
mod tokens;
mod tools;

use crate::Artifacts;
use crate::catalogue::Catalogue;
use proc_macro2::TokenStream;

/// Everything that is generated from a catalogue.
pub fn emit(catalogue: &Catalogue, templates: &[(String, String)]) -> Result<Artifacts, String> {
    let (common, constants) = tools::common(catalogue);
    let tools: TokenStream = catalogue.tools().map(|tool| tools::emit(tool, &common)).collect();
    let tables = tables::emit(catalogue);
    let surfaces = surfaces::emit(catalogue);
    let offers = offers::emit(catalogue);
    let mut rust = pretty(quote::quote! { #tables #surfaces #offers #constants #tools })?;
    rust.insert_str(0, "// Generated from tools.yaml. Do not edit: change the catalogue.\n\n");
    let examples = pretty(examples::emit(catalogue))?;
    let docs = docs::emit(catalogue, templates)?;
    let search = search::emit(catalogue);
    Ok(Artifacts { rust, examples, search, docs })
}

fn pretty(tokens: TokenStream) -> Result<String, String> {
    let file: syn::File =
        syn::parse2(tokens).map_err(|error| format!("the generator wrote Rust that does not parse: {error}"))?;
    Ok(prettyplease::unparse(&file))
}
