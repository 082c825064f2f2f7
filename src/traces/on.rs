//! Spans, sent in batches from a thread of their own.

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::OnceLock;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Any of these says where traces go.
const VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Carries spans to where the variables say; nothing if they say nothing.
pub fn layer<S>() -> Option<impl Layer<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let wanted = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    VARIABLES.iter().find(wanted)?;
    // For the connection to a collector over TLS; another part of the program may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build();
    let exporter = exporter.inspect_err(|error| eprintln!("proxmox-mcp: no traces: {error}")).ok()?;
    let provider = PROVIDER.get_or_init(|| {
        let resource = Resource::builder().with_service_name("proxmox-mcp").build();
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()
    });
    let own = Targets::new().with_target("proxmox_mcp", LevelFilter::INFO);
    Some(tracing_opentelemetry::layer().with_tracer(provider.tracer("proxmox-mcp")).with_filter(own))
}

/// A trace that goes on here: the client says so in the header `traceparent`.
pub fn follow(span: &Span, headers: &HeaderMap) {
    if PROVIDER.get().is_some() {
        // Fails only where the span is not recorded.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
}

/// Sends what was not sent yet, and nothing after it.
pub fn flush() {
    if let Some(Err(error)) = PROVIDER.get().map(SdkTracerProvider::shutdown) {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
