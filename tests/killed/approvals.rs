//! Calls that wait for a person: what waits can be looked at, and another server can go on.

use crate::common::{Client, Era, run, text};
use crate::world::World;
use crate::{pairs, shown, until, variables};
use serde_json::{Value, json};
use std::path::Path;

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
        folders.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
    })
}

/// Calls that wait for a person, each on its own.
fn calls() -> [Value; 4] {
    [
        json!({"name": "delete_guest", "arguments": {"vmid": 110}}),
        json!({"name": "rollback_snapshot", "arguments": {"vmid": 100, "snapname": "clean"}}),
        json!({"name": "update_guest_config", "arguments": {"vmid": 102, "delete": ["scsi0"]}}),
        json!({"name": "delete_guest", "arguments": {"vmid": 110, "purge": true}}),
    ]
}

#[test]
fn a_killed_server_leaves_calls_that_wait_readable() {
    let world = World::start();
    for number in 0..8 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = variables(&world);
        settings.push(("PROXMOX_STATE_DIR".to_owned(), shown(folder.path()).to_owned()));
        settings.push(("PROXMOX_CONFIRM".to_owned(), "ask".to_owned()));
        let settings = pairs(&settings);
        let mut client = Client::start(Era::BOTH[number % 2], &[], &settings);
        client.open();
        for call in calls() {
            client.send("tools/call", call);
        }
        until("a call is put down", || files(folder.path()) > number % 3);
        // Dropping a client kills its server.
        drop(client);
        let listed = || {
            let listed = run(&["approve"], &settings);
            let said = String::from_utf8_lossy(&listed.stderr).into_owned();
            assert!(listed.status.success(), "what waits cannot be read: {said}");
            String::from_utf8_lossy(&listed.stdout).into_owned()
        };
        listed();
        // The next server goes on in the same folder, and its call is there beside those from before.
        let mut client = Client::start(Era::BOTH[number % 2], &[], &settings);
        client.open();
        let result = client.call("delete_guest", json!({"vmid": 110}));
        let (_, code) = text(&result).split_once("proxmox-mcp approve ").expect("a code");
        let code = code.split('`').next().expect("its end");
        let told = listed();
        assert!(told.contains(code), "{code} is not among them: {told}");
        assert!(client.end().status.success());
    }
    assert!(world.sandbox.requests().iter().all(|one| one.verb == "GET"), "nothing is done without a person");
}
