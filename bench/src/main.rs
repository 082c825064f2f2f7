//! Speed, memory and tokens of the built server, each beside its floor, taken in the same run.
//!
//! `cargo run --release -p proxmox-bench -- --server target/release/proxmox-mcp` prints one table. The backend is a
//! process of its own that answers over HTTPS from prepared bytes; the server is the release binary over real pipes.
//! Machines differ and are shared: quote ratios, and the number beside its floor.

mod awake;
mod backend;
mod calls;
mod floor;
mod load;
mod memory;
mod processors;
mod report;
mod server;
mod startup;
mod tokens;
mod web;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The binary that is measured.
    #[arg(long, default_value = "target/release/proxmox-mcp")]
    server: PathBuf,
    /// A binary built with `--no-default-features`, for its size.
    #[arg(long)]
    lean: Option<PathBuf>,
    /// Only these parts: startup, calls, wide, slow, memory, lists, http.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Let the processors fall asleep between messages.
    #[arg(long)]
    asleep: bool,
    /// Calls of the sequential parts; the others go by it.
    #[arg(long, default_value_t = 4_000)]
    calls: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Serves prepared answers over HTTPS until it is killed; prints its port and its certificate's fingerprint.
    Backend {
        /// Guests in the list of resources.
        #[arg(long, default_value_t = 1_000)]
        guests: u32,
        /// Milliseconds before every answer.
        #[arg(long, default_value_t = 0)]
        delay: u64,
    },
    /// Keeps one processor busy until it is killed.
    Spin,
    /// Serves the bare SDK over HTTP until it is killed; prints its URL.
    Bare {
        /// Tools that are listed beside its own: a file with a list in JSON.
        #[arg(long)]
        tools: PathBuf,
        /// What its own tool answers: a file with the result of a call in JSON.
        #[arg(long)]
        answer: PathBuf,
        /// Behind the HTTP of the measured server.
        #[arg(long)]
        behind: bool,
    },
    /// Lets many clients work over HTTP while the cluster has faults, and holds what they were told against what it did.
    Load {
        /// How long; at least once through all faults.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// How many at a time.
        #[arg(long, default_value_t = 64)]
        clients: usize,
    },
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Backend { guests, delay }) => return backend::serve(guests, delay),
        Some(Command::Spin) => awake::spin(),
        Some(Command::Bare { tools, answer, behind }) => {
            return web::bare::serve(&std::fs::read_to_string(tools)?, &std::fs::read_to_string(answer)?, behind);
        }
        Some(Command::Load { seconds, clients }) => {
            let mut report = report::Report::default();
            load::run(&arguments.server.canonicalize()?, seconds, clients, &mut report)?;
            report.print();
            return Ok(());
        }
        None => {}
    }
    let _awake = if arguments.asleep { None } else { Some(awake::Awake::keep()?) };
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let server = arguments.server.canonicalize()?;
    let mut report = report::Report::default();
    if wanted("startup") {
        startup::measure(&server, &mut report)?;
    }
    if wanted("calls") {
        calls::one_at_a_time(&server, arguments.calls, &mut report)?;
    }
    if wanted("wide") {
        calls::many_at_once(&server, &mut report)?;
    }
    if wanted("slow") {
        calls::slow_backend(&server, &mut report)?;
    }
    if wanted("memory") {
        memory::measure(&server, &mut report)?;
    }
    if wanted("lists") {
        tokens::measure(&server, &mut report)?;
    }
    if wanted("http") {
        web::measure(&server, arguments.calls, &mut report)?;
    }
    if let Some(lean) = &arguments.lean {
        let bytes = std::fs::metadata(lean)?.len();
        report.row("Release binary without the sandbox", format!("{:.2} MB", bytes as f64 / 1e6), "", "≤ 8 MB");
    }
    report.print();
    Ok(())
}
