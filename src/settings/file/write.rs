//! Putting a cluster into a config file: comments and all other clusters stay as they are.
//!
//! The new text goes into a file beside the old one, to the disk, and then takes its place: a process that dies leaves
//! the old file or the new one, and nothing between.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml_edit::{DocumentMut, Item, Table};

/// How drafts begin and end, with something random between: those of this file, and those of secrets that `setup` puts
/// beside it.
const DRAFTS: [&str; 2] = [".config.", ".proxmox-mcp."];
const DRAFT_END: &str = ".tmp";

/// What is left of processes that died may be removed after so long; a draft lives for milliseconds.
const STALE: Duration = Duration::from_secs(3_600);

/// Why a file was not written. The old one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    #[error("{} cannot be written: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{0}")]
    Wrong(String),
}

/// Sets these keys of the cluster `name` in the file at `path`, and removes those of `answered` that are not among them:
/// the old answers to the same questions. Its other keys, comments, the top level and other clusters stay. Makes the file, and its folder, if need be.
///
/// # Errors
/// The file is no config file, what would stand in it is none, or it cannot be written.
pub fn write_cluster(path: &Path, name: &str, table: &Table, answered: &[&str]) -> Result<(), NotWritten> {
    let failed = |error| NotWritten::Io { path: path.to_owned(), error };
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let text = with_cluster(path, &old, name, table, answered).map_err(NotWritten::Wrong)?;
    // A link stays one: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, &text).map_err(failed)
}

/// The text of a file with this cluster in it.
fn with_cluster(path: &Path, old: &str, name: &str, table: &Table, answered: &[&str]) -> Result<String, String> {
    let wrong = |error: super::BadSettings| error.to_string();
    // A file with mistakes is not made worse, and a mistake is not looked for in what was just written.
    super::parse(path, old).map_err(wrong)?;
    let mut document: DocumentMut = old.parse().map_err(|_| format!("{} is no TOML", path.display()))?;
    let clusters = document.entry("clusters").or_insert_with(|| {
        let mut tables = Table::new();
        tables.set_implicit(true);
        Item::Table(tables)
    });
    let clusters =
        clusters.as_table_like_mut().ok_or_else(|| format!("`clusters` in {} is no table", path.display()))?;
    match clusters.get_mut(name).and_then(Item::as_table_like_mut) {
        Some(known) => {
            for key in answered.iter().filter(|key| !table.contains_key(key)) {
                known.remove(key);
            }
            for (key, item) in table.iter() {
                match known.get_mut(key) {
                    // The comment behind a value belongs to the value.
                    Some(old) => {
                        let decor = old.as_value().map(|value| value.decor().clone());
                        *old = item.clone();
                        if let (Some(decor), Some(value)) = (decor, old.as_value_mut()) {
                            *value.decor_mut() = decor;
                        }
                    }
                    None => _ = known.insert(key, item.clone()),
                }
            }
        }
        None => {
            let mut table = table.clone();
            if !old.trim().is_empty() {
                table.decor_mut().set_prefix("\n");
            }
            clusters.insert(name, Item::Table(table));
        }
    }
    let text = document.to_string();
    super::parse(path, &text).map_err(wrong)?;
    Ok(text)
}

/// Writes a file whole: beside the old one first, and readable by its owner alone.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make(folder)?;
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = folder.join(format!("{}{mark}{DRAFT_END}", DRAFTS[0]));
    let written = write(&beside, text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Nobody else knows its name.
        let _ = fs::remove_file(&beside);
    }
    written?;
    // The new name is on the disk as well; not every file system can be told to.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    sweep(folder);
    Ok(())
}

/// Removes drafts of processes that died: there may be a secret in one. What cannot be removed does no harm.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let drafts = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        DRAFTS.iter().any(|begin| name.starts_with(begin)) && name.ends_with(DRAFT_END)
    });
    let stale = drafts.filter(|draft| {
        let modified = draft.metadata().and_then(|file| file.modified());
        modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > STALE))
    });
    for draft in stale {
        let _ = fs::remove_file(draft.path());
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}
