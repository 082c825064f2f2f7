//! The arguments of a tool: what each one is, from the facts and the catalogue together.

use super::requests::{consumed, consumed_as_text, wire};
use super::routes::Drafts;
use super::tool::{calls, placeholders, reads};
use super::{ARGUMENT_DOC, Checker, bare};
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::spec::{ArgSpec, PerKind, ToolSpec};
use crate::tree::{Node, Yaml};
use proxmox_spec::{Method, Param, Type};

const PARSERS: [&str; 8] = ["argv", "size", "upid", "volid", "file", "path", "rest", "expect"];
const TYPES: [&str; 5] = ["text", "integer", "number", "boolean", "list"];

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
            if let Some(first) = list.iter().find(|one| bare(&one.name) == bare(&written.name.is)) {
                let name = first.name.clone();
                self.diagnostics.report(
                    written.name.at,
                    format!("`{}` is another spelling of the argument `{name}`", written.name.is),
                );
                continue;
            }
            list.extend(self.argument(spec, drafts, written));
        }
        let names_upid = calls(spec).any(|call| placeholders(call).any(|(name, _)| name == "upid.node"));
        if names_upid && !list.iter().any(|argument| argument.name == "node") {
            let mut argument = self.implied("node", Form::Text, None, spec.name.at);
            argument.segment = true;
            list.push(argument);
        }
        let pages = |returns: Option<&crate::spec::ReturnsSpec>| returns.is_some_and(|returns| returns.page.is_some());
        let paged = pages(spec.returns.as_ref()) || spec.cases.iter().any(|case| pages(case.returns.as_ref()));
        let mut tail = Vec::new();
        if waits {
            tail.push(("wait", 0.0, Some(3600.0)));
        }
        if paged {
            tail.push(("limit", 1.0, Some(10000.0)));
            tail.push(("offset", 0.0, None));
        }
        for (name, minimum, maximum) in tail {
            if list.iter().any(|argument| argument.name == name) {
                self.diagnostics
                    .report(spec.name.at, format!("`{name}` is an argument that this tool has by itself"))
                    .help("give yours another name");
                continue;
            }
            let mut argument = self.implied(name, Form::Integer, None, spec.name.at);
            argument.rule.minimum = Some(minimum);
            argument.rule.maximum = maximum;
            list.push(argument);
        }
        self.declared_placeholders(spec, &list);
        list
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
                if argument != "guest" && !list.iter().any(|one| one.name == argument) {
                    self.diagnostics
                        .report(at, format!("the path names `{{{name}}}`, which is no argument of this tool"))
                        .near(argument, list.iter().map(|one| one.name.as_str()).chain(["guest"]));
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
                        .near(&name.is, words);
                    return None;
                }
            },
        };
        let only = match &written.only {
            Some(word) => Some(self.kind(word)?),
            None => None,
        };
        let places = self.places(spec, drafts, written, only);
        let segment = self.segment_param(drafts, &name.is);
        let parser = match &written.parse {
            Some(parser) if !PARSERS.contains(&parser.is.as_str()) => {
                self.diagnostics
                    .report(parser.at, format!("`{}` is not a parser", parser.is))
                    .near(&parser.is, PARSERS);
                return None;
            }
            other => other.as_ref().map(|parser| parser.is.as_str()),
        };
        let used = !places.is_empty() || segment.is_some() || self.used_otherwise(spec, &name.is);
        if !used && !matches!(parser, Some("rest" | "file" | "path")) {
            let methods: Vec<&'static Method> = drafts.list.iter().map(|draft| draft.method).collect();
            let known: Vec<String> =
                methods.iter().flat_map(|method| method.params).map(|param| super::snake(param.name)).collect();
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
        if spec.args.iter().any(|argument| argument.within.as_ref().is_some_and(|within| within.is == name.is)) {
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
        if let Some(escape) = written.escape.as_ref().filter(|escape| escape.is != "template") {
            self.diagnostics
                .report(escape.at, format!("`{}` is not a way to escape", escape.is))
                .near(&escape.is, ["template"]);
        }
        if let Some(raises) = &written.raises
            && raises.tier.is_none()
            && raises.effect.is_none()
        {
            self.diagnostics.report(name.at, "`raises` says neither `tier` nor `effect`");
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
                .near(&word, method.params.iter().map(|param| param.name));
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
                    None => report.near(&name.is, method.params.iter().map(|param| param.name)),
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
                _ => {
                    self.diagnostics.report(ty.at, format!("`{}` is not a type", ty.is)).near(&ty.is, TYPES);
                    return None;
                }
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
                    .help("write `type: text`, `integer`, `number`, `boolean` or `list`");
                None
            }
            [one] => Some(*one),
            many if many.iter().all(|form| matches!(form, Form::Integer | Form::Number)) => Some(Form::Number),
            _ => Some(Form::Text),
        }
    }

    /// The catalogue's limits, which may be narrower than the API's and never wider.
    fn narrow(&mut self, written: &ArgSpec, rule: &mut Rule) {
        if let Some(values) = &written.values {
            for value in values {
                if !rule.values.is_empty() && !rule.values.contains(&value.is) {
                    self.diagnostics
                        .report(value.at, format!("the API does not take `{}` for `{}`", value.is, written.name.is))
                        .near(&value.is, rule.values.iter().map(String::as_str));
                }
            }
            rule.values = values.iter().map(|value| value.is.clone()).collect();
        }
        let mut limit = |at: Span, what: &str, given: f64, api: Option<f64>, wider: bool| {
            if let Some(api) = api.filter(|_| wider) {
                self.diagnostics
                    .report(at, format!("the {what} of `{}` is {given}, and the API's is {api}", written.name.is))
                    .help("a limit may be narrower than the API's, not wider");
            }
        };
        if let Some(minimum) = &written.minimum {
            let api = rule.minimum;
            limit(minimum.at, "minimum", minimum.is, api, api.is_some_and(|api| minimum.is < api));
            rule.minimum = Some(minimum.is);
        }
        if let Some(maximum) = &written.maximum {
            let api = rule.maximum;
            limit(maximum.at, "maximum", maximum.is, api, api.is_some_and(|api| maximum.is > api));
            rule.maximum = Some(maximum.is);
        }
        if let Some(length) = &written.max_length {
            let api = rule.max_length.map(f64::from);
            limit(length.at, "longest length", length.is, api, api.is_some_and(|api| length.is > api));
            rule.max_length = Some(length.is as u32);
        }
        if let Some(pattern) = &written.pattern {
            rule.pattern = Some(pattern.is.clone());
        }
    }

    fn excepts(&mut self, drafts: &Drafts<'_>, written: &ArgSpec) {
        for (param, _) in &written.except {
            if !drafts.list.iter().any(|draft| draft.method.param(&param.is).is_some()) {
                let names = drafts.list.iter().flat_map(|draft| draft.method.params).map(|param| param.name);
                self.diagnostics
                    .report(param.at, format!("`{}` is no parameter of the call", param.is))
                    .near(&param.is, names);
            }
        }
    }

    /// A default the API would take.
    fn default(
        &mut self,
        node: &Node,
        form: Form,
        rule: &Rule,
        params: &[&'static Param],
    ) -> Option<serde_json::Value> {
        if let Some(problem) = super::examples::mismatch(node, form, rule, params) {
            self.diagnostics.report(node.at, format!("this default is not allowed: {problem}"));
            return None;
        }
        Some(match (form, &node.value) {
            // Spelled as the decoder expects it.
            (Form::Text | Form::Choice | Form::Size | Form::Property, Yaml::Int(_) | Yaml::Float(_)) => {
                serde_json::Value::String(node.scalar().unwrap_or_default())
            }
            _ => node.json(),
        })
    }

    fn default_from(&mut self, spec: &ToolSpec, node: &Node) -> Option<DefaultFrom> {
        let text = node.scalar().unwrap_or_default();
        if text == "guest.running" {
            return Some(DefaultFrom::GuestRunning);
        }
        if let Some(argument) = text.strip_suffix(".vmid")
            && spec
                .args
                .iter()
                .any(|one| one.name.is == argument && one.parse.as_ref().is_some_and(|parser| parser.is == "volid"))
        {
            return Some(DefaultFrom::VolidVmid(argument.to_owned()));
        }
        if text.starts_with("GET ") {
            let call = crate::path::Call::parse(node, self.diagnostics)?;
            let method = call.method(&call.parts, self.diagnostics)?;
            return Some(DefaultFrom::Read(method.path.to_owned()));
        }
        self.diagnostics
            .report(node.at, format!("`{text}` is not where a default can come from"))
            .help("write `GET /path`, `guest.running`, or the `.vmid` of a volume id argument");
        None
    }
}

