//! Counters in the process, written out on demand.

use super::upstream;
use crate::engine::FailureKind;
use crate::tool::Tier;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;

type Labels<const N: usize> = [(&'static str, String); N];

/// The counters; copies count together.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    registry: Registry,
    calls: Family<Labels<3>, Counter>,
    seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
    running: Gauge,
    troubles: Family<Labels<1>, Counter>,
    requests: Family<Labels<1>, Counter>,
    sessions: Gauge,
}

/// A call that runs; counted until it is dropped.
pub struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        // From 2 ms to a little over half an hour.
        let seconds =
            Family::new_with_constructor((|| Histogram::new(exponential_buckets(0.002, 4.0, 11))) as fn() -> _);
        let mut counted = Counted {
            registry: Registry::with_prefix("proxmox_mcp"),
            calls: Family::default(),
            seconds,
            running: Gauge::default(),
            troubles: Family::default(),
            requests: Family::default(),
            sessions: Gauge::default(),
        };
        let registry = &mut counted.registry;
        registry.register(
            "calls",
            "Calls of tools that ended, by tool, tier and how they ended",
            counted.calls.clone(),
        );
        let help = "How long calls of tools took, by tier";
        registry.register_with_unit("call_duration", help, Unit::Seconds, counted.seconds.clone());
        registry.register("calls_running", "Calls of tools that run right now", counted.running.clone());
        let help = "Calls that failed because of the cluster, or of the way to it, by kind";
        registry.register("upstream_troubles", help, counted.troubles.clone());
        registry.register("http_requests", "Answers over HTTP, by status", counted.requests.clone());
        registry.register("sessions", "Sessions of older clients that are open", counted.sessions.clone());
        Metrics(Arc::new(counted))
    }
}

impl Metrics {
    /// A call begins.
    pub fn begins(&self) -> Running {
        self.0.running.inc();
        Running(self.0.running.clone())
    }

    /// A call ended: with an outcome, or with a failure.
    pub fn ended(&self, tool: &str, tier: Tier, how: Result<&str, FailureKind>, took: Duration) {
        let outcome = match how {
            Ok(outcome) => outcome.to_owned(),
            Err(kind) => snake(kind),
        };
        let tier = ("tier", tier.as_str().to_owned());
        self.0.calls.get_or_create(&[("tool", tool.to_owned()), tier.clone(), ("outcome", outcome)]).inc();
        self.0.seconds.get_or_create(&[tier]).observe(took.as_secs_f64());
        if let Err(kind) = how
            && upstream(kind)
        {
            self.0.troubles.get_or_create(&[("kind", snake(kind))]).inc();
        }
    }

    /// A request was answered.
    pub fn answered(&self, status: u16) {
        self.0.requests.get_or_create(&[("status", status.to_string())]).inc();
    }

    /// Everything, as Prometheus reads it. `sessions` are those that are open.
    pub fn text(&self, sessions: usize) -> Option<String> {
        self.0.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.0.registry).ok()?;
        Some(text)
    }
}

/// `NodeOffline` as `node_offline`.
fn snake(kind: FailureKind) -> String {
    let mut text = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
