//! Whether a tool can be used with what somebody holds, and what is missing if not.
//!
//! Pure. Knows needs and holdings, and no tool by name.

use super::held::{Held, Places};
use super::needs::{self, Closed, Need, RouteNeeds, Weight};
use crate::tool::Tool;
use proxmox_spec::Demand;

/// What can be done with a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing: every call would be refused.
    Never,
    /// On some paths, for one kind of guest, or with gaps in its answers.
    InPart,
    /// Everything that the tool is for.
    Usable,
    /// Which requests it sends is known only when it is called.
    ByCall,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Never => "never",
            State::InPart => "in part",
            State::Usable => "usable",
            State::ByCall => "depends on the call",
        }
    }
}

/// A demand that is not met, or not on every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub demand: Demand,
    pub weight: Weight,
    pub places: Places,
}

/// What can be said of one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub tool: &'static str,
    pub state: State,
    /// What is missing, the weightiest first, each once.
    pub gaps: Vec<Gap>,
    /// Some call of it is refused to everybody like us, whatever is granted.
    pub closed: Option<Closed>,
}

/// What somebody with these holdings can do with the tool.
pub fn of(tool: &'static Tool, held: &Held) -> Verdict {
    let routes = needs::of(tool);
    if routes.is_empty() {
        return Verdict { tool: tool.name, state: State::ByCall, gaps: Vec::new(), closed: None };
    }
    let closed = routes.iter().find_map(|route| shut(route, held));
    let mut gaps: Vec<Gap> = Vec::new();
    for need in routes.iter().flat_map(|route| &route.needs).filter(|need| need.weight != Weight::Rare) {
        for gap in self::gaps(need, held) {
            if !gaps.iter().any(|known| known.demand == gap.demand && known.weight <= gap.weight) {
                gaps.push(gap);
            }
        }
    }
    gaps.sort_by_key(|gap| (gap.weight, gap.places.clone()));
    let could = routes.iter().any(|route| could(route, held));
    let state = match (could, gaps.is_empty() && closed.is_none()) {
        (false, _) => State::Never,
        (true, false) => State::InPart,
        (true, true) => State::Usable,
    };
    Verdict { tool: tool.name, state, gaps, closed }
}

/// Is there no call of this tool that would not be refused? Whatever is in doubt could work.
pub fn never(tool: &Tool, held: &Held) -> bool {
    let routes = needs::of(tool);
    !routes.is_empty() && !routes.iter().any(|route| could(route, held))
}

/// Could some call by this route be allowed?
fn could(route: &RouteNeeds, held: &Held) -> bool {
    let met = |need: &Need| need.ways.iter().any(|way| held.places_of(way) != Places::Nowhere);
    shut(route, held).is_none() && route.needs.iter().filter(|need| need.weight == Weight::Must).all(met)
}

fn shut(route: &RouteNeeds, held: &Held) -> Option<Closed> {
    match route.closed? {
        Closed::ButRoot if !held.is_root() => Some(Closed::ButRoot),
        Closed::ToTokens if !held.is_user() => Some(Closed::ToTokens),
        _ => None,
    }
}

/// What is missing for a need by the way that lacks least.
fn gaps(need: &Need, held: &Held) -> Vec<Gap> {
    let of_way = |way: &Vec<Demand>| -> Vec<Gap> {
        let gap = |demand: &Demand| {
            let places = held.places(demand);
            // What is left out below is granted on purpose where something is named.
            (!matches!(places, Places::Everywhere)).then(|| Gap {
                demand: lacking(demand, held),
                weight: need.weight,
                places,
            })
        };
        way.iter().filter_map(gap).collect()
    };
    let least = |gaps: &Vec<Gap>| {
        let worst = gaps.iter().map(|gap| gap.places.clone()).min().unwrap_or(Places::Everywhere);
        (std::cmp::Reverse(rank(&worst)), gaps.len())
    };
    need.ways.iter().map(of_way).min_by_key(least).unwrap_or_default()
}

fn rank(places: &Places) -> u8 {
    match places {
        Places::Nowhere => 0,
        Places::Only(_) => 1,
        Places::But(_) => 2,
        Places::Everywhere => 3,
    }
}

/// Of several privileges that are all needed, those that are not there.
fn lacking(demand: &Demand, held: &Held) -> Demand {
    if demand.any {
        return demand.clone();
    }
    let alone = |name: &String| Demand { privileges: vec![name.clone()], ..demand.clone() };
    let missing = demand.privileges.iter().filter(|name| held.places(&alone(name)) != Places::Everywhere);
    Demand { privileges: missing.cloned().collect(), ..demand.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use serde_json::{Value, json};

    fn verdict(tool: &str, answer: &Value) -> Verdict {
        let held = Held::read(answer, "mcp@pve!t").expect("its form");
        of(catalogue::surface(tool).expect("a tool").tool, &held)
    }

    #[test]
    fn a_tool_is_usable_in_part_or_never() {
        let all = json!({"/": {"VM.Audit": 1, "VM.PowerMgmt": 1}, "/vms": {"VM.Audit": 1, "VM.PowerMgmt": 1}});
        assert_eq!(verdict("start_guest", &all).state, State::Usable);
        let some = json!({"/vms/100": {"VM.Audit": 1, "VM.PowerMgmt": 1}});
        let found = verdict("start_guest", &some);
        assert_eq!(found.state, State::InPart);
        assert_eq!(found.gaps[0].places, Places::Only(vec!["/vms/100".to_owned()]));
        let none = verdict("start_guest", &json!({"/vms": {"VM.Audit": 1}}));
        assert_eq!(
            (none.state, none.gaps[0].demand.privileges.as_slice()),
            (State::Never, ["VM.PowerMgmt".to_owned()].as_slice())
        );
        assert_eq!(verdict("get_version", &json!({})).state, State::Usable);
        assert_eq!(verdict("list_guests", &json!({})).state, State::InPart, "it is allowed, and shows nothing");
    }

    #[test]
    fn one_way_of_several_is_enough() {
        let by_pool = json!({"/pool/lab": {"VM.Allocate": 1}, "/vms/100": {"VM.Clone": 1}});
        assert_eq!(verdict("clone_guest", &by_pool).state, State::InPart);
        assert_eq!(verdict("clone_guest", &json!({"/vms/100": {"VM.Clone": 1}})).state, State::Never);
        let space = json!({"/storage": {"Datastore.AllocateSpace": 1}});
        assert_eq!(verdict("get_storage_content", &space).state, State::Usable);
    }
}
