//! The catalogue with its meaning: resolved, total, without places. Emitters read this and nothing else.
//!
//! Guarantees: every name resolves, every endpoint and parameter exists in the facts, every placeholder has an
//! argument, every closed word is one of its enum. An emitter that needs to fail has found a mistake in `check`.

mod offers;

pub use offers::*;
use proxmox_spec::{Effect, Method, Param, Shape, Tier};
use serde_json::Value as Json;

#[derive(Debug)]
pub struct Catalogue {
    /// Field of an answer → unit.
    pub units: Vec<(String, String)>,
    pub dialects: Vec<Dialect>,
    pub waiters: Vec<Waiter>,
    pub hints: Vec<Hint>,
    pub toolsets: Vec<Toolset>,
    pub completions: Vec<Completion>,
    pub resources: Vec<Resource>,
    pub prompts: Vec<Prompt>,
    pub instructions: Vec<Instruction>,
}

impl Catalogue {
    /// All tools in catalogue order.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.toolsets.iter().flat_map(|toolset| &toolset.tools)
    }
}

#[derive(Debug)]
pub struct Dialect {
    pub name: String,
    pub title: String,
}

#[derive(Debug)]
pub struct Toolset {
    pub name: String,
    pub title: String,
    pub doc: String,
    /// Never empty.
    pub tools: Vec<Tool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Qemu,
    Lxc,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Qemu, Kind::Lxc];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Qemu => "qemu",
            Kind::Lxc => "lxc",
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub fn other(self) -> Kind {
        match self {
            Kind::Qemu => Kind::Lxc,
            Kind::Lxc => Kind::Qemu,
        }
    }
}

#[derive(Debug)]
pub struct Tool {
    pub name: String,
    pub title: String,
    pub doc: String,
    /// Listed when nobody chose toolsets.
    pub core: bool,
    pub tier: Tier,
    pub effect: Effect,
    pub because: Option<String>,
    /// In tools.yaml.
    pub line: usize,
    /// In schema order: the guest's three first, then as written, then `wait`, `limit`, `offset`.
    pub arguments: Vec<Argument>,
    pub locate: Locate,
    /// Empty only where a handler stands in their place.
    pub routes: Vec<Route>,
    pub handler: Option<Handler>,
    pub unsupported: Vec<(Kind, String)>,
    /// Name of its waiter.
    pub waiter: Option<String>,
    pub told: Vec<Told>,
    pub guards: Vec<Guard>,
    pub hints: Vec<Hint>,
    pub names: Vec<Name>,
    /// Never empty.
    pub examples: Vec<Example>,
}

impl Returns {
    /// Whether callers can choose a page and fields.
    pub fn paged(&self) -> bool {
        self.page.is_some() || self.api_pages
    }
}

impl Tool {
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The greatest effect that some call of this tool can have: its own, its arguments', its other options'.
    pub fn most(&self) -> Effect {
        if let Some(handler) = &self.handler {
            return handler.most.max(self.effect);
        }
        let raised = self.arguments.iter().filter_map(|argument| argument.raises.as_ref()).map(|raise| raise.effect);
        let sent = self.routes.iter().flat_map(|route| &route.request.params).flat_map(|send| match &send.from {
            // A constant was weighed when it was checked.
            From::Fixed(_) => Vec::new(),
            _ => send.param.into_iter().collect(),
        });
        let rest = self.arguments.iter().filter(|argument| argument.form == Form::Rest).flat_map(|argument| {
            let left_out = |name: &str| argument.rule.except.iter().any(|(one, _)| one == name);
            let methods = self.routes.iter().map(|route| route.request.method);
            methods.flat_map(|method| method.params).copied().filter(move |param| !left_out(param.name))
        });
        let params = sent.chain(rest).filter(|param| !param.root_only).flat_map(|param| param.danger);
        raised.chain(params.map(|danger| danger.effect)).fold(self.effect, Effect::max)
    }
}

