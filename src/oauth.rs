//! Callers whom an issuer of OAuth vouches for: this server as a resource server of OAuth 2.1.
//!
//! Knows signed tokens (JWT), the issuer's keys, and what claims mean in limits. A token counts only if it was made by
//! this one issuer, for this one server, and says so under a signature; it is neither logged nor passed on.

mod claims;
mod crypto;
mod fetch;
mod keys;

pub use claims::SCOPES;
pub use fetch::BadIssuer;

use crate::caller::Caller;
use claims::Claims;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use keys::Keys;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How a token may be signed. None of them has a secret that this server would have to keep, and `none` is none.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// By how much clocks may differ, in seconds.
const LEEWAY: u64 = 30;

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// So many callers are remembered.
const MOST: usize = 1_000;

/// One issuer, and this server's name with it.
#[derive(Debug)]
pub struct OAuth {
    issuer: String,
    validation: Validation,
    keys: Keys,
    /// The same caller for the same claims, so that what was made for it is kept.
    callers: Mutex<HashMap<String, Arc<Caller>>>,
}

/// Why a token does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// 401: get another token.
    #[error("this token does not open this server: {0}")]
    Invalid(&'static str),
    /// 403: this one is good, and not for what is wanted.
    #[error("this token allows nothing here: {0}")]
    Scope(&'static str),
    /// 503: not the caller's fault.
    #[error("this server cannot get the issuer's keys right now, and so cannot check the token; its log says why")]
    Unavailable,
}

impl OAuth {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The issuer is no `https` URL (or one of this machine), or the system's roots cannot be read.
    pub fn new(issuer: &str, audience: &str) -> Result<OAuth, BadIssuer> {
        crypto::install();
        let keys = Keys::of(issuer)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        Ok(OAuth { issuer: issuer.to_owned(), validation, keys, callers: Mutex::default() })
    }

    /// The issuer's URL, as it was given.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who has this token, and until when it opens.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub async fn admit(&self, token: &str) -> Result<(Arc<Caller>, Timestamp), NotAdmitted> {
        if token.len() > LONGEST {
            return Err(NotAdmitted::Invalid("it is too long"));
        }
        let header = decode_header(token).map_err(|_| NotAdmitted::Invalid("it is no signed token (JWT)"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(NotAdmitted::Invalid("it is not signed with RS256, ES256 or EdDSA"));
        }
        if header.crit.is_some() {
            return Err(NotAdmitted::Invalid("it demands an extension that this server does not know"));
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let key = key.ok_or(NotAdmitted::Invalid("the issuer has no such key"))?;
        let validation = Validation { algorithms: vec![header.alg], ..self.validation.clone() };
        let claims =
            decode::<Claims>(token, &key, &validation).map_err(|error| NotAdmitted::Invalid(why(error.kind())))?;
        let (caller, end) = (claims.claims.caller()?, claims.claims.end(LEEWAY));
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = callers.get(&caller.name).filter(|known| ***known == caller) {
            return Ok((known.clone(), end));
        }
        if callers.len() >= MOST {
            callers.clear();
        }
        let caller = Arc::new(caller);
        callers.insert(caller.name.clone(), caller.clone());
        Ok((caller, end))
    }
}

/// Without anything of the token itself.
fn why(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not good yet",
        ErrorKind::InvalidIssuer => "another issuer made it",
        ErrorKind::InvalidAudience => "it was made for another server (audience)",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud and sub",
        ErrorKind::InvalidSignature => "its signature is not the issuer's",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests;
