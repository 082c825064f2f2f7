//! The index of the reference: contents, tiers, workflows, errors, and the names of other dialects.

use super::{Pages, code, privileges, tool};
use crate::catalogue::*;
use crate::check::offers::example_call;
use proxmox_spec::{Effect, Tier};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
struct Index<'a> {
    count: usize,
    endpoints: usize,
    /// Tools whose plan is made by hand.
    handlers: usize,
    toolsets: Vec<Set<'a>>,
    tiers: Vec<TierRow>,
    effects: Vec<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Set<'a> {
    name: &'a str,
    title: &'a str,
    /// The heading's own anchor.
    anchor: String,
    doc: &'a str,
    tools: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    core: bool,
    tier: &'static str,
    effect: &'static str,
    title: &'a str,
    /// Which kinds it is for, and from which version on, where that is not all.
    remark: String,
}

#[derive(Serialize)]
struct TierRow {
    name: &'static str,
    /// Tools of this very tier.
    own: usize,
    /// Tools that a server at this tier offers.
    offered: usize,
    privileges: String,
}

#[derive(Serialize)]
struct Work<'a> {
    title: &'a str,
    /// (what it is for, the call).
    steps: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Surface<'a> {
    name: &'a str,
    title: &'a str,
    rows: Vec<Theirs<'a>>,
}

#[derive(Serialize)]
struct Theirs<'a> {
    name: &'a str,
    tool: &'a str,
    toolset: &'a str,
    differences: String,
}

/// The whole index: the parts stand in the order in which they are read.
pub fn page(catalogue: &Catalogue, pages: &Pages<'_>) -> Result<String, String> {
    let parts = [
        pages.fill("index.md", index(catalogue))?,
        pages.fill("tiers.md", index(catalogue))?,
        pages.fill("workflows.md", BTreeMap::from([("workflows", workflows(catalogue))]))?,
        pages.fill("errors.md", BTreeMap::from([("hints", tool::general_hints(catalogue))]))?,
        pages.fill("dialects.md", BTreeMap::from([("dialects", dialects(catalogue))]))?,
    ];
    Ok(parts.join("\n"))
}

fn index(catalogue: &Catalogue) -> Index<'_> {
    let endpoints: BTreeSet<String> = catalogue
        .tools()
        .flat_map(|tool| &tool.routes)
        .map(|route| format!("{} {}", route.request.method.verb, route.request.method.path))
        .collect();
    Index {
        count: catalogue.tools().count(),
        endpoints: endpoints.len(),
        handlers: catalogue.tools().filter(|tool| tool.handler.is_some()).count(),
        toolsets: catalogue.toolsets.iter().map(set).collect(),
        tiers: Tier::ALL.map(|tier| tier_row(catalogue, tier)).into(),
        effects: Effect::ALL.map(|effect| (effect.as_str(), tool::meaning(effect))).into(),
    }
}

fn set(set: &Toolset) -> Set<'_> {
    Set {
        name: &set.name,
        title: &set.title,
        anchor: anchor(&set.title),
        doc: &set.doc,
        tools: set.tools.iter().map(entry).collect(),
    }
}

fn entry(one: &Tool) -> Entry<'_> {
    let left_out = one.unsupported.iter().map(|(kind, _)| match kind {
        Kind::Qemu => "containers only".to_owned(),
        Kind::Lxc => "virtual machines only".to_owned(),
    });
    let remark: Vec<String> = left_out.chain(tool::later(one).map(|version| format!("since {version}"))).collect();
    Entry {
        name: &one.name,
        core: one.core,
        tier: one.tier.as_str(),
        effect: one.effect.as_str(),
        title: &one.title,
        remark: remark.join(", "),
    }
}

fn tier_row(catalogue: &Catalogue, tier: Tier) -> TierRow {
    let own: Vec<&Tool> = catalogue.tools().filter(|tool| tool.tier == tier).collect();
    let privileges: BTreeSet<&str> = own.iter().flat_map(|tool| privileges::all(catalogue, tool)).collect();
    TierRow {
        name: tier.as_str(),
        own: own.len(),
        offered: catalogue.tools().filter(|tool| tool.tier <= tier).count(),
        privileges: privileges.into_iter().map(code).collect::<Vec<_>>().join(", "),
    }
}

/// The prompts that hold calls, with the values of their examples.
fn workflows(catalogue: &Catalogue) -> Vec<Work<'_>> {
    let mut list = Vec::new();
    for prompt in &catalogue.prompts {
        let calls = prompt.steps.iter().filter_map(|step| {
            let call = step.tool.as_ref().map(|name| tool::call(name, &example_call(prompt, step)));
            call.map(|call| (prose(prompt, &step.say), call))
        });
        let steps: Vec<(String, String)> = calls.collect();
        if !steps.is_empty() {
            list.push(Work { title: &prompt.title, steps });
        }
    }
    list
}

/// A sentence with the values of the prompt's examples.
fn prose(prompt: &Prompt, say: &[Word]) -> String {
    let example = |name: &String| {
        let value = prompt.args.iter().find(|one| one.name == *name).map(|one| &one.example);
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    let parts = say.iter().map(|word| match word {
        Word::Text(text) => text.clone(),
        Word::Given(name) => example(name),
        Word::Tool(name) => code(name),
    });
    parts.collect()
}

fn dialects(catalogue: &Catalogue) -> Vec<Surface<'_>> {
    catalogue.dialects.iter().map(|dialect| surface(catalogue, dialect)).collect()
}

fn surface<'a>(catalogue: &'a Catalogue, dialect: &'a Dialect) -> Surface<'a> {
    let mut rows = Vec::new();
    for (set, one) in catalogue.toolsets.iter().flat_map(|set| set.tools.iter().map(move |one| (set, one))) {
        for name in one.names.iter().filter(|name| name.dialect == dialect.name) {
            let differences = tool::differences(name);
            rows.push(Theirs { name: &name.name, tool: &one.name, toolset: &set.name, differences });
        }
    }
    Surface { name: &dialect.name, title: &dialect.title, rows }
}

/// The anchor of a heading, as Markdown hosts make it: lower case, dashes for spaces, no punctuation.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::anchor;

    #[test]
    fn an_anchor_is_the_heading_in_small_letters_with_dashes() {
        assert_eq!(anchor("Storage, and what is on it"), "storage-and-what-is-on-it");
    }
}
