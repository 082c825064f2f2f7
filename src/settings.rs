//! What the person who starts the server decided: where the cluster is, who we are there, and how much may be done.
//!
//! Reads flags, variables and the config file, checks them, and says what is missing or wrong in words that name where it
//! stands. Opens no file but these and connects to nothing: certificates and secrets are read at first use.

mod audit;
mod auth;
mod checks;
mod confirm;
pub mod dotenv;
mod fences;
pub mod file;
pub mod flags;
mod host;
pub mod layers;
mod limits;
pub mod schema;
pub mod table;
mod toolsets;

use crate::access::{Access, Places};
use crate::secret::Secret;
use crate::tool::Tier;
pub use audit::AuditTo;
pub use auth::Auth;
use checks::{boolean, dialect, filled, number, tier, tools};
pub use checks::{token_owner, trust};
pub use confirm::Confirm;
pub use fences::{Fence, FenceFlags, Fences, GUESTS, Ids};
pub use flags::Flags;
pub use host::{Endpoint, endpoints, shown as hosts_shown};
pub use layers::{Layers, Loaded, load};
pub use limits::{Given, Limits};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
pub use toolsets::Toolsets;

/// A connection is given up after this, unless it is said otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that can be set for one cluster, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the cluster is called here; empty while nothing connects to it.
    pub name: String,
    /// What it is, in a few words of the person who set it up.
    pub description: Option<String>,
    /// Is it one of several? Then answers say which one they are from.
    pub among_several: bool,
    /// Where its API listens, in the order of preference.
    pub endpoints: Vec<Endpoint>,
    pub auth: Auth,
    pub trust: Trust,
    /// Until a connection is given up that is not made.
    pub connect_timeout: Duration,
    /// Per request.
    pub timeout: Duration,
    /// Tries of a read in all; at least 1.
    pub retries: u32,
    /// Before the first repetition.
    pub retry_delay: Duration,
    pub tier: Tier,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    /// Where tier and lists were set, for texts.
    pub places: Places,
    /// What may be changed at all: what lies inside of every one of these. A caller with less rights than the server has
    /// more of them.
    pub fences: Vec<Fences>,
    /// `None` = the canonical names.
    pub dialect: Option<&'static str>,
    /// What is listed of what may be called.
    pub toolsets: Toolsets,
    /// Tokens that an answer may have, as estimated.
    pub budget: u64,
    /// How long a call waits for what it started when it does not say so itself.
    pub wait: Duration,
    /// A call that is cancelled while it waits stops the task that it started.
    pub cancel_stops_tasks: bool,
    /// Tools that can never be used with the privileges that we have are not listed.
    pub hide_forbidden: bool,
    pub upload_dir: Option<PathBuf>,
    /// How calls that destroy or interrupt are confirmed.
    pub confirm: Confirm,
    /// How long a confirmation is good, and how long a person is asked.
    pub confirm_ttl: Duration,
    /// Where calls wait for a person's approval; `None` = no home was found.
    pub state_dir: Option<PathBuf>,
    /// Where changes are written down; `None` = nowhere.
    pub audit: Option<AuditTo>,
    pub log_level: String,
    /// The cluster is the embedded one.
    pub sandbox: bool,
    /// To be said at every start, in this order: (is a warning, text).
    pub notices: Vec<(bool, String)>,
}

/// Why the server's certificate is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The roots of this system.
    System,
    /// The authorities in this PEM file, and no others.
    CaFile(PathBuf),
    /// SHA-256 of the certificate itself: one of these, as every node has its own.
    Fingerprints(Vec<[u8; 32]>),
    /// Not checked.
    Anything,
}

