//! What doctor says of good and bad clusters, tokens and ways there.

use crate::cluster::{Apart, Home, Ran, has, run, run_with};
use crate::world::World;
use proxmox_sandbox::Options;
use serde_json::Value;

fn hex(pin: [u8; 32]) -> String {
    pin.map(|byte| format!("{byte:02X}")).join(":")
}

fn connection(world: &World, token: &str) -> Vec<(&'static str, String)> {
    let (id, secret) = token.split_once('=').expect("a token");
    vec![
        ("PROXMOX_HOST", world.sandbox.address().to_string()),
        ("PROXMOX_TOKEN_NAME", id.to_owned()),
        ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
        ("PROXMOX_FINGERPRINT", hex(world.sandbox.certificate_fingerprint())),
    ]
}

fn doctor(environment: &[(&'static str, String)], arguments: &[&str]) -> Ran {
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, &**value)).collect();
    run_with(&Home::new(), &[&["doctor"][..], arguments].concat(), &environment)
}

fn world() -> World {
    World::with(Options { task_time: 0.0, real_time: true, ..Options::default() })
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.out, ran.err))
}

fn finding<'a>(report: &'a Value, step: &str, level: &str) -> &'a Value {
    let all = report["clusters"][0]["findings"].as_array().expect("findings");
    let found = all.iter().find(|one| one["step"] == step && one["level"] == level);
    found.unwrap_or_else(|| panic!("no {step} that is {level} in {report:#}"))
}

fn usable<'a>(report: &'a Value, tool: &str) -> &'a Value {
    let tools = report["clusters"][0]["tools"].as_array().expect("tools");
    tools.iter().find(|one| one["name"] == tool).unwrap_or_else(|| panic!("no {tool} in {report:#}"))
}

