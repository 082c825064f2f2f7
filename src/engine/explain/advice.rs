//! The catalogue's hints: which of them concern an error.
//!
//! Knows hints as data. What is computed for one call is elsewhere.

use crate::catalogue;
use crate::tool::{Hint, Surface};

/// The advice of the tool and of the catalogue for this error: the closest that fits of each, so that "guest agent is
/// not running" is not taken for "not running".
pub fn advice(surface: &Surface, status: Option<u16>, message: &str) -> Vec<String> {
    let closest = |hints: &'static [Hint]| {
        let fitting = hints.iter().filter(|hint| fits(hint, status, message));
        fitting.reduce(|best, hint| if hint.has.len() > best.has.len() { hint } else { best })
    };
    let (own, common) = (closest(surface.tool.hints), closest(catalogue::HINTS));
    let mut says: Vec<String> =
        own.into_iter().chain(common).map(|hint| catalogue::in_words_of(surface, hint.say)).collect();
    says.dedup();
    says
}

/// Does a hint concern this error? A hint without a status also fits the end of a task.
pub fn fits(hint: &Hint, status: Option<u16>, message: &str) -> bool {
    hint.status.is_none_or(|wanted| status == Some(wanted)) && message.to_lowercase().contains(&hint.has.to_lowercase())
}
