//! The folder of waiting calls: readable and writable by its owner alone, each file written whole or not at all.
//!
//! Knows names of files and permissions; what is in a file is not its business.

use super::code;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// Ends of the names: a call that waits, one that is being written, one that was taken.
const WAITING: &str = "json";
const DRAFT: &str = "draft";
const TAKEN: &str = "taken";

/// What is left of processes that died may be removed after so long.
const STALE: Duration = Duration::from_secs(3_600);

/// Longest file that is read, in bytes: more was not written by this program.
const LONGEST: u64 = 256 * 1024;

#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn at(path: PathBuf) -> Folder {
        Folder { path }
    }

    /// Makes the folder, if need be, and closes it to others.
    pub fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(|error| self.told("make", &error))?;
        self.close()
    }

    #[cfg(unix)]
    fn close(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&self.path)?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        // Only its owner can do this.
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o700)).map_err(|error| self.told("close", &error))
    }

    #[cfg(not(unix))]
    fn close(&self) -> io::Result<()> {
        Ok(())
    }

    /// The codes of the files that are there. Removes what dead processes left.
    pub fn sweep(&self, now: u64) -> io::Result<Vec<String>> {
        let mut codes = Vec::new();
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(codes),
            Err(error) => return Err(self.told("read", &error)),
        };
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            match path.extension().and_then(|end| end.to_str()) {
                // The name becomes part of a path again, so it must be one that was made here.
                Some(WAITING) if code::normal(stem).as_deref() == Some(stem) => codes.push(stem.to_owned()),
                Some(DRAFT | TAKEN) => {
                    let age = fs::metadata(&path).and_then(|file| file.modified()).ok();
                    let now = UNIX_EPOCH + Duration::from_secs(now);
                    if age.is_some_and(|made| now.duration_since(made).is_ok_and(|age| age > STALE)) {
                        gone(fs::remove_file(&path))?;
                    }
                }
                _ => {}
            }
        }
        Ok(codes)
    }

    /// The file's text; `None` when it is not there, or nothing that was written here.
    pub fn read(&self, code: &str) -> Option<String> {
        let path = self.file(code, WAITING);
        let file = fs::symlink_metadata(&path).ok()?;
        if !file.is_file() || file.len() > LONGEST {
            return None;
        }
        fs::read_to_string(path).ok()
    }

    /// Writes the file whole: nobody ever sees a part of it.
    pub fn write(&self, code: &str, text: &str) -> io::Result<()> {
        let name = format!("{code}-{}", code::hex(&code::random::<8>()?));
        let draft = self.file(&name, DRAFT);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&draft).and_then(|mut file: File| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let moved = written.and_then(|()| fs::rename(&draft, self.file(code, WAITING)));
        if moved.is_err() {
            // The first trouble is the one to tell.
            let _ = fs::remove_file(&draft);
        }
        moved.map_err(|error| self.told("write in", &error))
    }

    /// The text of a file that is there for nobody else any more; `None` when somebody was faster.
    pub fn take(&self, code: &str) -> io::Result<Option<String>> {
        let name = format!("{code}-{}", code::hex(&code::random::<8>()?));
        let taken = self.file(&name, TAKEN);
        match fs::rename(self.file(code, WAITING), &taken) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.told("write in", &error)),
        }
        let text = fs::read_to_string(&taken);
        gone(fs::remove_file(&taken))?;
        text.map(Some)
    }

    pub fn remove(&self, code: &str) -> io::Result<()> {
        gone(fs::remove_file(self.file(code, WAITING)))
    }

    fn file(&self, name: &str, end: &str) -> PathBuf {
        self.path.join(format!("{name}.{end}"))
    }

    fn told(&self, what: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot {what} the folder {}: {error}", self.path.display()))
    }
}

/// Somebody else may have removed it at the same moment.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
