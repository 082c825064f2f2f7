//! Who we are at the cluster.
//!
//! Knows names and secrets as settings; how they go over the wire is the client's business.

use super::BadSettings;
use super::checks::{bad, token_owner, user_form};
use crate::secret::{Secret, Source};
use secrecy::{ExposeSecret, SecretString};

/// The text of a setting that has no flag, by the name of its variable.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One secret: the names of its settings.
struct Names {
    given: &'static str,
    file: &'static str,
    command: &'static str,
    keyring: &'static str,
}

const TOKEN_VALUE: Names = Names {
    given: "PROXMOX_TOKEN_VALUE",
    file: "PROXMOX_TOKEN_VALUE_FILE",
    command: "PROXMOX_TOKEN_VALUE_COMMAND",
    keyring: "PROXMOX_TOKEN_VALUE_KEYRING",
};
const PASSWORD: Names = Names {
    given: "PROXMOX_PASSWORD",
    file: "PROXMOX_PASSWORD_FILE",
    command: "PROXMOX_PASSWORD_COMMAND",
    keyring: "PROXMOX_PASSWORD_KEYRING",
};
const TOTP_SEED: Names = Names {
    given: "PROXMOX_TOTP_SEED",
    file: "PROXMOX_TOTP_SEED_FILE",
    command: "PROXMOX_TOTP_SEED_COMMAND",
    keyring: "PROXMOX_TOTP_SEED_KEYRING",
};

/// Why there is no flag for it.
const NO_FLAG: &str = "no flag, so that it cannot be read from the process list";

/// Who we are at the cluster, and how we prove it.
#[derive(Debug, Clone)]
pub enum Auth {
    /// An API token.
    Token {
        /// Its owner, `user@realm`.
        user: String,
        /// The part after `!`.
        name: String,
        secret: Secret,
    },
    /// A user who logs in and gets a ticket.
    Password {
        /// `user@realm`.
        user: String,
        password: Secret,
        /// Seed of the user's one-time codes, in base32; `None` = there are none, or a person types them.
        totp_seed: Option<Secret>,
    },
}

impl Auth {
    /// From what was said of user, token and secrets; `lookup` gives the settings that have no flag, by the names of
    /// their variables (`PROXMOX_TOKEN_VALUE`, `PROXMOX_PASSWORD`, `PROXMOX_TOTP_SEED`, each also with `_FILE`,
    /// `_COMMAND` and `_KEYRING`). Reads no secret but those that are given outright.
    ///
    /// # Errors
    /// Something is missing, or two settings contradict each other.
    pub fn read(user: Option<&str>, token_name: Option<&str>, lookup: Lookup<'_>) -> Result<Auth, BadSettings> {
        let token = secret(&TOKEN_VALUE, lookup)?;
        let password = secret(&PASSWORD, lookup)?;
        let totp_seed = secret(&TOTP_SEED, lookup)?;
        let names_token = token_name.is_some() || user.is_some_and(|user| user.contains('!'));
        let Some((setting, password)) = password else {
            if let Some((seed, _)) = totp_seed {
                return Err(BadSettings::Contradiction(format!(
                    "{seed} is set, but no password: one-time codes belong to a login with PROXMOX_PASSWORD. An API \
                     token needs none."
                )));
            }
            let (user, name) = token_owner(user, token_name)?;
            let Some((setting, secret)) = token else {
                return Err(BadSettings::Missing {
                    variable: "PROXMOX_TOKEN_VALUE",
                    flag: NO_FLAG,
                    what: "the secret that Proxmox VE showed when the API token was created; or where it is: \
                           PROXMOX_TOKEN_VALUE_FILE, PROXMOX_TOKEN_VALUE_COMMAND or PROXMOX_TOKEN_VALUE_KEYRING",
                    example: "12345678-1234-1234-1234-123456789abc",
                });
            };
            let plain = |text: &SecretString| text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
            if !secret.known().is_none_or(plain) {
                let says = format!("{setting} holds a character that no token has (its value is not shown)");
                return Err(BadSettings::Contradiction(says));
            }
            return Ok(Auth::Token { user, name, secret });
        };
        let other = match (&token, names_token) {
            (Some((other, _)), _) => Some(*other),
            (None, true) => Some("PROXMOX_TOKEN_NAME"),
            (None, false) => None,
        };
        if let Some(other) = other {
            return Err(BadSettings::Contradiction(format!(
                "{setting} and {other} exclude each other: log in with a password, or use an API token. Leave one of \
                 them out."
            )));
        }
        let user = user.ok_or(BadSettings::Missing {
            variable: "PROXMOX_USER",
            flag: "--user",
            what: "the user who logs in, with the realm",
            example: "mcp@pve",
        })?;
        user_form(user)?;
        Ok(Auth::Password { user: user.to_owned(), password, totp_seed: totp_seed.map(|(_, seed)| seed) })
    }

    /// The user, `user@realm`: the token's owner, or who logs in.
    pub fn user(&self) -> &str {
        match self {
            Auth::Token { user, .. } | Auth::Password { user, .. } => user,
        }
    }

    /// The token's name, if there is one.
    pub fn token_name(&self) -> Option<&str> {
        match self {
            Auth::Token { name, .. } => Some(name),
            Auth::Password { .. } => None,
        }
    }

    /// As the API names who calls: `user@realm!token` or `user@realm`.
    pub fn id(&self) -> String {
        match self {
            Auth::Token { user, name, .. } => format!("{user}!{name}"),
            Auth::Password { user, .. } => user.clone(),
        }
    }

