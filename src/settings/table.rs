//! All settings as data: where each may be said, what it may be, and what it means.
//!
//! From this table come the keys of the config file, the order of the layers, `config show`, the file's JSON schema and
//! the table in the documentation. Knows names and forms; what a value means is checked beside the settings themselves.

mod rows;

use super::Flags;
pub use rows::{TABLE, connects};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its key in the file, and its name everywhere else.
    pub key: &'static str,
    /// Empty = none.
    pub variable: &'static str,
    /// With its dashes; empty = none, as the command line can be read by others.
    pub flag: &'static str,
    pub kind: Kind,
    /// What holds when nobody says anything, in words; empty = nothing does.
    pub default: &'static str,
    pub place: Place,
    pub field: Field,
    /// Keys that layers below lose when a layer sets this one: two answers to one question.
    pub hides: &'static [&'static str],
    /// What it means, in a sentence or two.
    pub says: &'static str,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// In the file: relative to the file's own folder, and `~/` is the home folder.
    Path,
    /// As a path; or this word.
    PathOr(&'static str),
    /// One text, or several: a list in the file, commas elsewhere.
    Texts,
    /// Names: a list in the file, commas elsewhere.
    List,
    Number {
        least: u64,
        most: u64,
    },
    Boolean,
    Choice(&'static [&'static str]),
    /// A program and its arguments: a list in the file, or one text with the quotes of a shell.
    Command,
}

/// Where a setting may stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the top level for all clusters, and in the table of one.
    Cluster,
    /// At the top level only: one process has one of it.
    Server,
    /// Not in the file.
    Nowhere,
    /// Not in the file, because the file is no place for a secret.
    Secret,
}

/// How the value gets to whoever checks it.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    One(fn(&mut Flags) -> &mut Option<String>),
    Many(fn(&mut Flags) -> &mut Vec<String>),
    /// By the name of its variable.
    Variable,
    /// It is asked for by its key.
    Key,
}

/// The setting under this key.
pub fn by_key(key: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.key == key)
}

/// The setting of this variable.
pub fn by_variable(variable: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| !variable.is_empty() && setting.variable == variable)
}
