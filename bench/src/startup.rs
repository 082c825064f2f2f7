//! How long a client waits at the start, beside the spawn of a program that only echoes.

use crate::report::{Report, median};
use crate::server::{INITIALIZE, INITIALIZED, LIST, command};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const RUNS: usize = 200;

/// Milliseconds from the spawn to the first answer and to the second.
fn run(command: &mut Command, second: &str) -> io::Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let missing = || io::Error::other("not piped");
    let mut input = child.stdin.take().ok_or_else(missing)?;
    let mut output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
    let mut line = String::new();
    let mut ask = |text: &str| -> io::Result<f64> {
        writeln!(input, "{text}")?;
        line.clear();
        output.read_line(&mut line)?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    };
    let times = (ask(INITIALIZE)?, ask(second)?);
    drop(input);
    child.wait()?;
    Ok(times)
}

pub fn measure(server: &Path, report: &mut Report) -> io::Result<()> {
    let (mut first, mut second, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    let list = format!("{INITIALIZED}\n{LIST}");
    for _ in 0..RUNS {
        // Certificates would be verified against the system's roots; no connection is made.
        let (initialize, listed) = run(&mut command(server, 1, None), &list)?;
        first.push(initialize);
        second.push(listed);
        floor.push(run(&mut Command::new("cat"), LIST)?.1);
    }
    let floor = median(&mut floor);
    let shown = format!("{floor:.2} ms: `cat`");
    report.row("Spawn → `initialize`", format!("{:.2} ms", median(&mut first)), shown.clone(), "");
    report.row("Spawn → `tools/list`", format!("{:.2} ms", median(&mut second)), shown, "≤ 5 ms");
    Ok(())
}
