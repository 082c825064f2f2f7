//! One token in the file: whose it is, what is kept of it, and what it may do.
//!
//! Knows the keys of the file. Limits are kept in the words of the flags, and checked like those.

use crate::settings::{BadSettings, Given, Limits};
use jiff::Timestamp;
use toml::{Table, Value};

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;
const KEYS: [&str; 6] = ["name", "id", "sha256", "created", "expires", "tier"];

/// One token.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub id: String,
    /// SHA-256 of the whole token.
    pub hash: [u8; 32],
    pub created: Timestamp,
    /// `None` = never.
    pub expires: Option<Timestamp>,
    pub given: Given,
}

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("token `{name}`: {says}")]
pub struct BadEntry {
    name: String,
    says: String,
}

impl Entry {
    /// What the token may do.
    ///
    /// # Errors
    /// One of the limits is none of its sort.
    pub fn limits(&self) -> Result<Limits, BadEntry> {
        Limits::of(&self.given).map_err(|bad| {
            let says = match bad {
                // In the file there are no flags and no variables.
                BadSettings::Bad { flag, value, says, .. } => {
                    format!("{} has `{value}`: {says}", flag.trim_start_matches('-').replace('-', "_"))
                }
                other => other.to_string(),
            };
            BadEntry { name: self.name.clone(), says }
        })
    }

    /// Is this a name for a token?
    ///
    /// # Errors
    /// Why not.
    pub fn check_name(name: &str) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
        if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain) {
            return Ok(());
        }
        Err(format!("give a name of 1 to {LONGEST_NAME} letters, digits, dashes, dots, `_` and `@`, e.g. alice-laptop"))
    }

    /// # Errors
    /// A key is missing, unknown, or holds something else.
    pub(super) fn parse(table: &Table, number: usize) -> Result<Entry, BadEntry> {
        let name = table.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bad = |says: String| {
            let name = if name.is_empty() { format!("number {number}") } else { name.clone() };
            BadEntry { name, says }
        };
        let text = |key: &str| match table.get(key) {
            Some(Value::String(text)) => Ok(Some(text.clone())),
            None => Ok(None),
            Some(_) => Err(bad(format!("`{key}` is no text"))),
        };
        let needed = |key: &str| text(key)?.ok_or_else(|| bad(format!("`{key}` is missing")));
        let time = |key: &str, text: String| {
            text.parse::<Timestamp>().map_err(|_| bad(format!("`{key}` is no time like 2026-01-31T12:00:00Z")))
        };
        needed("name")?;
        Entry::check_name(&name).map_err(&bad)?;
        let hash = unhex(&needed("sha256")?).ok_or_else(|| bad("`sha256` is no SHA-256 in hex".to_owned()))?;
        let mut given = Given { tier: text("tier")?, ..Given::default() };
        let mut lists = given.lists();
        let names: Vec<&str> = lists.iter().map(|(key, _)| *key).collect();
        for (key, value) in table {
            if KEYS.contains(&key.as_str()) {
                continue;
            }
            let Some((_, list)) = lists.iter_mut().find(|(name, _)| name == key) else {
                let near = proxmox_spec::nearest(key, KEYS.into_iter().chain(names.iter().copied()));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                // It may have been meant to take something away.
                return Err(bad(format!("there is no key `{key}`{near}")));
            };
            let texts = value
                .as_array()
                .and_then(|all| all.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>());
            **list = texts.ok_or_else(|| bad(format!("`{key}` is no list of texts")))?;
        }
        Ok(Entry {
            id: needed("id")?,
            hash,
            created: time("created", needed("created")?)?,
            expires: text("expires")?.map(|text| time("expires", text)).transpose()?,
            given,
            name,
        })
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        let mut put = |key: &str, text: String| table.insert(key.to_owned(), Value::String(text));
        put("name", self.name.clone());
        put("id", self.id.clone());
        put("sha256", self.hash.iter().map(|byte| format!("{byte:02x}")).collect());
        put("created", self.created.to_string());
        if let Some(expires) = self.expires {
            put("expires", expires.to_string());
        }
        put("tier", self.given.tier.clone().unwrap_or_else(|| "read".to_owned()));
        let mut given = self.given.clone();
        for (key, list) in given.lists() {
            if !list.is_empty() {
                let texts = list.iter().cloned().map(Value::String).collect();
                table.insert(key.to_owned(), Value::Array(texts));
            }
        }
        table
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let pairs = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}
