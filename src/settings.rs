//! What the person who starts the server decided: where the cluster is, who we are there, and how much may be done.
//!
//! Reads flags and variables, checks them, and says what is missing or wrong in words that name the variable.
//! Opens no file but `.env` and connects to nothing: certificates are read at first use.

pub mod flags;
mod host;

use crate::access::Access;
use crate::catalogue;
use crate::tool::Tier;
pub use flags::Flags;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name or address, without brackets.
    pub host: String,
    pub port: u16,
    /// `user@realm`.
    pub user: String,
    /// The part after `!`.
    pub token_name: String,
    pub token: SecretString,
    pub trust: Trust,
    /// Per request.
    pub timeout: Duration,
    /// Tries of a read in all; at least 1.
    pub retries: u32,
    /// Before the first repetition.
    pub retry_delay: Duration,
    pub tier: Tier,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    /// `None` = the canonical names.
    pub dialect: Option<&'static str>,
    /// How long a call waits for what it started when it does not say so itself.
    pub wait: Duration,
    pub upload_dir: Option<PathBuf>,
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
    /// SHA-256 of the certificate itself.
    Fingerprint([u8; 32]),
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
}

/// Adds the variables of `.env` in the working directory to the environment; what is set already wins.
///
/// Call it before any thread is started and before the command line is parsed.
///
/// # Errors
/// The file is there but cannot be read or understood. The text does not repeat its content.
pub fn read_dotenv() -> Result<(), BadSettings> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(dotenvy::Error::Io(error)) => {
            Err(BadSettings::Contradiction(format!("the file .env cannot be read: {error}")))
        }
        Err(_) => Err(BadSettings::Contradiction(
            "the file .env has a line that is not NAME=value (values with spaces or # need quotes)".to_owned(),
        )),
    }
}

impl Settings {
    /// From flags and the process's environment (for what has no flag).
    ///
    /// # Errors
    /// The first setting that is missing or wrong.
    pub fn load(flags: &Flags) -> Result<Settings, BadSettings> {
        Settings::from(flags, &|name| std::env::var(name).ok())
    }

    /// As [`Settings::load`] with another source for PROXMOX_TOKEN_VALUE and PROXMOX_ALLOW_ELEVATED.
    ///
    /// # Errors
    /// The first setting that is missing or wrong.
    pub fn from(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, BadSettings> {
        let host = filled(&flags.host).ok_or(BadSettings::Missing {
            variable: "PROXMOX_HOST",
            flag: "--host",
            what: "the name or address of a Proxmox VE node",
            example: "pve1.example.org",
        })?;
        let (host, port) = host::parse(host, filled(&flags.port))?;
        let (user, token_name) = token_owner(filled(&flags.user), filled(&flags.token_name))?;
        let secret =
            environment("PROXMOX_TOKEN_VALUE").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let secret = secret.ok_or(BadSettings::Missing {
            variable: "PROXMOX_TOKEN_VALUE",
            flag: "no flag, so that it cannot be read from the process list",
            what: "the secret that Proxmox VE showed when the API token was created",
            example: "12345678-1234-1234-1234-123456789abc",
        })?;
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadSettings::Contradiction(
                "PROXMOX_TOKEN_VALUE holds a character that no token has (its value is not shown)".to_owned(),
            ));
        }
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
        Ok(Settings { host, port, user, token_name, token: SecretString::from(secret), ..settings })
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
            host: address.ip().to_string(),
            port: address.port(),
            user: user.to_owned(),
            token_name: name.to_owned(),
            token: SecretString::from(secret),
            trust: Trust::Fingerprint(fingerprint),
            sandbox: true,
            ..settings
        })
    }

    /// What does not depend on where the cluster is.
    fn common(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, BadSettings> {
        let mut notices = Vec::new();
        let tier = tier(filled(&flags.tier), environment("PROXMOX_ALLOW_ELEVATED"), &mut notices)?;
        Ok(Settings {
            host: String::new(),
            port: host::DEFAULT_PORT,
            user: String::new(),
            token_name: String::new(),
            token: SecretString::from(String::new()),
            trust: Trust::System,
            timeout: Duration::from_millis(number(
                "PROXMOX_TIMEOUT",
                "--timeout",
                &flags.timeout,
                30_000,
                100,
                3_600_000,
            )?),
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
            deny: tools("PROXMOX_DENY", "--deny", &flags.deny)?,
            dialect: dialect(filled(&flags.dialect))?,
            wait: Duration::from_secs(number("PROXMOX_WAIT", "--wait", &flags.wait, 30, 0, 86_400)?),
            upload_dir: filled(&flags.upload_dir).map(PathBuf::from),
            log_level: filled(&flags.log_level).unwrap_or("info").to_lowercase(),
            sandbox: false,
            notices,
        })
    }

    /// What may be called.
    pub fn access(&self) -> Access {
        Access::new(self.tier, self.allow.clone(), self.deny.clone())
    }

    /// `https://host:port`, with brackets around an IPv6 address.
    pub fn origin(&self) -> String {
        if self.host.contains(':') {
            format!("https://[{}]:{}", self.host, self.port)
        } else {
            format!("https://{}:{}", self.host, self.port)
        }
    }
}

