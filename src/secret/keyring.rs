//! A secret in the desktop's keyring, through the program that the desktop brings for it: `secret-tool` asks the Secret
//! Service of Linux and BSD, `security` the keychain of macOS.
//!
//! Knows their command lines. An entry is found by two words, service and account, under the names that other programs
//! use for them as well (`service` and `username` in the Secret Service).

use super::program::{self, Ended, NotEnded};
use super::{LONGEST, PATIENCE};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;

/// What [`Keyring::answers`] asks for, which is never there.
const NOBODY: &str = "is-there-a-keyring";
/// How `security` ends when there is no such entry (`errSecItemNotFound`, cut to a byte).
const NOT_FOUND: i32 = 44;
/// Where systemd puts the session bus of a user: below it a folder by the user's number, in that `bus`.
#[cfg(unix)]
const SESSIONS: &str = "/run/user";

/// The keyring of this desktop.
#[derive(Debug, Clone)]
pub struct Keyring {
    speaks: Speaks,
    program: PathBuf,
    patience: Duration,
}

/// How its program is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    SecretTool,
    Security,
}

/// An entry of a keyring, by its two words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub service: &'a str,
    pub account: &'a str,
}

/// Why an entry was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// The keyring answered, and gave nothing.
    Missing,
    Other(String),
}

impl Keyring {
    /// That of the system that this program runs on.
    ///
    /// # Errors
    /// There is no program that could be asked.
    pub fn here() -> Result<Keyring, String> {
        let (speaks, program) = match () {
            () if cfg!(target_os = "macos") => (Speaks::Security, "security"),
            () if cfg!(unix) => (Speaks::SecretTool, "secret-tool"),
            () => {
                return Err("there is no program on this system that gives secrets out of a keyring; use …_FILE or \
                            …_COMMAND."
                    .to_owned());
            }
        };
        Ok(Keyring { speaks, program: program.into(), patience: PATIENCE })
    }

    /// The same, given up after `patience`.
    pub fn within(self, patience: Duration) -> Keyring {
        Keyring { patience, ..self }
    }

    /// Is anybody there who keeps secrets? Nobody is asked to unlock anything.
    ///
    /// # Errors
    /// Why not.
    pub async fn answers(&self) -> Result<(), String> {
        match self.look(&Entry { service: env!("CARGO_PKG_NAME"), account: NOBODY }).await {
            Ok(_) | Err(Trouble::Missing) => Ok(()),
            Err(Trouble::Other(says)) => Err(says),
        }
    }

