//! What servers for Proxmox VE are known to get wrong, and what this one does instead: one test per mistake, shown by
//! the requests that the embedded cluster received.

#![cfg(feature = "sandbox")]

mod backups;
#[path = "../common/engine.rs"]
mod calls;
mod conduct;
mod guests;

use calls::{call, fails, has, ok};
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Engine, FailureKind};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Received, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

async fn start(tier: Tier) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags)
        .expect("complete settings");
    (sandbox, Engine::new(Settings { tier, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings }))
}

/// What was sent beside GET.
fn writes(sandbox: &Sandbox) -> Vec<Received> {
    sandbox.requests().into_iter().filter(|request| request.verb != "GET").collect()
}

#[track_caller]
fn nothing_written(sandbox: &Sandbox) {
    assert!(writes(sandbox).is_empty(), "{:?}", writes(sandbox));
}

/// The last write: `VERB /path`, and its parameters.
#[track_caller]
fn last_write(sandbox: &Sandbox) -> (String, Received) {
    let request = writes(sandbox).pop().expect("a write");
    let target = request.target.strip_prefix("/api2/json").unwrap_or(&request.target);
    (format!("{} {}", request.verb, target.split('?').next().unwrap_or_default()), request)
}

fn parameter<'a>(request: &'a Received, name: &str) -> Option<&'a str> {
    request.params.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
}

const VM_BACKUP: &str = "vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
