//! The static tables: tools, toolsets, dialects, hints, waiters.

use super::docs::privileges;
use super::tokens::{constant, effect, fields, ident, kind, option, pairs, tier, verb};
use super::{routes, schema};
use crate::catalogue::{Catalogue, Hint, Locate, Told, ToldPart, Tool, Waiter, When};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

pub fn emit(catalogue: &Catalogue) -> TokenStream {
    let tools = catalogue.toolsets.iter().flat_map(|set| set.tools.iter().map(|one| tool(catalogue, &set.name, one)));
    let toolsets = catalogue.toolsets.iter().map(|set| {
        let (name, title, doc) = (&set.name, &set.title, &set.doc);
        quote!(Toolset { name: #name, title: #title, doc: #doc })
    });
    let dialects = catalogue.dialects.iter().map(|dialect| {
        let (name, title) = (&dialect.name, &dialect.title);
        quote!(Dialect { name: #name, title: #title })
    });
    let hints = hints(&catalogue.hints);
    let units = pairs(catalogue.units.iter().map(|(field, unit)| (field.as_str(), unit.as_str())));
    let waiters = catalogue.waiters.iter().map(waiter);
    let count = Literal::usize_unsuffixed(catalogue.tools().count());
    quote! {
        /// Every tool, in catalogue order.
        pub static TOOLS: [Tool; #count] = [#(#tools),*];
        pub static TOOLSETS: &[Toolset] = &[#(#toolsets),*];
        pub static DIALECTS: &[Dialect] = &[#(#dialects),*];
        /// Advice for errors of the API, whatever the tool.
        pub static HINTS: &[Hint] = #hints;
        /// Field of an answer → its unit.
        pub static UNITS: &[(&str, &str)] = #units;
        #(#waiters)*
    }
}

/// The parameters without which no call takes this route.
fn always(tool: &Tool, route: &crate::catalogue::Route) -> Vec<TokenStream> {
    use crate::catalogue::{From, TemplatePart};
    let given = |name: &str| {
        tool.argument(name).is_some_and(|argument| argument.required)
            || matches!(&route.when, Some((argument, When::Given | When::Is(_))) if argument == name)
    };
    let sent = route.request.params.iter().filter_map(|send| {
        let name = &send.name;
        match &send.from {
            From::Fixed(value) => Some(quote!((#name, Some(#value)))),
            From::Argument(argument) if given(argument) => Some(quote!((#name, None))),
            From::Derived(template) => {
                let value = |part: &TemplatePart| match part {
                    TemplatePart::Text(_) => true,
                    TemplatePart::Value(source) => given(&source.argument),
                };
                template.parts.iter().all(value).then(|| quote!((#name, None)))
            }
            From::Argument(_) | From::Vmid | From::Digest(_) | From::Rest(_) => None,
        }
    });
    sent.collect()
}

/// The reads beside a tool's own requests. What finds a guest or tells the kind of an archive is left out where the
/// caller says it, and some further reads may fail.
fn beside(tool: &Tool) -> Vec<TokenStream> {
    use crate::catalogue::From;
    let mut list: Vec<(&'static str, bool, Vec<TokenStream>)> = Vec::new();
    let found = usize::from(!matches!(tool.locate, Locate::Nothing));
    for (index, (method, _)) in privileges::around(tool).into_iter().enumerate() {
        // Of everything that is listed there, only guests are looked for.
        let guests = (method.path == "/cluster/resources").then(|| quote!(("type", Some("vm"))));
        list.push((method.path, index >= found, guests.into_iter().collect()));
    }
    for also in tool.routes.iter().flat_map(|route| &route.also) {
        let fixed = also.request.params.iter().filter_map(|send| match &send.from {
            From::Fixed(value) => {
                let name = &send.name;
                Some(quote!((#name, Some(#value))))
            }
            _ => None,
        });
        list.push((also.request.method.path, !also.optional, fixed.collect()));
    }
    let line = |(path, needed, always): (&str, bool, Vec<TokenStream>)| quote!(Beside { path: #path, needed: #needed, always: &[#(#always),*] });
    let mut lines: Vec<TokenStream> = Vec::new();
    for line in list.into_iter().map(line) {
        if !lines.iter().any(|known| known.to_string() == line.to_string()) {
            lines.push(line);
        }
    }
    lines
}

fn tool(catalogue: &Catalogue, toolset: &str, tool: &Tool) -> TokenStream {
    let (name, title, doc, line) = (&tool.name, &tool.title, &tool.doc, Literal::usize_unsuffixed(tool.line));
    let (tier, most, effect) = (tier(tool.tier), effect(tool.most()), effect(tool.effect));
    let module = ident(&tool.name);
    let routes = tool.routes.iter().enumerate().map(|(index, route)| {
        let kind = option(route.kind.map(kind));
        let (verb, path) = (verb(route.request.method.verb), route.request.method.path);
        let when = match &route.when {
            None => String::new(),
            Some((argument, When::Given)) => format!("`{argument}` is given"),
            Some((argument, When::Absent)) => format!("`{argument}` is left out"),
            Some((argument, When::Is(value))) => format!("`{argument}` is {value}"),
        };
        let returns = routes::returns_name(tool, index);
        let always = always(tool, route);
        quote! {
            Route { kind: #kind, verb: #verb, path: #path, when: #when, returns: &#module::#returns, always: &[#(#always),*] }
        }
    });
    let unsupported = tool.unsupported.iter().map(|(one, why)| {
        let one = kind(*one);
        quote!((#one, #why))
    });
    let waiter = option(tool.waiter.as_ref().map(|waiter| {
        let name = constant(&format!("wait_{waiter}"));
        quote!(&#name)
    }));
    let beside = beside(tool);
    let (told, core) = (told(&tool.told), tool.core);
    let hints = hints(&tool.hints);
    let handled = tool.handler.is_some();
    let output = schema::output(catalogue, tool).to_string();
    quote! {
        Tool {
            name: #name,
            title: #title,
            doc: #doc,
            toolset: #toolset,
            core: #core,
            tier: #tier,
            effect: #effect,
            most: #most,
            arguments: &#module::ARGUMENTS,
            routes: &[#(#routes),*],
            beside: &[#(#beside),*],
            unsupported: &[#(#unsupported),*],
            waiter: #waiter,
            told: #told,
            hints: #hints,
            output_schema: #output,
            line: #line,
            handled: #handled,
            plan: #module::plan,
        }
    }
}

fn told(list: &[Told]) -> TokenStream {
    let list = list.iter().map(|told| {
        let field = &told.field;
        let lines = told.lines.iter().map(|(log, parts)| {
            let parts = parts.iter().map(|part| match part {
                ToldPart::Text(text) => quote!(ToldPart::Text(#text)),
                ToldPart::Sent(name) => quote!(ToldPart::Sent(#name)),
                ToldPart::Found => quote!(ToldPart::Found),
            });
            quote!((#log, &[#(#parts),*]))
        });
        quote!(Told { field: #field, lines: &[#(#lines),*] })
    });
    quote!(&[#(#list),*])
}

fn hints(list: &[Hint]) -> TokenStream {
    let list = list.iter().map(|hint| {
        let (status, has, say, retry) =
            (option(hint.status.map(|status| quote!(#status))), &hint.has, &hint.say, hint.retry);
        quote!(Hint { status: #status, has: #has, say: #say, retry: #retry })
    });
    quote!(&[#(#list),*])
}

fn waiter(waiter: &Waiter) -> TokenStream {
    let (constant, name) = (constant(&format!("wait_{}", waiter.name)), &waiter.name);
    let (poll, log) = (waiter.poll.path, waiter.log.map_or("", |method| method.path));
    let from = pairs(waiter.from.iter().map(|(name, field)| (name.as_str(), field.as_str())));
    let outcomes = waiter.outcomes.iter().map(|(condition, outcome)| {
        let condition = match condition {
            None => quote!(Condition::Always),
            Some(one) => {
                let (field, text) = (&one.field, &one.text);
                if one.starts { quote!(Condition::Starts(#field, #text)) } else { quote!(Condition::Is(#field, #text)) }
            }
        };
        let outcome = match outcome.as_str() {
            "ok" => quote!(Outcome::Ok),
            "warnings" => quote!(Outcome::Warnings),
            "failed" => quote!(Outcome::Failed),
            _ => quote!(Outcome::Running),
        };
        quote!((#condition, #outcome))
    });
    let (once, resume, stop, fields) = (waiter.once, &waiter.resume, &waiter.stop, fields(&waiter.fields));
    quote! {
        pub static #constant: Waiter = Waiter {
            name: #name,
            poll: #poll,
            from: #from,
            outcomes: &[#(#outcomes),*],
            log: #log,
            once: #once,
            resume: #resume,
            stop: #stop,
            fields: #fields,
        };
    }
}
