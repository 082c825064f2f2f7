//! The named text formats of the API.
//!
//! Knows the rule and the refusal of each format that can be judged without a running server. A format that needs
//! one (time zones, protocols, aliases, calendar events) or is not listed passes: the server decides.
//! Rules and texts are those of the server's libraries (pve-common, pve-access-control, pve-storage,
//! pve-firewall); most texts were also seen in answers of a 9.2.

use crate::pattern;
use crate::problem::Problem;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Format, pattern of the whole value, refusal; `{}` in the refusal stands for the value.
const PATTERNS: &[(&str, &str, &str)] = &[
    ("pve-node", NODE, "value does not look like a valid node name"),
    ("pve-vmid", "[1-9][0-9]{2,8}", "value does not look like a valid VM ID"),
    ("pve-storage-id", STORAGE, "storage ID '{}' contains illegal characters"),
    ("pve-configid", "[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '{}'"),
    ("dns-name", DNS, "value does not look like a valid DNS name"),
    ("mac-addr", "(?i)[a-f0-9][02468ace](?::[a-f0-9]{2}){5}", "value does not look like a valid unicast MAC address"),
    ("mac-prefix", "(?i)[a-f0-9][02468ace](?::[a-f0-9]{2}){0,2}:?", "value is not a valid unicast MAC address prefix"),
    ("pve-realm", REALM, "value does not look like a valid realm"),
    ("pve-groupid", r"[A-Za-z0-9.\-_]+", "group name '{}' contains invalid characters"),
    ("pve-roleid", r"[A-Za-z0-9.\-_]+", "role name '{}' contains invalid characters"),
    ("pve-poolid", r"[A-Za-z0-9.\-_]+(?:/[A-Za-z0-9.\-_]+){0,2}", "pool name '{}' contains invalid characters"),
    (
        "pve-tokenid",
        r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+",
        "value '{}' does not look like a valid token ID",
    ),
    ("pve-volume-id", VOLUME, "unable to parse volume ID '{}'"),
    (
        "pve-volume-id-or-qm-path",
        r"none|cdrom|/.+|(?i:[a-z][a-z0-9\-_.]*[a-z0-9]:.+)",
        "unable to parse volume ID '{}'",
    ),
    ("pve-volume-id-or-absolute-path", r"/.+|(?i:[a-z][a-z0-9\-_.]*[a-z0-9]:.+)", "unable to parse volume ID '{}'"),
    ("pve-storage-path", "/.*", "value does not look like a valid absolute path"),
    ("pve-storage-path-in-property-string", "/[^,]*", "value does not look like a valid absolute path"),
    ("pve-storage-content", "images|rootdir|vztmpl|iso|backup|snippets|import|none", "invalid content type '{}'"),
    ("pve-tag", r"(?i)[a-z0-9_][a-z0-9_\-+.]*", "invalid characters in tag"),
    ("disk-size", r"\d+(?:\.\d+)?[KMGT]?", "value does not look like a valid disk size: {}"),
    ("email", EMAIL, "value does not look like a valid email address"),
    ("email-or-username", EMAIL_OR_USER, "value does not look like a valid email address or user name"),
    ("urlencoded", r"[-%a-zA-Z0-9_.!~*'()]*", "invalid urlencoded string: {}"),
    ("pve-iface", r"(?i)[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?", "invalid network interface name '{}'"),
    ("pve-bridge-id", r"[-_.\w]+", "invalid bridge ID '{}'"),
    ("ldap-simple-attr", "[a-zA-Z0-9]+", "value '{}' does not look like a simple ldap attribute name"),
    ("pve-task-status-type", "(?i)ok|error|warning|unknown", "invalid status '{}'"),
    (
        "pve-startup-order",
        r"(?:\s*|(?:order=)?\d+|up=\d+|down=\d+)(?:,(?:\s*|(?:order=)?\d+|up=\d+|down=\d+))*",
        "unable to parse startup options",
    ),
    ("pve-day-of-week", "mon|tue|wed|thu|fri|sat|sun", "invalid day '{}'"),
];

const NODE: &str = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DNS: &str = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const STORAGE: &str = r"(?i)[a-z][a-z0-9\-_.]*[a-z0-9]";
const VOLUME: &str = r"(?i)[a-z][a-z0-9\-_.]*[a-z0-9]:.+";
const REALM: &str = r"[A-Za-z][A-Za-z0-9.\-_]+";
const USER: &str = r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+";
const EMAIL: &str = r"[\w+\-~]+(?:\.[\w+\-~]+)*@[a-zA-Z0-9\-]+(?:\.[a-zA-Z0-9\-]+)*";
const EMAIL_OR_USER: &str = r"[\w+\-~]+(?:\.[\w+\-~]+)*(?:@[a-zA-Z0-9\-]+(?:\.[a-zA-Z0-9\-]+)*)?";
const ALIAS: &str = r"(?:dc/|guest/)?[A-Za-z][A-Za-z0-9\-_]+";

/// Checks a value against a named format; `-list` checks each element, `-opt` lets an empty text pass.
pub fn check(format: &str, text: &str) -> Result<(), Problem> {
    if format == "pve-tag-list" || format.ends_with("-list") {
        let base = format.strip_suffix("-list").unwrap_or(format);
        return split_list(text).into_iter().try_for_each(|element| check(base, element));
    }
    if let Some(base) = format.strip_suffix("-opt") {
        // The server tests truth, and in its language "0" is as untrue as nothing.
        return if matches!(text, "" | "0") { Ok(()) } else { check(base, text) };
    }
    if let Some((_, wanted, refusal)) = PATTERNS.iter().find(|(name, _, _)| *name == format) {
        let good = pattern::matches(wanted, text);
        return if good { Ok(()) } else { Err(Problem::format(refusal.replace("{}", text))) };
    }
    special(format, text).map_err(Problem::format)
}

