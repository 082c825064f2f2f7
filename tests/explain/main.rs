//! When the API says no: what is told is the cause, and what to do about it works. On the embedded cluster.

#![cfg(feature = "sandbox")]

#[path = "../common/engine.rs"]
mod calls;
mod missing;
mod permissions;
mod states;

use calls::{call, fails, has, ok};
use proxmox_mcp::engine::{Engine, FailureKind};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

async fn sandbox() -> Sandbox {
    Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there")
}

/// An engine that may do everything, as far as this token (`user@realm!name=secret`) may.
fn engine(sandbox: &Sandbox, token: &str) -> Engine {
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), token, sandbox.certificate_fingerprint(), &flags);
    let settings = settings.expect("complete settings");
    Engine::new(Settings { tier: Tier::Admin, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings })
}

async fn start() -> (Sandbox, Engine) {
    let sandbox = sandbox().await;
    let engine = engine(&sandbox, sandbox.token());
    (sandbox, engine)
}

/// The text of a call that fails at once, or whose task does.
async fn refused(engine: &Engine, tool: &str, arguments: Value) -> String {
    match call(engine, tool, arguments).await {
        Ok(answer) if answer.failed => answer.text.unwrap_or_default(),
        Ok(answer) => panic!("{tool} answered {:?}", answer.content),
        Err(failure) => failure.to_string(),
    }
}
