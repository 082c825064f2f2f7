//! The catalogue: every tool, name, toolset, dialect, hint and waiter, as the tables that the build made of `tools.yaml`.

use crate::tool::Surface;

mod generated {
    #![allow(clippy::all, clippy::pedantic)]

    use crate::arguments::{
        ArchiveRef, BadArguments, Fields, FileSource, GuestRef, RestPairs, Segment, Size, Upid, Volid,
    };
    use crate::plan::PathPart::{Literal, Node, Vmid};
    use crate::plan::{Also, Ask, Guard, Locate, Open, PathPart, Plan, Request};
    use crate::tool::*;

    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

pub use generated::{DIALECTS, HINTS, SURFACES, TOOLS, TOOLSETS, UNITS, WAIT_TASK};

/// The surface of a name; a canonical name wins over a dialect's of the same spelling.
pub fn surface(name: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name)
}

/// The surface of a name on a server that lists this dialect: its own spelling of a shared name wins, so that answers
/// speak of arguments as they were listed. Every other name stays callable.
pub fn surface_in(dialect: Option<&str>, name: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name && surface.dialect == dialect).or_else(|| surface(name))
}
