//! What is delivered beside the program: completions, manual pages, the bundle, the registry's entry, the unit.

#[path = "../common/mod.rs"]
mod common;

mod bundle;
mod completions;
mod man;
mod registry;
mod service;
