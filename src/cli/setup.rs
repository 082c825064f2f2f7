//! `proxmox-mcp setup`: from nothing to a cluster that works and a client that knows it.
//!
//! Knows the order of things: trust, login, user and role and token, secret, config file, a look, the client's entry.
//! Each of them says what it made, and running it again goes on where it ended.

mod clients;
mod files;
mod person;
mod steps;
mod store;
mod trust;

use super::{Exit, doctor, exit};
use crate::checkup::grants::{self, Grant};
use crate::checkup::report::examine;
use crate::client::PreparedRequest;
use crate::engine::{Engine, Failure, FailureKind};
use crate::secret::{NoSecret, Secret, Source};
use crate::settings::{self, Auth, Flags, Settings, Toolsets};
use crate::tool::{Tier, Verb};
use clap::Args;
use clients::{Client, Launch};
use person::Person;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use steps::{There, Wish};
use store::Store;

/// The word of the person who runs `setup`: what a write needs that no tool sends. Made here alone, after that person
/// saw what will be done and agreed to it.
#[derive(Debug)]
pub struct Word(());

/// What the subcommand takes. Host, fingerprint, tier, toolsets and fences are the flags of the server.
#[derive(Debug, Args)]
pub struct Setup {
    /// Believe the certificate that the server shows, and keep its fingerprint. Without it a person is asked
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
    #[arg(long, value_name = "COMMAND")]
    secret_command: Option<String>,
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
    let trust = trust::settle(&endpoints, given, setup.trust_first, person).await?;

    let flags = limits(flags, person)?;
    let base = Settings::limits(&flags)?;
    let name = store::name(setup.name.as_deref(), &endpoints)?;
    let connection = Settings { name: name.clone(), endpoints, trust, ..base };
    let user = setup.for_user.clone().unwrap_or_else(|| "mcp@pve".to_owned());
    let (owner, token) = token_name(&flags, user)?;
    let store = Store::find(setup, &flags, &name, &environment)?;

    let known = match &setup.token_file {
        Some(file) => Some(read_secret(file, "--token-file").await?),
        None => None,
    };
    let secret = match known {
        Some(secret) => Some((token, secret)),
        None if setup.print_commands => {
            let grants = wanted(&connection, None);
            print_commands(&grants, &owner, &token, true)?;
            typed(person, &owner, &token)?.map(|secret| (token, secret))
        }
        None => Some(log_in(setup, &flags, &connection, &owner, token, &store, person, said).await?),
    };
    let Some((token, secret)) = secret else {
        eprintln!("\nThen run the same with --token-file FILE in the place of --print-commands.");
        return Ok(Exit::Done);
    };
    store.keep(&secret, person, said).await?;
    let auth = Auth::Token { user: owner, name: token, secret: Secret::given(secret) };
    let settings = Settings { auth, ..connection };
    store.write(&settings, &flags, said)?;
    finish(setup, &flags, &settings, &store, &environment).await
}

