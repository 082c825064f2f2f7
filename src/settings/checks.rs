//! What each setting may be, and what is said when it is not: the variable, the flag, what came, what would be right.
//!
//! Knows texts only; reads no environment and opens no file.

use super::{BadSettings, Flags, Trust};
use crate::catalogue;
use crate::engine::clean;
use crate::tool::Tier;
use std::path::PathBuf;

/// The text of a setting; an empty one counts as unset.
pub(super) fn filled(setting: &Option<String>) -> Option<&str> {
    setting.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

pub(super) fn number(
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

pub(super) fn bad(variable: &'static str, flag: &'static str, value: &str, says: impl Into<String>) -> BadSettings {
    let value = shown(value);
    BadSettings::Bad { variable, flag, value, says: says.into() }
}

/// How much of a setting is repeated, in characters.
const LONGEST_SHOWN: usize = 200;

/// A setting as it is repeated, on one line and without what a terminal would obey. Whoever pastes a whole token, or an address with one in it, does not want to read it in
/// a log.
fn shown(setting: &str) -> String {
    let setting = clean::line(setting, LONGEST_SHOWN);
    let setting = match setting.split_once('=') {
        Some((before, _)) => format!("{before}=…"),
        None => setting,
    };
    match setting.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, place)) => format!("{scheme}://…@{place}"),
        None => setting,
    }
}

pub(super) fn boolean(variable: &'static str, flag: &'static str, text: &str) -> Result<bool, BadSettings> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(bad(variable, flag, text, "give true or false")),
    }
}

/// User and token name, from either variable or from the full id in the second.
///
/// # Errors
/// One is missing or of another form, or the two contradict each other.
pub fn token_owner(user: Option<&str>, name: Option<&str>) -> Result<(String, String), BadSettings> {
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
                "PROXMOX_TOKEN_NAME belongs to `{}`, but PROXMOX_USER is `{}`: leave one of them out, or make them \
                 agree",
                shown(owner),
                shown(user)
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
    user_form(user)?;
    if name.contains('=') {
        return Err(BadSettings::Contradiction(
            "PROXMOX_TOKEN_NAME (--token-name) holds more than the token's name (it is not shown): give user@realm!name, \
             and what follows `=` as PROXMOX_TOKEN_VALUE"
                .to_owned(),
        ));
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

/// `user@realm`.
pub(super) fn user_form(user: &str) -> Result<(), BadSettings> {
    let realm = user.rsplit_once('@').is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty());
    if !realm || user.contains('!') || user.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(bad("PROXMOX_USER", "--user", user, "give user and realm, e.g. root@pam or mcp@pve"));
    }
    Ok(())
}

/// Why the server's certificate is believed, by the flags.
///
/// # Errors
/// Two ways at once, or a fingerprint that is none.
pub fn trust(flags: &Flags) -> Result<Trust, BadSettings> {
    let insecure = match filled(&flags.insecure) {
        Some(text) => boolean("PROXMOX_INSECURE", "--insecure", text)?,
        None => false,
    };
    let pinned = filled(&flags.fingerprint)
        .map(|list| list.split(',').map(str::trim).filter(|one| !one.is_empty()).map(fingerprint).collect())
        .transpose()?;
    match (filled(&flags.ca_file), pinned, insecure) {
        (None, None, false) => Ok(Trust::System),
        (Some(file), None, false) => Ok(Trust::CaFile(PathBuf::from(file))),
        (None, Some(pins), false) => Ok(Trust::Fingerprints(pins)),
        (None, None, true) => Ok(Trust::Anything),
        _ => Err(BadSettings::Contradiction(
            "PROXMOX_CA_FILE, PROXMOX_FINGERPRINT and PROXMOX_INSECURE exclude each other: set one of them".to_owned(),
        )),
    }
}

pub(super) fn fingerprint(text: &str) -> Result<[u8; 32], BadSettings> {
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

pub(super) fn tier(
    given: Option<&str>,
    elevated: Option<String>,
    notices: &mut Vec<(bool, String)>,
) -> Result<Tier, BadSettings> {
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

pub(super) fn dialect(given: Option<&str>) -> Result<Option<&'static str>, BadSettings> {
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
pub(super) fn tools(variable: &'static str, flag: &'static str, given: &[String]) -> Result<Vec<String>, BadSettings> {
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
