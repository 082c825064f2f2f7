//! The generated catalogue: every tool, surface, toolset, dialect, hint and waiter, as static tables.

use crate::tool::{Dialect, Hint, Surface, Tool, Toolset};

pub static TOOLS: &[Tool] = &[];
pub static SURFACES: &[Surface] = &[];
pub static TOOLSETS: &[Toolset] = &[];
pub static DIALECTS: &[Dialect] = &[];
pub static HINTS: &[Hint] = &[];
