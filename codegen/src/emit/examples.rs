//! The examples as a table for the tests, and a macro that makes one test of each.

use super::tokens::json;
use crate::catalogue::Catalogue;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

pub fn emit(catalogue: &Catalogue) -> TokenStream {
    let mut rows = Vec::new();
    let mut tests = Vec::new();
    let mut tools = Vec::new();
    for tool in catalogue.tools() {
        let name = &tool.name;
        let test = format_ident!("{}", name);
        tools.push(quote!(#test));
        for (index, example) in tool.examples.iter().enumerate() {
            let (args, given) = (json(&example.args), json(&example.given));
            let sends = &example.sends;
            let before = example.before.iter().map(|(tool, args)| {
                let args = json(args);
                quote!((#tool, #args))
            });
            let test = format_ident!("{}_{}", name, index + 1);
            let row = Literal::usize_unsuffixed(rows.len());
            tests.push(quote!((#test, #row)));
            rows.push(quote! {
                Example {
                    tool: #name,
                    args: #args,
                    given: #given,
                    sends: &[#(#sends),*],
                    before: &[#(#before),*],
                }
            });
        }
    }
    quote! {
        pub struct Example {
            pub tool: &'static str,
            /// JSON text.
            pub args: &'static str,
            pub given: &'static str,
            pub sends: &'static [&'static str],
            /// Calls that must come first: (tool, arguments as JSON text).
            pub before: &'static [(&'static str, &'static str)],
        }
        pub static EXAMPLES: &[Example] = &[#(#rows),*];
        /// Calls the macro with every example: `(name, index)`.
        #[allow(unused_macros)]
        macro_rules! each_example { ($then:ident) => { $then! { #(#tests)* } } }
        /// Calls the macro with every tool's name.
        #[allow(unused_macros)]
        macro_rules! each_tool { ($then:ident) => { $then! { #(#tools)* } } }
    }
}
