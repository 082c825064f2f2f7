//! The config file: where it is, and what it says of the cluster.
//!
//! Knows paths and the keys of a cluster in the config file.

use super::known::{self, Known};
use super::{Stop, keep::Safe};
use crate::cli::Exit;
use crate::client::hex;
use crate::settings::file;
use crate::settings::table::{TABLE, connects};
use crate::settings::{Endpoint, Flags, Settings, Trust};
use std::path::PathBuf;
use toml_edit::{Array, Table, value};

/// The config file, and the cluster in it.
#[derive(Debug)]
pub struct Store {
    pub config: PathBuf,
    /// The config file was named, so the server has to be told as well.
    named: bool,
    name: String,
    /// What it says of the cluster before it is written.
    pub known: Option<Known>,
}

/// What the cluster is called: letters, digits, `-` and `_`.
///
/// # Errors
/// A given name has something else in it.
pub fn name(given: Option<&str>, endpoints: &[Endpoint]) -> Result<String, Stop> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if let Some(given) = given {
        if given.is_empty() || !given.chars().all(good) {
            return Err(Stop::new(
                Exit::Usage,
                format!("--name `{given}`: give letters, digits, `-` and `_`, e.g. home"),
            ));
        }
        return Ok(given.to_owned());
    }
    let host = endpoints.first().map(|first| first.host.as_str()).unwrap_or_default();
    let first = match host.parse::<std::net::IpAddr>() {
        Ok(_) => host,
        Err(_) => host.split('.').next().unwrap_or_default(),
    };
    let plain: String = first.chars().map(|letter| if good(letter) { letter } else { '-' }).collect();
    let plain = plain.trim_matches('-').to_lowercase();
    Ok(if plain.is_empty() { "cluster".to_owned() } else { plain })
}

impl Store {
    /// # Errors
    /// No place for a config file is known.
    pub fn find(flags: &Flags, name: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Store, Stop> {
        let given = flags.config.as_deref().filter(|path| !path.is_empty());
        let config = file::path(given, environment).ok_or_else(|| {
            let says = "there is no place for the config file: name one with --config (PROXMOX_CONFIG)";
            Stop::new(Exit::Usage, says)
        })?;
        let config = std::path::absolute(&config).unwrap_or(config);
        // A file with mistakes is told before anything is made that would have to stand in it.
        let file = if config.exists() { file::find(given, environment)? } else { None };
        let known = file.map(|file| Known::find(file, name)).transpose()?.flatten();
        let name = known.as_ref().map_or(name, |known| known.table.name.as_str()).to_owned();
        Ok(Store { config, named: given.is_some(), name, known })
    }

    /// What the cluster is called in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the token's secret goes if nothing else is said.
    pub fn secret_file(&self) -> PathBuf {
        self.config.with_file_name(format!("{}.token", self.name))
    }

    /// Writes the cluster into the config file.
    ///
    /// # Errors
    /// The file is none, or cannot be written; it is as it was.
    pub fn write(&self, settings: &Settings, safe: &Safe, flags: &Flags, said: &mut Vec<String>) -> Result<(), Stop> {
        let table = table(settings, safe, flags);
        // Setup answers all of that anew.
        let answered: Vec<&str> = TABLE.iter().map(|setting| setting.key).filter(|key| connects(key)).collect();
        file::write_cluster(&self.config, &self.name, &table, &answered)
            .map_err(|error| Stop::new(Exit::Failed, error.to_string()))?;
        said.push(format!("wrote [clusters.{}] into {}", self.name, self.config.display()));
        eprintln!("Wrote [clusters.{}] into {}", self.name, self.config.display());
        Ok(())
    }

    /// What the server has to be told on its command line.
    pub fn arguments(&self) -> Vec<String> {
        match self.named {
            true => vec!["--config".to_owned(), self.config.display().to_string()],
            false => Vec::new(),
        }
    }
}

/// The cluster as the config file has it.
fn table(settings: &Settings, safe: &Safe, flags: &Flags) -> Table {
    let list = |words: &[String]| words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Array>();
    let mut table = Table::new();
    let hosts = settings.endpoints.iter().map(place).collect::<Vec<_>>().join(",");
    table.insert("host", value(hosts));
    match &settings.trust {
        Trust::System => {}
        Trust::CaFile(file) => {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            table.insert("ca_file", value(file.display().to_string()));
        }
        Trust::Fingerprints(pins) => {
            let pins = pins.iter().map(|pin| hex(pin)).collect::<Vec<_>>().join(",");
            table.insert("fingerprint", value(pins));
        }
        Trust::Anything => _ = table.insert("insecure", value(true)),
    }
    table.insert("token_name", value(settings.auth.id()));
    let (key, place) = safe.setting();
    table.insert(key, value(place));
    table.insert("tier", value(settings.tier.as_str()));
    table.insert("toolsets", value(settings.toolsets.to_string().split(',').collect::<Array>()));
    for key in known::LIMITS {
        let words = known::words(flags, key);
        // Tier and toolsets stand there already.
        if !table.contains_key(key) && words.iter().any(|word| !word.is_empty()) {
            table.insert(key, value(list(&words)));
        }
    }
    table
}

/// `pve1` or `pve1:8443`, with brackets around an IPv6 address.
fn place(endpoint: &Endpoint) -> String {
    let origin = endpoint.origin();
    let place = origin.strip_prefix("https://").unwrap_or(&origin);
    place.strip_suffix(":8006").unwrap_or(place).to_owned()
}
