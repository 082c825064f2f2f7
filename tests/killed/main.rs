//! What is on the disk after a process was killed in the middle: whole, at whatever point it was killed.
//!
//! The points are conditions, not times: so many lines of a log, a file that has just appeared. A kill is SIGKILL.

#![cfg(all(feature = "sandbox", target_os = "linux"))]

#[path = "../common/mod.rs"]
mod common;

mod approvals;
mod audit;
#[allow(dead_code)]
#[path = "../http/served.rs"]
mod served;
mod setup;
mod tokens;
#[path = "../common/world.rs"]
mod world;

use std::path::Path;
use std::time::Instant;

/// Waits until this holds, and no longer than anything can take.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < common::PATIENCE, "this never happens: {what}");
        std::thread::yield_now();
    }
}

fn variables(world: &world::World) -> Vec<(String, String)> {
    let (name, secret) = world.sandbox.token().split_once('=').expect("a secret");
    let pin: String = world.sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let variables = [
        ("PROXMOX_HOST", world.sandbox.address().to_string()),
        ("PROXMOX_TOKEN_NAME", name.to_owned()),
        ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
        ("PROXMOX_FINGERPRINT", pin),
        ("PROXMOX_TIER", "admin".to_owned()),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn pairs(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("plain")
}

/// What is in the folder: names and lengths.
fn entries(folder: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder).expect("the folder").filter_map(Result::ok);
    let mut entries: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.metadata().map_or(0, |file| file.len())))
        .collect();
    entries.sort();
    entries
}
