//! The plan gate: the one place that says how much a finished plan needs.
//!
//! Tier and effect are the maximum over the tool, the arguments that raise it, and what the facts say about the method
//! and every parameter of every request that would be sent. Knows no tool by name.

use crate::access::{Access, Needs, Permit, Refusal};
use crate::client::PreparedRequest;
use crate::plan::Raise;
use crate::tool::{Effect, Surface, Tier, Verb};

/// How much a plan needs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub tier: Tier,
    pub effect: Effect,
    /// The argument that made the tier so high; empty = the tool itself.
    pub argument: String,
    pub because: String,
}

impl Need {
    fn raise(&mut self, tier: Tier, effect: Effect, argument: &str, because: &str) {
        if tier > self.tier {
            self.tier = tier;
            argument.clone_into(&mut self.argument);
            because.clone_into(&mut self.because);
        }
        self.effect = self.effect.max(effect);
    }
}

/// What a plan needs. `poll` is the path template that is read while waiting, empty if none.
pub fn need(surface: &Surface, raises: &[Raise], requests: &[&PreparedRequest], poll: &str) -> Need {
    let tool = surface.tool;
    let mut need = Need { tier: tool.tier, effect: tool.effect, argument: String::new(), because: String::new() };
    for raise in raises {
        need.raise(raise.tier, raise.effect, raise.argument, raise.because);
    }
    for request in requests {
        of_request(&mut need, request);
    }
    if let Some(danger) = proxmox_spec::find(Verb::Get, poll).and_then(|method| method.danger) {
        need.raise(danger.tier, danger.effect, "", danger.because);
    }
    need
}

/// The gate itself: leave to send the request, or why not.
///
/// # Errors
/// The plan needs more than the server or the lifted tool may.
pub fn pass(access: &Access, surface: &Surface, need: &Need, verb: Verb) -> Result<Permit, Refusal> {
    let needs = Needs { tier: need.tier, argument: &need.argument, because: &need.because };
    access.permit(surface, &needs, verb)
}

fn of_request(need: &mut Need, request: &PreparedRequest) {
    // By the server's own routing of the finished path, not by what the plan meant it to be.
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else {
        // A request that the facts do not know is nobody's to judge.
        need.raise(Tier::Admin, Effect::Destroys, "", "the facts about the API do not know this call");
        return;
    };
    if let Some(danger) = route.method.danger {
        need.raise(danger.tier, danger.effect, "", danger.because);
    }
    // The guest that the call is about: its own volumes are its own business.
    let in_path = route.params.iter().find(|(name, _)| *name == "vmid").map(|(_, value)| value.as_str());
    let vmid = in_path.or_else(|| request.value("vmid"));
    for fact in route.method.params {
        for danger in fact.danger.iter().filter(|danger| danger.applies_when_absent()) {
            if request.value(fact.name).is_none() {
                need.raise(danger.tier, danger.effect, fact.name, danger.because);
            }
        }
    }
    for param in &request.params {
        let Some(fact) = route.method.param(&param.name) else { continue };
        for danger in fact.danger {
            if param.values.iter().any(|value| danger.applies(value, vmid)) {
                let argument = if param.argument.is_empty() { &*param.name } else { param.argument };
                need.raise(danger.tier, danger.effect, argument, danger.because);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request needs, by its verb, path and one parameter.
    fn needs(verb: Verb, path: &str, name: &'static str, value: &str) -> Tier {
        let mut need = Need { tier: Tier::Read, effect: Effect::None, argument: String::new(), because: String::new() };
        of_request(&mut need, &PreparedRequest::plain(verb, path).with(name, value));
        need.tier
    }

    #[test]
    fn parameters_raise_the_tier_by_their_value() {
        let config = |name, value| needs(Verb::Put, "/nodes/pve1/qemu/100/config", name, value);
        assert_eq!(config("delete", "description,unused0"), Tier::Admin);
        // Whatever white space the server splits at.
        assert_eq!(config("delete", "description\u{c}unused0"), Tier::Admin);
        assert_eq!(config("delete", "description"), Tier::Configure);
        assert_eq!(config("usb0", "mapping=stick"), Tier::Admin);
        assert_eq!(config("usb0", "spice"), Tier::Configure);
        assert_eq!(config("serial0", "/dev/ttyS0"), Tier::Admin);
        assert_eq!(config("serial0", "socket"), Tier::Configure);
        assert_eq!(config("scsi1", "local-lvm:vm-101-disk-0"), Tier::Admin);
        assert_eq!(config("scsi1", "local-lvm:vm-100-disk-1"), Tier::Configure);
        assert_eq!(config("scsi1", "local-lvm:32"), Tier::Configure);
    }

    #[test]
    fn a_parameter_that_is_left_out_counts_where_the_default_is_the_danger() {
        let backup = |name, value| needs(Verb::Post, "/nodes/pve1/vzdump", name, value);
        assert_eq!(backup("vmid", "100"), Tier::Admin);
        assert_eq!(backup("remove", "1"), Tier::Admin);
        assert_eq!(backup("remove", "0"), Tier::Operate);
    }
}
