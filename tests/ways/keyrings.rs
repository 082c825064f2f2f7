//! The desktop's keyring, in the built binary: through a program of the test's own.

use super::*;
use crate::keyring::Keyring;
use crate::secrets::asked;
use crate::world::World;
use calls::has;

const SETTING: &str = "PROXMOX_TOKEN_VALUE_KEYRING";

fn call(world: &World, keyring: &Keyring, entry: &str) -> (i32, String) {
    asked(world, &[(SETTING, entry), ("PATH", &keyring.path())])
}

#[test]
fn an_entry_of_the_keyring() {
    let (world, keyring) = (World::start(), Keyring::new());
    let (_, secret) = world.sandbox.token().split_once('=').expect("whole");
    keyring.keep("proxmox-mcp", "mcp@pve!a/b", secret);
    let (code, text) = call(&world, &keyring, "proxmox-mcp/mcp@pve!a/b");
    assert_eq!(code, 0, "{text}");
    assert_eq!(keyring.said(), "lookup -- service proxmox-mcp username mcp@pve!a/b\n");
    // As somebody makes one who types the secret into a program that ends it with a line break.
    keyring.keep("proxmox-mcp", "typed", &format!("{secret}\n"));
    assert_eq!(call(&world, &keyring, "proxmox-mcp/typed").0, 0);
}

#[test]
fn an_entry_that_gives_no_secret_says_why_and_what_to_do() {
    let (world, keyring) = (World::start(), Keyring::new());
    keyring.keep("proxmox-mcp", "empty", "");
    let refused = |keyring: &Keyring, entry: &str, says: &[&str]| {
        let (code, text) = call(&world, keyring, entry);
        assert_eq!(code, 2, "{text}");
        has(&text, &[SETTING]);
        has(&text, says);
    };
    refused(&keyring, "proxmox-mcp/empty", &["`proxmox-mcp/empty` is empty"]);
    refused(&keyring, "proxmox-mcp/none", &["no such entry", "secret-tool store", "username none"]);
    refused(&keyring, "proxmox-mcp", &["service and account"]);
    keyring.keep("proxmox-mcp", "locked", "hunter2");
    keyring.lock();
    refused(&keyring, "proxmox-mcp/locked", &["locked"]);
    keyring.go_away();
    refused(&keyring, "proxmox-mcp/locked", &["Cannot autolaunch D-Bus", "desktop session", "…_FILE"]);
    refused(&Keyring::none(), "proxmox-mcp/none", &["secret-tool", "libsecret-tools", "…_FILE", "…_COMMAND"]);
    assert!(world.sandbox.requests().is_empty());
}
