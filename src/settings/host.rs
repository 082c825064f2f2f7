//! The forms in which a person writes where a server is.

use super::BadSettings;
use super::checks::bad;
use std::net::Ipv6Addr;

/// The API's port.
pub const DEFAULT_PORT: u16 = 8006;

/// Where an API listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address, without brackets.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// `https://host:port`, with brackets around an IPv6 address.
    pub fn origin(&self) -> String {
        let Endpoint { host, port } = self;
        if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") }
    }
}

/// One or several of what [`parse`] takes, separated by commas; each once.
///
/// # Errors
/// One of them is none, or there is none.
pub fn endpoints(text: &str, port: Option<&str>) -> Result<Vec<Endpoint>, BadSettings> {
    let mut all = Vec::new();
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let (host, port) = parse(one, port)?;
        let endpoint = Endpoint { host, port };
        if !all.contains(&endpoint) {
            all.push(endpoint);
        }
    }
    match all.is_empty() {
        true => Err(bad("PROXMOX_HOST", "--host", text, "give a name or address, e.g. pve1.example.org")),
        false => Ok(all),
    }
}

/// Hosts as they are repeated: the login that somebody wrote into an address is a secret.
pub fn shown(text: &str) -> String {
    let one = |one: &str| {
        let Some((login, place)) = one.rsplit_once('@') else { return one.to_owned() };
        let scheme = login.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
        format!("{scheme}…@{place}")
    };
    text.split(',').map(one).collect::<Vec<_>>().join(",")
}

/// `host`, `host:port`, `https://host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address → host and port.
fn parse(text: &str, port: Option<&str>) -> Result<(String, u16), BadSettings> {
    let wrong = |says: &str| bad("PROXMOX_HOST", "--host", &shown(text), says);
    if text.contains('@') {
        return Err(wrong(
            "leave user and password out of the address. PROXMOX_USER says who logs in, and the password has a setting of \
             its own (PROXMOX_PASSWORD)",
        ));
    }
    let example = "give a name or address, e.g. pve1.example.org, pve1:8006, https://pve1:8006 or [2001:db8::1]:8006";
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some(_) => return Err(wrong("the API is reached over https only; leave the scheme out or write https://")),
        None => text,
    };
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix("/api2/json").unwrap_or(rest);
    let (host, inner) = if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or_else(|| wrong(example))?;
        host.parse::<Ipv6Addr>().map_err(|_| wrong("what stands in the brackets is no IPv6 address"))?;
        match after {
            "" => (host, None),
            _ => (host, Some(after.strip_prefix(':').ok_or_else(|| wrong(example))?)),
        }
    } else if rest.parse::<Ipv6Addr>().is_ok() {
        (rest, None)
    } else {
        match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        }
    };
    if host.chars().any(|letter| letter.is_alphanumeric() && !letter.is_ascii()) {
        return Err(wrong(
            "write the name as DNS has it, in plain letters: xn--mnchen-3ya.example for münchen.example",
        ));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_:".contains(letter);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(wrong(example));
    }
    let number = |variable, flag, text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(bad(variable, flag, text, "give a port from 1 to 65535, e.g. 8006")),
    };
    let inner = inner.map(|text| number("PROXMOX_HOST", "--host", text)).transpose()?;
    let outer = port.map(|text| number("PROXMOX_PORT", "--port", text)).transpose()?;
    match (inner, outer) {
        (Some(inner), Some(outer)) if inner != outer => Err(BadSettings::Contradiction(format!(
            "PROXMOX_HOST names the port {inner}, PROXMOX_PORT the port {outer}: leave one of them out"
        ))),
        (inner, outer) => Ok((host.to_owned(), inner.or(outer).unwrap_or(DEFAULT_PORT))),
    }
}