/// A plan made by hand, for what is not one request of the API.
#[derive(Debug)]
pub struct Handler {
    /// A function of the server's `handlers`.
    pub name: String,
    /// JSON Schema of the answer: no facts describe it.
    pub schema: Json,
    /// The greatest effect that some call of it can have.
    pub most: Effect,
}

/// A field that the log of the finished task tells.
#[derive(Debug)]
pub struct Told {
    pub field: String,
    pub doc: String,
    /// (log line with `*` and one `{}`, what the field then is).
    pub lines: Vec<(String, Vec<ToldPart>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToldPart {
    Text(String),
    /// A parameter of the call, as it was sent.
    Sent(String),
    /// What stood in the place of `{}`.
    Found,
}

/// What has to be looked up before a route can be chosen.
#[derive(Debug)]
pub enum Locate {
    Nothing,
    /// `vmid`, `node`, `kind` name a guest.
    Guest,
    /// The kind stands in a volume id, or is asked for.
    Archive(Ask),
}

#[derive(Debug)]
pub struct Ask {
    /// The argument with the volume id.
    pub volid: String,
    pub request: Request,
    pub row: (String, Template),
    pub field: String,
    /// The argument that says the kind instead.
    pub argument: String,
}

/// One endpoint of a tool.
#[derive(Debug)]
pub struct Route {
    pub kind: Option<Kind>,
    /// Which case it is: (argument, condition).
    pub when: Option<(String, When)>,
    pub request: Request,
    pub also: Vec<Also>,
    pub returns: Returns,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    Given,
    Absent,
    Is(String),
}

#[derive(Debug)]
pub struct Request {
    pub method: &'static Method,
    pub path: Vec<PathPart>,
    /// In sending order.
    pub params: Vec<Send>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    Literal(String),
    /// Of the located guest.
    Node,
    Kind,
    Vmid,
    Value(Source),
}

/// An argument or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub argument: String,
    pub part: SourcePart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourcePart {
    Whole,
    /// The node inside a task id.
    Node,
    /// The storage inside a volume id.
    Storage,
    /// A size in GiB, as a plain number.
    Gib,
}

/// One parameter of a request.
#[derive(Debug)]
pub struct Send {
    /// Wire name.
    pub name: String,
    pub from: From,
    /// What the facts say of it; `None` for `rest`.
    pub param: Option<&'static Param>,
}

#[derive(Debug)]
pub enum From {
    Fixed(String),
    /// An argument's own value, in the parameter's wire form.
    Argument(String),
    /// The located guest's id.
    Vmid,
    /// Text made of several arguments.
    Derived(Template),
    /// The digest that the guard read, unless this argument gives one.
    Digest(Option<String>),
    /// All pairs of a `rest` argument.
    Rest(String),
}

/// Text with places.
#[derive(Debug, Clone)]
pub struct Template {
    pub parts: Vec<TemplatePart>,
}

#[derive(Debug, Clone)]
pub enum TemplatePart {
    Text(String),
    Value(Source),
}

#[derive(Debug)]
pub struct Also {
    pub field: String,
    pub request: Request,
    pub returns: Returns,
    pub when: Option<String>,
    pub tail: Option<String>,
    pub optional: bool,
}

#[derive(Debug)]
pub enum Guard {
    Digest { request: Request, show: String, expect: Option<String> },
    Absent { request: Request, row: (String, Template), unless: Option<String>, say: String },
    Vacant { id: String, replace: Option<String> },
}

#[derive(Debug, Clone)]
pub struct Hint {
    pub status: Option<u16>,
    pub has: String,
    pub say: String,
    pub retry: bool,
}

#[derive(Debug)]
pub struct Waiter {
    pub name: String,
    pub poll: &'static Method,
    pub from: Vec<(String, String)>,
    pub log: Option<&'static Method>,
    pub outcomes: Vec<(Option<Condition>, String)>,
    pub once: bool,
    pub resume: String,
    /// Empty = it cannot be stopped.
    pub stop: String,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Condition {
    pub field: String,
    pub starts: bool,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct Field {
    /// Dots go into objects.
    pub from: String,
    pub to: String,
    /// The facts' form of it; `None` = they do not say.
    pub shape: Option<&'static Shape>,
}

#[derive(Debug, Clone)]
pub struct Returns {
    pub answer: Answer,
    /// Empty = all.
    pub fields: Vec<Field>,
    pub filters: Vec<Filter>,
    pub only: Vec<(String, Vec<String>)>,
    pub drop: Vec<(String, Vec<String>)>,
    pub sort: Option<String>,
    pub page: Option<u32>,
    /// The API cuts the pages: `limit` and `offset` are parameters.
    pub api_pages: bool,
    /// (the argument that says how many, the argument that says where to begin): without the latter, rows from the end.
    pub last: Option<(String, String)>,
    /// Fields of a table when the caller chooses none; empty = all of them.
    pub columns: Vec<String>,
    pub parts: Vec<Part>,
    /// (parameter, field).
    pub echo: Vec<(String, String)>,
    /// The facts' form of the whole answer.
    pub shape: &'static Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    Task,
    Object,
    List(String),
    Values(String),
    Value(String),
    Split,
}

#[derive(Debug, Clone)]
pub struct Filter {
    pub argument: String,
    pub field: String,
    pub by: Match,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Equals,
    Pattern,
    Word,
}

#[derive(Debug, Clone)]
pub struct Part {
    pub to: String,
    pub of: (String, String),
    pub take: Take,
}

#[derive(Debug, Clone)]
pub enum Take {
    Rows(Vec<Field>),
    First(Field, Json),
}

#[derive(Debug)]
pub struct Argument {
    /// Snake case.
    pub name: String,
    pub doc: String,
    pub required: bool,
    pub form: Form,
    pub default: Option<Json>,
    pub default_from: Option<DefaultFrom>,
    pub only: Option<Kind>,
    pub secret: bool,
    pub rule: Rule,
    pub raises: Option<Raise>,
    pub needs: Option<(String, String)>,
    /// Its text goes through the API's template expansion and is escaped.
    pub escape: bool,
    /// It becomes a segment of a path.
    pub segment: bool,
    /// `in:` of a volume id.
    pub within: Option<String>,
    /// The API's earliest version, where that is not the table's first.
    pub since: Option<&'static str>,
    /// The methods and parameters behind it.
    pub facts: Vec<(&'static Method, &'static Param)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultFrom {
    /// The scalar that this GET answers with: facts path.
    Read(String),
    GuestRunning,
    /// The guest id inside the volume id of this argument.
    VolidVmid(String),
}

#[derive(Debug)]
pub struct Raise {
    pub tier: Tier,
    pub effect: Effect,
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Integer,
    Number,
    Boolean,
    Choice,
    List,
    Property,
    Guest,
    Upid,
    Volid,
    Size,
    Argv,
    File,
    /// The path half of a file.
    Path,
    Rest,
    Expect,
    /// Any object.
    Object,
}

#[derive(Debug, Default)]
pub struct Rule {
    pub values: Vec<String>,
    pub refused: Vec<(String, String)>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    pub format: Option<&'static str>,
    pub pattern: Option<String>,
    /// Goes into a property string, so it holds no comma.
    pub part: bool,
    pub except: Vec<(String, String)>,
}

/// A name of the tool in a dialect.
#[derive(Debug)]
pub struct Name {
    pub dialect: String,
    pub name: String,
    pub title: Option<String>,
    pub doc: Option<String>,
    pub preset: Vec<(String, Json)>,
    /// (canonical, theirs).
    pub rename: Vec<(String, String)>,
    /// (canonical argument, their value, our value).
    pub values: Vec<(String, Json, Json)>,
    pub defaults: Vec<(String, Json)>,
    /// Canonical arguments that are not required here.
    pub loosened: Vec<String>,
    pub ignores: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Example {
    pub args: Json,
    pub given: Json,
    pub sends: Vec<String>,
    /// (tool, arguments).
    pub before: Vec<(String, Json)>,
}
