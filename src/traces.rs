//! Traces for OpenTelemetry: one span for each request over HTTP, with what was logged for it.
//!
//! Knows the variables that OpenTelemetry itself defines (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin); without that one
//! nothing is sent. What is in a span is what is in the log: never arguments, but for those in a path of the API. Without
//! the cargo feature `otel` there are no traces.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub use off::{flush, follow, layer};
#[cfg(feature = "otel")]
pub use on::{flush, follow, layer};
