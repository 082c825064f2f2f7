//! MCP over HTTP, beside the SDK's own server with nothing around it: how long a call takes, and how many there are in
//! a second over one, eight and sixty-four connections. What this program's HTTP takes of that alone, without its tools.

pub mod bare;
pub mod client;

use crate::backend::Backend;
use crate::processors::Apart;
use crate::report::{Report, median, quantile};
use crate::server::{command, resident};
use client::{Era, Web};
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Rounds of server and floor.
const ROUNDS: usize = 20;
/// Calls of one measurement of the rate, for each of those that are made one at a time.
const MANY: usize = 2;
/// Turns of each server at every width.
const TURNS: usize = 5;

/// A server over HTTP in a process of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(mut command: Command) -> io::Result<Server> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        BufReader::new(output).read_line(&mut url)?;
        Ok(Server { child, url: url.trim().to_owned() })
    }

    fn client(&self) -> io::Result<Web> {
        Web::open(&self.url, Era::Stateless, None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that goes with this value.
struct Listed(PathBuf);

impl Listed {
    fn write(name: &str, value: &Value) -> io::Result<Listed> {
        let path = std::env::temp_dir().join(format!("proxmox-bench-{}-{name}.json", std::process::id()));
        std::fs::write(&path, value.to_string())?;
        Ok(Listed(path))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A message for the server, and the one that is held against it.
struct Pair {
    what: &'static str,
    ours: Vec<u8>,
    bare: Vec<u8>,
}

/// The answer to this, which must be a good one.
fn good(web: &mut Web, request: &[u8]) -> io::Result<Value> {
    let reply = web.send(request)?;
    let message = reply.message()?;
    if reply.status != 200 || message["result"].is_null() || message["result"]["isError"] == true {
        return Err(io::Error::other(format!("{}: {message}", reply.status)));
    }
    Ok(message)
}

/// The measured server and the bare one, which lists and answers the same, alone and behind the measured server's HTTP.
struct All {
    ours: Server,
    bare: Server,
    behind: Server,
    /// What is asked: a call without the cluster, the list of tools, a call to the cluster.
    pairs: [Pair; 3],
}

impl All {
    fn start(program: &Path, backend: &Backend) -> io::Result<All> {
        let mut ours = command(program, backend.port, Some(&backend.fingerprint));
        ours.args(["serve", "--http", "127.0.0.1:0", "--rate", "0"]);
        let ours = Server::start(ours)?;
        let mut web = ours.client()?;
        let list = web.request("tools/list", json!({}));
        let own = web.call("describe_api", json!({"path": "/version", "method": "GET"}));
        let through = web.call("list_nodes", json!({}));
        let (listed, answered) = (good(&mut web, &list)?, good(&mut web, &own)?);
        good(&mut web, &through)?;
        // What a client gets is the same: as many tools, and the same answer.
        let tools = Listed::write("tools", &listed["result"]["tools"])?;
        let answer = Listed::write("answer", &answered["result"])?;
        let bare = |more: &[&str]| -> io::Result<Server> {
            let mut bare = Command::new(std::env::current_exe()?);
            bare.arg("bare").arg("--tools").arg(&tools.0).arg("--answer").arg(&answer.0).args(more);
            Server::start(bare)
        };
        let (bare, behind) = (bare(&[])?, bare(&["--behind"])?);
        let mut floor = bare.client()?;
        let nothing = floor.call(bare::TOOL, json!({}));
        good(&mut floor, &nothing)?;
        let pairs = [
            Pair { what: "a call without the cluster", ours: own, bare: nothing.clone() },
            Pair { what: "`tools/list`", bare: floor.request("tools/list", json!({})), ours: list },
            Pair { what: "a call to the cluster", ours: through, bare: nothing },
        ];
        Ok(All { ours, bare, behind, pairs })
    }
}

pub fn measure(program: &Path, calls: usize, report: &mut Report) -> io::Result<()> {
    one_by_one(program, calls, report)?;
    let backend = Backend::start(10, 0)?;
    let all = All::start(program, &backend)?;
    for width in [1, 8, 64] {
        rates(&all, &all.pairs[0], (width, calls * MANY), report)?;
    }
    rates(&all, &all.pairs[2], (64, calls * MANY), report)?;
    report.row(
        "HTTP, resident after all that",
        format!("{:.1} MB", resident(all.ours.child.id())?),
        format!("{:.1} MB: a bare server of the SDK", resident(all.bare.child.id())?),
        "",
    );
    Ok(())
}

fn one_by_one(program: &Path, calls: usize, report: &mut Report) -> io::Result<()> {
    let apart = Apart::keep()?;
    let backend = Backend::start(10, 0)?;
    let all = apart.beside(|| All::start(program, &backend))?;
    let (mut web, mut behind, mut floor) = (all.ours.client()?, all.behind.client()?, all.bare.client()?);
    // The floor's own message goes to both: only what stands around the handler differs.
    let [own, list, _] = &all.pairs;
    let alone = |of: &Pair, what| Pair { what, ours: of.bare.clone(), bare: of.bare.clone() };
    let pairs =
        [alone(own, "the floor's tool behind our HTTP"), alone(list, "`tools/list` of the floor behind our HTTP")];
    for pair in &pairs {
        latency(pair, (&mut behind, &mut floor), (calls, true), report)?;
    }
    latency(&pairs[0], (&mut behind, &mut floor), (calls, false), report)?;
    for pair in &all.pairs {
        latency(pair, (&mut web, &mut floor), (calls, true), report)?;
    }
    // Each is asked when the other one's code is what the processors know.
    latency(own, (&mut web, &mut floor), (calls, false), report)
}

fn latency(
    pair: &Pair,
    (web, floor): (&mut Web, &mut Web),
    (calls, in_a_row): (usize, bool),
    report: &mut Report,
) -> io::Result<()> {
    let timed = |web: &mut Web, request: &[u8]| -> io::Result<f64> {
        let start = Instant::now();
        web.send(request)?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        // Turns, of one call each or of many: both meet the same weather.
        let (turns, length) = if in_a_row { (1, calls / ROUNDS) } else { (calls / ROUNDS, 1) };
        for _ in 0..turns {
            let one: Vec<f64> = (0..length).map(|_| timed(web, &pair.ours)).collect::<io::Result<_>>()?;
            let other: Vec<f64> = (0..length).map(|_| timed(floor, &pair.bare)).collect::<io::Result<_>>()?;
            // The first round only warms up.
            if round > 0 {
                ours.extend(one);
                bare.extend(other);
            }
        }
    }
    let (p50, least) = (median(&mut ours), median(&mut bare));
    report.row(
        &format!("HTTP, {}, {}, median", pair.what, if in_a_row { "in a row" } else { "by turns with the floor" }),
        format!("{p50:.3} ms (p99 {:.3}), {:.2}×", quantile(&mut ours, 0.99), p50 / least),
        format!("{least:.3} ms (p99 {:.3}): a bare server of the SDK", quantile(&mut bare, 0.99)),
        if pair.what.contains("to the cluster") || !in_a_row { "" } else { "≤ 1.2×" },
    );
    Ok(())
}

fn rates(all: &All, pair: &Pair, (width, calls): (usize, usize), report: &mut Report) -> io::Result<()> {
    let (mut fast, mut most) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let (one, other) = (rate(&all.ours, &pair.ours, width, calls)?, rate(&all.bare, &pair.bare, width, calls)?);
        if turn > 0 {
            fast.push(one);
            most.push(other);
        }
    }
    let (fast, most) = (median(&mut fast), median(&mut most));
    report.row(
        &format!("HTTP, {}, {width} connections", pair.what),
        format!("{fast:.0}/s, {:.0} %", fast / most * 100.0),
        format!("{most:.0}/s: a bare server of the SDK"),
        if pair.what.contains("to the cluster") { "" } else { "≥ 80 %" },
    );
    Ok(())
}

/// Answers per second over so many connections, each with a client that waits for every answer.
fn rate(server: &Server, request: &[u8], width: usize, calls: usize) -> io::Result<f64> {
    let webs: Vec<Web> = (0..width).map(|_| server.client()).collect::<io::Result<_>>()?;
    let each = calls.div_ceil(width);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let running: Vec<_> = webs
            .into_iter()
            .map(|mut web| {
                scope.spawn(move || -> io::Result<()> {
                    for _ in 0..each {
                        let reply = web.send(request)?;
                        if reply.status != 200 {
                            return Err(io::Error::other(format!("refused with {}", reply.status)));
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| io::Error::other("a client broke"))?)
    })?;
    Ok((each * width) as f64 / start.elapsed().as_secs_f64())
}
