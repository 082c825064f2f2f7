//! Whose session is whose: the sessions of clients that speak the older revisions, each bound to who opened it.
//!
//! Knows ids and names; what is said in a session is the SDK's business, and so is its end.

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who opened which session. `None`: nobody has to say who they are.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    owners: Mutex<HashMap<String, Option<String>>>,
    most: usize,
}

impl Sessions {
    pub(super) fn new(manager: Arc<LocalSessionManager>, most: usize) -> Sessions {
        Sessions { manager, owners: Mutex::default(), most }
    }

    /// May one more be opened?
    pub(super) async fn room(&self) -> bool {
        self.manager.sessions.read().await.len() < self.most
    }

    /// A session was opened.
    pub(super) async fn opened(&self, id: &str, owner: Option<&str>) {
        let open = self.manager.sessions.read().await;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        // Sessions end by themselves; here is where it is noticed, so there are never many more than are open.
        owners.retain(|id, _| open.contains_key(id.as_str()));
        owners.insert(id.to_owned(), owner.map(str::to_owned));
    }

    /// Is this session the caller's own? One that is not known is nobody's.
    pub(super) fn owned(&self, id: &str, caller: Option<&str>) -> bool {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(id).is_some_and(|owner| owner.as_deref() == caller)
    }
}
