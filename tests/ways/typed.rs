//! A second factor that a person types, at a terminal of the process's own.

use super::*;
use crate::terminal::Terminal;
use crate::world::World;
use common::{binary, run};
use std::process::Command;

/// `call get_version` with a controlling terminal. Standard input and output may lead elsewhere: the question does not
/// go there.
fn called(sandbox: &Sandbox) -> Terminal {
    let plain = binary(&[], &[]);
    let mut command = Command::new("setsid");
    // A new session, with what is its standard input as its terminal.
    command.args(["--ctty", "--wait"]).arg(plain.get_program()).args(["call", "get_version", "--json"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("PROXMOX_PASSWORD", PASSWORD).env("PROXMOX_CONFIG", "none");
    command.envs(variables(sandbox, USER)).current_dir(env!("CARGO_TARGET_TMPDIR"));
    Terminal::start(command)
}

fn world() -> World {
    let recovery_codes = vec!["00aa-11bb-22cc-33dd".to_owned()];
    World::with(Options { totp_seed: Some(SEED.to_owned()), recovery_codes, ..options() })
}

#[test]
fn a_code_is_asked_for_at_the_terminal_and_not_shown() {
    let world = world();
    let mut terminal = called(&world.sandbox);
    terminal.sees("second factor");
    let code = world.sandbox.with_cluster(|cluster| cluster.totp_code(USER)).expect("it has an app");
    terminal.types(&code);
    let (ended, shown) = terminal.end();
    assert_eq!(ended, 0, "{shown}");
    assert!(shown.contains("version") && !shown.contains(&code), "{shown}");
}

#[test]
fn a_wrong_code_is_asked_for_again_and_a_recovery_code_will_do() {
    let world = world();
    let mut terminal = called(&world.sandbox);
    terminal.sees("second factor");
    terminal.types("what?");
    terminal.sees("neither");
    terminal.types("recovery:ffff-ffff-ffff-ffff");
    terminal.sees("not accepted");
    terminal.types("00aa-11bb-22cc-33dd");
    let (ended, shown) = terminal.end();
    assert_eq!(ended, 0, "{shown}");
    assert!(!shown.contains("22cc") && !shown.contains("ffff"), "{shown}");
}

#[test]
fn without_a_terminal_the_other_ways_are_named() {
    let world = world();
    let set = variables(&world.sandbox, USER);
    let mut set: Vec<(&str, &str)> = set.iter().map(|(name, text)| (*name, text.as_str())).collect();
    set.push(("PROXMOX_PASSWORD", PASSWORD));
    let output = run(&["call", "get_version"], &set);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{text}");
    calls::has(&text, &["second factor", "PROXMOX_TOTP_SEED_FILE", "API token"]);
}
