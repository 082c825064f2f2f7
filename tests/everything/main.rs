//! Everything that can be called at all: each of the 680 methods through the call of the API, and each tool, held to the
//! three promises: nothing leaves above its tier, nothing leaves through a fence, and every change is written down.
//! What is secret stays out of everything that is said.

#![cfg(feature = "sandbox")]

mod calls;
#[path = "../sweep/facts.rs"]
#[allow(dead_code)]
mod facts;
#[path = "../sweep/formats.rs"]
#[allow(dead_code)]
mod formats;
#[path = "../sweep/patterns.rs"]
#[allow(dead_code)]
mod patterns;
mod secrets;
#[path = "../wire/server.rs"]
#[allow(dead_code)]
mod server;
mod tiers;
mod tools;

use proxmox_mcp::engine::Engine;
use proxmox_mcp::settings::{AuditTo, Flags, Settings};
use serde_json::Value;
use server::{Say, Seen, Server};
use std::path::Path;

const TOKEN: &str = "12345678-1234-1234-1234-123456789abc";
const UPID: &str = "UPID:pve1:000003E8:00001B58:6B011FBD:qmstart:100:root@pam!mcp:";

/// Settings for a server, at a tier, with an audit log.
fn flags(server: &Server, tier: &str, log: &Path) -> Flags {
    let some = |text: &str| Some(text.to_owned());
    Flags {
        host: Some(server.address.to_string()),
        token_name: some("root@pam!mcp"),
        fingerprint: Some(server.fingerprint()),
        tier: some(tier),
        retry_attempts: some("1"),
        retry_delay: some("0"),
        confirm: some("off"),
        audit: Some(log.display().to_string()),
        ..Flags::default()
    }
}

fn engine(flags: &Flags) -> Engine {
    let settings = Settings::from(flags, &|name| (name == "PROXMOX_TOKEN_VALUE").then(|| TOKEN.to_owned()));
    Engine::new(Settings { state_dir: None, ..settings.expect("complete settings") })
}

/// The lines of an audit log after its first one, and whether it holds.
fn logged(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    if !text.is_empty() {
        let report = proxmox_mcp::audit::verify(text.as_bytes()).expect("readable");
        let report = report.unwrap_or_else(|broken| panic!("{broken:?}"));
        assert!(report.open.is_empty(), "no outcome: {:?}", report.open);
    }
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter(|line| line["kind"] != "start").collect()
}

fn count(lines: &[Value], kind: &str) -> usize {
    lines.iter().filter(|line| line["kind"] == kind).count()
}

/// The setting is read here, so that nobody forgets it: every engine of these tests writes a log.
#[test]
fn these_engines_write_a_log() {
    let server = Server::start(|_: &Seen| Say::Close);
    let log = Path::new("/x/audit.jsonl");
    let engine = engine(&flags(&server, "read", log));
    assert_eq!(engine.settings().audit, Some(AuditTo::File(log.to_owned())));
}
