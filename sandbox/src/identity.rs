//! The server's certificate and its key.
//!
//! Knows how they are made and read; what is done with them on a connection is the server's business.

use std::{fmt, io, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A certificate that signs itself, and its key, both in PEM form.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// The key stays out of logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// A new one for this computer's own names, for `pve1`, and for further names and addresses.
    ///
    /// # Errors
    ///
    /// When a name cannot stand in a certificate, or there is no randomness for the key.
    pub fn generate(further: &[String]) -> io::Result<Identity> {
        let mut names = ["localhost", "127.0.0.1", "::1", "pve1"].map(str::to_owned).to_vec();
        names.extend(further.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        Ok(Identity { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }

    /// The certificate in DER form.
    pub(crate) fn der(&self) -> io::Result<Vec<u8>> {
        Ok(CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(io::Error::other)?.to_vec())
    }

    /// What shows it on connections.
    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
