//! Files that setup writes: whole or not at all, and secrets for nobody else to read.
//!
//! Knows folders, modes and renaming; knows nothing of what stands in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(folder.join(format!(".proxmox-mcp.{mark}.tmp")))
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

/// Copies a file beside itself under a name that is free, and gives the copy's name.
///
/// # Errors
/// As the system says.
pub fn back_up(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = |number: u32| {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        path.with_file_name(format!("{name}.bak{suffix}"))
    };
    let copy = (0..).map(free).find(|copy| !copy.exists()).unwrap_or_else(|| path.with_extension("bak"));
    fs::copy(path, &copy)?;
    Ok(copy)
}
