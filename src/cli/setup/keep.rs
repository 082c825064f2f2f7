//! Where the token's secret stays: a file, the desktop's keyring, or wherever a command finds it.
//!
//! Knows those places, and that a new secret is shown once by the cluster: whatever fails, it is kept or said.

use super::{Setup, Stop, person::Person, text};
use crate::cli::Exit;
use crate::secret::keyring::{Entry, Keyring};
use crate::secret::{NoSecret, Secret, Source};
use crate::settings::file::Table;
use crate::whole;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a keyring may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// The place of one token's secret.
#[derive(Debug)]
pub struct Safe {
    place: Source,
    /// Where an earlier run may have left it.
    earlier: Vec<Source>,
    /// Beside the config file, where it goes when nothing else was said, or when the keyring fails.
    file: PathBuf,
    /// What the entry of a keyring is called there.
    cluster: String,
    /// The new secret is in its place already, or was shown.
    done: bool,
    /// Why it is not in the keyring.
    failed: Option<String>,
}

impl Safe {
    /// What flags say; or else the keyring that the config file names; or what the person says, where a keyring answers;
    /// or `file`. `known` is the cluster's table in the config file.
    ///
    /// # Errors
    /// A flag makes no sense; the keyring that was named does not answer.
    pub async fn choose(
        setup: &Setup,
        cluster: &str,
        file: PathBuf,
        known: Option<&Table>,
        home: Option<&str>,
        person: Person,
    ) -> Result<Safe, Stop> {
        let stop = |flag: &str, says: String| Stop::new(Exit::Usage, format!("{flag}: {says}"));
        let earlier = known.and_then(|table| earlier(table, home));
        let usual = || Source::Keyring { service: env!("CARGO_PKG_NAME").to_owned(), account: cluster.to_owned() };
        let in_keyring = |source: &Source| matches!(source, Source::Keyring { .. });
        let place = match (&setup.secret_file, &setup.secret_command, setup.secret_keyring.as_deref()) {
            (Some(file), ..) => Source::File(std::path::absolute(file).unwrap_or_else(|_| file.clone())),
            (_, Some(command), _) => Source::command(command).map_err(|says| stop("--secret-command", says))?,
            (.., Some("")) => usual(),
            (.., Some(entry)) => Source::keyring(entry).map_err(|says| stop("--secret-keyring", says))?,
            _ => match &earlier {
                Some(entry) if in_keyring(entry) => entry.clone(),
                _ if offered(setup, person).await? => usual(),
                _ => Source::File(file.clone()),
            },
        };
        if in_keyring(&place) {
            let answers = async { Keyring::here()?.within(PATIENCE).answers().await };
            let flag = match setup.secret_keyring {
                Some(_) => "--secret-keyring",
                None => "`token_value_keyring` of this cluster in the config file",
            };
            let here = "In setup that is --secret-file or --secret-command.";
            answers.await.map_err(|says| stop(flag, format!("{says} {here}")))?;
        }
        let mut others: Vec<Source> = earlier.into_iter().chain([Source::File(file.clone())]).collect();
        others.retain(|other| *other != place);
        Ok(Safe { place, earlier: others, file, cluster: cluster.to_owned(), done: false, failed: None })
    }

    /// The secrets that earlier runs kept, the likeliest first.
    pub async fn kept(&self) -> Vec<SecretString> {
        let mut kept = Vec::new();
        for source in std::iter::once(&self.place).chain(&self.earlier) {
            kept.extend(Secret::new(source.clone(), "").reveal().await.ok().cloned());
        }
        kept
    }

    /// Looks whether a new secret can be kept, before there is one.
    ///
    /// # Errors
    /// It could not: what to do.
    pub fn ready(&self, person: Person) -> Result<(), Stop> {
        match &self.place {
            Source::Command(words) if !person.is_there() => Err(Stop::new(
                Exit::Usage,
                format!(
                    "--secret-command: the new token's secret would have to be put where `{}` finds it, and there is no \
                     terminal to show it. No token was made. Give --secret-file or --secret-keyring; or make the token \
                     with the lines of --print-commands, put its secret there, and give it with --token-file",
                    shell_words::join(words)
                ),
            )),
            Source::File(file) => whole::writable(file).map_err(|error| {
                let says = format!(
                    "{} cannot be written ({error}), so no token was made. Give another place with --secret-file",
                    file.display()
                );
                Stop::new(Exit::Usage, says)
            }),
            _ => Ok(()),
        }
    }

    /// Keeps the secret of the token that was just made, before anything else can fail.
    ///
    /// # Errors
    /// It cannot be kept, and was shown.
    pub async fn keep_new(&mut self, token: &str, secret: &SecretString, said: &mut Vec<String>) -> Result<(), Stop> {
        self.done = true;
        let shown = || eprintln!("\nThe secret of {token}, shown this once: {}", text(secret));
        if let Source::Command(words) = &self.place {
            shown();
            eprintln!("Put it where `{}` finds it.", shell_words::join(words));
            return Ok(());
        }
        self.put(token, secret, said).await.map_err(|says| {
            shown();
            let says = format!("{says}. Keep the secret that is shown above; --token-file takes it from a file");
            Stop::new(Exit::Failed, says)
        })
    }

