//! Volume ids, and what the names of backups tell.
//!
//! Knows the forms of volume ids (pve-storage) and of backup archives; must not know which volumes there are.

use super::fields::Fields;
use super::problem::{Problem, printable};
use super::segment::{BadSegment, Segment};
use crate::tool::{Argument, Kind};
use serde_json::Value;

/// A volume: `storage:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volid {
    storage: Segment,
    /// The whole id: the path alone is ambiguous to the API where it holds a colon (times in backup server names).
    full: Segment,
}

/// An archive, and the kind of guest in it if the caller said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRef {
    pub volid: Volid,
    pub kind: Option<Kind>,
}

/// Why a text is no volume id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadVolid {
    #[error("does not name its storage")]
    NoStorage,
    #[error("has no volume behind its storage")]
    NoVolume,
    #[error("must not contain commas")]
    Comma,
    #[error("is a path of the node's file system, which no API token may use")]
    Absolute,
    #[error("is on another storage than the one that was said")]
    OtherStorage,
    #[error("names a storage that cannot be one")]
    StorageName,
    #[error(transparent)]
    Path(#[from] BadSegment),
}

impl Volid {
    /// Reads a volume id; `storage` joins one that does not name its storage, and must agree with one that does.
    ///
    /// Bare names of archives (`vzdump-….`, and `vm/100/…`, `ct/100/…` of a backup server) get their `backup/`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, storage: Option<&str>) -> Result<Volid, BadVolid> {
        let text = text.trim();
        if text.contains(',') {
            return Err(BadVolid::Comma);
        }
        if text.starts_with('/') {
            return Err(BadVolid::Absolute);
        }
        let (named, path) = match text.split_once(':') {
            // The colon of `vm/100/2026-01-31T10:00:00Z` is no storage's.
            Some((left, right)) if !left.contains('/') => (Some(left), right),
            _ => (None, text),
        };
        let storage = match (named, storage) {
            (Some(named), Some(said)) if named != said => return Err(BadVolid::OtherStorage),
            (Some(named), _) => named,
            (None, Some(said)) => said,
            (None, None) => return Err(BadVolid::NoStorage),
        };
        if proxmox_spec::format::check("pve-storage-id", storage).is_err() {
            return Err(BadVolid::StorageName);
        }
        if path.is_empty() {
            return Err(BadVolid::NoVolume);
        }
        // The path on its own: behind `storage:` a leading `..` would look like part of a name.
        Segment::remainder(path)?;
        let backup = if is_bare_archive(path) { "backup/" } else { "" };
        Ok(Volid { storage: Segment::new(storage)?, full: Segment::remainder(format!("{storage}:{backup}{path}"))? })
    }

    /// `storage:path`.
    pub fn full(&self) -> String {
        self.full.as_str().to_owned()
    }

    pub fn storage(&self) -> Segment {
        self.storage.clone()
    }

    /// The whole id as the remainder of a path.
    pub fn segment(&self) -> Segment {
        self.full.clone()
    }

    /// The kind of guest in the archive, where its name tells: the API's own archive names and those of a backup server.
    pub fn kind(&self) -> Option<Kind> {
        self.archive().map(|(kind, _)| kind)
    }

    /// The id of the guest in the archive, where its name tells.
    pub fn vmid(&self) -> Option<u32> {
        self.archive().and_then(|(_, id)| id)
    }

    fn archive(&self) -> Option<(Kind, Option<u32>)> {
        let path = self.full.as_str().split_once(':').map_or("", |(_, path)| path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let made = [("vzdump-qemu-", Kind::Qemu), ("vzdump-lxc-", Kind::Lxc), ("vzdump-openvz-", Kind::Lxc)];
        let served = [("backup/vm/", Kind::Qemu), ("backup/ct/", Kind::Lxc)];
        let made = made.into_iter().find_map(|(prefix, kind)| Some((kind, name.strip_prefix(prefix)?)));
        let (kind, rest) =
            made.or_else(|| served.into_iter().find_map(|(prefix, kind)| Some((kind, path.strip_prefix(prefix)?))))?;
        let id = rest.split(['-', '/']).next().filter(|id| digits(id)).unwrap_or_default();
        // A name may say anything; an id that no guest can have is none.
        let id = id.parse().ok().filter(|id: &u32| proxmox_spec::format::check("pve-vmid", &id.to_string()).is_ok());
        Some((kind, id))
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_bare_archive(path: &str) -> bool {
    let mut parts = path.split('/');
    match (parts.next(), parts.next()) {
        (Some(name), None) => name.starts_with("vzdump-"),
        (Some("vm" | "ct" | "host"), Some(id)) => digits(id) && parts.next().is_some(),
        _ => false,
    }
}

impl Fields<'_> {
    /// A volume; `storage` is the argument that names its storage where the id does not.
    pub fn volid(&mut self, volid: &'static Argument, storage: Option<&'static Argument>) -> Option<Volid> {
        let wanted = storage.filter(|storage| storage.required || self.peek(storage).is_some());
        let said = wanted.and_then(|storage| self.segment(storage));
        let storage_is_bad = wanted.is_some() && said.is_none();
        let taken = self.take(volid)?;
        let Some(text) = taken.value.as_str() else {
            self.bad(volid, &taken.value, "is not a text");
            return None;
        };
        // A default storage does not contradict the one that the id names.
        let written = storage.is_some_and(|storage| self.given(storage));
        let joined = said.as_ref().filter(|_| written || !names_storage(text)).map(Segment::as_str);
        match Volid::parse(text, joined) {
            // A bad storage has its own problem.
            Ok(_) | Err(BadVolid::NoStorage) if storage_is_bad => None,
            Ok(read) if volid.rule.part && read.full().contains('=') => {
                self.bad(
                    volid,
                    &taken.value,
                    "must not contain `=`: what stands in front of it would be read as the name of an option",
                );
                None
            }
            Ok(read) => Some(read),
            Err(bad) => {
                self.misnamed(volid, storage, &taken.value, bad, said.as_ref());
                None
            }
        }
    }

    fn misnamed(
        &mut self,
        volid: &'static Argument,
        storage: Option<&'static Argument>,
        value: &Value,
        bad: BadVolid,
        said: Option<&Segment>,
    ) {
        let text = value.as_str().unwrap_or_default();
        match (bad, storage, said) {
            (BadVolid::NoStorage, Some(storage), _) if !text.trim().is_empty() => {
                let problem = Problem::new(self.spelled(volid), bad.to_string()).came(value);
                let storage = self.spelled(storage);
                self.record(
                    problem.expected(format!("`STORAGE:{}`, or `{storage}` beside it", printable(text.trim()))),
                );
            }
            (BadVolid::OtherStorage, Some(storage), Some(said)) => {
                let names = text.trim().split(':').next().unwrap_or_default().to_owned();
                let wrong = format!("is another storage than `{}` in `{}`", printable(&names), self.spelled(volid));
                self.record(Problem::new(self.spelled(storage), wrong).came(&Value::from(said.as_str())));
            }
            _ => self.bad(volid, value, bad.to_string()),
        }
    }
}

fn names_storage(text: &str) -> bool {
    text.split_once(':').is_some_and(|(left, _)| !left.contains('/'))
}
