//! Calls that wait for a person in a terminal: one file for each, in a folder of the user who runs the server.
//!
//! The server puts a call down and shows its code; the person approves it from another process; the server takes it and
//! sends the call. Knows files and codes, and nothing of tools, of clusters or of what a call would do. A file is
//! written whole and then renamed, so a process that dies leaves nothing half written.
//!
//! Whoever can write into the folder can approve: it belongs to the user alone, like the token of the cluster.

mod code;
mod folder;

pub use code::normal;

use folder::Folder;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use subtle::ConstantTimeEq;

/// So many calls may wait at a time; a caller that never stops must not fill a disk.
const MOST: usize = 64;
/// So many of one caller over HTTP, who must not take the places of the others.
const MOST_EACH: usize = 16;

/// The waiting calls of one user.
#[derive(Debug, Clone)]
pub struct Approvals {
    folder: Folder,
}

/// What is put down.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The tool, its cluster and who wants it, in a line.
    pub title: &'a str,
    /// Who wants it, over HTTP.
    pub caller: Option<&'a str>,
    /// What would happen, in lines.
    pub plan: &'a str,
    /// What the person types, any of these.
    pub words: &'a [String],
    /// Has a person to approve it? Otherwise its code alone will do.
    pub person: bool,
    /// What the approval is bound to; kept as a hash only.
    pub call: &'a [u8],
    pub state: &'a [u8],
    /// Seconds since 1970.
    pub end: u64,
}

/// A call that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Eight characters, with a dash in the middle.
    pub code: String,
    pub title: String,
    /// Who wants it, over HTTP; empty = nobody who has a name.
    pub caller: String,
    pub plan: String,
    pub words: Vec<String>,
    pub person: bool,
    pub approved: bool,
    /// Seconds since 1970.
    pub end: u64,
    salt: String,
    call: String,
    state: String,
}

/// Why a waiting call cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("no call waits under this code: it was used, rejected, has expired, or was never given")]
    Unknown,
    #[error("it was given for another tool, for other arguments, or to another caller")]
    OtherCall,
    #[error("what it would affect has changed since")]
    Moved,
    /// For so many seconds more.
    #[error("nobody has approved it yet")]
    Pending(u64),
    #[error("the folder for approvals cannot be used: {0}")]
    Folder(String),
}

impl Approvals {
    /// Below the folder for state. Touches nothing yet.
    pub fn below(state_dir: &Path) -> Approvals {
        Approvals { folder: Folder::at(state_dir.join("approvals")) }
    }

    /// Puts a call down; the same one again gives the code that it has.
    ///
    /// # Errors
    /// The folder cannot be made, read or written, is not this user's alone, or is full.
    pub fn put(&self, draft: &Draft<'_>, now: u64) -> io::Result<Waiting> {
        self.folder.make()?;
        let waiting = self.list(now)?;
        let same = |one: &&Waiting| one.person == draft.person && one.is(draft.call) && one.shows(draft.state);
        if let Some(known) = waiting.iter().find(same) {
            return Ok(known.clone());
        }
        if waiting.len() >= MOST {
            return Err(io::Error::other(format!(
                "{MOST} calls wait already; look at them with `proxmox-mcp approve`"
            )));
        }
        let caller = draft.caller.unwrap_or_default();
        let own = waiting.iter().filter(|one| one.caller == caller).count();
        if !caller.is_empty() && own >= MOST_EACH {
            return Err(io::Error::other(format!(
                "{MOST_EACH} calls of this caller wait already; they expire by themselves, or a person looks at them with \
                 `proxmox-mcp approve`"
            )));
        }
        let salt = code::hex(&code::random::<16>()?);
        let one = Waiting {
            code: code::new()?,
            title: draft.title.to_owned(),
            caller: caller.to_owned(),
            plan: draft.plan.to_owned(),
            words: draft.words.to_vec(),
            person: draft.person,
            approved: false,
            end: draft.end,
            call: hash(&salt, draft.call),
            state: hash(&salt, draft.state),
            salt,
        };
        self.folder.write(&one.code, &one.as_json().to_string())?;
        Ok(one)
    }