    /// Keeps a secret where the server finds it, if that was not done yet.
    ///
    /// # Errors
    /// It cannot be kept; or the command does not give it.
    pub async fn keep(
        &mut self,
        token: &str,
        secret: &SecretString,
        person: Person,
        said: &mut Vec<String>,
    ) -> Result<(), Stop> {
        if let Source::Command(words) = &self.place {
            return self.given(words, token, secret, person).await;
        }
        if !self.done {
            self.put(token, secret, said).await.map_err(|says| Stop::new(Exit::Failed, says))?;
        }
        for other in self.earlier.iter().filter(|other| **other != self.place) {
            let Source::File(file) = other else { continue };
            let same = Secret::new(other.clone(), "").reveal().await.is_ok_and(|left| text(left) == text(secret));
            if same {
                eprintln!("{} holds the secret as well, and is not needed any more.", file.display());
            }
        }
        Ok(())
    }

    /// The key of the config file that says where it is, and its value.
    pub fn setting(&self) -> (&'static str, String) {
        match &self.place {
            Source::Command(words) => ("token_value_command", shell_words::join(words)),
            Source::Keyring { service, account } => ("token_value_keyring", format!("{service}/{account}")),
            Source::File(file) => ("token_value_file", file.display().to_string()),
            // No place is of this sort.
            Source::Given => ("token_value_file", self.file.display().to_string()),
        }
    }

    /// Why it is in a file and not in the keyring, if that is so.
    pub fn instead(&self) -> Option<String> {
        let file = self.file.display();
        self.failed.as_ref().map(|says| {
            format!(
                "{says}\nSo the secret is in the file {file}, and everything else is done. Run the same again with \
                 --secret-keyring to put it into the keyring."
            )
        })
    }

    async fn put(&mut self, token: &str, secret: &SecretString, said: &mut Vec<String>) -> Result<(), String> {
        if let Source::Keyring { service, account } = &self.place {
            let label = format!("Proxmox VE token {token} of {}", self.cluster);
            let entry = Entry { service, account };
            let written = async { Keyring::here()?.write(&entry, &label, secret).await };
            match written.await {
                Ok(()) => {
                    said.push(format!("kept the secret in the keyring, as {service}/{account}"));
                    return Ok(());
                }
                Err(says) => {
                    eprintln!("The secret cannot be put into the keyring: {says}");
                    self.failed = Some(format!("the secret cannot be put into the keyring: {says}"));
                    self.place = Source::File(self.file.clone());
                }
            }
        }
        let Source::File(file) = &self.place else { return Ok(()) };
        write(file, secret)?;
        said.push(format!("kept the secret in {}", file.display()));
        Ok(())
    }

    /// Waits until the command gives the secret.
    async fn given(&self, words: &[String], token: &str, secret: &SecretString, person: Person) -> Result<(), Stop> {
        let command = shell_words::join(words);
        let mut shown = self.done;
        loop {
            if shown && !person.trusts("Is it there?")? {
                return Err(Stop::new(Exit::Refused, "the secret was not put away; it is shown above"));
            }
            let given = Secret::new(self.place.clone(), "--secret-command");
            let says = match given.reveal().await {
                Ok(given) if text(given) == text(secret) => return Ok(()),
                Ok(_) => format!("--secret-command: `{command}` prints something else than the secret"),
                Err(NoSecret(says)) => says,
            };
            if !person.is_there() {
                return Err(Stop::new(Exit::Usage, says));
            }
            eprintln!("{}", crate::cli::table::clean(&says));
            if !shown {
                eprintln!("\nThe secret of {token}: {}\nPut it where `{command}` finds it.", text(secret));
                shown = true;
            }
        }
    }
}

/// Where the config file says that the secret is.
fn earlier(table: &Table, home: Option<&str>) -> Option<Source> {
    table.entries.iter().find_map(|entry| {
        let said = entry.raw.text();
        match entry.setting.key {
            "token_value_file" => Source::file(&said, home).ok(),
            "token_value_command" => Source::command(&said).ok(),
            "token_value_keyring" => Source::keyring(&said).ok(),
            _ => None,
        }
    })
}

/// Does the person want the keyring? Asked only where there is one that answers.
async fn offered(setup: &Setup, person: Person) -> Result<bool, Stop> {
    if !person.is_there() || setup.yes {
        return Ok(false);
    }
    let answers = async { Keyring::here()?.within(PATIENCE).answers().await };
    if answers.await.is_err() {
        return Ok(false);
    }
    person.trusts(
        "Keep the token's secret in the desktop's keyring? Otherwise it goes into a file that only you can read",
    )
}

fn write(file: &Path, secret: &SecretString) -> Result<(), String> {
    let failed = |error| format!("{} cannot be written ({error})", file.display());
    whole::replace(file, &format!("{}\n", text(secret)), true).map_err(failed)
}