/// A setting that is missing or wrong; the text names the variable and the flag, and shows an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    #[error(
        "{variable} is not set ({flag}): {what}.\nExample: {variable}={example}\nAll that is needed: PROXMOX_HOST, PROXMOX_USER, PROXMOX_TOKEN_NAME and \
         PROXMOX_TOKEN_VALUE, in the environment or in a file .env in the working directory. To look around without a \
         cluster, start with --sandbox."
    )]
    Missing { variable: &'static str, flag: &'static str, what: &'static str, example: &'static str },
    #[error("{variable} ({flag}) is `{value}`: {says}")]
    Bad { variable: &'static str, flag: &'static str, value: String, says: String },
    #[error("{0}")]
    Contradiction(String),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<BadSettings>),
}

impl Settings {
    /// The settings of one cluster, from flags and `environment` alone (for what has no flag). [`load`] reads the config
    /// file as well.
    ///
    /// # Errors
    /// The first setting that is missing or wrong.
    pub fn from(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, BadSettings> {
        let hosts = filled(&flags.host).ok_or(BadSettings::Missing {
            variable: "PROXMOX_HOST",
            flag: "--host",
            what: "the name or address of a Proxmox VE node",
            example: "pve1.example.org",
        })?;
        let endpoints = host::endpoints(hosts, filled(&flags.port))?;
        let auth = Auth::read(filled(&flags.user), filled(&flags.token_name), environment)?;
        let mut settings = Settings::common(flags, environment)?;
        settings.trust = trust(flags)?;
        if settings.trust == Trust::Anything {
            settings.notices.push((
                true,
                "PROXMOX_INSECURE is on: the server's certificate is not checked, so anybody on the way can read the \
                 token and change answers. PROXMOX_FINGERPRINT or PROXMOX_CA_FILE make it safe."
                    .to_owned(),
            ));
        }
        let name = endpoints.first().map(|first| first.host.clone()).unwrap_or_default();
        Ok(Settings { name, endpoints, auth, ..settings })
    }

    /// The embedded cluster at `address`: `token` is `user@realm!name=secret`, `fingerprint` the SHA-256 of its
    /// certificate. Every connection setting in `flags` is ignored, which is said at start.
    ///
    /// # Errors
    /// A setting that is not about the connection is wrong, or `token` is not of that form.
    pub fn sandbox(
        address: SocketAddr,
        token: &str,
        fingerprint: [u8; 32],
        flags: &Flags,
    ) -> Result<Settings, BadSettings> {
        let parts = token.split_once('=').and_then(|(id, secret)| Some((id.split_once('!')?, secret)));
        let Some(((user, name), secret)) = parts else {
            return Err(BadSettings::Contradiction("the sandbox gave a token without user, name or secret".to_owned()));
        };
        let mut settings = Settings::common(flags, &|name| std::env::var(name).ok())?;
        settings.notices.push((
            false,
            "--sandbox: this is a make-believe cluster inside this process. Nothing is real, nothing is kept, and \
             every connection setting (host, user, token, certificate) is ignored."
                .to_owned(),
        ));
        Ok(Settings {
            name: "sandbox".to_owned(),
            endpoints: vec![Endpoint { host: address.ip().to_string(), port: address.port() }],
            auth: Auth::Token {
                user: user.to_owned(),
                name: name.to_owned(),
                secret: Secret::given(SecretString::from(secret)),
            },
            trust: Trust::Fingerprints(vec![fingerprint]),
            sandbox: true,
            ..settings
        })
    }

    /// What may be called and how it is named, for who wants to know just that: no connection setting is needed, and
    /// none is filled.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn limits(flags: &Flags) -> Result<Settings, BadSettings> {
        Settings::limits_from(flags, &layers::process)
    }

