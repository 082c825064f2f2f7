//! `proxmox-mcp setup`: from nothing to a cluster that works and a client that knows it.
//!
//! Knows the order of things: trust, login, user and role and token, secret, config file, a look, the client's entry.
//! Each of them says what it made, and running it again goes on where it ended.

mod clients;
mod finish;
mod keep;
mod known;
mod limits;
mod person;
mod steps;
mod store;
mod token;
mod trust;

use super::Exit;
use crate::engine::{Failure, FailureKind};
use crate::secret::{NoSecret, Secret, Source};
use crate::settings::{self, Auth, Flags, Settings};
use clap::Args;
use clients::Client;
use keep::Safe;
use person::Person;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use store::Store;
use token::Making;

/// The word of the person who runs `setup`: what a write needs that no tool sends. Made here alone, after that person
/// saw what will be done and agreed to it.
#[derive(Debug)]
pub struct Word(());

/// What the subcommand takes. Host, fingerprint, tier, toolsets and fences are the flags of the server.
#[derive(Debug, Args)]
pub struct Setup {
    /// Believe the certificate that the server shows, and keep its fingerprint. Without it a person is asked. Not where the
    /// config file pins another one
    #[arg(long)]
    trust_first: bool,
    /// File with the password of --user, who makes user, role and token; PROXMOX_PASSWORD works as well
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// User of the new token, who is made if need be [default: mcp@pve]
    #[arg(long, value_name = "USER@REALM")]
    for_user: Option<String>,
    /// Delete a token of that name and make it anew, if there is one: its secret cannot be read again
    #[arg(long)]
    replace_token: bool,
    /// Print the `pveum` lines that make user, role and token, and log in nowhere
    #[arg(long)]
    print_commands: bool,
    /// File with the secret of a token that was made by hand, with the lines of --print-commands
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// What the cluster is called in the config file [default: the first part of the host's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the token's secret is kept: a file beside the config file that only you can read
    #[arg(long, value_name = "FILE", conflicts_with = "secret_command")]
    secret_file: Option<PathBuf>,
    /// A command that prints the token's secret, which you have put there yourself: `pass show proxmox`
    #[arg(long, value_name = "COMMAND", conflicts_with = "secret_keyring")]
    secret_command: Option<String>,
    /// Keep the token's secret in the desktop's keyring, as this entry [default: proxmox-mcp/NAME]
    #[arg(long, value_name = "SERVICE/ACCOUNT", num_args = 0..=1, default_missing_value = "", conflicts_with = "secret_file")]
    secret_keyring: Option<String>,
    /// Print the entry for this client
    #[arg(long, value_enum, value_name = "CLIENT")]
    client: Option<Client>,
    /// Put the entry into the client's own file; a copy of the old one stays beside it
    #[arg(long)]
    install: bool,
    /// Do what is shown without asking
    #[arg(long)]
    yes: bool,
}

/// Why it ended before its end.
#[derive(Debug)]
pub struct Stop {
    exit: Exit,
    says: String,
}

impl Stop {
    pub fn new(exit: Exit, says: impl Into<String>) -> Stop {
        Stop { exit, says: says.into() }
    }
}

impl From<settings::BadSettings> for Stop {
    fn from(bad: settings::BadSettings) -> Stop {
        Stop::new(Exit::Usage, bad.to_string())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        let exit = match failure.kind() {
            FailureKind::Unauthenticated | FailureKind::Tls | FailureKind::Timeout | FailureKind::Connection => {
                Exit::Unreachable
            }
            FailureKind::BadArguments | FailureKind::Local => Exit::Usage,
            _ => Exit::Failed,
        };
        Stop::new(exit, failure.to_string())
    }
}

/// Sets a cluster up.
pub async fn run(setup: Setup, flags: &Flags) -> Exit {
    let mut said = Vec::new();
    match go(&setup, flags, &mut said).await {
        Ok(exit) => exit,
        Err(stop) => {
            eprintln!("proxmox-mcp: {}", super::table::clean(&stop.says));
            if !said.is_empty() {
                eprintln!("\nThis was done before:\n  {}\nRun the same again to go on from there.", said.join("\n  "));
            }
            stop.exit
        }
    }
}

async fn go(setup: &Setup, flags: &Flags, said: &mut Vec<String>) -> Result<Exit, Stop> {
    let person = Person::find(setup.yes);
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // A mistake in a flag is told before anybody is asked anything.
    Settings::limits(flags)?;
    let given = settings::trust(flags)?;
    let given = (given != settings::Trust::System).then_some(given);
    let host = match flags.host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
        Some(host) => host.to_owned(),
        None => person.line("--host", "Host of the cluster (name, address, or several with commas)", None, |text| {
            settings::endpoints(text, None).map(|_| ()).map_err(|bad| bad.to_string())
        })?,
    };
    let endpoints = settings::endpoints(&host, flags.port.as_deref())?;
    // What the file says of this cluster is known before anybody is believed.
    let name = store::name(setup.name.as_deref(), &endpoints)?;
    let store = Store::find(flags, &name, &environment)?;
    let known = store.known.as_ref();
    known.map_or(Ok(()), |known| known.is_at(&endpoints))?;
    let trust = trust::settle(&endpoints, given, known, setup.trust_first, person).await?;

    let flags = limits::limits(flags, known, person)?;
    let base = Settings::limits(&flags)?;
    let name = store.name().to_owned();
    let connection = Settings { name: name.clone(), endpoints, trust, ..base };
    let (owner, token) = limits::token_name(&flags, setup.for_user.as_deref(), known)?;
    let (file, home) = (store.secret_file(), environment("HOME"));
    let table = known.map(|known| &known.table);
    let mut safe = Safe::choose(setup, &name, file, table, home.as_deref(), person).await?;

    let flags = &flags;
    let mut making = Making { setup, flags, connection: &connection, owner: &owner, person, safe: &mut safe, said };
    let Some((token, secret)) = making.token(token).await? else {
        eprintln!("\nThen run the same with --token-file FILE in the place of --print-commands.");
        return Ok(Exit::Done);
    };
    safe.keep(&format!("{owner}!{token}"), &secret, person, said).await?;
    let auth = Auth::Token { user: owner, name: token, secret: Secret::given(secret) };
    let settings = Settings { auth, ..connection };
    store.write(&settings, &safe, flags, said)?;
    let exit = finish::finish(setup, &settings, &store, &environment).await?;
    match safe.instead() {
        Some(says) => Err(Stop::new(Exit::Failed, says)),
        None => Ok(exit),
    }
}

/// A secret that stands alone in a file which nobody else can read.
async fn read_secret(file: &std::path::Path, flag: &str) -> Result<SecretString, Stop> {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let secret = Secret::new(Source::File(path), flag);
    secret.reveal().await.cloned().map_err(|NoSecret(says)| Stop::new(Exit::Usage, says))
}

/// The text of a secret, for where it has to be written.
pub(super) fn text(secret: &SecretString) -> &str {
    secret.expose_secret()
}
