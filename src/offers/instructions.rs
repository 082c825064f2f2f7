//! What a model is told once, at the start: which server this is, how far it may go, how to read its answers.
//!
//! The sentences are the catalogue's. A sentence about a tool that is not listed here is not said.

use super::{Holds, Instruction, Offer, Word};
use crate::catalogue;
use crate::clusters::Clusters;
use crate::engine::clean;
use crate::settings::{Confirm, Settings};
use crate::tool::{Effect, Tier};

/// Clusters that are described, at most; the others are counted.
const DESCRIBED: usize = 8;
/// What is said of one cluster, in characters.
const LONGEST: usize = 160;

/// The instructions of a server over one cluster with these settings; below 300 tokens.
pub fn instructions(settings: &Settings) -> String {
    let access = settings.access();
    written(&[Offer { settings, access: &access, cluster: None }], None)
}

/// The instructions of a server over these clusters.
pub fn instructions_of(clusters: &Clusters) -> String {
    let several = clusters.several_to_choose();
    let offers: Vec<Offer<'_>> = clusters.all().map(|engine| Offer::on(engine, several)).collect();
    written(&offers, clusters.default())
}

/// What is said of all of them: a sentence about a tier only where they have it in common.
fn written(offers: &[Offer<'_>], default: Option<&str>) -> String {
    let mut text = String::new();
    for one in catalogue::INSTRUCTIONS.iter().filter(|one| says(offers, one)) {
        if !text.is_empty() {
            text.push(' ');
        }
        for word in one.say {
            match word {
                Word::Text(words) => text.push_str(words),
                Word::Given("clusters") => text.push_str(&described(offers, default)),
                Word::Given("tier") => text.push_str(offers.first().map_or("", |offer| offer.settings.tier.as_str())),
                Word::Given(_) => {
                    text.push_str(offers.first().and_then(|offer| offer.settings.dialect).unwrap_or("proxmox-mcp"));
                }
                Word::Tool(tool) => {
                    let named = offers.first().and_then(|offer| offer.names(tool).next());
                    text.push_str(named.map_or(tool, |surface| surface.name));
                }
            }
        }
    }
    text
}

/// The clusters by name: what each is, and what may be done there.
fn described(offers: &[Offer<'_>], default: Option<&str>) -> String {
    let one = |offer: &Offer<'_>| {
        let settings = offer.settings;
        let usual = default.is_some_and(|name| name == settings.name).then(|| "the default".to_owned());
        let fences = Some(settings.fences_shown()).filter(|fences| !fences.is_empty());
        let parts = [usual, settings.description.clone(), Some(format!("tier {}", settings.tier)), fences];
        let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{} ({})", settings.name, clean::line(&parts, LONGEST))
    };
    let mut all: Vec<String> = offers.iter().take(DESCRIBED).map(one).collect();
    let rest: Vec<&str> = offers.iter().skip(DESCRIBED).map(|offer| offer.settings.name.as_str()).collect();
    match rest.len() {
        0 => {}
        count @ 1..=DESCRIBED => all.push(format!("and {count} more: {}", rest.join(", "))),
        count => all.push(format!("and {count} more, which the argument lists")),
    }
    all.join(", ")
}

fn says(offers: &[Offer<'_>], one: &Instruction) -> bool {
    let named = |word: &Word| match word {
        Word::Tool(tool) => offers.iter().any(|offer| offer.listed(tool)),
        _ => true,
    };
    let holds = |condition: &Holds| match condition {
        Holds::Several => offers.len() > 1,
        Holds::Changes => offers.iter().any(|offer| offer.changes()),
        other => offers.iter().all(|offer| offer.holds(*other)),
    };
    one.when.iter().all(holds) && one.say.iter().all(named)
}

impl Offer<'_> {
    fn holds(self, condition: Holds) -> bool {
        let settings = self.settings;
        match condition {
            Holds::Sandbox => settings.sandbox,
            Holds::Real => !settings.sandbox,
            Holds::Several => self.cluster.is_some(),
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
