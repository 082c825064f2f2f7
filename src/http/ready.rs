//! Is this process alive, and is it of use right now? For load balancers and supervisors, who have no token.
//!
//! Says yes or no and nothing else: not how many clusters there are, nor what is wrong with them.

use super::answer::json_response;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use futures_util::future::BoxFuture;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How long an answer holds: nobody can ask a cluster more often than this by asking here.
const GOOD: Duration = Duration::from_secs(5);

type Probe = dyn Fn() -> BoxFuture<'static, bool> + Send + Sync;

/// Finds out whether calls can be of use, and remembers it for a moment.
pub struct Ready {
    probe: Box<Probe>,
    known: Mutex<Option<(Instant, bool)>>,
}

impl Ready {
    /// `probe` says whether anything that calls need is there; it must end by itself.
    pub fn new(probe: impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static) -> Ready {
        Ready { probe: Box::new(probe), known: Mutex::new(None) }
    }

    /// For a handler that needs nothing.
    pub fn always() -> Ready {
        Ready::new(|| Box::pin(std::future::ready(true)))
    }

    async fn is(&self) -> bool {
        // Held while it is asked: all who come meanwhile get the same answer.
        let mut known = self.known.lock().await;
        if let Some((when, ready)) = *known
            && when.elapsed() < GOOD
        {
            return ready;
        }
        let ready = (self.probe)().await;
        *known = Some((Instant::now(), ready));
        ready
    }
}

pub(super) async fn health() -> Response<Body> {
    json_response(StatusCode::OK, &json!({"status": "alive"}))
}

pub(super) async fn ready(ready: Arc<Ready>, ending: CancellationToken) -> Response<Body> {
    if ending.is_cancelled() {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "ending"}));
    }
    if ready.is().await {
        json_response(StatusCode::OK, &json!({"status": "ready"}))
    } else {
        json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "no cluster answers"}))
    }
}
