//! What is offered around the tools: completions, resources, prompts and instructions, as the catalogue has them.
//!
//! The static vocabulary of the generated tables, and what is pure about it: which offers a server has, and how their
//! texts are filled. Sends nothing, and knows nothing of MCP's messages; every call that an offer leads to is a tool's,
//! and passes that tool's gates.

mod instructions;
mod matching;
mod prompt;
mod resource;

pub use instructions::{instructions, instructions_of};
pub use matching::{Found, MOST, found};
pub use prompt::{Missing, Written};
pub use resource::{CLUSTER, Unusable, apart, within};

use crate::access::Access;
use crate::catalogue;
use crate::engine::Engine;
use crate::settings::Settings;
use crate::tool::Surface;
use serde_json::Value;

/// Where the values of one kind of name are read.
#[derive(Debug)]
pub struct Completion {
    /// The kind: `node`, `guest`, …
    pub name: &'static str,
    /// Of a GET.
    pub path: &'static [Place],
    /// (parameter, constant).
    pub fixed: &'static [(&'static str, &'static str)],
    /// Fields of a row that are values; never empty.
    pub values: &'static [&'static str],
    /// (field of a row, kind): only rows of what was given under that kind, if it was.
    pub only: &'static [(&'static str, &'static str)],
    /// (field of a row, values): rows that are left out.
    pub drop: &'static [(&'static str, &'static [&'static str])],
}

/// A part of a completion's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Literal(&'static str),
    /// What was given under this kind.
    Given(&'static str),
    /// The path of the guest given under this kind: its node, kind and id are looked up.
    Guest(&'static str),
}

/// Something that can be read under a URI: the answer of a tool.
#[derive(Debug)]
pub struct Resource {
    pub name: &'static str,
    /// `proxmox://node/{node}`: a placeholder is a whole segment and the name of a completion.
    pub uri: &'static str,
    pub title: &'static str,
    pub doc: &'static str,
    /// Canonical name; its tier is `read`.
    pub tool: &'static str,
    pub args: &'static [(&'static str, Given)],
}

/// An argument of a call that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// JSON text.
    Fixed(&'static str),
    /// What stands in the placeholder of this name.
    Place(&'static str),
}

/// A conversation that a person can begin by its name.
#[derive(Debug)]
pub struct Prompt {
    pub name: &'static str,
    pub title: &'static str,
    pub doc: &'static str,
    pub args: &'static [PromptArgument],
    /// Never empty.
    pub steps: &'static [Step],
}

#[derive(Debug)]
pub struct PromptArgument {
    pub name: &'static str,
    pub doc: &'static str,
    pub required: bool,
    /// Name of a [`Completion`].
    pub completes: Option<&'static str>,
}

/// A sentence of a prompt, and perhaps the call that it is about.
#[derive(Debug)]
pub struct Step {
    /// Canonical name.
    pub tool: Option<&'static str>,
    pub args: &'static [(&'static str, Given)],
    /// Only when this argument is given.
    pub when: Option<&'static str>,
    /// Only when this argument is left out.
    pub unless: Option<&'static str>,
    /// Left out where its tools may not be called; else the whole prompt is.
    pub optional: bool,
    pub say: &'static [Word],
}

/// A part of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Text(&'static str),
    /// What was given under this name.
    Given(&'static str),
    /// Canonical name of a tool.
    Tool(&'static str),
}

/// A sentence that an assistant reads at the start.
#[derive(Debug)]
pub struct Instruction {
    /// All of these hold where it is said.
    pub when: &'static [Holds],
    pub say: &'static [Word],
}

/// What can be true of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The cluster is the embedded one.
    Sandbox,
    /// It is not.
    Real,
    /// There is more than one cluster.
    Several,
    /// Some tool that may be called changes something.
    Changes,
    /// None does.
    Looks,
    /// Tools are listed under another server's names.
    Dialect,
    Read,
    Operate,
    Configure,
    Admin,
    Ask,
    Seal,
    ElicitOnly,
    Off,
    CancelStopsTasks,
}

/// What a cluster's server offers, by what it was told.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    pub settings: &'a Settings,
    pub access: &'a Access,
    /// The cluster that each call has to name; `None` = there is one only.
    pub cluster: Option<&'a str>,
}

impl<'a> Offer<'a> {
    /// What is offered on a cluster; `several`: a call names it.
    pub fn on(engine: &'a Engine, several: bool) -> Offer<'a> {
        let settings = engine.settings();
        Offer { settings, access: engine.access(), cluster: several.then_some(settings.name.as_str()) }
    }

    /// The resources without a placeholder, and those with one, in catalogue order.
    pub fn resources(self, places: bool) -> impl Iterator<Item = &'static Resource> + 'a {
        catalogue::RESOURCES.iter().filter(move |one| one.uri.contains('{') == places && self.callable(one.tool))
    }

    /// The prompts whose tools may be called, in catalogue order.
    pub fn prompts(self) -> impl Iterator<Item = &'static Prompt> + 'a {
        let taught = move |step: &'static Step| step.optional || step.tools().all(|tool| self.callable(tool));
        catalogue::PROMPTS.iter().filter(move |prompt| prompt.steps.iter().all(taught))
    }

    /// May the tool be called, under any name?
    fn callable(self, tool: &str) -> bool {
        let known = |one: &&'static Surface| one.tool.name == tool && self.access.check(one).is_ok();
        catalogue::SURFACES.iter().any(|one| known(&one))
    }

    /// Is the tool listed under some name?
    fn listed(self, tool: &str) -> bool {
        self.names(tool).any(|surface| self.settings.toolsets.list(surface, self.access))
    }

    /// The tool's names in the dialect that is listed.
    fn names(self, tool: &str) -> impl Iterator<Item = &'static Surface> {
        let dialect = self.settings.dialect;
        catalogue::SURFACES.iter().filter(move |one| one.dialect == dialect && one.tool.name == tool)
    }
}

impl Step {
    /// Every tool that the step names.
    fn tools(&'static self) -> impl Iterator<Item = &'static str> {
        let said = self.say.iter().filter_map(|word| match word {
            Word::Tool(name) => Some(*name),
            _ => None,
        });
        self.tool.into_iter().chain(said)
    }
}

/// A constant of the catalogue; the build wrote it as JSON.
fn constant(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
