//! What a route sends and answers: the body of a tool's `plan`, and its static `Returns`.

use super::tokens::{fields, ident, kind, pairs, verb, words};
use crate::catalogue::*;
use proc_macro2::{Ident, Span, TokenStream};
use proxmox_spec::Type;
use quote::{format_ident, quote};

/// The static of a route's answer: `RETURNS_0`, which both kinds share where they answer alike.
pub fn returns_name(tool: &Tool, index: usize) -> Ident {
    let any = format_ident!("ANY");
    let same = |route: &Route| returns(&any, &route.returns).to_string();
    let mine = tool.routes.get(index).map(same);
    let first = tool.routes.iter().position(|route| Some(same(route)) == mine).unwrap_or(index);
    format_ident!("RETURNS_{first}")
}

/// The statics of a tool's answers, one per route and further read.
pub fn returns_statics(tool: &Tool) -> TokenStream {
    let mut out = TokenStream::new();
    for (index, route) in tool.routes.iter().enumerate() {
        let name = returns_name(tool, index);
        if name == format_ident!("RETURNS_{index}") {
            out.extend(returns(&name, &route.returns));
        }
        if index == 0 {
            for also in &route.also {
                out.extend(returns(&also_name(also), &also.returns));
            }
        }
    }
    out
}

fn also_name(also: &Also) -> Ident {
    Ident::new(&format!("ALSO_{}", also.field.to_uppercase()), Span::call_site())
}

