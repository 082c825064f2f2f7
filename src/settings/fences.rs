//! The fences: what may be changed at all, whoever asks and whatever the tier allows.
//!
//! Knows flags, variables and how their values are written; deciding is the engine's business. Whether a node, pool or
//! storage of this name exists is not known at start, so only the form is checked.

use super::BadSettings;
use super::checks::bad;
use crate::access::SetBy;
use crate::catalogue;
use clap::Args;
use std::ops::RangeInclusive;

/// Flags of the fences.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Fences")]
pub struct FenceFlags {
    /// Only these nodes, and guests on them, may be changed
    #[arg(long, env = "PROXMOX_ALLOW_NODES", value_name = "NODE,…", value_delimiter = ',', global = true)]
    pub allow_nodes: Vec<String>,
    /// These nodes, and guests on them, may not be changed
    #[arg(long, env = "PROXMOX_DENY_NODES", value_name = "NODE,…", value_delimiter = ',', global = true)]
    pub deny_nodes: Vec<String>,
    /// Only guests with these ids may be changed or made: ids and ranges, `100-199,300`
    #[arg(long, env = "PROXMOX_ALLOW_GUESTS", value_name = "IDS", value_delimiter = ',', global = true)]
    pub allow_guests: Vec<String>,
    /// Guests with these ids may not be changed or made
    #[arg(long, env = "PROXMOX_DENY_GUESTS", value_name = "IDS", value_delimiter = ',', global = true)]
    pub deny_guests: Vec<String>,
    /// Only these pools, and guests in them, may be changed; a pool includes those inside it
    #[arg(long, env = "PROXMOX_ALLOW_POOLS", value_name = "POOL,…", value_delimiter = ',', global = true)]
    pub allow_pools: Vec<String>,
    /// These pools, and guests in them, may not be changed
    #[arg(long, env = "PROXMOX_DENY_POOLS", value_name = "POOL,…", value_delimiter = ',', global = true)]
    pub deny_pools: Vec<String>,
    /// Only guests that bear one of these tags may be changed
    #[arg(long, env = "PROXMOX_ALLOW_TAGS", value_name = "TAG,…", value_delimiter = ',', global = true)]
    pub allow_tags: Vec<String>,
    /// Guests that bear one of these tags may not be changed
    #[arg(long, env = "PROXMOX_DENY_TAGS", value_name = "TAG,…", value_delimiter = ',', global = true)]
    pub deny_tags: Vec<String>,
    /// Only these storages may be used by what changes something
    #[arg(long, env = "PROXMOX_ALLOW_STORAGES", value_name = "STORAGE,…", value_delimiter = ',', global = true)]
    pub allow_storages: Vec<String>,
    /// These storages may not be used by what changes something
    #[arg(long, env = "PROXMOX_DENY_STORAGES", value_name = "STORAGE,…", value_delimiter = ',', global = true)]
    pub deny_storages: Vec<String>,
    /// Only these tools and toolsets may change anything; reading stays as it is
    #[arg(long, env = "PROXMOX_ALLOW_TOOLS", value_name = "TOOL,…", value_delimiter = ',', global = true)]
    pub allow_tools: Vec<String>,
    /// Guests with one of these tags are never destroyed, and a person is asked before they are interrupted
    #[arg(long, env = "PROXMOX_PROTECTED_TAGS", value_name = "TAG,…", value_delimiter = ',', global = true)]
    pub protected_tags: Vec<String>,
}

/// What may be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fences {
    pub nodes: Fence<String>,
    pub guests: Fence<Ids>,
    pub pools: Fence<String>,
    /// In lower case.
    pub tags: Fence<String>,
    pub storages: Fence<String>,
    /// Names of tools and toolsets, in any dialect; empty = every one may change something.
    pub tools: Vec<String>,
    /// In lower case.
    pub protected_tags: Vec<String>,
    /// Where lists were set, by their keys, for texts; what is not here was set nowhere in particular.
    places: Vec<(&'static str, SetBy)>,
}

/// One sort of fence. Denying wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence<T> {
    /// Empty = all.
    pub allow: Vec<T>,
    pub deny: Vec<T>,
}

/// An id of a guest, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(pub RangeInclusive<u32>);

/// The ids that the API gives to guests.
pub const GUESTS: RangeInclusive<u32> = 100..=999_999_999;

