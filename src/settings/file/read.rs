//! From the text of a config file to its entries, or to everything that is wrong with it.

use super::super::BadSettings;
use super::super::table::{Kind, Place, Setting, TABLE, by_key};
use super::{Entry, File, Raw, Table};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml_edit::{Document, Item, TableLike, Value};

/// The table of the clusters' tables.
const CLUSTERS: &str = "clusters";
/// Longest name of a cluster.
const LONGEST_NAME: usize = 40;

/// Reads the text. `home` is what `~/` stands for.
///
/// # Errors
/// Everything that is wrong, line by line.
pub fn parse(path: PathBuf, text: &str, home: Option<&Path>) -> Result<File, BadSettings> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            // The parser's own words would show the line, which may hold a secret.
            let line = error.span().map_or(1, |span| line(text, span.start));
            let says =
                format!("{}, line {line}: this is no TOML: {}", path.display(), error.message().replace('\n', "; "));
            return Err(BadSettings::Contradiction(says));
        }
    };
    let mut reader = Reader { path: &path, text, home, wrong: Vec::new() };
    let (mut top, mut clusters): (Vec<Entry>, Vec<Table>) = (Vec::new(), Vec::new());
    for (key, item) in document.as_table().iter() {
        let line = reader.line(document.as_table(), key, item);
        if key == CLUSTERS {
            reader.clusters(item, line, &mut clusters);
        } else {
            top.extend(reader.entry(key, item, line, None));
        }
    }
    if let Some(entry) = top.iter().find(|entry| entry.setting.key == "default_cluster") {
        let name = entry.raw.text();
        let names: Vec<&str> = clusters.iter().map(|one| one.name.as_str()).collect();
        if names.is_empty() {
            reader.wrong(
                entry.line,
                None,
                "`default_cluster` names one of several, and there is no [clusters.NAME] here".to_owned(),
            );
        } else if !names.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
            let near = near(&name, names.iter().copied());
            let says = format!("`default_cluster` names none of the clusters; give one of {}{near}", names.join(", "));
            reader.wrong(entry.line, None, says);
        }
    }
    let mut wrong = reader.wrong;
    match wrong.len() {
        0 => Ok(File { path, top, clusters, notices: Vec::new() }),
        1 => Err(wrong.remove(0)),
        _ => Err(BadSettings::Several(wrong)),
    }
}

struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    home: Option<&'t Path>,
    wrong: Vec<BadSettings>,
}

impl Reader<'_> {
    fn wrong(&mut self, line: usize, cluster: Option<&str>, says: String) {
        let path = self.path.display();
        let table = cluster.map(|name| format!(", [clusters.{name}]")).unwrap_or_default();
        self.wrong.push(BadSettings::Contradiction(format!("{path}, line {line}{table}: {says}")));
    }

    /// The line of a key, or of the header of a table.
    fn line(&self, table: &dyn TableLike, key: &str, item: &Item) -> usize {
        let key = table.get_key_value(key).and_then(|(key, _)| key.span());
        let span: Option<Range<usize>> = key.or_else(|| item.span());
        line(self.text, span.map_or(0, |span| span.start))
    }

    fn clusters(&mut self, item: &Item, at: usize, clusters: &mut Vec<Table>) {
        let Some(tables) = item.as_table_like() else {
            return self.wrong(
                at,
                None,
                format!("`{CLUSTERS}` is a table of tables: write [clusters.NAME] above the settings of each cluster"),
            );
        };
        for (name, item) in tables.iter() {
            let at = self.line(tables, name, item);
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
            let first = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
            if !first || name.len() > LONGEST_NAME || !name.chars().all(plain) {
                self.wrong(at, None, format!("a cluster's name has letters, digits, `-`, `_` and `.` only, begins with a letter or digit, and is at most {LONGEST_NAME} long, such as [clusters.home]"));
                continue;
            }
            if let Some(other) = clusters.iter().find(|one| one.name.eq_ignore_ascii_case(name)) {
                let says = format!(
                    "there is a cluster `{}` already, on line {}: names differ by more than case",
                    other.name, other.line
                );
                self.wrong(at, None, says);
                continue;
            }
            let Some(table) = item.as_table_like() else {
                let says = match by_key(name) {
                    Some(_) => {
                        format!("`{name}` stands where a cluster's name belongs: write [clusters.NAME] above it")
                    }
                    None => format!("a cluster is a table: write [clusters.{name}] above its settings"),
                };
                self.wrong(at, None, says);
                continue;
            };
            let mut entries = Vec::new();
            for (key, item) in table.iter() {
                let at = self.line(table, key, item);
                entries.extend(self.entry(key, item, at, Some(name)));
            }
            clusters.push(Table { name: name.to_owned(), line: at, entries });
        }
    }

    fn entry(&mut self, key: &str, item: &Item, at: usize, cluster: Option<&str>) -> Option<Entry> {
        let Some(setting) = by_key(key).filter(|one| one.place != Place::Nowhere) else {
            let says = unknown(key, item, cluster);
            self.wrong(at, cluster, says);
            return None;
        };
        if setting.place == Place::Secret {
            self.wrong(at, cluster, no_secret(setting));
            return None;
        }
        if let (Place::Server, Some(name)) = (setting.place, cluster) {
            let says = format!(
                "`{key}` holds for all clusters: it belongs to the top level, above the first [clusters.…], and not to `{name}`"
            );
            self.wrong(at, cluster, says);
            return None;
        }
        match item.as_value().ok_or("is a table").and_then(|value| raw(setting, value)) {
            Ok(raw) => Some(Entry { setting, raw: self.located(setting, raw), line: at }),
            Err(is) => {
                self.wrong(at, cluster, format!("`{key}` {is}; {}", wanted(setting)));
                None
            }
        }
    }

    /// Paths are relative to the file: who started the process from where, nobody knows later.
    fn located(&self, setting: &Setting, raw: Raw) -> Raw {
        let Raw::Text(text) = raw else { return raw };
        let path = match setting.kind {
            Kind::Path => true,
            Kind::PathOr(word) => !text.eq_ignore_ascii_case(word),
            _ => false,
        };
        if !path || text.is_empty() {
            return Raw::Text(text);
        }
        let path = match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) => PathBuf::from(&text),
            (None, _) => self.path.parent().unwrap_or(Path::new("")).join(&text),
        };
        Raw::Text(path.to_string_lossy().into_owned())
    }
}

