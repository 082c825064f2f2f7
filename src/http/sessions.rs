//! Whose session is whose: the sessions of clients that speak the older revisions, each bound to who opened it, and
//! closed when that caller's proof is no good any more.
//!
//! Knows ids, names and proofs; what is said in a session is the SDK's business, and so is any other end of it.

use super::door::{Door, Proof, Standing};
use rmcp::transport::streamable_http_server::session::SessionManager;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is asked whether sessions may go on. A stream within one ends by itself, and no request gets in: this
/// gives back their places.
const LOOK: Duration = Duration::from_secs(2);

/// Who opened which session.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    owners: Mutex<HashMap<String, Owner>>,
    most: usize,
}

struct Owner {
    /// `None`: nobody has to say who they are.
    name: Option<String>,
    /// The one that holds longest of those that were shown in the session.
    proof: Option<Proof>,
    /// Held by every call that runs in the session.
    busy: Arc<()>,
}

impl Sessions {
    pub(super) fn new(manager: Arc<LocalSessionManager>, most: usize) -> Sessions {
        Sessions { manager, owners: Mutex::default(), most }
    }

    /// Nothing is left half done under the lock.
    fn owners(&self) -> MutexGuard<'_, HashMap<String, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May one more be opened?
    pub(super) async fn room(&self) -> bool {
        self.manager.sessions.read().await.len() < self.most
    }

    /// A session was opened.
    pub(super) async fn opened(&self, id: &str, name: Option<&str>, proof: Option<Proof>) {
        let open = self.manager.sessions.read().await;
        let mut owners = self.owners();
        // Sessions end by themselves; here is where it is noticed, so there are never many more than are open.
        owners.retain(|id, _| open.contains_key(id.as_str()));
        let owner = Owner { name: name.map(str::to_owned), proof, busy: Arc::default() };
        owners.insert(id.to_owned(), owner);
    }

    /// Goes into a session, if it is the caller's own; one that is not known is nobody's. It is not closed for as long
    /// as the answer is held.
    pub(super) fn enter(&self, id: &str, name: Option<&str>, proof: Option<&Proof>) -> Option<Arc<()>> {
        let mut owners = self.owners();
        let owner = owners.get_mut(id).filter(|owner| owner.name.as_deref() == name)?;
        if let Some(proof) = proof {
            // A token of OAuth is renewed while the session goes on.
            owner.proof = Some(proof.longer(owner.proof.take()));
        }
        Some(owner.busy.clone())
    }

    /// Closes sessions for as long as the server runs.
    pub(super) async fn watch(&self, door: &Door) {
        if !door.is_guarded() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            self.close(door).await;
        }
    }

    /// Closes those of callers who could not come in any more, but for those in which a call still runs.
    async fn close(&self, door: &Door) {
        let over = |owner: &Owner| {
            let ended = owner.proof.as_ref().is_some_and(|proof| door.stands(proof) == Standing::Ended);
            ended && Arc::strong_count(&owner.busy) == 1
        };
        let closed: Vec<(String, Owner)> = self.owners().extract_if(|_, owner| over(owner)).collect();
        for (id, owner) in closed {
            let caller = owner.name.as_deref().unwrap_or_default();
            tracing::info!(caller, "a session is closed: the token is no good any more");
            if let Err(error) = self.manager.close_session(&id.into()).await {
                tracing::debug!(%error, "it was closed already");
            }
        }
    }
}
