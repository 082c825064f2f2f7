//! The plan gate: the one place that says how much a finished plan needs.
//!
//! Tier and effect are the maximum over the tool, the arguments that raise it, and what the facts say about the method
//! and every parameter of every request that would be sent. Knows no tool by name.

use crate::access::{Access, Needs, Permit, Refusal};
use crate::client::PreparedRequest;
use crate::plan::Raise;
use crate::tool::{Effect, Surface, Tier, Verb};
use proxmox_spec::Danger;

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
    for param in &request.params {
        let Some(fact) = route.method.param(&param.name) else { continue };
        for danger in fact.danger {
            if param.values.iter().any(|value| applies(danger, value)) {
                let argument = if param.argument.is_empty() { &*param.name } else { param.argument };
                need.raise(danger.tier, danger.effect, argument, danger.because);
            }
        }
    }
}

/// Does the danger concern this value, or one part of it if it is a list?
fn applies(danger: &Danger, value: &str) -> bool {
    let one = |text: &str| danger.values.iter().any(|pattern| matches(pattern, text));
    danger.values.is_empty()
        || one(value)
        || value.split([',', ';', ' ', '\t', '\n', '\0']).any(|part| one(part.trim()))
}

/// `scsi*` matches `scsi` and `scsi0`, not `scsihw`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.strip_prefix(prefix).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_digits_only() {
        assert!(matches("scsi*", "scsi0") && matches("scsi*", "scsi"));
        assert!(!matches("scsi*", "scsihw") && !matches("1", "10") && matches("1", "1"));
    }

    #[test]
    fn one_dangerous_part_of_a_list_is_enough() {
        static DANGER: Danger =
            Danger { values: &["unused*"], tier: Tier::Admin, effect: Effect::Destroys, because: "gone" };
        assert!(applies(&DANGER, "description,unused0"));
        assert!(applies(&DANGER, "unused1;tags"));
        assert!(!applies(&DANGER, "description"));
        static ANY: Danger = Danger { values: &[], tier: Tier::Admin, effect: Effect::None, because: "always" };
        assert!(applies(&ANY, ""));
    }
}
