//! Which endpoints a tool has: one, one per kind of guest, or one per case of an argument.

use super::Checker;
use super::arguments::PARSERS;
use crate::catalogue::*;
use crate::diagnostic::{Diagnostics, Span};
use crate::path::{Call, Part, PartKind};
use crate::spec::{ArgSpec, AskSpec, CallSpec, FixedSpec, PerKind, ReturnsSpec, Text, ToolSpec};
use proxmox_spec::Method;

/// A route before its arguments are known.
pub(super) struct Draft<'s> {
    pub at: Span,
    pub kind: Option<Kind>,
    pub when: Option<(String, When)>,
    pub parts: Vec<Part>,
    pub method: &'static Method,
    /// The tool's and the case's.
    pub fixed: Vec<&'s FixedSpec>,
    pub returns: Option<&'s ReturnsSpec>,
}

pub(super) struct Drafts<'s> {
    pub list: Vec<Draft<'s>>,
    pub ask: Option<(&'s AskSpec, String)>,
    pub unsupported: Vec<(Kind, String)>,
}

/// The placeholders that stand for the located guest.
pub(super) const GUEST_NODE: &str = "\u{1}node";
pub(super) const GUEST_VMID: &str = "\u{1}vmid";

pub(super) fn names_guest(call: &Call) -> bool {
    call.parts
        .iter()
        .any(|part| matches!(&part.kind, PartKind::Placeholder(name) if name == "guest" || name.starts_with("guest.")))
}

pub(super) fn is_per_kind(call: &Call) -> bool {
    call.parts.iter().any(|part| part.kind == PartKind::Placeholder("guest".to_owned()))
}

/// `{guest}` and `{guest.node}` spelled out.
pub(super) fn expand(call: &Call, kind: Option<Kind>) -> Vec<Part> {
    let mut parts = Vec::new();
    for part in &call.parts {
        let push = |parts: &mut Vec<Part>, kind: PartKind| parts.push(Part { at: part.at, kind });
        match (&part.kind, kind) {
            (PartKind::Placeholder(name), Some(kind)) if name == "guest" => {
                push(&mut parts, PartKind::Literal("nodes".to_owned()));
                push(&mut parts, PartKind::Placeholder(GUEST_NODE.to_owned()));
                push(&mut parts, PartKind::Literal(kind.as_str().to_owned()));
                push(&mut parts, PartKind::Placeholder(GUEST_VMID.to_owned()));
            }
            (PartKind::Placeholder(name), _) if name == "guest.node" => {
                push(&mut parts, PartKind::Literal("nodes".to_owned()));
                push(&mut parts, PartKind::Placeholder(GUEST_NODE.to_owned()));
            }
            _ => parts.push(part.clone()),
        }
    }
    parts
}

