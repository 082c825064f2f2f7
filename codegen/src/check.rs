//! [`Spec`] → [`Catalogue`]: the only place that gives words meaning, and the last one that can refuse.
//!
//! A mistake is reported and checking goes on, so that one build shows them all; a catalogue comes out only when there
//! was none.

mod arguments;
mod examples;
mod handlers;
mod limits;
mod names;
pub(crate) mod offers;
mod requests;
mod returns;
mod routes;
mod sends;
mod templates;
mod told;
mod tool;
mod uses;
mod values;
mod waiters;

use crate::catalogue::*;
use crate::diagnostic::{Diagnostics, Span};
use crate::spec::{Spec, Text};
use std::collections::BTreeSet;

/// Longest texts, in characters. An assistant pays for each of them in every conversation.
const TITLE: usize = 60;
const DOC: usize = 400;
const ARGUMENT_DOC: usize = 140;

/// Most core tools: with more of them, assistants choose worse.
const CORE: usize = 32;

/// What `--toolsets` takes besides the toolsets' names.
const RESERVED: [&str; 2] = ["core", "all"];

/// Checks a catalogue; `None` when a mistake was reported.
pub fn check(spec: &Spec, diagnostics: &mut Diagnostics) -> Option<Catalogue> {
    let mut checker = Checker {
        spec,
        diagnostics,
        words: BTreeSet::new(),
        wanted: BTreeSet::new(),
        waited: BTreeSet::new(),
        broken: BTreeSet::new(),
        names: Vec::new(),
        completed: BTreeSet::new(),
    };
    checker.headings();
    let waiters = checker.waiters();
    let hints = spec.hints.iter().map(hint).collect();
    let dialects: Vec<Dialect> = spec
        .dialects
        .iter()
        .map(|dialect| Dialect { name: dialect.name.is.clone(), title: words(dialect.title.as_ref()) })
        .collect();
    checker.duplicate_tools();
    checker.core();
    let mut toolsets = Vec::new();
    for toolset in &spec.toolsets {
        let mut tools = Vec::new();
        for tool in &toolset.tools {
            let checked = checker.tool(tool);
            // The last resort: what stops a tool is reported where it stands.
            if checked.is_none() && checker.diagnostics.is_empty() {
                checker.diagnostics.report(tool.name.at, format!("`{}` calls nothing", tool.name.is));
            }
            tools.extend(checked);
        }
        toolsets.push(Toolset {
            name: toolset.name.is.clone(),
            title: words(toolset.title.as_ref()),
            doc: words(toolset.doc.as_ref()),
            tools,
        });
    }
    checker.calls_before(&toolsets);
    let completions = checker.completions();
    let resources = checker.resources(&toolsets);
    let prompts = checker.prompts(&toolsets);
    let instructions = checker.instructions();
    checker.completion_uses();
    let read: usize = spec.toolsets.iter().map(|toolset| toolset.tools.len()).sum();
    let whole = read == toolsets.iter().map(|toolset| toolset.tools.len()).sum::<usize>();
    checker.dialect_uses(&toolsets);
    checker.waiter_uses(whole);
    checker.unit_uses(&toolsets, whole);
    checker.unused_words(whole);
    diagnostics.is_empty().then(|| Catalogue {
        units: spec.units.iter().map(|(field, unit)| (field.is.clone(), unit.is.clone())).collect(),
        dialects,
        waiters,
        hints,
        toolsets,
        completions,
        resources,
        prompts,
        instructions,
    })
}

struct Checker<'a> {
    spec: &'a Spec,
    diagnostics: &'a mut Diagnostics,
    /// Words of the vocabulary that an argument took.
    words: BTreeSet<String>,
    /// Words that an argument wanted and the vocabulary lacks.
    wanted: BTreeSet<String>,
    /// Waiters that a tool names, or that apply by themselves.
    waited: BTreeSet<String>,
    /// Arguments of the tool at hand that are declared and wrong.
    broken: BTreeSet<String>,
    /// (dialect, name) of every alias so far.
    names: Vec<(String, Text)>,
    /// Completions that something asks for.
    completed: BTreeSet<String>,
}

impl Checker<'_> {
    fn tool_names(&self) -> impl Iterator<Item = &Text> {
        self.spec.toolsets.iter().flat_map(|toolset| &toolset.tools).map(|tool| &tool.name)
    }

    /// Titles and texts that stand around the tools.
    fn headings(&mut self) {
        let spec = self.spec;
        let titles = spec.dialects.iter().map(|dialect| &dialect.title);
        let titles = titles.chain(spec.toolsets.iter().map(|toolset| &toolset.title));
        for title in titles.flatten() {
            self.length(title.at, "title", &title.is, TITLE);
        }
        for doc in spec.toolsets.iter().filter_map(|toolset| toolset.doc.as_ref()) {
            self.length(doc.at, "doc", &doc.is, DOC);
        }
    }

    /// The tools that are listed when nobody chose toolsets, and the word for them.
    fn core(&mut self) {
        for toolset in self.spec.toolsets.iter().filter(|toolset| RESERVED.contains(&toolset.name.is.as_str())) {
            let word = &toolset.name.is;
            self.diagnostics
                .report(
                    toolset.name.at,
                    format!("`{word}` is not a toolset: the setting for toolsets has a meaning for it"),
                )
                .help("give it another name");
        }
        let marked = || self.spec.toolsets.iter().flat_map(|toolset| &toolset.tools).filter_map(|tool| tool.core);
        if let Some(at) = marked().nth(CORE) {
            let count = marked().count();
            self.diagnostics
                .report(at, format!("{count} tools are `core`; at most {CORE} are allowed"))
                .help("delete `core` here or at another tool: every assistant reads all of them");
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
                .help("shorten it: every assistant reads it in every conversation");
        }
    }
}

fn words(text: Option<&Text>) -> String {
    text.map(|text| text.is.trim_end().to_owned()).unwrap_or_default()
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