impl<T> Default for Fence<T> {
    fn default() -> Fence<T> {
        Fence { allow: Vec::new(), deny: Vec::new() }
    }
}

impl<T> Fence<T> {
    /// Is anything allowed or denied?
    pub fn is_set(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty()
    }
}

impl Fence<Ids> {
    /// Is this id inside?
    pub fn holds(&self, vmid: u32) -> bool {
        let among = |list: &[Ids]| list.iter().any(|ids| ids.0.contains(&vmid));
        (self.allow.is_empty() || among(&self.allow)) && !among(&self.deny)
    }

    /// The lowest id inside that is not below `from`.
    pub fn lowest(&self, from: u32) -> Option<u32> {
        let mut vmid = from.max(*GUESTS.start());
        loop {
            if !self.allow.is_empty() {
                let above = self.allow.iter().filter(|ids| *ids.0.end() >= vmid);
                vmid = above.map(|ids| vmid.max(*ids.0.start())).min()?;
            }
            match self.deny.iter().find(|ids| ids.0.contains(&vmid)) {
                Some(ids) => vmid = ids.0.end().checked_add(1)?,
                None => return Some(vmid).filter(|vmid| GUESTS.contains(vmid)),
            }
        }
    }
}

impl Fences {
    /// # Errors
    /// The first value that is none of its sort.
    pub(super) fn of(flags: &FenceFlags) -> Result<Fences, BadSettings> {
        let nodes = |variable, flag, list| words(variable, flag, list, "pve-node", "a node's name, e.g. pve1");
        let pools = |variable, flag, list| words(variable, flag, list, "pve-poolid", "a pool's name, e.g. prod");
        let tags = |variable, flag, list| words(variable, flag, list, "pve-tag", "a tag, e.g. prod");
        let stores =
            |variable, flag, list| words(variable, flag, list, "pve-storage-id", "a storage's name, e.g. local-lvm");
        let lower = |list: Vec<String>| list.iter().map(|tag| tag.to_lowercase()).collect::<Vec<_>>();
        Ok(Fences {
            nodes: Fence {
                allow: nodes("PROXMOX_ALLOW_NODES", "--allow-nodes", &flags.allow_nodes)?,
                deny: nodes("PROXMOX_DENY_NODES", "--deny-nodes", &flags.deny_nodes)?,
            },
            guests: Fence {
                allow: ids("PROXMOX_ALLOW_GUESTS", "--allow-guests", &flags.allow_guests)?,
                deny: ids("PROXMOX_DENY_GUESTS", "--deny-guests", &flags.deny_guests)?,
            },
            pools: Fence {
                allow: pools("PROXMOX_ALLOW_POOLS", "--allow-pools", &flags.allow_pools)?,
                deny: pools("PROXMOX_DENY_POOLS", "--deny-pools", &flags.deny_pools)?,
            },
            tags: Fence {
                allow: lower(tags("PROXMOX_ALLOW_TAGS", "--allow-tags", &flags.allow_tags)?),
                deny: lower(tags("PROXMOX_DENY_TAGS", "--deny-tags", &flags.deny_tags)?),
            },
            storages: Fence {
                allow: stores("PROXMOX_ALLOW_STORAGES", "--allow-storages", &flags.allow_storages)?,
                deny: stores("PROXMOX_DENY_STORAGES", "--deny-storages", &flags.deny_storages)?,
            },
            tools: tools("PROXMOX_ALLOW_TOOLS", "--allow-tools", &flags.allow_tools)?,
            protected_tags: lower(tags("PROXMOX_PROTECTED_TAGS", "--protected-tags", &flags.protected_tags)?),
            places: Vec::new(),
        })
    }

    /// Is any fence set around what may be changed? Tools and protection are not meant: they need no list of objects.
    pub fn any(&self) -> bool {
        self.nodes.is_set()
            || self.guests.is_set()
            || self.pools.is_set()
            || self.tags.is_set()
            || self.storages.is_set()
    }

