//! What a tool is: the static vocabulary that the generated catalogue is written in.
//!
//! Everything here is `'static` and built at compile time. This module knows nothing of HTTP or MCP.

use crate::arguments::{BadArguments, Fields};
use crate::plan::Plan;
pub use proxmox_spec::{Effect, Tier, Verb};

/// A tool under its canonical name.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    /// What an assistant reads: purpose first, then limits.
    pub doc: &'static str,
    pub toolset: &'static str,
    /// Listed when nobody chose toolsets.
    pub core: bool,
    /// The least tier that may call it; a plan can need more, never less.
    pub tier: Tier,
    /// What it does to what exists; a plan can have more, never less.
    pub effect: Effect,
    /// The greatest effect that some call of it can have, whatever its arguments.
    pub most: Effect,
    pub arguments: &'static [Argument],
    /// One per kind of guest or per case; empty only where a handler makes the plan.
    pub routes: &'static [Route],
    /// What is read beside the routes: before a call is sent, or merged into its answer.
    pub beside: &'static [Beside],
    /// Kinds that the API leaves out: why, and what to do instead.
    pub unsupported: &'static [(Kind, &'static str)],
    pub waiter: Option<&'static Waiter>,
    /// What the log tells once it is over.
    pub told: &'static [Told],
    /// The tool's own advice; tried before [`crate::catalogue::HINTS`].
    pub hints: &'static [Hint],
    /// JSON text of the schema that every `structuredContent` of this tool satisfies.
    pub output_schema: &'static str,
    /// Line in tools.yaml.
    pub line: u32,
    /// The plan is made by hand (see [`crate::handlers`]): which requests it holds is known when it is called.
    pub handled: bool,
    /// Name + arguments → what would be done. Pure: sends nothing.
    pub plan: fn(&mut Fields<'_>) -> Result<Plan, BadArguments>,
}

/// One name under which a tool is listed and called, with the argument names of its dialect.
#[derive(Debug)]
pub struct Surface {
    pub name: &'static str,
    /// `None` = the canonical name.
    pub dialect: Option<&'static str>,
    pub tool: &'static Tool,
    pub title: &'static str,
    pub description: &'static str,
    /// JSON text.
    pub input_schema: &'static str,
    /// (name in this dialect, canonical name).
    pub rename: &'static [(&'static str, &'static str)],
    /// Arguments that the name itself fixes, as JSON text: (canonical name, value).
    pub preset: &'static [(&'static str, &'static str)],
    /// Translated values, as JSON text; `null` = as if absent. (canonical argument, value in this dialect, value sent).
    pub values: &'static [(&'static str, &'static str, &'static str)],
    /// Other defaults than the tool's, as JSON text; `null` = no default. (canonical argument, value).
    pub defaults: &'static [(&'static str, &'static str)],
    /// Accepted and not used: (name, note for the answer).
    pub ignores: &'static [(&'static str, &'static str)],
}

/// The two kinds of guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A virtual machine.
    Qemu,
    /// A container.
    Lxc,
}

impl Kind {
    /// The API's word for it, as in `/nodes/{node}/qemu`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Qemu => "qemu",
            Kind::Lxc => "lxc",
        }
    }

    /// A person's word for it.
    pub const fn noun(self) -> &'static str {
        match self {
            Kind::Qemu => "virtual machine",
            Kind::Lxc => "container",
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        match text {
            "qemu" => Some(Kind::Qemu),
            "lxc" => Some(Kind::Lxc),
            _ => None,
        }
    }
}

/// An argument of a tool, as decoded by [`Fields`] and shown in errors, schemas and docs.
#[derive(Debug)]
pub struct Argument {
    /// Canonical, snake case.
    pub name: &'static str,
    pub doc: &'static str,
    pub required: bool,
    pub form: Form,
    pub rule: Rule,
    pub default: Preset,
    /// Never shown or logged.
    pub secret: bool,
    /// What this argument is meaningless without.
    pub needs: Option<Need>,
}

impl Argument {
    /// An optional text without a rule.
    pub const NONE: Argument = Argument {
        name: "",
        doc: "",
        required: false,
        form: Form::Text,
        rule: Rule::NONE,
        default: Preset::None,
        secret: false,
        needs: None,
    };
}

