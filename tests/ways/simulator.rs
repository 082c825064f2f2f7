//! The ways in on a cluster by somebody else, the simulator `fakepve`.
//!
//! Without the variable `FAKEPVE` these tests say that they were not run.

use crate::backend::{Backend, PROGRAM, Simulator};
use crate::calls::has;
use crate::common::run;
use crate::script::World;
use std::io::Write;

/// Starts the simulator and calls the binary as its one user with a password.
fn asked(world: &World, arguments: &[&str], more: &[(&str, &str)]) -> Option<(i32, String)> {
    let Some(simulator) = Simulator::start(world) else {
        let _ = writeln!(std::io::stderr(), "NOT RUN on the simulator: {PROGRAM} names none");
        return None;
    };
    let set = simulator.environment();
    let mut set: Vec<(&str, &str)> =
        set.iter().filter(|(name, _)| !name.contains("TOKEN")).map(|(name, text)| (*name, text.as_str())).collect();
    set.push(("PROXMOX_USER", "root@pam"));
    set.extend(more);
    let output = run(arguments, &set);
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.code().expect("a code"), String::from_utf8_lossy(&said).into_owned()))
}

const PASSWORD: (&str, &str) = ("PROXMOX_PASSWORD", "unused");

#[test]
fn a_password_reads_and_writes() {
    for arguments in [&["call", "list_guests"][..], &["call", "start_guest", "vmid=102"]] {
        let Some((code, text)) = asked(&World::default(), arguments, &[PASSWORD]) else { return };
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn a_wrong_password_is_told() {
    let wrong = ("PROXMOX_PASSWORD", "battery staple");
    let Some((code, text)) = asked(&World::default(), &["call", "get_version"], &[wrong]) else { return };
    assert_eq!(code, 4, "{text}");
    has(&text, &["authentication failure", "PROXMOX_PASSWORD"]);
}

#[test]
fn tickets_that_are_never_good_are_not_tried_for_ever() {
    let world = World { brief: true, ..World::default() };
    let Some((code, text)) = asked(&world, &["call", "list_guests"], &[PASSWORD]) else { return };
    assert_eq!(code, 4, "{text}");
    has(&text, &["root@pam", "ticket"]);
}

#[test]
fn a_second_factor_without_a_terminal_names_the_other_ways() {
    let world = World { factor: true, ..World::default() };
    let Some((code, text)) = asked(&world, &["call", "get_version"], &[PASSWORD]) else { return };
    assert_eq!(code, 4, "{text}");
    has(&text, &["second factor", "PROXMOX_TOTP_SEED_FILE"]);
}
