//! `proxmox-mcp approve`: a person in a terminal looks at a call that waits, and approves it or not.
//!
//! Takes its answer from a terminal and from nothing else: a program that pipes words in is no person. Sends nothing to
//! a cluster; the server that put the call down sends it, when the assistant calls again.

use super::{Exit, exit, table};
use crate::approvals::{Approvals, Waiting};
use crate::settings::{Flags, Layers, layers};
use clap::Args;
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::SystemTime;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Approve {
    /// The code that the assistant was given; without it, all that wait are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Lists what waits, or shows one call and asks.
pub fn run(approve: &Approve, flags: &Flags) -> Exit {
    let settings = match Layers::read(flags, &layers::process).and_then(|layers| layers.top().limits()) {
        Ok(settings) => settings,
        Err(error) => return wrong(&error.to_string()),
    };
    let Some(folder) = &settings.state_dir else {
        return wrong("there is no home folder to look in: set PROXMOX_STATE_DIR (--state-dir) as for the server");
    };
    let approvals = Approvals::below(folder);
    let ended = match &approve.code {
        None => list(&approvals),
        Some(code) => one(&approvals, code),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("proxmox-mcp: {error}");
        Exit::Failed
    })
}

fn wrong(says: &str) -> Exit {
    eprintln!("proxmox-mcp: {says}");
    Exit::Usage
}

fn list(approvals: &Approvals) -> io::Result<Exit> {
    let now = now();
    let waiting: Vec<Waiting> = approvals.list(now)?.into_iter().filter(|one| one.person).collect();
    if waiting.is_empty() {
        return Ok(exit::output("No call waits for approval.\n", Exit::Done));
    }
    let mut text = String::new();
    for one in waiting {
        let state = if one.approved { "approved" } else { "waits" };
        let (title, left) = (table::clean(&one.title), spoken(one.end.saturating_sub(now)));
        text.push_str(&format!("{}  {state}, {left} left  {title}\n", one.code));
    }
    Ok(exit::output(&text, Exit::Done))
}

fn one(approvals: &Approvals, code: &str) -> io::Result<Exit> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(wrong(
            "`approve` takes its answer from a person: run it in a terminal, with neither input nor output redirected. \
             Nothing was approved",
        ));
    }
    let Some(one) = approvals.find(code, now())?.filter(|one| one.person) else {
        eprintln!(
            "proxmox-mcp: no call waits under this code: it was used, rejected, has expired, or another user's server \
             gave it. `proxmox-mcp approve` lists what waits"
        );
        return Ok(Exit::Usage);
    };
    if one.approved {
        println!("{} is approved already. Tell the assistant to go on.", one.code);
        return Ok(Exit::Done);
    }
    let words: Vec<String> = one.words.iter().map(|word| format!("`{}`", table::clean(word))).collect();
    let left = spoken(one.end.saturating_sub(now()));
    println!("{}\n\n{}\n", table::clean(&one.title), table::clean(&one.plan));
    print!("Type {} to approve this ({left} left), `no` to reject it: ", words.join(" or "));
    io::stdout().flush()?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    let typed = typed.trim();
    if one.words.iter().any(|word| word == typed) {
        // The time ran on while the person read.
        if one.end <= now() || !approvals.approve(&one)? {
            eprintln!("proxmox-mcp: too late: this call does not wait any longer. Nothing was approved");
            return Ok(Exit::Refused);
        }
        println!("Approved, once. Tell the assistant to go on.");
        return Ok(Exit::Done);
    }
    if typed.eq_ignore_ascii_case("no") {
        approvals.remove(&one)?;
        println!("Rejected.");
        return Ok(Exit::Refused);
    }
    println!("This is not {}. Nothing was approved; the call still waits.", words.join(" or "));
    Ok(Exit::Refused)
}

fn spoken(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
