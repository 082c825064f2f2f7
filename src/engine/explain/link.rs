//! What goes wrong before the API says a word: names, connections, certificates, proxies.
//!
//! Knows the settings by which a connection is made, and what an administrator checks. Knows nothing of the API's texts.

use super::super::failure::{Failure, FailureKind};
use crate::client::{PreparedRequest, Trouble};
use crate::settings::{Settings, Trust};

/// What does not come from the API's own words.
pub fn connection(settings: &Settings, request: &PreparedRequest, trouble: &Trouble) -> Failure {
    let at = settings.origin();
    let (kind, text) = match trouble {
        Trouble::Fenced(text) => (FailureKind::Refused, text.clone()),
        Trouble::Setup(text) | Trouble::File(text) => (FailureKind::Local, text.clone()),
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
        Trouble::Tls { detail, presented } => (FailureKind::Tls, tls(settings, &at, detail, presented.as_deref())),
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
    };
    let proxy = Settings::proxy().filter(|_| !settings.sandbox);
    match (trouble, proxy) {
        (Trouble::Dns(_) | Trouble::Connect(_) | Trouble::Tls { .. }, Some(variable)) => {
            let host = settings.endpoints.first().map(|first| first.host.as_str()).unwrap_or_default();
            let around = format!(
                "{variable} is set, so connections go through that proxy, and it may be the one that cannot be reached \
                 or refuses. NO_PROXY={host} goes around it."
            );
            Failure::new(kind, format!("{text}\n{around}"))
        }
        _ => Failure::new(kind, text),
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
        Trust::Fingerprints(pins) => format!(
            "{at} shows another certificate than the pinned one (PROXMOX_FINGERPRINT {}).",
            pins.iter().map(|pin| crate::client::hex(pin)).collect::<Vec<_>>().join(", ")
        ),
        Trust::CaFile(file) => format!("The certificate of {at} is not trusted by {}: {detail}.", file.display()),
        _ => format!("The certificate of {at} is not trusted: {detail}."),
    };
    text.push_str(&format!(
        " The SHA-256 fingerprint that it showed is {fingerprint}. Compare it on the node itself: `pvenode cert info`, \
         or `openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem`. Only if it is the same, set \
         PROXMOX_FINGERPRINT={fingerprint}. Or set PROXMOX_CA_FILE to a copy of /etc/pve/pve-root-ca.pem."
    ));
    text
}
