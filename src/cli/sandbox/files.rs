//! What the sandbox writes for others and keeps for itself: settings, certificates, keys.
//!
//! Knows paths and who may read them.

use super::Serve;
use proxmox_sandbox::{Identity, Sandbox};
use std::io;
use std::path::Path;

/// Writes what the flags ask for: the settings for their owner alone, and the certificates of all addresses.
pub(super) fn write(serve: &Serve, sandbox: &Sandbox, lines: &str) -> Result<(), String> {
    if let Some(path) = &serve.env_file {
        write_private(path, lines).map_err(|error| format!("--env-file {}: {error}", path.display()))?;
    }
    if let Some(path) = &serve.certificate_file {
        let mut certificates: Vec<String> =
            sandbox.endpoints().iter().map(|endpoint| endpoint.certificate_pem().to_owned()).collect();
        certificates.dedup();
        std::fs::write(path, certificates.concat())
            .map_err(|error| format!("--certificate-file {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The identity of an earlier start for the address of that number, or a new one, which is kept.
pub(super) fn kept_identity(folder: &Path, number: u16, names: &[String]) -> Result<Identity, String> {
    let suffix = if number == 1 { String::new() } else { format!("-{number}") };
    let (certificate, key) = (folder.join(format!("certificate{suffix}.pem")), folder.join(format!("key{suffix}.pem")));
    let failed = |path: &Path, error: &io::Error| format!("--certificate-dir: {}: {error}", path.display());
    match (std::fs::read_to_string(&certificate), std::fs::read_to_string(&key)) {
        (Ok(certificate), Ok(key)) => return Ok(Identity { certificate, key }),
        // Half of it is somebody's mistake, and no reason to overwrite the other half.
        (Err(one), Err(two)) if one.kind() == io::ErrorKind::NotFound && two.kind() == io::ErrorKind::NotFound => {}
        (Err(error), _) => return Err(failed(&certificate, &error)),
        (_, Err(error)) => return Err(failed(&key, &error)),
    }
    let made = Identity::generate(names).map_err(|error| failed(&certificate, &error))?;
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    write_private(&key, &made.key).map_err(|error| failed(&key, &error))?;
    std::fs::write(&certificate, &made.certificate).map_err(|error| failed(&certificate, &error))?;
    Ok(made)
}

/// Writes a file that nobody else on this computer can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A file that was there keeps its mode otherwise.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    io::Write::write_all(&mut file, text.as_bytes())
}
