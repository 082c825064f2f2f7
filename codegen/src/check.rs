//! [`Spec`] → [`Catalogue`]: the only place that gives words meaning, and the last one that can refuse.
//!
//! A mistake is reported and checking goes on, so that one build shows them all; a catalogue comes out only when there
//! was none.

mod arguments;
mod examples;
mod names;
mod requests;
mod returns;
mod routes;
mod tool;
mod waiters;

use crate::catalogue::*;
use crate::diagnostic::{Diagnostics, Span};
use crate::spec::{Spec, Text};
use std::collections::BTreeSet;

/// Longest texts, in characters. An assistant pays for each of them in every conversation.
const TITLE: usize = 60;
const DOC: usize = 400;
const ARGUMENT_DOC: usize = 140;

/// Checks a catalogue; `None` when a mistake was reported.
pub fn check(spec: &Spec, diagnostics: &mut Diagnostics) -> Option<Catalogue> {
    let mut checker = Checker { spec, diagnostics, words: BTreeSet::new(), names: Vec::new() };
    let waiters = checker.waiters();
    let hints = spec.hints.iter().map(hint).collect();
    let dialects: Vec<Dialect> = spec
        .dialects
        .iter()
        .map(|dialect| Dialect { name: dialect.name.is.clone(), title: dialect.title.clone() })
        .collect();
    checker.duplicate_tools();
    let mut toolsets = Vec::new();
    for toolset in &spec.toolsets {
        if toolset.tools.is_empty() {
            checker.diagnostics.report(toolset.name.at, format!("the toolset `{}` has no tools", toolset.name.is));
        }
        let tools = toolset.tools.iter().filter_map(|tool| checker.tool(tool)).collect();
        toolsets.push(Toolset {
            name: toolset.name.is.clone(),
            title: toolset.title.clone(),
            doc: toolset.doc.clone(),
            tools,
        });
    }
    checker.dialect_renames(&toolsets);
    checker.unused_words();
    let workflows = checker.workflows();
    diagnostics.is_empty().then(|| Catalogue {
        units: spec.units.iter().map(|(field, unit)| (field.is.clone(), unit.is.clone())).collect(),
        dialects,
        waiters,
        hints,
        toolsets,
        workflows,
    })
}

struct Checker<'a> {
    spec: &'a Spec,
    diagnostics: &'a mut Diagnostics,
    /// Words of the vocabulary that an argument took.
    words: BTreeSet<String>,
    /// (dialect, name) of every alias so far.
    names: Vec<(String, Text)>,
}

impl Checker<'_> {
    /// A sentence of the vocabulary.
    fn word(&mut self, name: &str) -> Option<String> {
        let (_, sentence) = self.spec.vocabulary.iter().find(|(word, _)| word.is == name)?;
        self.words.insert(name.to_owned());
        Some(sentence.is.clone())
    }

    fn unused_words(&mut self) {
        for (word, _) in &self.spec.vocabulary {
            if !self.words.contains(&word.is) {
                self.diagnostics
                    .report(word.at, format!("no argument uses the word `{}` of the vocabulary", word.is))
                    .help("delete it, or write an argument of this name without a text");
            }
        }
    }

    fn tool_names(&self) -> impl Iterator<Item = &Text> {
        self.spec.toolsets.iter().flat_map(|toolset| &toolset.tools).map(|tool| &tool.name)
    }

    fn duplicate_tools(&mut self) {
        let names: Vec<Text> = self.tool_names().cloned().collect();
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().find(|first| first.is == name.is) {
                self.diagnostics
                    .report(name.at, format!("the tool `{}` stands here twice", name.is))
                    .note(format!("the first one is on line {}", first.at.line));
            }
        }
    }

    /// Empty and over-long texts.
    fn length(&mut self, at: Span, what: &str, text: &str, most: usize) {
        let length = text.trim().chars().count();
        if length == 0 {
            self.diagnostics.report(at, format!("the {what} is empty"));
        } else if length > most {
            self.diagnostics
                .report(at, format!("the {what} has {length} characters; at most {most} are allowed"))
                .help("every assistant reads it in every conversation");
        }
    }

    /// Renames of a dialect that no tool of it uses.
    fn dialect_renames(&mut self, toolsets: &[Toolset]) {
        for dialect in &self.spec.dialects {
            for (canonical, _) in &dialect.rename {
                let used = toolsets.iter().flat_map(|toolset| &toolset.tools).any(|tool| {
                    tool.argument(&canonical.is).is_some()
                        && tool.names.iter().any(|name| name.dialect == dialect.name.is)
                });
                if !used && self.diagnostics.is_empty() {
                    let arguments: Vec<&str> = toolsets
                        .iter()
                        .flat_map(|toolset| &toolset.tools)
                        .flat_map(|tool| tool.arguments.iter().map(|argument| argument.name.as_str()))
                        .collect();
                    self.diagnostics
                        .report(
                            canonical.at,
                            format!("no tool of the dialect `{}` has an argument `{}`", dialect.name.is, canonical.is),
                        )
                        .near(&canonical.is, arguments);
                }
            }
        }
    }

    fn workflows(&mut self) -> Vec<Workflow> {
        let names: Vec<Text> = self.tool_names().cloned().collect();
        for step in self.spec.workflows.iter().flat_map(|workflow| &workflow.steps) {
            if !names.iter().any(|name| name.is == step.tool.is) {
                self.diagnostics
                    .report(step.tool.at, format!("`{}` is not a tool of this catalogue", step.tool.is))
                    .near(&step.tool.is, names.iter().map(|name| name.is.as_str()));
            }
        }
        self.spec
            .workflows
            .iter()
            .map(|workflow| Workflow {
                title: workflow.title.clone(),
                steps: workflow
                    .steps
                    .iter()
                    .map(|step| Step {
                        tool: step.tool.is.clone(),
                        args: examples::json(&step.args),
                        say: step.say.clone(),
                    })
                    .collect(),
            })
            .collect()
    }
}

fn hint(hint: &crate::spec::HintSpec) -> Hint {
    Hint { status: hint.status, has: hint.has.clone(), say: hint.say.clone(), retry: hint.retry }
}

/// Lower case without dashes and underscores: two spellings of one name are equal.
pub(crate) fn bare(name: &str) -> String {
    name.chars().filter(|c| *c != '-' && *c != '_').flat_map(char::to_lowercase).collect()
}

/// The snake case by which an API name is written in the catalogue.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '-' => out.push('_'),
            c if c.is_ascii_uppercase() => {
                out.push('_');
                out.push(c.to_ascii_lowercase());
            }
            c => out.push(c),
        }
    }
    out
}