    /// As [`Settings::limits`] with another source for what has no flag.
    pub(crate) fn limits_from(
        flags: &Flags,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Settings, BadSettings> {
        Settings::common(flags, environment)
    }

    /// What does not depend on where the cluster is.
    fn common(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, BadSettings> {
        let mut notices = Vec::new();
        let tier = tier(filled(&flags.tier), environment("PROXMOX_ALLOW_ELEVATED"), &mut notices)?;
        let confirm = confirm::mode(filled(&flags.confirm), &mut notices)?;
        let dialect = dialect(filled(&flags.dialect))?;
        let fences = Fences::of(&flags.fences)?;
        let fences: Vec<Fences> = Some(fences).filter(|fences| *fences != Fences::default()).into_iter().collect();
        for fences in &fences {
            notices.push((false, format!("Fences are set; what lies outside is not changed: {}", fences.shown())));
        }
        let timeout = number("PROXMOX_TIMEOUT", "--timeout", &flags.timeout, 30_000, 100, 3_600_000)?;
        let timeout = Duration::from_millis(timeout);
        // Shorter than the whole, so that "not connected" and "no answer" are never confused.
        let usual = (timeout / 2).min(CONNECT_TIMEOUT);
        let connect_timeout = match filled(&flags.connect_timeout) {
            Some(_) => Duration::from_millis(number(
                "PROXMOX_CONNECT_TIMEOUT",
                "--connect-timeout",
                &flags.connect_timeout,
                10_000,
                50,
                3_600_000,
            )?)
            .min(timeout),
            None => usual,
        };
        Ok(Settings {
            name: String::new(),
            description: None,
            among_several: false,
            endpoints: Vec::new(),
            auth: Auth::Token {
                user: String::new(),
                name: String::new(),
                secret: Secret::given(SecretString::from(String::new())),
            },
            trust: Trust::System,
            connect_timeout,
            timeout,
            retries: number("PROXMOX_RETRY_ATTEMPTS", "--retry-attempts", &flags.retry_attempts, 3, 0, 20)?.max(1)
                as u32,
            retry_delay: Duration::from_millis(number(
                "PROXMOX_RETRY_DELAY",
                "--retry-delay",
                &flags.retry_delay,
                1_000,
                0,
                60_000,
            )?),
            tier,
            allow: tools("PROXMOX_ALLOW", "--allow", &flags.allow)?,
            deny: fences::tools("PROXMOX_DENY", "--deny", &flags.deny)?,
            places: Places::default(),
            fences,
            dialect,
            toolsets: Toolsets::of(&flags.toolsets, dialect)?,
            budget: number("PROXMOX_BUDGET", "--budget", &flags.budget, 8_000, 1_000, 1_000_000)?,
            wait: Duration::from_secs(number("PROXMOX_WAIT", "--wait", &flags.wait, 30, 0, 86_400)?),
            hide_forbidden: match filled(&flags.hide_forbidden) {
                Some(text) => boolean("PROXMOX_HIDE_FORBIDDEN", "--hide-forbidden", text)?,
                None => false,
            },
            cancel_stops_tasks: match filled(&flags.cancel_stops_tasks) {
                Some(text) => boolean("PROXMOX_CANCEL_STOPS_TASKS", "--cancel-stops-tasks", text)?,
                None => false,
            },
            upload_dir: filled(&flags.upload_dir).map(PathBuf::from),
            confirm,
            confirm_ttl: Duration::from_secs(number(
                "PROXMOX_CONFIRM_TTL",
                "--confirm-ttl",
                &flags.confirm_ttl,
                600,
                1,
                86_400,
            )?),
            state_dir: confirm::state_dir(filled(&flags.state_dir), environment),
            audit: filled(&flags.audit).map(AuditTo::parse),
            log_level: filled(&flags.log_level).unwrap_or("info").to_lowercase(),
            sandbox: false,
            notices,
        })
    }

    /// What may be called.
    pub fn access(&self) -> Access {
        Access::new(self.tier, self.allow.clone(), self.deny.clone()).set_in(self.places.clone())
    }

    /// The variable that sends connections through a proxy, if one is set.
    pub fn proxy() -> Option<&'static str> {
        let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        variables.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    /// The fences that are set, as they would be written on a command line.
    pub fn fences_shown(&self) -> String {
        self.fences.iter().map(Fences::shown).collect::<Vec<_>>().join(" ")
    }

    /// The first endpoint, as `https://host:port`.
    pub fn origin(&self) -> String {
        self.endpoints.first().map(Endpoint::origin).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
