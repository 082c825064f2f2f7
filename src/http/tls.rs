//! The certificate of this server, from files in PEM.
//!
//! Read at the start, and again when the files were replaced: certificates are renewed more often than servers start.

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked whether the files were replaced.
const LOOK: Duration = Duration::from_secs(10);

/// Why there is no TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoTls(String);

/// What TLS needs, checked.
///
/// # Errors
/// A file cannot be read, holds something else, or the key is not that of the certificate; the text names the file.
pub fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, NoTls> {
    let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
    let stamp = files.stamp();
    let current = files.load()?;
    let shown = Shown(Mutex::new(State { files, stamp, current, looked: Instant::now() }));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| NoTls(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

type Stamp = [Option<SystemTime>; 2];

impl Files {
    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|path| path.metadata().and_then(|file| file.modified()).ok())
    }

    fn load(&self) -> Result<Arc<CertifiedKey>, NoTls> {
        let bad = |path: &Path, says: &dyn fmt::Display| NoTls(format!("{}: {says}", path.display()));
        private(&self.key).map_err(|says| bad(&self.key, &says))?;
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| bad(&self.certificate, &format!("no certificate in PEM can be read: {error}")))?;
        if chain.is_empty() {
            return Err(bad(&self.certificate, &"there is no certificate in it (-----BEGIN CERTIFICATE-----)"));
        }
        // Its message says what is wrong with the form, and never what is in the file.
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| bad(&self.key, &format!("no private key in PEM can be read: {error}")))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(Arc::new)
            .map_err(|error| bad(&self.key, &format!("this key and the certificate do not fit: {error}")))
    }
}

#[cfg(unix)]
fn private(key: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = key.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o777;
    if mode & 0o006 == 0 {
        return Ok(());
    }
    Err(format!("everybody on this machine can read or write this key (mode {mode:03o}); set it to 600 or 640"))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// The certificate that is shown to clients.
struct Shown(Mutex<State>);

struct State {
    files: Files,
    stamp: Stamp,
    current: Arc<CertifiedKey>,
    looked: Instant,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let stamp = state.files.stamp();
            if stamp != state.stamp {
                match state.files.load() {
                    Ok(new) => {
                        tracing::info!("the certificate was replaced");
                        (state.current, state.stamp) = (new, stamp);
                    }
                    // Perhaps one file is there and the other is not yet: looked at again the next time.
                    Err(error) => tracing::error!("the certificate stays the old one: {error}"),
                }
            }
        }
        Some(state.current.clone())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}