/// The form in which an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Integer,
    Number,
    Boolean,
    /// One of `Rule::values`.
    Choice,
    /// An array of strings, or one string split on commas and white space.
    List,
    /// A property string or an object with its sub-keys; the sub-keys are those of `Rule::fact`.
    Property,
    /// A guest's id or its unique name.
    Guest,
    /// A task id.
    Upid,
    /// A volume id, with or without its storage.
    Volid,
    /// A size in any common notation (`32G`, `32 GiB`, `1.5T`, `+10G`).
    Size,
    /// A program and its arguments.
    Argv,
    /// A file: base64 text, or a path below the upload folder.
    File,
    /// An object of other parameters of the call.
    Rest,
    /// An object of field → expected value.
    Expect,
    /// Any object; what it holds is checked by who reads it.
    Object,
}

/// What a value must satisfy, already narrowed to what the API takes.
#[derive(Debug)]
pub struct Rule {
    pub values: &'static [&'static str],
    /// Values that are understood and refused: (value, why and what instead).
    pub refused: &'static [(&'static str, &'static str)],
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    /// The API's name of the text format, checked by `proxmox_spec::format`.
    pub format: Option<&'static str>,
    /// Perl syntax, anchored.
    pub pattern: Option<&'static str>,
    /// Becomes part of a property string, so it may hold no comma.
    pub part: bool,
    /// The API parameter behind it: method and path template, parameter name.
    pub fact: Option<Fact>,
    /// `Rest` only: names that stay out: the call's own arguments, and what another tool is for (name, why).
    pub except: &'static [(&'static str, &'static str)],
}

impl Rule {
    /// No rule beyond the form's.
    pub const NONE: Rule = Rule {
        values: &[],
        refused: &[],
        minimum: None,
        maximum: None,
        min_length: None,
        max_length: None,
        format: None,
        pattern: None,
        part: false,
        fact: None,
        except: &[],
    };
}

/// A parameter of the API, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub verb: Verb,
    pub path: &'static str,
    /// Empty for `Rest`: all parameters of the method.
    pub param: &'static str,
}

impl Fact {
    pub const fn new(verb: Verb, path: &'static str, param: &'static str) -> Fact {
        Fact { verb, path, param }
    }
}

/// A value that is used when the caller gives none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    None,
    Boolean(bool),
    Integer(i64),
    Text(&'static str),
}

/// `disk_size` without `storage`: an error when the caller wrote it, the note when it came from a default.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    pub argument: &'static str,
    pub note: &'static str,
}

/// One endpoint of a tool.
#[derive(Debug)]
pub struct Route {
    /// The kind of guest it is for; `None` = no kind in play.
    pub kind: Option<Kind>,
    pub verb: Verb,
    /// The facts' path template.
    pub path: &'static str,
    /// When this route is taken, for people; empty when it is the only one or goes by kind.
    pub when: &'static str,
    pub returns: &'static Returns,
    /// What a call by this route always sends: (parameter, its value if it is a constant).
    pub always: &'static [(&'static str, Option<&'static str>)],
}

/// A read beside a tool's own requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The facts' path template of the GET.
    pub path: &'static str,
    /// Some call cannot do without: false where the caller can say what it tells, or where it may fail.
    pub needed: bool,
    /// What it always sends, as in [`Route::always`].
    pub always: &'static [(&'static str, Option<&'static str>)],
}

/// How an answer of the API becomes an answer of the tool.
#[derive(Debug)]
pub struct Returns {
    pub form: Answer,
    /// Shown fields, in order; empty = all of them.
    pub fields: &'static [Field],
    /// Which argument filters which field of a list.
    pub filters: &'static [Filter],
    /// Rows that are kept whatever the arguments: (field, accepted values).
    pub only: &'static [(&'static str, &'static [&'static str])],
    /// Rows that are left out whatever the arguments: (field, values).
    pub drop: &'static [(&'static str, &'static [&'static str])],
    /// Field that a list is sorted by; `-` in front = descending.
    pub sort: Option<&'static str>,
    /// Rows of a page when the caller gives no `limit`; `None` = all rows.
    pub page: Option<u32>,
    /// Fields of a table when the caller chooses none; empty = all of them.
    pub columns: &'static [&'static str],
    /// Parts of a mixed list, for `Answer::Split`.
    pub parts: &'static [Part],
    /// Parameters of the sent request that the answer repeats (ids chosen by the cluster): (parameter, field).
    pub echo: &'static [(&'static str, &'static str)],
}

impl Returns {
    /// The whole object that the API answers with.
    pub const NONE: Returns = Returns {
        form: Answer::Object,
        fields: &[],
        filters: &[],
        only: &[],
        drop: &[],
        sort: None,
        page: None,
        columns: &[],
        parts: &[],
        echo: &[],
    };
}

