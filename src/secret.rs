//! Secrets that the person who runs the server gives: where each comes from, and its text once it was read.
//!
//! Knows sources; knows nothing of what a secret opens. A secret is read at its first use and kept for the life of the
//! process; its text can be had through [`SecretString`] only, which no formatting prints.

mod command;
mod file;
pub mod keyring;
mod program;

use keyring::{Entry, Keyring};
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Until a source that does not answer is given up: somebody may have to unlock it first.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest secret, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A secret and where it comes from.
#[derive(Clone)]
pub struct Secret {
    source: Source,
    /// The setting that says so, for texts: `PROXMOX_TOKEN_VALUE_FILE`.
    setting: Arc<str>,
    /// Shared by all copies: a command that asks a person asks once.
    text: Arc<OnceCell<SecretString>>,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Said outright, in a variable.
    Given,
    /// The content of a file.
    File(PathBuf),
    /// The first line that a program prints; its name and its arguments. No shell is between.
    Command(Vec<String>),
    /// An entry of the desktop's keyring.
    Keyring { service: String, account: String },
}

/// Why a secret cannot be had. Never repeats any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSecret(pub String);

impl Source {
    /// A file, as somebody writes it: an absolute path, or one that begins with `~/`.
    ///
    /// # Errors
    /// It is relative: what that means would depend on who starts the program.
    pub fn file(text: &str, home: Option<&str>) -> Result<Source, String> {
        let path = match (text.strip_prefix("~/"), home.filter(|home| !home.is_empty())) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            (Some(_), None) => return Err("`~` stands for nothing here: HOME is not set".to_owned()),
            (None, _) => PathBuf::from(text),
        };
        match path.is_absolute() {
            true => Ok(Source::File(path)),
            false => Err("give the whole path, from `/` or `~/` on".to_owned()),
        }
    }

    /// A command, as somebody would type it: words, quoted where they hold spaces.
    ///
    /// # Errors
    /// There is none, or a quotation mark stands alone.
    pub fn command(text: &str) -> Result<Source, String> {
        let example = "give a program and its arguments, e.g. `pass show proxmox/token`";
        match shell_words::split(text) {
            Ok(words) if words.is_empty() => Err(example.to_owned()),
            Ok(words) => Ok(Source::Command(words)),
            Err(_) => Err(format!("a quotation mark is not closed; {example}")),
        }
    }

    /// An entry of the keyring: `service/account`.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn keyring(text: &str) -> Result<Source, String> {
        match text.split_once('/') {
            Some((service, account)) if !service.is_empty() && !account.is_empty() => {
                Ok(Source::Keyring { service: service.to_owned(), account: account.to_owned() })
            }
            _ => Err("give service and account, e.g. `proxmox-mcp/mcp@pve!mcp`".to_owned()),
        }
    }
}

impl Secret {
    /// One that is known already.
    pub fn given(text: SecretString) -> Secret {
        let text = Arc::new(OnceCell::new_with(Some(text)));
        Secret { source: Source::Given, setting: "".into(), text }
    }

    /// One that is read at its first use. `setting` is what names the source, for texts.
    pub fn new(source: Source, setting: &str) -> Secret {
        Secret { source, setting: setting.into(), text: Arc::default() }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What says where it comes from, as errors name it; empty for one that is known.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// The setting; or this one, for a secret that was said outright.
    pub fn said_in<'a>(&'a self, usual: &'a str) -> &'a str {
        if self.setting.is_empty() { usual } else { &self.setting }
    }

    /// Lets errors name this in the place of the setting.
    pub fn say_setting(&mut self, setting: &str) {
        self.setting = setting.into();
    }

    /// Its text, if it was read already.
    pub fn known(&self) -> Option<&SecretString> {
        self.text.get()
    }

    /// Its text; reads it at the first use. What failed is tried again at the next one.
    ///
    /// # Errors
    /// The source does not give it; the text names the setting, the cause and what to do.
    pub async fn reveal(&self) -> Result<&SecretString, NoSecret> {
        let read = || async {
            let read = match &self.source {
                Source::Given => Err("what was given is not there any more".to_owned()),
                Source::File(path) => file::read(path).await,
                Source::Command(words) => command::run(words).await,
                Source::Keyring { service, account } => in_keyring(service, account).await,
            };
            read.map_err(|says| NoSecret(format!("{}: {says}", self.setting)))
        };
        self.text.get_or_try_init(read).await
    }
}

async fn in_keyring(service: &str, account: &str) -> Result<SecretString, String> {
    Keyring::here()?.read(&Entry { service, account }).await
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secret").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_in_the_forms_that_people_write() {
        assert_eq!(Source::file("~/pw", Some("/home/a")), Ok(Source::File("/home/a/pw".into())));
        assert_eq!(Source::file("/run/secrets/pw", None), Ok(Source::File("/run/secrets/pw".into())));
        assert!(Source::file("pw", Some("/home/a")).is_err());
        assert!(Source::file("~/pw", None).is_err());
        let words = ["op", "read", "op://vault/a b/c"].map(str::to_owned).to_vec();
        assert_eq!(Source::command("op read 'op://vault/a b/c'"), Ok(Source::Command(words)));
        assert!(Source::command("op 'read").is_err());
        assert!(Source::command("  ").is_err());
        let entry = Source::Keyring { service: "proxmox-mcp".to_owned(), account: "mcp@pve!a/b".to_owned() };
        assert_eq!(Source::keyring("proxmox-mcp/mcp@pve!a/b"), Ok(entry));
        assert!(Source::keyring("proxmox-mcp").is_err());
    }
}
