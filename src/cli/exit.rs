//! The exit codes, as `--help` documents them.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The API said no, or the task ended in an error.
    Failed = 1,
    /// The command line, a setting or an argument is wrong.
    Usage = 2,
    /// Tier, allow or deny.
    Refused = 3,
    /// Unreachable, untrusted, or not authenticated.
    Unreachable = 4,
    /// Still running, or sent without an answer.
    Unsettled = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Writes an answer to standard output. A reader that went away (`| head`) is no failure; an answer that could not be
/// written is one, and said.
pub fn output(text: &str, exit: Exit) -> Exit {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("proxmox-mcp: the answer could not be written to standard output: {error}");
            Exit::Failed
        }
        _ => exit,
    }
}
