//! Files that are written whole or not at all: the config file, secrets, the settings of MCP clients.
//!
//! The new text goes into a draft beside the old file, to the disk, and then takes its place: a process that dies leaves
//! one of the two, and perhaps the draft, which the next one removes. Knows folders, modes and renaming; knows nothing of
//! what stands in the files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the name of a draft begins and ends, with [`MARK`] hexadecimal digits between.
const BEGIN: &str = ".proxmox-mcp.";
const MARK: usize = 16;
const END: &str = ".tmp";

/// Drafts of processes that died may be removed after so long; a draft lives for milliseconds.
const STALE: Duration = Duration::from_secs(3_600);

/// Writes a file beside the old one, to the disk, and puts it in its place: a process that dies leaves one of the two.
/// A new file is readable by its owner alone; one that is there keeps its mode if `private` is false.
///
/// # Errors
/// As the system says.
pub fn replace(path: &Path, text: &str, private: bool) -> io::Result<()> {
    // A link stays one: what it points to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = if private { None } else { fs::metadata(path).ok().map(|known| known.permissions()) };
    let beside = beside(path)?;
    let written = write(&beside, text, mode).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Nobody else knows its name.
        let _ = fs::remove_file(&beside);
    }
    written?;
    // Not every file system can be told to.
    if let Some(Ok(folder)) = beside.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    beside.parent().into_iter().for_each(sweep);
    Ok(())
}

/// Could [`replace`] write here? Makes the folder, and leaves nothing else behind.
///
/// # Errors
/// As the system says.
pub fn writable(path: &Path) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let beside = beside(path)?;
    write(&beside, "", None).and_then(|()| fs::remove_file(&beside))
}

/// A new name in the folder of a file, which is made if need be.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut random = [0_u8; MARK / 2];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(folder.join(format!("{BEGIN}{mark}{END}")))
}

/// Removes drafts of processes that died: there may be a secret in one. What cannot be removed does no harm.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let stale = entries.filter(|entry| is_draft(&entry.file_name().to_string_lossy())).filter(|draft| {
        let file = draft.metadata().ok().filter(fs::Metadata::is_file);
        let age = file.and_then(|file| file.modified().ok()?.elapsed().ok());
        age.is_some_and(|age| age > STALE)
    });
    for draft in stale {
        let _ = fs::remove_file(draft.path());
    }
}

fn is_draft(name: &str) -> bool {
    let mark = name.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    mark.is_some_and(|mark| mark.len() == MARK && mark.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn write(path: &Path, text: &str, mode: Option<fs::Permissions>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    file.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}