/// The form in which a parameter is given.
fn form_of(param: &Param) -> Form {
    match param.ty {
        Type::Boolean => Form::Boolean,
        Type::Integer => Form::Integer,
        Type::Number => Form::Number,
        Type::Array => Form::List,
        _ if !param.values.is_empty() => Form::Choice,
        _ if !param.keys.is_empty() => Form::Property,
        _ if param.format.is_some_and(|format| format.ends_with("-list")) => Form::List,
        _ => Form::Text,
    }
}

/// What all kinds together take: the API decides for the kind at hand.
fn union(params: &[&'static Param], form: Form) -> Rule {
    let mut rule = Rule::default();
    let all = |get: fn(&Param) -> Option<f64>| -> Option<Vec<f64>> { params.iter().map(|param| get(param)).collect() };
    rule.minimum = all(|param| param.minimum).and_then(|list| list.into_iter().reduce(f64::min));
    rule.maximum = all(|param| param.maximum).and_then(|list| list.into_iter().reduce(f64::max));
    let lengths =
        |get: fn(&Param) -> Option<u32>| -> Option<Vec<u32>> { params.iter().map(|param| get(param)).collect() };
    rule.min_length = lengths(|param| param.min_length).and_then(|list| list.into_iter().min());
    rule.max_length = lengths(|param| param.max_length).and_then(|list| list.into_iter().max());
    if form == Form::Choice {
        for value in params.iter().flat_map(|param| param.values) {
            if !rule.values.iter().any(|one| one == value) {
                rule.values.push((*value).to_owned());
            }
        }
    }
    if let Some((first, others)) = params.split_first() {
        rule.format = first.format.filter(|format| others.iter().all(|param| param.format == Some(format)));
        rule.pattern = first
            .pattern
            .filter(|pattern| others.iter().all(|param| param.pattern == Some(pattern)))
            .map(str::to_owned);
    }
    rule
}
