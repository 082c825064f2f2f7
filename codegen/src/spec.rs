//! The catalogue as it is written: every key of the language, with places, and no meaning yet.
//!
//! `read` fills these from the tree; `check` gives them meaning. Words of closed lists are already resolved.

mod offers;

use crate::diagnostic::Span;
use crate::path::Call;
use crate::tree::Node;
pub use offers::*;
use proxmox_spec::{Effect, Tier};

/// A value and its place.
#[derive(Debug, Clone)]
pub struct At<T> {
    pub at: Span,
    pub is: T,
}

pub type Text = At<String>;

#[derive(Debug, Default)]
pub struct Spec {
    pub vocabulary: Vec<(Text, Text)>,
    pub units: Vec<(Text, Text)>,
    pub dialects: Vec<DialectSpec>,
    pub waiters: Vec<WaiterSpec>,
    pub hints: Vec<HintSpec>,
    pub toolsets: Vec<ToolsetSpec>,
    pub completions: Vec<CompletionSpec>,
    pub resources: Vec<ResourceSpec>,
    pub prompts: Vec<PromptSpec>,
    pub instructions: Vec<InstructionSpec>,
}

#[derive(Debug)]
pub struct DialectSpec {
    pub name: Text,
    pub title: Option<Text>,
    /// (canonical argument, their name).
    pub rename: Vec<(Text, Text)>,
}

#[derive(Debug)]
pub struct WaiterSpec {
    pub name: Text,
    pub poll: Option<Call>,
    pub from: Vec<(Text, Text)>,
    pub log: Option<Call>,
    pub outcomes: Vec<(Option<WhenSpec>, Text)>,
    pub once: bool,
    pub resume: Option<Text>,
    /// The tool that stops what is waited for.
    pub stop: Option<Text>,
    pub fields: Vec<FieldSpec>,
}

#[derive(Debug)]
pub struct WhenSpec {
    pub field: Text,
    /// Equal to this text, or beginning with it.
    pub starts: bool,
    pub text: String,
    /// Where `text` stands.
    pub at: Span,
}

#[derive(Debug, Clone)]
pub struct HintSpec {
    pub at: Span,
    pub status: Option<u16>,
    pub has: String,
    pub say: String,
    pub retry: bool,
}

#[derive(Debug)]
pub struct ToolsetSpec {
    pub name: Text,
    pub title: Option<Text>,
    pub doc: Option<Text>,
    pub tools: Vec<ToolSpec>,
}

#[derive(Debug)]
pub struct ToolSpec {
    pub name: Text,
    pub title: Option<Text>,
    pub doc: Option<Text>,
    pub tier: Option<At<Tier>>,
    /// Where `core: true` stands.
    pub core: Option<Span>,
    pub effect: Option<At<Effect>>,
    /// `effect` is written, and is not one.
    pub effect_unknown: bool,
    pub because: Option<String>,
    pub call: Option<CallSpec>,
    /// Instead of a call: a word of the closed list.
    pub handler: Option<Text>,
    /// What a handler's answer looks like, as JSON Schema.
    pub schema: Option<Node>,
    /// The greatest effect that some call of a handler can have.
    pub most: Option<At<Effect>>,
    pub cases: Vec<CaseSpec>,
    pub unsupported: Vec<(Text, Text)>,
    pub args: Vec<ArgSpec>,
    pub fixed: FixedSpec,
    pub derive: Vec<(Text, Node)>,
    pub also: Vec<AlsoSpec>,
    pub wait: Option<Text>,
    pub answers: Vec<ToldSpec>,
    pub returns: Option<ReturnsSpec>,
    pub guard: Option<GuardSpec>,
    pub hints: Vec<HintSpec>,
    pub names: Vec<(Text, Vec<NameSpec>)>,
    pub examples: Vec<ExampleSpec>,
}

/// A field that the log of the finished task tells.
#[derive(Debug)]
pub struct ToldSpec {
    pub field: Text,
    pub doc: Option<Text>,
    /// (log line, what the field then is).
    pub from: Vec<(Text, Text)>,
}

#[derive(Debug)]
pub enum CallSpec {
    One(Call),
    /// (kind, call).
    PerKind(Vec<(Text, Call)>),
}

#[derive(Debug)]
pub struct CaseSpec {
    pub at: Span,
    /// (subject, value).
    pub when: Option<(Text, Text)>,
    pub call: Option<Call>,
    pub ask: Option<AskSpec>,
    pub fixed: FixedSpec,
    pub returns: Option<ReturnsSpec>,
}