/// The elements of a list value: split on `,`, `;` and white space, or on NUL alone where one occurs.
pub fn split_list(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = if text.contains('\0') {
        text.split('\0').collect()
    } else {
        text.split(|letter: char| matches!(letter, ',' | ';') || letter.is_whitespace()).collect()
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

/// The patterns of all formats, for a test that each compiles.
#[cfg(test)]
pub(crate) fn patterns() -> impl Iterator<Item = &'static str> {
    let parts = [NODE, DNS, STORAGE, VOLUME, REALM, USER, EMAIL, EMAIL_OR_USER, ALIAS];
    PATTERNS.iter().map(|(_, pattern, _)| *pattern).chain(parts)
}

/// Formats that need more than a pattern.
fn special(format: &str, text: &str) -> Result<(), String> {
    let refuse = |good: bool, what: &str| {
        if good { Ok(()) } else { Err(format!("value does not look like a valid {what}")) }
    };
    let v4 = |least| cidr(text, is_v4, least, 32);
    let v6 = |least| cidr(text, is_v6, least, 128);
    match format {
        "ipv4" => refuse(is_v4(text), "IPv4 address"),
        "ipv6" => refuse(is_v6(text), "IPv6 address"),
        "ip" => refuse(is_v4(text) || is_v6(text), "IP address"),
        "address" | "pve-storage-server" => {
            let good = is_v4(text) || is_v6(text) || pattern::matches(DNS, text);
            refuse(good, &format!("address: {text}"))
        }
        // Networks of more than 2^24 (or 2^120) addresses are refused, save where the whole range is meant.
        "CIDR" => refuse(v4(8) || v6(8), "CIDR network"),
        "CIDRv4" => refuse(v4(8), "IPv4 CIDR network"),
        "CIDRv6" => refuse(v6(8), "IPv6 CIDR network"),
        "FullRangeCIDR" => refuse(v4(0) || v6(0), "CIDR network"),
        "pve-ipv4-config" => refuse(matches!(text, "dhcp" | "manual") || v4(8), "ipv4 network configuration"),
        "pve-ipv6-config" => refuse(matches!(text, "auto" | "dhcp" | "manual") || v6(8), "ipv6 network configuration"),
        "ipv4mask" => refuse(is_mask(text), "IP netmask"),
        "IPorCIDR" => address_or_network(text),
        "IPorCIDRorAlias" if pattern::matches(ALIAS, text) => Ok(()),
        "IPorCIDRorAlias" => address_or_network(text),
        "pve-userid" => user(text),
        "pve-fw-dport-spec" | "pve-fw-sport-spec" => ports(text),
        "pve-lxc-mp-string" => mount_point(text),
        "pve-vlan-id-or-range" => vlan(text),
        _ => Ok(()),
    }
}

fn is_v4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

fn is_v6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn cidr(text: &str, address: fn(&str) -> bool, least: u32, most: u32) -> bool {
    text.split_once('/').is_some_and(|(network, length)| {
        address(network)
            && length.bytes().all(|byte| byte.is_ascii_digit())
            && length.parse::<u32>().is_ok_and(|length| (least..=most).contains(&length))
    })
}

fn is_mask(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|mask| {
        let bits = u32::from(mask);
        bits.leading_ones() + bits.trailing_zeros() == 32
    })
}

fn address_or_network(text: &str) -> Result<(), String> {
    let (network, length) = text.split_once('/').map_or((text, None), |(network, length)| (network, Some(length)));
    let most = if is_v4(network) { 32 } else { 128 };
    let form = is_v4(network) || is_v6(network);
    match length.map(str::parse::<u32>) {
        None if form => Ok(()),
        Some(Ok(length)) if form && length <= most => Ok(()),
        Some(Ok(length)) if form => Err(format!("Prefix length {length} is longer than IP address ({most})")),
        _ => Err("value does not look like a valid IP address or CIDR network".to_owned()),
    }
}

fn user(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0..3 => Err(format!("user name '{text}' is too short")),
        65.. => Err(format!("user name '{text}' is too long ({} > 64)", text.chars().count())),
        _ if pattern::matches(USER, text) => Ok(()),
        _ => Err(format!("value '{text}' does not look like a valid user name")),
    }
}

/// Names of services pass: which exist is written in a file of the node.
fn ports(text: &str) -> Result<(), String> {
    for port in text.split(',').flat_map(|range| range.splitn(2, ':')) {
        let number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if number && !port.parse::<u32>().is_ok_and(|port| port <= 65535) {
            return Err(format!("invalid port '{port}'"));
        }
    }
    Ok(())
}

/// No way up, and no way that goes nowhere.
fn mount_point(text: &str) -> Result<(), String> {
    let inside = text.split('/').skip(1).any(|part| matches!(part, "." | ".."));
    if inside || text.starts_with("../") { Err(format!("{text} contains illegal character sequences")) } else { Ok(()) }
}

fn vlan(text: &str) -> Result<(), String> {
    let (start, end) = text.split_once('-').map_or((text, None), |(start, end)| (start, Some(end)));
    let mut tags = Vec::new();
    for tag in [Some(start), end].into_iter().flatten() {
        let number: u32 = tag.parse().map_err(|_| format!("invalid VLAN configuration '{text}'"))?;
        if !(2..=4094).contains(&number) {
            return Err(format!("invalid VLAN tag '{tag}'"));
        }
        tags.push(number);
    }
    if tags.is_sorted_by(|low, high| low < high) {
        Ok(())
    } else {
        Err(format!("VLAN range must go from lower to higher tag '{text}'"))
    }
}
