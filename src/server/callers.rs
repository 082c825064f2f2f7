//! What the server is for each of its callers: the same clusters under less rights.
//!
//! Knows where a request carries its caller; who that is was proven before. Without one, the server's own limits hold.

use super::Server;
use crate::caller::Caller;
use crate::http::RequestId;
use http::request::Parts;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The servers of those who called before; `None`: no cluster is open to them.
#[derive(Default)]
pub(super) struct Callers(Mutex<Vec<(Weak<Caller>, Option<Server>)>>);

impl Callers {
    fn of(&self, caller: &Arc<Caller>, make: impl FnOnce() -> Option<Server>) -> Option<Server> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&(Weak<Caller>, _)| std::ptr::eq(one.0.as_ptr(), Arc::as_ptr(caller));
        if let Some((_, server)) = known.iter().find(same) {
            return server.clone();
        }
        // Whose limits were replaced will not come again.
        known.retain(|(one, _)| one.strong_count() > 0);
        let server = make();
        known.push((Arc::downgrade(caller), server.clone()));
        server
    }
}

impl Server {
    /// This server as the caller of this request sees it.
    ///
    /// # Errors
    /// No cluster is open to the caller.
    pub(super) fn of(&self, context: &RequestContext<RoleServer>) -> Result<Server, ErrorData> {
        let Some(caller) = parts(context).and_then(|parts| parts.extensions.get::<Arc<Caller>>()) else {
            return Ok(self.clone());
        };
        let make = || {
            let clusters = self.clusters.narrowed(&caller.limits)?;
            Some(Server { clusters, caller: Some(caller.clone()), offered: Arc::default(), ..self.clone() })
        };
        self.callers.of(caller, make).ok_or_else(|| {
            let says = format!(
                "no cluster of this server is open to `{}`: its token names {}. Whoever runs the server can make a \
                 token for others",
                caller.name,
                caller.limits.clusters.join(", ")
            );
            ErrorData::invalid_request(says, None)
        })
    }
}

/// The head of the HTTP request; there is none on standard input.
fn parts(context: &RequestContext<RoleServer>) -> Option<&Parts> {
    context.extensions.get::<Parts>()
}

/// Does the request come over HTTP, perhaps from another machine?
pub(super) fn remote(context: &RequestContext<RoleServer>) -> bool {
    parts(context).is_some()
}

/// Everything about a request is logged under its id.
pub(super) fn span(context: &RequestContext<RoleServer>) -> tracing::Span {
    let id = parts(context).and_then(|parts| parts.extensions.get::<RequestId>());
    id.map_or_else(tracing::Span::none, RequestId::span)
}
