//! One token as text: a prefix, an id to find it by, and a secret.
//!
//! Knows its form and its hash. The secret has 256 bits of the system's randomness, so one SHA-256 is enough: a slow
//! hash helps against guessing what people choose, and nobody guesses this.

use super::PREFIX;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::io;

/// Letters of an id, and how many it has.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ID: usize = 10;
/// Letters of the secret: 32 bytes as base64.
const SECRET: usize = 43;

/// The id in a token, by which it is found; no secret.
pub fn id(text: &str) -> Option<&str> {
    Some(text.strip_prefix(PREFIX)?.split_once('_')?.0)
}

/// A token whose form is right; whether it opens anything is another matter.
pub struct Bearer {
    id: String,
    text: SecretString,
}

impl Bearer {
    /// A new one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn random() -> io::Result<Bearer> {
        let mut bytes = [0; ID + 32];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let (id, secret) = bytes.split_at(ID);
        let id: String = id.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        let text = SecretString::from(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret)));
        Ok(Bearer { id, text })
    }

    /// What a client sent.
    pub fn parse(text: &str) -> Option<Bearer> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let whole = id.len() == ID && secret.len() == SECRET && secret.bytes().all(plain);
        whole.then(|| Bearer { id: id.to_owned(), text: SecretString::from(text) })
    }

    /// By which it is found in the file; no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.expose_secret()).into()
    }

    /// To be shown once.
    pub fn text(&self) -> &SecretString {
        &self.text
    }
}
