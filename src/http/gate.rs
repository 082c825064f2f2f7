//! What every request to the protocol passes: is there room, who asks, how often, and in whose session.
//!
//! Knows headers and bodies as bytes. It decides who comes in; what a caller may do inside is the handler's business.

use super::Options;
use super::answer::Refusal;
use super::door::Door;
use super::rate::Rate;
use super::sessions::Sessions;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Limited};
use rmcp::transport::common::http_header::{HEADER_MCP_PROTOCOL_VERSION, HEADER_SESSION_ID};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Longest answer of a client to a question of the server, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// The first revision without sessions.
const STATELESS: &str = "2026-07-28";

/// Headers that decide who comes in. Of two with the same name, this server could believe the one and what stands in
/// front of it the other (RFC 9112, section 3.2, wants two of `Host` refused).
const ONCE: [&str; 4] = ["host", "origin", "authorization", HEADER_SESSION_ID];

pub(super) struct Gate {
    door: Door,
    rate: Option<Rate>,
    sessions: Sessions,
    slots: Arc<Semaphore>,
    calls: usize,
    body: usize,
    ending: CancellationToken,
}

impl Gate {
    pub(super) fn new(
        options: &Options,
        door: Door,
        manager: Arc<LocalSessionManager>,
        ending: CancellationToken,
    ) -> Gate {
        let calls = options.calls.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Gate {
            door,
            rate: options.rate.map(Rate::new),
            sessions: Sessions::new(manager, options.sessions),
            slots: Arc::new(Semaphore::new(calls)),
            calls,
            body: options.body,
            ending,
        }
    }

    /// Waits until no request is worked on. None comes in any more after this.
    pub(super) async fn drained(&self) {
        // Fails only when it is closed, which nobody does.
        let _ = self.slots.acquire_many(self.calls as u32).await;
    }

    /// The answer to a request of the protocol: `inside` gives it, if the request comes in.
    pub(super) async fn pass<F: Future<Output = Response<Body>>>(
        &self,
        request: Request,
        inside: impl FnOnce(Request) -> F,
    ) -> Response<Body> {
        self.admit(request, inside).await.unwrap_or_else(|refusal| {
            tracing::info!(status = refusal.status.as_u16(), because = refusal.message, "refused");
            refusal.response()
        })
    }

    async fn admit<F: Future<Output = Response<Body>>>(
        &self,
        mut request: Request,
        inside: impl FnOnce(Request) -> F,
    ) -> Result<Response<Body>, Refusal> {
        if let Some(name) = ONCE.iter().find(|name| request.headers().get_all(**name).iter().nth(1).is_some()) {
            let says = format!("the header `{name}` is there more than once; send it once");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, says));
        }
        let caller = self.door.admit(request.headers_mut()).await?;
        let name = caller.as_ref().map(|caller| caller.name.clone());
        if let (Some(rate), Some(name)) = (&self.rate, &name) {
            rate.check(name).map_err(|(wait, says)| {
                // In whole seconds, and never too early.
                Refusal::later(StatusCode::TOO_MANY_REQUESTS, wait.as_secs() + 1, says)
            })?;
        }
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let session = text(request.headers(), HEADER_SESSION_ID).map(str::to_owned);
        let mut slot = None;
        if request.method() == Method::POST {
            if !self.ending.is_cancelled() {
                slot = self.slots.clone().try_acquire_owned().ok();
            }
            if slot.is_none() {
                // What answers a question of this server must come in, or the call that asks never ends.
                request = match (&session, answer(request).await) {
                    (Some(_), Some(answer)) => answer,
                    _ => return Err(self.no_room()),
                };
            }
        }
        match &session {
            Some(id) if !self.sessions.owned(id, name.as_deref()) => {
                let says = "there is no such session for this caller: it has ended, or another token opened it. Begin \
                            with `initialize` again";
                return Err(Refusal::new(StatusCode::NOT_FOUND, says));
            }
            None if opens_session(&request) && !self.sessions.room().await => {
                let says = "too many sessions are open on this server; they end when nothing is heard of them. Try \
                            again later, or use a client that speaks the revision 2026-07-28, which needs none";
                return Err(Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 30, says));
            }
            _ => {}
        }
        let [host, origin] = [header::HOST, header::ORIGIN].map(|name| request.headers().get(name).cloned());
        let response = inside(request).await;
        match response.status() {
            StatusCode::FORBIDDEN => return Err(not_listed(host.as_ref(), origin.as_ref())),
            StatusCode::PAYLOAD_TOO_LARGE => return Err(self.too_large()),
            _ => {}
        }
        if session.is_none()
            && let Some(id) = text(response.headers(), HEADER_SESSION_ID)
        {
            self.sessions.opened(id, name.as_deref()).await;
        }
        Ok(match slot {
            Some(slot) => response.map(|body| Body::new(Held { body, _slot: slot })),
            None => response,
        })
    }

    fn no_room(&self) -> Refusal {
        if self.ending.is_cancelled() {
            let says = "this server is ending and takes no new calls; try again in a moment";
            return Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 5, says);
        }
        let says = format!(
            "this server works on {} requests already, which is its limit (--max-calls); nothing was done, try again",
            self.calls
        );
        Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 1, says)
    }

    fn too_large(&self) -> Refusal {
        let says = format!(
            "the body of this request is longer than {} bytes, the limit of this server (--max-body); nothing was done",
            self.body
        );
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, says)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A request outside of a session is answered with a new one, or not at all; one of the stateless revision needs none.
fn opens_session(request: &Request) -> bool {
    let version = text(request.headers(), HEADER_MCP_PROTOCOL_VERSION);
    // Dates compare as they are written.
    request.method() == Method::POST && version.is_none_or(|version| version < STATELESS)
}

/// The SDK refuses nothing else with 403, and does not say what would help: under which name the server was called, or by
/// which page.
fn not_listed(host: Option<&HeaderValue>, origin: Option<&HeaderValue>) -> Refusal {
    let shown = |value: &HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect::<String>().escape_debug().to_string()
    };
    let host = host.map(shown).unwrap_or_default();
    let mut says = format!("the name `{host}` by which this server was called is not on its list (--allowed-host)");
    if let Some(origin) = origin.map(shown) {
        says.push_str(&format!(", or the page `{origin}` that calls is not on its other list (--allowed-origin)"));
    }
    says.push_str("; whoever runs the server can add it. Nothing was done");
    Refusal::new(StatusCode::FORBIDDEN, says)
}

/// The request again, if it is a client's answer or notification and no request of its own.
async fn answer(request: Request) -> Option<Request> {
    #[derive(Deserialize)]
    struct Message {
        id: Option<IgnoredAny>,
        method: Option<IgnoredAny>,
    }
    let (parts, body) = request.into_parts();
    let bytes = Limited::new(body, LONGEST_ANSWER).collect().await.ok()?.to_bytes();
    let message: Message = serde_json::from_slice(&bytes).ok()?;
    let asks = message.id.is_some() && message.method.is_some();
    (!asks).then(|| Request::from_parts(parts, Body::from(bytes)))
}

/// A body that holds its place among the requests until it has been sent, or nobody reads it any more.
struct Held {
    body: Body,
    _slot: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
