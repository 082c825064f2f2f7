//! The scripts are complete for every shell, and the one for bash is asked in a real bash.

use crate::common::run;
use std::process::Command;

fn script(shell: &str) -> String {
    let output = run(&["completions", shell], &[]);
    assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_shell_gets_a_script_that_knows_flags_subcommands_and_tools() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = script(shell);
        for word in ["allow-guests", "approve", "configure"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // The scripts for the others know no words of positional arguments.
        let takes = matches!(shell, "bash" | "zsh");
        assert!(script.contains("list_guests") || !takes, "{shell}");
    }
}

#[test]
fn an_unknown_shell_is_refused_with_the_known_ones() {
    let output = run(&["completions", "tcsh"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(says.contains("tcsh") && says.contains("bash") && says.contains("zsh"), "{says}");
}

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let ask = r#"
        set -u
        source "$SCRIPT"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        registered=$(complete -p proxmox-mcp) || exit 1
        function=${registered#*-F }
        # compopt, which some branches call, works in a running completion only.
        "${function%% *}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    // Longer than a variable may be.
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), script("bash")).expect("writable");
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", ask, "bash"])
        .args(words)
        .env("SCRIPT", file.path())
        .output()
        .expect("bash is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_subcommands_flags_values_and_tools() {
    assert_eq!(offered(&["proxmox-mcp", "appr"]), ["approve"]);
    assert_eq!(offered(&["proxmox-mcp", "--allow-g"]), ["--allow-guests"]);
    assert_eq!(offered(&["proxmox-mcp", "--tier", "c"]), ["configure"]);
    assert_eq!(offered(&["proxmox-mcp", "call", "--pl"]), ["--plan"]);
    assert_eq!(offered(&["proxmox-mcp", "call", "get_vers"]), ["get_version"]);
    assert_eq!(offered(&["proxmox-mcp", "audit", "ver"]), ["verify"]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("root.pem"), "").expect("writable");
    let begun = folder.path().join("ro").display().to_string();
    assert_eq!(offered(&["proxmox-mcp", "--ca-file", &begun]), [folder.path().join("root.pem").display().to_string()]);
}
