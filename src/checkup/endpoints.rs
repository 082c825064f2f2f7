//! The way to a cluster: names, ports and certificates of its endpoints.
//!
//! Knows probes and trust. Sends nothing that proves who we are.

use super::finding::{Finding, Level, Step};
use crate::client::probe::{self, Certificate, Probe};
use crate::client::{hex, probe as look_at};
use crate::settings::{Settings, Trust};
use jiff::Timestamp;

/// A certificate that ends within so many days is spoken of.
const SOON: i64 = 30;
const DAY: i64 = 86_400;

/// What was found at all endpoints, and whether one of them can be used.
pub async fn findings(settings: &Settings) -> (Vec<Finding>, bool) {
    let looks = settings.endpoints.iter().map(|one| look_at(one, &settings.trust, settings.connect_timeout));
    let probes = futures_util::future::join_all(looks).await;
    let usable = probes.iter().any(|probe| probe.failed.is_none());
    let mut findings: Vec<Finding> =
        probes.iter().flat_map(|probe| of_endpoint(probe, &settings.trust, Timestamp::now())).collect();
    if usable {
        // One that is left out costs a moment, and the others do its work.
        for finding in findings.iter_mut().filter(|finding| finding.level == Level::Failed) {
            finding.level = Level::Warning;
            finding.next = format!("Another endpoint is used instead. {}", finding.next);
        }
    }
    (findings, usable)
}

fn of_endpoint(probe: &Probe, trust: &Trust, now: Timestamp) -> Vec<Finding> {
    let at = probe.endpoint.origin();
    let at = at.strip_prefix("https://").unwrap_or(&at);
    let mut list = Vec::new();
    let failed = probe.failed.as_ref();
    let bad = |step, says: String, next: String| Finding::new(step, at, Level::Failed, says).next(next);
    let detail = failed.map(|failed| failed.detail.clone()).unwrap_or_default();
    let ended = failed.map(|failed| failed.step);
    if ended == Some(probe::Step::Setup) {
        list.push(bad(Step::Tls, detail, "Put the file or the system's certificates right.".to_owned()));
        return list;
    }
    if ended == Some(probe::Step::Resolve) {
        let next = "Check the host for a typing error, or give the node's IP address.";
        list.push(bad(Step::Name, detail, next.to_owned()));
        return list;
    }
    let addresses = probe.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match &probe.proxy {
        Some(proxy) => list.push(Finding::new(Step::Name, at, Level::Ok, format!("goes through the proxy {proxy}"))),
        None if addresses.is_empty() => {}
        None => list.push(Finding::new(Step::Name, at, Level::Ok, addresses)),
    }
    match ended {
        Some(probe::Step::Connect) => {
            let next = "Is the node up, and does a firewall stand between? The API listens on 8006 (`systemctl status \
                        pveproxy` on the node).";
            list.push(bad(Step::Port, detail, next.to_owned()));
            return list;
        }
        Some(probe::Step::Proxy) => {
            let host = &probe.endpoint.host;
            let next = format!("The proxy must let CONNECT through to this port; NO_PROXY={host} goes around it.");
            list.push(bad(Step::Port, detail, next));
            return list;
        }
        _ => {
            let to = probe.connected.map(|to| to.to_string()).unwrap_or_default();
            list.push(Finding::new(Step::Port, at, Level::Ok, format!("connected to {to}")));
        }
    }
    if ended == Some(probe::Step::Handshake) {
        let next = "Is it the API that listens there, and does it speak https?";
        list.push(bad(Step::Tls, detail, next.to_owned()));
        return list;
    }
    let Some(certificate) = &probe.certificate else { return list };
    if ended == Some(probe::Step::Trust) {
        list.push(mistrusted(at, &detail, certificate, trust));
        return list;
    }
    list.push(believed(at, certificate, trust, now));
    list
}

/// The certificate is not the one that is believed. Both values are told where one is pinned.
fn mistrusted(at: &str, detail: &str, certificate: &Certificate, trust: &Trust) -> Finding {
    let shown = certificate.fingerprint();
    let says = match trust {
        Trust::Fingerprints(pins) => {
            let pins = pins.iter().map(|pin| hex(pin)).collect::<Vec<_>>().join(", ");
            format!("shows the certificate {shown}, pinned is {pins}")
        }
        _ => format!("{detail}; the certificate is {shown}"),
    };
    let next = format!(
        "Compare it on the node: `pvenode cert info`. Only if it is the same, set PROXMOX_FINGERPRINT={shown} \
         (--fingerprint, or run `proxmox-mcp setup` again); else somebody stands between."
    );
    Finding::new(Step::Tls, at, Level::Failed, says).next(next)
}

fn believed(at: &str, certificate: &Certificate, trust: &Trust, now: Timestamp) -> Finding {
    let why = match trust {
        Trust::System => "believed by this system's roots",
        Trust::CaFile(_) => "signed by the CA file",
        Trust::Fingerprints(_) => "the pinned certificate",
        Trust::Anything => "NOT CHECKED",
    };
    let days = certificate.not_after.map(|end| (end.as_second() - now.as_second()).div_euclid(DAY));
    let left = match days {
        Some(days) if days < 0 => format!("expired {} days ago", -days),
        Some(days) => format!("{days} days left"),
        None => "its end cannot be read".to_owned(),
    };
    let finding = |level| Finding::new(Step::Tls, at, level, format!("{why}, {left}"));
    if *trust == Trust::Anything {
        return finding(Level::Warning).next(format!(
            "Anybody on the way can read along. Set PROXMOX_FINGERPRINT={} in the place of PROXMOX_INSECURE.",
            certificate.fingerprint()
        ));
    }
    match days {
        Some(days) if days < SOON => finding(Level::Warning).next(
            "Renew it on the node: `pvecm updatecerts --force` for the cluster's own, `pvenode acme cert renew` for one \
             from an ACME provider. A pin has to be set anew then.",
        ),
        _ => finding(Level::Ok),
    }
}
