//! The file of bearer tokens: whoever was told a token has it, and the others are as they were.

use crate::common::{Piped, binary, run};
use crate::{shown, until};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

fn names(file: &Path) -> HashSet<String> {
    let listed = run(&["token", "list", "--json", "--tokens", shown(file)], &[]);
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(listed.status.success(), "the file cannot be read any more: {said}");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let tokens = listed["tokens"].as_array().or(listed.as_array()).unwrap_or_else(|| panic!("{listed}")).clone();
    tokens.iter().filter_map(|token| token["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn whenever_making_a_token_is_killed_the_file_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens.toml");
    let first = run(&["token", "new", "--name", "first", "--tokens", shown(&file)], &[]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let mut before = names(&file);
    for number in 0..24 {
        let name = format!("token-{number}");
        let mut making = Piped::start(&mut binary(&["token", "new", "--name", &name, "--tokens", shown(&file)], &[]));
        // Killed at the so-manieth change of anything in the folder, or at its end.
        let mut seen = crate::entries(folder.path());
        let mut changes = 0;
        until("it ends, or changes something", || {
            let now = crate::entries(folder.path());
            if now != seen {
                seen = now;
                changes += 1;
            }
            changes > number % 4 || making.child.try_wait().expect("a process").is_some()
        });
        let _ = making.child.kill();
        let status = making.child.wait().expect("ends");
        let told = making.lines.iter().next().is_some();
        let after = names(&file);
        assert!(before.is_subset(&after), "tokens were lost: {before:?} to {after:?}");
        assert!(after.len() <= before.len() + 1, "{after:?}");
        assert!(!told || after.contains(&name), "`{name}` was told and is not in the file ({status})");
        before = after;
    }
    // And it can still be added to.
    let last = run(&["token", "new", "--name", "last", "--tokens", shown(&file)], &[]);
    assert!(last.status.success() && names(&file).contains("last"));
}
