//! What every request to the protocol passes: is there room, who asks, how often, and in whose session.
//!
//! Knows headers and bodies as bytes. It decides who comes in; what a caller may do inside is the handler's business.

use super::Options;
use super::answer::{self, Refusal};
use super::body::{Arriving, Held, Missing, Open, Place};
use super::door::{Admitted, Door, Standing};
use super::rate::Rate;
use super::sessions::Sessions;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Longest answer of a client to a question of the server, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// The first revision without sessions.
const STATELESS: &str = "2026-07-28";

/// The one request whose answer goes on until the client has heard enough.
const LISTEN: &str = "subscriptions/listen";

/// Headers that decide who comes in. Of two with the same name, this server could believe the one and what stands in
/// front of it the other (RFC 9112, section 3.2, wants two of `Host` refused).
const ONCE: [HeaderName; 4] = [header::HOST, header::ORIGIN, header::AUTHORIZATION, SESSION];

/// The headers of the protocol that are looked at here.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

pub(super) struct Gate {
    door: Door,
    rate: Option<Rate>,
    sessions: Sessions,
    slots: Arc<Semaphore>,
    calls: usize,
    body: usize,
    patience: Duration,
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
            patience: options.patience,
            ending,
        }
    }

    /// Waits until no request is worked on. None comes in any more after this.
    pub(super) async fn drained(&self) {
        // Fails only when it is closed, which nobody does.
        let _ = self.slots.acquire_many(self.calls as u32).await;
    }

    /// Closes sessions of callers who may not come in any more, for as long as the server runs.
    pub(super) async fn watch(&self) {
        self.sessions.watch(&self.door).await;
    }

    /// The answer to a request of the protocol: `inside` gives it, if the request comes in.
    pub(super) async fn pass<F: Future<Output = Response<Body>>>(
        self: &Arc<Gate>,
        request: Request,
        inside: impl FnOnce(Request) -> F,
    ) -> Response<Body> {
        self.admit(request, inside).await.unwrap_or_else(|refusal| {
            tracing::info!(status = refusal.status.as_u16(), because = refusal.message, "refused");
            refusal.response()
        })
    }

    async fn admit<F: Future<Output = Response<Body>>>(
        self: &Arc<Gate>,
        mut request: Request,
        inside: impl FnOnce(Request) -> F,
    ) -> Result<Response<Body>, Refusal> {
        if let Some(name) = ONCE.iter().find(|name| request.headers().get_all(*name).iter().nth(1).is_some()) {
            let says = format!("the header `{name}` is there more than once; send it once");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, says));
        }
        let admitted = self.door.admit(request.headers_mut()).await?;
        let (caller, proof) = admitted.map(|Admitted { caller, proof }| (caller, proof)).unzip();
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
        let session = text(request.headers(), &SESSION).map(str::to_owned);
        let mut place = Place::default();
        let posted = request.method() == Method::POST;
        // Who waits for `100 Continue` has sent none of it yet. Others would not read an answer before they are done.
        let length = text(request.headers(), &header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        if request.headers().contains_key(header::EXPECT) && length.is_some_and(|length| length > self.body as u64) {
            return Err(self.too_large());
        }
        let listens = request.method() == Method::GET || text(request.headers(), &METHOD) == Some(LISTEN);
        let (parts, body) = request.into_parts();
        let (body, missing) = Arriving::new(body, self.patience);
        request = Request::from_parts(parts, Body::new(body));
        if posted {
            if !self.ending.is_cancelled() {
                place.slot = self.slots.clone().try_acquire_owned().ok();
            }
            if place.slot.is_none() {
                // What answers a question of this server must come in, or the call that asks never ends.
                request = match (&session, answer(request).await) {
                    (Some(_), Some(answer)) => answer,
                    _ => return Err(self.no_room()),
                };
            }
        }
        match &session {
            Some(id) => match self.sessions.enter(id, name.as_deref(), proof.as_ref()) {
                Some(session) if posted => place.session = Some(session),
                Some(_) => {}
                None => {
                    let says = "there is no such session for this caller: it has ended, or another token opened it. \
                                Begin with `initialize` again";
                    return Err(Refusal::new(StatusCode::NOT_FOUND, says));
                }
            },
            None if opens_session(&request) && !self.sessions.room().await => {
                let says = "too many sessions are open on this server; they end when nothing is heard of them. Try \
                            again later, or use a client that speaks the revision 2026-07-28, which needs none";
                return Err(Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 30, says));
            }
            None => {}
        }
        let [host, origin] = [header::HOST, header::ORIGIN].map(|name| request.headers().get(name).cloned());
        let response = inside(request).await;
        if let Some(missing) = missing.get() {
            return Err(not_arrived(*missing));
        }
        match response.status() {
            StatusCode::FORBIDDEN => return Err(not_listed(host.as_ref(), origin.as_ref())),
            StatusCode::PAYLOAD_TOO_LARGE => return Err(self.too_large()),
            _ if answer::is_plain_refusal(&response) => return Err(answer::told(response).await),
            _ => {}
        }
        if session.is_none()
            && let Some(id) = text(response.headers(), &SESSION)
        {
            self.sessions.opened(id, name.as_deref(), proof.clone()).await;
        }
        let response = match proof {
            Some(proof) if listens && response.status() == StatusCode::OK => {
                let gate = self.clone();
                let may = move || gate.door.stands(&proof) == Standing::Good;
                response.map(|body| Body::new(Open::new(body, may)))
            }
            _ => response,
        };
        if place.is_none() {
            return Ok(response);
        }
        Ok(response.map(|body| Body::new(Held { body, _place: place })))
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

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A request outside of a session is answered with a new one, or not at all; one of the stateless revision needs none.
fn opens_session(request: &Request) -> bool {
    let version = text(request.headers(), &VERSION);
    // Dates compare as they are written.
    request.method() == Method::POST && version.is_none_or(|version| version < STATELESS)
}

/// Who sends half a request would hold a place among the requests, and the connection could be used for nothing else.
fn not_arrived(missing: Missing) -> Refusal {
    let (status, says) = match missing {
        Missing::Late => (StatusCode::REQUEST_TIMEOUT, "did not arrive in time"),
        Missing::Broken => (StatusCode::BAD_REQUEST, "broke off, or is not sent as its head says"),
    };
    let says = format!("the body of this request {says}; nothing was done, send it again as a whole");
    Refusal::new(status, says).with(header::CONNECTION, "close".to_owned())
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