    /// The same, with the place where each list was set, by its key.
    pub fn set_in(mut self, place: impl Fn(&'static str) -> SetBy) -> Fences {
        self.places = self.lists().into_iter().map(|(key, _)| (key, place(key))).collect();
        self
    }

    /// The list under this key, named where it was set: `deny_nodes`.
    pub fn named(&self, key: &str) -> String {
        let place = self.places.iter().find(|(one, _)| *one == key);
        place.map_or(&SetBy::Nobody, |(_, place)| place).named(key)
    }

    /// The lists that are set, each where it was set, of those whose keys are wanted.
    pub fn told(&self, wanted: impl Fn(&str) -> bool) -> String {
        let lists = self.lists().into_iter().filter(|(key, _)| wanted(key));
        lists.map(|(key, list)| format!("{} is {list}", self.named(key))).collect::<Vec<_>>().join(", ")
    }

    /// The fences that are set, as they would be written on a command line.
    pub fn shown(&self) -> String {
        let lists = self.lists().into_iter();
        lists.map(|(key, list)| format!("--{} {list}", key.replace('_', "-"))).collect::<Vec<_>>().join(" ")
    }

    /// The lists that are set, by their keys.
    fn lists(&self) -> Vec<(&'static str, String)> {
        let ids = |list: &[Ids]| list.iter().map(Ids::to_string).collect::<Vec<_>>().join(",");
        let mut lists = vec![
            ("allow_nodes", self.nodes.allow.join(",")),
            ("deny_nodes", self.nodes.deny.join(",")),
            ("allow_guests", ids(&self.guests.allow)),
            ("deny_guests", ids(&self.guests.deny)),
            ("allow_pools", self.pools.allow.join(",")),
            ("deny_pools", self.pools.deny.join(",")),
            ("allow_tags", self.tags.allow.join(",")),
            ("deny_tags", self.tags.deny.join(",")),
            ("allow_storages", self.storages.allow.join(",")),
            ("deny_storages", self.storages.deny.join(",")),
            ("allow_tools", self.tools.join(",")),
            ("protected_tags", self.protected_tags.join(",")),
        ];
        lists.retain(|(_, list)| !list.is_empty());
        lists
    }
}

impl std::fmt::Display for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.start(), self.0.end()) {
            (one, other) if one == other => write!(f, "{one}"),
            (from, to) => write!(f, "{from}-{to}"),
        }
    }
}

fn filled(given: &[String]) -> impl Iterator<Item = &str> {
    given.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn words(
    variable: &'static str,
    flag: &'static str,
    given: &[String],
    format: &str,
    wanted: &str,
) -> Result<Vec<String>, BadSettings> {
    filled(given)
        .map(|text| match proxmox_spec::format::check(format, text) {
            Ok(()) => Ok(text.to_owned()),
            Err(_) => Err(bad(variable, flag, text, format!("give {wanted}, several separated by commas"))),
        })
        .collect()
}

fn ids(variable: &'static str, flag: &'static str, given: &[String]) -> Result<Vec<Ids>, BadSettings> {
    let one = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|vmid| digits && GUESTS.contains(vmid))
    };
    filled(given)
        .map(|text| {
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            match (one(from.trim()), one(to.trim())) {
                (Some(from), Some(to)) if from <= to => Ok(Ids(from..=to)),
                (Some(from), Some(to)) => {
                    Err(bad(variable, flag, text, format!("the range ends before it begins; give {to}-{from}")))
                }
                _ => {
                    let says = "give ids of guests (100 to 999999999) and ranges of them, e.g. 100-199,300";
                    Err(bad(variable, flag, text, says))
                }
            }
        })
        .collect()
}

/// Names of tools, under any of their names, and of toolsets. Each must exist: a typo would deny or allow nothing.
pub(super) fn tools(variable: &'static str, flag: &'static str, given: &[String]) -> Result<Vec<String>, BadSettings> {
    let known = || {
        let surfaces = catalogue::SURFACES.iter().map(|surface| surface.name);
        surfaces.chain(catalogue::TOOLSETS.iter().map(|set| set.name))
    };
    filled(given)
        .map(|text| {
            let plain = text.to_lowercase().replace('-', "_");
            if known().any(|name| name.replace('-', "_") == plain) {
                return Ok(plain);
            }
            let near = proxmox_spec::nearest(&plain, known()).map(|name| format!(" Did you mean `{name}`?"));
            let says = format!(
                "there is no tool and no toolset of this name.{} `proxmox-mcp tools` lists them.",
                near.unwrap_or_default()
            );
            Err(bad(variable, flag, text, says))
        })
        .collect()
}
