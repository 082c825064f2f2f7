//! Scripted faults: what a server, a proxy or a network does wrong, to which requests, and how often.
//!
//! Knows the kinds of faults and which request meets one. How a fault looks on the wire is in `wire`, the text form in
//! `text`, and troubles of the cluster itself (an offline node, a full storage) in `state`.

mod rules;
mod state;
mod text;
mod wire;

use proxmox_spec::Verb;

pub use state::State;
pub use text::BadText;

pub(crate) use rules::Rules;
pub(crate) use state::NAMES as STATES;
pub(crate) use text::names as fault_names;
pub(crate) use wire::{Broken, Payload, play};

/// What a server that misbehaves does with a request.
///
/// A fault strikes either before the request is handled, so that nothing happens on the cluster, or it damages the
/// answer of a request that was handled: [`Fault::handles`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Not handled: this status and this reason. 401 and 595 to 599 have an empty body, as on the real server, all
    /// others the API's JSON.
    Status(u16, String),
    /// Handled, and the answer is this status and reason all the same, as when a hop between two nodes times out.
    StatusAfter(u16, String),
    /// Not handled: the connection ends.
    CloseBefore,
    /// Handled: the connection ends without an answer.
    CloseAfter,
    /// The connection is closed before a byte is read. Strikes connections, not requests.
    CloseOnAccept,
    /// The connection is accepted, and nothing is ever said on it. Strikes connections, not requests.
    HangOnAccept,
    /// Not handled: there is never an answer, and the connection stays open.
    Hang,
    /// Handled: there is never an answer, and the connection stays open.
    HangAfter,
    /// Handled: the answer's body comes byte by byte, with so many milliseconds between two.
    Trickle(u32),
    /// Handled: half of the body, and a `Content-Length` that agrees with it.
    Truncated,
    /// Handled: half of the body that `Content-Length` announces, then the connection ends.
    TooShort,
    /// Not handled: a page of a proxy, with this status.
    Html(u16),
    /// Handled: the answer comes under this media type; `None` = without one.
    ContentType(Option<String>),
    /// Handled: 200 with an empty body.
    Empty,
    /// Not handled: 302 to that address.
    Redirect(String),
    /// Handled: 200 with a text that is no JSON, under JSON's media type.
    NotJson,
    /// Handled: 200 with `data: null`.
    NullData,
    /// Handled: 200 with data of another type than the right one.
    WrongType,
    /// Handled: 200 with so many MiB of data, streamed without a `Content-Length`.
    Huge(u32),
    /// The server shows another certificate. Strikes connections, not requests.
    Certificate,
}

/// Which verbs a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbs {
    /// All of them.
    #[default]
    Any,
    /// Everything but GET.
    Writes,
    /// This one.
    Only(Verb),
}

/// A fault, and the requests that it strikes.
///
/// For a fault that strikes connections, `verbs` and `path` are without meaning, and connections are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub fault: Fault,
    pub verbs: Verbs,
    /// A pattern for the decoded path below `/api2/json`, without empty segments: `*` is any text and `?` any letter
    /// within a segment, `**` is any number of segments.
    pub path: String,
    /// How many of the requests that fit are spared first.
    pub skip: u32,
    /// How many are struck then; `None` = all.
    pub times: Option<u32>,
    /// The number of the endpoint at which it strikes, from 1; `None` = at all of them.
    pub endpoint: Option<u16>,
}

/// Anything that can go wrong: what the text form of the command line and of the control endpoint says.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    Rule(Rule),
    State(State),
}

impl Fault {
    /// The request reaches the cluster and may change it.
    pub fn handles(&self) -> bool {
        match self {
            Fault::Status(..)
            | Fault::CloseBefore
            | Fault::CloseOnAccept
            | Fault::HangOnAccept
            | Fault::Hang
            | Fault::Html(_)
            | Fault::Redirect(_) => false,
            Fault::StatusAfter(..)
            | Fault::CloseAfter
            | Fault::HangAfter
            | Fault::Trickle(_)
            | Fault::Truncated
            | Fault::TooShort
            | Fault::ContentType(_)
            | Fault::Empty
            | Fault::NotJson
            | Fault::NullData
            | Fault::WrongType
            | Fault::Huge(_)
            | Fault::Certificate => true,
        }
    }

    /// It is met when a connection is made, whatever is asked on it.
    pub fn strikes_connections(&self) -> bool {
        matches!(self, Fault::CloseOnAccept | Fault::HangOnAccept | Fault::Certificate)
    }

    /// The status that the client sees; `None` where it is the one of the usual answer, 0 = no answer.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Fault::Status(status, _) | Fault::StatusAfter(status, _) | Fault::Html(status) => Some(*status),
            Fault::CloseBefore
            | Fault::CloseAfter
            | Fault::CloseOnAccept
            | Fault::HangOnAccept
            | Fault::Hang
            | Fault::HangAfter => Some(0),
            Fault::Redirect(_) => Some(302),
            Fault::Empty | Fault::NotJson | Fault::NullData | Fault::WrongType | Fault::Huge(_) => Some(200),
            Fault::Trickle(_) | Fault::Truncated | Fault::TooShort | Fault::ContentType(_) | Fault::Certificate => None,
        }
    }

    /// A rule that strikes every request.
    pub fn always(self) -> Rule {
        Rule { fault: self, verbs: Verbs::Any, path: "**".to_owned(), skip: 0, times: None, endpoint: None }
    }

    /// A rule that strikes the next request: from the request hook, the present one.
    pub fn once(self) -> Rule {
        Rule { times: Some(1), ..self.always() }
    }
}

impl Rule {
    /// The same, at one endpoint only.
    pub fn at(self, endpoint: u16) -> Rule {
        Rule { endpoint: Some(endpoint), ..self }
    }
}

impl Verbs {
    pub(crate) fn holds(self, verb: &str) -> bool {
        match self {
            Verbs::Any => true,
            Verbs::Writes => verb != Verb::Get.as_str(),
            Verbs::Only(only) => verb == only.as_str(),
        }
    }
}
