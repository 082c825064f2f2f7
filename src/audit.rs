//! The audit log: one JSON line before a change is sent, one after it, and one for each refusal.
//!
//! Every line carries the hash of the one before it, so that a line that was edited, removed, inserted or moved can be
//! found. Knows lines, hashes and the file; what a call is and what of it is secret is the engine's business: nothing
//! secret is handed in.

mod chain;
mod file;
mod verify;

use crate::settings::AuditTo;
use chain::Chain;
use file::Sink;
use serde_json::{Map, Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
pub use verify::{Broken, Report, verify};

/// The log of one process. Safe to be used by many calls at once.
#[derive(Debug)]
pub struct Audit {
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    chain: Chain,
    sink: Sink,
}

/// Why nothing can be written.
#[derive(Debug, thiserror::Error)]
#[error("the audit log {place} cannot be written: {why}")]
pub struct AuditError {
    place: String,
    why: std::io::Error,
}

/// A change that is about to be sent. Its end has to be told; if nobody does, the log says that it is not known.
#[derive(Debug)]
#[must_use]
pub struct Sending<'a> {
    audit: &'a Audit,
    /// Number of the intent line.
    number: u64,
    tool: &'static str,
    since: Instant,
    told: bool,
}

impl Audit {
    /// Opens the log and writes its first line: when it began, and `about`, the facts of this process.
    ///
    /// # Errors
    /// The file cannot be opened, read at its end, or written.
    pub fn open(to: &AuditTo, about: Map<String, Value>) -> Result<Audit, AuditError> {
        let place = to.to_string();
        let failed = |why| AuditError { place: place.clone(), why };
        let (sink, head) = Sink::open(to).map_err(failed)?;
        let chain = Chain::begin(head).map_err(|why| failed(std::io::Error::other(why)))?;
        let audit = Audit { writer: Mutex::new(Writer { chain, sink }) };
        audit.write("start", about)?;
        Ok(audit)
    }

    /// A change is about to be sent. It may be sent only when this has been written.
    ///
    /// # Errors
    /// It could not be written.
    pub fn sending(&self, tool: &'static str, what: Map<String, Value>) -> Result<Sending<'_>, AuditError> {
        let number = self.write("intent", what)?;
        Ok(Sending { audit: self, number, tool, since: Instant::now(), told: false })
    }

    /// A call that was not made.
    ///
    /// # Errors
    /// It could not be written.
    pub fn refused(&self, what: Map<String, Value>) -> Result<(), AuditError> {
        self.write("refused", what).map(|_| ())
    }

    /// Writes one line and gives its number.
    fn write(&self, kind: &str, fields: Map<String, Value>) -> Result<u64, AuditError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Writer { chain, sink } = &mut *writer;
        let (line, next) = chain.line(&now(), kind, fields);
        sink.write(&line).map_err(|why| AuditError { place: sink.to_string(), why })?;
        // Only what was written counts: the next line follows the last one that is there.
        Ok(chain.advance(next))
    }
}

impl Sending<'_> {
    /// How it ended.
    ///
    /// # Errors
    /// It could not be written; the change was made all the same.
    pub fn ended(mut self, end: Map<String, Value>) -> Result<(), AuditError> {
        self.told = true;
        self.tell(end)
    }

    fn tell(&self, end: Map<String, Value>) -> Result<(), AuditError> {
        let mut fields = Map::new();
        fields.insert("of".to_owned(), json!(self.number));
        fields.insert("tool".to_owned(), json!(self.tool));
        fields.extend(end);
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        fields.insert("duration_ms".to_owned(), json!(millis));
        self.audit.write("outcome", fields).map(|_| ())
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if !self.told {
            let end = Map::from_iter([
                ("outcome".to_owned(), json!("unknown")),
                ("error".to_owned(), json!("the call was given up before its end was known")),
            ]);
            if let Err(error) = self.tell(end) {
                tracing::error!("{error}");
            }
        }
    }
}

/// Now, RFC 3339 in UTC, to the millisecond.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
