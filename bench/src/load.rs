//! Many clients over HTTP for a long time, while the cluster has faults: is memory flat, and is every write told truly?
//!
//! The server and the cluster are processes of their own. Clients carry bearer tokens, speak both eras, and go on in
//! rounds: the faults change between two of them, when nothing is on its way, and then what the cluster has received is
//! held against what the clients were told.

mod cluster;
mod truth;

use crate::report::{Report, median};
use crate::web::client::{Era, Web};
use cluster::{Cluster, Served};
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use truth::{Told, Truth};

/// Calls of a client between two looks.
const CALLS: usize = 16;
/// One call in so many is a write.
const WRITES: usize = 4;

/// What goes wrong in a round; they come one after the other. The numbers leave most requests alone.
const FAULTS: [&[&str]; 8] = [
    &[],
    &["close-after@WRITE /nodes/**#3-12"],
    &["status=500:got timeout@* /nodes/**#5-40"],
    &["status=596@WRITE /nodes/**#2-9", "truncated@GET /cluster/resources#1-9"],
    &[],
    &["hang-after@WRITE /nodes/**#1-4", "hang@GET /nodes/*/status#1-3"],
    &["close-before@* /nodes/**#7-30"],
    &["status-after=596@WRITE /nodes/**#1-6", "not-json@GET /nodes#1-5"],
];

/// Runs for so long. Fails when a write was lost, made twice, or told otherwise than it was.
///
/// # Errors
/// A process cannot be started, or something of the above.
pub fn run(program: &Path, seconds: u64, clients: usize, report: &mut Report) -> io::Result<()> {
    let cluster = Cluster::start(program, clients)?;
    let served = Served::start(program, &cluster, clients)?;
    let guests = cluster.guests()?;
    if guests.len() < clients {
        return Err(io::Error::other("there are fewer guests than clients"));
    }
    let mut webs = Vec::new();
    for number in 0..clients {
        let era = if number % 2 == 0 { Era::Stateless } else { Era::Handshake };
        let token = &served.tokens[number % served.tokens.len()];
        webs.push(Web::open(&served.url, era, Some(token))?);
    }
    let (begin, length) = (Instant::now(), Duration::from_secs(seconds));
    let mut truth = Truth::default();
    let mut memory: Vec<(Duration, f64)> = Vec::new();
    let mut round = 0;
    while begin.elapsed() < length || round < FAULTS.len() {
        cluster.faults(FAULTS[round % FAULTS.len()])?;
        let told: Vec<Vec<Told>> = std::thread::scope(|scope| {
            let running: Vec<_> = webs
                .iter_mut()
                .zip(&guests)
                .enumerate()
                .map(|(number, (web, guest))| scope.spawn(move || turn(web, *guest, &format!("{number}-{round}"))))
                .collect();
            let broken = || io::Error::other("a client broke");
            running.into_iter().map(|one| one.join().map_err(|_| broken())?).collect::<io::Result<_>>()
        })?;
        // Writes whose client was told that nobody knows may still come in: the cluster is asked until it is quiet.
        let received = cluster.received()?;
        truth.judge(&told.concat(), &received)?;
        memory.push((begin.elapsed(), served.memory()?));
        round += 1;
    }
    let total = begin.elapsed();
    let part = |from: f64, to: f64| {
        let within = |at: &Duration| (from..=to).contains(&(at.as_secs_f64() / total.as_secs_f64()));
        let mut samples: Vec<f64> = memory.iter().filter(|(at, _)| within(at)).map(|(_, size)| *size).collect();
        median(&mut samples)
    };
    let (first, last) = (part(0.1, 0.2), part(0.9, 1.0));
    report.row(
        &format!("{clients} clients over HTTP with faults, {:.0} s", total.as_secs_f64()),
        format!("{} calls, {:.0}/s", truth.calls, truth.calls as f64 / total.as_secs_f64()),
        "",
        "",
    );
    report.row(
        "Their writes",
        format!("{} told done, {} failed, {} unknown; none lost, none twice", truth.done, truth.failed, truth.unknown),
        format!("{} that the cluster has received", truth.received),
        "none lost, none twice, none told wrongly",
    );
    report.row(
        "Resident in the second tenth and in the last",
        format!("{first:.1} MB, {last:.1} MB: {:.2}×", last / first),
        "",
        "≤ 1.1×",
    );
    Ok(())
}

/// A client's part of a round; gives what it was told of each call.
fn turn(web: &mut Web, guest: u64, name: &str) -> io::Result<Vec<Told>> {
    let mut told = Vec::new();
    for call in 0..CALLS {
        let (request, mark) = if call % WRITES == 0 {
            let mark = format!("load-{name}-{call}");
            let arguments = json!({"vmid": guest, "config": {"description": mark}});
            (web.call("update_guest_config", arguments), Some(mark))
        } else {
            let read = match call % 3 {
                0 => web.call("list_guests", json!({"limit": 10})),
                1 => web.call("get_node_status", json!({"node": "pve1"})),
                _ => web.call("search_api", json!({"query": "snapshot of a guest"})),
            };
            (read, None)
        };
        let reply = web.send(&request)?;
        if reply.status != 200 {
            let says = String::from_utf8_lossy(&reply.body).into_owned();
            return Err(io::Error::other(format!("a call was refused with {}: {says}", reply.status)));
        }
        let message: Value = reply.message()?;
        told.push(Told::of(mark, &message)?);
    }
    Ok(told)
}
