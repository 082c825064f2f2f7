//! Facts about the Proxmox VE API as one static table, and the server's own checks of values.
//!
//! Knows what the API offers (methods, parameters, answers, privileges), how it words a refusal, and which calls are
//! more dangerous than they look. Knows nothing of tools, of MCP, or of how requests are sent.

mod asked;
pub mod check;
pub mod format;
mod lookup;
mod model;
mod near;
mod pattern;
mod privileges;
mod problem;
pub mod property;
mod stem;
mod table;
mod verdict;
pub mod words;

pub use asked::asked;
pub use lookup::{Route, always_secret, find, methods, on_path, route};
pub use model::*;
pub use near::nearest;
pub use privileges::Demand;
pub use problem::Problem;
pub use verdict::Verdict;
