//! Whether a log is as it was written, as far as hashes can tell.
//!
//! Finds lines that were edited, removed, inserted or moved. Cannot find that the end was cut off, nor that somebody who
//! may write the file made a new one with new hashes: against that helps a head that is kept elsewhere.

use super::chain::{hash, parts};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufRead};

/// A log that holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub lines: u64,
    /// Starts of a server.
    pub starts: u64,
    /// Changes that were about to be sent.
    pub intents: u64,
    pub refusals: u64,
    /// Line numbers of intents without an outcome: still at work, or the process was killed.
    pub open: Vec<u64>,
    /// Hash of the last line; empty for an empty log.
    pub head: String,
}

/// The first line that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// From 1.
    pub line: u64,
    /// As the rest of a sentence.
    pub why: &'static str,
}

struct Session {
    next: u64,
    prev: String,
    open: BTreeMap<u64, u64>,
}

/// Reads a log from its beginning.
///
/// # Errors
/// The log cannot be read.
pub fn verify(log: impl BufRead) -> io::Result<Result<Report, Broken>> {
    let mut report = Report::default();
    let mut seen: HashSet<String> = HashSet::new();
    let mut sessions: HashMap<String, Session> = HashMap::new();
    for line in log.split(b'\n') {
        let line = line?;
        report.lines += 1;
        let number = report.lines;
        match one(&line, number, &mut report, &seen, &mut sessions) {
            Ok(hash) => {
                report.head.clone_from(&hash);
                seen.insert(hash);
            }
            Err(why) => return Ok(Err(Broken { line: number, why })),
        }
    }
    report.open = sessions.into_values().flat_map(|session| session.open.into_values()).collect();
    report.open.sort_unstable();
    Ok(Ok(report))
}

/// Checks one line; gives its hash.
fn one(
    line: &[u8],
    number: u64,
    report: &mut Report,
    seen: &HashSet<String>,
    sessions: &mut HashMap<String, Session>,
) -> Result<String, &'static str> {
    const NO_LINE: &str = "is not a whole line of an audit log";
    let line = std::str::from_utf8(line).map_err(|_| NO_LINE)?;
    let (text, stated) = parts(line).ok_or(NO_LINE)?;
    if hash(text) != stated {
        return Err("was changed: its hash is of another text");
    }
    let value: Value = serde_json::from_str(line).map_err(|_| NO_LINE)?;
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let (Some(id), Some(n), Some(kind), Some(prev)) =
        (word("session"), value.get("n").and_then(Value::as_u64), word("kind"), word("prev"))
    else {
        return Err(NO_LINE);
    };
    if kind == "start" {
        if n != 0 || sessions.contains_key(id) {
            return Err("starts a session that has begun already");
        }
        let first = prev.is_empty() && number == 1;
        if !first && !seen.contains(prev) {
            return Err("follows a line that is not there: lines before it were removed");
        }
        report.starts += 1;
        let session = Session { next: 1, prev: stated.to_owned(), open: BTreeMap::new() };
        sessions.insert(id.to_owned(), session);
        return Ok(stated.to_owned());
    }
    let Some(session) = sessions.get_mut(id) else {
        return Err("belongs to a session whose first line is not there");
    };
    if n > session.next {
        return Err("comes too early: lines of its session before it were removed or moved");
    }
    if n < session.next {
        return Err("comes a second time, or too late: it was inserted or moved");
    }
    if prev != session.prev {
        return Err("does not follow the line of its session before it: one of the two was replaced");
    }
    session.next += 1;
    stated.clone_into(&mut session.prev);
    match kind {
        "intent" => {
            report.intents += 1;
            session.open.insert(n, number);
        }
        "outcome" => {
            let of = value.get("of").and_then(Value::as_u64).unwrap_or(u64::MAX);
            if session.open.remove(&of).is_none() {
                return Err("tells the end of a call that was not begun");
            }
        }
        "refused" => report.refusals += 1,
        _ => {}
    }
    Ok(stated.to_owned())
}