/// The text of a setting; an empty one counts as unset.
fn filled(setting: &Option<String>) -> Option<&str> {
    setting.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn number(
    variable: &'static str,
    flag: &'static str,
    setting: &Option<String>,
    default: u64,
    least: u64,
    most: u64,
) -> Result<u64, BadSettings> {
    let Some(text) = filled(setting) else { return Ok(default) };
    match text.parse::<u64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(bad(variable, flag, text, format!("give a whole number from {least} to {most}, e.g. {default}"))),
    }
}

fn bad(variable: &'static str, flag: &'static str, value: &str, says: impl Into<String>) -> BadSettings {
    BadSettings::Bad { variable, flag, value: value.to_owned(), says: says.into() }
}

fn boolean(variable: &'static str, flag: &'static str, text: &str) -> Result<bool, BadSettings> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(bad(variable, flag, text, "give true or false")),
    }
}

/// User and token name, from either variable or from the full id in the second.
fn token_owner(user: Option<&str>, name: Option<&str>) -> Result<(String, String), BadSettings> {
    let (user, name) = match (user, name) {
        (Some(user), None) if user.contains('!') => (None, Some(user)),
        other => other,
    };
    let name = name.ok_or(BadSettings::Missing {
        variable: "PROXMOX_TOKEN_NAME",
        flag: "--token-name",
        what: "the name of an API token (Datacenter → Permissions → API Tokens)",
        example: "mcp",
    })?;
    let (user, name) = match (name.split_once('!'), user) {
        (Some((owner, _)), Some(user)) if owner != user => {
            return Err(BadSettings::Contradiction(format!(
                "PROXMOX_TOKEN_NAME belongs to `{owner}`, but PROXMOX_USER is `{user}`: leave one of them out, or make \
                 them agree"
            )));
        }
        (Some((owner, name)), _) => (owner, name),
        (None, Some(user)) => (user, name),
        (None, None) => {
            return Err(BadSettings::Missing {
                variable: "PROXMOX_USER",
                flag: "--user",
                what: "the user that owns the API token, with its realm",
                example: "mcp@pve",
            });
        }
    };
    let realm = user.rsplit_once('@').is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty());
    if !realm || user.contains('!') || user.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(bad("PROXMOX_USER", "--user", user, "give user and realm, e.g. root@pam or mcp@pve"));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(bad(
            "PROXMOX_TOKEN_NAME",
            "--token-name",
            name,
            "give the token's name, e.g. mcp, or user@realm!mcp",
        ));
    }
    Ok((user.to_owned(), name.to_owned()))
}

