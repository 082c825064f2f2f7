//! `proxmox-mcp call`: one tool, called by a person, through the same engine as an assistant's call.

use super::{Exit, ask, exit, pairs, table, tools};
use crate::catalogue;
use crate::clusters::Clusters;
use crate::engine::{Answer, Failure, FailureKind, Intent, Progress, Watch};
use clap::Args;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Call {
    /// The tool, by any of its names; `proxmox-mcp tools` lists them
    #[arg(value_name = "TOOL")]
    tool: String,
    /// Arguments: `name=text`, or `name:=JSON` for numbers, lists and objects as such
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// Print the answer as JSON, as an assistant gets it
    #[arg(long)]
    json: bool,
    /// Show what the call would do; nothing is sent but reads
    #[arg(long, conflicts_with = "seal")]
    plan: bool,
    /// What the same call was given when it had to be confirmed
    #[arg(long, value_name = "CODE")]
    seal: Option<String>,
}

/// Calls the tool and prints its answer. Ctrl-C ends the waiting, not what was started.
pub async fn run(call: Call, clusters: &Clusters) -> Exit {
    let Some(surface) = catalogue::surface_in(clusters.first().settings().dialect, &call.tool) else {
        eprintln!("proxmox-mcp: {}", tools::unknown(&call.tool));
        return Exit::Usage;
    };
    let mut arguments = match pairs::parse(&call.arguments) {
        Ok(arguments) => arguments,
        Err(text) => {
            eprintln!("proxmox-mcp: {text}");
            return Exit::Usage;
        }
    };
    let engine = match clusters.choose(&mut arguments) {
        Ok(engine) => engine.clone(),
        Err(failure) => return print(Err(failure), call.json),
    };
    let cancelled = CancellationToken::new();
    let (progress, shown) = if std::io::stderr().is_terminal() {
        let (sender, steps) = unbounded_channel();
        (Some(sender), Some(tokio::spawn(show(steps))))
    } else {
        (None, None)
    };
    let interrupted = tokio::spawn({
        let cancelled = cancelled.clone();
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancelled.cancel();
            }
        }
    });
    let intent = match (call.plan, call.seal) {
        (true, _) => Intent::Plan,
        (false, Some(seal)) => Intent::Sealed(seal),
        (false, None) => Intent::Run,
    };
    let client = Some("command line".to_owned());
    let watch = Watch { progress, cancelled, asker: ask::asker(), client, ..Watch::default() };
    let ended = engine.call_to(intent, surface, Some(&arguments), watch).await;
    let ended = match clusters.elsewhere(surface, &engine) {
        Some(line) => ended.map_err(|failure| failure.noting(&line)),
        None => ended,
    };
    interrupted.abort();
    if let Some(shown) = shown {
        // Ends with the call; a broken terminal is no reason to lose the answer.
        let _ = shown.await;
    }
    print(ended, call.json)
}

/// Progress on one line of a terminal, which is empty again at the end.
async fn show(mut steps: UnboundedReceiver<Progress>) {
    let mut terminal = std::io::stderr();
    while let Some(step) = steps.recv().await {
        let share = match step.total {
            Some(total) if total > 0.0 => format!("{:3.0} % ", step.done / total * 100.0),
            _ => String::new(),
        };
        let message: String = table::clean(&step.message).replace('\n', " ").chars().take(70).collect();
        let _ = write!(terminal, "\r\x1b[2K{share}{message}");
        let _ = terminal.flush();
    }
    let _ = write!(terminal, "\r\x1b[2K");
    let _ = terminal.flush();
}

fn print(ended: Result<Answer, Failure>, json: bool) -> Exit {
    let mut answer = match ended {
        Ok(answer) => answer,
        Err(failure) => {
            eprintln!("proxmox-mcp: {}", table::clean(&failure.to_string()));
            return of_failure(&failure);
        }
    };
    let code = of_answer(&answer);
    if answer.text.is_some() && !json {
        // The text below has the end of the log, too.
        answer.content.shift_remove("log");
    }
    let text = if json { format!("{:#}\n", Value::Object(answer.content)) } else { table::answer(&answer.content) };
    let code = exit::output(&text, code);
    if let Some(text) = answer.text {
        eprintln!("proxmox-mcp: {}", table::clean(&text));
    }
    code
}

fn of_answer(answer: &Answer) -> Exit {
    match answer.content.get("outcome").and_then(Value::as_str) {
        Some("running" | "unknown") => Exit::Unsettled,
        _ if answer.failed => Exit::Failed,
        _ => Exit::Done,
    }
}

fn of_failure(failure: &Failure) -> Exit {
    match failure.kind() {
        FailureKind::BadArguments | FailureKind::Ambiguous | FailureKind::Local => Exit::Usage,
        FailureKind::Refused | FailureKind::Unconfirmed | FailureKind::Fenced => Exit::Refused,
        FailureKind::Unauthenticated | FailureKind::Tls | FailureKind::Timeout | FailureKind::Connection => {
            Exit::Unreachable
        }
        FailureKind::Cancelled => Exit::Unsettled,
        FailureKind::Forbidden
        | FailureKind::NotFound
        | FailureKind::Locked
        | FailureKind::NoQuorum
        | FailureKind::NodeOffline
        | FailureKind::Conflict
        | FailureKind::Unreadable
        | FailureKind::Api
        | FailureKind::Busy
        | FailureKind::Broken => Exit::Failed,
    }
}
