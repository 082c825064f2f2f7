//! The arguments of a tool: what each one is, from the facts and the catalogue together.

use super::limits::{form_of, union};
use super::requests::{consumed, consumed_as_text, names, wire};
use super::routes::Drafts;
use super::tool::{calls, placeholders, reads};
use super::{ARGUMENT_DOC, Checker, bare};
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::spec::{ArgSpec, PerKind, Text, ToolSpec};
use proxmox_spec::{Method, Param};

pub(super) const PARSERS: [&str; 8] = ["argv", "size", "upid", "volid", "file", "path", "rest", "expect"];
const TYPES: [&str; 6] = ["text", "integer", "number", "boolean", "list", "object"];

/// The argument of every tool that no tool may have.
const CLUSTER: &str = "cluster";

/// Where an argument stands in the API: route, wire name, parameter.
type Places = Vec<(usize, String, &'static Param)>;

impl Checker<'_> {
    pub(super) fn arguments(&mut self, spec: &ToolSpec, drafts: &Drafts<'_>, waits: bool) -> Vec<Argument> {
        let mut list: Vec<Argument> = Vec::new();
        let declared = |name: &str| spec.args.iter().find(|argument| argument.name.is == name);
        if calls(spec).any(super::routes::names_guest) {
            for (name, form) in [("vmid", Form::Guest), ("node", Form::Text), ("kind", Form::Choice)] {
                let mut argument = self.implied(name, form, declared(name), spec.name.at);
                argument.required = form == Form::Guest;
                argument.segment = name == "node";
                if form == Form::Choice {
                    argument.rule.values = Kind::ALL.map(|kind| kind.as_str().to_owned()).to_vec();
                }
                list.push(argument);
            }
        }
        let implied: Vec<String> = list.iter().map(|argument| argument.name.clone()).collect();
        for written in spec.args.iter().filter(|argument| !implied.contains(&argument.name.is)) {
            self.not_reserved(&written.name.is, written.name.at);
            if let Some(first) = list.iter().find(|one| bare(&one.name) == bare(&written.name.is)) {
                let name = first.name.clone();
                self.diagnostics.report(
                    written.name.at,
                    format!("`{}` is another spelling of the argument `{name}`", written.name.is),
                );
                continue;
            }
            match self.argument(spec, drafts, written) {
                Some(argument) => list.push(argument),
                // What depends on it is not reported again.
                None => _ = self.broken.insert(written.name.is.clone()),
            }
        }
        let names_upid = calls(spec).any(|call| placeholders(call).any(|(name, _)| name == "upid.node"));
        if names_upid && !list.iter().any(|argument| argument.name == "node") {
            let mut argument = self.implied("node", Form::Text, None, spec.name.at);
            argument.segment = true;
            list.push(argument);
        }
        let returns = || spec.returns.iter().chain(spec.cases.iter().filter_map(|case| case.returns.as_ref()));
        let by_api = returns().find_map(|returns| returns.api_pages);
        let paged = returns().any(|returns| returns.page.is_some());
        let tables = (paged || by_api.is_some()) && returns().any(|returns| !returns.columns.is_empty());
        if let Some(at) = by_api
            && !["limit", "offset"].iter().all(|name| list.iter().any(|argument| argument.name == *name))
        {
            self.diagnostics
                .report(at, "where the API cuts the pages, `limit` and `offset` are arguments of the tool")
                .help("such as `limit: Most rows.` and `offset: {doc: Rows to skip., as: start}`");
        }
        let number = |minimum, maximum| Rule { minimum: Some(minimum), maximum, ..Rule::default() };
        let choice = |values: Vec<String>| Rule { values, ..Rule::default() };
        let mut tail = Vec::new();
        if waits {
            tail.push(("wait", Form::Integer, number(0.0, Some(3600.0))));
        }
        if paged {
            tail.push(("limit", Form::Integer, number(1.0, Some(10000.0))));
            tail.push(("offset", Form::Integer, number(0.0, None)));
        }
        if paged || by_api.is_some() {
            tail.push(("fields", Form::List, choice(shown_fields(spec))));
        }
        if tables {
            tail.push(("form", Form::Choice, choice(vec!["objects".to_owned(), "table".to_owned()])));
        }
        for (name, form, rule) in tail {
            if list.iter().any(|argument| argument.name == name) {
                self.word(name);
                let at = declared(name).map_or(spec.name.at, |argument| argument.name.at);
                self.diagnostics
                    .report(at, format!("`{name}` is an argument that this tool has by itself"))
                    .help("give yours another name");
                continue;
            }
            let mut argument = self.implied(name, form, None, spec.name.at);
            argument.rule = rule;
            list.push(argument);
        }
        self.declared_placeholders(spec, &list);
        list
    }

    /// The argument that says which cluster a call is for comes to every tool at once, where there are several.
    pub(super) fn not_reserved(&mut self, name: &str, at: Span) {
        if bare(name) == CLUSTER {
            self.diagnostics
                .report(at, format!("`{name}` says which cluster a call is for, on a server with several of them"))
                .help("give yours another name, such as `cluster_name`");
        }
    }

    /// An argument that comes with a construct; the catalogue may still word it.
    fn implied(&mut self, name: &str, form: Form, written: Option<&ArgSpec>, at: Span) -> Argument {
        let doc = match written.and_then(|argument| argument.doc.as_ref()) {
            Some(doc) => doc.is.clone(),
            None => self.word(name).unwrap_or_else(|| {
                self.diagnostics.report(
                    at,
                    format!("the vocabulary has no word `{name}`, and this tool has that argument by itself"),
                );
                String::new()
            }),
        };
        Argument {
            name: name.to_owned(),
            doc,
            required: false,
            form,
            default: None,
            default_from: None,
            only: None,
            secret: false,
            rule: Rule { format: (name == "node").then_some("pve-node"), ..Rule::default() },
            raises: None,
            needs: None,
            escape: false,
            segment: false,
            within: None,
            since: None,
            facts: Vec::new(),
        }
    }

    /// Every placeholder of every call has an argument.
    fn declared_placeholders(&mut self, spec: &ToolSpec, list: &[Argument]) {
        for call in calls(spec) {
            for (name, at) in placeholders(call) {
                let argument = name.split(['.', '|']).next().unwrap_or(name);
                let known = list.iter().map(|one| one.name.as_str()).chain(self.broken.iter().map(String::as_str));
                let known: Vec<&str> = known.chain(["guest"]).collect();
                if !known.contains(&argument) {
                    self.diagnostics
                        .report(at, format!("the path names `{{{name}}}`, which is no argument of this tool"))
                        .near(argument, known)
                        .or_help(format!("add `{argument}: …` to its arguments"));
                }
            }
        }
    }

    /// The closed words of a tool's arguments. What they lead to is not reported again.
    pub(super) fn argument_words(&mut self, spec: &ToolSpec) {
        for argument in &spec.args {
            let words: [(&Option<Text>, &str, &[&'static str]); 3] = [
                (&argument.parse, "a parser", &PARSERS),
                (&argument.ty, "a type", &TYPES),
                (&argument.escape, "a way to escape", &["template"]),
            ];
            for (word, what, all) in words {
                if let Some(word) = word.as_ref().filter(|word| !all.contains(&word.is.as_str())) {
                    self.diagnostics
                        .report(word.at, format!("`{}` is not {what}", word.is))
                        .near(&word.is, all.iter().copied());
                }
            }
        }
    }

    fn argument(&mut self, spec: &ToolSpec, drafts: &Drafts<'_>, written: &ArgSpec) -> Option<Argument> {
        let name = &written.name;
        let doc = match &written.doc {
            Some(doc) => {
                self.length(doc.at, "text of an argument", &doc.is, ARGUMENT_DOC);
                doc.is.trim().to_owned()
            }
            None => match self.word(&name.is) {
                Some(doc) => doc,
                None => {
                    let words: Vec<&str> = self.spec.vocabulary.iter().map(|(word, _)| word.is.as_str()).collect();
                    self.diagnostics
                        .report(name.at, format!("`{}` has no text, and the vocabulary has no such word", name.is))
                        .near(&name.is, words)
                        .or_help(format!("write `{}: …`, a sentence", name.is));
                    return None;
                }
            },
        };
        let only = match &written.only {
            Some(word) => Some(self.kind(word)?),
            None => None,
        };
        if let Some(word) = &written.only
            && drafts.list.iter().all(|draft| draft.kind.is_none())
        {
            self.diagnostics
                .report(word.at, "this call is the same for every kind of guest")
                .help("delete `only`, or write the path with `{guest}`");
        }
        let places = self.places(spec, drafts, written, only);
        let segment = self.segment_param(drafts, &name.is);
        let parser = written.parse.as_ref().map(|parser| parser.is.as_str());
        if parser.is_some_and(|parser| !PARSERS.contains(&parser)) {
            return None;
        }
        let used =
            !places.is_empty() || segment.is_some() || spec.handler.is_some() || self.used_otherwise(spec, &name.is);
        if !used && !matches!(parser, Some("rest" | "file" | "path")) {
            // A wrong API name was reported.
            if written.rename.is_some() {
                return None;
            }
            let methods: Vec<&'static Method> = drafts.list.iter().map(|draft| draft.method).collect();
            let params = methods.iter().flat_map(|method| names(method, &name.is));
            let known: Vec<String> = wanted(spec).chain(params.map(|param| super::snake(&param))).collect();
            let first = methods.first()?;
            self.diagnostics
                .report(
                    name.at,
                    format!("`{}` is no parameter of {} {}, and nothing else uses it", name.is, first.verb, first.path),
                )
                .near(&name.is, known.iter().map(String::as_str));
            return None;
        }
        let params: Vec<&'static Param> =
            places.iter().map(|(_, _, param)| *param).chain(segment.map(|(_, param)| param)).collect();
        let form = self.form(spec, written, parser, &params)?;
        let mut rule = union(&params, form);
        self.narrow(written, &mut rule);
        self.filtered(drafts, written);
        // What stands in front of a volume's colon is a storage.
        let mut derived = spec.derive.iter().filter_map(|(_, node)| node.scalar());
        if spec.args.iter().any(|argument| argument.within.as_ref().is_some_and(|within| within.is == name.is))
            || derived.any(|text| text.starts_with(&format!("{{{}}}:", name.is)))
        {
            rule.format = Some("pve-storage-id");
        }
        rule.refused = written.refused.iter().map(|(value, why)| (value.is.clone(), why.is.clone())).collect();
        rule.except = written.except.iter().map(|(param, why)| (param.is.clone(), why.is.clone())).collect();
        rule.part = spec
            .derive
            .iter()
            .filter_map(|(_, node)| node.scalar())
            .any(|text| text.contains(&format!("{{{}", name.is)));
        if form == Form::Rest {
            self.excepts(drafts, written);
        }
        let default =
            written.default.as_ref().map(|node| self.default(node, form, &rule, &params).unwrap_or(node.json()));
        let default_from = written.default_from.as_ref().and_then(|node| self.default_from(spec, node));
        let by_api = places.iter().any(|(_, _, param)| !param.optional) || segment.is_some();
        let chosen_by_case = spec
            .cases
            .iter()
            .filter_map(|case| case.when.as_ref())
            .any(|(subject, value)| subject.is == name.is && matches!(value.is.as_str(), "given" | "absent"));
        let required =
            written.required.unwrap_or(by_api && default.is_none() && default_from.is_none() && !chosen_by_case);
        for other in written.needs.iter().chain(&written.within) {
            if !spec.args.iter().any(|argument| argument.name.is == other.is) {
                self.diagnostics
                    .report(other.at, format!("`{}` is not an argument of this tool", other.is))
                    .near(&other.is, spec.args.iter().map(|argument| argument.name.is.as_str()));
            }
        }
        let facts = places
            .iter()
            .map(|(route, _, param)| (drafts.list[*route].method, *param))
            .chain(segment)
            .collect::<Vec<_>>();
        Some(Argument {
            name: name.is.clone(),
            doc,
            required,
            form,
            default,
            default_from,
            only,
            secret: written.secret || params.iter().any(|param| param.secret),
            rule,
            raises: written.raises.as_ref().map(|raises| Raise {
                tier: raises.tier.as_ref().map_or(proxmox_spec::Tier::Read, |tier| tier.is),
                effect: raises.effect.as_ref().map_or(proxmox_spec::Effect::None, |effect| effect.is),
                because: raises.because.clone(),
            }),
            needs: written.needs.as_ref().map(|needs| (needs.is.clone(), written.note.clone().unwrap_or_default())),
            escape: written.escape.is_some(),
            segment: segment.is_some(),
            within: written.within.as_ref().map(|within| within.is.clone()),
            since: params.iter().filter_map(|param| param.since).max(),
            facts,
        })
    }

    /// The parameters behind an argument. A kind that lacks it must be left out on purpose.
    fn places(&mut self, spec: &ToolSpec, drafts: &Drafts<'_>, written: &ArgSpec, only: Option<Kind>) -> Places {
        let name = &written.name;
        let special = matches!(written.parse.as_ref().map(|parser| parser.is.as_str()), Some("rest" | "file" | "path"));
        if special || (consumed(spec, &name.is) && written.rename.is_none()) {
            return Vec::new();
        }
        let mut places = Vec::new();
        let mut lacking = Vec::new();
        for (index, draft) in drafts.list.iter().enumerate() {
            if only.is_some() && draft.kind.is_some() && draft.kind != only {
                continue;
            }
            match wire(draft.method, &name.is, written.rename.as_ref(), draft.kind) {
                Some((wire_name, param)) => places.push((index, wire_name, param)),
                None => lacking.push(draft),
            }
        }
        let elsewhere = self.used_otherwise(spec, &name.is) || self.segment_param(drafts, &name.is).is_some();
        if let Some(rename) = &written.rename
            && !lacking.is_empty()
        {
            let (at, word) = match rename {
                PerKind::One(word) => (word.at, word.is.clone()),
                PerKind::Each(words) => {
                    let kind = lacking[0].kind.map(Kind::as_str);
                    words
                        .iter()
                        .find(|(one, _)| Some(one.is.as_str()) == kind)
                        .map_or((name.at, name.is.clone()), |(_, word)| (word.at, word.is.clone()))
                }
            };
            let method = lacking[0].method;
            self.diagnostics
                .report(at, format!("`{word}` is no parameter of {} {}", method.verb, method.path))
                .near(&word, names(method, &word).iter().map(String::as_str));
        } else if !places.is_empty() && !elsewhere {
            for draft in lacking {
                let method = draft.method;
                let report = self
                    .diagnostics
                    .report(name.at, format!("`{}` is no parameter of {} {}", name.is, method.verb, method.path));
                match draft.kind {
                    Some(kind) => report.help(format!(
                        "write `only: {}`, or `as: {{{}: its name there}}`",
                        kind.other().as_str(),
                        kind.as_str()
                    )),
                    None => report.near(&name.is, names(method, &name.is).iter().map(String::as_str)),
                };
            }
        }
        places
    }

    /// The path parameter that an argument fills.
    fn segment_param(&self, drafts: &Drafts<'_>, name: &str) -> Option<(&'static Method, &'static Param)> {
        for draft in &drafts.list {
            for (part, segment) in draft.parts.iter().zip(draft.method.segments) {
                let crate::path::PartKind::Placeholder(placeholder) = &part.kind else { continue };
                if placeholder == name {
                    let (proxmox_spec::Segment::Param(param) | proxmox_spec::Segment::Remainder(param)) = segment
                    else {
                        continue;
                    };
                    return Some((draft.method, draft.method.params.iter().find(|one| one.name == *param)?));
                }
            }
        }
        None
    }

    /// Whether anything but a parameter of the call needs the argument.
    fn used_otherwise(&self, spec: &ToolSpec, name: &str) -> bool {
        let subject = spec
            .cases
            .iter()
            .filter_map(|case| case.when.as_ref())
            .any(|(subject, _)| subject.is.split('.').next() == Some(name));
        let mut texts: Vec<String> = Vec::new();
        texts.extend(spec.guard.iter().filter_map(|guard| guard.absent.as_ref()?.row.as_ref()?.1.scalar()));
        texts.extend(spec.cases.iter().filter_map(|case| case.ask.as_ref()?.row.as_ref()?.1.scalar()));
        let in_text = texts.iter().any(|text| text.contains(&format!("{{{name}")));
        let in_read = reads(spec)
            .any(|call| placeholders(call).any(|(placeholder, _)| placeholder.split('.').next() == Some(name)));
        let ask = spec.cases.iter().filter_map(|case| case.ask.as_ref()?.or.as_ref()).any(|or| or.is == name);
        let guard = spec.guard.as_ref().is_some_and(|guard| {
            guard.expect.iter().any(|one| one.is == name)
                || guard.absent.iter().filter_map(|absent| absent.unless.as_ref()).any(|one| one.is == name)
                || guard
                    .vacant
                    .iter()
                    .flat_map(|vacant| vacant.id.iter().chain(&vacant.replace))
                    .any(|one| one.is == name)
        });
        let returns = spec.returns.iter().chain(spec.cases.iter().filter_map(|case| case.returns.as_ref()));
        let filter = returns.flat_map(|returns| &returns.filter).any(|(argument, _)| argument.is == name);
        subject || in_text || in_read || ask || guard || filter || consumed(spec, name)
    }

    fn form(
        &mut self,
        spec: &ToolSpec,
        written: &ArgSpec,
        parser: Option<&str>,
        params: &[&'static Param],
    ) -> Option<Form> {
        let named = match parser {
            Some("argv") => Some(Form::Argv),
            Some("size") => Some(Form::Size),
            Some("upid") => Some(Form::Upid),
            Some("volid") => Some(Form::Volid),
            Some("file") => Some(Form::File),
            Some("path") => Some(Form::Path),
            Some("rest") => Some(Form::Rest),
            Some("expect") => Some(Form::Expect),
            _ => None,
        };
        if let Some(form) = named {
            return Some(form);
        }
        if let Some(ty) = &written.ty {
            let form = match ty.is.as_str() {
                "text" if written.values.is_some() => Form::Choice,
                "text" => Form::Text,
                "integer" => Form::Integer,
                "number" => Form::Number,
                "boolean" => Form::Boolean,
                "list" => Form::List,
                "object" if spec.handler.is_some() => Form::Object,
                "object" => {
                    self.diagnostics
                        .report(ty.at, "only a handler reads an object as it is")
                        .help("write `parse: rest` for other parameters of the call");
                    return None;
                }
                _ => return None,
            };
            return Some(form);
        }
        let mut forms: Vec<Form> = params.iter().map(|param| form_of(param)).collect();
        forms.dedup();
        match forms.as_slice() {
            [] => {
                // What only goes into other texts is text.
                if consumed_as_text(spec, &written.name.is) {
                    return Some(Form::Text);
                }
                self.diagnostics
                    .report(
                        written.name.at,
                        format!("`{}` is no parameter of the API, so its type must be said", written.name.is),
                    )
                    .help("write `type: text`, `integer`, `number`, `boolean`, `list` or `object`");
                None
            }
            // Text of a few values is a choice.
            [Form::Text] if written.values.is_some() => Some(Form::Choice),
            [one] => Some(*one),
            many if many.iter().all(|form| matches!(form, Form::Integer | Form::Number)) => Some(Form::Number),
            _ => Some(Form::Text),
        }
    }
}

/// The names that an entry uses as arguments and does not declare: what a misspelt argument was probably meant to be.
fn wanted(spec: &ToolSpec) -> impl Iterator<Item = String> {
    let names = spec.names.iter().flat_map(|(_, names)| names);
    let in_names = names.flat_map(|name| {
        let values = name.values.iter().map(|(argument, _)| argument);
        let pairs = name.preset.iter().chain(&name.defaults).map(|(argument, _)| argument);
        values.chain(pairs).chain(name.rename.iter().map(|(argument, _)| argument))
    });
    let in_examples = spec.examples.iter().flat_map(|example| &example.args).map(|(argument, _)| argument);
    let beside = spec.args.iter().flat_map(|argument| argument.needs.iter().chain(&argument.within));
    let in_also = spec.also.iter().flat_map(|also| also.when.iter().chain(&also.tail));
    let in_guard = spec.guard.iter().flat_map(|guard| {
        let vacant = guard.vacant.iter().flat_map(|vacant| vacant.id.iter().chain(&vacant.replace));
        let absent = guard.absent.iter().filter_map(|absent| absent.unless.as_ref());
        guard.expect.iter().chain(vacant).chain(absent)
    });
    let returns = spec.returns.iter().chain(spec.cases.iter().filter_map(|case| case.returns.as_ref()));
    let in_last = returns.clone().filter_map(|returns| returns.last.as_ref());
    let in_filter = returns.flat_map(|returns| &returns.filter).map(|(argument, _)| argument).chain(in_last);
    let whole = in_names.chain(in_examples).chain(beside).chain(in_also).chain(in_guard).chain(in_filter);
    let ask = spec.cases.iter().filter_map(|case| case.ask.as_ref());
    let subjects = spec.cases.iter().filter_map(|case| case.when.as_ref()).map(|(subject, _)| subject.is.as_str());
    let in_paths = calls(spec).flat_map(placeholders).map(|(name, _)| name);
    let texts = spec.derive.iter().map(|(_, node)| node);
    let texts = texts.chain(ask.clone().filter_map(|ask| Some(&ask.row.as_ref()?.1)));
    let in_texts = texts.filter_map(|node| node.scalar()).flat_map(|text| {
        let inside = text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_owned());
        inside.collect::<Vec<String>>()
    });
    let names = whole.chain(ask.filter_map(|ask| ask.or.as_ref())).map(|name| name.is.as_str());
    let names: Vec<String> = names.chain(subjects).chain(in_paths).map(str::to_owned).chain(in_texts).collect();
    names
        .into_iter()
        .map(|name| name.split(['.', '|']).next().unwrap_or_default().to_owned())
        .filter(|name| name != "guest" && !spec.args.iter().any(|argument| argument.name.is == *name))
}

/// The fields that a caller of a list may choose from; none when all that the API answers are shown.
fn shown_fields(spec: &ToolSpec) -> Vec<String> {
    let returns = spec.returns.iter().chain(spec.cases.iter().filter_map(|case| case.returns.as_ref()));
    let mut names: Vec<String> = Vec::new();
    for field in returns.flat_map(|returns| &returns.fields) {
        if !names.contains(&field.to) {
            names.push(field.to.clone());
        }
    }
    names
}
