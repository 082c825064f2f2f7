//! Where secrets come from, in the built binary.

use super::*;
use crate::world::World;
use calls::has;
use common::run;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

/// Exit code and standard error of `call get_version` as the token's owner, with these variables besides.
pub fn asked(world: &World, more: &[(&str, &str)]) -> (i32, String) {
    let (name, _) = world.sandbox.token().split_once('=').expect("whole");
    let mut set = variables(&world.sandbox, "");
    set.retain(|(name, _)| *name != "PROXMOX_USER");
    let mut set: Vec<(&str, &str)> = set.iter().map(|(name, text)| (*name, text.as_str())).collect();
    set.extend([("PROXMOX_TOKEN_NAME", name), ("PATH", "/usr/bin:/bin")]);
    set.extend(more);
    told(&run(&["call", "get_version"], &set))
}

fn told(output: &Output) -> (i32, String) {
    (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn write(path: &Path, text: &str, mode: u32) -> String {
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    path.to_str().expect("text").to_owned()
}

#[test]
fn a_file_that_others_cannot_read() {
    let world = World::start();
    let (_, secret) = world.sandbox.token().split_once('=').expect("whole");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let file = write(&at("token"), &format!("{secret}\n"), 0o600);
    assert_eq!(asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", &file)]).0, 0);
    let home = folder.path().to_str().expect("text").to_owned();
    assert_eq!(asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", "~/token"), ("HOME", &home)]).0, 0);
    symlink(&file, at("link")).expect("a link");
    let link = at("link").to_str().expect("text").to_owned();
    assert_eq!(asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", &link)]).0, 0);
    for (mode, who) in [(0o640, "read"), (0o604, "read"), (0o620, "change")] {
        write(&at("token"), secret, mode);
        for path in [&file, &link] {
            let (code, text) = asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", path)]);
            assert_eq!(code, 2, "{text}");
            // The file behind the link is the one that counts.
            has(&text, &["PROXMOX_TOKEN_VALUE_FILE", who, &format!("{mode:03o}"), &format!("chmod 600 {file}")]);
            assert!(!text.contains(secret), "{text}");
        }
    }
    for (text, says) in [("", "empty"), ("a\nb\n", "2 lines")] {
        let file = write(&at("other"), text, 0o600);
        let (code, text) = asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", &file)]);
        assert_eq!(code, 2, "{text}");
        has(&text, &["PROXMOX_TOKEN_VALUE_FILE", says]);
    }
    for (path, says) in [("token", "whole path"), ("/no/such/file", "cannot be read"), ("/tmp", "is no file")] {
        let (code, text) = asked(&world, &[("PROXMOX_TOKEN_VALUE_FILE", path)]);
        assert_eq!(code, 2, "{text}");
        has(&text, &["PROXMOX_TOKEN_VALUE_FILE", says]);
    }
}

#[test]
fn a_credential_of_the_service_manager_may_be_readable_in_its_own_folder() {
    let world = World::start();
    let (_, secret) = world.sandbox.token().split_once('=').expect("whole");
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("text").to_owned();
    let file = write(&folder.path().join("token"), secret, 0o444);
    let set = [("PROXMOX_TOKEN_VALUE_FILE", file.as_str()), ("CREDENTIALS_DIRECTORY", place.as_str())];
    assert_eq!(asked(&world, &set).0, 0);
    write(&folder.path().join("token"), secret, 0o466);
    let (code, text) = asked(&world, &set);
    assert_eq!(code, 2);
    has(&text, &["can change it"]);
}

#[test]
fn a_command_without_a_shell() {
    let world = World::start();
    let (_, secret) = world.sandbox.token().split_once('=').expect("whole");
    let good = format!("printf '%s\\nurl: https://example.org\\n' {secret}");
    assert_eq!(asked(&world, &[("PROXMOX_TOKEN_VALUE_COMMAND", &good)]).0, 0);
    let fails = format!("sh -c 'echo {secret}; echo the store is locked >&2; exit 4'");
    for (command, says) in [
        (fails.as_str(), "it says: the store is locked"),
        ("printf ''", "printed nothing"),
        ("no-such-program --here", "there is no program"),
        ("pass 'show", "not closed"),
    ] {
        let (code, text) = asked(&world, &[("PROXMOX_TOKEN_VALUE_COMMAND", command)]);
        assert_eq!(code, 2, "{text}");
        has(&text, &["PROXMOX_TOKEN_VALUE_COMMAND", says]);
        assert!(!text.contains(secret), "{text}");
    }
    assert!(world.sandbox.requests().iter().all(|seen| seen.status == 200));
}

#[test]
fn two_sources_contradict_each_other() {
    let world = World::start();
    let two = [("PROXMOX_TOKEN_VALUE", "a"), ("PROXMOX_TOKEN_VALUE_FILE", "/a")];
    let both = [("PROXMOX_TOKEN_VALUE", "a"), ("PROXMOX_PASSWORD", "b")];
    for set in [two, both] {
        let (code, text) = asked(&world, &set);
        assert_eq!(code, 2);
        has(&text, &[set[0].0, set[1].0]);
    }
    assert!(world.sandbox.requests().is_empty());
}

#[test]
fn a_password_and_a_seed_from_a_file_and_a_command() {
    let world = World::with(Options { totp_seed: Some(SEED.to_owned()), ..options() });
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder.path().join("password"), PASSWORD, 0o400);
    let set = variables(&world.sandbox, USER);
    let mut set: Vec<(&str, &str)> = set.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let seed = format!("echo {SEED}");
    set.extend([
        ("PROXMOX_PASSWORD_FILE", file.as_str()),
        ("PROXMOX_TOTP_SEED_COMMAND", &seed),
        ("PATH", "/usr/bin:/bin"),
    ]);
    let (code, text) = told(&run(&["call", "get_version"], &set));
    assert_eq!(code, 0, "{text}");
}
