//! MCP over HTTP: one listener, streamable HTTP of both eras at `/mcp`, and what stands around it.
//!
//! Knows HTTP, sessions, bearer tokens and limits of load, and any handler of the protocol: nothing here knows tools or
//! clusters. What a caller may do travels with each request, as an `Arc` of a [`Caller`](crate::caller::Caller) in its
//! extensions; the handler makes it hold.

mod answer;
mod app;
mod body;
mod browser;
mod door;
mod gate;
mod listen;
mod numbers;
mod rate;
mod ready;
mod request_id;
mod sessions;
pub mod tls;
mod workers;

pub use door::Door;
pub use numbers::Numbers;
pub use ready::Ready;
pub use request_id::RequestId;

use crate::metrics::Metrics;
use app::{Answering, App, routed};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get};
use gate::Gate;
use hyper_util::service::TowerToHyperService;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use workers::Workers;

/// Where the protocol is spoken.
pub const PATH: &str = "/mcp";

/// How long connections may take to close when everything has been answered.
const CLOSING: Duration = Duration::from_secs(2);

/// How the listener behaves.
#[derive(Clone)]
pub struct Options {
    /// Names and addresses by which clients reach this server, `name` or `name:port`; any other `Host` is refused.
    pub hosts: Vec<String>,
    /// Web pages that may call, `scheme://host:port` with `*` for any port; a request without `Origin` is not from one.
    pub origins: Vec<String>,
    /// Those of these web pages that are told they may, as browsers ask before they send a call (CORS). Without it a page
    /// can send what a form could send, and read nothing.
    pub pages: Vec<String>,
    /// Longest body of a request, in bytes.
    pub body: usize,
    /// For whatever of a body is not there with its head; long bodies get more, as they arrive. As long may a peer take
    /// nothing of what is sent to it.
    pub patience: Duration,
    /// Requests that are worked on at a time.
    pub calls: usize,
    /// Connections that are open at a time; further ones wait.
    pub connections: usize,
    /// Sessions of older clients that are open at a time.
    pub sessions: usize,
    /// A session of which nothing was heard for so long is ended.
    pub idle: Duration,
    /// Requests per second that may come from one caller; `None` = any number.
    pub rate: Option<NonZeroU32>,
    /// Threads that talk to clients.
    pub threads: usize,
    /// How long running calls may take to end at the end of the process.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hosts: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            origins: LOOPBACK_ORIGINS.map(str::to_owned).to_vec(),
            pages: Vec::new(),
            // A file of 8 MiB as base64, and the call around it.
            body: 16 << 20,
            // A client that has sent the head has the rest of it in its hands; this is for the way.
            patience: Duration::from_secs(30),
            calls: 256,
            connections: 1024,
            sessions: 256,
            idle: Duration::from_secs(1_800),
            rate: NonZeroU32::new(50),
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            drain: Duration::from_secs(60),
        }
    }
}

/// Web pages of this computer.
pub const LOOPBACK_ORIGINS: [&str; 6] = [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://[::1]:*",
];

/// What ends a server, from outside.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// No new calls; those that run may end.
    pub begin: CancellationToken,
    /// Whatever still runs is left.
    pub now: CancellationToken,
}

/// A listener that has its address and does not answer yet.
pub struct Http {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    workers: Workers,
    options: Options,
    metrics: Metrics,
    numbers: Numbers,
}

