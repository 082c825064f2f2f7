//! The audit log: what is written before and after a change, what is kept out of it, and what `verify` finds.

#![cfg(feature = "sandbox")]

#[path = "../common/engine.rs"]
mod calls;
mod lines;
mod tampered;

use proxmox_mcp::engine::Engine;
use proxmox_mcp::settings::{AuditTo, Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

async fn cluster() -> Sandbox {
    Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there")
}

fn engine(sandbox: &Sandbox, tier: Tier, log: &Path) -> Engine {
    let settings =
        Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
            .expect("complete settings");
    let audit = Some(AuditTo::File(log.to_owned()));
    Engine::new(Settings { tier, audit, confirm: Confirm::Off, retry_delay: Duration::ZERO, ..settings })
}

fn text(log: &Path) -> String {
    std::fs::read_to_string(log).expect("the log is there")
}

fn lines(log: &Path) -> Vec<Value> {
    text(log).lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn kinds(log: &Path) -> Vec<String> {
    lines(log).iter().map(|line| line["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

trait OrFailed<T> {
    /// Whether it failed, or what came says so.
    fn is_err_or(&self, failed: impl Fn(&T) -> bool) -> bool;
}

impl<T, E> OrFailed<T> for Result<T, E> {
    fn is_err_or(&self, failed: impl Fn(&T) -> bool) -> bool {
        self.as_ref().map_or(true, failed)
    }
}
