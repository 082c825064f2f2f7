//! Numbers about what this server does, for Prometheus: how many calls, how long, how they ended.
//!
//! Knows tools by their names and tiers, and nothing of what is called, by whom, or on which guest. Without the cargo
//! feature `metrics` nothing is counted.

#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;

#[cfg(not(feature = "metrics"))]
pub use off::{Metrics, Running};
#[cfg(feature = "metrics")]
pub use on::{Metrics, Running};

use crate::engine::FailureKind;

/// Is it the cluster, or the way to it, that failed?
#[cfg_attr(not(feature = "metrics"), allow(dead_code))]
fn upstream(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Unauthenticated
            | FailureKind::Tls
            | FailureKind::Timeout
            | FailureKind::Connection
            | FailureKind::NoQuorum
            | FailureKind::NodeOffline
            | FailureKind::Busy
            | FailureKind::Unreadable
    )
}
