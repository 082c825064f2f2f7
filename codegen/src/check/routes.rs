//! Which endpoints a tool has: one, one per kind of guest, or one per case of an argument.

use super::Checker;
use crate::catalogue::*;
use crate::diagnostic::{Diagnostics, Span};
use crate::path::{Call, Part, PartKind};
use crate::spec::{AskSpec, CallSpec, FixedSpec, ReturnsSpec, Text, ToolSpec};
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
        if let Some(call) = &spec.call {
            if !spec.cases.is_empty() {
                self.diagnostics.report(spec.name.at, "a tool has either `call` or `cases`");
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
            let left_out = !seen.contains(&kind) && !drafts.unsupported.iter().any(|(one, _)| *one == kind);
            if left_out && !seen.is_empty() {
                self.diagnostics
                    .report(spec.name.at, format!("`{}` is left out without a reason", kind.as_str()))
                    .help(format!("write `unsupported: {{{}: why, and what to do instead}}`", kind.as_str()));
            }
        }
    }

    fn cases<'s>(&mut self, spec: &'s ToolSpec, drafts: &mut Drafts<'s>) {
        let Some(subject) = spec.cases.iter().find_map(|case| case.when.as_ref()).map(|(subject, _)| subject.clone())
        else {
            if let Some(case) = spec.cases.first() {
                self.diagnostics.report(case.at, "a case needs `when`").help("such as `when: {node: given}`");
            }
            return;
        };
        let domain = self.domain(spec, &subject);
        let mut seen: Vec<String> = Vec::new();
        for case in &spec.cases {
            let Some((name, value)) = &case.when else {
                self.diagnostics.report(case.at, "a case needs `when`").help("such as `when: {node: given}`");
                continue;
            };
            if name.is != subject.is {
                self.diagnostics
                    .report(name.at, format!("the cases depend on `{}`, this one on `{}`", subject.is, name.is));
                continue;
            }
            if !domain.contains(&value.is) {
                self.diagnostics
                    .report(value.at, format!("`{}` cannot be `{}`", subject.is, value.is))
                    .near(&value.is, domain.iter().map(String::as_str));
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
            let Some(call) = &case.call else {
                self.diagnostics.report(case.at, "a case needs `call` or `ask`");
                continue;
            };
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
            domain.iter().map(String::as_str).filter(|value| !seen.iter().any(|one| one == value)).collect();
        if !missing.is_empty() {
            self.diagnostics
                .report(subject.at, format!("the cases of `{}` are not exhaustive", subject.is))
                .help(format!("missing: {}", missing.join(", ")));
        }
    }

    /// The values that a subject of cases can have.
    fn domain(&mut self, spec: &ToolSpec, subject: &Text) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let (name, part) = subject.is.split_once('.').unwrap_or((&subject.is, ""));
        let Some(argument) = spec.args.iter().find(|argument| argument.name.is == name) else {
            self.diagnostics
                .report(subject.at, format!("`{name}` is not an argument of this tool"))
                .near(name, spec.args.iter().map(|argument| argument.name.is.as_str()));
            return Vec::new();
        };
        match (argument.parse.as_ref().map(|parser| parser.is.as_str()), part) {
            (Some("volid"), "kind") => words(&["qemu", "lxc", "unrecognised"]),
            (_, "") => match &argument.values {
                Some(values) => values.iter().map(|value| value.is.clone()).collect(),
                None if argument.ty.as_ref().is_some_and(|ty| ty.is == "boolean") => words(&["true", "false"]),
                None => words(&["given", "absent"]),
            },
            _ => {
                self.diagnostics
                    .report(subject.at, format!("`{name}` has no part `{part}`"))
                    .help("`kind` is a part of an argument with `parse: volid`");
                Vec::new()
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
