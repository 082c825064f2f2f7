//! `proxmox-mcp sandbox`: the make-believe cluster as a server of its own, for tests and programs in any language.
//!
//! Knows flags and signals. What is printed is in `told`, what is kept in files in `files`; what the cluster is and
//! does is the sandbox's business.

mod files;
mod told;

use super::end::End;
use super::{Exit, exit, start};
use crate::settings::Flags;
use clap::Args;
use proxmox_sandbox::{Identity, Layout, Options, Sandbox, Trouble};
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Serve the same cluster at one more address, as another node does; may be repeated
    #[arg(long, value_name = "ADDRESS:PORT")]
    also_listen: Vec<SocketAddr>,
    /// Show the same certificate at every address, instead of one for each
    #[arg(long, requires = "also_listen")]
    same_certificate: bool,
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
    /// The password of admin@pve and root@pam, instead of a new one at each start
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,
    /// A login of admin@pve takes a code from an app with this seed, too
    #[arg(long, value_name = "BASE32")]
    totp_seed: Option<String>,
    /// A code that is good for one login of admin@pve instead of one from an app; may be repeated
    #[arg(long, value_name = "CODE")]
    recovery_code: Vec<String>,
    /// Let the clock show the real time, instead of moving it by requests
    #[arg(long)]
    real_time: bool,
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
    let addresses = || [serve.listen].into_iter().chain(serve.also_listen.iter().copied());
    let remote = addresses().find(|address| !address.ip().is_loopback());
    if let Some(address) = remote.filter(|_| !serve.allow_remote) {
        return problem(format!(
            "{address}: other machines could reach this address. Give --allow-remote as well if they may"
        ));
    }
    let identities = match identities(&serve, addresses()) {
        Ok(identities) => identities,
        Err(text) => return problem(text),
    };
    let mut places = addresses().zip(identities);
    let Some((address, identity)) = places.next() else { return problem("there is no address".to_owned()) };
    let options = Options {
        address,
        seed: serve.seed,
        task_time: serve.task_time,
        auth_delay: Duration::from_millis(serve.auth_delay),
        nodes: serve.nodes,
        guests: serve.guests,
        layout: if serve.standalone { Layout::Standalone } else { Layout::Cluster },
        control: serve.control,
        token_secret: serve.token_value.clone(),
        password: serve.password.clone(),
        totp_seed: serve.totp_seed.clone(),
        recovery_codes: serve.recovery_code.clone(),
        real_time: serve.real_time,
        identity: Some(identity),
    };
    // Before the address is told: whoever reads it may end this process at once.
    let mut end = match End::expect() {
        Ok(end) => end,
        Err(error) => return problem(format!("signals cannot be received: {error}")),
    };
    let sandbox = match Sandbox::start(options).await {
        Ok(sandbox) => sandbox,
        Err(error) => return problem(format!("the sandbox could not start on {address}: {error}")),
    };
    for (address, identity) in places {
        if let Err(error) = sandbox.also_at(address, Some(identity)).await {
            return problem(format!("--also-listen {address}: {error}"));
        }
    }
    for trouble in serve.fault.iter().cloned() {
        if let Err(error) = sandbox.apply(trouble) {
            return problem(format!("--fault: {error}"));
        }
    }
    sandbox.settled().await;
    if remote.is_some() && serve.control {
        tracing::warn!("the control endpoint asks nobody for a token, and other machines can reach it");
    }
    let lines = told::environment(&sandbox, &serve);
    if let Err(text) = files::write(&serve, &sandbox, &lines) {
        return problem(text);
    }
    let told = if serve.json { format!("{:#}\n", told::as_json(&sandbox, &serve)) } else { lines };
    let exit = exit::output(&told, Exit::Done);
    if exit == Exit::Done {
        end.asked().await;
        tracing::info!(requests = sandbox.requests().len(), "end");
    }
    sandbox.shutdown().await;
    exit
}

/// What is shown at each of the addresses.
fn identities(serve: &Serve, addresses: impl Iterator<Item = SocketAddr>) -> Result<Vec<Identity>, String> {
    let names: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    let mut identities: Vec<Identity> = Vec::new();
    for (number, name) in (1_u16..).zip(&names) {
        let names = if serve.same_certificate { names.as_slice() } else { std::slice::from_ref(name) };
        let identity = match (&serve.certificate_dir, identities.first().filter(|_| serve.same_certificate)) {
            (_, Some(first)) => first.clone(),
            (Some(folder), None) => files::kept_identity(folder, number, names)?,
            (None, None) => {
                Identity::generate(names).map_err(|error| format!("no certificate could be made: {error}"))?
            }
        };
        identities.push(identity);
    }
    Ok(identities)
}