    /// The secret of an entry. May wait for a person who unlocks the keyring.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub async fn read(&self, entry: &Entry<'_>) -> Result<SecretString, String> {
        self.look(entry).await.map_err(|trouble| match trouble {
            Trouble::Missing => self.missing(entry),
            Trouble::Other(says) => says,
        })
    }

    /// Puts a secret into an entry, in the place of what is there, and looks whether it can be read again.
    ///
    /// # Errors
    /// It is not there; what is wrong and what to do.
    pub async fn write(&self, entry: &Entry<'_>, label: &str, secret: &SecretString) -> Result<(), String> {
        let (mut command, input) = self.storing(entry, label, secret)?;
        let ended = self.run(&mut command, Some(input.expose_secret().as_bytes())).await?;
        if !ended.status.success() {
            return Err(self.refused(&ended));
        }
        match self.look(entry).await {
            Ok(read) if read.expose_secret() == secret.expose_secret() => Ok(()),
            Ok(_) => Err(format!("the keyring has another entry of the name {}, which it gives out", entry.shown())),
            Err(Trouble::Other(says)) => Err(says),
            // `security` tells what went wrong on standard error only.
            Err(Trouble::Missing) => Err(self.refused(&ended)),
        }
    }

    async fn look(&self, entry: &Entry<'_>) -> Result<SecretString, Trouble> {
        let mut command = self.program();
        match self.speaks {
            Speaks::SecretTool => command.args(["lookup", "--"]).args(entry.attributes()),
            Speaks::Security => command.args(["find-generic-password", "-s", entry.service, "-a", entry.account, "-w"]),
        };
        let ended = self.run(&mut command, None).await.map_err(Trouble::Other)?;
        // `secret-tool` says nothing when it finds nothing, and something when nobody answers.
        let missing = match self.speaks {
            Speaks::SecretTool => ended.said.is_empty() && ended.status.code() == Some(1),
            Speaks::Security => ended.status.code() == Some(NOT_FOUND),
        };
        if missing {
            return Err(Trouble::Missing);
        }
        if !ended.status.success() {
            return Err(Trouble::Other(self.refused(&ended)));
        }
        let entry = entry.shown();
        if ended.printed.len() as u64 > LONGEST {
            return Err(Trouble::Other(format!("the entry {entry} is longer than {} KiB", LONGEST / 1024)));
        }
        match String::from_utf8(ended.printed).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()) {
            Ok(text) if text.trim().is_empty() => Err(Trouble::Other(format!("the entry {entry} is empty"))),
            Ok(text) => Ok(SecretString::from(text)),
            Err(_) => Err(Trouble::Other(format!("the entry {entry} holds no text"))),
        }
    }

    /// The command that stores, and what it reads on its standard input.
    fn storing(
        &self,
        entry: &Entry<'_>,
        label: &str,
        secret: &SecretString,
    ) -> Result<(Command, SecretString), String> {
        let mut command = self.program();
        let words = [entry.service, entry.account, label];
        if words.iter().any(|word| word.contains(char::is_control)) {
            return Err("names of the keyring have no line breaks".to_owned());
        }
        let secret = secret.expose_secret();
        let input = match self.speaks {
            Speaks::SecretTool => {
                command.arg("store").arg(format!("--label={label}")).arg("--").args(entry.attributes());
                secret.to_owned()
            }
            // Its own commands take a secret as an argument or from a terminal; a line on standard input is neither.
            Speaks::Security => {
                command.arg("-i");
                let [service, account, label] = words.map(shell_words::quote);
                let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
                format!("add-generic-password -U -s {service} -a {account} -l {label} -X {hex}\n")
            }
        };
        Ok((command, SecretString::from(input)))
    }

    fn program(&self) -> Command {
        let mut command = Command::new(&self.program);
        if self.speaks == Speaks::SecretTool
            && let Some(bus) = bus()
        {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        command
    }

    async fn run(&self, command: &mut Command, input: Option<&[u8]>) -> Result<Ended, String> {
        let shown = self.program.display();
        program::run(command, input, self.patience).await.map_err(|why| match (why, self.speaks) {
            (NotEnded::Missing, Speaks::SecretTool) => format!(
                "the keyring is asked through the program `{shown}`, which is not there: install the package \
                 `libsecret-tools` (on some systems `libsecret`), or use …_FILE or …_COMMAND."
            ),
            (NotEnded::Missing, Speaks::Security) => {
                format!("the keychain is asked through the program `{shown}`, which is not in PATH. Use …_FILE or …_COMMAND.")
            }
            (NotEnded::Broken(error), _) => format!("`{shown}` cannot be run: {error}"),
            (NotEnded::Slow, _) => format!(
                "the keyring did not answer within {} s. Does it ask to be unlocked? Do that, and try again.",
                self.patience.as_secs()
            ),
        })
    }

    fn refused(&self, ended: &Ended) -> String {
        let said = match ended.said.is_empty() {
            true => format!("`{}` failed without a word ({})", self.program.display(), ended.status),
            false => format!("the keyring says: {}", ended.said.trim_end_matches('.')),
        };
        format!(
            "{said}. It takes a desktop session with a keyring that is unlocked; without one, use …_FILE or …_COMMAND."
        )
    }

    fn missing(&self, entry: &Entry<'_>) -> String {
        let [service, account] = [entry.service, entry.account].map(shell_words::quote);
        let make = match self.speaks {
            Speaks::SecretTool => {
                format!("`secret-tool store --label='Proxmox VE' service {service} username {account}`")
            }
            Speaks::Security => format!("`security add-generic-password -s {service} -a {account} -w`"),
        };
        format!(
            "the keyring gives nothing for {}: there is no such entry, or it is locked and was not unlocked. Look with \
             the desktop's program for passwords; {make} makes it, and asks for the secret.",
            entry.shown()
        )
    }
}

impl Entry<'_> {
    fn attributes(&self) -> [&str; 4] {
        ["service", self.service, "username", self.account]
    }

    fn shown(&self) -> String {
        format!("`{}/{}`", self.service, self.account)
    }
}

/// The address of the session bus where the environment does not lead to it: many clients start their servers with few
/// variables, and these are not among them.
#[cfg(unix)]
fn bus() -> Option<String> {
    let said = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if said { None } else { bus_below(SESSIONS.as_ref(), rustix::process::getuid().as_raw()) }
}

#[cfg(not(unix))]
fn bus() -> Option<String> {
    None
}

#[cfg(unix)]
fn bus_below(sessions: &std::path::Path, user: u32) -> Option<String> {
    let socket = sessions.join(user.to_string()).join("bus");
    socket.exists().then(|| format!("unix:path={}", socket.display()))
}

#[cfg(all(test, unix))]
mod tests;
