//! What is offered around the tools, as it is written: completions, resources, prompts, instructions.

use super::{FixedSpec, Text};
use crate::diagnostic::Span;
use crate::path::Call;
use crate::tree::Node;

/// Where the values of one kind of name are read.
#[derive(Debug)]
pub struct CompletionSpec {
    pub name: Text,
    pub call: Option<Call>,
    pub fixed: FixedSpec,
    pub values: Vec<Text>,
    /// (field of a row, `{kind}`).
    pub only: Vec<(Text, Text)>,
    pub drop: Vec<(Text, Vec<Text>)>,
}

#[derive(Debug)]
pub struct ResourceSpec {
    pub name: Text,
    pub uri: Option<(Text, Node)>,
    pub title: Option<Text>,
    pub doc: Option<Text>,
    pub tool: Option<Text>,
    pub args: Vec<(Text, Node)>,
}

#[derive(Debug)]
pub struct PromptSpec {
    pub name: Text,
    pub title: Option<Text>,
    pub doc: Option<Text>,
    pub args: Vec<PromptArgSpec>,
    pub steps: Vec<StepSpec>,
}

#[derive(Debug)]
pub struct PromptArgSpec {
    pub name: Text,
    pub doc: Option<Text>,
    pub required: bool,
    pub completes: Option<Text>,
    pub example: Option<Node>,
}

/// One step of a prompt: a sentence, and perhaps the call that it is about.
#[derive(Debug)]
pub struct StepSpec {
    pub at: Span,
    pub tool: Option<Text>,
    pub args: Vec<(Text, Node)>,
    pub when: Option<Text>,
    pub unless: Option<Text>,
    pub optional: bool,
    pub say: Option<(Text, Node)>,
}

#[derive(Debug)]
pub struct InstructionSpec {
    pub when: Vec<Text>,
    pub say: Option<(Text, Node)>,
}
