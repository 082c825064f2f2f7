//! `proxmox-mcp serve`: MCP on standard input and output, or over HTTP.
//!
//! Knows flags, signals and exit codes. What the listener does is said in [`crate::http`], what a caller may do in the
//! settings.

use super::end::End;
use super::token::Place;
use super::{Exit, exit, start};
use crate::clusters::Clusters;
use crate::http::{Door, Http, LOOPBACK_ORIGINS, Numbers, Options, PATH, Ready, Stop, tls};
use crate::metrics::Metrics;
use crate::oauth::OAuth;
use crate::server::Server;
use crate::settings::Flags;
use crate::tokens::Tokens;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Serve {
    /// Serve MCP over HTTP at this address, below the path /mcp; port 0 = any free one. Prints the URL
    #[arg(long, env = "PROXMOX_HTTP", value_name = "ADDRESS:PORT", value_parser = address)]
    http: Option<SocketAddr>,
    #[command(flatten)]
    tokens: Place,
    /// Certificate of this server and those that vouch for it, in PEM; replaced files are noticed
    #[arg(long, env = "PROXMOX_TLS_CERT", value_name = "FILE", requires = "tls_key", help_heading = "HTTP")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, env = "PROXMOX_TLS_KEY", value_name = "FILE", requires = "tls_cert", help_heading = "HTTP")]
    tls_key: Option<PathBuf>,
    /// A proxy in front of this server does TLS, and nothing else can reach this address
    #[arg(long, env = "PROXMOX_BEHIND_PROXY", conflicts_with = "tls_cert", help_heading = "HTTP")]
    behind_proxy: bool,
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
    /// This server's URL as clients know it, without a path, if a proxy or a name stands before the address
    #[arg(long, env = "PROXMOX_PUBLIC_URL", value_name = "URL", help_heading = "HTTP")]
    public_url: Option<String>,
    /// Take signed tokens (JWT) of this issuer of OAuth 2.1 or OpenID Connect, by its URL
    #[arg(long, env = "PROXMOX_OAUTH_ISSUER", value_name = "URL", help_heading = "HTTP")]
    oauth_issuer: Option<String>,
    /// For whom such a token must have been made [default: the URL of /mcp]
    #[arg(
        long,
        env = "PROXMOX_OAUTH_AUDIENCE",
        value_name = "AUDIENCE",
        requires = "oauth_issuer",
        help_heading = "HTTP"
    )]
    oauth_audience: Option<String>,
    /// Show numbers for Prometheus at this address, below /metrics, to whoever can reach it. Without it they are beside
    /// the protocol, if that address is of this machine alone
    #[cfg(feature = "metrics")]
    #[arg(long, env = "PROXMOX_METRICS", value_name = "ADDRESS:PORT", value_parser = address, help_heading = "HTTP")]
    metrics: Option<SocketAddr>,
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
    /// Requests per second that may come with one token, four times as many at once after a pause; 0 = any number
    #[arg(long, env = "PROXMOX_RATE", value_name = "N", default_value_t = 50, help_heading = "HTTP")]
    rate: u32,
    /// Seconds for which running calls may go on after SIGTERM or Ctrl-C
    #[arg(long, env = "PROXMOX_DRAIN", value_name = "SECONDS", default_value_t = 60, help_heading = "HTTP")]
    drain: u64,
}

/// An address of this machine; a name could be several, and a port alone could be everywhere.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "give address and port in digits, e.g. 127.0.0.1:8808 for this machine alone, or [::1]:8808".to_owned()
    })
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
    let tls = match (&serve.tls_cert, &serve.tls_key) {
        (Some(certificate), Some(key)) => match tls::config(certificate, key) {
            Ok(config) => Some(config),
            Err(error) => return problem(format!("--tls-cert, --tls-key: {error}")),
        },
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    if let Some(bad) = serve.allowed_origin.iter().find(|origin| !is_origin(origin)) {
        return problem(format!(
            "--allowed-origin is `{bad}`: give the page's scheme, name and port, e.g. https://app.example.org"
        ));
    }
    let door = match serve.door(&format!("{scheme}://{listen}")) {
        Ok(door) => door,
        Err(says) => return problem(says),
    };
    if let Err(says) = exposed(listen, door.is_guarded(), tls.is_some(), serve.behind_proxy) {
        return problem(says);
    }
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
    warn(&door);
    let http = match Http::bind(listen, tls, serve.options(listen, &clusters)).await {
        Ok(http) => http,
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            return problem(format!(
                "--http {listen}: something else listens there already, perhaps this server. Give another port; 0 is any \
                 free one"
            ));
        }
        Err(error) => return problem(format!("--http {listen}: {error}")),
    };
    let numbers = match serve.numbers(listen).await {
        Ok(numbers) => numbers,
        Err(says) => return problem(says),
    };
    let told = exit::output(&format!("{scheme}://{}{PATH}\n", http.address()), Exit::Done);
    if told != Exit::Done {
        return told;
    }
    let metrics = Metrics::default();
    let http = http.measured(metrics.clone(), numbers);
    let server = Server::new(clusters.clone()).measured(metrics);
    let calls = server.calls().clone();
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        end.asked().await;
        asked.begin.cancel();
        end.asked().await;
        asked.now.cancel();
    });
    http.serve(server, door, ready(clusters), calls, stop).await;
    Exit::Done
}

