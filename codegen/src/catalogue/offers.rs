//! What is offered around the tools, checked: completions, resources, prompts, instructions.

use serde_json::Value as Json;

/// Where the values of one kind of name are read.
#[derive(Debug)]
pub struct Completion {
    pub name: String,
    pub path: Vec<Place>,
    /// (parameter, constant).
    pub fixed: Vec<(String, String)>,
    /// Fields of a row that are values. Never empty.
    pub values: Vec<String>,
    /// (field of a row, kind): only rows of what was given under that kind.
    pub only: Vec<(String, String)>,
    /// (field of a row, values): rows that are left out.
    pub drop: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Literal(String),
    /// What was given under this kind.
    Given(String),
    /// `/nodes/{node}/{kind}/{vmid}` of the given guest.
    Guest,
}

#[derive(Debug)]
pub struct Resource {
    pub name: String,
    /// `proxmox://node/{node}`: a placeholder is a whole segment and the name of a completion.
    pub uri: String,
    pub title: String,
    pub doc: String,
    pub tool: String,
    pub args: Vec<(String, Given)>,
}

/// An argument of a call that is offered.
#[derive(Debug)]
pub enum Given {
    Fixed(Json),
    /// What the placeholder stands for.
    Place(String),
}

#[derive(Debug)]
pub struct Prompt {
    pub name: String,
    pub title: String,
    pub doc: String,
    pub args: Vec<PromptArgument>,
    /// Never empty.
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub struct PromptArgument {
    pub name: String,
    pub doc: String,
    pub required: bool,
    /// Name of a completion.
    pub completes: Option<String>,
    pub example: Json,
}

#[derive(Debug)]
pub struct Step {
    pub tool: Option<String>,
    pub args: Vec<(String, Given)>,
    pub when: Option<String>,
    pub unless: Option<String>,
    /// Left out where its tools may not be called; else the whole prompt is.
    pub optional: bool,
    pub say: Vec<Word>,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Text(String),
    /// `{name}`.
    Given(String),
    /// A tool, in backticks.
    Tool(String),
}

#[derive(Debug)]
pub struct Instruction {
    /// Words of a closed list; all must hold.
    pub when: Vec<String>,
    pub say: Vec<Word>,
}
