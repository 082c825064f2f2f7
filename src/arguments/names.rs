//! Names of arguments and parameters in any spelling.
//!
//! Knows which spellings are the same name; must not know what the names stand for.

use crate::tool::Surface;

/// A name without what does not count: case, dashes, underscores and spaces. `forceStop`, `force-stop` and
/// `force_stop` are the same name.
pub(super) fn fold(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Whether both are the same name.
pub(crate) fn same(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

/// What a name in a call stands for.
pub(super) enum Meaning {
    /// The canonical name of an argument.
    Argument(&'static str),
    /// Accepted and not used: the note for the answer.
    Ignored(&'static str),
    Unknown,
}

/// Finds what a caller's spelling means on this surface. The exact spelling wins over a folded one, and the dialect's
/// own names win over the canonical ones: a dialect may use a canonical name for something else.
pub(super) fn meaning(surface: &Surface, spelled: &str) -> Meaning {
    find(surface, |name| name == spelled).unwrap_or_else(|| {
        let folded = fold(spelled);
        find(surface, |name| fold(name) == folded).unwrap_or(Meaning::Unknown)
    })
}

fn find(surface: &Surface, same: impl Fn(&str) -> bool) -> Option<Meaning> {
    if let Some((_, canonical)) = surface.rename.iter().find(|(dialect, _)| same(dialect)) {
        return Some(Meaning::Argument(canonical));
    }
    if let Some((_, note)) = surface.ignores.iter().find(|(name, _)| same(name)) {
        return Some(Meaning::Ignored(note));
    }
    let argument = surface.tool.arguments.iter().find(|argument| same(argument.name))?;
    Some(Meaning::Argument(argument.name))
}

/// What this surface calls an argument.
pub(super) fn shown(surface: &Surface, canonical: &'static str) -> &'static str {
    surface.rename.iter().find(|(_, name)| *name == canonical).map_or(canonical, |(dialect, _)| *dialect)
}

/// The names that a caller of this surface can use, in catalogue order; those that the surface fixes are left out.
pub(super) fn offered(surface: &Surface) -> impl Iterator<Item = (&'static str, bool)> {
    let tool = surface.tool;
    let (rename, preset, defaults) = (surface.rename, surface.preset, surface.defaults);
    tool.arguments.iter().filter(move |argument| !preset.iter().any(|(name, _)| *name == argument.name)).map(
        move |argument| {
            let name = rename.iter().find(|(_, name)| *name == argument.name).map_or(argument.name, |(name, _)| *name);
            let defaulted = defaults.iter().any(|(name, value)| *name == argument.name && *value != "null");
            (name, argument.required && !defaulted)
        },
    )
}
