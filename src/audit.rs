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
        let failed = |place: &Sink, why| AuditError { place: place.to_string(), why };
        sink.write(&line).map_err(|why| failed(sink, why))?;
        // Only what was written counts: the next line follows the last one that is there, whether or not the disk has it.
        let number = chain.advance(next);
        sink.sync().map_err(|why| failed(sink, why))?;
        Ok(number)
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_counts_although_the_disk_does_not_say_that_it_has_it() {
        // It takes every write, and refuses to be asked.
        let path = std::path::PathBuf::from("/dev/null");
        let file = std::fs::OpenOptions::new().append(true).open(&path).expect("it is there");
        let chain = Chain::begin(String::new()).expect("an empty log");
        let audit = Audit { writer: Mutex::new(Writer { chain, sink: Sink::File { file, path, torn: false } }) };
        let next = || {
            let writer = audit.writer.lock().expect("nobody panicked");
            let (line, _) = writer.chain.line("now", "refused", Map::new());
            serde_json::from_str::<Value>(&line).expect("a line")["n"].as_u64().expect("a number")
        };
        let first = next();
        let error = audit.refused(Map::new()).expect_err("it is not known whether it is on the disk");
        assert!(error.to_string().starts_with("the audit log /dev/null cannot be written"), "{error}");
        assert_eq!(next(), first + 1);
    }
}
