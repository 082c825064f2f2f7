//! What a browser is told that asks on behalf of a web page (CORS).
//!
//! Knows names of headers. Whether a page may call at all is checked again with each request.

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// Headers of the protocol, in requests.
const SENT: [&str; 6] =
    ["mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id", "x-request-id"];

/// Rules for these pages; others are told nothing.
pub(super) fn rules(pages: &[String]) -> CorsLayer {
    // `*` is a rule for all pages, and no page of a list.
    let pages = pages.iter().map(|page| page.trim_end_matches('/')).filter(|page| *page != "*");
    let pages: Vec<HeaderValue> = pages.filter_map(|page| page.parse().ok()).collect();
    let sent = SENT.map(HeaderName::from_static).into_iter().chain([ACCEPT, AUTHORIZATION, CONTENT_TYPE]);
    let read = ["mcp-session-id", "x-request-id"].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(pages)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(sent.collect::<Vec<_>>())
        .expose_headers(read.into_iter().chain([RETRY_AFTER, WWW_AUTHENTICATE]).collect::<Vec<_>>())
        .max_age(Duration::from_secs(600))
}
