//! The other way round: what the catalogue declares for all tools must be used by one.
//!
//! A declared word that nothing uses is out of date or misspelt, and the places that want it tell which.

use super::Checker;
use crate::catalogue::*;
use crate::diagnostic::{Diagnostic, nearest};
use crate::spec::{Text, ToolSpec};

impl Checker<'_> {
    /// Words of the vocabulary that no argument takes.
    /// With a tool that is not `whole` only those are sure that are nearly wanted.
    pub(super) fn unused_words(&mut self, whole: bool) {
        let spec = self.spec;
        for (word, sentence) in &spec.vocabulary {
            self.length(sentence.at, "text of a word", &sentence.is, super::ARGUMENT_DOC);
            let wanted: Vec<&str> = self.wanted.iter().map(String::as_str).collect();
            if !self.words.contains(&word.is) && (whole || !nearest(&word.is, &wanted).is_empty()) {
                let message = format!("no argument uses the word `{}` of the vocabulary", word.is);
                unused(
                    self.diagnostics.report(word.at, message).near(&word.is, wanted),
                    "delete it, or write an argument of this name without a text",
                );
            }
        }
    }

    /// Dialects that no tool has a name in, and renames that none of their tools needs.
    pub(super) fn dialect_uses(&mut self, toolsets: &[Toolset]) {
        let spec = self.spec;
        for dialect in &spec.dialects {
            let named: Vec<&ToolSpec> = spec
                .toolsets
                .iter()
                .flat_map(|toolset| &toolset.tools)
                .filter(|tool| tool.names.iter().any(|(name, _)| name.is == dialect.name.is))
                .collect();
            if named.is_empty() {
                let others: Vec<&str> = spec
                    .toolsets
                    .iter()
                    .flat_map(|toolset| &toolset.tools)
                    .flat_map(|tool| &tool.names)
                    .map(|(name, _)| name.is.as_str())
                    .filter(|name| !spec.dialects.iter().any(|one| one.name.is == *name))
                    .collect();
                let message = format!("no tool has a name in the dialect `{}`", dialect.name.is);
                unused(self.diagnostics.report(dialect.name.at, message).near(&dialect.name.is, others), "delete it");
                continue;
            }
            let mut arguments: Vec<&str> =
                named.iter().flat_map(|tool| &tool.args).map(|argument| argument.name.is.as_str()).collect();
            let whole =
                |tool: &&ToolSpec| toolsets.iter().flat_map(|set| &set.tools).any(|one| one.name == tool.name.is);
            let by_itself = toolsets
                .iter()
                .flat_map(|set| &set.tools)
                .filter(|tool| named.iter().any(|one| one.name.is == tool.name));
            arguments.extend(by_itself.flat_map(|tool| &tool.arguments).map(|argument| argument.name.as_str()));
            arguments.sort_unstable();
            arguments.dedup();
            for (canonical, _) in &dialect.rename {
                // A tool with a mistake may have arguments that nobody knows yet.
                let implied = ["vmid", "node", "kind", "wait", "limit", "offset", "fields", "form"]
                    .contains(&canonical.is.as_str());
                let unsure = implied && !named.iter().all(whole);
                if !unsure && !arguments.contains(&canonical.is.as_str()) {
                    let message =
                        format!("no tool of the dialect `{}` has an argument `{}`", dialect.name.is, canonical.is);
                    self.diagnostics.report(canonical.at, message).near(&canonical.is, arguments.iter().copied());
                }
            }
        }
    }

    /// Waiters that no tool waits with.
    pub(super) fn waiter_uses(&mut self, whole: bool) {
        let spec = self.spec;
        for waiter in &spec.waiters {
            let name = &waiter.name;
            if self.waited.contains(&name.is) {
                continue;
            }
            let wanted: Vec<&str> = self
                .waited
                .iter()
                .map(String::as_str)
                .filter(|wanted| !spec.waiters.iter().any(|waiter| waiter.name.is == *wanted))
                .collect();
            if !whole && nearest(&name.is, &wanted).is_empty() {
                continue;
            }
            let message = format!("no tool waits with `{}`", name.is);
            unused(self.diagnostics.report(name.at, message).near(&name.is, wanted), "delete it");
        }
    }

    /// Units of fields that no answer shows. Where a tool has a mistake its fields are not known.
    pub(super) fn unit_uses(&mut self, toolsets: &[Toolset], whole: bool) {
        let tools = toolsets.iter().flat_map(|toolset| &toolset.tools);
        let mut shown: Vec<String> = Vec::new();
        for returns in tools
            .flat_map(|tool| &tool.routes)
            .flat_map(|route| route.also.iter().map(|also| &also.returns).chain([&route.returns]))
        {
            let parts = returns.parts.iter().filter_map(|part| match &part.take {
                Take::Rows(fields) => Some(fields),
                Take::First(..) => None,
            });
            let fields: Vec<&Field> = returns.fields.iter().chain(parts.flatten()).collect();
            shown.extend(fields.iter().map(|field| field.to.clone()));
            shown.extend(fields.iter().filter_map(|field| field.shape).flat_map(names));
            let all = returns.fields.is_empty();
            shown.extend(all.then_some(returns.shape).into_iter().flat_map(names));
        }
        let spec = self.spec;
        for (field, _) in &spec.units {
            if !shown.contains(&field.is) && whole {
                let message = format!("no answer shows a field `{}`", field.is);
                let near = self.diagnostics.report(field.at, message).near(&field.is, shown.iter().map(String::as_str));
                unused(near, "delete it");
            }
        }
    }

    /// A word of the vocabulary that an argument asks for.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        let Some((_, sentence)) = self.spec.vocabulary.iter().find(|(word, _)| word.is == name) else {
            self.wanted.insert(name.to_owned());
            return None;
        };
        self.words.insert(name.to_owned());
        Some(sentence.is.clone())
    }

    /// A name may stand once.
    pub(super) fn duplicate_tools(&mut self) {
        let names: Vec<Text> = self.tool_names().cloned().collect();
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().find(|first| first.is == name.is) {
                self.diagnostics
                    .report(name.at, format!("the tool `{}` stands here twice", name.is))
                    .note(format!("the first one is on line {}", first.at.line));
            }
        }
    }
}

/// The names of an answer's fields, rows and objects inside included.
fn names(shape: &'static proxmox_spec::Shape) -> Vec<String> {
    let row = shape.items.unwrap_or(shape);
    let inner = row.fields.iter().flat_map(|(_, field)| field.items.unwrap_or(field).fields);
    row.fields.iter().chain(inner).map(|(name, _)| (*name).to_owned()).collect()
}

/// The word was misspelt, or else nothing needs it.
pub(super) fn unused(report: &mut Diagnostic, help: &str) {
    report.note.clear();
    if report.help.is_empty() {
        report.help(help);
    }
}
