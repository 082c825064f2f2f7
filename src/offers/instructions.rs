//! What a model is told once, at the start: which server this is, how far it may go, how to read its answers.
//!
//! The sentences are the catalogue's. A sentence about a tool that is not listed here is not said.

use super::{Holds, Instruction, Offer, Word};
use crate::catalogue;
use crate::settings::{Confirm, Settings};
use crate::tool::{Effect, Tier};

/// The instructions of a server that was started with these settings; below 300 tokens.
pub fn instructions(settings: &Settings) -> String {
    let access = settings.access();
    let offer = Offer { settings, access: &access };
    let mut text = String::new();
    for one in catalogue::INSTRUCTIONS.iter().filter(|one| offer.says(one)) {
        if !text.is_empty() {
            text.push(' ');
        }
        for word in one.say {
            match word {
                Word::Text(words) => text.push_str(words),
                Word::Given("tier") => text.push_str(settings.tier.as_str()),
                Word::Given(_) => text.push_str(settings.dialect.unwrap_or("proxmox-mcp")),
                Word::Tool(tool) => text.push_str(offer.names(tool).next().map_or(tool, |surface| surface.name)),
            }
        }
    }
    text
}

impl Offer<'_> {
    fn says(self, one: &Instruction) -> bool {
        let named = |word: &Word| match word {
            Word::Tool(tool) => self.listed(tool),
            _ => true,
        };
        one.when.iter().all(|condition| self.holds(*condition)) && one.say.iter().all(named)
    }

    fn holds(self, condition: Holds) -> bool {
        let settings = self.settings;
        match condition {
            Holds::Sandbox => settings.sandbox,
            Holds::Real => !settings.sandbox,
            Holds::Changes => self.changes(),
            Holds::Looks => !self.changes(),
            Holds::Dialect => settings.dialect.is_some(),
            Holds::Read => settings.tier == Tier::Read,
            Holds::Operate => settings.tier == Tier::Operate,
            Holds::Configure => settings.tier == Tier::Configure,
            Holds::Admin => settings.tier == Tier::Admin,
            Holds::Ask => settings.confirm == Confirm::Ask,
            Holds::Seal => settings.confirm == Confirm::Seal,
            Holds::ElicitOnly => settings.confirm == Confirm::ElicitOnly,
            Holds::Off => settings.confirm == Confirm::Off,
            Holds::CancelStopsTasks => settings.cancel_stops_tasks,
        }
    }

    /// Is there anything that may be changed? What looks only may raise itself by an argument, but not above the tier.
    fn changes(self) -> bool {
        let changes =
            |surface: &crate::tool::Surface| surface.tool.tier > Tier::Read && surface.tool.most > Effect::None;
        catalogue::SURFACES.iter().any(|surface| changes(surface) && self.access.check(surface).is_ok())
    }
}
