//! `setup`, `doctor` and `--hide-forbidden`: the built binary against a cluster in another process, with a certificate
//! that nobody knows; and the roles that setup makes, against the cluster's own permission checks.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/engine.rs"]
mod engine;
#[path = "../common/keyring.rs"]
mod keyring;
#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/world.rs"]
mod world;

mod again;
mod by_flags;
mod cluster;
mod doctor;
mod hidden;
#[cfg(target_os = "linux")]
mod keyrings;
mod roles;
#[cfg(unix)]
mod typed;