#[test]
fn a_good_cluster_is_all_good_and_only_asked() {
    let world = world();
    let ran = doctor(&connection(&world, world.sandbox.token()), &["--json"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let report = json(&ran);
    for step in ["name", "port", "tls", "login", "version", "permissions", "quorum", "node", "clock"] {
        finding(&report, step, "ok");
    }
    assert_eq!(report["exit"], 0);
    assert_eq!(usable(&report, "list_guests")["usable"], "yes");
    assert!(world.sandbox.requests().iter().all(|request| request.verb == "GET"), "nothing but reads is sent");
}

#[test]
fn an_auditor_can_look_and_what_it_lacks_is_named() {
    let world = world();
    let environment = connection(&world, world.sandbox.auditor_token());
    let ran = doctor(&environment, &["--json", "--tier", "operate"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let report = json(&ran);
    assert_eq!(usable(&report, "get_guest_status")["usable"], "yes");
    let start = usable(&report, "start_guest");
    assert_eq!(start["usable"], "never");
    assert_eq!(start["missing"][0]["privileges"][0], "VM.PowerMgmt");
    assert_eq!(start["missing"][0]["path"], "/vms/{vmid}");
    let told = doctor(&environment, &["--tier", "operate"]);
    has(&told.out, &["start_guest", "never", "VM.PowerMgmt on /vms/{vmid}", "proxmox-mcp setup --print-commands"]);
    assert_eq!(doctor(&environment, &[]).code, 0, "at its tier everything listed can be used");
}

#[test]
fn the_trap_of_privilege_separation_is_explained() {
    let world = world();
    let secret = world.sandbox.with_cluster(|cluster| {
        let secret = cluster.add_token("trap@pve", "t", true, &[]);
        cluster.grant("trap@pve", "/", "PVEAuditor", true);
        secret
    });
    let ran = doctor(&connection(&world, &format!("trap@pve!t={secret}")), &[]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    has(
        &ran.out,
        &["no privilege on any path", "privilege separation", "pveum acl modify / --tokens 'trap@pve!t' --roles"],
    );
}

#[test]
fn a_token_with_rights_on_some_guests_is_useful_in_part() {
    let world = world();
    let secret = world.sandbox.with_cluster(|cluster| {
        let secret = cluster.add_token("some@pve", "t", true, &[("/vms/100", "PVEVMUser", true)]);
        cluster.grant("some@pve", "/vms/100", "PVEVMUser", true);
        secret
    });
    let ran = doctor(&connection(&world, &format!("some@pve!t={secret}")), &["--json", "--tier", "operate"]);
    let report = json(&ran);
    let start = usable(&report, "start_guest");
    assert_eq!(
        (start["usable"].as_str(), start["missing"][0]["only_on"][0].as_str()),
        (Some("in part"), Some("/vms/100"))
    );
    assert_eq!(usable(&report, "get_cluster_status")["usable"], "never");
    finding(&report, "quorum", "skipped");
}

#[test]
fn a_wrong_fingerprint_shows_both_and_hides_nothing_else() {
    let world = world();
    let mut environment = connection(&world, world.sandbox.token());
    environment[3].1 = "00:".repeat(31) + "00";
    let ran = doctor(&environment, &[]);
    assert_eq!(ran.code, 4, "{}", ran.out);
    let shown = hex(world.sandbox.certificate_fingerprint());
    has(&ran.out, &[&shown, "00:00:00", "pvenode cert info", "connected to"]);
    assert!(world.sandbox.requests().is_empty(), "nothing is sent to who is not believed");
}

#[test]
fn a_dead_host_and_a_wrong_token_are_told_apart() {
    let home = Home::new();
    let dead = [("PROXMOX_HOST", "127.0.0.1:1"), ("PROXMOX_TOKEN_NAME", "a@pve!b"), ("PROXMOX_TOKEN_VALUE", "c")];
    let ran = run_with(&home, &["doctor"], &dead);
    assert_eq!(ran.code, 4, "{}", ran.out);
    has(&ran.out, &["port", "FAILED", "127.0.0.1:1", "pveproxy"]);
    let world = world();
    let mut wrong = connection(&world, world.sandbox.token());
    wrong[2].1 = "11111111-1111-1111-1111-111111111111".to_owned();
    let ran = doctor(&wrong, &[]);
    assert_eq!(ran.code, 4, "{}", ran.out);
    has(&ran.out, &["login", "FAILED", "--replace-token"]);
    assert!(!ran.out.contains("11111111-1111"), "{}", ran.out);
    let unset = run(&home, &["doctor"]);
    assert_eq!(unset.code, 2, "{}", unset.err);
}

#[test]
fn a_node_that_is_down_no_quorum_and_a_clock_that_is_off() {
    let world = world();
    let trouble = |text: &str| world.sandbox.apply(text.parse().expect("a state")).expect("applied");
    let environment = connection(&world, world.sandbox.token());
    trouble("clock-off=pve2:-300");
    let ran = doctor(&environment, &["--json"]);
    assert_eq!(ran.code, 0, "a warning is no failure: {}", ran.out);
    let clock = finding(&json(&ran), "clock", "warning").clone();
    assert_eq!(clock["subject"], "pve2");
    has(clock["says"].as_str().expect("text"), &["behind"]);

    trouble("node-offline=pve3");
    let ran = doctor(&environment, &["--json"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let report = json(&ran);
    assert_eq!(finding(&report, "node", "failed")["subject"], "pve3");
    assert_eq!(usable(&report, "list_guests")["usable"], "yes", "the rest is looked at all the same");
    trouble("node-online=pve3");

    trouble("no-quorum");
    let ran = doctor(&environment, &[]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    has(&ran.out, &["no quorum", "pvecm status"]);
}

#[test]
fn a_dead_first_endpoint_is_a_warning() {
    let world = world();
    let mut environment = connection(&world, world.sandbox.token());
    environment[0].1 = format!("127.0.0.1:1,{}", world.sandbox.address());
    let ran = doctor(&environment, &["--json"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert_eq!(finding(&json(&ran), "port", "warning")["subject"], "127.0.0.1:1");
}

#[test]
fn a_cluster_apart_is_examined_with_the_variables_that_it_prints() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let token = cluster.token();
    let (id, secret) = token.split_once('=').expect("a token");
    let host = cluster.host();
    let environment = [
        ("PROXMOX_HOST", &*host),
        ("PROXMOX_TOKEN_NAME", id),
        ("PROXMOX_TOKEN_VALUE", secret),
        ("PROXMOX_FINGERPRINT", &cluster.fingerprint),
    ];
    let ran = run_with(&home, &["doctor"], &environment);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}
