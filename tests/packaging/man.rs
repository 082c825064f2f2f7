//! The manual pages: one per subcommand, readable by `man` where there is one.

use crate::common::run;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_main_page_has_every_flag_its_variable_and_the_exit_codes() {
    let output = run(&["man"], &[("PROXMOX_TOKEN_VALUE", "not-for-print"), ("PROXMOX_HOST", "not-for-print")]);
    assert!(output.status.success() && output.stderr.is_empty());
    let page = String::from_utf8(output.stdout).expect("text");
    assert!(page.contains(".TH proxmox-mcp 1"), "{page}");
    // roff writes a hyphen that is one as `\-`.
    for word in [r"\-\-allow\-guests", "PROXMOX_ALLOW_GUESTS", "EXAMPLES AND EXIT CODES", "no connection: unreachable"]
    {
        assert!(page.contains(word), "{word} is missing in: {page}");
    }
    assert!(
        !page.contains("not-for-print") && !page.contains("not\\-for"),
        "a value of the environment is in the page"
    );
}

#[test]
fn a_folder_gets_a_page_for_every_subcommand() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("share/man/man1");
    let output = run(&["man", pages.to_str().expect("text")], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).expect("text");
    let mut found: Vec<String> = fs::read_dir(&pages)
        .expect("it is there")
        .map(|entry| entry.expect("readable").path().display().to_string())
        .collect();
    found.sort();
    assert_eq!(told.lines().collect::<Vec<_>>(), found);
    for name in ["proxmox-mcp.1", "proxmox-mcp-call.1", "proxmox-mcp-audit-verify.1", "proxmox-mcp-man.1"] {
        assert!(pages.join(name).is_file(), "{name} is missing in {told}");
    }
    let call = fs::read_to_string(pages.join("proxmox-mcp-call.1")).expect("readable");
    assert!(call.contains(r"\-\-plan") && call.contains("(1) has the flags"), "{call}");
    assert!(!call.contains(r"\-\-allow\-guests"), "the flags of all subcommands are on the main page");
    formatted(&pages);
}

/// Where groff is installed it must find nothing to complain about.
fn formatted(pages: &Path) {
    for entry in fs::read_dir(pages).expect("it is there") {
        let page = entry.expect("readable").path();
        let Ok(output) = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&page).output() else { return };
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", page.display());
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let output = run(&["man", &format!("{}/man1", file.path().display())], &[]);
    assert_eq!(output.status.code(), Some(2));
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(says.contains("man1") && says.contains("Name a folder"), "{says}");
}
