//! A secret in a file that nobody else can read.
//!
//! Knows permissions and the places that service managers make for secrets. The file is judged as it was opened, behind
//! every link, so that what is judged is what is read.

use super::LONGEST;
use secrecy::SecretString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Where container engines and systemd put secrets for one service alone. They are readable by everybody in there,
/// which is nobody else.
#[cfg(unix)]
const MADE_FOR_SECRETS: [&str; 2] = ["/run/secrets", "/run/credentials"];
/// The variable by which systemd names such a place.
#[cfg(unix)]
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

pub async fn read(path: &Path) -> Result<SecretString, String> {
    let place = path.to_owned();
    let read = tokio::task::spawn_blocking(move || open(&place)).await;
    read.map_err(|error| error.to_string())?
}

fn open(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("{shown} cannot be read: {error}. Is it there, and ours to read?");
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(format!("{shown} is no file. For a program that prints the secret there is a setting …_COMMAND."));
    }
    let mut file = File::open(path).map_err(failed)?;
    checked(path, &file)?;
    let mut text = String::new();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => format!("{shown} holds no text"),
        _ => failed(error),
    };
    file.by_ref().take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST {
        return Err(format!("{shown} is longer than {} KiB; the secret stands in it alone", LONGEST / 1024));
    }
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    match text.lines().count() {
        0 => Err(format!("{shown} is empty. Write the secret into it.")),
        1 => Ok(SecretString::from(text.to_owned())),
        lines => Err(format!("{shown} has {lines} lines; the secret stands in it alone, on one line")),
    }
}

#[cfg(unix)]
fn checked(path: &Path, file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let found = file.metadata().map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let mode = found.permissions().mode() & 0o7777;
    // The name behind every link: that is the file whose mode counts.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let given = std::env::var_os(CREDENTIALS).map(std::path::PathBuf::from).and_then(|dir| dir.canonicalize().ok());
    let private = MADE_FOR_SECRETS.iter().any(|place| real.starts_with(place))
        || given.is_some_and(|place| place != Path::new("/") && real.starts_with(place));
    let too_much = if private { 0o022 } else { 0o077 };
    if mode & too_much == 0 {
        return Ok(());
    }
    let who = if mode & 0o022 != 0 { "change" } else { "read" };
    Err(format!(
        "{} is not used: others than its owner can {who} it (mode {mode:03o}). `chmod 600 {}` puts that right; whoever \
         could read it may know the secret, so a new one is better.",
        path.display(),
        shell_words::quote(&real.to_string_lossy())
    ))
}

/// Who may read what is said in other ways there; a file of one's own profile is one's own.
#[cfg(not(unix))]
fn checked(_path: &Path, _file: &File) -> Result<(), String> {
    Ok(())
}
