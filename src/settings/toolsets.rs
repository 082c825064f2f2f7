//! Which tools are listed: the toolsets that were chosen, the core, or all of them.
//!
//! Knows names of toolsets. What may be called is decided in [`crate::access`].

use super::BadSettings;
use super::checks::bad;
use crate::access::Access;
use crate::catalogue::TOOLSETS;
use crate::tool::{Surface, Tool};
use std::fmt;

/// The toolsets whose tools are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolsets {
    All,
    Some {
        /// The tools that the catalogue marks as core.
        core: bool,
        /// In the catalogue's order, each once.
        names: Vec<&'static str>,
    },
}

impl Toolsets {
    /// The choice that `given` makes. Nothing given means the core, or everything where a dialect is listed: that is
    /// another server's surface, complete by itself.
    ///
    /// # Errors
    /// No toolset has such a name.
    pub(super) fn of(given: &[String], dialect: Option<&str>) -> Result<Toolsets, BadSettings> {
        let (mut all, mut core, mut chosen) = (false, false, Vec::new());
        for text in given.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            let plain = text.to_lowercase().replace('_', "-");
            let known = TOOLSETS.iter().map(|set| set.name).find(|name| name.replace('_', "-") == plain);
            match (plain.as_str(), known) {
                ("all", _) => all = true,
                ("core", _) => core = true,
                (_, Some(name)) => chosen.push(name),
                _ => return Err(unknown(text)),
            }
        }
        let none = !core && chosen.is_empty();
        if all || (none && dialect.is_some()) {
            return Ok(Toolsets::All);
        }
        let names = TOOLSETS.iter().map(|set| set.name).filter(|name| chosen.contains(name)).collect();
        Ok(Toolsets::Some { core: core || none, names })
    }

    /// Is the tool in one of these toolsets?
    pub fn hold(&self, tool: &Tool) -> bool {
        match self {
            Toolsets::All => true,
            Toolsets::Some { core, names } => (*core && tool.core) || names.contains(&tool.toolset),
        }
    }

    /// Is it listed? What may not be called never is, and what was allowed by name always.
    pub fn list(&self, surface: &Surface, access: &Access) -> bool {
        access.check(surface).is_ok() && (self.hold(surface.tool) || access.lifted(surface))
    }
}

/// As the setting is written.
impl fmt::Display for Toolsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Toolsets::All => f.write_str("all"),
            Toolsets::Some { core, names } => {
                let core = core.then_some("core");
                f.write_str(&core.into_iter().chain(names.iter().copied()).collect::<Vec<_>>().join(","))
            }
        }
    }
}

fn unknown(text: &str) -> BadSettings {
    let names: Vec<&str> = ["core", "all"].into_iter().chain(TOOLSETS.iter().map(|set| set.name)).collect();
    let near = proxmox_spec::nearest(text, names.iter().copied()).map(|name| format!(" Did you mean `{name}`?"));
    let says = format!("give toolsets out of {}.{}", names.join(", "), near.unwrap_or_default());
    bad("PROXMOX_TOOLSETS", "--toolsets", text, says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, dialect: Option<&str>) -> String {
        let given: Vec<String> = text.split(',').map(str::to_owned).collect();
        Toolsets::of(&given, dialect).map_or_else(|bad| bad.to_string(), |toolsets| toolsets.to_string())
    }

    #[test]
    fn the_core_is_the_default_and_a_dialect_is_whole() {
        assert_eq!(of("", None), "core");
        assert_eq!(of("", Some("mcp-proxmox")), "all");
        assert_eq!(of("core", Some("mcp-proxmox")), "core");
    }

    #[test]
    fn toolsets_stand_in_the_catalogues_order_and_once() {
        assert_eq!(of("firewall, Core ,power,firewall", None), "core,power,firewall");
        assert_eq!(of("firewall", None), "firewall");
        assert_eq!(of("firewall,all", None), "all");
    }

    #[test]
    fn an_unknown_toolset_names_the_near_one() {
        let text = of("fierwall", None);
        assert!(text.starts_with("PROXMOX_TOOLSETS (--toolsets) is `fierwall`"), "{text}");
        assert!(text.contains("core, all, cluster") && text.ends_with("Did you mean `firewall`?"), "{text}");
    }
}
