//! The end of a call that brought nothing: one kind for programs, one text for the model or the person.
//!
//! The text is whole: cause, offending argument, valid values, next step. Knows nothing of how it came about.

use crate::access::Refusal;
use crate::arguments::BadArguments;
use serde_json::Value;

/// Why a call failed, for exit codes and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Arguments that do not fit, found here or by the API.
    BadArguments,
    /// Above the tier, denied, or fenced.
    Refused,
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

/// Why a call brought nothing. `Display` is the whole text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    kind: FailureKind,
    text: String,
}

impl Failure {
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Failure {
        Failure { kind, text: text.into() }
    }

    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The same failure with a last line.
    pub(super) fn noting(mut self, line: &str) -> Failure {
        self.text = format!("{}\n{line}", self.text.trim_end());
        self
    }

    /// The same failure with every one of these texts replaced by `***`.
    pub(super) fn without(mut self, secrets: &[String]) -> Failure {
        self.text = hide(self.text, secrets);
        self
    }
}

/// Replaces secrets that the API, or a proxy before it, may have repeated. Very short ones are left: they would shred
/// the text and tell nothing.
pub(super) fn hide(text: String, secrets: &[String]) -> String {
    let hidden = |secret: &&String| secret.len() > 2 && secret.len() <= text.len();
    if !secrets.iter().filter(hidden).any(|secret| text.contains(secret.as_str())) {
        return text;
    }
    secrets.iter().filter(|secret| secret.len() > 2).fold(text, |text, secret| text.replace(secret.as_str(), "***"))
}

/// As [`hide`], for every string in a value.
pub(super) fn hide_within(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) => *text = hide(std::mem::take(text), secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_within(item, secrets)),
        Value::Object(fields) => fields.values_mut().for_each(|field| hide_within(field, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
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
