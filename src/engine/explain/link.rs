//! What goes wrong before the API says a word: names, connections, certificates, proxies.
//!
//! Knows the settings by which a connection is made, and what an administrator checks. Knows nothing of the API's texts.

use super::super::failure::{Failure, FailureKind};
use crate::client::{PreparedRequest, Trouble};
use crate::settings::{Settings, Trust};

/// What does not come from the API's own words.
pub fn connection(settings: &Settings, request: &PreparedRequest, trouble: &Trouble) -> Failure {
    let (kind, text) = match trouble {
        Trouble::Nowhere(all) => nowhere(settings, all),
        Trouble::At { at, trouble } => one(settings, at, request, trouble),
        other => one(settings, &settings.origin(), request, other),
    };
    let proxied = || settings.endpoints.iter().any(crate::client::probe::proxied);
    let proxy = Settings::proxy().filter(|_| !settings.sandbox && proxied());
    match proxy {
        Some(variable) if unconnected(trouble) => {
            let hosts: Vec<&str> = settings.endpoints.iter().map(|endpoint| endpoint.host.as_str()).collect();
            let around = format!(
                "{variable} is set, so connections go through that proxy, and it may be the one that cannot be reached \
                 or refuses. NO_PROXY={} goes around it.",
                hosts.join(",")
            );
            Failure::new(kind, format!("{text}\n{around}"))
        }
        _ => Failure::new(kind, text),
    }
}

/// Was no connection made?
fn unconnected(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Dns(_) | Trouble::Connect(_) | Trouble::Tls { .. } | Trouble::Nowhere(_) => true,
        Trouble::At { trouble, .. } => unconnected(trouble),
        _ => false,
    }
}

/// Every endpoint with its own cause.
fn nowhere(settings: &Settings, all: &[(String, Trouble)]) -> (FailureKind, String) {
    let line = |(at, trouble): &(String, Trouble)| match trouble {
        Trouble::Tls { detail, presented: Some(fingerprint) } => {
            format!("- {at}: {} It showed {fingerprint}.", untrusted(settings, detail))
        }
        other => format!("- {at}: {other}"),
    };
    let mut text = format!(
        "No endpoint of the cluster can be reached:\n{}\nAre the nodes up, and is the API reachable from here? Check \
         PROXMOX_HOST and PROXMOX_PORT, the firewall, and pveproxy on the nodes.",
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    );
    let shown = |(_, trouble): &(String, Trouble)| matches!(trouble, Trouble::Tls { presented: Some(_), .. });
    if all.iter().any(shown) {
        text.push_str(&format!(" {COMPARE} PROXMOX_FINGERPRINT takes several, separated by commas."));
    }
    let tls = all.iter().any(|(_, trouble)| matches!(trouble, Trouble::Tls { .. }));
    (if tls { FailureKind::Tls } else { FailureKind::Connection }, text)
}

/// The trouble of one endpoint.
fn one(settings: &Settings, at: &str, request: &PreparedRequest, trouble: &Trouble) -> (FailureKind, String) {
    match trouble {
        Trouble::Fenced(text) => (FailureKind::Refused, text.clone()),
        Trouble::Setup(text) | Trouble::File(text) => (FailureKind::Local, text.clone()),
        Trouble::Login { says } => (FailureKind::Unauthenticated, says.clone()),
        Trouble::Dns(detail) => (
            FailureKind::Connection,
            format!(
                "The name of {at} cannot be resolved ({detail}). Check PROXMOX_HOST (--host) for a typing error, or \
                 give the node's IP address."
            ),
        ),
        Trouble::Connect(detail) => (
            FailureKind::Connection,
            format!(
                "No connection to {at}: {detail}. Is the node up, and is the API reachable from here? Check \
                 PROXMOX_HOST and PROXMOX_PORT (the API listens on 8006 unless a proxy stands in front), the firewall, \
                 and pveproxy on the node."
            ),
        ),
        Trouble::Tls { detail, presented } => (FailureKind::Tls, tls(settings, at, detail, presented.as_deref())),
        Trouble::Timeout(milliseconds) => (
            FailureKind::Timeout,
            format!(
                "{at} did not answer {request} within {milliseconds} ms. The node may be overloaded or wait for a \
                 storage or another node; PROXMOX_TIMEOUT (--timeout) gives it longer."
            ),
        ),
        Trouble::Broken(detail) => {
            (FailureKind::Connection, format!("The connection to {at} broke off during {request}: {detail}."))
        }
        Trouble::Busy(limit) => (
            FailureKind::Busy,
            format!(
                "{limit} requests are under way already and none of them ended in time. Call fewer tools at once, and try again."
            ),
        ),
        Trouble::Cancelled => {
            (FailureKind::Cancelled, format!("The call was cancelled before {request} was answered."))
        }
        Trouble::Redirect(to) => (
            FailureKind::Connection,
            format!(
                "{at} redirects to `{to}`, which is not followed: the token is for {at} only. If that is the cluster, \
                 set PROXMOX_HOST (--host) to it."
            ),
        ),
        Trouble::Unreadable(what) => (
            FailureKind::Unreadable,
            format!(
                "What came back from {at} for {request} cannot be read: {what}. Does PROXMOX_HOST really name a Proxmox VE node?"
            ),
        ),
        Trouble::Rejected(rejection) => (FailureKind::Api, rejection.message.clone()),
        Trouble::At { at, trouble } => one(settings, at, request, trouble),
        Trouble::Nowhere(all) => nowhere(settings, all),
    }
}

fn tls(settings: &Settings, at: &str, detail: &str, presented: Option<&str>) -> String {
    let Some(fingerprint) = presented else {
        return format!(
            "No TLS connection to {at}: {detail}. Is it the API that listens there (port 8006 unless a proxy stands in \
             front), and does it speak https? Check PROXMOX_HOST and PROXMOX_PORT."
        );
    };
    let mut text = match &settings.trust {
        Trust::CaFile(file) => format!("The certificate of {at} is not trusted by {}: {detail}.", file.display()),
        Trust::Fingerprints(_) => format!("{at} shows another certificate than the pinned one ({}).", pinned(settings)),
        _ => format!("The certificate of {at} is not trusted: {detail}."),
    };
    text.push_str(&format!(
        " The SHA-256 fingerprint that it showed is {fingerprint}. {COMPARE} Only if it is the same, set \
         PROXMOX_FINGERPRINT={fingerprint}, in a config file `fingerprint`. Or set PROXMOX_CA_FILE, in a config file \
         `ca_file`, to a copy of /etc/pve/pve-root-ca.pem."
    ));
    text
}

/// How an administrator finds out whether a fingerprint is right.
const COMPARE: &str = "Compare it on the node itself: `pvenode cert info`, or `openssl x509 -noout -fingerprint -sha256 \
                       -in /etc/pve/local/pve-ssl.pem`.";

fn pinned(settings: &Settings) -> String {
    let Trust::Fingerprints(pins) = &settings.trust else { return String::new() };
    let pins: Vec<String> = pins.iter().map(|pin| crate::client::hex(pin)).collect();
    format!("PROXMOX_FINGERPRINT {}", pins.join(", "))
}

/// Why a certificate is not believed, in one sentence.
fn untrusted(settings: &Settings, detail: &str) -> String {
    match &settings.trust {
        Trust::CaFile(file) => format!("its certificate is not trusted by {} ({detail}).", file.display()),
        Trust::Fingerprints(_) => format!("it shows another certificate than the pinned ones ({}).", pinned(settings)),
        _ => format!("its certificate is not trusted ({detail})."),
    }
}
