//! Who calls over HTTP, once that is proven.
//!
//! Knows a name and limits; how a caller proves who it is, and how limits are held, is said elsewhere.

use crate::settings::Limits;

/// Somebody with a bearer token. Lies in the extensions of the request, as an `Arc`: the same one as long as nothing
/// about the caller changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As the audit log and the log name it; no two callers share one.
    pub name: String,
    /// Never more than the server's own, whatever it says here.
    pub limits: Limits,
}