/// May this server be reached as it was told? Whoever can reach it without a token can do what it may do.
fn exposed(listen: SocketAddr, guarded: bool, tls: bool, proxy: bool) -> Result<(), String> {
    let here = listen.ip().is_loopback();
    let reached = match (here, proxy) {
        (true, false) => return Ok(()),
        (true, true) => "--behind-proxy: others reach this server through the proxy".to_owned(),
        (false, _) => format!("--http {listen}: other machines can reach this address"),
    };
    let mut wants = Vec::new();
    if !guarded {
        wants.push("make a token for each caller (`proxmox-mcp token new --name NAME`)");
    }
    if !here && !tls && !proxy {
        wants.push(
            "give a certificate (--tls-cert FILE --tls-key FILE), or --behind-proxy if something in front of this \
             server does TLS and nothing else can reach it",
        );
    }
    if wants.is_empty() {
        return Ok(());
    }
    Err(format!("{reached}. Nothing was started. To do this safely, {}; or listen on 127.0.0.1.", wants.join(", and ")))
}

/// A page as a browser names it: without a path.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.map(|rest| rest.trim_end_matches('/'))
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']))
}

/// What has to be said about who may come in.
fn warn(door: &Door) {
    match &door.tokens {
        None if door.oauth.is_some() => {}
        None => tracing::warn!(
            "no tokens: every program on this machine can call, up to this server's own limits. `proxmox-mcp token new \
             --name NAME` and a new start close it"
        ),
        Some(tokens) => match tokens.count() {
            Some(0) if door.oauth.is_none() => tracing::warn!(
                "{}: there is no token yet, so nobody can call. `proxmox-mcp token new --name NAME` makes one",
                tokens.path().display()
            ),
            // What is wrong was said when it was read.
            None | Some(_) => {}
        },
    }
}

impl Serve {
    /// A file of tokens that somebody asked for guards, whether it is there or not; the usual one if it is there.
    fn door(&self, usual: &str) -> Result<Door, String> {
        // What cannot be looked at may be there.
        let absent = |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        let tokens = self.tokens.path().filter(|(path, asked)| *asked || !absent(path));
        let public = self.public_url.as_deref().unwrap_or(usual).trim_end_matches('/');
        if !(public.starts_with("https://") || public.starts_with("http://")) || public.matches('/').count() != 2 {
            return Err(format!("--public-url is `{public}`: give a URL without a path, e.g. https://mcp.example.org"));
        }
        let resource = format!("{public}{PATH}");
        let audience = self.oauth_audience.as_deref().unwrap_or(&resource);
        let issuer = self.oauth_issuer.as_deref().filter(|issuer| !issuer.is_empty());
        let oauth = issuer.map(|issuer| OAuth::new(issuer, audience)).transpose();
        let oauth = oauth.map_err(|error| format!("--oauth-issuer is {error}"))?;
        Ok(Door { tokens: tokens.map(|(path, _)| Tokens::at(path)), oauth, resource })
    }

    /// Beside the protocol only where nobody else gets to: not beyond this machine, and not through a proxy.
    #[cfg(feature = "metrics")]
    async fn numbers(&self, listen: SocketAddr) -> Result<Numbers, String> {
        let Some(address) = self.metrics else {
            let alone = listen.ip().is_loopback() && !self.behind_proxy;
            return Ok(if alone { Numbers::Here } else { Numbers::Nowhere });
        };
        if !address.ip().is_loopback() {
            tracing::warn!(
                "--metrics {address}: whoever can reach this address sees the names of tools and their numbers"
            );
        }
        let listener = tokio::net::TcpListener::bind(address).await;
        listener.map(Numbers::At).map_err(|error| format!("--metrics {address}: {error}"))
    }

    #[cfg(not(feature = "metrics"))]
    async fn numbers(&self, _: SocketAddr) -> Result<Numbers, String> {
        Ok(Numbers::Nowhere)
    }

    fn options(&self, listen: SocketAddr, clusters: &Clusters) -> Options {
        let mut options = Options::default();
        if !listen.ip().is_unspecified() {
            options.hosts.push(listen.ip().to_string());
        }
        options.hosts.extend(self.allowed_host.iter().cloned());
        options.origins = LOOPBACK_ORIGINS.map(str::to_owned).to_vec();
        options.origins.extend(self.allowed_origin.iter().cloned());
        options.pages.clone_from(&self.allowed_origin);
        // A call that waits for its task, or for a person, says nothing meanwhile.
        let longest = clusters.all().map(|engine| engine.settings().wait.max(engine.settings().confirm_ttl)).max();
        let quiet = longest.unwrap_or_default() + Duration::from_secs(60);
        Options {
            body: self.max_body,
            calls: self.max_calls,
            sessions: self.max_sessions,
            idle: Duration::from_secs(self.session_idle).max(quiet),
            rate: NonZeroU32::new(self.rate),
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
