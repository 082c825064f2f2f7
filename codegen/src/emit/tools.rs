//! One module per tool: its arguments, how they are decoded, and the plan they make.

use super::routes::{self, derived_name, request, rest_value, returns_statics, template};
use super::tokens::{effect, ident, kind, length, number, option, pairs, text, tier, verb, words};
use crate::catalogue::*;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Arguments that several tools have, word for word: tokens → the name of their constant.
pub type Common = BTreeMap<String, Ident>;

/// The arguments that at least three tools share, and the constants that hold them.
pub fn common(catalogue: &Catalogue) -> (Common, TokenStream) {
    let mut seen: BTreeMap<String, (usize, TokenStream, String)> = BTreeMap::new();
    for one in catalogue.tools().flat_map(|tool| &tool.arguments) {
        let tokens = argument(one);
        let entry = seen.entry(tokens.to_string()).or_insert_with(|| (0, tokens, one.name.to_uppercase()));
        entry.0 += 1;
    }
    let mut common = Common::new();
    let mut constants = TokenStream::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (key, (count, tokens, name)) in seen {
        if count < 3 {
            continue;
        }
        let number = names.entry(name.clone()).and_modify(|number| *number += 1).or_insert(1);
        let constant = if *number == 1 { format_ident!("A_{name}") } else { format_ident!("A_{name}_{number}") };
        constants.extend(quote! { const #constant: Argument = #tokens; });
        common.insert(key, constant);
    }
    (common, constants)
}

pub fn emit(tool: &Tool, common: &Common) -> TokenStream {
    let module = ident(&tool.name);
    let doc = format!(" `{}`, line {} of the catalogue.", tool.name, tool.line);
    let count = Literal::usize_unsuffixed(tool.arguments.len());
    let arguments = tool.arguments.iter().map(|one| {
        let tokens = argument(one);
        common.get(&tokens.to_string()).map_or(tokens, |constant| quote!(#constant))
    });
    let arguments = quote!(pub static ARGUMENTS: [Argument; #count] = [#(#arguments),*];);
    if let Some(handler) = &tool.handler {
        let handler = ident(&handler.name);
        return quote! {
            #[doc = #doc]
            pub mod #module {
                use super::*;

                #arguments

                pub fn plan(f: &mut Fields<'_>) -> Result<Plan, BadArguments> {
                    crate::handlers::#handler(f, &ARGUMENTS)
                }
            }
        };
    }
    let args_doc = format!(" Arguments of `{}`.", tool.name);
    let fields = own(tool).map(|argument| {
        let (name, ty) = (ident(&argument.name), rust_type(argument));
        quote!(pub #name: #ty)
    });
    let facts = rest_facts(tool);
    let (decode, plan, derived) = (decode(tool), plan(tool), derived(tool));
    let returns = returns_statics(tool);
    let consumes = if own(tool).next().is_none() { quote!(let Args {} = self;) } else { TokenStream::new() };
    quote! {
        #[doc = #doc]
        pub mod #module {
            use super::*;

            #[doc = #args_doc]
            #[derive(Debug)]
            pub struct Args { #(#fields),* }

            #arguments
            #facts
            #returns

            impl Args {
                pub fn decode(f: &mut Fields<'_>) -> Result<Args, BadArguments> { #decode }
                pub fn plan(&self) -> Plan { #consumes #plan }
                #derived
            }

            pub fn plan(f: &mut Fields<'_>) -> Result<Plan, BadArguments> {
                let mut plan = Args::decode(f)?.plan();
                plan.notes.append(&mut f.take_notes());
                Ok(plan)
            }
        }
    }
}

/// Arguments that are fields of `Args`; the others are parts of one of these.
fn own(tool: &Tool) -> impl Iterator<Item = &Argument> {
    let guest = tool.argument("vmid").is_some_and(|argument| argument.form == Form::Guest);
    let upid = tool.arguments.iter().any(|argument| argument.form == Form::Upid);
    tool.arguments.iter().filter(move |argument| {
        let of_guest = guest && matches!(argument.name.as_str(), "node" | "kind");
        let of_upid = upid && argument.name == "node";
        let within = tool.arguments.iter().any(|one| one.within.as_deref() == Some(argument.name.as_str()));
        !(of_guest || of_upid || within || argument.form == Form::Path)
    })
}

fn rust_type(argument: &Argument) -> TokenStream {
    let ty = match argument.form {
        Form::Integer | Form::Number | Form::Boolean | Form::Choice if argument.segment => quote!(Segment),
        Form::Integer => quote!(i64),
        Form::Number => quote!(f64),
        Form::Boolean => quote!(bool),
        Form::List | Form::Argv => quote!(Vec<String>),
        Form::Guest => quote!(GuestRef),
        Form::Upid => quote!(Upid),
        Form::Volid => quote!(Volid),
        Form::Size => quote!(Size),
        Form::File => return quote!(FileSource),
        Form::Rest => quote!(RestPairs),
        Form::Expect => quote!(Vec<(String, String)>),
        Form::Object => quote!(Object),
        _ if argument.segment => quote!(Segment),
        Form::Text | Form::Choice | Form::Property | Form::Path => quote!(String),
    };
    if argument.required { ty } else { quote!(Option<#ty>) }
}

fn argument(argument: &Argument) -> TokenStream {
    let (name, doc, required, secret) = (&argument.name, &argument.doc, argument.required, argument.secret);
    let form = match argument.form {
        Form::Path => quote!(Form::Text),
        other => {
            let name = ident(&format!("{other:?}"));
            quote!(Form::#name)
        }
    };
    let rule = rule(argument);
    let default = match &argument.default {
        None => quote!(Preset::None),
        Some(Json::Bool(value)) => quote!(Preset::Boolean(#value)),
        Some(Json::Number(value)) if argument.form == Form::Integer => {
            let value = value.as_i64().unwrap_or_default();
            quote!(Preset::Integer(#value))
        }
        Some(Json::String(value)) => quote!(Preset::Text(#value)),
        Some(other) => {
            let value = other.to_string();
            quote!(Preset::Text(#value))
        }
    };
    let needs = option(argument.needs.as_ref().map(|(other, note)| quote!(Need { argument: #other, note: #note })));
    let mut set = vec![quote!(name: #name), quote!(doc: #doc), quote!(form: #form)];
    let mut some = |given: bool, tokens: TokenStream| set.extend(given.then_some(tokens));
    some(required, quote!(required: true));
    some(!rule.is_empty(), quote!(rule: #rule));
    some(argument.default.is_some(), quote!(default: #default));
    some(secret, quote!(secret: true));
    some(argument.needs.is_some(), quote!(needs: #needs));
    quote!(Argument { #(#set,)* ..Argument::NONE })
}

/// Only what the rule says; empty when it says nothing.
fn rule(argument: &Argument) -> TokenStream {
    let rule = &argument.rule;
    let values = words(rule.values.iter().map(String::as_str));
    let refused = pairs(rule.refused.iter().map(|(value, why)| (value.as_str(), why.as_str())));
    let except = pairs(rule.except.iter().map(|(param, why)| (param.as_str(), why.as_str())));
    let (minimum, maximum) = (number(rule.minimum), number(rule.maximum));
    let (min_length, max_length) = (length(rule.min_length), length(rule.max_length));
    let (format, pattern) = (text(rule.format), text(rule.pattern.as_deref()));
    let fact = option(argument.facts.first().map(|(method, param)| {
        let (verb, path, name) = (verb(method.verb), method.path, param.name);
        quote!(Fact::new(#verb, #path, #name))
    }));
    let mut set = Vec::new();
    let mut some = |given: bool, tokens: TokenStream| set.extend(given.then_some(tokens));
    some(!argument.facts.is_empty(), quote!(fact: #fact));
    some(!rule.values.is_empty(), quote!(values: #values));
    some(!rule.refused.is_empty(), quote!(refused: #refused));
    some(!rule.except.is_empty(), quote!(except: #except));
    some(rule.minimum.is_some(), quote!(minimum: #minimum));
    some(rule.maximum.is_some(), quote!(maximum: #maximum));
    some(rule.min_length.is_some(), quote!(min_length: #min_length));
    some(rule.max_length.is_some(), quote!(max_length: #max_length));
    some(rule.format.is_some(), quote!(format: #format));
    some(rule.pattern.is_some(), quote!(pattern: #pattern));
    some(rule.part, quote!(part: true));
    if set.is_empty() { TokenStream::new() } else { quote!(Rule { #(#set,)* ..Rule::NONE }) }
}

/// The methods that a `rest` argument is checked against, one per route.
fn rest_facts(tool: &Tool) -> TokenStream {
    if !tool.arguments.iter().any(|argument| argument.form == Form::Rest) {
        return TokenStream::new();
    }
    let facts = tool.routes.iter().map(|route| {
        let (verb, path) = (verb(route.request.method.verb), route.request.method.path);
        quote!(Fact { verb: #verb, path: #path, param: "" })
    });
    quote! { static FACTS: &[Fact] = &[#(#facts),*]; }
}

fn decode(tool: &Tool) -> TokenStream {
    let at = |name: &str| tool.arguments.iter().position(|argument| argument.name == name);
    let index = |name: &str| {
        let index = at(name).unwrap_or_default();
        let index = Literal::usize_unsuffixed(index);
        quote!(&ARGUMENTS[#index])
    };
    let mut lines = TokenStream::new();
    // Volume ids first: an argument may take its default from one.
    let volids = own(tool).filter(|argument| argument.form == Form::Volid);
    for argument in volids.chain(own(tool).filter(|argument| argument.form != Form::Volid)) {
        let (name, this) = (ident(&argument.name), index(&argument.name));
        let value = match argument.form {
            Form::Guest => {
                let (node, kind) = (index("node"), index("kind"));
                quote!(f.guest(#this, #node, #kind))
            }
            Form::Upid => {
                let node = option(at("node").map(|_| index("node")));
                quote!(f.upid(#this, #node))
            }
            Form::Volid => {
                let storage = option(argument.within.as_ref().map(|within| index(within)));
                quote!(f.volid(#this, #storage))
            }
            Form::File => {
                let path = tool.arguments.iter().find(|one| one.form == Form::Path).map(|one| index(&one.name));
                quote!(f.file(#this, #path))
            }
            Form::Rest => quote!(f.rest(#this, FACTS)),
            Form::Integer | Form::Number | Form::Boolean | Form::Choice if argument.segment => quote!(f.segment(#this)),
            Form::Integer => quote!(f.integer(#this)),
            Form::Number => quote!(f.number(#this)),
            Form::Boolean => quote!(f.boolean(#this)),
            Form::List => quote!(f.list(#this)),
            Form::Argv => quote!(f.argv(#this)),
            Form::Size => quote!(f.size(#this)),
            Form::Expect => quote!(f.expect(#this)),
            Form::Object => quote!(f.object(#this)),
            Form::Property => quote!(f.property(#this)),
            _ if argument.segment => quote!(f.segment(#this)),
            Form::Choice => quote!(f.choice(#this)),
            Form::Text | Form::Path => quote!(f.text(#this)),
        };
        lines.extend(quote! { let #name = #value; });
        if let Some(DefaultFrom::VolidVmid(volid)) = &argument.default_from {
            let volid = ident(volid);
            lines.extend(quote! {
                let #name = #name.or_else(|| #volid.as_ref().and_then(Volid::vmid).map(i64::from));
                if #name.is_none() && #volid.is_some() && !f.given(#this) {
                    f.refuse(#this, "the volume's name does not tell an id; say it".to_owned());
                }
            });
        }
    }
    for argument in &tool.arguments {
        if let Some((needed, _)) = &argument.needs {
            let (this, needed) = (index(&argument.name), ident(needed));
            lines.extend(quote! { f.need(#this, #needed.is_some()); });
        }
    }
    lines.extend(clashes(tool, &index));
    let required: Vec<_> = own(tool)
        .filter(|argument| argument.required || argument.form == Form::File)
        .map(|one| ident(&one.name))
        .collect();
    let names = own(tool).map(|argument| ident(&argument.name));
    let bind = match required.as_slice() {
        [] => TokenStream::new(),
        [one] => quote! { let Some(#one) = #one else { return Err(f.refused()) }; },
        many => quote! { let (#(Some(#many)),*) = (#(#many),*) else { return Err(f.refused()) }; },
    };
    quote! {
        #lines
        f.finish()?;
        #bind
        Ok(Args { #(#names),* })
    }
}

/// A parameter may be made from arguments or stand in the `rest`, not both.
fn clashes(tool: &Tool, index: &dyn Fn(&str) -> TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut seen: Vec<&str> = Vec::new();
    for rest in tool.arguments.iter().filter(|argument| argument.form == Form::Rest) {
        for send in tool.routes.iter().flat_map(|route| &route.request.params) {
            let From::Derived(template) = &send.from else { continue };
            if seen.contains(&send.name.as_str()) {
                continue;
            }
            seen.push(&send.name);
            let made = template.parts.iter().filter_map(|part| match part {
                TemplatePart::Value(source) => tool.argument(&source.argument),
                TemplatePart::Text(_) => None,
            });
            let made = made.filter(|argument| argument.default.is_none()).map(|argument| {
                let field = ident(&argument.name);
                quote!(#field.is_some())
            });
            let (this, options, name) = (index(&rest.name), ident(&rest.name), &send.name);
            out.extend(quote! { f.clash(#this, #options.as_ref(), #name, #(#made)&&*); });
        }
    }
    out
}

fn plan(tool: &Tool) -> TokenStream {
    let locate = match &tool.locate {
        Locate::Nothing => quote!(Locate::Nothing),
        Locate::Guest => quote!(Locate::Guest(self.vmid.clone())),
        Locate::Archive(ask) => {
            let (volid, said) = (ident(&ask.volid), ident(&ask.argument));
            let (request, (field, row)) = (request(tool, &ask.request), &ask.row);
            let row = routes::row(tool, row);
            let (tells, argument) = (&ask.field, &ask.argument);
            quote! {
                Locate::Archive(
                    ArchiveRef {
                        volid: self.#volid.clone(),
                        kind: self.#said.as_deref().and_then(Kind::parse),
                    },
                    Ask {
                        request: #request,
                        row: (#field, #row),
                        field: #tells,
                        argument: #argument,
                    },
                )
            }
        }
    };
    let mut lines = routes(tool);
    for argument in &tool.arguments {
        let given = given(argument);
        let name = &argument.name;
        if let Some(only) = argument.only {
            let only = kind(only);
            lines.extend(quote! { plan.only(#given, #name, #only); });
        }
        if let Some(raise) = &argument.raises {
            let (tier, effect, because) = (tier(raise.tier), effect(raise.effect), &raise.because);
            let when = if argument.form == Form::Boolean {
                let field = ident(name);
                if argument.required { quote!(self.#field) } else { quote!(self.#field.unwrap_or(false)) }
            } else {
                given
            };
            lines.extend(quote! { plan.raise(#when, #name, #tier, #effect, #because); });
        }
        if argument.form == Form::Rest {
            let rest = rest_value(tool, name);
            for (index, route) in tool.routes.iter().enumerate() {
                if let Some(one) = route.kind.filter(|_| tool.routes.len() > 1) {
                    let has = kind(one.other());
                    lines.extend(quote! { plan.lacking(#name, #rest, #index, #has); });
                }
            }
        }
    }
    let filters = tool.routes.iter().flat_map(|route| &route.returns.filters).map(|filter| filter.argument.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for argument in filters {
        if seen.contains(&argument) {
            continue;
        }
        seen.push(argument);
        let field = ident(argument);
        let value = match tool.argument(argument) {
            Some(one) if one.required => quote!(Some(self.#field.to_string())),
            _ => quote!(self.#field.as_ref().map(ToString::to_string)),
        };
        lines.extend(quote! { plan.filter(#argument, #value); });
    }
    for guard in &tool.guards {
        lines.extend(self::guard(tool, guard));
    }
    if let Some(file) = tool.arguments.iter().find(|argument| argument.form == Form::File) {
        let field = ident(&file.name);
        lines.extend(quote! { plan.file = Some(self.#field.clone()); });
    }
    let has = |name: &str| tool.arguments.iter().any(|argument| argument.name == name);
    if tool.waiter.is_some() && has("wait") {
        lines.extend(quote! { plan.wait = self.wait.and_then(|seconds| u64::try_from(seconds).ok()); });
    }
    let returns = || tool.routes.iter().map(|route| &route.returns);
    if returns().any(|returns| returns.page.is_some()) {
        lines.extend(quote! {
            plan.view.limit = self.limit.and_then(|rows| u64::try_from(rows).ok());
            plan.view.offset = self.offset.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0);
        });
    }
    if returns().any(Returns::paged) {
        lines.extend(quote! { plan.view.fields = self.fields.clone().unwrap_or_default(); });
    }
    if returns().any(|returns| !returns.columns.is_empty()) {
        lines.extend(quote! { plan.view.table = self.form.as_deref() == Some("table"); });
    }
    if let Some((count, start)) = returns().find_map(|returns| returns.last.as_ref()) {
        let (count, begin) = (ident(count), ident(start));
        lines.extend(quote! {
            if self.#begin.is_none() {
                plan.view.last = self.#count.and_then(|rows| u64::try_from(rows).ok()).map(|rows| (rows, #start));
            }
        });
    }
    quote! {
        let mut plan = Plan::new(#locate);
        #lines
        plan
    }
}

/// One route, one per kind, or the one that a case chooses.
fn routes(tool: &Tool) -> TokenStream {
    let all = tool.routes.iter().enumerate();
    let Some((subject, _)) = tool.routes.iter().find_map(|route| route.when.as_ref()) else {
        return all.map(|(index, route)| routes::route(tool, index, route)).collect();
    };
    let field = ident(subject);
    let mut arms = TokenStream::new();
    let mut texts = false;
    for (index, route) in all {
        let body = routes::route(tool, index, route);
        match route.when.as_ref().map(|(_, when)| when) {
            Some(When::Given) => arms.extend(quote! { Some(#field) => { let _ = #field; #body } }),
            Some(When::Absent) => arms.extend(quote! { None => { #body } }),
            Some(When::Is(value)) => {
                texts = true;
                match value.as_str() {
                    "true" => arms.extend(quote! { Some(true) => { #body } }),
                    "false" => arms.extend(quote! { _ => { #body } }),
                    value => arms.extend(quote! { Some(#value) => { #body } }),
                }
            }
            None => arms.extend(body),
        }
    }
    let boolean = tool.argument(subject).is_some_and(|argument| argument.form == Form::Boolean);
    let required = tool.argument(subject).is_some_and(|argument| argument.required);
    let subject = match (texts, boolean, required) {
        (true, true, true) => quote!(Some(self.#field)),
        (true, true, false) => quote!(self.#field),
        (true, false, true) => quote!(Some(self.#field.as_str())),
        (true, false, false) => quote!(self.#field.as_deref()),
        (false, ..) => quote!(&self.#field),
    };
    // The decoder let through nothing but the values of the cases.
    let rest = if texts && !boolean {
        quote! { _ => {} }
    } else {
        TokenStream::new()
    };
    quote! { match #subject { #arms #rest } }
}

fn given(argument: &Argument) -> TokenStream {
    let field = ident(&argument.name);
    if argument.required { quote!(true) } else { quote!(self.#field.is_some()) }
}

fn guard(tool: &Tool, guard: &Guard) -> TokenStream {
    match guard {
        Guard::Digest { request: read, show, expect } => {
            let read = request(tool, read);
            let expect = match expect {
                Some(argument) => {
                    let field = ident(argument);
                    quote!(self.#field.clone().unwrap_or_default())
                }
                None => quote!(Vec::new()),
            };
            quote! {
                plan.guards.push(Guard::Digest { request: #read, show: #show, expect: #expect });
            }
        }
        Guard::Absent { request: read, row: (field, row), unless, say } => {
            let (read, row) = (request(tool, read), routes::row(tool, row));
            let push = quote! {
                plan.guards.push(Guard::Absent {
                    request: #read,
                    row: (#field, #row),
                    say: #say,
                });
            };
            match unless {
                Some(argument) => {
                    let field = ident(argument);
                    quote! { if !self.#field.unwrap_or(false) { #push } }
                }
                None => push,
            }
        }
        Guard::Vacant { id, replace } => {
            let field = ident(id);
            let required = tool.argument(id).is_some_and(|argument| argument.required);
            let value = if required { quote!(Some(self.#field)) } else { quote!(self.#field) };
            let replace = match replace {
                Some(argument) => {
                    let field = ident(argument);
                    quote!(self.#field.unwrap_or(false))
                }
                None => quote!(false),
            };
            quote! {
                if let Some(vmid) = #value.and_then(|id| u32::try_from(id).ok()) {
                    plan.guards.push(Guard::Vacant { vmid, replace: #replace, argument: #id });
                }
            }
        }
    }
}

/// The methods that make derived texts.
fn derived(tool: &Tool) -> TokenStream {
    let mut out = TokenStream::new();
    let mut seen: Vec<&str> = Vec::new();
    for send in tool.routes.iter().flat_map(|route| &route.request.params) {
        if let From::Derived(one) = &send.from
            && !seen.contains(&send.name.as_str())
        {
            seen.push(&send.name);
            let (name, value) = (derived_name(&send.name), template(tool, one));
            out.extend(quote! { fn #name(&self) -> Option<String> { #value } });
        }
    }
    out
}
