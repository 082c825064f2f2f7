//! Built without traces.

use axum::http::HeaderMap;
use tracing::Span;
use tracing_subscriber::layer::Identity;

/// Nothing beside the log.
pub fn layer() -> Identity {
    Identity::new()
}

/// A trace that goes on here.
pub fn follow(_: &Span, _: &HeaderMap) {}

/// What was not sent yet.
pub fn flush() {}
