//! What the sandbox prints when it has started: how to connect.
//!
//! Knows the names of settings. It all belongs to a make-believe cluster, so that nothing of it is worth hiding.

use super::Serve;
use proxmox_sandbox::{ROOT, Sandbox, USER};
use serde_json::json;
use std::fmt::Write;
use std::net::SocketAddr;

/// The settings as lines that a file `.env` can hold.
pub(super) fn environment(sandbox: &Sandbox, serve: &Serve) -> String {
    let (id, secret) = sandbox.token().split_once('=').unwrap_or((sandbox.token(), ""));
    let (user, name) = id.split_once('!').unwrap_or((id, ""));
    let mut lines = format!("# A make-believe Proxmox VE cluster at {}\n", url(sandbox));
    let _ = writeln!(lines, "# The users {USER} and {ROOT} have the password {}", sandbox.password());
    if let Some(seed) = &serve.totp_seed {
        let _ = writeln!(lines, "# A login of {USER} takes a code from an app with the seed {seed}");
    }
    if !serve.recovery_code.is_empty() {
        let _ = writeln!(lines, "# Codes on paper of {USER}, each good once: {}", serve.recovery_code.join(" "));
    }
    let _ = writeln!(lines, "# A token that may look and nothing else: {}", sandbox.auditor_token());
    if serve.control {
        let _ = writeln!(lines, "# Faults and the record of requests: {}/sandbox", url(sandbox));
    }
    // Several addresses tell their own ports.
    let port = (sandbox.endpoints().len() == 1).then(|| ("PROXMOX_PORT", sandbox.address().port().to_string()));
    let settings = [
        ("PROXMOX_USER", user.to_owned()),
        ("PROXMOX_TOKEN_NAME", name.to_owned()),
        ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
        ("PROXMOX_FINGERPRINT", fingerprints(sandbox)),
    ];
    for (name, value) in [("PROXMOX_HOST", hosts(sandbox))].into_iter().chain(port).chain(settings) {
        let _ = writeln!(lines, "{name}={value}");
    }
    lines
}

/// The same for programs.
pub(super) fn as_json(sandbox: &Sandbox, serve: &Serve) -> serde_json::Value {
    let endpoints = sandbox.endpoints().into_iter().map(|endpoint| {
        json!({
            "url": format!("https://{}", endpoint.address()),
            "fingerprint": fingerprint(endpoint.certificate_fingerprint()),
            "certificate": endpoint.certificate_pem(),
        })
    });
    json!({
        "url": url(sandbox),
        "host": host(sandbox),
        "port": sandbox.address().port(),
        "token": sandbox.token(),
        "auditor_token": sandbox.auditor_token(),
        "fingerprint": fingerprint(sandbox.certificate_fingerprint()),
        "certificate": sandbox.certificate_pem(),
        "username": USER,
        "password": sandbox.password(),
        "root": ROOT,
        "totp_seed": serve.totp_seed,
        "recovery_codes": serve.recovery_code,
        "endpoints": endpoints.collect::<serde_json::Value>(),
        "control": serve.control.then(|| format!("{}/sandbox", url(sandbox))),
    })
}

/// Every address, with its port where there are several.
fn hosts(sandbox: &Sandbox) -> String {
    let endpoints = sandbox.endpoints();
    match endpoints.as_slice() {
        [_] => host(sandbox),
        several => several.iter().map(|endpoint| endpoint.address().to_string()).collect::<Vec<_>>().join(","),
    }
}

/// Of every certificate, each once.
fn fingerprints(sandbox: &Sandbox) -> String {
    let mut all: Vec<String> =
        sandbox.endpoints().iter().map(|endpoint| fingerprint(endpoint.certificate_fingerprint())).collect();
    all.dedup();
    all.join(",")
}

fn url(sandbox: &Sandbox) -> String {
    format!("https://{}", sandbox.address())
}

/// An IPv6 address in brackets, as in a URL.
fn host(sandbox: &Sandbox) -> String {
    match sandbox.address() {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn fingerprint(digest: [u8; 32]) -> String {
    digest.map(|byte| format!("{byte:02X}")).join(":")
}
