//! The names under which tools are listed and called: the canonical ones, then each dialect's.

use super::schema;
use super::tokens::{json, pairs, text};
use crate::catalogue::*;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

pub fn emit(catalogue: &Catalogue) -> TokenStream {
    let canonical = catalogue.tools().enumerate().map(|(index, tool)| surface(catalogue, index, tool, None));
    let theirs = catalogue.dialects.iter().flat_map(|dialect| {
        catalogue.tools().enumerate().flat_map(move |(index, tool)| {
            tool.names
                .iter()
                .filter(|name| name.dialect == dialect.name)
                .map(move |name| surface(catalogue, index, tool, Some(name)))
        })
    });
    let all: Vec<TokenStream> = canonical.chain(theirs).collect();
    quote! {
        /// Every name of every tool: the canonical ones first, then dialect by dialect.
        pub static SURFACES: &[Surface] = &[#(#all),*];
    }
}

fn surface(catalogue: &Catalogue, index: usize, tool: &Tool, name: Option<&Name>) -> TokenStream {
    let index = Literal::usize_unsuffixed(index);
    let listed = name.map_or(&tool.name, |name| &name.name);
    let dialect = text(name.map(|name| name.dialect.as_str()));
    let title = name.and_then(|name| name.title.as_ref()).unwrap_or(&tool.title);
    let description = description(catalogue, tool, name);
    let schema = schema::input(tool, name).to_string();
    let rename =
        pairs(name.iter().flat_map(|name| &name.rename).map(|(ours, theirs)| (theirs.as_str(), ours.as_str())));
    let json_pairs = |list: &[(String, serde_json::Value)]| {
        let list = list.iter().map(|(argument, value)| {
            let value = json(value);
            quote!((#argument, #value))
        });
        quote!(&[#(#list),*])
    };
    let preset = json_pairs(name.map_or(&[], |name| &name.preset));
    let defaults = json_pairs(name.map_or(&[], |name| &name.defaults));
    let values = name.iter().flat_map(|name| &name.values).map(|(argument, theirs, ours)| {
        let (theirs, ours) = (json(theirs), json(ours));
        quote!((#argument, #theirs, #ours))
    });
    let ignores = pairs(name.iter().flat_map(|name| &name.ignores).map(|(one, note)| (one.as_str(), note.as_str())));
    quote! {
        Surface {
            name: #listed,
            dialect: #dialect,
            tool: &TOOLS[#index],
            title: #title,
            description: #description,
            input_schema: #schema,
            rename: #rename,
            preset: #preset,
            values: &[#(#values),*],
            defaults: #defaults,
            ignores: #ignores,
        }
    }
}

/// The tool's text, in which other tools go by the names that this dialect lists.
pub fn description(catalogue: &Catalogue, tool: &Tool, name: Option<&Name>) -> String {
    let Some(name) = name else { return tool.doc.clone() };
    let doc = name.doc.as_ref().unwrap_or(&tool.doc);
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let theirs = catalogue.tools().find(|one| one.name == *word).and_then(|other| {
            let known = || other.names.iter().filter(|one| one.dialect == name.dialect);
            known().find(|one| one.preset == name.preset).or_else(|| known().next())
        });
        out.push_str(theirs.map_or(word.as_str(), |theirs| &theirs.name));
        word.clear();
    };
    for c in doc.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}
