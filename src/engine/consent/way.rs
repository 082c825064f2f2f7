//! Which way a call is confirmed: a table of the operator's mode, the effect, what is protected, and who can be reached.
//!
//! Pure.

use crate::settings::Confirm;
use crate::tool::Effect;

/// By which way a call is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    NotNeeded,
    SwitchedOff,
    Ask,
    Seal,
    Approve,
    Refuse,
}

/// The way for a call, by the operator's mode, what the call does, and whether a person can be reached through the caller.
pub fn way(mode: Confirm, effect: Effect, guarded: bool, reachable: bool) -> Way {
    if effect < Effect::Interrupts {
        return Way::NotNeeded;
    }
    match mode {
        Confirm::Off if !guarded => Way::SwitchedOff,
        _ if reachable => Way::Ask,
        Confirm::ElicitOnly => Way::Refuse,
        Confirm::Seal => Way::Seal,
        // What is protected is asked about even when nothing else is.
        Confirm::Ask | Confirm::Off if effect == Effect::Interrupts => Way::Seal,
        Confirm::Ask | Confirm::Off => Way::Approve,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_little_is_never_asked() {
        for mode in Confirm::ALL {
            for effect in [Effect::None, Effect::Changes] {
                assert_eq!(way(mode, effect, true, true), Way::NotNeeded);
            }
        }
    }

    #[test]
    fn every_mode_has_its_way() {
        let both = |mode, guarded, reachable| {
            [Effect::Interrupts, Effect::Destroys].map(|effect| way(mode, effect, guarded, reachable))
        };
        for mode in [Confirm::Ask, Confirm::Seal, Confirm::ElicitOnly] {
            for guarded in [false, true] {
                assert_eq!(both(mode, guarded, true), [Way::Ask, Way::Ask]);
            }
        }
        assert_eq!(both(Confirm::Ask, false, false), [Way::Seal, Way::Approve]);
        assert_eq!(both(Confirm::Seal, false, false), [Way::Seal, Way::Seal]);
        assert_eq!(both(Confirm::ElicitOnly, false, false), [Way::Refuse, Way::Refuse]);
        assert_eq!(both(Confirm::Off, false, false), [Way::SwitchedOff, Way::SwitchedOff]);
        assert_eq!(both(Confirm::Off, false, true), [Way::SwitchedOff, Way::SwitchedOff]);
        // A protected guest is asked about as in `ask`, whatever the mode.
        assert_eq!(both(Confirm::Off, true, true), [Way::Ask, Way::Ask]);
        assert_eq!(both(Confirm::Off, true, false), [Way::Seal, Way::Approve]);
    }
}