impl Http {
    /// Takes the address, and starts the threads.
    ///
    /// # Errors
    /// The address is taken, or not one of this computer; the system gives no threads.
    pub async fn bind(
        listen: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
        options: Options,
    ) -> io::Result<Http> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let workers = Workers::start(options.threads)?;
        Ok(Http { listener, address, tls, workers, options, metrics: Metrics::default(), numbers: Numbers::Nowhere })
    }

    /// Counts its answers here, and shows what was counted.
    pub fn measured(self, metrics: Metrics, numbers: Numbers) -> Http {
        Http { metrics, numbers, ..self }
    }

    /// Where it listens; with the port that the system chose if none was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` begins, and then until every call has ended or the patience is over.
    ///
    /// `handler` is cloned for each request. `calls` tells of work that goes on although its request has ended.
    pub async fn serve<S>(self, handler: S, door: Door, ready: Ready, calls: TaskTracker, stop: Stop)
    where
        S: ServerHandler + Clone,
    {
        let Http { listener, tls, workers, options, metrics, numbers, .. } = self;
        let ended = CancellationToken::new();
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = Some(options.idle);
        let manager = Arc::new(manager);
        let config = StreamableHttpServerConfig::default()
            .with_json_response(true)
            .with_allowed_hosts(options.hosts.iter().cloned())
            .with_allowed_origins(options.origins.iter().cloned())
            .with_max_request_body_bytes(options.body)
            .with_cancellation_token(ended.clone());
        let metadata = door.metadata();
        let gate = Arc::new(Gate::new(&options, door, manager.clone(), stop.begin.clone()));
        let shown = {
            let (metrics, manager) = (metrics.clone(), manager.clone());
            let hosts = matches!(numbers, Numbers::Here).then(|| Arc::from(options.hosts.as_slice()));
            get(move |headers: HeaderMap| numbers::show(metrics.clone(), manager.clone(), hosts.clone(), headers))
        };
        let service = Arc::new(StreamableHttpService::new(move || Ok(handler.clone()), manager, config));
        let protocol = {
            let gate = gate.clone();
            move |request: Request| {
                let (gate, service) = (gate.clone(), service.clone());
                async move {
                    let inside = |request| async move { service.handle(request).await.map(Body::new) };
                    gate.pass(request, inside).await
                }
            }
        };
        let protocol: Answering = if options.pages.is_empty() {
            Box::new(move |request| Box::pin(protocol(request)))
        } else {
            let ruled = Router::new().route(PATH, any(protocol)).layer(browser::rules(&options.pages));
            Box::new(move |request| Box::pin(routed(ruled.clone(), request)))
        };
        let ready = Arc::new(ready);
        let ending = stop.begin.clone();
        let mut pages = Router::new();
        if let Some(metadata) = metadata {
            for path in door::METADATA {
                let metadata = metadata.clone();
                pages = pages.route(path, get(async move || answer::json_response(StatusCode::OK, &metadata)));
            }
        }
        let closing = CancellationToken::new();
        let mut others = None;
        match numbers {
            Numbers::Nowhere => {}
            Numbers::Here => pages = pages.route("/metrics", shown),
            Numbers::At(listener) => {
                let app = TowerToHyperService::new(Router::new().route("/metrics", shown).fallback(answer::nowhere));
                // Few who ask, and always the same ones.
                let connections =
                    listen::Connections { most: 16, patience: options.patience, closing: closing.clone() };
                others = Some(tokio::spawn(listen::accept(listener, None, app, connections, workers.clone())));
            }
        }
        let pages = pages
            .route("/health", get(ready::health))
            .route("/ready", get(move || ready::ready(ready.clone(), ending.clone())))
            .fallback(answer::nowhere);
        let app = App::new(protocol, pages, metrics);
        let (most, patience) = (options.connections, options.patience);
        let connections = listen::Connections { most, patience, closing: closing.clone() };
        let listening = tokio::spawn(listen::accept(listener, tls, app, connections, workers));

        let watching = gate.clone();
        let watching = tokio::spawn(async move { watching.watch().await });

        stop.begin.cancelled().await;
        calls.close();
        tracing::info!(patience = ?options.drain, "ending: no new calls; those that run may end");
        let drained = async {
            gate.drained().await;
            calls.wait().await;
        };
        tokio::select! {
            () = drained => {}
            () = tokio::time::sleep(options.drain) => {
                tracing::warn!(running = calls.len(), "ending, although calls still run: their patience is over");
            }
            () = stop.now.cancelled() => tracing::warn!(running = calls.len(), "ending at once"),
        }
        // Sessions and open streams first: a connection ends when nothing is said on it.
        watching.abort();
        ended.cancel();
        closing.cancel();
        let closed = async {
            let _ = listening.await;
            if let Some(others) = others {
                let _ = others.await;
            }
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::debug!("connections were cut");
        }
    }
}
