//! Every way in, over real HTTPS: tokens, passwords with tickets and second factors, where secrets come from, several
//! endpoints of which some are dead, proxies, and certificates. Against the sandbox, a server that a test scripts, and the
//! simulator.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
#[path = "../common/keyring.rs"]
mod keyring;
#[path = "../common/terminal.rs"]
mod terminal;

#[path = "../common/world.rs"]
mod world;

#[path = "../common/engine.rs"]
mod calls;

#[path = "../scenarios/backend.rs"]
#[allow(dead_code)]
mod backend;

#[path = "../scenarios/script.rs"]
#[allow(dead_code)]
mod script;

#[path = "../wire/server.rs"]
#[allow(dead_code)]
mod server;

mod endpoints;
#[cfg(target_os = "linux")]
mod keyrings;
mod logins;
mod probes;
mod proxies;
mod secrets;
mod simulator;
mod told;
#[cfg(target_os = "linux")]
mod typed;
#[cfg(target_os = "linux")]
mod unreached;

use proxmox_mcp::engine::Engine;
use proxmox_mcp::engine::consent::Clock;
use proxmox_mcp::settings::{Flags, Settings};
use proxmox_sandbox::{Options, ROOT, Sandbox, USER};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

const PASSWORD: &str = "correct horse 7";
const SEED: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn options() -> Options {
    Options { task_time: 0.0, password: Some(PASSWORD.to_owned()), ..Options::default() }
}

async fn sandbox() -> Sandbox {
    Sandbox::start(options()).await.expect("loopback is there")
}

fn hex(fingerprint: &[u8]) -> String {
    fingerprint.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Flags for all addresses of this cluster.
fn flags(sandbox: &Sandbox) -> Flags {
    let endpoints = sandbox.endpoints();
    let hosts: Vec<String> = endpoints.iter().map(|one| one.address().to_string()).collect();
    let pins: Vec<String> = endpoints.iter().map(|one| hex(&one.certificate_fingerprint())).collect();
    Flags {
        host: Some(hosts.join(",")),
        fingerprint: Some(pins.join(",")),
        tier: Some("admin".to_owned()),
        retry_delay: Some("0".to_owned()),
        confirm: Some("off".to_owned()),
        ..Flags::default()
    }
}

fn engine(flags: &Flags, environment: &[(&str, &str)]) -> Engine {
    clocked(flags, environment, Clock::default())
}

fn clocked(flags: &Flags, environment: &[(&str, &str)], clock: Clock) -> Engine {
    let set = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Engine::with_clock(Settings::from(flags, &set).expect("complete"), clock)
}

/// Somebody who is logged in with a password.
fn with_password(sandbox: &Sandbox, user: &str) -> Engine {
    let flags = Flags { user: Some(user.to_owned()), ..flags(sandbox) };
    engine(&flags, &[("PROXMOX_PASSWORD", PASSWORD)])
}

fn with_token(sandbox: &Sandbox) -> Engine {
    let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
    let flags = Flags { token_name: Some(name.to_owned()), ..flags(sandbox) };
    engine(&flags, &[("PROXMOX_TOKEN_VALUE", secret)])
}

/// The variables that lead the built binary to this cluster as somebody with a password.
fn variables(sandbox: &Sandbox, user: &str) -> Vec<(&'static str, String)> {
    let flags = flags(sandbox);
    vec![
        ("PROXMOX_HOST", flags.host.unwrap_or_default()),
        ("PROXMOX_FINGERPRINT", flags.fingerprint.unwrap_or_default()),
        ("PROXMOX_USER", user.to_owned()),
        ("PROXMOX_RETRY_DELAY", "0".to_owned()),
    ]
}

/// `VERB path` of everything that arrived, without what stands behind `?`.
fn arrived(sandbox: &Sandbox) -> Vec<String> {
    let path = |target: &str| {
        let target = target.split('?').next().unwrap_or_default();
        target.strip_prefix("/api2/json").unwrap_or(target).to_owned()
    };
    sandbox.requests().iter().map(|seen| format!("{} {}", seen.verb, path(&seen.target))).collect()
}

fn logins(sandbox: &Sandbox) -> usize {
    arrived(sandbox).iter().filter(|line| *line == "POST /access/ticket").count()
}

/// A clock that a test turns, beginning at the real time.
fn turned() -> (Clock, Arc<AtomicU64>) {
    let ahead = Arc::new(AtomicU64::new(0));
    let by = ahead.clone();
    let now = move || {
        let real = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UNIX_EPOCH + real + Duration::from_secs(by.load(Ordering::SeqCst))
    };
    (Clock::new(now), ahead)
}