    /// Lets the errors of its secrets name the place that set them. `place` gives it by the variable of the setting;
    /// `None` = the variable itself.
    pub(super) fn say_settings(&mut self, place: &dyn Fn(&str) -> Option<String>) {
        let all: [Option<&mut Secret>; 2] = match self {
            Auth::Token { secret, .. } => [Some(secret), None],
            Auth::Password { password, totp_seed, .. } => [Some(password), totp_seed.as_mut()],
        };
        for secret in all.into_iter().flatten() {
            if let Some(place) = place(secret.setting()) {
                secret.say_setting(&place);
            }
        }
    }

    /// Everything that no text may hold, as far as it was read.
    pub fn known_secrets(&self) -> impl Iterator<Item = String> {
        let all: [Option<&Secret>; 2] = match self {
            Auth::Token { secret, .. } => [Some(secret), None],
            Auth::Password { password, totp_seed, .. } => [Some(password), totp_seed.as_ref()],
        };
        all.into_iter().flatten().filter_map(Secret::known).map(|text: &SecretString| text.expose_secret().to_owned())
    }
}

/// The secret of these settings and the one of them that is set; `None` = none is.
fn secret(names: &Names, lookup: Lookup<'_>) -> Result<Option<(&'static str, Secret)>, BadSettings> {
    let said = |name: &'static str| lookup(name).filter(|text| !text.trim().is_empty()).map(|text| (name, text));
    let all = [names.given, names.file, names.command, names.keyring].map(said);
    let set: Vec<&str> = all.iter().flatten().map(|(name, _)| *name).collect();
    if let [one, other, ..] = set.as_slice() {
        return Err(BadSettings::Contradiction(format!(
            "{one} and {other} both say where the same secret is: leave one of them out"
        )));
    }
    let Some((name, text)) = all.into_iter().flatten().next() else { return Ok(None) };
    if name == names.given {
        // A password may begin or end with a space; nothing else here may.
        let text = if name == PASSWORD.given { text.trim_end_matches(['\r', '\n']) } else { text.trim() };
        return Ok(Some((name, Secret::given(SecretString::from(text.to_owned())))));
    }
    let text = text.trim();
    let source = if name == names.file {
        Source::file(text, lookup("HOME").as_deref())
    } else if name == names.command {
        Source::command(text)
    } else {
        Source::keyring(text)
    };
    let source = source.map_err(|says| bad(name, "no flag", text, says))?;
    Ok(Some((name, Secret::new(source, name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(user: Option<&str>, token: Option<&str>, set: &[(&str, &str)]) -> Result<Auth, String> {
        let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        Auth::read(user, token, &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_makes_a_login_of_it() {
        let set = [("PROXMOX_PASSWORD", " two words \n"), ("PROXMOX_TOTP_SEED_FILE", "/run/secrets/seed")];
        let auth = read(Some("root@pam"), None, &set).expect("complete");
        let Auth::Password { user, password, totp_seed } = &auth else { panic!("{auth:?}") };
        assert_eq!((user.as_str(), password.source()), ("root@pam", &Source::Given));
        assert_eq!(totp_seed.as_ref().map(Secret::source), Some(&Source::File("/run/secrets/seed".into())));
        assert!(auth.known_secrets().eq([" two words ".to_owned()]));
        assert!(!format!("{auth:?}").contains("two words"));
        let text = read(None, None, &set).expect_err("no user");
        assert!(text.starts_with("PROXMOX_USER is not set"), "{text}");
        assert!(read(Some("root"), None, &set).is_err());
    }

    #[test]
    fn each_source_of_a_token_is_taken() {
        let source = |name: &str, text: &str| match read(Some("mcp@pve"), Some("ci"), &[(name, text), ("HOME", "/h")])?
        {
            Auth::Token { secret, .. } => Ok(secret.source().clone()),
            Auth::Password { .. } => Err("a password".to_owned()),
        };
        assert_eq!(source("PROXMOX_TOKEN_VALUE", "abc"), Ok(Source::Given));
        assert_eq!(source("PROXMOX_TOKEN_VALUE_FILE", "~/t"), Ok(Source::File("/h/t".into())));
        let words = ["pass", "show", "t"].map(str::to_owned).to_vec();
        assert_eq!(source("PROXMOX_TOKEN_VALUE_COMMAND", "pass show t"), Ok(Source::Command(words)));
        assert!(matches!(source("PROXMOX_TOKEN_VALUE_KEYRING", "proxmox-mcp/x"), Ok(Source::Keyring { .. })));
        let text = source("PROXMOX_TOKEN_VALUE_FILE", "token").expect_err("relative");
        assert!(text.contains("PROXMOX_TOKEN_VALUE_FILE") && text.contains("whole path"), "{text}");
    }

    #[test]
    fn what_contradicts_each_other_is_named() {
        let (value, file) = (("PROXMOX_TOKEN_VALUE", "a"), ("PROXMOX_TOKEN_VALUE_FILE", "/a"));
        let (password, seed) = (("PROXMOX_PASSWORD", "p"), ("PROXMOX_TOTP_SEED", "JBSWY3DPEHPK3PXP"));
        let contradicts = |token: Option<&str>, set: &[(&str, &str)], named: [&str; 2]| {
            let text = read(Some("mcp@pve"), token, set).expect_err("a contradiction");
            assert!(named.iter().all(|name| text.contains(name)), "{text}");
        };
        contradicts(Some("ci"), &[value, file], [value.0, file.0]);
        contradicts(None, &[value, password], [value.0, password.0]);
        contradicts(Some("ci"), &[password], ["PROXMOX_TOKEN_NAME", password.0]);
        contradicts(Some("ci"), &[value, seed], [seed.0, password.0]);
    }
}