fn trust(flags: &Flags) -> Result<Trust, BadSettings> {
    let insecure = match filled(&flags.insecure) {
        Some(text) => boolean("PROXMOX_INSECURE", "--insecure", text)?,
        None => false,
    };
    let pinned = filled(&flags.fingerprint).map(fingerprint).transpose()?;
    match (filled(&flags.ca_file), pinned, insecure) {
        (None, None, false) => Ok(Trust::System),
        (Some(file), None, false) => Ok(Trust::CaFile(PathBuf::from(file))),
        (None, Some(pin), false) => Ok(Trust::Fingerprint(pin)),
        (None, None, true) => Ok(Trust::Anything),
        _ => Err(BadSettings::Contradiction(
            "PROXMOX_CA_FILE, PROXMOX_FINGERPRINT and PROXMOX_INSECURE exclude each other: set one of them".to_owned(),
        )),
    }
}

fn fingerprint(text: &str) -> Result<[u8; 32], BadSettings> {
    let says = "give the SHA-256 fingerprint: 64 hexadecimal digits, with or without colons, as shown by \
                `openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem` on the node";
    let wrong = || bad("PROXMOX_FINGERPRINT", "--fingerprint", text, says);
    let digits: String = text.chars().filter(|letter| !matches!(letter, ':' | ' ')).collect();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut pin = [0; 32];
    for (index, byte) in pin.iter_mut().enumerate() {
        let pair = digits.get(index * 2..index * 2 + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(pin)
}

fn tier(given: Option<&str>, elevated: Option<String>, notices: &mut Vec<(bool, String)>) -> Result<Tier, BadSettings> {
    if let Some(text) = given {
        let names = Tier::ALL.map(Tier::as_str);
        return Tier::parse(&text.to_lowercase()).ok_or_else(|| {
            let near =
                proxmox_spec::nearest(text, names).map(|name| format!(" Did you mean `{name}`?")).unwrap_or_default();
            bad("PROXMOX_TIER", "--tier", text, format!("give one of {}.{near}", names.join(", ")))
        });
    }
    let elevated = elevated.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let tier = match elevated.as_deref().map(str::to_lowercase).as_deref() {
        None => return Ok(Tier::Read),
        Some("true") => Tier::Admin,
        Some("false") => Tier::Configure,
        Some(_) => {
            let says = "give true (tier admin) or false (tier configure), or better set PROXMOX_TIER";
            return Err(bad("PROXMOX_ALLOW_ELEVATED", "no flag", &elevated.unwrap_or_default(), says));
        }
    };
    notices.push((
        false,
        format!(
            "PROXMOX_ALLOW_ELEVATED={} is honoured as the tier `{tier}`; PROXMOX_TIER says it plainly and wins.",
            elevated.unwrap_or_default()
        ),
    ));
    Ok(tier)
}

fn dialect(given: Option<&str>) -> Result<Option<&'static str>, BadSettings> {
    let Some(text) = given else { return Ok(None) };
    let names: Vec<&'static str> = catalogue::DIALECTS.iter().map(|dialect| dialect.name).collect();
    match names.iter().find(|name| name.eq_ignore_ascii_case(text)) {
        Some(name) => Ok(Some(name)),
        None => {
            let near =
                proxmox_spec::nearest(text, names.iter().copied()).map(|name| format!(" Did you mean `{name}`?"));
            let says = format!("give one of {}.{}", names.join(", "), near.unwrap_or_default());
            Err(bad("PROXMOX_DIALECT", "--dialect", text, says))
        }
    }
}

/// Names of tools, each of which must exist: a typo in `--deny` would otherwise deny nothing.
fn tools(variable: &'static str, flag: &'static str, given: &[String]) -> Result<Vec<String>, BadSettings> {
    let mut names = Vec::new();
    for text in given.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let plain = text.to_lowercase().replace('-', "_");
        let known = || catalogue::SURFACES.iter().map(|surface| surface.name);
        if known().any(|name| name == plain) {
            names.push(plain);
            continue;
        }
        let near = proxmox_spec::nearest(&plain, known()).map(|name| format!(" Did you mean `{name}`?"));
        let says =
            format!("there is no tool of this name.{} `proxmox-mcp tools` lists them.", near.unwrap_or_default());
        return Err(bad(variable, flag, text, says));
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
