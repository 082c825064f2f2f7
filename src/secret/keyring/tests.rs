//! Keyrings of the tests' own: scripts with the command lines of the real programs.

use super::*;

const ENTRY: Entry<'static> = Entry { service: "proxmox-mcp", account: "home" };

/// A program that does this, and its folder, which is `$HERE`.
fn keyring(speaks: Speaks, script: &str) -> (tempfile::TempDir, Keyring) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    let script = format!("#!/bin/sh\nHERE='{}'\n{script}\n", folder.path().display());
    // By another process: while this one has a program open to write it, a test beside this one may start a child that
    // has it open, too, and then nobody can run it.
    let write = ["-c", "printf %s \"$1\" > \"$0\" && chmod 700 \"$0\""];
    let written = std::process::Command::new("/bin/sh").args(write).arg(&program).arg(script).status();
    assert!(written.expect("a shell").success());
    (folder, Keyring { speaks, program, patience: PATIENCE })
}

async fn fails(speaks: Speaks, script: &str) -> String {
    keyring(speaks, script).1.read(&ENTRY).await.expect_err("no secret")
}

#[tokio::test]
async fn a_secret_is_stored_through_standard_input_and_read_again() {
    let script = "echo \"$@\" >> $HERE/said\n[ $1 = store ] && cat > $HERE/kept || cat $HERE/kept";
    let (folder, keyring) = keyring(Speaks::SecretTool, script);
    keyring.write(&ENTRY, "Proxmox VE, home", &"s3cret".into()).await.expect("stored");
    assert_eq!(keyring.read(&ENTRY).await.expect("there").expose_secret(), "s3cret");
    let said = std::fs::read_to_string(folder.path().join("said")).expect("said");
    let words = "-- service proxmox-mcp username home";
    assert_eq!(said, format!("store --label=Proxmox VE, home {words}\nlookup {words}\nlookup {words}\n"));
}

#[tokio::test]
async fn the_keychain_takes_a_line_and_shows_it_to_nobody() {
    let script = "echo \"$@\" >> $HERE/said\n[ $1 = -i ] && cat > $HERE/line || echo 's3 cret'";
    let (folder, keyring) = keyring(Speaks::Security, script);
    let entry = Entry { service: "proxmox-mcp", account: "my home" };
    keyring.write(&entry, "Proxmox VE", &"s3 cret".into()).await.expect("stored");
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    let line = "add-generic-password -U -s proxmox-mcp -a 'my home' -l 'Proxmox VE' -X 73332063726574\n";
    assert_eq!(text("line"), line);
    assert_eq!(text("said"), "-i\nfind-generic-password -s proxmox-mcp -a my home -w\n");
}

#[tokio::test]
async fn what_was_not_kept_is_told() {
    let (_folder, refuses) = keyring(Speaks::SecretTool, "echo 'secret-tool: it is locked' >&2; exit 1");
    let says = refuses.write(&ENTRY, "x", &"a".into()).await.expect_err("locked");
    assert!(says.contains("it is locked") && says.contains("…_FILE"), "{says}");
    let (_folder, other) = keyring(Speaks::SecretTool, "[ $1 = store ] || echo older");
    let says = other.write(&ENTRY, "x", &"a".into()).await.expect_err("another one");
    assert!(says.contains("another entry"), "{says}");
    // Its shell ends well, whatever became of the line.
    let (_folder, chain) = keyring(Speaks::Security, "[ $1 = -i ] && { echo denied >&2; exit 0; }; exit 44");
    let says = chain.write(&ENTRY, "x", &"a".into()).await.expect_err("denied");
    assert!(says.contains("denied"), "{says}");
    let (_folder, any) = keyring(Speaks::Security, "exit 0");
    let lines = Entry { service: "a", account: "b\ndelete-keychain x" };
    assert!(any.write(&lines, "x", &"a".into()).await.is_err());
}

#[tokio::test]
async fn missing_empty_and_unreachable_entries_are_told_apart() {
    let says = fails(Speaks::SecretTool, "exit 1").await;
    assert!(says.contains("no such entry, or it is locked") && says.contains("secret-tool store"), "{says}");
    assert!(fails(Speaks::Security, "echo 'not found' >&2; exit 44").await.contains("security add-generic-password"));
    assert!(fails(Speaks::SecretTool, "exit 0").await.contains("`proxmox-mcp/home` is empty"));
    let says = fails(Speaks::SecretTool, "echo 'secret-tool: Cannot autolaunch D-Bus' >&2; exit 1").await;
    assert!(says.contains("Cannot autolaunch D-Bus") && says.contains("desktop session"), "{says}");
    let (folder, gone) = keyring(Speaks::SecretTool, "");
    drop(folder);
    let says = gone.read(&ENTRY).await.expect_err("no program");
    assert!(says.contains("libsecret-tools") && says.contains("…_COMMAND"), "{says}");
}

#[tokio::test]
async fn a_keyring_that_hangs_is_given_up() {
    let (_folder, hangs) = keyring(Speaks::SecretTool, "exec sleep 600");
    let says = hangs.within(Duration::from_millis(50)).read(&ENTRY).await.expect_err("hangs");
    assert!(says.contains("did not answer") && says.contains("unlocked"), "{says}");
}

#[tokio::test]
async fn one_that_has_nothing_answers_all_the_same() {
    assert_eq!(keyring(Speaks::SecretTool, "exit 1").1.answers().await, Ok(()));
    assert!(keyring(Speaks::SecretTool, "echo no bus >&2; exit 1").1.answers().await.is_err());
}

#[test]
fn the_session_bus_is_found_where_nobody_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(bus_below(folder.path(), 1000), None);
    std::fs::create_dir(folder.path().join("1000")).expect("a folder");
    std::fs::write(folder.path().join("1000/bus"), "").expect("there");
    let socket = folder.path().join("1000/bus");
    assert_eq!(bus_below(folder.path(), 1000), Some(format!("unix:path={}", socket.display())));
}
