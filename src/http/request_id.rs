//! A name for each request: in every line that is logged for it, and in the header of its answer.
//!
//! Taken from the client when it is well-formed, so that a chain of proxies has one name for the same request. Must
//! not know what is asked.

use crate::metrics::Metrics;
use crate::traces;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is taken from a client.
const LONGEST: usize = 64;

/// The name of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId {
    text: Arc<str>,
    span: Span,
}

impl RequestId {
    fn of(request: &Request) -> RequestId {
        let given = request.headers().get(&HEADER).and_then(|value| value.to_str().ok());
        let text: Arc<str> = match given.filter(|text| well_formed(text)) {
            Some(text) => text.into(),
            // It tells requests apart and protects nothing.
            None => format!("{:016x}", fastrand::u64(..)).into(),
        };
        let span = tracing::info_span!("request", id = %text, tool = Empty);
        traces::follow(&span, request.headers());
        RequestId { text, span }
    }

    /// The span in which everything about this request is logged.
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Nothing that could break a line of a log, or pass for another field of it.
fn well_formed(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The answer of `inside`, under a name, counted and logged.
pub(super) async fn pass<F: Future<Output = Response<Body>>>(
    metrics: &Metrics,
    mut request: Request,
    inside: impl FnOnce(Request) -> F,
) -> Response<Body> {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let span = id.span();
    let mut response = async {
        let started = Instant::now();
        let response = inside(request).await;
        // Until the head of the answer; a stream goes on after it.
        let milliseconds = started.elapsed().as_millis();
        tracing::debug!(%method, path = %uri.path().escape_debug(), status = response.status().as_u16(), milliseconds, "http");
        response
    }
    .instrument(span)
    .await;
    metrics.answered(response.status().as_u16());
    if let Ok(value) = HeaderValue::from_str(&id.text) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_taken_over() {
        let with = |value: &str| {
            let request = Request::builder().header("x-request-id", value).body(Body::empty()).expect("a request");
            RequestId::of(&request).to_string()
        };
        assert_eq!(with("Req-1_a.b"), "Req-1_a.b");
        for bad in ["", "a b", "a=b", "a\"b", "é", &"x".repeat(65)] {
            assert_ne!(with(bad), bad);
            assert_eq!(with(bad).len(), 16);
        }
    }
}
