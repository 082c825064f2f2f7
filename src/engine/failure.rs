//! The end of a call that brought nothing: one kind for programs, one text for the model or the person.
//!
//! The text is whole: cause, offending argument, valid values, next step. Knows nothing of how it came about.

use super::consent::Asking;
use super::secrets::Secrets;
use super::{budget, clean};
use crate::access::Refusal;
use crate::arguments::BadArguments;

/// The longest text, in bytes: the end of a task's log fits in.
const LONGEST: usize = 24 * 1024;

/// Why a call failed, for exit codes and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Arguments that do not fit, found here or by the API.
    BadArguments,
    /// Above the tier, or denied.
    Refused,
    /// Nobody agreed to it yet, or somebody said no.
    Unconfirmed,
    /// Outside of what may be changed, or protected.
    Fenced,
    /// 401.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// No such guest, node, archive, volume, …
    NotFound,
    /// A name that several guests bear.
    Ambiguous,
    /// Another operation holds it.
    Locked,
    NoQuorum,
    NodeOffline,
    /// Something is not, or no longer, as expected: digest, taken id or name.
    Conflict,
    Tls,
    Timeout,
    /// DNS, no connection, broken connection, redirect.
    Connection,
    /// A complete answer that is not the API's, or not of the declared form.
    Unreadable,
    /// Any other rejection by the API.
    Api,
    Cancelled,
    /// A local file or certificate store.
    Local,
    /// Too many requests in flight.
    Busy,
    /// This program has a mistake.
    Broken,
}

impl FailureKind {
    /// Whether this server said no, and not the cluster.
    pub fn is_refusal(self) -> bool {
        matches!(self, FailureKind::Refused | FailureKind::Unconfirmed | FailureKind::Fenced)
    }
}

/// Why a call brought nothing. `Display` is the whole text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    kind: FailureKind,
    text: String,
    asking: Option<Box<Asking>>,
}

impl Failure {
    /// Whatever the text repeats of arguments or answers is cleaned and cut here, whoever put it together.
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Failure {
        Failure { kind, text: told(&text.into()), asking: None }
    }

    /// The same failure with a question that the caller can put, and call again with what is said.
    pub(super) fn asking(mut self, asking: Asking) -> Failure {
        self.asking = Some(Box::new(asking));
        self
    }

    /// The question to put, if the call ended for that.
    pub fn question(&self) -> Option<&Asking> {
        self.asking.as_deref()
    }

    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The same failure with a last line.
    pub(crate) fn noting(mut self, line: &str) -> Failure {
        self.text = format!("{}\n{line}", self.text.trim_end());
        self
    }

    /// The same failure within this many tokens.
    pub(super) fn within(mut self, most: u64) -> Failure {
        self.text = budget::text(self.text, most);
        self
    }

    /// The same failure with none of these in its text.
    pub(super) fn without(mut self, secrets: &Secrets) -> Failure {
        self.text = secrets.hide(self.text);
        self
    }
}

/// A text for a model or a person: cleaned, and cut if it is far too long.
pub(super) fn told(text: &str) -> String {
    let (mut told, left_out) = clean::capped(text, LONGEST);
    if left_out > 0 {
        told.push_str(&format!("… ({left_out} bytes more)"));
    }
    told
}

impl From<BadArguments> for Failure {
    fn from(bad: BadArguments) -> Failure {
        Failure::new(FailureKind::BadArguments, bad.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::new(FailureKind::Refused, refusal.to_string())
    }
}
