//! `proxmox-mcp sandbox`: the make-believe cluster as a server of its own, for tests and programs in any language.
//!
//! Knows flags, files and signals. What the cluster is and does is the sandbox's business.

use super::end::End;
use super::{Exit, exit, start};
use crate::settings::Flags;
use clap::Args;
use proxmox_sandbox::{Identity, Layout, Options, Sandbox, Trouble, USER};
use serde_json::json;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen; port 0 = any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8006")]
    listen: SocketAddr,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// Nodes of the cluster, 3 to 64
    #[arg(long, value_name = "N", default_value_t = 3)]
    nodes: u16,
    /// Guests in all, 9 to 100000
    #[arg(long, value_name = "N", default_value_t = 9)]
    guests: u32,
    /// One freshly installed node without guests instead of a cluster
    #[arg(long, conflicts_with_all = ["nodes", "guests"])]
    standalone: bool,
    /// Makes everything that looks random: the same seed gives the same answers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The factor on the duration of every task; 0 = they end at once
    #[arg(long, value_name = "FACTOR", default_value_t = start::TASK_TIME)]
    task_time: f64,
    /// Milliseconds until a request without a good token is refused; a real server takes 3000
    #[arg(long, value_name = "MS", default_value_t = 0)]
    auth_delay: u64,
    /// Something that goes wrong from the start, as `status=500@POST /nodes/*/qemu#1` or `node-offline=pve3`; may be
    /// repeated. docs/sandbox.md has all of them
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Trouble>,
    /// Serve the control endpoint below /sandbox: faults, states and the record of requests, without a token
    #[arg(long)]
    control: bool,
    /// Also write the settings to this file, which only you can read; a file of that name is overwritten
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Write the certificate to this file, for clients that take an authority instead of a fingerprint
    #[arg(long, value_name = "FILE")]
    certificate_file: Option<PathBuf>,
    /// Keep key and certificate in this folder from start to start, instead of making new ones
    #[arg(long, value_name = "FOLDER")]
    certificate_dir: Option<PathBuf>,
    /// The secret of the token, instead of a new one at each start. It protects nothing but this make-believe cluster
    #[arg(long, value_name = "SECRET")]
    token_value: Option<String>,
    /// Print the settings as JSON
    #[arg(long)]
    json: bool,
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(serve: Serve, flags: &Flags) -> Exit {
    let problem = |text: String| {
        eprintln!("proxmox-mcp: {text}");
        Exit::Usage
    };
    if let Err(error) = start::log_requests(flags) {
        return problem(error.to_string());
    }
    let remote = !serve.listen.ip().is_loopback();
    if remote && !serve.allow_remote {
        return problem(format!(
            "--listen {}: other machines could reach this address. Give --allow-remote as well if they may",
            serve.listen
        ));
    }
    let identity = match serve.certificate_dir.as_deref().map(|folder| kept_identity(folder, serve.listen)).transpose()
    {
        Ok(identity) => identity,
        Err(text) => return problem(text),
    };
    let identity = match identity.map_or_else(|| Identity::generate(&[serve.listen.ip().to_string()]), Ok) {
        Ok(identity) => identity,
        Err(error) => return problem(format!("no certificate could be made: {error}")),
    };
    let options = Options {
        address: serve.listen,
        seed: serve.seed,
        task_time: serve.task_time,
        auth_delay: Duration::from_millis(serve.auth_delay),
        nodes: serve.nodes,
        guests: serve.guests,
        layout: if serve.standalone { Layout::Standalone } else { Layout::Cluster },
        control: serve.control,
        token_secret: serve.token_value.clone(),
        identity: Some(identity),
    };
    // Before the address is told: whoever reads it may end this process at once.
    let mut end = match End::expect() {
        Ok(end) => end,
        Err(error) => return problem(format!("signals cannot be received: {error}")),
    };
    let sandbox = match Sandbox::start(options).await {
        Ok(sandbox) => sandbox,
        Err(error) => return problem(format!("the sandbox could not start on {}: {error}", serve.listen)),
    };
    for trouble in serve.fault.iter().cloned() {
        if let Err(error) = sandbox.apply(trouble) {
            return problem(format!("--fault: {error}"));
        }
    }
    if remote && serve.control {
        tracing::warn!("the control endpoint asks nobody for a token, and other machines can reach it");
    }
    let lines = environment(&sandbox, serve.control);
    if let Err(text) = write_files(&serve, &sandbox, &lines) {
        return problem(text);
    }
    let told = if serve.json { format!("{:#}\n", as_json(&sandbox, serve.control)) } else { lines };
    let exit = exit::output(&told, Exit::Done);
    if exit == Exit::Done {
        end.asked().await;
        tracing::info!(requests = sandbox.requests().len(), "end");
    }
    sandbox.shutdown().await;
    exit
}

