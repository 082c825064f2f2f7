//! The config file: where it is, what stands in it, and who may write it.
//!
//! Knows TOML and the table of settings; what a value means is checked where it means the same from a flag or a
//! variable. Tells every mistake of a file at once, each with its line, and never repeats a value: it may be a secret.

mod read;
mod write;

use super::BadSettings;
use super::table::Setting;
use std::path::{Path, PathBuf};
pub use write::{NotWritten, write_cluster};

/// Longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// Said instead of a path for "no file".
pub const NONE: &str = "none";

/// A config file that was read, and is well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    /// For all clusters, and for the process.
    pub top: Vec<Entry>,
    /// In the order of the file.
    pub clusters: Vec<Table>,
    /// What has to be said about the file itself: (is a warning, text).
    pub notices: Vec<(bool, String)>,
}

/// The settings of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// Counted from 1.
    pub line: usize,
    pub entries: Vec<Entry>,
}

/// One setting in the file.
#[derive(Debug, Clone)]
pub struct Entry {
    pub setting: &'static Setting,
    pub raw: Raw,
    /// Counted from 1.
    pub line: usize,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (self.setting.key, &self.raw, self.line) == (other.setting.key, &other.raw, other.line)
    }
}

impl Eq for Entry {}

/// A value before it is checked, as flags and variables bring it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    Text(String),
    List(Vec<String>),
}

impl Raw {
    /// As it would be written into a variable.
    pub fn text(&self) -> String {
        match self {
            Raw::Text(text) => text.clone(),
            Raw::List(list) => list.join(","),
        }
    }
}

impl File {
    /// Where in this file something stands, as messages name it.
    pub fn place(&self, cluster: Option<&str>, line: usize) -> String {
        let path = self.path.display();
        match cluster {
            Some(name) => format!("{path}, line {line}, [clusters.{name}]"),
            None => format!("{path}, line {line}"),
        }
    }
}

/// The file that is to be read: what was said, else the user's own. `None` = there is none to look for.
pub fn path(given: Option<&str>, environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    match given {
        Some(text) if text.eq_ignore_ascii_case(NONE) => None,
        Some(text) => Some(at_home(text, environment)),
        None => Some(folder(environment)?.join("config.toml")),
    }
}

/// The user's own folder for configuration; `None` = no home is known.
pub fn folder(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // What is not absolute is to be ignored, by the specification of these variables.
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    Some(config?.join("proxmox-mcp"))
}

/// Reads the file that was said, or the user's own if it is there.
///
/// # Errors
/// It cannot be read, or something in it is wrong; then everything that is.
pub fn find(given: Option<&str>, environment: &dyn Fn(&str) -> Option<String>) -> Result<Option<File>, BadSettings> {
    let Some(path) = path(given, environment) else { return Ok(None) };
    match text(&path) {
        Ok(text) => {
            let home = environment("HOME").map(PathBuf::from);
            let mut file = read::parse(path, &text, home.as_deref())?;
            file.notices.extend(writable(&file.path).map(|text| (true, text)));
            Ok(Some(file))
        }
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let says = format!(
                "the config file {} cannot be read: {error}. Name another one with --config (PROXMOX_CONFIG), or `none` \
                 for no file",
                path.display()
            );
            Err(BadSettings::Contradiction(says))
        }
    }
}

/// The text of a file, as if it stood at `path`.
///
/// # Errors
/// Everything in it that is wrong.
pub fn parse(path: &Path, text: &str) -> Result<File, BadSettings> {
    read::parse(path.to_owned(), text, None)
}

fn text(path: &Path) -> std::io::Result<String> {
    use std::io::{Error, ErrorKind, Read};
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is longer than {LONGEST} bytes")));
    }
    Ok(text)
}

/// `~/` is the home folder. What is relative is made absolute: what stands in the file is relative to it.
fn at_home(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    match (text.strip_prefix("~/"), environment("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => std::path::absolute(text).unwrap_or_else(|_| PathBuf::from(text)),
    }
}

/// What to say when others can change what this program may do.
#[cfg(unix)]
fn writable(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    let shown = path.display();
    (mode & 0o022 != 0).then(|| {
        format!(
            "The config file {shown} can be written by others (mode {mode:o}), and it says what may be done. Put it \
             right with: chmod 600 {shown}"
        )
    })
}

#[cfg(not(unix))]
fn writable(_path: &Path) -> Option<String> {
    None
}
