//! Who we are at the cluster.
//!
//! Knows names and secrets as settings; how they go over the wire is the client's business.

use crate::secret::Secret;
use secrecy::{ExposeSecret, SecretString};

/// Who we are at the cluster, and how we prove it.
#[derive(Debug, Clone)]
pub enum Auth {
    /// An API token.
    Token {
        /// Its owner, `user@realm`.
        user: String,
        /// The part after `!`.
        name: String,
        secret: Secret,
    },
    /// A user who logs in and gets a ticket.
    Password {
        /// `user@realm`.
        user: String,
        password: Secret,
        /// Seed of the user's one-time codes, in base32; `None` = there are none, or a person types them.
        totp_seed: Option<Secret>,
    },
}

impl Auth {
    /// The user, `user@realm`: the token's owner, or who logs in.
    pub fn user(&self) -> &str {
        match self {
            Auth::Token { user, .. } | Auth::Password { user, .. } => user,
        }
    }

    /// The token's name, if there is one.
    pub fn token_name(&self) -> Option<&str> {
        match self {
            Auth::Token { name, .. } => Some(name),
            Auth::Password { .. } => None,
        }
    }

    /// As the API names who calls: `user@realm!token` or `user@realm`.
    pub fn id(&self) -> String {
        match self {
            Auth::Token { user, name, .. } => format!("{user}!{name}"),
            Auth::Password { user, .. } => user.clone(),
        }
    }

    /// Everything that no text may hold, as far as it was read.
    pub fn known_secrets(&self) -> impl Iterator<Item = String> {
        let all: [Option<&Secret>; 2] = match self {
            Auth::Token { secret, .. } => [Some(secret), None],
            Auth::Password { password, totp_seed, .. } => [Some(password), totp_seed.as_ref()],
        };
        all.into_iter().flatten().filter_map(Secret::known).map(|text: &SecretString| text.expose_secret().to_owned())
    }
}