fn returns(name: &Ident, returns: &Returns) -> TokenStream {
    let form = match &returns.answer {
        Answer::Done => quote!(Answer::Done),
        Answer::Task => quote!(Answer::Task),
        Answer::Object => quote!(Answer::Object),
        Answer::List(key) => quote!(Answer::List(#key)),
        Answer::Values(key) => quote!(Answer::Values(#key)),
        Answer::Value(key) => quote!(Answer::Value(#key)),
        Answer::Split => quote!(Answer::Split),
    };
    let shown = fields(&returns.fields);
    let filters = returns.filters.iter().map(|filter| {
        let (argument, field) = (&filter.argument, &filter.field);
        let by = match filter.by {
            Match::Equals => quote!(Match::Equals),
            Match::Pattern => quote!(Match::Pattern),
            Match::Word => quote!(Match::Word),
        };
        quote!(Filter::new(#argument, #field, #by))
    });
    let rows = |list: &[(String, Vec<String>)]| {
        let list = list.iter().map(|(field, values)| {
            let values = words(values.iter().map(String::as_str));
            quote!((#field, #values))
        });
        quote!(&[#(#list),*])
    };
    let (only, drop) = (rows(&returns.only), rows(&returns.drop));
    let sort = super::tokens::text(returns.sort.as_deref());
    let page = super::tokens::length(returns.page);
    let columns = words(returns.columns.iter().map(String::as_str));
    let parts = returns.parts.iter().map(|part| {
        let (to, (field, value)) = (&part.to, &part.of);
        let take = match &part.take {
            Take::Rows(list) => {
                let list = fields(list);
                quote!(Take::Rows(#list))
            }
            Take::First(field, otherwise) => {
                let (from, otherwise) = (&field.from, otherwise.to_string());
                quote!(Take::First(#from, #otherwise))
            }
        };
        quote!(Part { to: #to, of: (#field, #value), take: #take })
    });
    let echo = pairs(returns.echo.iter().map(|(param, field)| (param.as_str(), field.as_str())));
    let mut set = vec![quote!(form: #form)];
    let mut some = |given: bool, tokens: TokenStream| set.extend(given.then_some(tokens));
    some(!returns.fields.is_empty(), quote!(fields: #shown));
    some(!returns.filters.is_empty(), quote!(filters: &[#(#filters),*]));
    some(!returns.only.is_empty(), quote!(only: #only));
    some(!returns.drop.is_empty(), quote!(drop: #drop));
    some(returns.sort.is_some(), quote!(sort: #sort));
    some(returns.page.is_some(), quote!(page: #page));
    some(!returns.columns.is_empty(), quote!(columns: #columns));
    some(!returns.parts.is_empty(), quote!(parts: &[#(#parts),*]));
    some(!returns.echo.is_empty(), quote!(echo: #echo));
    quote! { pub static #name: Returns = Returns { #(#set,)* ..Returns::NONE }; }
}

/// The statement that adds a route to the plan.
pub fn route(tool: &Tool, index: usize, route: &Route) -> TokenStream {
    let request = request(tool, &route.request);
    let returns = returns_name(tool, index);
    let kind = super::tokens::option(route.kind.map(kind));
    if route.also.is_empty() {
        return quote! { plan.route(#kind, #request, &#returns); };
    }
    let also = route.also.iter().map(|also| self::also(tool, also));
    quote! {
        let route = plan.route(#kind, #request, &#returns);
        #(#also)*
    }
}

fn also(tool: &Tool, also: &Also) -> TokenStream {
    let (field, name, optional) = (&also.field, also_name(also), also.optional);
    let request = request(tool, &also.request);
    let tail = match &also.tail {
        Some(argument) => {
            let argument = ident(argument);
            quote!(self.#argument.and_then(|rows| u64::try_from(rows).ok()))
        }
        None => quote!(None),
    };
    let push = quote! {
        route.also.push(Also { field: #field, request: #request, returns: &#name, tail: #tail, optional: #optional });
    };
    match &also.when {
        Some(argument) => {
            let argument = ident(argument);
            quote! { if self.#argument.unwrap_or(false) { #push } }
        }
        None => push,
    }
}

/// The expression that builds a request.
pub fn request(tool: &Tool, request: &Request) -> TokenStream {
    let verb = verb(request.method.verb);
    let path = request.path.iter().map(|part| match part {
        PathPart::Literal(text) => quote!(Literal(#text)),
        PathPart::Node => quote!(Node),
        PathPart::Kind => quote!(PathPart::Kind),
        PathPart::Vmid => quote!(Vmid),
        PathPart::Value(source) => {
            let value = segment(tool, source);
            quote!(PathPart::Value(#value))
        }
    });
    let params = request.params.iter().map(|send| param(tool, send));
    quote!(Request::new(#verb, vec![#(#path),*]) #(#params)*)
}

/// A path value: required ones are plain fields, the others are present whenever their route is taken.
fn segment(tool: &Tool, source: &Source) -> TokenStream {
    let name = ident(&source.argument);
    let argument = tool.argument(&source.argument);
    let method = match (source.part, argument.map(|argument| argument.form)) {
        (SourcePart::Node, _) => quote!(.node()),
        (SourcePart::Storage, _) => quote!(.storage()),
        (_, Some(Form::Upid | Form::Volid)) => quote!(.segment()),
        _ => quote!(.clone()),
    };
    let by_case = tool
        .routes
        .iter()
        .any(|route| matches!(&route.when, Some((subject, When::Given)) if *subject == source.argument));
    match (argument.is_some_and(|argument| argument.required), by_case) {
        // The arm of the case has bound it.
        (false, true) => quote!(#name #method),
        _ => quote!(self.#name #method),
    }
}

fn param(tool: &Tool, send: &Send) -> TokenStream {
    let name = &send.name;
    match &send.from {
        From::Fixed(value) => quote!(.fixed(#name, #value)),
        From::Vmid => quote!(.open(#name, "vmid", Open::GuestVmid)),
        From::Digest(None) => quote!(.open(#name, "", Open::Digest)),
        From::Digest(Some(argument)) => {
            let value = ident(argument);
            quote!(.text_or(#name, #argument, self.#value.clone(), Open::Digest))
        }
        From::Rest(argument) => {
            let value = rest_value(tool, argument);
            quote!(.rest(#argument, #value))
        }
        From::Derived(template) => {
            let method = derived_name(name);
            let argument = template
                .parts
                .iter()
                .find_map(|part| match part {
                    TemplatePart::Value(source) => Some(source.argument.as_str()),
                    TemplatePart::Text(_) => None,
                })
                .unwrap_or_default();
            quote!(.text(#name, #argument, self.#method()))
        }
        From::Argument(argument) => match tool.argument(argument) {
            Some(argument) => sent(send, argument),
            None => TokenStream::new(),
        },
    }
}

/// `Option<&RestPairs>` of a `rest` argument.
pub fn rest_value(tool: &Tool, argument: &str) -> TokenStream {
    let value = ident(argument);
    if tool.argument(argument).is_some_and(|argument| argument.required) {
        quote!(Some(&self.#value))
    } else {
        quote!(self.#value.as_ref())
    }
}

/// An argument's own value in the parameter's wire form.
fn sent(send: &Send, argument: &Argument) -> TokenStream {
    let (wire, name, field) = (&send.name, &argument.name, ident(&argument.name));
    let copied = matches!(argument.form, Form::Integer | Form::Number | Form::Boolean | Form::Size);
    let own = match (argument.required, copied) {
        (true, true) => quote!(Some(self.#field)),
        (true, false) => quote!(Some(self.#field.clone())),
        (false, true) => quote!(self.#field),
        (false, false) => quote!(self.#field.clone()),
    };
    let array = send.param.is_some_and(|param| param.ty == Type::Array);
    match (argument.form, &argument.default_from) {
        (Form::Integer, Some(DefaultFrom::Read(path))) => {
            quote!(.integer_or(#wire, #name, #own, Open::Read(#path)))
        }
        (Form::Boolean, Some(DefaultFrom::GuestRunning)) => {
            quote!(.boolean_or(#wire, #name, #own, Open::GuestRunning))
        }
        (_, Some(DefaultFrom::Read(path))) => quote!(.text_or(#wire, #name, #own, Open::Read(#path))),
        (Form::Integer, _) => quote!(.integer(#wire, #name, #own)),
        (Form::Number, _) => quote!(.number(#wire, #name, #own)),
        (Form::Boolean, _) => quote!(.boolean(#wire, #name, #own)),
        (Form::List | Form::Argv, _) if array => quote!(.list(#wire, #name, #own)),
        (Form::List | Form::Argv, _) => quote!(.joined(#wire, #name, #own)),
        (Form::Volid, _) => quote!(.text(#wire, #name, #own.map(|volid| volid.full()))),
        (Form::Size, _) => quote!(.text(#wire, #name, #own.map(|size| size.api()))),
        (Form::Upid, _) => quote!(.text(#wire, #name, #own.map(|upid| upid.text().to_owned()))),
        _ if argument.segment => quote!(.text(#wire, #name, #own.map(|segment| segment.as_str().to_owned()))),
        _ if argument.escape => quote!(.escaped(#wire, #name, #own)),
        _ if argument.secret => quote!(.secret(#wire, #name, #own)),
        _ => quote!(.text(#wire, #name, #own)),
    }
}

/// The method of `Args` that makes a derived text.
pub fn derived_name(param: &str) -> Ident {
    format_ident!("derived_{}", param.replace('-', "_"))
}

/// The text of a row that is looked for; empty, and so never found, when a placeholder has no value.
pub fn row(tool: &Tool, template: &Template) -> TokenStream {
    let (format, sure) = self::format(tool, template);
    if sure { format } else { quote!((|| Some(#format))().unwrap_or_default()) }
}

/// `Some(text)` when every placeholder has a value.
pub fn template(tool: &Tool, template: &Template) -> TokenStream {
    let (format, _) = self::format(tool, template);
    quote!(Some(#format))
}

/// `format!(…)`, and whether it needs no value that may be missing.
fn format(tool: &Tool, template: &Template) -> (TokenStream, bool) {
    let mut format = String::new();
    let mut values = Vec::new();
    for part in &template.parts {
        match part {
            TemplatePart::Text(text) => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
            TemplatePart::Value(source) => {
                format.push_str("{}");
                let field = ident(&source.argument);
                let argument = tool.argument(&source.argument);
                let value = match argument.is_some_and(|argument| argument.required) {
                    true => quote!(self.#field),
                    false => quote!(self.#field.as_ref()?),
                };
                values.push(match (source.part, argument.map(|argument| argument.form)) {
                    (SourcePart::Gib, _) => quote!(#value.gib()),
                    (SourcePart::Storage, _) => quote!(#value.storage().as_str()),
                    (SourcePart::Node, _) => quote!(#value.node().as_str()),
                    (SourcePart::Whole, Some(Form::Volid)) => quote!(#value.full()),
                    (SourcePart::Whole, Some(Form::Upid)) => quote!(#value.text()),
                    (SourcePart::Whole, Some(Form::Size)) => quote!(#value.api()),
                    (SourcePart::Whole, _) if argument.is_some_and(|argument| argument.segment) => {
                        quote!(#value.as_str())
                    }
                    (SourcePart::Whole, _) => value,
                });
            }
        }
    }
    let sure = template.parts.iter().all(|part| match part {
        TemplatePart::Text(_) => true,
        TemplatePart::Value(source) => tool.argument(&source.argument).is_some_and(|argument| argument.required),
    });
    (quote!(format!(#format, #(#values),*)), sure)
}
