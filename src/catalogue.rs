//! The catalogue: every tool, name, toolset, dialect, hint and waiter, as the tables that the build made of `tools.yaml`.

use crate::tool::Surface;

mod generated {
    #![allow(clippy::all, clippy::pedantic)]

    use crate::arguments::{
        ArchiveRef, BadArguments, Fields, FileSource, GuestRef, RestPairs, Segment, Size, Upid, Volid,
    };
    use crate::offers::{Completion, Given, Holds, Instruction, Place, Prompt, PromptArgument, Resource, Step, Word};
    use crate::plan::PathPart::{Literal, Node, Vmid};
    use crate::plan::{Also, Ask, Guard, Locate, Open, PathPart, Plan, Request};
    use crate::tool::*;

    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

pub use generated::{COMPLETIONS, INSTRUCTIONS, PROMPTS, RESOURCES};
pub use generated::{DIALECTS, HINTS, SURFACES, TOOLS, TOOLSETS, UNITS, WAIT_TASK};

/// The surface of a name; a canonical name wins over a dialect's of the same spelling.
pub fn surface(name: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name)
}

/// A text of the catalogue (a hint, a reason), in which tools go by the names that this surface's dialect lists: those
/// with the same fixed values first. A tool that the dialect has no name for keeps its own, which is callable there.
pub fn in_words_of(surface: &Surface, text: &str) -> String {
    if surface.dialect.is_none() {
        return text.to_owned();
    }
    let theirs = |word: &str| {
        let known = || SURFACES.iter().filter(|one| one.dialect == surface.dialect && one.tool.name == word);
        let same = known().find(|one| one.preset == surface.preset);
        same.or_else(|| known().next()).map(|one| one.name)
    };
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(part_of_word) {
        let (between, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|letter| !part_of_word(letter)).unwrap_or(from.len()));
        out.push_str(between);
        out.push_str(theirs(word).unwrap_or(word));
        rest = after;
    }
    out + rest
}

/// The surface of a name on a server that lists this dialect: its own spelling of a shared name wins, so that answers
/// speak of arguments as they were listed. Every other name stays callable.
pub fn surface_in(dialect: Option<&str>, name: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name && surface.dialect == dialect).or_else(|| surface(name))
}
