//! Calls of a tool that reads: one at a time, and thirty-two in flight.

use crate::backend::Backend;
use crate::floor::{self, Raw};
use crate::report::{Report, median, quantile};
use crate::server::{Server, call};
use serde_json::json;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

const WIDTH: usize = 32;
/// Rounds in which server and floor take turns, so that both meet the same weather.
const ROUNDS: usize = 20;

/// Milliseconds.
fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

pub fn one_at_a_time(program: &Path, calls: usize, report: &mut Report) -> io::Result<()> {
    let backend = Backend::start(1_000, 0)?;
    let mut server = Server::start(program, &backend)?;
    let mut raw = Raw::connect(&backend)?;
    let nodes = call(7, "list_nodes", &json!({}));
    let ping = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}).to_string();
    let answer = server.call("list_nodes", json!({}))?;
    if answer["structuredContent"]["nodes"].as_array().map(Vec::len) != Some(3) {
        return Err(io::Error::other("the call did not answer with the three nodes"));
    }
    let (mut tool, mut floor, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for _ in 0..calls / ROUNDS {
            let took = timed(|| server.ask(&nodes).map(drop))?;
            let least = timed(|| raw.get("/nodes").map(drop))?;
            let echo = timed(|| server.ask(&ping).map(drop))?;
            // The first round only warms up.
            if round > 0 {
                tool.push(took);
                floor.push(least);
                pings.push(echo);
            }
        }
    }
    let (p50, least) = (median(&mut tool), median(&mut floor));
    report.row("`ping`, median", format!("{:.3} ms", median(&mut pings)), "", "");
    report.row(
        "A tool that reads, median",
        format!("{p50:.3} ms (p95 {:.3}, p99 {:.3})", quantile(&mut tool, 0.95), quantile(&mut tool, 0.99)),
        format!("{least:.3} ms: the same request over a raw TLS connection"),
        "",
    );
    report.row("What the server adds to the raw request", format!("{:.3} ms", p50 - least), "0", "≤ 0.10 ms");
    Ok(())
}

/// Calls per second with so many in flight.
fn rate(server: &mut Server, calls: usize) -> io::Result<f64> {
    let start = Instant::now();
    let mut sent = 0;
    let mut line = String::new();
    for done in 0..calls {
        while sent < calls && sent < done + WIDTH {
            writeln!(server.input, "{}", call(sent, "list_nodes", &json!({})))?;
            sent += 1;
        }
        line.clear();
        server.output.read_line(&mut line)?;
        if line.contains(r#""isError":true"#) {
            return Err(io::Error::other(line));
        }
    }
    Ok(calls as f64 / start.elapsed().as_secs_f64())
}

pub fn many_at_once(program: &Path, report: &mut Report) -> io::Result<()> {
    let backend = Backend::start(10, 0)?;
    let mut server = Server::start(program, &backend)?;
    rate(&mut server, 2_000)?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        ours.push(rate(&mut server, 20_000)?);
        bare.push(floor::reqwest_loop(&backend, WIDTH, 20_000)?);
    }
    let (ours, bare) = (median(&mut ours), median(&mut bare));
    report.row(
        "32 calls in flight, instant backend",
        format!("{ours:.0} calls/s, {:.0} % of the loop", ours / bare * 100.0),
        format!("{bare:.0}/s: a bare reqwest loop on all cores"),
        "≥ 10,000 calls/s or 60 %, whichever is more",
    );
    Ok(())
}

pub fn slow_backend(program: &Path, report: &mut Report) -> io::Result<()> {
    let backend = Backend::start(10, 20)?;
    let mut server = Server::start(program, &backend)?;
    rate(&mut server, 320)?;
    let ours = rate(&mut server, 6_400)?;
    let ceiling = WIDTH as f64 / 0.020;
    report.row(
        "32 calls in flight, backend of 20 ms",
        format!("{ours:.0} calls/s, {:.1} % of the ceiling", ours / ceiling * 100.0),
        format!("{ceiling:.0}/s: 32 / 20 ms"),
        "≥ 95 %",
    );
    Ok(())
}
