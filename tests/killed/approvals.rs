//! Calls that wait for a person: what waits can be looked at, and another server can go on.

use crate::common::{Client, Era, run, text};
use crate::world::World;
use crate::{pairs, shown, until, variables};
use serde_json::json;
use std::path::Path;

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
        folders.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
    })
}

#[test]
fn a_killed_server_leaves_calls_that_wait_readable() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start();
    let mut settings = variables(&world);
    settings.push(("PROXMOX_STATE_DIR".to_owned(), shown(folder.path()).to_owned()));
    settings.push(("PROXMOX_CONFIRM".to_owned(), "ask".to_owned()));
    let settings = pairs(&settings);
    for number in 0..10 {
        let mut client = Client::start(Era::BOTH[number % 2], &[], &settings);
        client.open();
        let before = files(folder.path());
        let ids: Vec<u64> = [100, 102, 110, 200]
            .map(|vmid| client.send("tools/call", json!({"name": "delete_guest", "arguments": {"vmid": vmid}})))
            .to_vec();
        until("a call is put down", || files(folder.path()) > before + number % 4);
        // Dropping a client kills its server.
        drop(client);
        drop(ids);
        let listed = run(&["approve"], &settings);
        let said = String::from_utf8_lossy(&listed.stderr).into_owned();
        assert!(listed.status.success(), "what waits cannot be read: {said}");
        let told = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(told.contains("waits"), "nothing waits: {told}{said}");
    }
    // The next server takes new ones.
    let mut client = Client::start(Era::Stateless, &[], &settings);
    client.open();
    let result = client.call("delete_guest", json!({"vmid": 110}));
    assert!(text(&result).contains("proxmox-mcp approve "), "{result}");
    assert!(world.sandbox.requests().iter().all(|one| one.verb == "GET"), "nothing was done without a person");
}
