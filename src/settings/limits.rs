//! Less than the server may do: what one caller of several is allowed.
//!
//! Knows the same words as the server's own settings. That nothing here can give more than the server has is seen to
//! where limits are applied.

use super::{Fences, Toolsets};
use crate::tool::Tier;

/// The limits of one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub tier: Tier,
    /// Tools above the tier that may be called all the same.
    pub allow: Vec<String>,
    /// Tools and toolsets that may not be called.
    pub deny: Vec<String>,
    pub fences: Fences,
    /// What is listed; `None` = as the server lists.
    pub toolsets: Option<Toolsets>,
    /// Names of the clusters that may be reached; empty = all of the server's.
    pub clusters: Vec<String>,
}
