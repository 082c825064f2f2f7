//! Bearer tokens: who may call over HTTP, and with which limits.
//!
//! Knows a file of tokens and how a token is told from a guess; knows nothing of HTTP. The file is read again when it
//! was changed, so a token that was revoked is refused at its next use.

mod bearer;
mod entry;
mod file;

pub use bearer::{Bearer, id};
pub use entry::{BadEntry, Entry};
pub use file::{NotChanged, add, read, revoke};

use crate::caller::Caller;
use file::Stamp;
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// Every token of this program begins so: people and scanners recognize it, and other tokens are told from it.
pub const PREFIX: &str = "pmcp_";

/// The tokens of a file, as it is right now.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    /// Of the file that was read; `None` = it was not there, or never read.
    stamp: Option<Stamp>,
    known: Option<Known>,
}

/// By id; `None` where the file could not be read at all.
type Known = Option<HashMap<String, Token>>;

#[derive(Debug, Clone)]
struct Token {
    hash: [u8; 32],
    expires: Option<Timestamp>,
    caller: Arc<Caller>,
}

/// Why a token does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("this token is not known to this server: it was mistyped, revoked, or made for another one")]
    Unknown,
    #[error("this token has expired; whoever runs the server can make a new one (`proxmox-mcp token new`)")]
    Expired,
    #[error("this server cannot read its list of tokens, and so lets nobody in; its log says why")]
    Unreadable,
}

impl Tokens {
    /// The tokens of this file, which need not be there yet.
    pub fn at(path: PathBuf) -> Tokens {
        Tokens { path, read: Mutex::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who has this token.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn admit(&self, text: &str, now: Timestamp) -> Result<Arc<Caller>, NotAdmitted> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut read);
        let Some(Some(known)) = &read.known else { return Err(NotAdmitted::Unreadable) };
        let bearer = Bearer::parse(text).ok_or(NotAdmitted::Unknown)?;
        let Some(token) = known.get(bearer.id()) else { return Err(NotAdmitted::Unknown) };
        if !bool::from(token.hash.ct_eq(&bearer.hash())) {
            return Err(NotAdmitted::Unknown);
        }
        if token.expires.is_some_and(|end| end <= now) {
            return Err(NotAdmitted::Expired);
        }
        Ok(token.caller.clone())
    }

    /// Would the token of this id, which was good once, still be?
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn check(&self, id: &str, now: Timestamp) -> Result<(), NotAdmitted> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut read);
        let Some(Some(known)) = &read.known else { return Err(NotAdmitted::Unreadable) };
        let token = known.get(id).ok_or(NotAdmitted::Unknown)?;
        if token.expires.is_some_and(|end| end <= now) { Err(NotAdmitted::Expired) } else { Ok(()) }
    }

    /// How many can be used; `None` = the file cannot be read.
    pub fn count(&self) -> Option<usize> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut read);
        read.known.as_ref()?.as_ref().map(HashMap::len)
    }

    /// Reads the file if it is not the one that was read.
    fn refresh(&self, read: &mut Read) {
        let stamp = Stamp::of(&self.path);
        if read.known.is_some() && stamp == read.stamp {
            return;
        }
        let old = read.known.take().flatten().unwrap_or_default();
        let path = self.path.display();
        let known = match file::read(&self.path) {
            Ok(entries) => {
                Some(entries.into_iter().filter_map(|entry| self.usable(entry, &old)).collect::<HashMap<_, _>>())
            }
            Err(error) => {
                tracing::error!("tokens: {path}: {error}. Every token is refused until this is mended");
                None
            }
        };
        if let Some(known) = &known {
            tracing::info!(tokens = known.len(), "tokens: {path} was read");
        }
        // The stamp is from before it was read: what changed meanwhile is noticed the next time.
        *read = Read { stamp, known: Some(known) };
    }

    fn usable(&self, entry: Result<Entry, BadEntry>, old: &HashMap<String, Token>) -> Option<(String, Token)> {
        let token = entry.and_then(|entry| {
            let caller = Caller { name: entry.name.clone(), limits: entry.limits()? };
            // The same one as long as nothing changed: what was made for it is kept.
            let same = old.get(&entry.id).map(|token| token.caller.clone()).filter(|known| **known == caller);
            let caller = same.unwrap_or_else(|| Arc::new(caller));
            Ok((entry.id.clone(), Token { hash: entry.hash, expires: entry.expires, caller }))
        });
        token
            .inspect_err(|error| tracing::error!("tokens: {}: {error}. This token is refused", self.path.display()))
            .ok()
    }
}

/// Where the file is when nobody says otherwise: in the user's folder for configuration.
pub fn default_path(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("proxmox-mcp").join("tokens.toml"))
}

#[cfg(test)]
mod tests;
