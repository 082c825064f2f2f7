//! `--hide-forbidden`: what can never be used is not listed, and what could be is.

use crate::common::{Client, Era};
use crate::world::World;
use serde_json::{Value, json};

fn listed(world: &World, token: &str, arguments: &[&str]) -> Vec<String> {
    let (id, secret) = token.split_once('=').expect("a token");
    let pin = world.sandbox.certificate_fingerprint().map(|byte| format!("{byte:02X}")).join(":");
    let host = world.sandbox.address().to_string();
    let environment = [
        ("PROXMOX_HOST", &*host),
        ("PROXMOX_TOKEN_NAME", id),
        ("PROXMOX_TOKEN_VALUE", secret),
        ("PROXMOX_FINGERPRINT", &*pin),
        ("PROXMOX_RETRY_ATTEMPTS", "1"),
    ];
    let mut client = Client::start(Era::Stateless, arguments, &environment);
    client.open();
    let answer = client.request("tools/list", json!({}));
    let again = client.request("tools/list", json!({}));
    assert_eq!(answer["result"]["tools"], again["result"]["tools"]);
    let tools = answer["result"]["tools"].as_array().expect("tools");
    tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

const ADMIN: [&str; 4] = ["--tier", "admin", "--toolsets", "all"];

fn hiding() -> Vec<&'static str> {
    [&ADMIN[..], &["--hide-forbidden"]].concat()
}

#[test]
fn an_auditor_sees_what_it_can_use() {
    let world = World::start();
    let all = listed(&world, world.sandbox.auditor_token(), &ADMIN);
    let left = listed(&world, world.sandbox.auditor_token(), &hiding());
    for name in ["list_guests", "get_cluster_status", "get_version", "call_api"] {
        assert!(left.iter().any(|one| one == name), "{name} in {left:?}");
    }
    for name in ["start_guest", "delete_guest", "create_vm", "exec_guest", "create_backup"] {
        assert!(all.iter().any(|one| one == name) && !left.iter().any(|one| one == name), "{name} in {left:?}");
    }
    let asked = world.sandbox.requests();
    let looks = asked.iter().filter(|request| request.target.contains("/access/permissions")).count();
    assert_eq!(looks, 1, "once, whatever is listed how often");
}

#[test]
fn one_guest_is_enough_and_who_may_everything_sees_everything() {
    let world = World::start();
    let secret = world.sandbox.with_cluster(|cluster| {
        let secret = cluster.add_token("one@pve", "t", true, &[("/vms/100", "PVEVMUser", false)]);
        cluster.grant("one@pve", "/vms/100", "PVEVMUser", false);
        secret
    });
    let left = listed(&world, &format!("one@pve!t={secret}"), &hiding());
    assert!(left.iter().any(|one| one == "start_guest") && !left.iter().any(|one| one == "delete_guest"), "{left:?}");
    assert_eq!(listed(&world, world.sandbox.token(), &hiding()), listed(&world, world.sandbox.token(), &ADMIN));
}

#[test]
fn what_cannot_be_looked_up_hides_nothing() {
    let world = World::start();
    let fault = "status=500:no@GET /access/permissions".parse().expect("a fault");
    world.sandbox.apply(fault).expect("applied");
    let left = listed(&world, world.sandbox.auditor_token(), &hiding());
    assert_eq!(left, listed(&world, world.sandbox.auditor_token(), &ADMIN));
    let value: Value = json!(left);
    assert!(value.as_array().is_some_and(|names| names.len() > 40));
}
