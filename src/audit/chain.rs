//! What ties the lines of a process together: its session, the number of each line, and the hash of the one before.
//!
//! A line is `{…,"prev":"…","hash":"…"}`: `prev` is the hash of the line before it, and `hash` is the SHA-256 of the line's
//! text up to the comma before `"hash"`. Knows texts, and nothing of files.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Between the text that is hashed and the hash.
pub const HASH: &str = ",\"hash\":\"";
/// Behind the hash.
pub const END: &str = "\"}";
/// Hexadecimal digits of a hash.
pub const DIGITS: usize = 64;

/// Where a process is in its lines.
#[derive(Debug)]
pub struct Chain {
    session: String,
    number: u64,
    prev: String,
}

impl Chain {
    /// `head` is the hash of the last line that is in the log already; empty for none.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn begin(head: String) -> Result<Chain, String> {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
        Ok(Chain { session: hex(&bytes), number: 0, prev: head })
    }

    /// The next line, without its line feed, and its hash.
    pub fn line(&self, time: &str, kind: &str, fields: Map<String, Value>) -> (String, String) {
        let mut line = Map::new();
        line.insert("time".to_owned(), json!(time));
        line.insert("session".to_owned(), json!(self.session));
        line.insert("n".to_owned(), json!(self.number));
        line.insert("kind".to_owned(), json!(kind));
        for (name, value) in fields {
            line.entry(name).or_insert(value);
        }
        line.insert("prev".to_owned(), json!(self.prev));
        let text = Value::Object(line).to_string();
        // Without the brace that closes it.
        let text = text.strip_suffix('}').unwrap_or(&text);
        let hash = hash(text);
        (format!("{text}{HASH}{hash}{END}"), hash)
    }

    /// That line was written; gives its number.
    pub fn advance(&mut self, hash: String) -> u64 {
        let number = self.number;
        self.number += 1;
        self.prev = hash;
        number
    }
}

/// SHA-256 as hexadecimal digits.
pub fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The text that was hashed and the hash, of a whole line.
pub fn parts(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_suffix(END)?;
    let (text, hash) = inner.split_at_checked(inner.len().checked_sub(DIGITS)?)?;
    let digits = hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    Some((text.strip_suffix(HASH)?, hash)).filter(|_| digits)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
