//! The systemd unit: what it starts exists, and systemd itself finds nothing wrong with it.

use crate::common::run;
use std::fs;
use std::process::Command;

const UNIT: &str = include_str!("../../packaging/systemd/proxmox-mcp.service");

#[test]
fn its_command_line_and_variables_are_those_of_the_program() {
    let help = |words: &[&str]| String::from_utf8(run(words, &[]).stdout).expect("text");
    let known = help(&["--help"]) + &help(&["serve", "--help"]);
    let start = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/proxmox-mcp ")).expect("a start");
    let flags = start.split(' ').filter(|word| word.starts_with("--"));
    let variables = UNIT.lines().filter_map(|line| line.strip_prefix("Environment=")?.split('=').next());
    // A secret's variable has a sister for a file; the help names the first.
    for word in flags.chain(variables).map(|word| word.trim_end_matches("_FILE")) {
        assert!(known.contains(word), "{word} is not in --help");
    }
}

#[test]
fn systemd_finds_nothing_wrong_and_little_exposed() {
    let folder = tempfile::tempdir().expect("a folder");
    let manuals = folder.path().join("man");
    assert!(run(&["man", &manuals.join("man1").display().to_string()], &[]).status.success());
    let unit = folder.path().join("proxmox-mcp.service");
    let program = env!("CARGO_BIN_EXE_proxmox-mcp");
    fs::write(&unit, UNIT.replace("/usr/bin/proxmox-mcp", program)).expect("writable");
    let analyze =
        |words: &[&str]| Command::new("systemd-analyze").args(words).arg(&unit).env("MANPATH", &manuals).output();
    // A system without systemd cannot say.
    let Ok(verified) = analyze(&["verify", "--man=no"]) else { return };
    let says = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && says.is_empty(), "{says}");
    // 0 is a process that can do nothing, 100 one without any limit.
    let security = analyze(&["security", "--offline=true", "--threshold=15"]).expect("runs");
    assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
}
