//! Why the server is believed: shown to the person, who decides, and kept.
//!
//! Knows probes and certificates. Nothing that proves who we are is sent before this is settled.

use super::{Stop, known::Known, person::Person};
use crate::cli::Exit;
use crate::cli::table::clean;
use crate::client::probe as look_at;
use crate::client::probe::{Certificate, Probe, Step};
use crate::settings::{Endpoint, Trust};
use std::time::Duration;

/// How long a step of a look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at the endpoints and settles why they are believed. `given` is what flags said, `known` what the config file
/// believes so far; `first` believes what is shown where nothing is known yet.
///
/// # Errors
/// No endpoint answers; the certificate is not the one that flags or the file named; nobody agreed to it.
pub async fn settle(
    endpoints: &[Endpoint],
    given: Option<Trust>,
    known: Option<&Known>,
    first: bool,
    person: Person,
) -> Result<Trust, Stop> {
    let known = known.filter(|_| given.is_none());
    let given = given.or_else(|| known?.authority());
    let believed = given.clone().unwrap_or(Trust::System);
    let mut pins: Vec<[u8; 32]> = Vec::new();
    let (mut reached, mut trusted) = (0, 0);
    let mut last = None;
    for endpoint in endpoints {
        let probe = look_at(endpoint, &believed, PATIENCE).await;
        let Some(certificate) = &probe.certificate else {
            eprintln!("{}: {}", endpoint.origin(), unreachable(&probe));
            last = Some(unreachable(&probe));
            continue;
        };
        reached += 1;
        eprintln!("{}", shown(endpoint, certificate));
        if let Some((known, pinned)) =
            known.map(|known| (known, known.pins(endpoint))).filter(|(_, pinned)| !pinned.is_empty())
        {
            match pinned.contains(&certificate.sha256) {
                true => eprintln!("It is the one that the config file pins."),
                false => changed(endpoint, certificate, pinned, known, person)?,
            }
            if !pins.contains(&certificate.sha256) {
                pins.push(certificate.sha256);
            }
            continue;
        }
        if probe.failed.is_none() {
            trusted += 1;
            continue;
        }
        if given.is_some() {
            return Err(Stop::new(Exit::Unreachable, refused(endpoint, &believed, certificate, &probe)));
        }
        if !pins.contains(&certificate.sha256) {
            agree(endpoint, certificate, first, person)?;
            pins.push(certificate.sha256);
        }
    }
    if reached == 0 {
        let says = last.unwrap_or_else(|| "no host was given".to_owned());
        return Err(Stop::new(Exit::Unreachable, format!("no endpoint answers: {says}")));
    }
    match (given, pins.is_empty()) {
        (Some(trust), _) => Ok(trust),
        (None, true) => Ok(Trust::System),
        (None, false) if trusted == 0 => Ok(Trust::Fingerprints(pins)),
        (None, false) => Err(Stop::new(
            Exit::Usage,
            "some endpoints have a certificate that this system believes, others have not: give the fingerprints of all \
             of them with --fingerprint, or set up the hosts of one sort",
        )),
    }
}

fn unreachable(probe: &Probe) -> String {
    let Some(failed) = &probe.failed else { return "it shows no certificate".to_owned() };
    let what = match failed.step {
        Step::Setup => "cannot be tried",
        Step::Resolve => "the name cannot be resolved",
        Step::Connect => "no connection",
        Step::Proxy => "the proxy does not let through",
        Step::Handshake => "no TLS there",
        Step::Trust => "not believed",
    };
    clean(&format!("{what}: {}", failed.detail))
}

fn shown(endpoint: &Endpoint, certificate: &Certificate) -> String {
    let day = |time: Option<jiff::Timestamp>| {
        time.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
    };
    let system = match &certificate.system {
        Ok(()) => "this system believes it".to_owned(),
        Err(why) => format!("this system does not believe it ({})", clean(why)),
    };
    format!(
        "{} shows this certificate:\n  fingerprint  {}\n  subject      {}\n  issuer       {}\n  names        {}\n  valid        \
         {} to {}\n  {system}",
        endpoint.origin(),
        certificate.fingerprint(),
        clean(&certificate.subject),
        clean(&certificate.issuer),
        clean(&certificate.names.join(", ")),
        day(certificate.not_before),
        day(certificate.not_after),
    )
}

fn agree(endpoint: &Endpoint, certificate: &Certificate, first: bool, person: Person) -> Result<(), Stop> {
    if first {
        eprintln!("Believed at first sight, by --trust-first; its fingerprint is kept.");
        return Ok(());
    }
    let fingerprint = certificate.fingerprint();
    if !person.is_there() {
        return Err(Stop::new(
            Exit::Unreachable,
            format!(
                "the certificate of {} is not believed. Compare its fingerprint on the node (`pvenode cert info`), and \
                 give --fingerprint {fingerprint}; or --trust-first to believe what is shown.",
                endpoint.origin()
            ),
        ));
    }
    eprintln!(
        "Compare the fingerprint on the node: `pvenode cert info` in its shell, or Node → Certificates on the web page."
    );
    // Never by --yes: that is about what setup makes.
    match person.trusts("Is it the same? Then it is trusted from now on, and no other one")? {
        true => Ok(()),
        false => Err(Stop::new(Exit::Refused, "the certificate was not trusted; nothing was sent")),
    }
}

/// Another certificate than the one that was believed so far: `--trust-first` is for the first time.
fn changed(
    endpoint: &Endpoint,
    certificate: &Certificate,
    pinned: &[[u8; 32]],
    known: &Known,
    person: Person,
) -> Result<(), Stop> {
    let (shows, place) = (certificate.fingerprint(), known.place());
    let pinned = pinned.iter().map(|pin| crate::client::hex(pin)).collect::<Vec<_>>().join(", ");
    if !person.is_there() {
        return Err(Stop::new(
            Exit::Unreachable,
            format!(
                "{} shows the certificate {shows}, and {place} pins {pinned}. Nothing was sent. Compare it on the node \
                 (`pvenode cert info`). Only if it is the same there, give --fingerprint {shows}; else somebody stands \
                 between.",
                endpoint.origin()
            ),
        ));
    }
    eprintln!(
        "This is ANOTHER certificate than the one that {place} pins:\n  pinned  {pinned}\n  shown   {shows}\nSomebody may \
         stand between. Compare it on the node itself, in its own console: `pvenode cert info`."
    );
    match person.trusts("Does the node itself show the new one? Then it is trusted in the place of the old one")? {
        true => Ok(()),
        false => Err(Stop::new(Exit::Refused, "the certificate was not trusted; nothing was sent")),
    }
}

fn refused(endpoint: &Endpoint, trust: &Trust, certificate: &Certificate, probe: &Probe) -> String {
    let shows = certificate.fingerprint();
    match trust {
        Trust::Fingerprints(pins) => {
            let pins = pins.iter().map(|pin| crate::client::hex(pin)).collect::<Vec<_>>().join(", ");
            format!(
                "{} shows the certificate {shows}, and --fingerprint says {pins}. Compare it on the node: `pvenode cert \
                 info`. If they differ there as well, somebody stands between.",
                endpoint.origin()
            )
        }
        _ => format!("{}: {}. It shows the certificate {shows}.", endpoint.origin(), unreachable(probe)),
    }
}
