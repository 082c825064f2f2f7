//! What a person wants to know before and after a cluster is set up: which privileges the tools on offer need, whether
//! somebody has them, and whether the connection and the cluster are in order.
//!
//! Knows the facts, the catalogue's tables and the API's answers. Sends nothing but GETs; knows nothing of terminals.

mod asks;
mod cluster;
mod endpoints;
pub mod finding;
pub mod grants;
mod held;
pub mod needs;
pub mod report;
pub mod verdict;

pub use held::{Held, Places};
