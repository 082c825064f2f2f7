//! Spans, sent in batches from a thread of their own. No call waits for the collector.

use axum::http::HeaderMap;
use opentelemetry::Key;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter as ToCollector;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Either of these says where traces go; the first one wins.
const VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// What the service is called where no variable says it.
const SERVICE: &str = "proxmox-mcp";

/// How long the end of the process waits for the collector.
const PATIENCE: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Carries spans to where the variables say; nothing if they say nothing.
pub fn layer<S>() -> Option<impl Layer<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let wanted = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variable = VARIABLES.into_iter().find(wanted)?;
    // For the connection to a collector over TLS; another part of the program may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = ToCollector::builder().with_http().build();
    let exporter = exporter.inspect_err(|error| eprintln!("{}", unusable(variable, &error.to_string()))).ok()?;
    let provider = PROVIDER.get_or_init(|| {
        let exporter = Telling { exporter, variable, failing: AtomicBool::new(false) };
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build()
    });
    let own = Targets::new().with_target("proxmox_mcp", LevelFilter::INFO);
    // Lines of the source and numbers of threads say nothing to whoever runs the server.
    let layer = tracing_opentelemetry::layer().with_location(false).with_threads(false);
    Some(layer.with_tracer(provider.tracer(SERVICE)).with_filter(own))
}

/// What is said of a variable that cannot be used, without its value: there may be a password in it.
fn unusable(variable: &str, error: &str) -> String {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    let error = value.map_or_else(|| error.to_owned(), |value| error.replace(&value, "…"));
    format!("proxmox-mcp: no traces are sent: {error}. {variable} takes a URL, e.g. http://127.0.0.1:4318")
}

/// What sends: as the variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let name = said.get(&Key::from_static_str("service.name"));
    // The crate's own word where nobody said one.
    let named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if named { said } else { Resource::builder().with_service_name(SERVICE).build() }
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
    let ended = PROVIDER.get().map(|provider| provider.shutdown_with_timeout(PATIENCE));
    if let Some(Err(error)) = ended {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// Says in the log when traces do not get to the collector, once, and when they do again.
#[derive(Debug)]
struct Telling {
    exporter: ToCollector,
    /// What says where it is.
    variable: &'static str,
    failing: AtomicBool,
}

impl SpanExporter for Telling {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let failed = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !failed => tracing::warn!(
                %error,
                "traces do not get to where {} says, and are lost; calls go on without them",
                self.variable
            ),
            Ok(()) if failed => tracing::info!("traces get to the collector again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
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
