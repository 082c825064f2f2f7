//! A second factor that a person types, at a terminal of the process's own.

use super::*;
use crate::world::World;
use common::{PATIENCE, binary, run};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// `call get_version` with a controlling terminal. Standard input and output may lead elsewhere: the question does not
/// go there.
struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<String>,
    shown: String,
}

impl Terminal {
    fn start(sandbox: &Sandbox) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let open = || -> Stdio {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(name.as_c_str(), flags, Mode::empty()).expect("it opens").into()
        };
        let plain = binary(&[], &[]);
        let mut command = Command::new("setsid");
        // A new session, with what is its standard input as its terminal.
        command.args(["--ctty", "--wait"]).arg(plain.get_program()).args(["call", "get_version", "--json"]);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PROXMOX_PASSWORD", PASSWORD)
            .env("PROXMOX_CONFIG", "none");
        command.envs(variables(sandbox, USER)).current_dir(env!("CARGO_TARGET_TMPDIR"));
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().expect("setsid is there");
        drop(command);
        let keys = File::from(master);
        let mut reader = keys.try_clone().expect("a second hand on it");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keys, screen, shown: String::new() }
    }

    fn sees(&mut self, text: &str) {
        while !self.shown.contains(text) {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(more) => self.shown.push_str(&more),
                Err(_) => {
                    let _ = self.child.kill();
                    panic!("`{text}` does not come; there is: {}", self.shown);
                }
            }
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.keys, "{line}").expect("typed");
    }

    fn end(mut self) -> (i32, String) {
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&more);
        }
        (self.child.wait().expect("ends").code().expect("a code"), self.shown)
    }
}

fn world() -> World {
    let recovery_codes = vec!["00aa-11bb-22cc-33dd".to_owned()];
    World::with(Options { totp_seed: Some(SEED.to_owned()), recovery_codes, ..options() })
}

#[test]
fn a_code_is_asked_for_at_the_terminal_and_not_shown() {
    let world = world();
    let mut terminal = Terminal::start(&world.sandbox);
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
    let mut terminal = Terminal::start(&world.sandbox);
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