/// The form of a successful answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The API answers null; the tool answers with its outcome.
    Done,
    /// The API answers with a task id; the tool waits and answers with the outcome.
    Task,
    /// The fields of one object.
    Object,
    /// Rows under this key, with `total` (and `offset`, `next_offset`).
    List(&'static str),
    /// A list of single values of this field, under the key.
    Values(&'static str),
    /// One scalar under this key.
    Value(&'static str),
    /// A mixed list taken apart by `Returns::parts`.
    Split,
}

/// A field of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// In the API's answer; dots go into objects.
    pub from: &'static str,
    /// In ours.
    pub to: &'static str,
}

impl Field {
    pub const fn new(from: &'static str, to: &'static str) -> Field {
        Field { from, to }
    }
}

/// An argument that chooses rows of a list.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub argument: &'static str,
    /// In the API's answer.
    pub field: &'static str,
    pub by: Match,
}

impl Filter {
    pub const fn new(argument: &'static str, field: &'static str, by: Match) -> Filter {
        Filter { argument, field, by }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Equals,
    /// `*` and `?`, any case; without them a part of the text is enough.
    Pattern,
    /// One of the words of a `;`-separated list.
    Word,
}

/// One part of a mixed list.
#[derive(Debug)]
pub struct Part {
    /// Field of the answer.
    pub to: &'static str,
    /// Rows that belong here: field and value.
    pub of: (&'static str, &'static str),
    /// Rows as a list, or one value of the first row.
    pub take: Take,
}

#[derive(Debug)]
pub enum Take {
    Rows(&'static [Field]),
    /// A field of the first row, or this JSON text when there is no such row.
    First(&'static str, &'static str),
}

/// A field of the answer that the log of the finished task tells.
#[derive(Debug)]
pub struct Told {
    pub field: &'static str,
    /// The line that tells it (`*` = anything, `{}` = what is wanted), and the text that is made of it.
    pub lines: &'static [(&'static str, &'static [ToldPart])],
}

#[derive(Debug)]
pub enum ToldPart {
    Text(&'static str),
    /// A parameter of the call, as it was sent.
    Sent(&'static str),
    /// What stood in the place of `{}`.
    Found,
}

/// How the end of something that was started is found out.
#[derive(Debug)]
pub struct Waiter {
    pub name: &'static str,
    /// The polled GET, as a facts path; placeholders are filled from the guest, the node and `from`.
    pub poll: &'static str,
    /// Where a placeholder or parameter of the poll comes from: (name, field of the first answer; empty = the whole answer).
    pub from: &'static [(&'static str, &'static str)],
    /// First match wins; nothing matched = still running.
    pub outcomes: &'static [(Condition, Outcome)],
    /// GET of the log, same placeholders; empty = none.
    pub log: &'static str,
    /// The end can be read only once: the read is never repeated.
    pub once: bool,
    /// The tool that takes up a poll that was left.
    pub resume: &'static str,
    /// The tool that stops what is waited for, and takes what names it; empty = nothing does.
    pub stop: &'static str,
    /// What of the last poll's answer the tool shows.
    pub fields: &'static [Field],
}

#[derive(Debug, Clone, Copy)]
pub enum Condition {
    Always,
    /// Field equals this text (booleans as `1`/`0`).
    Is(&'static str, &'static str),
    /// Field begins with this text.
    Starts(&'static str, &'static str),
}

/// How a call that starts something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Warnings,
    Failed,
    Running,
    /// Sent, and no answer came.
    Unknown,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Warnings => "warnings",
            Outcome::Failed => "failed",
            Outcome::Running => "running",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Advice for an error of the API.
#[derive(Debug)]
pub struct Hint {
    /// HTTP status; `None` = any (also the end of a task).
    pub status: Option<u16>,
    /// Part of the message, any case; empty = any.
    pub has: &'static str,
    /// What to do next. `{tool}`-free plain text.
    pub say: &'static str,
    /// The complete rejection proves that nothing happened, so the call is made once more with fresh look-ups,
    /// provided the value that was refused came from the cluster and not from the caller.
    pub retry: bool,
}

/// A toolset, in the order of the catalogue.
#[derive(Debug)]
pub struct Toolset {
    pub name: &'static str,
    pub title: &'static str,
    pub doc: &'static str,
}

/// Another server's surface.
#[derive(Debug)]
pub struct Dialect {
    pub name: &'static str,
    pub title: &'static str,
}
