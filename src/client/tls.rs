//! Whom we believe to be the cluster: the system's roots, a CA file, one pinned certificate, or (said loudly) anybody.
//!
//! Knows rustls. Whatever the choice, the handshake's signature is verified, so a pin cannot be replayed by somebody
//! who merely holds a copy of the certificate. Remembers the fingerprint of a certificate that was turned down, because
//! a person needs it to decide whether to trust it.

use super::Trouble;
use crate::settings::Trust;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The fingerprint of the certificate that was last turned down.
#[derive(Debug, Clone, Default)]
pub struct Presented(Arc<Mutex<Option<String>>>);

impl Presented {
    /// It stays, as several connections may have been turned down at once.
    pub fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, fingerprint: [u8; 32]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hex(&fingerprint));
    }
}

/// `AB:CD:…`.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{byte:02X}");
    }
    text
}

/// A trust with its certificates read: the same for every endpoint of a cluster.
#[derive(Debug, Clone)]
pub struct Roots {
    believe: Believe,
    provider: Arc<CryptoProvider>,
}

impl Roots {
    /// # Errors
    /// The CA file cannot be read or holds no certificate, or the system has no roots.
    pub fn of(trust: &Trust) -> Result<Roots, Trouble> {
        let provider = Arc::new(ring::default_provider());
        let believe = match trust {
            Trust::System => Believe::Chain(chain(system_roots()?, &provider)?),
            Trust::CaFile(file) => Believe::Chain(chain(file_roots(file)?, &provider)?),
            Trust::Fingerprints(pins) => Believe::Pins(pins.clone()),
            Trust::Anything => Believe::Anything,
        };
        Ok(Roots { believe, provider })
    }

    /// Is this chain, the server's own certificate first, one that is believed?
    ///
    /// # Errors
    /// Why it is not.
    pub fn judge(&self, chain: &[CertificateDer<'_>], server: &ServerName<'_>) -> Result<(), String> {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Err("the server showed no certificate".to_owned());
        };
        let verdict = self.believe.judge(leaf, intermediates, server, &[], UnixTime::now());
        verdict.map_err(|error| error.to_string())
    }

    /// The configuration of the connections to one endpoint.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn config(&self, presented: Presented) -> Result<ClientConfig, Trouble> {
        let provider = self.provider.clone();
        let verifier = Verifier { believe: self.believe.clone(), provider: provider.clone(), presented };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::Setup(format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(config)
    }
}

fn chain(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Trouble> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| Trouble::Setup(format!("the trusted certificates cannot be used: {error}")))
}

fn system_roots() -> Result<RootCertStore, Trouble> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Trouble::Setup(
            "this system has no trusted root certificates. Set PROXMOX_CA_FILE (--ca-file) to a copy of the cluster's \
             /etc/pve/pve-root-ca.pem, or PROXMOX_FINGERPRINT (--fingerprint)."
                .to_owned(),
        ));
    }
    Ok(roots)
}

fn file_roots(file: &Path) -> Result<RootCertStore, Trouble> {
    let wrong = |says: &str| {
        Trouble::Setup(format!(
            "PROXMOX_CA_FILE (--ca-file) {}: {says}. Give a PEM file, e.g. a copy of /etc/pve/pve-root-ca.pem.",
            file.display()
        ))
    };
    let pem = std::fs::read(file).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(&format!("is not PEM: {error}")))?;
        roots.add(certificate).map_err(|error| wrong(&format!("holds a certificate that cannot be used: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate"));
    }
    Ok(roots)
}

#[derive(Debug, Clone)]
enum Believe {
    Chain(Arc<WebPkiServerVerifier>),
    Pins(Vec<[u8; 32]>),
    Anything,
}

impl Believe {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        match self {
            Believe::Chain(chain) => chain.verify_server_cert(leaf, intermediates, server, ocsp, now).map(|_| ()),
            Believe::Pins(pins) if pins.contains(&fingerprint(leaf)) => Ok(()),
            Believe::Pins(_) => {
                Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Believe::Anything => Ok(()),
        }
    }
}

/// SHA-256 of a certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

#[derive(Debug)]
struct Verifier {
    believe: Believe,
    provider: Arc<CryptoProvider>,
    presented: Presented,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.believe.judge(leaf, intermediates, server, ocsp, now);
        if verdict.is_err() {
            self.presented.put(fingerprint(leaf));
        }
        verdict.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