/// The flags with tier and toolsets, asked for where they were not said.
fn limits(flags: &Flags, person: Person) -> Result<Flags, Stop> {
    let mut flags = flags.clone();
    if flags.tier.as_deref().is_none_or(str::is_empty) {
        let names = Tier::ALL.map(Tier::as_str).join(", ");
        let check = |text: &str| {
            let given = Flags { tier: Some(text.to_owned()), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = format!("What may an assistant do at most ({names})");
        flags.tier = Some(person.line("--tier", &prompt, Some("read"), check)?);
    }
    if flags.toolsets.iter().all(String::is_empty) {
        let check = |text: &str| {
            let given = Flags { toolsets: text.split(',').map(str::to_owned).collect(), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = "Which tools are listed (core, all, or names of toolsets with commas)";
        let text = person.line("--toolsets", prompt, Some("core"), check)?;
        flags.toolsets = text.split(',').map(|one| one.trim().to_owned()).collect();
    }
    Ok(flags)
}

/// Owner and name of the token: `--token-name` in either form, or `mcp` of the user.
fn token_name(flags: &Flags, user: String) -> Result<(String, String), Stop> {
    let given = flags.token_name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or("mcp");
    let (owner, name) = match given.split_once('!') {
        Some((owner, name)) => (owner.to_owned(), name.to_owned()),
        None => (user, given.to_owned()),
    };
    settings::token_owner(Some(&owner), Some(&name))?;
    Ok((owner, name))
}

/// A secret that stands alone in a file which nobody else can read.
async fn read_secret(file: &std::path::Path, flag: &str) -> Result<SecretString, Stop> {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let secret = Secret::new(Source::File(path), flag);
    secret.reveal().await.cloned().map_err(|NoSecret(says)| Stop::new(Exit::Usage, says))
}

/// A secret that the person types after making the token by hand; `None` without a terminal.
fn typed(person: Person, owner: &str, token: &str) -> Result<Option<SecretString>, Stop> {
    if !person.is_there() {
        return Ok(None);
    }
    let prompt = format!("Secret of {owner}!{token}, which `pveum user token add` printed (Ctrl-C to do that later)");
    person.secret("--token-file", &prompt).map(Some)
}

/// The roles that are needed.
fn wanted(settings: &Settings, there: Option<&There>) -> Vec<Grant> {
    let known = there.and_then(There::known);
    let privileges = grants::privileges(grants::listed(settings), known);
    grants::grants(settings.tier, &privileges, settings)
}

/// The lines on standard output, what they are for on standard error.
fn print_commands(grants: &[Grant], owner: &str, token: &str, all: bool) -> Result<(), Stop> {
    let when = if all { "" } else { " What is there already is refused, which does no harm." };
    eprintln!(
        "\nIn a shell on a node, as root or somebody with the rights.{when} The line with `token add` prints the secret:"
    );
    let lines = grants::commands(grants, owner, token).join("\n");
    match exit::output(&format!("{lines}\n"), Exit::Done) {
        Exit::Done => Ok(()),
        other => Err(Stop::new(other, "the lines could not be printed")),
    }
}

/// Logs in and makes what is missing; where that is not allowed, shows the lines for it.
#[allow(clippy::too_many_arguments, reason = "what a person said, each of another sort")]
async fn log_in(
    setup: &Setup,
    flags: &Flags,
    connection: &Settings,
    owner: &str,
    mut token: String,
    store: &Store,
    person: Person,
    said: &mut Vec<String>,
) -> Result<(String, SecretString), Stop> {
    let engine = session(setup, flags, connection, person).await?;
    engine.look(&PreparedRequest::plain(Verb::Get, "/version")).await?;
    let mut there = There::look(&engine, owner, &token).await?;
    let mut replace = setup.replace_token;
    while there.token && !replace {
        // What an earlier run made goes on being used, if it works.
        if let Some(secret) = store.kept().await {
            let auth =
                Auth::Token { user: owner.to_owned(), name: token.clone(), secret: Secret::given(secret.clone()) };
            let tried = Engine::new(Settings { auth, ..connection.clone() });
            if tried.look(&PreparedRequest::plain(Verb::Get, "/version")).await.is_ok() {
                eprintln!("The token {owner}!{token} is there, and its secret as well.");
                let keep =
                    agreed(&engine, connection, owner, &token, false, &there, person, said, &mut |_| Ok(())).await?;
                return Ok((token, keep.unwrap_or(secret)));
            }
        }
        if !person.is_there() {
            let says = format!(
                "the token {owner}!{token} is there, and its secret cannot be read again. Give --replace-token to make \
                 it anew, or another name with --token-name"
            );
            return Err(Stop::new(Exit::Usage, says));
        }
        eprintln!("The token {owner}!{token} is there, and its secret cannot be read again.");
        replace = person.trusts("Delete it and make it anew? What uses it now stops working")?;
        if !replace {
            let check =
                |name: &str| settings::token_owner(Some(owner), Some(name)).map(|_| ()).map_err(|bad| bad.to_string());
            token = person.line("--token-name", "Another name for the token", None, check)?;
            there = There::look(&engine, owner, &token).await?;
        }
    }
    let mut made = None;
    let keep = &mut |secret: SecretString| {
        let kept = store.keep_first(&secret);
        made = Some(secret);
        kept.map_err(|says| Failure::new(FailureKind::Local, says))
    };
    let by_hand = agreed(&engine, connection, owner, &token, replace, &there, person, said, keep).await?;
    match by_hand.or(made) {
        Some(secret) => Ok((token, secret)),
        None => Err(Stop::new(Exit::Failed, "no token was made; run setup again")),
    }
}

/// An engine with the login of the person, whose writes need that person's word.
async fn session(setup: &Setup, flags: &Flags, connection: &Settings, person: Person) -> Result<Engine, Stop> {
    let user = match flags.user.as_deref().map(str::trim).filter(|user| !user.is_empty()) {
        Some(user) => user.to_owned(),
        None => {
            person.line("--user", "Who makes the user, role and token there", Some("root@pam"), |text| {
                match text.rsplit_once('@') {
                    Some((name, realm)) if !name.is_empty() && !realm.is_empty() => Ok(()),
                    _ => Err("give user and realm, e.g. root@pam".to_owned()),
                }
            })?
        }
    };
    let said = std::env::var("PROXMOX_PASSWORD").ok().filter(|text| !text.is_empty());
    let password = match (&setup.password_file, said) {
        (Some(file), _) => read_secret(file, "--password-file").await?,
        (None, Some(password)) => SecretString::from(password),
        (None, None) => person.secret("--password-file", &format!("Password of {user}"))?,
    };
    let totp_seed = std::env::var("PROXMOX_TOTP_SEED").ok().filter(|text| !text.is_empty());
    let totp_seed = totp_seed.map(|seed| Secret::given(SecretString::from(seed)));
    let auth = Auth::Password { user, password: Secret::given(password), totp_seed };
    // The limits are those of the assistant, not of the person who sets it up.
    let own =
        Settings { auth, tier: Tier::Admin, deny: Vec::new(), fences: Vec::new(), retries: 1, ..connection.clone() };
    Ok(Engine::new(own))
}

/// Shows what will be done, asks, and does it. Gives a secret that the person typed after doing it by hand.
#[allow(clippy::too_many_arguments, reason = "what a person said, each of another sort")]
async fn agreed(
    engine: &Engine,
    connection: &Settings,
    owner: &str,
    token: &str,
    replace: bool,
    there: &There,
    person: Person,
    said: &mut Vec<String>,
    keep: &mut dyn FnMut(SecretString) -> Result<(), Failure>,
) -> Result<Option<SecretString>, Stop> {
    let grants = wanted(connection, Some(there));
    let wish = Wish { grants: &grants, user: owner, token, replace };
    eprintln!("\nOn the cluster this will\n  {}", there.steps(&wish).join("\n  "));
    if !person.agrees("Do that?")? {
        let says = "nothing was changed: give --yes to do it, or --print-commands for the lines to do it by hand";
        return Err(Stop::new(Exit::Refused, says));
    }
    let failure = match steps::carry_out(engine, &wish, there, &Word(()), keep, said).await {
        Ok(()) => return Ok(None),
        Err(failure) if failure.kind() != FailureKind::Forbidden => return Err(failure.into()),
        Err(failure) => failure,
    };
    eprintln!("`{}` may not do that: {failure}", engine.settings().auth.id());
    print_commands(&grants, owner, token, false)?;
    match typed(person, owner, token)? {
        Some(secret) => Ok(Some(secret)),
        None => Err(Stop::new(
            Exit::Failed,
            "run the same with --token-file FILE once somebody made the token with these lines",
        )),
    }
}

/// Looks at what was set up, and tells the client.
async fn finish(
    setup: &Setup,
    flags: &Flags,
    settings: &Settings,
    store: &Store,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Exit, Stop> {
    let report = examine(settings).await;
    eprint!("\n{}", doctor::findings(&report.findings));
    let code = doctor::code(&report);
    let usable = report.tools.iter().filter(|tool| tool.listed).count() - report.useless().count();
    eprintln!("\n{usable} tools can be used. `proxmox-mcp doctor` shows them, with this again.");
    let client = setup.client.unwrap_or(Client::None);
    let toolsets: &Toolsets = &settings.toolsets;
    eprintln!(
        "Tier `{}`, toolsets `{toolsets}`; both stand in {} and can be changed there.",
        settings.tier,
        store.config.display()
    );
    if client == Client::None {
        return Ok(code);
    }
    let program = std::env::current_exe()
        .map_err(|error| Stop::new(Exit::Failed, format!("where this program is cannot be told: {error}")))?;
    let launch = Launch { program: program.display().to_string(), arguments: store.arguments(flags) };
    if !setup.install {
        eprintln!("\nThe entry for {}:", client.title());
        return Ok(exit::output(&client.printed(&launch), code));
    }
    let file = client.file(environment);
    let Some(file) = file else {
        return Err(Stop::new(Exit::Failed, "no home folder is known, so no file of a client"));
    };
    match client.install(&file, &launch) {
        Ok(done) => {
            eprintln!("{}: {done}. Restart it.", client.title());
            Ok(code)
        }
        Err(says) => {
            eprintln!("{says}. The entry to put in by hand:");
            Ok(exit::output(&client.printed(&launch), Exit::Failed))
        }
    }
}

/// The text of a secret, for where it has to be written.
pub(super) fn text(secret: &SecretString) -> &str {
    secret.expose_secret()
}
