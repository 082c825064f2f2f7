//! The issuer's keys: fetched when they are needed, kept for a while, and fetched anew when one is missing.
//!
//! Knows times and key ids. A stream of tokens with made-up key ids makes no stream of requests to the issuer.

use super::fetch::{BadIssuer, Issuer};
use super::{NotAdmitted, crypto};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// As long as this keys are used without asking again.
const FRESH: Duration = Duration::from_secs(3_600);
/// Not asked more often than this, whatever comes.
const PAUSE: Duration = Duration::from_secs(30);
/// When the issuer is away: so long its old keys are still used.
const STALE: Duration = Duration::from_secs(24 * 3_600);

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    issuer: Issuer,
    // Held while the issuer is asked: all who come meanwhile wait for the one answer.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Vec<Key>,
    /// When these keys came.
    got: Option<Instant>,
    /// When the issuer was asked the last time.
    asked: Option<Instant>,
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Keys {
    pub(super) fn of(issuer: &str) -> Result<Keys, BadIssuer> {
        Ok(Keys { issuer: Issuer::new(issuer)?, known: Mutex::default() })
    }

    /// The key of this id, for this algorithm; a token without an id has the only one that there is. `None`: the issuer
    /// has no such key.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<DecodingKey>, NotAdmitted> {
        let mut known = self.known.lock().await;
        let fresh = known.got.is_some_and(|got| got.elapsed() < FRESH);
        if fresh && let Some(key) = known.find(id, algorithm) {
            return Ok(Some(key));
        }
        if known.asked.is_none_or(|asked| asked.elapsed() >= PAUSE) {
            known.asked = Some(Instant::now());
            match self.issuer.keys().await {
                Ok(keys) => {
                    known.keys = keys.into_iter().filter_map(usable).collect();
                    known.got = Some(Instant::now());
                    tracing::info!(keys = known.keys.len(), "the issuer's keys were read");
                }
                Err(error) => tracing::error!("the issuer's keys cannot be read: {error}"),
            }
        }
        match known.got {
            Some(got) if got.elapsed() < STALE => Ok(known.find(id, algorithm)),
            _ => Err(NotAdmitted::Unavailable),
        }
    }
}

impl Known {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm == algorithm && id.is_none_or(|id| key.id.as_deref() == Some(id)));
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.key.clone())
    }
}

/// A key for signatures of a kind that counts here; others of the issuer's are passed over.
fn usable(value: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    // A key that says what it is for is used for nothing else.
    if jwk.common.key_algorithm.is_some_and(|named| named.to_string() != format!("{algorithm:?}")) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|key| crypto::family(algorithm) == Some(key.family()))?;
    Some(Key { id: jwk.common.key_id, algorithm, key })
}
