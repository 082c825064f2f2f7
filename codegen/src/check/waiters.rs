//! Waiters: what is polled, and what its answers mean.

use super::Checker;
use crate::catalogue::*;
use crate::path::{Call, PartKind};
use crate::spec::{Text, WaiterSpec};
use proxmox_spec::{Method, Segment, Verb};

const OUTCOMES: [&str; 4] = ["ok", "warnings", "failed", "running"];

impl Checker<'_> {
    pub(super) fn waiters(&mut self) -> Vec<Waiter> {
        let mut waiters = Vec::new();
        for spec in &self.spec.waiters {
            let Some(poll) = spec.poll.as_ref().and_then(|call| self.polled(call)) else { continue };
            let log = spec.log.as_ref().and_then(|call| self.polled(call));
            self.sources(spec, poll);
            for (_, then) in &spec.outcomes {
                if !OUTCOMES.contains(&then.is.as_str()) {
                    self.diagnostics
                        .report(then.at, format!("`{}` is not an outcome", then.is))
                        .near(&then.is, OUTCOMES);
                }
            }
            let mut outcomes = Vec::new();
            for (when, then) in &spec.outcomes {
                if let Some(when) = when {
                    self.known_field(poll.returns, &when.field);
                    let shape = poll.returns.field(&when.field.is);
                    self.known_value(shape, &when.field.is, &Text { at: when.at, is: when.text.clone() });
                }
                let condition = when.as_ref().map(|when| Condition {
                    field: when.field.is.clone(),
                    starts: when.starts,
                    text: when.text.clone(),
                });
                outcomes.push((condition, then.is.clone()));
            }
            let resume = spec.resume.as_ref().map(|tool| tool.is.clone()).unwrap_or_default();
            for tool in spec.resume.iter().chain(&spec.stop) {
                self.known_tool(tool);
            }
            let stop = spec.stop.as_ref().map(|tool| tool.is.clone()).unwrap_or_default();
            let fields = self.fields(&spec.fields, &[poll.returns]);
            waiters.push(Waiter {
                name: spec.name.is.clone(),
                poll,
                from: spec.from.iter().map(|(name, field)| (name.is.clone(), answer_field(&field.is))).collect(),
                log,
                outcomes,
                once: spec.once,
                resume,
                stop,
                fields,
            });
        }
        waiters
    }

    /// A GET whose placeholders have the API's own names: the engine fills them by name.
    fn polled(&mut self, call: &Call) -> Option<&'static Method> {
        if call.verb != Verb::Get {
            self.diagnostics.report(call.at, "a waiter polls by GET");
            return None;
        }
        let method = call.method(&call.parts, self.diagnostics)?;
        for (part, segment) in call.parts.iter().zip(method.segments) {
            if let (PartKind::Placeholder(name), Segment::Param(param) | Segment::Remainder(param)) =
                (&part.kind, segment)
                && name != param
            {
                self.diagnostics
                    .report(part.at, format!("`{{{name}}}` is not what the API calls this part of the path"))
                    .help(format!("write `{{{param}}}`"));
            }
        }
        Some(method)
    }

    /// `from` names parameters of the poll and says where in the answer of the call each one stands. The node and the
    /// guest are those of the call.
    fn sources(&mut self, spec: &WaiterSpec, poll: &'static Method) {
        for (name, field) in &spec.from {
            if poll.param(&name.is).is_none() {
                self.diagnostics
                    .report(name.at, format!("the poll has no parameter `{}`", name.is))
                    .near(&name.is, poll.params.iter().map(|param| param.name));
            }
            if field.is != "answer" && !field.is.starts_with("answer.") {
                self.diagnostics
                    .report(field.at, format!("`{}` is not where a value can come from", field.is))
                    .help("write `answer` or `answer.field`");
            }
        }
        for param in poll.params.iter().filter(|param| !param.optional && !matches!(param.name, "node" | "vmid")) {
            if !spec.from.iter().any(|(name, _)| name.is == param.name) {
                self.diagnostics
                    .report(
                        spec.name.at,
                        format!("the poll needs `{}`, and `from` does not say where it comes from", param.name),
                    )
                    .help(format!("write `from: {{{}: answer}}`", param.name));
            }
        }
    }

    /// The fields of a call's answer that its waiter reads.
    pub(super) fn waits_on(&mut self, wait: &Text, methods: &[&'static Method]) {
        let Some(waiter) = self.spec.waiters.iter().find(|waiter| waiter.name.is == wait.is) else { return };
        for (_, field) in &waiter.from {
            let name = answer_field(&field.is);
            for method in methods.iter().filter(|method| !name.is_empty() && !method.returns.fields.is_empty()) {
                if method.returns.field(&name).is_none() {
                    self.diagnostics
                        .report(
                            field.at,
                            format!("the answer of {} {} has no field `{name}`", method.verb, method.path),
                        )
                        .near(&name, method.returns.fields.iter().map(|(field, _)| *field));
                }
            }
        }
    }
}

/// `answer.pid` → `pid`, `answer` → nothing.
fn answer_field(text: &str) -> String {
    text.strip_prefix("answer").unwrap_or(text).trim_start_matches('.').to_owned()
}
