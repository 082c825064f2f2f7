//! What was found out about a cluster, one finding per thing that was looked at.
//!
//! Knows how bad something is and what follows from it; knows nothing of how it was found or how it is shown.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// It could not be looked at.
    Skipped,
    /// It works, and somebody should know.
    Warning,
    Failed,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Skipped => "skipped",
            Level::Warning => "warning",
            Level::Failed => "FAILED",
        }
    }
}

/// What was looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Name,
    Port,
    Tls,
    Login,
    Version,
    Permissions,
    Quorum,
    Node,
    Clock,
}

impl Step {
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Name => "name",
            Step::Port => "port",
            Step::Tls => "TLS",
            Step::Login => "login",
            Step::Version => "version",
            Step::Permissions => "permissions",
            Step::Quorum => "quorum",
            Step::Node => "node",
            Step::Clock => "clock",
        }
    }

    /// Is it about getting there at all?
    pub const fn is_connection(self) -> bool {
        matches!(self, Step::Name | Step::Port | Step::Tls | Step::Login)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub step: Step,
    /// The endpoint or node that it is about; empty = the cluster.
    pub subject: String,
    pub level: Level,
    pub says: String,
    /// What to do about it; empty where nothing has to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next: String,
}

impl Finding {
    pub fn new(step: Step, subject: &str, level: Level, says: impl Into<String>) -> Finding {
        Finding { step, subject: subject.to_owned(), level, says: says.into(), next: String::new() }
    }

    pub fn next(mut self, next: impl Into<String>) -> Finding {
        self.next = next.into();
        self
    }
}
