//! Seals: what a caller carries from the first answer of a call to the next one, and cannot make by itself.
//!
//! A seal says that this process showed a plan, and which: it is bound to the call and to the state that was shown, it
//! expires, and it is good once. The key is this process's own and is never written down. Knows nothing of what is
//! sealed, of tools or of clients.

use super::bound::Bound;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of a part: purpose, end, round, number, call, state, tag.
const NONCE: usize = 8;
const DIGEST: usize = 12;
const TAG: usize = 16;
const BODY: usize = 1 + 8 + 1 + NONCE + 2 * DIGEST;

/// What a seal is good for; one kind is not accepted for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// The second call is itself the confirmation.
    Confirms = b'c',
    /// A person is being asked between two calls; this says what they were shown.
    Asked = b'a',
}

/// The seals of one process.
pub struct Seals {
    key: [u8; 64],
    /// Numbers of used seals, and when they may be forgotten because the seal has expired.
    used: Mutex<HashMap<[u8; NONCE], u64>>,
}

/// A seal that is one of ours, in time, and not used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How often it was asked before it.
    pub round: u8,
    /// Was it given for the state that is there now?
    pub same_state: bool,
}

/// Why a seal is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSeal {
    #[error("it is not a seal of this server, or not all of it, or the server was started anew meanwhile")]
    Foreign,
    #[error("it was given for another tool, for other arguments, or to another caller")]
    OtherCall,
    #[error("it has expired")]
    Expired,
    #[error("it was used already, and each is good once")]
    Used,
}

impl Seals {
    /// A key of its own, from the system's source of random numbers.
    ///
    /// # Errors
    /// The system gives none.
    pub fn new() -> Result<Seals, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(Seals { key, used: Mutex::default() })
    }

    /// A seal for this call in this state, good until `end` (seconds since 1970).
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, purpose: Purpose, bound: &Bound, round: u8, end: u64) -> Result<String, getrandom::Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        let mut bytes = Vec::with_capacity(BODY + TAG);
        bytes.push(purpose as u8);
        bytes.extend(end.to_be_bytes());
        bytes.push(round);
        bytes.extend(nonce);
        bytes.extend(self.digest(b"call", &bound.call));
        bytes.extend(self.digest(b"state", &bound.state));
        let tag = self.mac(&[b"seal", &bytes]).finalize().into_bytes();
        bytes.extend(tag.iter().take(TAG));
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a seal and uses it up: whatever comes of it, it is not accepted a second time.
    ///
    /// # Errors
    /// It is not good for this call now.
    pub fn redeem(&self, purpose: Purpose, text: &str, bound: &Bound, now: u64) -> Result<Opened, BadSeal> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| BadSeal::Foreign)?;
        let (body, tag) = bytes.split_at_checked(BODY).ok_or(BadSeal::Foreign)?;
        if tag.len() != TAG {
            return Err(BadSeal::Foreign);
        }
        self.mac(&[b"seal", body]).verify_truncated_left(tag).map_err(|_| BadSeal::Foreign)?;
        let part = |from: usize, length: usize| body.get(from..from + length).unwrap_or_default();
        if part(0, 1) != [purpose as u8] {
            return Err(BadSeal::Foreign);
        }
        let end = <[u8; 8]>::try_from(part(1, 8)).map(u64::from_be_bytes).map_err(|_| BadSeal::Foreign)?;
        let nonce = <[u8; NONCE]>::try_from(part(10, NONCE)).map_err(|_| BadSeal::Foreign)?;
        if part(10 + NONCE, DIGEST) != self.digest(b"call", &bound.call) {
            return Err(BadSeal::OtherCall);
        }
        if end <= now {
            return Err(BadSeal::Expired);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, end| *end > now);
        if used.insert(nonce, end).is_some() {
            return Err(BadSeal::Used);
        }
        let same_state = part(10 + NONCE + DIGEST, DIGEST) == self.digest(b"state", &bound.state);
        Ok(Opened { round: part(9, 1).first().copied().unwrap_or_default(), same_state })
    }

    /// Keyed, so that nobody can find out a password in the arguments by trying.
    fn digest(&self, label: &[u8], data: &[u8]) -> Vec<u8> {
        let whole = self.mac(&[label, data]).finalize().into_bytes();
        whole.iter().copied().take(DIGEST).collect()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A key as long as a block is taken as it is.
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.key.into());
        for part in parts {
            // With its length, so that no two lists of parts are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seals")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(call: &str, state: &str) -> Bound {
        Bound { call: call.as_bytes().to_vec(), state: state.as_bytes().to_vec() }
    }

    #[test]
    fn a_seal_is_good_once_for_its_call_and_tells_whether_the_state_is_the_same() {
        let seals = Seals::new().expect("random numbers");
        let shown = bound("stop 100", "running");
        let seal = seals.seal(Purpose::Confirms, &shown, 2, 1_000).expect("random numbers");
        let redeem = |seal: &str, bound: &Bound, now| seals.redeem(Purpose::Confirms, seal, bound, now);
        assert_eq!(redeem(&seal, &bound("stop 101", "running"), 999), Err(BadSeal::OtherCall));
        assert_eq!(redeem(&seal, &shown, 1_000), Err(BadSeal::Expired));
        assert_eq!(seals.redeem(Purpose::Asked, &seal, &shown, 999), Err(BadSeal::Foreign));
        assert_eq!(redeem(&format!(" {seal}\n"), &shown, 999), Ok(Opened { round: 2, same_state: true }));
        assert_eq!(redeem(&seal, &shown, 999), Err(BadSeal::Used));
        let second = seals.seal(Purpose::Confirms, &shown, 0, 1_000).expect("random numbers");
        assert_ne!(seal, second);
        let moved = bound("stop 100", "stopped");
        assert_eq!(redeem(&second, &moved, 999), Ok(Opened { round: 0, same_state: false }));
        assert_eq!(redeem(&second, &shown, 999), Err(BadSeal::Used));
    }

    #[test]
    fn no_other_text_is_a_seal() {
        let seals = Seals::new().expect("random numbers");
        let shown = bound("stop 100", "running");
        let seal = seals.seal(Purpose::Confirms, &shown, 0, 1_000).expect("random numbers");
        let strange = |text: &str| seals.redeem(Purpose::Confirms, text, &shown, 1) == Err(BadSeal::Foreign);
        for end in 0..seal.len() {
            assert!(strange(&seal[..end]), "{end} characters of it");
        }
        for place in 0..seal.len() {
            let other = if &seal[place..=place] == "A" { "B" } else { "A" };
            let tampered = format!("{}{other}{}", &seal[..place], &seal[place + 1..]);
            // The last character holds bits that belong to no byte.
            assert!(strange(&tampered) || place + 1 == seal.len(), "{place}");
        }
        assert!(strange(&format!("{seal}AAAA")) && strange("") && strange("ä"));
        let other = Seals::new().expect("random numbers").seal(Purpose::Confirms, &shown, 0, 1_000);
        assert!(strange(&other.expect("random numbers")), "another process's");
        assert!(seals.redeem(Purpose::Confirms, &seal, &shown, 1).is_ok());
    }
}
