//! The file `.env` of the working directory: variables of the one cluster that it names.
//!
//! Knows the form of that file, and how little it may say. Clients start this server in whatever folder is open there,
//! and what lies in a folder may have been written by anybody: so it never changes settings that come from elsewhere,
//! starts no program, and reaches no file but the certificate's.

use super::{BadSettings, file};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;

const NAME: &str = ".env";
const FILE: &str = "the config file";
/// Longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// What would start a program, give another file's secret to the host that this file names, or write where it says. By
/// the ends of their names.
const REACHES: [&str; 10] = [
    "_COMMAND",
    "_KEYRING",
    "_VALUE_FILE",
    "_PASSWORD_FILE",
    "_SEED_FILE",
    "_CONFIG",
    "_AUDIT",
    "_STATE_DIR",
    "_UPLOAD_DIR",
    "_TOKENS",
];

/// Adds the variables of `.env` in the working directory to the environment, if nothing else says which cluster is meant;
/// what is set already wins. Gives what has to be said about a file that is passed over.
///
/// Call it before any thread is started and before `arguments`, the command line, are parsed.
///
/// # Errors
/// The file is there but cannot be read or understood, or says what it may not. The text does not repeat its content.
pub fn read(
    arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, BadSettings> {
    let text = match text() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read,
    };
    let arguments: Vec<String> = arguments.map(|one| one.to_string_lossy().into_owned()).collect();
    if let Some(who) = named_by(&arguments, environment) {
        let ours = text.is_ok_and(|text| text.lines().any(ours));
        return Ok(ours.then(|| {
            let instead = if who.starts_with(FILE) { "give --config none" } else { "leave that out" };
            format!(
                "the file .env in this folder is not used, because {who} says which cluster is meant. To use it, {instead}"
            )
        }));
    }
    let wrong = |says: String| BadSettings::Contradiction(format!("the file .env in this folder {says}"));
    let text = text.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut taken = String::new();
    // Some editors put a mark at the beginning.
    for line in dotenvy::from_read_iter(text.trim_start_matches('\u{feff}').as_bytes()) {
        let (name, value) = line
            .map_err(|_| wrong("has a line that is not NAME=value (values with spaces or # need quotes)".to_owned()))?;
        if !name.starts_with("PROXMOX_") && name != "LOG_LEVEL" {
            continue;
        }
        if !value.is_empty() && REACHES.iter().any(|end| name.ends_with(end)) {
            return Err(wrong(format!(
                "sets {name}, but it may start no program and name no other file: anybody may have put it there. Set \
                 {name} in the environment, or keep the cluster in the config file (`proxmox-mcp config path`)"
            )));
        }
        taken.push_str(&format!("{name}=\"{}\"\n", escaped(&value)));
    }
    dotenvy::from_read(taken.as_bytes())
        .map_err(|_| wrong("has a value that cannot be set in the environment".to_owned()))?;
    Ok(None)
}

fn text() -> std::io::Result<String> {
    let length = fs::metadata(NAME)?.len();
    if length > LONGEST {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("it is longer than {LONGEST} bytes")));
    }
    fs::read_to_string(NAME)
}

/// What says already which cluster is meant.
fn named_by(arguments: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if arguments.iter().any(|one| one == "--sandbox") {
        return Some("--sandbox".to_owned());
    }
    if filled(value(arguments, "--host")).is_some() {
        return Some("--host".to_owned());
    }
    if filled(environment("PROXMOX_HOST")).is_some() {
        return Some("PROXMOX_HOST in the environment".to_owned());
    }
    let given = filled(value(arguments, "--config")).or_else(|| filled(environment("PROXMOX_CONFIG")));
    let path = file::path(given.as_deref(), environment)?;
    (given.is_some() || path.exists()).then(|| format!("{FILE} {}", path.display()))
}

/// What a flag was given, before anybody knows which flags there are. What only looks like one leaves `.env` aside.
fn value(arguments: &[String], flag: &str) -> Option<String> {
    let after = |(at, one): (usize, &String)| match one.strip_prefix(flag)? {
        "" => Some(arguments.get(at + 1).cloned().unwrap_or_default()),
        rest => rest.strip_prefix('=').map(str::to_owned),
    };
    arguments.iter().enumerate().find_map(after)
}

/// A line that was meant for this program.
fn ours(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix("export ").unwrap_or(line).trim_start().starts_with("PROXMOX_")
}

/// In double quotes, as the file's form has it.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\n' => text.push_str("\\n"),
            '\\' | '"' | '$' => text.extend(['\\', letter]),
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_again_is_read_the_same() {
        for value in ["", "a b", "it's \"quoted\"", "$HOME \\ #x", "two\nlines", "trailing ", "é"] {
            let line = format!("A=\"{}\"\n", escaped(value));
            let read: Vec<_> = dotenvy::from_read_iter(line.as_bytes()).collect::<Result<_, _>>().expect("good");
            assert_eq!(read, [("A".to_owned(), value.to_owned())]);
        }
    }

    #[test]
    fn a_cluster_that_is_named_elsewhere_is_noticed() {
        let named = |arguments: &[&str], variables: &[(&str, &str)]| {
            let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
            let environment = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name)?;
                Some(found.1.to_owned())
            };
            named_by(&arguments, &environment)
        };
        assert_eq!(named(&["call", "get_version"], &[]), None);
        assert_eq!(named(&["--host=", "--config", "none"], &[("PROXMOX_HOST", " ")]), None);
        assert_eq!(named(&["--config=none"], &[("PROXMOX_CONFIG", "/a.toml")]), None);
        for (arguments, variables, who) in [
            (&["--host", "pve1"][..], &[][..], "--host"),
            (&["call", "x", "--host=pve1"], &[], "--host"),
            (&["--sandbox"], &[], "--sandbox"),
            (&[], &[("PROXMOX_HOST", "pve1")], "PROXMOX_HOST"),
            (&[], &[("PROXMOX_CONFIG", "/no/such.toml")], "/no/such.toml"),
            (&["--config", "/a.toml"], &[("PROXMOX_CONFIG", "none")], "/a.toml"),
        ] {
            let said = named(arguments, variables).unwrap_or_default();
            assert!(said.contains(who), "{said} for {arguments:?} {variables:?}");
        }
    }
}
