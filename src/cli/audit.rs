//! `proxmox-mcp audit verify`: whether an audit log is as it was written.
//!
//! Reads one file; changes nothing and connects to nothing.

use super::exit::{self, Exit};
use crate::audit::{self, Report};
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check that no line was edited, removed, inserted or moved, and print the hash of the last one
    Verify {
        /// The log, as given to --audit
        file: PathBuf,
    },
}

/// Runs the subcommand. The exit code is 1 if a line does not fit.
pub fn run(audit: &Audit) -> Exit {
    let What::Verify { file } = &audit.what;
    let checked = File::open(file).and_then(|open| audit::verify(BufReader::new(open)));
    match checked {
        Ok(Ok(report)) => exit::output(&told(file, &report), Exit::Done),
        Ok(Err(broken)) => {
            let text = format!("{}: line {} {}\n", file.display(), broken.line, broken.why);
            exit::output(&text, Exit::Failed)
        }
        Err(error) => {
            eprintln!("proxmox-mcp: {} cannot be read: {error}", file.display());
            Exit::Usage
        }
    }
}

fn told(file: &Path, report: &Report) -> String {
    let mut text = format!(
        "{}: {} lines hold: {} starts, {} changes, {} refusals\n",
        file.display(),
        report.lines,
        report.starts,
        report.intents,
        report.refusals
    );
    if !report.open.is_empty() {
        let lines: Vec<String> = report.open.iter().map(u64::to_string).collect();
        text.push_str(&format!("without an outcome: line {}\n", lines.join(", ")));
    }
    if report.head.is_empty() {
        text.push_str("head: none, the log is empty\n");
    } else {
        text.push_str(&format!("head: {}\n", report.head));
    }
    text
}
