//! Secrets that the person who runs the server gives: where each comes from, and its text once it was read.
//!
//! Knows sources; knows nothing of what a secret opens. A secret is read at its first use and kept for the life of the
//! process; its text can be had through [`SecretString`] only, which no formatting prints.

use secrecy::SecretString;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A secret and where it comes from.
#[derive(Clone)]
pub struct Secret {
    source: Source,
    /// Shared by all copies: a command that asks a person asks once.
    text: Arc<OnceCell<SecretString>>,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Said outright, in a variable.
    Given,
}

/// Why a secret cannot be had. Never repeats any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSecret(pub String);

impl Secret {
    /// One that is known already.
    pub fn given(text: SecretString) -> Secret {
        Secret { source: Source::Given, text: Arc::new(OnceCell::new_with(Some(text))) }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its text, if it was read already.
    pub fn known(&self) -> Option<&SecretString> {
        self.text.get()
    }

    /// Its text; reads it at the first use.
    ///
    /// # Errors
    /// The source does not give it.
    pub async fn reveal(&self) -> Result<&SecretString, NoSecret> {
        let read = || async {
            match &self.source {
                Source::Given => Err(NoSecret("a secret that was given is not there any more".to_owned())),
            }
        };
        self.text.get_or_try_init(read).await
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secret").field(&self.source).finish()
    }
}
