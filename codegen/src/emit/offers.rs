//! The static tables of what is offered around the tools.

use super::tokens::{pairs, text, words};
use crate::catalogue::*;
use crate::check::offers::GUEST;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

pub fn emit(catalogue: &Catalogue) -> TokenStream {
    let completions = catalogue.completions.iter().map(completion);
    let resources = catalogue.resources.iter().map(resource);
    let prompts = catalogue.prompts.iter().map(prompt);
    let instructions = catalogue.instructions.iter().map(|one| {
        let (when, say) = (one.when.iter().map(|word| condition(word)), sentence(&one.say));
        quote!(Instruction { when: &[#(#when),*], say: #say })
    });
    quote! {
        /// Where the values of each kind of name are read.
        pub static COMPLETIONS: &[Completion] = &[#(#completions),*];
        pub static RESOURCES: &[Resource] = &[#(#resources),*];
        pub static PROMPTS: &[Prompt] = &[#(#prompts),*];
        /// What an assistant reads at the start, sentence by sentence.
        pub static INSTRUCTIONS: &[Instruction] = &[#(#instructions),*];
    }
}

fn completion(one: &Completion) -> TokenStream {
    let name = &one.name;
    let path = one.path.iter().map(|place| match place {
        Place::Literal(text) => quote!(Place::Literal(#text)),
        Place::Given(kind) => quote!(Place::Given(#kind)),
        Place::Guest => quote!(Place::Guest(#GUEST)),
    });
    let fixed = pairs(one.fixed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let values = words(one.values.iter().map(String::as_str));
    let only = pairs(one.only.iter().map(|(field, kind)| (field.as_str(), kind.as_str())));
    let drop = one.drop.iter().map(|(field, values)| {
        let values = words(values.iter().map(String::as_str));
        quote!((#field, #values))
    });
    quote!(Completion {
        name: #name, path: &[#(#path),*], fixed: #fixed, values: #values, only: #only, drop: &[#(#drop),*]
    })
}

fn resource(one: &Resource) -> TokenStream {
    let (name, uri, title, doc, tool) = (&one.name, &one.uri, &one.title, &one.doc, &one.tool);
    let args = given(&one.args);
    quote!(Resource { name: #name, uri: #uri, title: #title, doc: #doc, tool: #tool, args: #args })
}

fn prompt(one: &Prompt) -> TokenStream {
    let (name, title, doc) = (&one.name, &one.title, &one.doc);
    let args = one.args.iter().map(|one| {
        let (name, doc, required, completes) = (&one.name, &one.doc, one.required, text(one.completes.as_deref()));
        quote!(PromptArgument { name: #name, doc: #doc, required: #required, completes: #completes })
    });
    let steps = one.steps.iter().map(|one| {
        let (tool, when, unless) = (text(one.tool.as_deref()), text(one.when.as_deref()), text(one.unless.as_deref()));
        let (args, optional, say) = (given(&one.args), one.optional, sentence(&one.say));
        quote!(Step { tool: #tool, args: #args, when: #when, unless: #unless, optional: #optional, say: #say })
    });
    quote!(Prompt { name: #name, title: #title, doc: #doc, args: &[#(#args),*], steps: &[#(#steps),*] })
}

fn given(list: &[(String, Given)]) -> TokenStream {
    let list = list.iter().map(|(argument, given)| match given {
        Given::Fixed(value) => {
            let json = super::tokens::json(value);
            quote!((#argument, Given::Fixed(#json)))
        }
        Given::Place(name) => quote!((#argument, Given::Place(#name))),
    });
    quote!(&[#(#list),*])
}

fn sentence(words: &[Word]) -> TokenStream {
    let words = words.iter().map(|word| match word {
        Word::Text(text) => quote!(Word::Text(#text)),
        Word::Given(name) => quote!(Word::Given(#name)),
        Word::Tool(name) => quote!(Word::Tool(#name)),
    });
    quote!(&[#(#words),*])
}

/// `cancel-stops-tasks` → `Condition::CancelStopsTasks`, under a name that says whose conditions they are.
fn condition(word: &str) -> TokenStream {
    let mut name = String::new();
    for part in word.split('-') {
        let (first, rest) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        name.push_str(&first.to_uppercase());
        name.push_str(rest);
    }
    let name = Ident::new(&name, Span::call_site());
    quote!(Holds::#name)
}
