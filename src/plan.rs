//! What a call would do. The generated, pure half of a call ends here: a [`Plan`] holds one request per possible
//! kind of guest, with node, kind and whatever only the cluster can say still open.
//!
//! Nothing here sends anything. `resolve` closes what is open, with GETs only; the plan gate looks at the result.

use crate::arguments::{ArchiveRef, FileSource, GuestRef, RestPairs, Segment};
use crate::tool::{Effect, Kind, Returns, Surface, Tier, Verb};
use std::borrow::Cow;

/// Why a call is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Intent {
    /// To do it.
    #[default]
    Run,
    /// To see what it would do.
    Plan,
    /// To do what was shown, with the seal that came with it.
    Sealed(String),
}

/// What takes the place of a request.
#[derive(Debug)]
pub enum Instead {
    /// The whole answer: nothing has to be asked.
    Answer(serde_json::Map<String, serde_json::Value>),
    /// The call of another tool.
    Call { surface: &'static Surface, arguments: serde_json::Map<String, serde_json::Value>, intent: Intent },
}

/// What a call would do.
#[derive(Debug)]
pub struct Plan {
    /// Set by handlers only; then there are no routes.
    pub instead: Option<Instead>,
    /// What has to be looked up before a route can be chosen.
    pub locate: Locate,
    /// In catalogue order; empty only with `instead`. With `Locate::Nothing` there is exactly one.
    pub routes: Vec<PlannedRoute>,
    /// Arguments that need more than the tool does.
    pub raises: Vec<Raise>,
    /// Arguments that only one kind of guest has: (argument, the kind that has it).
    pub only: Vec<(Cow<'static, str>, Kind)>,
    pub guards: Vec<Guard>,
    /// The file that an upload sends.
    pub file: Option<FileSource>,
    /// For the answer, e.g. that no disk was made.
    pub notes: Vec<String>,
    pub view: View,
    /// Seconds to wait for what was started; `None` = as configured.
    pub wait: Option<u64>,
}

#[derive(Debug)]
pub enum Locate {
    Nothing,
    /// A guest by id or name: gives `{node}`, `{vmid}` and the kind.
    Guest(GuestRef),
    /// An archive: gives the kind.
    Archive(ArchiveRef, Ask),
}

/// A read that tells what the arguments do not.
#[derive(Debug)]
pub struct Ask {
    pub request: Request,
    /// The row that is meant: field and value.
    pub row: (&'static str, String),
    /// Its field that tells.
    pub field: &'static str,
    /// The argument by which the caller can say it.
    pub argument: &'static str,
}

#[derive(Debug)]
pub struct PlannedRoute {
    pub kind: Option<Kind>,
    pub request: Request,
    pub also: Vec<Also>,
    pub returns: &'static Returns,
}

/// A request with open places.
#[derive(Debug, Clone)]
pub struct Request {
    pub verb: Verb,
    pub path: Vec<PathPart>,
    /// In sending order.
    pub params: Vec<Param>,
}

#[derive(Debug, Clone)]
pub enum PathPart {
    Literal(&'static str),
    /// The located guest's node.
    Node,
    /// The located guest's kind.
    Kind,
    /// The located guest's id.
    Vmid,
    /// A value of the caller's; may hold slashes only where the facts say so.
    Value(Segment),
}

#[derive(Debug, Clone)]
pub struct Param {
    /// Wire name.
    pub name: Cow<'static, str>,
    pub value: Value,
    /// The argument it comes from, for errors; empty for constants.
    pub argument: &'static str,
    pub secret: bool,
}

#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    /// A repeated key.
    List(Vec<String>),
    Open(Open),
}

/// A value that only the cluster can say.
#[derive(Debug, Clone)]
pub enum Open {
    /// The scalar that this GET answers with (`/cluster/nextid`).
    Read(&'static str),
    /// Whether the located guest runs: `1`, or left out.
    GuestRunning,
    /// The located guest's id.
    GuestVmid,
    /// The digest that a [`Guard::Digest`] read.
    Digest,
}

/// A further read merged into the answer.
#[derive(Debug)]
pub struct Also {
    pub field: &'static str,
    pub request: Request,
    pub returns: &'static Returns,
    /// Only the last rows: at most this many.
    pub tail: Option<u64>,
    /// A failure is a note, not an error.
    pub optional: bool,
}

/// An argument that needs more than its tool.
#[derive(Debug)]
pub struct Raise {
    pub argument: &'static str,
    pub tier: Tier,
    pub effect: Effect,
    pub because: &'static str,
}

/// Something that is read right before a write, so that nothing is changed that has moved meanwhile.
#[derive(Debug)]
pub enum Guard {
    /// Read this object: its `digest` is sent along, its values answer under `show`, and the fields in `expect`
    /// must hold these values.
    Digest {
        request: Request,
        /// Field of the answer that shows what was there before; only the fields that the call changes. Empty = not shown.
        show: &'static str,
        /// (field, value as text).
        expect: Vec<(String, String)>,
    },
    /// No row of this list may have that value.
    Absent { request: Request, row: (&'static str, String), say: &'static str },
    /// The id may belong to no guest, or to one of the route's kind on the request's node when `replace` was said.
    Vacant { vmid: u32, replace: bool, argument: &'static str },
}

/// What of the answer the caller wants to see.
#[derive(Debug, Default)]
pub struct View {
    pub limit: Option<u64>,
    pub offset: u64,
    /// Of a list that the API cuts: this many rows from the end, and the argument that says where to begin instead.
    pub last: Option<(u64, &'static str)>,
    /// Names of shown fields; empty = all.
    pub fields: Vec<String>,
    /// Rows of values under one list of columns, in the place of objects.
    pub table: bool,
    /// Values of the arguments that `Returns::filters` names.
    pub filters: Vec<(&'static str, String)>,
}

impl Plan {
    pub fn new(locate: Locate) -> Plan {
        Plan {
            instead: None,
            locate,
            routes: Vec::new(),
            raises: Vec::new(),
            only: Vec::new(),
            guards: Vec::new(),
            file: None,
            notes: Vec::new(),
            view: View::default(),
            wait: None,
        }
    }

    pub fn route(&mut self, kind: Option<Kind>, request: Request, returns: &'static Returns) -> &mut PlannedRoute {
        self.routes.push(PlannedRoute { kind, request, also: Vec::new(), returns });
        let last = self.routes.len() - 1;
        &mut self.routes[last]
    }

    /// Notes that an argument was given which only `kind` has.
    pub fn only(&mut self, given: bool, argument: &'static str, kind: Kind) {
        if given {
            self.only.push((Cow::Borrowed(argument), kind));
        }
    }

    /// Notes the options of a `rest` argument that the fact at this index lacks; `has` is the kind that has them.
    pub fn lacking(&mut self, argument: &'static str, rest: Option<&RestPairs>, fact: usize, has: Kind) {
        for (name, index) in rest.iter().flat_map(|rest| &rest.lacking) {
            if *index == fact {
                self.only.push((Cow::Owned(format!("{argument}.{name}")), has));
            }
        }
    }

    /// Notes that an argument was given which needs more than the tool.
    pub fn raise(&mut self, given: bool, argument: &'static str, tier: Tier, effect: Effect, because: &'static str) {
        if given {
            self.raises.push(Raise { argument, tier, effect, because });
        }
    }

    /// Chooses rows of a list by an argument's value.
    pub fn filter(&mut self, argument: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.view.filters.push((argument, value));
        }
    }
}

impl Request {
    pub fn new(verb: Verb, path: Vec<PathPart>) -> Request {
        Request { verb, path, params: Vec::new() }
    }

    fn push(mut self, name: &'static str, argument: &'static str, secret: bool, value: Value) -> Request {
        self.params.push(Param { name: Cow::Borrowed(name), value, argument, secret });
        self
    }

    /// A constant.
    pub fn fixed(self, name: &'static str, value: &'static str) -> Request {
        self.push(name, "", false, Value::Text(value.to_owned()))
    }

    pub fn text(self, name: &'static str, argument: &'static str, value: Option<String>) -> Request {
        match value {
            Some(value) => self.push(name, argument, false, Value::Text(value)),
            None => self,
        }
    }

    /// As [`Request::text`], never to be shown.
    pub fn secret(self, name: &'static str, argument: &'static str, value: Option<String>) -> Request {
        match value {
            Some(value) => self.push(name, argument, true, Value::Text(value)),
            None => self,
        }
    }

    pub fn integer(self, name: &'static str, argument: &'static str, value: Option<i64>) -> Request {
        self.text(name, argument, value.map(|value| value.to_string()))
    }

    pub fn number(self, name: &'static str, argument: &'static str, value: Option<f64>) -> Request {
        self.text(name, argument, value.map(|value| value.to_string()))
    }

    /// Booleans are exactly `1` and `0` on the wire.
    pub fn boolean(self, name: &'static str, argument: &'static str, value: Option<bool>) -> Request {
        self.text(name, argument, value.map(|value| if value { "1" } else { "0" }.to_owned()))
    }

    /// An `array` parameter: the key is repeated.
    pub fn list(self, name: &'static str, argument: &'static str, value: Option<Vec<String>>) -> Request {
        match value {
            Some(value) => self.push(name, argument, false, Value::List(value)),
            None => self,
        }
    }

    /// A `-list` parameter: one string.
    pub fn joined(self, name: &'static str, argument: &'static str, value: Option<Vec<String>>) -> Request {
        self.text(name, argument, value.map(|value| value.join(",")))
    }

    /// A value that only the cluster can say.
    pub fn open(self, name: &'static str, argument: &'static str, open: Open) -> Request {
        self.push(name, argument, false, Value::Open(open))
    }

    /// The caller's number, or what only the cluster can say.
    pub fn integer_or(self, name: &'static str, argument: &'static str, value: Option<i64>, open: Open) -> Request {
        match value {
            Some(_) => self.integer(name, argument, value),
            None => self.open(name, argument, open),
        }
    }

    /// The caller's yes or no, or what only the cluster can say.
    pub fn boolean_or(self, name: &'static str, argument: &'static str, value: Option<bool>, open: Open) -> Request {
        match value {
            Some(_) => self.boolean(name, argument, value),
            None => self.open(name, argument, open),
        }
    }

    /// The caller's text, or what only the cluster can say.
    pub fn text_or(self, name: &'static str, argument: &'static str, value: Option<String>, open: Open) -> Request {
        match value {
            Some(_) => self.text(name, argument, value),
            None => self.open(name, argument, open),
        }
    }

    /// Text that the API expands as a template, kept as written: it unescapes `\\` and `\n`, and knows no escape for
    /// braces, so a pair of them is parted by a space.
    pub fn escaped(self, name: &'static str, argument: &'static str, value: Option<String>) -> Request {
        let escape = |text: String| {
            let mut text = text.replace('\\', "\\\\").replace('\n', "\\n");
            // Every pair: three braces hold two of them.
            while text.contains("{{") {
                text = text.replace("{{", "{ {");
            }
            text
        };
        self.text(name, argument, value.map(escape))
    }

    /// Parameters of a `rest` argument, checked against the facts when they were decoded.
    pub fn rest(mut self, argument: &'static str, rest: Option<&RestPairs>) -> Request {
        for (name, value) in rest.iter().flat_map(|rest| &rest.pairs) {
            let secret = rest.is_some_and(|rest| rest.secret.contains(name));
            self.params.push(Param { name: Cow::Owned(name.clone()), value: value.clone(), argument, secret });
        }
        self
    }
}
