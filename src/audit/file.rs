//! Where the lines go: a file that only grows, or standard error.
//!
//! Knows files; of a line only that it ends with a hash. Each line is written whole, at the end, in one write: two
//! processes may share a file.

use super::chain::parts;
use crate::settings::AuditTo;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest end of the file that is looked at for its last line, in bytes; a line with a large request is shorter.
const TAIL: u64 = 8 * 1024 * 1024;
/// How often another process that just made the file is given time for its first line, and how much.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// An open log.
#[derive(Debug)]
pub enum Sink {
    File {
        file: File,
        path: PathBuf,
        /// The last write may have left a part of a line.
        torn: bool,
    },
    Stderr,
}

impl Sink {
    /// Opens the log; gives the hash of its last line, empty if there is none.
    ///
    /// # Errors
    /// The file cannot be made, opened or read.
    pub fn open(to: &AuditTo) -> io::Result<(Sink, String)> {
        let AuditTo::File(path) = to else { return Ok((Sink::Stderr, String::new())) };
        let (file, new) = match options().create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => (options().open(path)?, false),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
        }
        let mut tail = tail(path)?;
        for _ in 0..TRIES {
            if new || !tail.is_empty() {
                break;
            }
            std::thread::sleep(PAUSE);
            tail = self::tail(path)?;
        }
        let torn = !tail.is_empty() && !tail.ends_with(b"\n");
        let text = String::from_utf8_lossy(&tail);
        let head = text.lines().rev().find_map(|line| parts(line).map(|(_, hash)| hash.to_owned()));
        Ok((Sink::File { file, path: path.clone(), torn }, head.unwrap_or_default()))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// It was not written, or not whole.
    pub fn write(&mut self, line: &str) -> io::Result<()> {
        match self {
            Sink::Stderr => {
                let mut stderr = io::stderr().lock();
                stderr.write_all(format!("{line}\n").as_bytes())?;
                stderr.flush()
            }
            Sink::File { file, torn, .. } => {
                // What was left of a line stays a line of its own, and is found.
                let begin = if *torn { "\n" } else { "" };
                let text = format!("{begin}{line}\n");
                *torn = true;
                file.write_all(text.as_bytes())?;
                *torn = false;
                Ok(())
            }
        }
    }

    /// Waits until the disk has what was written.
    ///
    /// # Errors
    /// It may not have it.
    pub fn sync(&self) -> io::Result<()> {
        match self {
            Sink::Stderr => Ok(()),
            Sink::File { file, .. } => file.sync_data(),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sink::File { path, .. } => AuditTo::File(path.clone()).fmt(f),
            Sink::Stderr => AuditTo::Stderr.fmt(f),
        }
    }
}

/// A new file is nobody else's to read: it holds arguments.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// The end of the file.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}
