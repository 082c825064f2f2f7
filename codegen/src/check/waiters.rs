//! Waiters: what is polled, and what its answers mean.

use super::Checker;
use crate::catalogue::*;
use crate::path::{Call, PartKind};
use proxmox_spec::Method;

const OUTCOMES: [&str; 4] = ["ok", "warnings", "failed", "running"];

impl Checker<'_> {
    pub(super) fn waiters(&mut self) -> Vec<Waiter> {
        let mut waiters = Vec::new();
        for spec in &self.spec.waiters {
            let Some(poll) = spec.poll.as_ref().and_then(|call| call.method(&call.parts, self.diagnostics)) else {
                if spec.poll.is_none() {
                    self.diagnostics.report(spec.name.at, format!("the waiter `{}` polls nothing", spec.name.is));
                }
                continue;
            };
            let log = spec.log.as_ref().and_then(|call| call.method(&call.parts, self.diagnostics));
            self.placeholders(spec.poll.as_ref(), poll, &spec.from);
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
                }
                let condition = when.as_ref().map(|when| Condition {
                    field: when.field.is.clone(),
                    starts: when.starts,
                    text: when.text.clone(),
                });
                outcomes.push((condition, then.is.clone()));
            }
            let resume = spec.resume.as_ref().map(|tool| tool.is.clone()).unwrap_or_default();
            if let Some(tool) = &spec.resume {
                let names: Vec<String> = self.tool_names().map(|name| name.is.clone()).collect();
                if !names.contains(&tool.is) {
                    self.diagnostics
                        .report(tool.at, format!("`{}` is not a tool of this catalogue", tool.is))
                        .near(&tool.is, names.iter().map(String::as_str));
                }
            }
            let fields = self.fields(&spec.fields, &[poll.returns]);
            waiters.push(Waiter {
                name: spec.name.is.clone(),
                poll,
                from: spec.from.iter().map(|(name, field)| (name.is.clone(), answer_field(&field.is))).collect(),
                log,
                outcomes,
                once: spec.once,
                resume,
                fields,
            });
        }
        waiters
    }

    /// `from` names a placeholder or parameter of the poll, and reads the answer.
    fn placeholders(
        &mut self,
        call: Option<&Call>,
        poll: &'static Method,
        from: &[(crate::spec::Text, crate::spec::Text)],
    ) {
        let in_path: Vec<&str> = call
            .iter()
            .flat_map(|call| &call.parts)
            .filter_map(|part| match &part.kind {
                PartKind::Placeholder(name) => Some(name.as_str()),
                PartKind::Literal(_) => None,
            })
            .collect();
        for (name, field) in from {
            if !in_path.contains(&name.is.as_str()) && poll.param(&name.is).is_none() {
                let names = poll.params.iter().map(|param| param.name).chain(in_path.iter().copied());
                self.diagnostics
                    .report(name.at, format!("the poll has no placeholder or parameter `{}`", name.is))
                    .near(&name.is, names);
            }
            if field.is != "answer" && !field.is.starts_with("answer.") {
                self.diagnostics
                    .report(field.at, format!("`{}` is not where a value can come from", field.is))
                    .help("write `answer` or `answer.field`");
            }
        }
    }
}

/// `answer.pid` → `pid`, `answer` → nothing.
fn answer_field(text: &str) -> String {
    text.strip_prefix("answer").unwrap_or(text).trim_start_matches('.').to_owned()
}