impl Checker<'_> {
    pub(super) fn kind(&mut self, word: &Text) -> Option<Kind> {
        let kind = Kind::parse(&word.is);
        if kind.is_none() {
            self.diagnostics
                .report(word.at, format!("`{}` is not a kind of guest", word.is))
                .near(&word.is, ["qemu", "lxc"]);
        }
        kind
    }

    pub(super) fn drafts<'s>(&mut self, spec: &'s ToolSpec) -> Drafts<'s> {
        let mut drafts = Drafts { list: Vec::new(), ask: None, unsupported: Vec::new() };
        for (kind, why) in &spec.unsupported {
            if let Some(kind) = self.kind(kind) {
                drafts.unsupported.push((kind, why.is.clone()));
            }
        }
        // Kinds that stand before constants and API names.
        let fixed = spec
            .cases
            .iter()
            .map(|case| &case.fixed)
            .chain([&spec.fixed])
            .chain(spec.also.iter().map(|also| &also.fixed));
        for (kind, _) in fixed.flat_map(|fixed| &fixed.per_kind) {
            self.kind(kind);
        }
        for argument in &spec.args {
            if let Some(PerKind::Each(names)) = &argument.rename {
                for (kind, _) in names {
                    self.kind(kind);
                }
            }
        }
        if let Some(call) = &spec.call {
            if !spec.cases.is_empty() {
                let at = match call {
                    CallSpec::One(call) => call.at,
                    CallSpec::PerKind(calls) => calls.first().map_or(spec.name.at, |(kind, _)| kind.at),
                };
                self.diagnostics.report(at, "a tool has either `call` or `cases`").help("delete one of the two");
            }
            match call {
                CallSpec::One(call) if is_per_kind(call) => self.both_kinds(spec, call, &mut drafts),
                CallSpec::One(call) => {
                    let parts = expand(call, None);
                    if let Some(method) = call.method(&parts, self.diagnostics) {
                        drafts.list.push(draft(spec, call.at, None, None, parts, method));
                    }
                }
                CallSpec::PerKind(calls) => self.per_kind(spec, calls, &mut drafts),
            }
        } else {
            self.cases(spec, &mut drafts);
        }
        if let Some((kind, _)) = spec.unsupported.first()
            && !drafts.list.is_empty()
            && drafts.list.iter().all(|draft| draft.kind.is_none())
        {
            self.diagnostics
                .report(kind.at, "this call is the same for every kind of guest")
                .help("delete `unsupported`, or write the path with `{guest}`");
        }
        for (kind, _) in &spec.unsupported {
            if drafts.list.iter().any(|draft| draft.kind.map(Kind::as_str) == Some(kind.is.as_str())) {
                self.diagnostics
                    .report(kind.at, format!("`{}` is called and `unsupported` at once", kind.is))
                    .help("delete one of the two");
            }
        }
        drafts
    }

    /// One call for both kinds.
    fn both_kinds<'s>(&mut self, spec: &'s ToolSpec, call: &Call, drafts: &mut Drafts<'s>) {
        let mut lacking = Vec::new();
        for kind in Kind::ALL {
            if drafts.unsupported.iter().any(|(left_out, _)| *left_out == kind) {
                continue;
            }
            let parts = expand(call, Some(kind));
            match call.method(&parts, &mut Diagnostics::default()) {
                Some(method) => drafts.list.push(draft(spec, call.at, Some(kind), None, parts, method)),
                None => lacking.push((kind, parts)),
            }
        }
        if drafts.list.is_empty() {
            call.method(&expand(call, Some(Kind::Qemu)), self.diagnostics);
            return;
        }
        for (kind, _) in lacking {
            let path = call.text.replace("{guest}", &format!("/nodes/{{node}}/{}/{{vmid}}", kind.as_str()));
            self.diagnostics
                .report(call.at, format!("the API has no {path}"))
                .help(format!("write `unsupported: {{{}: why, and what to do instead}}`", kind.as_str()));
        }
    }

    fn per_kind<'s>(&mut self, spec: &'s ToolSpec, calls: &[(Text, Call)], drafts: &mut Drafts<'s>) {
        let mut seen = Vec::new();
        for (word, call) in calls {
            let Some(kind) = self.kind(word) else { continue };
            seen.push(kind);
            if !names_guest(call) {
                self.diagnostics
                    .report(call.at, "a call per kind needs a guest whose kind can be looked up")
                    .help("write the path with `{guest}`");
                continue;
            }
            let parts = expand(call, Some(kind));
            if let Some(method) = call.method(&parts, self.diagnostics) {
                drafts.list.push(draft(spec, call.at, Some(kind), None, parts, method));
            }
        }
        for kind in Kind::ALL {
            let misspelt = calls.iter().any(|(word, _)| Kind::parse(&word.is).is_none())
                || spec.unsupported.iter().any(|(word, _)| Kind::parse(&word.is).is_none());
            let left_out =
                !misspelt && !seen.contains(&kind) && !drafts.unsupported.iter().any(|(one, _)| *one == kind);
            if left_out && !seen.is_empty() {
                self.diagnostics
                    .report(spec.name.at, format!("`{}` is left out without a reason", kind.as_str()))
                    .help(format!("write `unsupported: {{{}: why, and what to do instead}}`", kind.as_str()));
            }
        }
    }

    fn cases<'s>(&mut self, spec: &'s ToolSpec, drafts: &mut Drafts<'s>) {
        // A case without its parts was reported when it was read.
        let subjects = || spec.cases.iter().filter_map(|case| case.when.as_ref()).map(|(subject, _)| subject);
        let declared = |subject: &&Text| {
            let name = subject.is.split('.').next();
            spec.args.iter().any(|argument| Some(argument.name.is.as_str()) == name)
        };
        // One misspelt subject does not make the others wrong.
        let Some(subject) = subjects().find(declared).or_else(|| subjects().next()).cloned() else { return };
        let domain = self.domain(spec, &subject);
        let mut seen: Vec<String> = Vec::new();
        // Some case has a value that does not exist: which one is missing then is anybody's guess.
        let mut wrong = false;
        for case in &spec.cases {
            let Some((name, value)) = &case.when else { continue };
            if name.is != subject.is {
                self.diagnostics
                    .report(name.at, format!("the cases depend on `{}`, this one on `{}`", subject.is, name.is))
                    .help(format!("write `{}`", subject.is));
            }
            if let Some(domain) = &domain
                && !domain.contains(&value.is)
            {
                self.diagnostics
                    .report(value.at, format!("`{}` cannot be `{}`", subject.is, value.is))
                    .near(&value.is, domain.iter().map(String::as_str));
                wrong = true;
                continue;
            }
            if seen.contains(&value.is) {
                self.diagnostics.report(value.at, format!("the case `{}` stands here twice", value.is));
            }
            seen.push(value.is.clone());
            if let Some(ask) = &case.ask {
                let argument = subject.is.split('.').next().unwrap_or_default().to_owned();
                drafts.ask = Some((ask, argument));
                continue;
            }
            let Some(call) = &case.call else { continue };
            let kind = subject.is.ends_with(".kind").then(|| Kind::parse(&value.is)).flatten();
            let when = match (kind, value.is.as_str()) {
                (Some(_), _) => None,
                (None, "given") => Some((subject.is.clone(), When::Given)),
                (None, "absent") => Some((subject.is.clone(), When::Absent)),
                (None, value) => Some((subject.is.clone(), When::Is(value.to_owned()))),
            };
            let parts = expand(call, kind);
            if let Some(method) = call.method(&parts, self.diagnostics) {
                let mut one = draft(spec, call.at, kind, when, parts, method);
                one.fixed.push(&case.fixed);
                one.returns = case.returns.as_ref().or(one.returns);
                drafts.list.push(one);
            }
        }
        let missing: Vec<&str> =
            domain.iter().flatten().map(String::as_str).filter(|value| !seen.iter().any(|one| one == value)).collect();
        if !missing.is_empty() && !wrong {
            self.diagnostics
                .report(subject.at, format!("the cases of `{}` are not exhaustive", subject.is))
                .help(format!("missing: {}", missing.join(", ")));
        }
    }

    /// The values that a subject of cases can have; `None` after a report, when nobody knows.
    fn domain(&mut self, spec: &ToolSpec, subject: &Text) -> Option<Vec<String>> {
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let (name, part) = subject.is.split_once('.').unwrap_or((&subject.is, ""));
        let argument = spec.args.iter().find(|argument| argument.name.is == name);
        let parser = |argument: &ArgSpec| argument.parse.as_ref().map(|parser| parser.is.clone());
        match (argument, part) {
            (Some(argument), "") => match &argument.values {
                Some(values) => Some(values.iter().map(|value| value.is.clone()).collect()),
                None if argument.ty.as_ref().is_some_and(|ty| ty.is == "boolean") => words(&["true", "false"]),
                None => words(&["given", "absent"]),
            },
            (Some(argument), "kind") if parser(argument).as_deref() == Some("volid") => {
                words(&["qemu", "lxc", "unrecognised"])
            }
            // A parser that does not exist was reported.
            (Some(argument), "kind") if parser(argument).is_some_and(|parser| !PARSERS.contains(&parser.as_str())) => {
                None
            }
            _ => {
                let volids = spec.args.iter().filter(|argument| parser(argument).as_deref() == Some("volid"));
                let names: Vec<String> = match part {
                    "" => spec.args.iter().map(|argument| argument.name.is.clone()).collect(),
                    _ => volids.map(|argument| format!("{}.kind", argument.name.is)).collect(),
                };
                let message = match (argument, part) {
                    (Some(_), part) => format!("`{name}` has no part `{part}`"),
                    (None, _) => format!("`{name}` is not an argument of this tool"),
                };
                let report =
                    self.diagnostics.report(subject.at, message).near(&subject.is, names.iter().map(String::as_str));
                if report.help.is_empty() && !part.is_empty() {
                    report.help("`kind` is a part of an argument with `parse: volid`");
                }
                None
            }
        }
    }
}

fn draft<'s>(
    spec: &'s ToolSpec,
    at: Span,
    kind: Option<Kind>,
    when: Option<(String, When)>,
    parts: Vec<Part>,
    method: &'static Method,
) -> Draft<'s> {
    Draft { at, kind, when, parts, method, fixed: vec![&spec.fixed], returns: spec.returns.as_ref() }
}
