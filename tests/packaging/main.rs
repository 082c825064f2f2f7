//! What is delivered beside the program: completions and manual pages.

#[path = "../common/mod.rs"]
mod common;
mod completions;
mod man;
