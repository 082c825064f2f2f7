//! Who comes in: bearer tokens of this server's own file, or of an issuer of OAuth.
//!
//! Knows the header that carries a token, and the words of RFC 6750 and RFC 9728 for whoever has none. A token is
//! neither logged nor passed on: the header is gone from the request once it was read.

use super::answer::Refusal;
use crate::caller::Caller;
use crate::oauth::{self, OAuth, SCOPES};
use crate::tokens::{self, NotAdmitted, PREFIX, Tokens};
use axum::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// How callers prove who they are. Without any way, whoever reaches the address may call.
#[derive(Default)]
pub struct Door {
    pub tokens: Option<Tokens>,
    pub oauth: Option<OAuth>,
    /// The URL of the protocol, as clients know it; needed for OAuth.
    pub resource: String,
}

/// Somebody who came in.
pub(super) struct Admitted {
    pub caller: Arc<Caller>,
    pub proof: Proof,
}

/// By what somebody came in; nothing of it opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// The token of this id.
    Token(String),
    /// A signed token, until then.
    Until(Timestamp),
}

/// Would a proof open now?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// It cannot be found out right now.
    Unknown,
    /// It never will again.
    Ended,
}

impl Proof {
    /// Of two of the same caller, the one that holds longer; this one if nobody knows.
    pub(super) fn longer(&self, other: Option<Proof>) -> Proof {
        match (self, other) {
            (Proof::Until(mine), Some(Proof::Until(other))) => Proof::Until(other.max(*mine)),
            _ => self.clone(),
        }
    }
}

/// Where the metadata of a protected resource is, by RFC 9728: with and without the path of the resource.
pub(super) const METADATA: [&str; 2] =
    ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];

impl Door {
    /// Does a caller have to prove who it is?
    pub fn is_guarded(&self) -> bool {
        self.tokens.is_some() || self.oauth.is_some()
    }

    /// What a client needs to know to log in; there is none without OAuth.
    pub(super) fn metadata(&self) -> Option<Value> {
        Some(json!({
            "resource": self.resource,
            "authorization_servers": [self.oauth.as_ref()?.issuer()],
            "scopes_supported": SCOPES.map(|(word, _)| word),
            "bearer_methods_supported": ["header"],
            "resource_name": "Proxmox VE (proxmox-mcp)",
        }))
    }

    /// Who calls; `None` = nobody has to say. Takes the proof out of the headers.
    pub(super) async fn admit(&self, headers: &mut HeaderMap) -> Result<Option<Admitted>, Refusal> {
        let proof = bearer(headers);
        headers.remove(header::AUTHORIZATION);
        if !self.is_guarded() {
            return Ok(None);
        }
        let Some(token) = proof? else {
            return Err(self.ask(
                "this server wants a bearer token (header `Authorization: Bearer …`); whoever runs it \
                                 can make one with `proxmox-mcp token new`",
            ));
        };
        if let (true, Some(tokens)) = (token.starts_with(PREFIX), &self.tokens) {
            return match tokens.admit(&token, Timestamp::now()) {
                Ok(caller) => {
                    let proof = Proof::Token(tokens::id(&token).unwrap_or_default().to_owned());
                    Ok(Some(Admitted { caller, proof }))
                }
                Err(NotAdmitted::Unreadable) => {
                    Err(Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 30, NotAdmitted::Unreadable.to_string()))
                }
                Err(refused) => Err(self.refuse("invalid_token", &refused.to_string())),
            };
        }
        let Some(oauth) = &self.oauth else {
            return Err(self.refuse("invalid_token", &NotAdmitted::Unknown.to_string()));
        };
        let admitted = oauth.admit(&token).await;
        admitted.map(|(caller, end)| Some(Admitted { caller, proof: Proof::Until(end) })).map_err(|refused| {
            let says = refused.to_string();
            match refused {
                oauth::NotAdmitted::Invalid(_) => self.refuse("invalid_token", &says),
                oauth::NotAdmitted::Unavailable => Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 30, says),
                oauth::NotAdmitted::Scope(_) => {
                    let value = self.challenge(&format!(", error=\"insufficient_scope\", scope=\"{}\"", SCOPES[0].0));
                    Refusal::new(StatusCode::FORBIDDEN, says).with(header::WWW_AUTHENTICATE, value)
                }
            }
        })
    }

    /// Would who came in by this come in now? Asks nobody.
    pub(super) fn stands(&self, proof: &Proof) -> Standing {
        let now = Timestamp::now();
        match (proof, &self.tokens) {
            (Proof::Until(end), _) if now < *end => Standing::Good,
            (Proof::Token(id), Some(tokens)) => match tokens.check(id, now) {
                Ok(()) => Standing::Good,
                Err(NotAdmitted::Unreadable) => Standing::Unknown,
                Err(NotAdmitted::Unknown | NotAdmitted::Expired) => Standing::Ended,
            },
            _ => Standing::Ended,
        }
    }

    /// 401 for whoever brought nothing.
    fn ask(&self, says: &str) -> Refusal {
        let value = self.challenge("");
        Refusal::new(StatusCode::UNAUTHORIZED, says).with(header::WWW_AUTHENTICATE, value)
    }

    /// 401 for whoever brought something that does not open.
    fn refuse(&self, error: &str, says: &str) -> Refusal {
        let value = self.challenge(&format!(", error=\"{error}\""));
        Refusal::new(StatusCode::UNAUTHORIZED, says).with(header::WWW_AUTHENTICATE, value)
    }

    fn challenge(&self, more: &str) -> String {
        let place = self.oauth.as_ref().and_then(|_| self.resource.strip_suffix(super::PATH));
        let place = place.map(|place| format!(", resource_metadata=\"{place}{}\"", METADATA[1])).unwrap_or_default();
        format!("Bearer realm=\"proxmox-mcp\"{place}{more}")
    }
}

/// The token that the request brings. Two of them are none: which one a proxy in front has looked at is not known.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let bad = |says: &str| Refusal::new(StatusCode::BAD_REQUEST, says);
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(bad("the request has several `Authorization` headers; send one"));
    }
    let text = value.to_str().map_err(|_| bad("the `Authorization` header holds more than plain letters"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        // Another scheme proves nothing here.
        _ => Ok(None),
    }
}