    /// All that wait, those that end first before the others. Removes what has expired.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn list(&self, now: u64) -> io::Result<Vec<Waiting>> {
        let mut all = Vec::new();
        for code in self.folder.sweep(now)? {
            match self.read(&code) {
                Some(one) if one.end > now => all.push(one),
                // Expired, or nothing that this program wrote.
                _ => self.folder.remove(&code)?,
            }
        }
        all.sort_by(|one, other| (one.end, &one.code).cmp(&(other.end, &other.code)));
        Ok(all)
    }

    /// The call that waits under this code, however it is spelled.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn find(&self, code: &str, now: u64) -> io::Result<Option<Waiting>> {
        let Some(code) = normal(code) else { return Ok(None) };
        Ok(self.list(now)?.into_iter().find(|one| one.code == code))
    }

    /// A person said yes. False when it does not wait any longer.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn approve(&self, one: &Waiting) -> io::Result<bool> {
        // Taken away first: a second terminal must not put back what was used meanwhile.
        if self.folder.take(&one.code)?.is_none() {
            return Ok(false);
        }
        let approved = Waiting { approved: true, ..one.clone() };
        self.folder.write(&one.code, &approved.as_json().to_string())?;
        Ok(true)
    }

    /// A person said no, or it is not needed any more.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self, one: &Waiting) -> io::Result<()> {
        self.folder.remove(&one.code)
    }

    /// Takes the call away, so that it can be sent once. Looks first, so that a call that does not fit stays. One that
    /// nobody has to approve is taken only where its code alone will do: with `alone`.
    ///
    /// # Errors
    /// It is not there, not approved, or bound to something else.
    pub fn take(&self, code: &str, call: &[u8], state: &[u8], alone: bool, now: u64) -> Result<Waiting, NotTaken> {
        let folder = |error: io::Error| NotTaken::Folder(error.to_string());
        let found = self.find(code, now).map_err(folder)?.filter(|one| one.person || alone);
        let one = found.ok_or(NotTaken::Unknown)?;
        one.fits(call, state, now)?;
        // Of several takers one has the file; what it holds is looked at once more.
        let text = self.folder.take(&one.code).map_err(folder)?.ok_or(NotTaken::Unknown)?;
        let taken = Waiting::parse(&one.code, &text).ok_or(NotTaken::Unknown)?;
        taken.fits(call, state, now)?;
        Ok(taken)
    }

    fn read(&self, code: &str) -> Option<Waiting> {
        Waiting::parse(code, &self.folder.read(code)?)
    }
}

impl Waiting {
    fn is(&self, call: &[u8]) -> bool {
        same(&self.call, &hash(&self.salt, call))
    }

    fn shows(&self, state: &[u8]) -> bool {
        same(&self.state, &hash(&self.salt, state))
    }

    fn fits(&self, call: &[u8], state: &[u8], now: u64) -> Result<(), NotTaken> {
        if !self.is(call) {
            return Err(NotTaken::OtherCall);
        }
        if !self.shows(state) {
            return Err(NotTaken::Moved);
        }
        if self.person && !self.approved {
            return Err(NotTaken::Pending(self.end.saturating_sub(now)));
        }
        Ok(())
    }

    fn as_json(&self) -> Value {
        json!({
            "title": self.title,
            "caller": self.caller,
            "plan": self.plan,
            "words": self.words,
            "person": self.person,
            "approved": self.approved,
            "end": self.end,
            "salt": self.salt,
            "call": self.call,
            "state": self.state,
        })
    }

    fn parse(code: &str, text: &str) -> Option<Waiting> {
        let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        let truth = |name: &str| fields.get(name)?.as_bool();
        let words = fields.get("words")?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
        Some(Waiting {
            code: code.to_owned(),
            title: text("title")?,
            // Older ones have none.
            caller: text("caller").unwrap_or_default(),
            plan: text("plan")?,
            words: words.collect::<Option<_>>()?,
            person: truth("person")?,
            approved: truth("approved")?,
            end: fields.get("end")?.as_u64()?,
            salt: text("salt")?,
            call: text("call")?,
            state: text("state")?,
        })
    }
}

/// Salted, so that nobody can compare two files, and the arguments are not in it.
fn hash(salt: &str, data: &[u8]) -> String {
    code::hex(&Sha256::new().chain_update(salt).chain_update([0]).chain_update(data).finalize())
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests;
