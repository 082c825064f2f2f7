//! What `proxmox-mcp audit verify` finds, and what it prints.

use super::{cluster, engine, text};
use crate::calls::ok;
use proxmox_mcp::audit::{Broken, Report, verify};
use proxmox_mcp::tool::Tier;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Two servers, one after the other, three changes each.
async fn log(path: &Path) -> Vec<String> {
    let sandbox = cluster().await;
    for server in 0..2 {
        let engine = engine(&sandbox, Tier::Operate, path);
        for number in 0..3 {
            ok(&engine, "create_snapshot", json!({"vmid": 100, "snapname": format!("s{server}{number}")})).await;
        }
    }
    text(path).lines().map(str::to_owned).collect()
}

fn checked(lines: &[String]) -> Result<Report, Broken> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify(text.as_bytes()).expect("readable")
}

#[track_caller]
fn breaks(lines: &[String], at: u64, why: &str) {
    let broken = checked(lines).expect_err("it was tampered with");
    assert!(broken.line == at && broken.why.contains(why), "{broken:?}");
}

#[tokio::test]
async fn whatever_is_not_as_it_was_written_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = log(&folder.path().join("audit.jsonl")).await;
    assert_eq!(whole.len(), 14);
    let report = checked(&whole).expect("it is whole");
    assert_eq!((report.lines, report.starts, report.intents, report.refusals), (14, 2, 6, 0));
    assert!(whole[13].contains(&report.head), "{report:?}");

    let mut edited = whole.clone();
    edited[3] = edited[3].replace("s01", "s99");
    breaks(&edited, 4, "changed");
    // Also the very last line.
    let mut edited = whole.clone();
    edited[13] = edited[13].replace("\"ok\"", "\"failed\"");
    breaks(&edited, 14, "changed");

    for gone in [1, 2, 4, 5] {
        let mut removed = whole.clone();
        removed.remove(gone);
        assert!(checked(&removed).is_err(), "line {gone} was removed");
    }
    let mut removed = whole.clone();
    removed.remove(3);
    breaks(&removed, 4, "removed or moved");
    // The first line, the end of the first server, all of the first server.
    breaks(&whole[1..], 1, "first line is not there");
    breaks(&[&whole[..6], &whole[7..]].concat(), 7, "follows a line that is not there");
    breaks(&whole[7..], 1, "follows a line that is not there");

    let mut inserted = whole.clone();
    inserted.insert(5, whole[2].clone());
    breaks(&inserted, 6, "second time");
    let mut inserted = whole.clone();
    inserted.insert(5, "{\"kind\":\"intent\"}".to_owned());
    breaks(&inserted, 6, "not a whole line");
    let mut moved = whole.clone();
    moved.swap(3, 4);
    breaks(&moved, 4, "too early");
    let mut torn = whole.clone();
    torn[6].truncate(40);
    breaks(&torn, 7, "not a whole line");

    // What hashes alone cannot tell: the head does, for who kept it.
    let cut = checked(&whole[..12]).expect("nothing shows that the end is gone");
    assert_ne!(cut.head, report.head);
    let open = checked(&whole[..13]).expect("it is whole");
    assert_eq!(open.open, [13]);
}

#[tokio::test]
async fn a_start_after_a_torn_line_goes_on_behind_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let mut whole = log(&path).await;
    whole[13].truncate(50);
    std::fs::write(&path, whole.join("\n")).expect("written");
    let sandbox = cluster().await;
    engine(&sandbox, Tier::Operate, &path).open_audit().expect("it can be opened");
    let lines: Vec<String> = text(&path).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 15);
    breaks(&lines, 14, "not a whole line");
}

#[tokio::test]
async fn the_command_says_whether_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let whole = log(&path).await;
    let run = |path: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_proxmox-mcp")).args(["audit", "verify"]).arg(path).output();
        let output = output.expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let head = checked(&whole).expect("it is whole").head;
    let (code, said) = run(&path);
    assert!(code == Some(0) && said.contains(&format!("head: {head}")) && said.contains("14 lines hold"), "{said}");
    std::fs::write(&path, text(&path).replace("s01", "s99")).expect("written");
    let (code, said) = run(&path);
    assert!(code == Some(1) && said.contains("line 4 was changed"), "{said}");
    assert_eq!(run(&folder.path().join("none")).0, Some(2));
}
