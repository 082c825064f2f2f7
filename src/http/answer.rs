//! Answers of this server's own: refusals, with a status, a reason that a person can act on, and what clients read.
//!
//! Knows statuses and texts. The body is an error of JSON-RPC without an id: clients of the protocol show its message.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use serde_json::json;

/// The code of JSON-RPC for errors that a server defines itself.
const CODE: i32 = -32_000;

/// A request that was not carried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub message: String,
    /// One more header: for whom to ask, or when to come again.
    pub header: Option<(HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), header: None }
    }

    /// To be tried again after so many seconds.
    pub(super) fn later(status: StatusCode, seconds: u64, message: impl Into<String>) -> Refusal {
        Refusal { header: Some((header::RETRY_AFTER, seconds.to_string())), ..Refusal::new(status, message) }
    }

    pub(super) fn with(mut self, name: HeaderName, value: String) -> Refusal {
        self.header = Some((name, value));
        self
    }

    pub(super) fn response(self) -> Response<Body> {
        let body = json!({"jsonrpc": "2.0", "error": {"code": CODE, "message": self.message}});
        let mut response = json_response(self.status, &body);
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Longest refusal of the SDK that is read, in bytes.
const LONGEST: usize = 4 << 10;

/// Is it a refusal of the SDK's that is not in the form of the others?
pub(super) fn is_plain_refusal(response: &Response<Body>) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    (status.is_client_error() || status.is_server_error()) && kind.is_none_or(|kind| kind.starts_with(b"text/plain"))
}

/// The SDK's refusal in the form of the others, with what to do next where its text leaves that open.
pub(super) async fn told(response: Response<Body>) -> Refusal {
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    let (status, says) = match parts.status {
        StatusCode::METHOD_NOT_ALLOWED => (
            parts.status,
            "calls are sent with POST; with the id of a session, GET reads its messages and DELETE ends it".to_owned(),
        ),
        StatusCode::NOT_FOUND => (parts.status, format!("{text}: it has ended. Begin with `initialize` again")),
        StatusCode::BAD_REQUEST if text.contains("Session ID is required") => (
            parts.status,
            format!(
                "{text}: begin with `initialize` (POST), whose answer names the session; or speak the revision \
                 2026-07-28, which needs none"
            ),
        ),
        // Its kind is right, and what is in it is not.
        StatusCode::UNSUPPORTED_MEDIA_TYPE if text.contains("deserialize") => (
            StatusCode::BAD_REQUEST,
            format!("the body is not one message of JSON-RPC ({text}); lists of messages are not taken"),
        ),
        status if text.is_empty() => (status, format!("{status}; nothing was done")),
        status => (status, text),
    };
    let refusal = Refusal::new(status, says);
    match parts.headers.get(header::ALLOW).and_then(|value| value.to_str().ok()) {
        Some(methods) => refusal.with(header::ALLOW, methods.to_owned()),
        None => refusal,
    }
}

/// An answer in JSON.
pub(super) fn json_response(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A path that there is not.
pub(super) async fn nowhere(uri: Uri) -> Response<Body> {
    let near = if uri.path().trim_end_matches('/') == super::PATH { " without the slash at the end" } else { "" };
    let says = format!("there is nothing here; MCP is spoken at {}{near}", super::PATH);
    Refusal::new(StatusCode::NOT_FOUND, says).response()
}
