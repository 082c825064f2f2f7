//! `proxmox-conformance`: the fixtures of the official conformance suite, served by the HTTP core of the product.
//!
//! Prints the URL as its only line, and ends with SIGTERM or Ctrl-C. What the fixtures say is in `fixtures.json`; what
//! listens, who may call, sessions and both eras are [`proxmox_mcp::http::Http`], as for the product. Knows nothing of
//! clusters.

// Logging is no part of the newest revision any more; the suite still asks for it under the older one.
#![expect(deprecated)]

mod act;
mod fixtures;
mod seal;
mod server;

use fixtures::Fixtures;
use proxmox_mcp::http::{Door, Http, Options, PATH, Ready, Stop};
use server::Server;
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().nth(1);
    let listen: SocketAddr = given.as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let server = Server::new(Fixtures::read()?);
    let mut ended = signal(SignalKind::terminate())?;
    let http = Http::bind(listen, None, Options::default()).await?;
    // A pipe takes it only when it is flushed.
    let mut output = std::io::stdout();
    writeln!(output, "http://{}{PATH}", http.address())?;
    output.flush()?;
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = ended.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        // The streams of the suite are open for as long as they are let.
        asked.begin.cancel();
        asked.now.cancel();
    });
    http.serve(server, Door::default(), Ready::always(), TaskTracker::new(), stop).await;
    Ok(())
}
