//! How long a client waits at the start: spawn → answer of `initialize` → answer of `tools/list`, beside the floor of a
//! program that only echoes. `cargo bench --bench startup`; whole-process times, so quote the medians and the ratio.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

const RUNS: usize = 100;
const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
    r#""clientInfo":{"name":"bench","version":"0"}}}"#
);
const LIST: &str = concat!(
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#
);

/// Milliseconds from the spawn to the first line, and to the second one when it is asked for.
fn run(command: &mut Command, second: Option<&str>) -> (f64, f64) {
    let start = Instant::now();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("piped");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut ask = |text: &str| {
        writeln!(input, "{text}").expect("written");
        lines.next().expect("an answer").expect("text");
        start.elapsed().as_secs_f64() * 1000.0
    };
    let first = ask(INITIALIZE);
    let then = second.map_or(first, &mut ask);
    drop(input);
    child.wait().expect("it ends");
    (first, then)
}

fn report(what: &str, times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!("{what:<28} min {:>6.2}  median {median:>6.2}  max {:>6.2} ms", times[0], times[times.len() - 1]);
    median
}

fn main() {
    let server = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxmox-mcp"));
        // Certificates are verified against the system's roots; no connection is made.
        command.args(["--tier", "admin"]).current_dir(env!("CARGO_TARGET_TMPDIR")).env_clear();
        command.envs([
            ("PROXMOX_HOST", "127.0.0.1:1"),
            ("PROXMOX_USER", "nobody@pve"),
            ("PROXMOX_TOKEN_NAME", "none"),
            ("PROXMOX_TOKEN_VALUE", "00000000-0000-0000-0000-000000000000"),
        ]);
        command
    };
    let (mut first, mut second, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (initialize, list) = run(&mut server(), Some(LIST));
        first.push(initialize);
        second.push(list);
        floor.push(run(&mut Command::new("cat"), None).0);
    }
    let initialize = report("spawn -> initialize", &mut first);
    report("spawn -> tools/list", &mut second);
    let floor = report("floor: spawn of `cat`", &mut floor);
    println!("initialize / floor {:.1}", initialize / floor);
}
