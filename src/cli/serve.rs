//! `proxmox-mcp serve`: MCP on standard input and output, or over HTTP.
//!
//! Knows flags, signals and exit codes. What the listener does is said in [`crate::http`], what a caller may do in the
//! settings.

use super::end::End;
use super::{Exit, exit, start};
use crate::clusters::Clusters;
use crate::http::{Http, LOOPBACK_ORIGINS, Options, PATH, Ready, Stop};
use crate::server::Server;
use crate::settings::Flags;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::net::SocketAddr;
use std::time::Duration;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Serve {
    /// Serve MCP over HTTP at this address, below the path /mcp; port 0 = any free one. Prints the URL
    #[arg(long, env = "PROXMOX_HTTP", value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Names by which clients reach this server, separated by commas, with or without port; loopback names always count
    #[arg(long, env = "PROXMOX_ALLOWED_HOSTS", value_name = "HOST,…", value_delimiter = ',', help_heading = "HTTP")]
    allowed_host: Vec<String>,
    /// Web pages that may call, as `https://app.example.org`; those of this computer always may
    #[arg(
        long,
        env = "PROXMOX_ALLOWED_ORIGINS",
        value_name = "ORIGIN,…",
        value_delimiter = ',',
        help_heading = "HTTP"
    )]
    allowed_origin: Vec<String>,
    /// Longest body of a request, in bytes
    #[arg(long, env = "PROXMOX_MAX_BODY", value_name = "BYTES", default_value_t = 16 << 20, help_heading = "HTTP")]
    max_body: usize,
    /// Requests that are worked on at a time; further ones are refused
    #[arg(long, env = "PROXMOX_MAX_CALLS", value_name = "N", default_value_t = 256, help_heading = "HTTP")]
    max_calls: usize,
    /// Sessions of clients of older revisions that are open at a time; further ones are refused
    #[arg(long, env = "PROXMOX_MAX_SESSIONS", value_name = "N", default_value_t = 256, help_heading = "HTTP")]
    max_sessions: usize,
    /// Seconds after which a session ends in which nothing was said. It is never shorter than a call may take
    #[arg(long, env = "PROXMOX_SESSION_IDLE", value_name = "SECONDS", default_value_t = 1_800, help_heading = "HTTP")]
    session_idle: u64,
    /// Seconds for which running calls may go on after SIGTERM or Ctrl-C
    #[arg(long, env = "PROXMOX_DRAIN", value_name = "SECONDS", default_value_t = 60, help_heading = "HTTP")]
    drain: u64,
}

impl Serve {
    pub fn over_http(&self) -> bool {
        self.http.is_some()
    }
}

/// Serves over HTTP until Ctrl-C or SIGTERM, and then until the calls that run have ended. A second signal ends at once.
pub async fn run(serve: Serve, flags: &Flags) -> Exit {
    let problem = |text: String| {
        eprintln!("proxmox-mcp: {text}");
        Exit::Usage
    };
    let Some(listen) = serve.http else { return problem("--http is missing".to_owned()) };
    let started = match start::start(flags, false).await {
        Ok(started) => started,
        Err(error) => return problem(error.to_string()),
    };
    let clusters = started.clusters.clone();
    // Before the address is told: whoever reads it may end this process at once.
    let mut end = match End::expect() {
        Ok(end) => end,
        Err(error) => return problem(format!("signals cannot be received: {error}")),
    };
    let http = match Http::bind(listen, None, serve.options(listen, &clusters)).await {
        Ok(http) => http,
        Err(error) => return problem(format!("--http {listen}: {error}")),
    };
    let told = exit::output(&format!("http://{}{PATH}\n", http.address()), Exit::Done);
    if told != Exit::Done {
        return told;
    }
    let server = Server::new(clusters.clone());
    let calls = server.calls().clone();
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        end.asked().await;
        asked.begin.cancel();
        end.asked().await;
        asked.now.cancel();
    });
    http.serve(server, ready(clusters), calls, stop).await;
    Exit::Done
}

impl Serve {
    fn options(&self, listen: SocketAddr, clusters: &Clusters) -> Options {
        let mut options = Options::default();
        if !listen.ip().is_unspecified() {
            options.hosts.push(listen.ip().to_string());
        }
        options.hosts.extend(self.allowed_host.iter().cloned());
        options.origins = LOOPBACK_ORIGINS.map(str::to_owned).to_vec();
        options.origins.extend(self.allowed_origin.iter().cloned());
        // A call that waits for its task, or for a person, says nothing meanwhile.
        let longest = clusters.all().map(|engine| engine.settings().wait.max(engine.settings().confirm_ttl)).max();
        let quiet = longest.unwrap_or_default() + Duration::from_secs(60);
        Options {
            body: self.max_body,
            calls: self.max_calls,
            sessions: self.max_sessions,
            idle: Duration::from_secs(self.session_idle).max(quiet),
            drain: Duration::from_secs(self.drain),
            ..options
        }
    }
}

/// Ready: at least one cluster answers. One that is down keeps nobody waiting.
fn ready(clusters: Clusters) -> Ready {
    Ready::new(move || {
        let clusters = clusters.clone();
        Box::pin(async move {
            let mut asked: FuturesUnordered<_> = clusters.all().map(|engine| engine.answers()).collect();
            while let Some(answers) = asked.next().await {
                if answers {
                    return true;
                }
            }
            false
        })
    })
}