#[derive(Debug)]
pub struct AskSpec {
    pub at: Span,
    pub call: Option<Call>,
    pub row: Option<(Text, Node)>,
    pub field: Option<Text>,
    pub or: Option<Text>,
}

/// Constants, for all kinds or per kind.
#[derive(Debug, Default)]
pub struct FixedSpec {
    pub all: Vec<(Text, Text)>,
    pub per_kind: Vec<(Text, Vec<(Text, Text)>)>,
}

/// One value, or one per kind.
#[derive(Debug)]
pub enum PerKind {
    One(Text),
    Each(Vec<(Text, Text)>),
}

#[derive(Debug)]
pub struct ArgSpec {
    pub name: Text,
    /// `None` = from the vocabulary.
    pub doc: Option<Text>,
    pub rename: Option<PerKind>,
    pub ty: Option<Text>,
    pub parse: Option<Text>,
    pub within: Option<Text>,
    pub default: Option<Node>,
    pub default_from: Option<Node>,
    pub required: Option<bool>,
    pub only: Option<Text>,
    pub values: Option<Vec<Text>>,
    pub refused: Vec<(Text, Text)>,
    pub pattern: Option<Text>,
    pub minimum: Option<At<f64>>,
    pub maximum: Option<At<f64>>,
    pub max_length: Option<At<f64>>,
    pub raises: Option<RaiseSpec>,
    pub needs: Option<Text>,
    pub note: Option<String>,
    pub escape: Option<Text>,
    pub secret: bool,
    pub except: Vec<(Text, Text)>,
}

#[derive(Debug)]
pub struct RaiseSpec {
    pub tier: Option<At<Tier>>,
    pub effect: Option<At<Effect>>,
    pub because: String,
}

#[derive(Debug)]
pub struct AlsoSpec {
    pub field: Text,
    pub call: Option<Call>,
    pub fixed: FixedSpec,
    pub returns: Option<ReturnsSpec>,
    pub when: Option<Text>,
    pub tail: Option<Text>,
    pub optional: bool,
}

#[derive(Debug, Default)]
pub struct ReturnsSpec {
    pub at: Span,
    pub list: Option<Text>,
    pub values: Option<Text>,
    pub of: Option<Text>,
    pub value: Option<Text>,
    pub split: Vec<(Text, PartSpec)>,
    pub fields: Vec<FieldSpec>,
    pub page: Option<At<f64>>,
    /// Where `page: api` stands.
    pub api_pages: Option<Span>,
    pub last: Option<Text>,
    pub columns: Vec<Text>,
    pub sort: Option<Text>,
    pub only: Vec<(Text, Vec<Text>)>,
    pub drop: Vec<(Text, Vec<Text>)>,
    pub filter: Vec<(Text, FilterSpec)>,
}

#[derive(Debug)]
pub struct FieldSpec {
    pub at: Span,
    pub to: String,
    pub from: String,
    /// Where `from` stands.
    pub from_at: Span,
}

#[derive(Debug)]
pub struct FilterSpec {
    pub field: Text,
    pub by: Option<Text>,
}

#[derive(Debug)]
pub struct PartSpec {
    pub of: Option<(Text, Text)>,
    pub fields: Vec<FieldSpec>,
    pub first: Option<Text>,
    pub otherwise: serde_json::Value,
}

#[derive(Debug)]
pub struct GuardSpec {
    pub digest: Option<Call>,
    pub show: Option<Text>,
    pub expect: Option<Text>,
    pub absent: Option<AbsentSpec>,
    pub vacant: Option<VacantSpec>,
}

#[derive(Debug)]
pub struct AbsentSpec {
    pub at: Span,
    pub call: Option<Call>,
    pub row: Option<(Text, Node)>,
    pub unless: Option<Text>,
    pub say: String,
}

#[derive(Debug)]
pub struct VacantSpec {
    pub id: Option<Text>,
    pub replace: Option<Text>,
}

#[derive(Debug)]
pub struct NameSpec {
    pub name: Text,
    pub title: Option<String>,
    pub doc: Option<String>,
    pub preset: Vec<(Text, Node)>,
    pub rename: Vec<(Text, Text)>,
    pub values: Vec<(Text, Vec<(Text, Node)>)>,
    pub defaults: Vec<(Text, Node)>,
    pub required: Vec<(Text, At<bool>)>,
    pub ignores: Vec<(Text, Text)>,
}

#[derive(Debug)]
pub struct ExampleSpec {
    pub at: Span,
    pub args: Vec<(Text, Node)>,
    pub given: Vec<(Text, Node)>,
    /// Scalars only.
    pub sends: Vec<Node>,
    pub before: Vec<(Text, Vec<(Text, Node)>)>,
}
