//! What stays on this computer: the token's secret and the config file.
//!
//! Knows paths and the keys of a cluster in the config file.

use super::{Setup, Stop, files, person::Person, read_secret, text};
use crate::cli::Exit;
use crate::client::hex;
use crate::secret::{NoSecret, Secret, Source};
use crate::settings::{Endpoint, Flags, Settings, Trust, file};
use secrecy::SecretString;
use std::path::PathBuf;
use toml_edit::{Array, Table, value};

/// Where things are kept.
#[derive(Debug)]
pub struct Store {
    pub config: PathBuf,
    /// The config file was named, so the server has to be told as well.
    named: bool,
    name: String,
    secret: Kept,
}

/// How the server gets at the token's secret.
#[derive(Debug)]
enum Kept {
    File(PathBuf),
    Command(String),
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
    pub fn find(
        setup: &Setup,
        flags: &Flags,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Store, Stop> {
        let given = flags.config.as_deref().filter(|path| !path.is_empty());
        let config = file::path(given, environment).ok_or_else(|| {
            let says = "there is no place for the config file: name one with --config (PROXMOX_CONFIG)";
            Stop::new(Exit::Usage, says)
        })?;
        let config = std::path::absolute(&config).unwrap_or(config);
        // A file with mistakes is told before anything is made that would have to stand in it.
        if config.exists() {
            file::find(given, environment)?;
        }
        let named = given.is_some();
        let secret = match (&setup.secret_command, &setup.secret_file) {
            (Some(command), _) => Kept::Command(command.clone()),
            (None, Some(file)) => Kept::File(std::path::absolute(file).unwrap_or_else(|_| file.clone())),
            (None, None) => Kept::File(config.with_file_name(format!("{name}.token"))),
        };
        Ok(Store { config, named, name: name.to_owned(), secret })
    }

    /// The secret that an earlier run kept.
    pub async fn kept(&self) -> Option<SecretString> {
        match &self.secret {
            Kept::File(file) => read_secret(file, "--secret-file").await.ok(),
            Kept::Command(_) => None,
        }
    }

    /// Keeps a secret that was just made, before anything else can fail.
    ///
    /// # Errors
    /// It cannot be kept: what to do then.
    pub fn keep_first(&self, secret: &SecretString) -> Result<(), String> {
        match &self.secret {
            Kept::File(file) => files::replace(file, &format!("{}\n", text(secret)), true).map_err(|error| {
                format!(
                    "{} cannot be written ({error}), so the secret of the new token is lost. Put that right and run \
                     setup again with --replace-token",
                    file.display()
                )
            }),
            Kept::Command(_) => Ok(()),
        }
    }

    /// Keeps the secret where the server finds it.
    ///
    /// # Errors
    /// It cannot be written; or a command is to give it and nobody is there to put it there.
    pub async fn keep(&self, secret: &SecretString, person: Person, said: &mut Vec<String>) -> Result<(), Stop> {
        match &self.secret {
            Kept::File(file) => {
                self.keep_first(secret).map_err(|says| Stop::new(Exit::Failed, says))?;
                said.push(format!("kept the secret in {}", file.display()));
                Ok(())
            }
            Kept::Command(command) => {
                if person.is_there() {
                    eprintln!(
                        "\nThe secret, shown once: {}\nPut it where `{command}` finds it, then go on.",
                        text(secret)
                    );
                    if !person.trusts("Is it there?")? {
                        return Err(Stop::new(Exit::Refused, "the secret was not put away"));
                    }
                }
                let stop = |says: String| Stop::new(Exit::Usage, says);
                let source = Source::command(command).map_err(|says| stop(format!("--secret-command: {says}")))?;
                let given = Secret::new(source, "--secret-command");
                let given = given.reveal().await.map_err(|NoSecret(says)| stop(says))?;
                match text(given) == text(secret) {
                    true => Ok(()),
                    false => Err(stop(format!("--secret-command: `{command}` prints something else than the secret"))),
                }
            }
        }
    }

    /// Writes the cluster into the config file.
    ///
    /// # Errors
    /// The file is none, or cannot be written; it is as it was.
    pub fn write(&self, settings: &Settings, flags: &Flags, said: &mut Vec<String>) -> Result<(), Stop> {
        let table = self.table(settings, flags);
        file::write_cluster(&self.config, &self.name, &table)
            .map_err(|error| Stop::new(Exit::Failed, error.to_string()))?;
        said.push(format!("wrote [clusters.{}] into {}", self.name, self.config.display()));
        eprintln!("Wrote [clusters.{}] into {}", self.name, self.config.display());
        Ok(())
    }

    fn table(&self, settings: &Settings, flags: &Flags) -> Table {
        let list =
            |words: &[String]| words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Array>();
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
        match &self.secret {
            Kept::File(file) => table.insert("token_value_file", value(file.display().to_string())),
            Kept::Command(command) => table.insert("token_value_command", value(command.as_str())),
        };
        table.insert("tier", value(settings.tier.as_str()));
        table.insert("toolsets", value(settings.toolsets.to_string().split(',').collect::<Array>()));
        let fences = &flags.fences;
        for (key, words) in [
            ("allow", &flags.allow),
            ("deny", &flags.deny),
            ("allow_nodes", &fences.allow_nodes),
            ("deny_nodes", &fences.deny_nodes),
            ("allow_guests", &fences.allow_guests),
            ("deny_guests", &fences.deny_guests),
            ("allow_pools", &fences.allow_pools),
            ("deny_pools", &fences.deny_pools),
            ("allow_tags", &fences.allow_tags),
            ("deny_tags", &fences.deny_tags),
            ("allow_storages", &fences.allow_storages),
            ("deny_storages", &fences.deny_storages),
            ("allow_tools", &fences.allow_tools),
            ("protected_tags", &fences.protected_tags),
        ] {
            if words.iter().any(|word| !word.is_empty()) {
                table.insert(key, value(list(words)));
            }
        }
        table
    }

    /// What the server has to be told on its command line.
    pub fn arguments(&self, _flags: &Flags) -> Vec<String> {
        match self.named {
            true => vec!["--config".to_owned(), self.config.display().to_string()],
            false => Vec::new(),
        }
    }
}

/// `pve1` or `pve1:8443`, with brackets around an IPv6 address.
fn place(endpoint: &Endpoint) -> String {
    let origin = endpoint.origin();
    let place = origin.strip_prefix("https://").unwrap_or(&origin);
    place.strip_suffix(":8006").unwrap_or(place).to_owned()
}
