//! Less than the server may do: what one caller of several is allowed.
//!
//! Knows the same words as the server's own settings. That nothing here can give more than the server has is seen to
//! where limits are applied.

use super::checks::{tier, tools};
use super::{BadSettings, FenceFlags, Fences, Toolsets, fences};
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

/// Limits as they are written: in flags, or in a file.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `None` = `read`.
    pub tier: Option<String>,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub toolsets: Vec<String>,
    pub clusters: Vec<String>,
    pub fences: FenceFlags,
}

impl Given {
    /// Every list under its name in a file.
    pub fn lists(&mut self) -> [(&'static str, &mut Vec<String>); 16] {
        let fences = &mut self.fences;
        [
            ("allow", &mut self.allow),
            ("deny", &mut self.deny),
            ("toolsets", &mut self.toolsets),
            ("clusters", &mut self.clusters),
            ("allow_nodes", &mut fences.allow_nodes),
            ("deny_nodes", &mut fences.deny_nodes),
            ("allow_guests", &mut fences.allow_guests),
            ("deny_guests", &mut fences.deny_guests),
            ("allow_pools", &mut fences.allow_pools),
            ("deny_pools", &mut fences.deny_pools),
            ("allow_tags", &mut fences.allow_tags),
            ("deny_tags", &mut fences.deny_tags),
            ("allow_storages", &mut fences.allow_storages),
            ("deny_storages", &mut fences.deny_storages),
            ("allow_tools", &mut fences.allow_tools),
            ("protected_tags", &mut fences.protected_tags),
        ]
    }
}

impl Limits {
    /// # Errors
    /// The first value that is none of its sort.
    pub fn of(given: &Given) -> Result<Limits, BadSettings> {
        let filled = |list: &[String]| list.iter().any(|text| !text.trim().is_empty());
        Ok(Limits {
            tier: tier(given.tier.as_deref(), None, &mut Vec::new())?,
            allow: tools("PROXMOX_ALLOW", "--allow", &given.allow)?,
            deny: fences::tools("PROXMOX_DENY", "--deny", &given.deny)?,
            fences: Fences::of(&given.fences)?,
            toolsets: match filled(&given.toolsets) {
                true => Some(Toolsets::of(&given.toolsets, None)?),
                false => None,
            },
            clusters: given
                .clusters
                .iter()
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        })
    }

    /// At this tier, with nothing else said.
    pub fn at(tier: Tier) -> Limits {
        Limits {
            tier,
            allow: Vec::new(),
            deny: Vec::new(),
            fences: Fences::default(),
            toolsets: None,
            clusters: Vec::new(),
        }
    }
}
