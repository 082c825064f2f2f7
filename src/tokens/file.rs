//! The file of tokens: read whole, written whole, by its owner alone.
//!
//! A new file takes the place of the old one in one step, so whoever dies in the middle leaves one of the two. Knows
//! files and tables; what is in an entry is not its business.

use super::entry::{BadEntry, Entry};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;
/// The one key of the file.
const LIST: &str = "token";
const HEAD: &str = "# Bearer tokens for proxmox-mcp over HTTP. Made by `proxmox-mcp token new`; the tokens themselves are \
                    not in here.\n\n";

/// What tells one version of the file from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    /// Of the file itself: a new one has another.
    inode: (u64, i64, i64),
}

impl Stamp {
    /// `None`: there is no such file, or it cannot be looked at.
    pub(super) fn of(path: &Path) -> Option<Stamp> {
        let file = fs::metadata(path).ok()?;
        Some(Stamp { length: file.len(), modified: file.modified().ok(), inode: inode(&file) })
    }
}

#[cfg(unix)]
fn inode(file: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (file.ino(), file.ctime(), file.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

/// Why the file was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    #[error("there is a token `{0}` already; revoke it first (`proxmox-mcp token revoke {0}`), or choose another name")]
    Taken(String),
    #[error("there is no token `{name}`{near}")]
    Unknown { name: String, near: String },
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
}

/// The entries; none if there is no file. An entry that cannot be used is told apart from the others.
///
/// # Errors
/// The file cannot be read, is no file of tokens, or others than its owner can write to it.
pub fn read(path: &Path) -> io::Result<Vec<Result<Entry, BadEntry>>> {
    let tables = tables(path)?;
    Ok(tables.iter().enumerate().map(|(at, table)| Entry::parse(table, at + 1)).collect())
}

/// Adds a token.
///
/// # Errors
/// There is one of this name, or the file cannot be read or written.
pub fn add(path: &Path, entry: &Entry) -> Result<(), NotChanged> {
    change(path, |tables| {
        if tables.iter().any(|table| named(table, &entry.name)) {
            return Err(NotChanged::Taken(entry.name.clone()));
        }
        tables.push(entry.table());
        Ok(())
    })
}

/// Takes a token out.
///
/// # Errors
/// There is none of this name, or the file cannot be read or written.
pub fn revoke(path: &Path, name: &str) -> Result<(), NotChanged> {
    change(path, |tables| {
        let before = tables.len();
        tables.retain(|table| !named(table, name));
        if tables.len() < before {
            return Ok(());
        }
        let names = tables.iter().filter_map(|table| table.get("name")?.as_str());
        let near = proxmox_spec::nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
        Err(NotChanged::Unknown { name: name.to_owned(), near: near.unwrap_or_default() })
    })
}

fn named(table: &Table, name: &str) -> bool {
    table.get("name").and_then(Value::as_str) == Some(name)
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<Table>) -> Result<(), NotChanged>) -> Result<(), NotChanged> {
    let failed = |error: io::Error| NotChanged::File(path.to_owned(), error);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make(folder).map_err(failed)?;
    }
    // Held to the end: two who change it at a time would lose one of the changes.
    let _lock = lock(path).map_err(failed)?;
    let mut tables = tables(path).map_err(failed)?;
    edit(&mut tables)?;
    write(path, tables).map_err(failed)
}

fn tables(path: &Path) -> io::Result<Vec<Table>> {
    let bad = |says: String| io::Error::new(ErrorKind::InvalidData, says);
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if !found.is_file() || found.len() > LONGEST {
        return Err(bad("it is no file, or one of several megabytes".to_owned()));
    }
    private(&found).map_err(bad)?;
    let text = fs::read_to_string(path)?;
    // The parser's own message would repeat the line, with its hash.
    let whole: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
        bad(format!("it is not TOML; look at line {line}"))
    })?;
    if let Some(key) = whole.keys().find(|key| *key != LIST) {
        return Err(bad(format!("there is no key `{key}`; every token is a table [[{LIST}]]")));
    }
    let Some(list) = whole.get(LIST) else { return Ok(Vec::new()) };
    let tables = list.as_array().and_then(|all| all.iter().map(|one| one.as_table().cloned()).collect());
    tables.ok_or_else(|| bad(format!("`{LIST}` is no list of tables [[{LIST}]]")))
}

/// Whoever can write to the file can let himself in.
#[cfg(unix)]
fn private(file: &Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o022 == 0 {
        return Ok(());
    }
    Err(format!("others than its owner can write to it (mode {mode:03o}); set it to 600 (`chmod 600`)"))
}

#[cfg(not(unix))]
fn private(_: &Metadata) -> Result<(), String> {
    Ok(())
}

fn write(path: &Path, tables: Vec<Table>) -> io::Result<()> {
    let mut whole = Table::new();
    whole.insert(LIST.to_owned(), Value::Array(tables.into_iter().map(Value::Table).collect()));
    let text = format!("{HEAD}{whole}");
    let draft = beside(path, "new");
    let mut file = options().truncate(true).open(&draft)?;
    closed(&file)?;
    file.write_all(text.as_bytes())?;
    // On the disk before it has its name, and its name as well before anybody is told.
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        #[cfg(unix)]
        Some(folder) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// A file that the owner alone can read.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that was there keeps its mode otherwise.
#[cfg(unix)]
fn closed(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn closed(_: &File) -> io::Result<()> {
    Ok(())
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Waits for whoever changes the file right now. Gone with the process that holds it.
fn lock(path: &Path) -> io::Result<File> {
    let file = options().open(beside(path, "lock"))?;
    #[cfg(unix)]
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{end}"));
    path.with_file_name(name)
}
