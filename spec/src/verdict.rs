//! How much a method needs when no reviewed tool stands before it: the review's verdict, or else the safe side.
//!
//! Knows the danger list and the API's own permission check; must not know of tools. What single parameters add is
//! theirs, see [`crate::Param::danger`].

use crate::model::{Check, Danger, Effect, Method, Permissions, Tier, Verb};

/// What a call of a method needs at least, whatever its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub tier: Tier,
    pub effect: Effect,
    /// One sentence for a person.
    pub because: &'static str,
    /// A line of the danger list says so; otherwise it follows from the HTTP method and the privileges.
    pub reviewed: bool,
}

/// What the privileges end with that look and change nothing; the role PVEAuditor holds nothing else.
const AUDIT: &str = ".Audit";

impl Method {
    /// The verdict of `danger.json` if a line names this method. Otherwise a GET that audit privileges open is for
    /// everybody, and everything else is for administrators; a DELETE destroys, what is no GET changes.
    pub fn verdict(&self) -> Verdict {
        let safe = |tier, effect, because| Verdict { tier, effect, because, reviewed: false };
        match (self.danger, self.verb) {
            (Some(danger), _) => {
                Verdict { tier: danger.tier, effect: danger.effect, because: danger.because, reviewed: true }
            }
            (None, Verb::Get) if self.permissions.audit_is_enough() => safe(Tier::Read, Effect::None, "It only looks."),
            (None, Verb::Get) => {
                safe(Tier::Admin, Effect::None, "It looks at what the API shows to more than auditors only.")
            }
            (None, Verb::Delete) => safe(Tier::Admin, Effect::Destroys, "It deletes, and nobody reviewed what."),
            (None, Verb::Post | Verb::Put) => {
                safe(Tier::Admin, Effect::Changes, "It changes something, and nobody reviewed what.")
            }
        }
    }
}

impl Permissions {
    /// True if a user with audit privileges alone may call it.
    pub fn audit_is_enough(&self) -> bool {
        let in_code = self.privileges_in_code;
        !self.root_only
            && self.check.is_none_or(opens)
            // What the code looks at are privileges of which one is enough.
            && (in_code.is_empty() || in_code.iter().any(|privilege| privilege.ends_with(AUDIT)))
    }
}

fn opens(check: &Check) -> bool {
    match check {
        Check::And(all) => all.iter().all(opens),
        Check::Or(some) => some.iter().any(opens),
        Check::Perm { privileges, any: true, .. } => privileges.iter().any(|privilege| privilege.ends_with(AUDIT)),
        Check::Perm { privileges, any: false, .. } => privileges.iter().all(|privilege| privilege.ends_with(AUDIT)),
        Check::Other { .. } => false,
    }
}

impl Danger {
    /// True if leaving the parameter out is what the line warns of: the API's own default is the danger.
    pub fn applies_when_absent(&self) -> bool {
        self.values.contains(&"@absent")
    }
}
