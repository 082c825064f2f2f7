//! `/metrics`: the counters, for whoever can reach the address. It asks nobody for a token.

use super::answer::Refusal;
use crate::metrics::Metrics;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The form that Prometheus asks for.
const FORM: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Where the counters are shown.
pub enum Numbers {
    Nowhere,
    /// Beside the protocol.
    Here,
    /// At an address of their own.
    At(TcpListener),
}

pub(super) async fn show(metrics: Metrics, sessions: Arc<LocalSessionManager>) -> Response<Body> {
    let open = sessions.sessions.read().await.len();
    let Some(text) = metrics.text(open) else {
        return Refusal::new(StatusCode::NOT_FOUND, "this program was built without metrics").response();
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, FORM);
    response
}
