//! What the server is for each of its callers: the same clusters under less rights.
//!
//! Knows where a request carries its caller; who that is was proven before. Without one, the server's own limits hold.

use super::Server;
use crate::caller::Caller;
use crate::http::RequestId;
use crate::settings::Limits;
use http::request::Parts;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use std::sync::{Arc, Mutex, PoisonError};

/// So many different limits are remembered.
const MOST: usize = 64;

/// The servers for limits that came before; `None`: no cluster is open to them. Callers with the same limits share one.
#[derive(Default)]
pub(super) struct Callers(Mutex<Vec<(Limits, Option<Server>)>>);

impl Callers {
    fn of(&self, limits: &Limits, make: impl FnOnce() -> Option<Server>) -> Option<Server> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, server)) = known.iter().find(|(one, _)| one == limits) {
            return server.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
        let server = make();
        known.push((limits.clone(), server.clone()));
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
            Some(Server { clusters, said: Arc::default(), callers: Arc::default(), ..self.clone() })
        };
        let server = self.callers.of(&caller.limits, make);
        server.map(|server| Server { caller: Some(caller.clone()), ..server }).ok_or_else(|| {
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