/// The line of a byte, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn near<'n>(given: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    proxmox_spec::nearest(given, names).map(|near| format!(". Did you mean `{near}`?")).unwrap_or_default()
}

fn unknown(key: &str, item: &Item, cluster: Option<&str>) -> String {
    let own = || {
        TABLE.iter().filter(move |one| match cluster {
            Some(_) => one.place == Place::Cluster,
            None => one.place == Place::Cluster || one.place == Place::Server,
        })
    };
    // A secret under a wrong name is the same mistake.
    let shown = crate::engine::clean::line(key, 60);
    if item.is_table_like() && cluster.is_none() {
        return format!("there is no table `{shown}`; a cluster is written as [clusters.NAME]");
    }
    if item.is_table_like() {
        return format!(
            "there is no table `{shown}` in a cluster: its settings stand side by side, such as allow_guests = [\"100-199\"]"
        );
    }
    let spelled = key.replace('-', "_").to_lowercase();
    let near = own().map(|one| one.key).find(|one| *one == spelled);
    let near = near.or_else(|| proxmox_spec::nearest(&spelled, own().map(|one| one.key)));
    match near {
        Some(near) => format!("there is no setting `{shown}`. Did you mean `{near}`?"),
        None => format!("there is no setting `{shown}`; `proxmox-mcp config show` lists those that there are"),
    }
}

fn no_secret(setting: &Setting) -> String {
    let key = setting.key;
    format!(
        "`{key}` may not stand in this file: a file with settings is copied, shown and kept, and a secret should not be. Say where \
         it is instead: {key}_file = \"/path/of/a/file\", {key}_command = [\"pass\", \"show\", \"proxmox\"] or \
         {key}_keyring = \"service/account\"; or set {} in the environment",
        setting.variable
    )
}

/// What a value of this setting looks like.
fn wanted(setting: &Setting) -> String {
    let key = setting.key;
    match setting.kind {
        Kind::Text | Kind::Path | Kind::PathOr(_) => format!("give text in quotes: {key} = \"…\""),
        Kind::Texts => format!("give text in quotes, or a list of texts: {key} = [\"…\", \"…\"]"),
        Kind::List => format!("give a list of texts: {key} = [\"…\", \"…\"]"),
        Kind::Number { least, most } => {
            format!("give a whole number from {least} to {most}, without quotes: {key} = {}", setting.default)
        }
        Kind::Boolean => format!("give {key} = true or {key} = false, without quotes"),
        Kind::Choice(words) => format!("give one of {} in quotes: {key} = \"{}\"", words.join(", "), setting.default),
        Kind::Command => {
            format!("give a program and its arguments as a list: {key} = [\"pass\", \"show\", \"proxmox\"]")
        }
    }
}

/// The value as it comes from flags, too; or what it is instead.
fn raw(setting: &Setting, value: &Value) -> Result<Raw, &'static str> {
    match (setting.kind, value) {
        (
            Kind::Text | Kind::Path | Kind::PathOr(_) | Kind::Texts | Kind::Choice(_) | Kind::Command,
            Value::String(text),
        ) => Ok(Raw::Text(text.value().clone())),
        (Kind::List, Value::String(text)) => Ok(Raw::List(
            text.value().split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        )),
        (Kind::List, Value::Integer(number)) => Ok(Raw::List(vec![number.value().to_string()])),
        (Kind::Number { .. }, Value::Integer(number)) => Ok(Raw::Text(number.value().to_string())),
        (Kind::Boolean, Value::Boolean(flag)) => Ok(Raw::Text(flag.value().to_string())),
        (Kind::List | Kind::Texts | Kind::Command, Value::Array(array)) => {
            let mut list = Vec::new();
            for value in array {
                match value {
                    Value::String(text) => list.push(text.value().clone()),
                    Value::Integer(number) if setting.kind == Kind::List => list.push(number.value().to_string()),
                    _ => return Err("holds something that is no text"),
                }
            }
            Ok(match setting.kind {
                Kind::Command => Raw::Text(shell_words::join(&list)),
                Kind::Texts => Raw::Text(list.join(",")),
                _ => Raw::List(list),
            })
        }
        (_, Value::String(_)) => Err("is a text"),
        (_, Value::Integer(_) | Value::Float(_)) => Err("is a number"),
        (_, Value::Boolean(_)) => Err("is true or false"),
        (_, Value::Datetime(_)) => Err("is a time"),
        (_, Value::Array(_)) => Err("is a list"),
        (_, Value::InlineTable(_)) => Err("is a table"),
    }
}
