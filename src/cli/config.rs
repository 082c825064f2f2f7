//! `proxmox-mcp config`: the settings as they hold, and where each was said; the file's place and schema.
//!
//! Connects to nothing and reads no secret: of those, it says where they come from.

use super::table::{clean, finished, plain};
use super::{Exit, exit};
use crate::settings::layers::{self, Layers, Source, Value as Held, Values};
use crate::settings::table::{Place, Setting, TABLE};
use crate::settings::{Flags, file, hosts_shown, schema};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// In the place of a secret.
const HIDDEN: &str = "***";

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show every setting as it holds for each cluster, and where it was said; tell everything that is wrong
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print where the config file is, or would be
    Path,
    /// Print the JSON schema of the config file, for editors
    Schema,
}

/// Does what was asked for.
pub fn run(config: &Config, flags: &Flags) -> Exit {
    match config.what {
        What::Show { json } => show(flags, json),
        What::Path => path(flags),
        What::Schema => exit::output(&format!("{:#}\n", schema::schema()), Exit::Done),
    }
}

fn path(flags: &Flags) -> Exit {
    let given = flags.config.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let Some(path) = file::path(given, &layers::process) else {
        let why = if given.is_some() { "--config says that there is none" } else { "there is no home folder" };
        eprintln!("proxmox-mcp: no config file is read: {why}");
        return Exit::Usage;
    };
    if !path.exists() {
        eprintln!("proxmox-mcp: there is no file yet");
    }
    exit::output(&format!("{}\n", path.display()), Exit::Done)
}

fn show(flags: &Flags, json: bool) -> Exit {
    let read = Layers::read(flags, &layers::process);
    let layers = match &read {
        Ok(layers) => layers,
        Err(error) => return wrong(&error.to_string()),
    };
    let clusters = match layers.clusters() {
        Ok(clusters) => clusters,
        Err(error) => return wrong(&error.to_string()),
    };
    // The embedded cluster has no connection that could be wrong.
    let checked = if flags.sandbox { layers.top().limits().map(|_| ()) } else { layers.load().map(|_| ()) };
    for (warning, text) in layers.notices() {
        eprintln!("proxmox-mcp: {}{text}", if warning { "warning: " } else { "" });
    }
    let code = match checked {
        Ok(()) => Exit::Done,
        Err(error) => wrong(&error.to_string()),
    };
    let text = if json { format!("{:#}\n", as_json(layers, &clusters)) } else { as_text(layers, &clusters) };
    exit::output(&text, code)
}

fn wrong(says: &str) -> Exit {
    for line in says.lines() {
        eprintln!("proxmox-mcp: {line}");
    }
    Exit::Usage
}

/// Settings of the process, or of a cluster.
fn rows(server: bool) -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().filter(move |setting| match setting.place {
        Place::Server => server,
        Place::Cluster | Place::Secret => !server,
        Place::Nowhere => false,
    })
}

fn name(values: &Values<'_>) -> String {
    let host = || values.get("host").map(|value| hosts_shown(&value.raw.text()));
    values.cluster.clone().or_else(host).unwrap_or_else(|| "(no host)".to_owned())
}

/// A value as it may be shown.
fn shown(setting: &Setting, value: &Held) -> String {
    let text = match setting.key {
        _ if setting.place == Place::Secret => return HIDDEN.to_owned(),
        "host" => hosts_shown(&value.raw.text()),
        _ => value.raw.text(),
    };
    clean(&text).replace('\n', " ")
}

fn source(setting: &Setting, value: &Held) -> String {
    match &value.source {
        Source::Flag => setting.flag.to_owned(),
        Source::Variable => setting.variable.to_owned(),
        Source::Cluster(name, line) => format!("file, line {line}, [clusters.{name}]"),
        Source::Top(line) => format!("file, line {line}"),
    }
}

/// Is there nothing to say of a setting that nobody set?
fn unsaid(setting: &Setting, values: &Values<'_>) -> bool {
    setting.default.is_empty() || setting.default == "required" || values.answered_by_another(setting)
}

fn file_shown(layers: &Layers<'_>) -> Option<String> {
    layers.file.as_ref().map(|file| file.path.display().to_string())
}

fn as_text(layers: &Layers<'_>, clusters: &[Values<'_>]) -> String {
    let top = layers.top();
    let mut text =
        format!("Config file: {}\n\nFor the server:\n", file_shown(layers).unwrap_or_else(|| "none".to_owned()));
    let table = |values: &Values<'_>, server: bool| {
        let mut table = plain(&["setting", "value", "from"]);
        for setting in rows(server) {
            match values.get(setting.key) {
                Some(value) => {
                    table.add_row([setting.key.to_owned(), shown(setting, value), source(setting, value)]);
                }
                None if unsaid(setting, values) => {}
                None => {
                    table.add_row([setting.key, setting.default, "default"]);
                }
            }
        }
        finished(&table)
    };
    text += &table(&top, true);
    for values in clusters {
        let _ = write!(text, "\nCluster {}:\n{}", name(values), table(values, false));
    }
    text
}

fn as_json(layers: &Layers<'_>, clusters: &[Values<'_>]) -> Value {
    let table = |values: &Values<'_>, server: bool| {
        let fields = rows(server).filter_map(|setting| match values.get(setting.key) {
            Some(value) => Some((setting.key, json!({"value": shown(setting, value), "from": source(setting, value)}))),
            None if unsaid(setting, values) => None,
            None => Some((setting.key, json!({"value": setting.default, "from": "default"}))),
        });
        fields.map(|(key, value)| (key.to_owned(), value)).collect::<Map<String, Value>>()
    };
    let each = clusters.iter().map(|values| (name(values), Value::Object(table(values, false))));
    json!({
        "file": file_shown(layers),
        "server": table(&layers.top(), true),
        "clusters": each.collect::<Map<String, Value>>(),
    })
}
