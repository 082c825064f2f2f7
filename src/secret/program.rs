//! Running a program that prints a secret or takes one: without a shell, without a terminal, and not for ever.
//!
//! Knows processes; knows nothing of what they are asked. A secret goes to a program on its standard input only: its
//! arguments can be read by everybody on the machine.

use super::LONGEST;
use crate::engine::clean;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};

/// How much of what it says is shown, in characters.
const SHOWN: usize = 400;

/// A program that came to its end.
pub struct Ended {
    /// Standard output: the secret, perhaps. At most one byte more than [`LONGEST`].
    pub printed: Vec<u8>,
    /// Standard error on one line, fit to be shown.
    pub said: String,
    pub status: ExitStatus,
}

/// Why it came to no end.
pub enum NotEnded {
    /// There is no such program.
    Missing,
    /// It cannot be started or followed, as the system says.
    Broken(String),
    /// It ran longer than it may, and was ended.
    Slow,
}

/// Runs it. `input` is all that it can read; `None` = nothing.
///
/// # Errors
/// It did not end by itself within `patience`, or did not begin.
pub async fn run(command: &mut Command, input: Option<&[u8]>, patience: Duration) -> Result<Ended, NotEnded> {
    let broken = |error: io::Error| NotEnded::Broken(error.to_string());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotEnded::Missing,
        _ => broken(error),
    })?;
    let (to, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ended = async {
        let (given, printed, said) = tokio::join!(give(to, input.unwrap_or_default()), all(out), all(err));
        given?;
        Ok::<_, io::Error>((printed?, said?, child.wait().await?))
    };
    let (printed, said, status) =
        tokio::time::timeout(patience, ended).await.map_err(|_| NotEnded::Slow)?.map_err(broken)?;
    let said = clean::line(String::from_utf8_lossy(&said).trim(), SHOWN);
    Ok(Ended { printed, said, status })
}

async fn give(to: Option<ChildStdin>, input: &[u8]) -> io::Result<()> {
    let Some(mut to) = to else { return Ok(()) };
    match to.write_all(input).await {
        // It did not want to read; how it ends says why.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

async fn all(from: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(LONGEST + 1).read_to_end(&mut bytes).await?;
        // The rest is thrown away, so that the program can end.
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}
