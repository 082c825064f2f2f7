//! Small pieces of Rust that several emitters write.

use crate::catalogue::{Field, Kind};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use proxmox_spec::{Effect, Tier, Verb};
use quote::{ToTokens, quote};
use serde_json::Value as Json;

/// A name as an identifier; a keyword becomes a raw one.
pub fn ident(name: &str) -> Ident {
    syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()))
}

/// The name of a static.
pub fn constant(name: &str) -> Ident {
    Ident::new(&name.to_uppercase().replace('-', "_"), Span::call_site())
}

pub fn tier(tier: Tier) -> TokenStream {
    let name = Ident::new(&format!("{tier:?}"), Span::call_site());
    quote!(Tier::#name)
}

pub fn effect(effect: Effect) -> TokenStream {
    let name = Ident::new(&format!("{effect:?}"), Span::call_site());
    quote!(Effect::#name)
}

pub fn verb(verb: Verb) -> TokenStream {
    let name = Ident::new(&format!("{verb:?}"), Span::call_site());
    quote!(Verb::#name)
}

pub fn kind(kind: Kind) -> TokenStream {
    match kind {
        Kind::Qemu => quote!(Kind::Qemu),
        Kind::Lxc => quote!(Kind::Lxc),
    }
}

pub fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}

pub fn text(value: Option<&str>) -> TokenStream {
    option(value.map(|value| quote!(#value)))
}

pub fn number(value: Option<f64>) -> TokenStream {
    option(value.map(|value| Literal::f64_unsuffixed(value).to_token_stream()))
}

pub fn length(value: Option<u32>) -> TokenStream {
    option(value.map(|value| Literal::u32_unsuffixed(value).to_token_stream()))
}

/// `&[("a", "b")]`.
pub fn pairs<'a>(list: impl IntoIterator<Item = (&'a str, &'a str)>) -> TokenStream {
    let list = list.into_iter().map(|(a, b)| quote!((#a, #b)));
    quote!(&[#(#list),*])
}

/// `&["a", "b"]`.
pub fn words<'a>(list: impl IntoIterator<Item = &'a str>) -> TokenStream {
    let list = list.into_iter();
    quote!(&[#(#list),*])
}

pub fn fields(list: &[Field]) -> TokenStream {
    let list = list.iter().map(|field| {
        let (from, to) = (&field.from, &field.to);
        quote!(Field::new(#from, #to))
    });
    quote!(&[#(#list),*])
}

/// Compact JSON.
pub fn json(value: &Json) -> String {
    value.to_string()
}
