//! Answers of this server's own: refusals, with a status, a reason that a person can act on, and what clients read.
//!
//! Knows statuses and texts. The body is an error of JSON-RPC without an id: clients of the protocol show its message.

use axum::body::Body;
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
