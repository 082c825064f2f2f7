//! The limits, values and defaults of an argument: the API's, and the catalogue's where it is narrower.
//!
//! Knows what both allow; must not know how an argument is sent.

use super::Checker;
use super::routes::Drafts;
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::spec::{ArgSpec, ToolSpec};
use crate::tree::{Node, Yaml};
use proxmox_spec::{Param, Type};

impl Checker<'_> {
    /// The catalogue's limits, which may be narrower than the API's and never wider.
    pub(super) fn narrow(&mut self, written: &ArgSpec, rule: &mut Rule) {
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

    /// The values of an argument that picks rows by a field, where the facts list the field's values.
    pub(super) fn filtered(&mut self, drafts: &Drafts<'_>, written: &ArgSpec) {
        for draft in &drafts.list {
            let filters = draft.returns.iter().flat_map(|returns| &returns.filter);
            for (_, filter) in filters.filter(|(argument, _)| argument.is == written.name.is) {
                let answer = draft.method.returns;
                let shape = answer.items.unwrap_or(answer).field(&filter.field.is);
                for value in written.values.iter().flatten().filter(|_| filter.by.is_none()) {
                    self.known_value(shape, &filter.field.is, value);
                }
            }
        }
    }

    pub(super) fn excepts(&mut self, drafts: &Drafts<'_>, written: &ArgSpec) {
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
    pub(super) fn default(
        &mut self,
        node: &Node,
        form: Form,
        rule: &Rule,
        params: &[&'static Param],
    ) -> Option<serde_json::Value> {
        if let Some(mismatch) = super::values::mismatch(node, form, rule, params) {
            mismatch.report("this default is not allowed", self.diagnostics);
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

    pub(super) fn default_from(&mut self, spec: &ToolSpec, node: &Node) -> Option<DefaultFrom> {
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
        let volids = spec
            .args
            .iter()
            .filter(|one| one.parse.as_ref().is_some_and(|parser| parser.is == "volid"))
            .map(|one| format!("{}.vmid", one.name.is));
        let sources: Vec<String> = volids.chain(["guest.running".to_owned()]).collect();
        let report = self
            .diagnostics
            .report(node.at, format!("`{text}` is not where a default can come from"))
            .near(&text, sources.iter().map(String::as_str));
        report.note.clear();
        if report.help.is_empty() {
            report.help("write `GET /path`, `guest.running`, or the `.vmid` of a volume id argument");
        }
        None
    }
}

/// The form in which a parameter is given.
pub(super) fn form_of(param: &Param) -> Form {
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
pub(super) fn union(params: &[&'static Param], form: Form) -> Rule {
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
