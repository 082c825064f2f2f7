//! Putting a cluster into a config file: comments and all other clusters stay as they are.

use crate::whole;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table};

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
    whole::replace(path, &text, true).map_err(failed)
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