/// The settings as lines that a file `.env` can hold.
fn environment(sandbox: &Sandbox, control: bool) -> String {
    let (id, secret) = sandbox.token().split_once('=').unwrap_or((sandbox.token(), ""));
    let (user, name) = id.split_once('!').unwrap_or((id, ""));
    let mut lines = format!("# A make-believe Proxmox VE cluster at {}\n", url(sandbox));
    let _ = writeln!(lines, "# The user {USER} has the password {}", sandbox.password());
    let _ = writeln!(lines, "# A token that may look and nothing else: {}", sandbox.auditor_token());
    if control {
        let _ = writeln!(lines, "# Faults and the record of requests: {}/sandbox", url(sandbox));
    }
    for (name, value) in [
        ("PROXMOX_HOST", host(sandbox)),
        ("PROXMOX_PORT", sandbox.address().port().to_string()),
        ("PROXMOX_USER", user.to_owned()),
        ("PROXMOX_TOKEN_NAME", name.to_owned()),
        ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
        ("PROXMOX_FINGERPRINT", fingerprint(sandbox)),
    ] {
        let _ = writeln!(lines, "{name}={value}");
    }
    lines
}

fn as_json(sandbox: &Sandbox, control: bool) -> serde_json::Value {
    json!({
        "url": url(sandbox),
        "host": host(sandbox),
        "port": sandbox.address().port(),
        "token": sandbox.token(),
        "auditor_token": sandbox.auditor_token(),
        "fingerprint": fingerprint(sandbox),
        "certificate": sandbox.certificate_pem(),
        "username": USER,
        "password": sandbox.password(),
        "control": control.then(|| format!("{}/sandbox", url(sandbox))),
    })
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

fn fingerprint(sandbox: &Sandbox) -> String {
    sandbox.certificate_fingerprint().map(|byte| format!("{byte:02X}")).join(":")
}

fn write_files(serve: &Serve, sandbox: &Sandbox, lines: &str) -> Result<(), String> {
    if let Some(path) = &serve.env_file {
        write_private(path, lines).map_err(|error| format!("--env-file {}: {error}", path.display()))?;
    }
    if let Some(path) = &serve.certificate_file {
        std::fs::write(path, sandbox.certificate_pem())
            .map_err(|error| format!("--certificate-file {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The identity of an earlier start, or a new one, which is kept.
fn kept_identity(folder: &Path, listen: SocketAddr) -> Result<Identity, String> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let failed = |path: &Path, error: &io::Error| format!("--certificate-dir: {}: {error}", path.display());
    match (std::fs::read_to_string(&certificate), std::fs::read_to_string(&key)) {
        (Ok(certificate), Ok(key)) => return Ok(Identity { certificate, key }),
        // Half of it is somebody's mistake, and no reason to overwrite the other half.
        (Err(one), Err(two)) if one.kind() == io::ErrorKind::NotFound && two.kind() == io::ErrorKind::NotFound => {}
        (Err(error), _) => return Err(failed(&certificate, &error)),
        (_, Err(error)) => return Err(failed(&key, &error)),
    }
    let made = Identity::generate(&[listen.ip().to_string()]).map_err(|error| failed(&certificate, &error))?;
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    write_private(&key, &made.key).map_err(|error| failed(&key, &error))?;
    std::fs::write(&certificate, &made.certificate).map_err(|error| failed(&certificate, &error))?;
    Ok(made)
}

/// Writes a file that nobody else on this computer can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A file that was there keeps its mode otherwise.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    io::Write::write_all(&mut file, text.as_bytes())
}
