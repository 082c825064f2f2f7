//! What stands in a certificate, for a person who decides whether to trust it.
//!
//! Knows X.509 by x509-parser. Names come from a server that nobody trusts yet, so they are cleaned here.

use super::super::tls;
use crate::engine::clean;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Longest name that is shown, in characters.
const LONGEST: usize = 200;
/// Most names that are shown.
const MOST: usize = 50;

/// A certificate as it was shown by a server.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Of the certificate itself, as a pin has it.
    pub sha256: [u8; 32],
    /// `CN=pve1.example.org`; empty if it cannot be read.
    pub subject: String,
    pub issuer: String,
    /// Names and addresses that it is for.
    pub names: Vec<String>,
    /// `None` = it cannot be read.
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// How many certificates the server sent, this one included.
    pub chain: usize,
    /// Do this system's roots believe it, for this name and today? Else why not.
    pub system: Result<(), String>,
}

impl Certificate {
    pub(super) fn read(der: &CertificateDer<'_>, chain: usize, system: Result<(), String>) -> Certificate {
        let mut read = Certificate {
            sha256: tls::fingerprint(der),
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: None,
            not_after: None,
            chain,
            system,
        };
        // What cannot be read is shown by its fingerprint alone.
        let Ok((_, known)) = X509Certificate::from_der(der) else { return read };
        read.subject = clean::line(&known.subject().to_string(), LONGEST);
        read.issuer = clean::line(&known.issuer().to_string(), LONGEST);
        read.not_before = Timestamp::from_second(known.validity().not_before.timestamp()).ok();
        read.not_after = Timestamp::from_second(known.validity().not_after.timestamp()).ok();
        if let Ok(Some(others)) = known.subject_alternative_name() {
            let names = others.value.general_names.iter().filter_map(name);
            read.names = names.map(|name| clean::line(&name, LONGEST)).take(MOST).collect();
        }
        read
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
