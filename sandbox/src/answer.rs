//! What a handler answers: data, or a failure in the API's own words.
//!
//! Knows the shape of an answer and nothing of HTTP framing, of tasks or of guests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The first line of every 400 that names parameters.
pub(crate) const VERIFICATION_FAILED: &str = "Parameter verification failed.\n";

/// A successful answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    /// The value of `data`.
    pub data: Value,
    /// The number of all matches of a paged list, beside `data`.
    pub total: Option<usize>,
    /// A text instead of JSON (downloads).
    pub raw: Option<String>,
    /// What is written and not yet in force, as a unified diff beside `data`.
    pub changes: Option<String>,
}

/// What every handler returns.
pub(crate) type Reply = Result<Data, Failure>;

/// A refusal, worded as the API words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub status: u16,
    /// Ends with a newline where the API's message does.
    pub message: String,
    /// Parameter name to text.
    pub errors: BTreeMap<String, String>,
    pub form: Form,
}

/// How the body of a refusal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// The body is the message as plain text.
    Plain,
    /// The message is the reason phrase only.
    Empty,
}

impl Failure {
    /// An error of the server's own: 500, with a newline behind the text.
    pub(crate) fn die(text: impl Into<String>) -> Failure {
        Failure::json(500, format!("{}\n", text.into()))
    }

    /// 403, the text goes into the parentheses.
    pub(crate) fn forbidden(text: &str) -> Failure {
        Failure::json(403, format!("Permission check failed ({text})\n"))
    }

    /// 400 on one parameter.
    pub(crate) fn param(name: &str, text: impl Into<String>) -> Failure {
        Failure::params([(name.to_owned(), text.into())])
    }

    /// 400 on several parameters.
    pub(crate) fn params(errors: impl IntoIterator<Item = (String, String)>) -> Failure {
        Failure { errors: errors.into_iter().collect(), ..Failure::json(400, VERIFICATION_FAILED.to_owned()) }
    }

    pub(crate) fn json(status: u16, message: String) -> Failure {
        Failure { status, message, errors: BTreeMap::new(), form: Form::Json }
    }

    /// Raised before the formatter: a body of plain text.
    pub(crate) fn plain(status: u16, message: impl Into<String>) -> Failure {
        Failure { form: Form::Plain, ..Failure::json(status, message.into()) }
    }

    /// Raised before the formatter: no body, the text is the reason phrase.
    pub(crate) fn empty(status: u16, reason: impl Into<String>) -> Failure {
        Failure { form: Form::Empty, ..Failure::json(status, reason.into()) }
    }

    /// Whether the server makes the client wait for it, so that nobody tries passwords at speed.
    pub(crate) fn is_held_back(&self) -> bool {
        self.status == 401 || (self.status == 403 && self.form == Form::Empty)
    }

    /// The first line of the message: the reason phrase.
    pub(crate) fn reason(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("data".to_owned(), Value::Null);
        body.insert("message".to_owned(), json!(self.message));
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.errors));
        }
        Value::Object(body)
    }
}

impl Data {
    /// `data: null`, the answer of most writes.
    pub(crate) const fn null() -> Data {
        Data { data: Value::Null, total: None, raw: None, changes: None }
    }

    pub(crate) fn into_body(self) -> Value {
        let mut body = Map::new();
        body.insert("data".to_owned(), self.data);
        // Zero matches are not counted.
        if let Some(total) = self.total.filter(|total| *total > 0) {
            body.insert("total".to_owned(), json!(total));
        }
        if let Some(changes) = self.changes {
            body.insert("changes".to_owned(), json!(changes));
        }
        Value::Object(body)
    }
}

impl From<Value> for Data {
    fn from(data: Value) -> Data {
        Data { data, ..Data::null() }
    }
}

impl From<String> for Data {
    fn from(text: String) -> Data {
        Value::String(text).into()
    }
}

/// `Ok` of anything that can be data.
pub(crate) fn ok(data: impl Into<Data>) -> Reply {
    Ok(data.into())
}

/// The answer of a write that tells nothing.
pub(crate) fn done() -> Reply {
    Ok(Data::null())
}
