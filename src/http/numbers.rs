//! `/metrics`: the counters, for whoever can reach the address. It asks nobody for a token; beside the protocol it goes by
//! the same names, so that no web page reads it under a name of its own (DNS rebinding).

use super::answer::Refusal;
use crate::metrics::Metrics;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
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

/// `hosts`: the names by which this address may be called; `None` = any.
pub(super) async fn show(
    metrics: Metrics,
    sessions: Arc<LocalSessionManager>,
    hosts: Option<Arc<[String]>>,
    headers: HeaderMap,
) -> Response<Body> {
    if hosts.is_some_and(|hosts| !called_by(&hosts, &headers)) {
        let says = "the name by which this server was called is not on its list (--allowed-host)";
        return Refusal::new(StatusCode::FORBIDDEN, says).response();
    }
    let open = sessions.sessions.read().await.len();
    let Some(text) = metrics.text(open) else {
        return Refusal::new(StatusCode::NOT_FOUND, "this program was built without metrics").response();
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, FORM);
    response
}

/// Is the name in `Host` one of these, with any port or with the one that is listed?
fn called_by(hosts: &[String], headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (all.next().and_then(|host| host.to_str().ok()), all.next()) else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    hosts.iter().any(|listed| {
        let plain = listed.trim_start_matches('[').trim_end_matches(']');
        plain.eq_ignore_ascii_case(name) || listed.eq_ignore_ascii_case(host)
    })
}
