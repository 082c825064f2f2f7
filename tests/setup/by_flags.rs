//! Setup without a terminal: everything by flags, nothing half done, and running it again goes on.

use crate::cluster::{Apart, Home, Ran, has, run, run_with};
use crate::common::{Client, Era};
use serde_json::{Value, json};

fn setup(home: &Home, cluster: &Apart, more: &[&str]) -> Ran {
    let password = home.write("password", &format!("{}\n", cluster.password));
    let host = cluster.host();
    let mut arguments =
        vec!["setup", "--host", &host, "--user", "root@pam", "--password-file", &password, "--name", "home"];
    arguments.extend_from_slice(more);
    run(home, &arguments)
}

/// The usual one.
const ALL: [&str; 6] = ["--trust-first", "--tier", "operate", "--toolsets", "core", "--yes"];

#[test]
fn a_fresh_user_gets_a_token_that_serves_a_client() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let old = r#"{"theme": "dark", "mcpServers": {"other": {"command": "other"}}}"#;
    home.write(".cursor/mcp.json", old);
    let mut arguments = ALL.to_vec();
    arguments.extend(["--client", "cursor", "--install"]);
    let ran = setup(&home, &cluster, &arguments);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    has(&ran.err, &[&cluster.fingerprint, "ProxmoxMCP-operate", "mcp@pve!mcp", "Wrote [clusters.home]"]);

    let config = home.text(".config/proxmox-mcp/config.toml");
    has(&config, &["[clusters.home]", &cluster.fingerprint, "mcp@pve!mcp", "tier = \"operate\"", "token_value_file"]);
    let secret = home.text(".config/proxmox-mcp/home.token");
    assert!(!config.contains(secret.trim()) && !ran.err.contains(secret.trim()) && !ran.out.contains(secret.trim()));
    assert!(!ran.err.contains(&cluster.password));
    #[cfg(unix)]
    for file in [".config/proxmox-mcp/home.token", ".config/proxmox-mcp/config.toml"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.path(file)).expect("written").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} has the mode {mode:o}");
    }

    // The client's entry starts a server that can do what the tier says.
    let entry: Value = serde_json::from_str(&home.text(".cursor/mcp.json")).expect("JSON");
    assert_eq!(entry["theme"], "dark");
    assert_eq!(entry["mcpServers"]["other"], json!({"command": "other"}));
    assert_eq!(home.text(".cursor/mcp.json.bak"), old);
    let launch = &entry["mcpServers"]["proxmox"];
    assert_eq!(launch["command"], env!("CARGO_BIN_EXE_proxmox-mcp"));
    assert_eq!(launch["args"], json!([]));
    let environment = home.environment();
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut client = Client::start(Era::Stateless, &[], &environment);
    client.open();
    let guests = client.call("list_guests", json!({}));
    assert_ne!(guests["structuredContent"]["total"], json!(0), "{guests}");
    let started = client.call("start_guest", json!({"vmid": 102}));
    assert_eq!(started["structuredContent"]["outcome"], "ok", "{started}");
    client.end();

    let doctor = run(&home, &["doctor"]);
    assert_eq!(doctor.code, 0, "{}\n{}", doctor.out, doctor.err);
    has(&doctor.out, &["start_guest", "usable", "pinned certificate"]);
}

#[test]
fn running_it_again_goes_on_and_changes_nothing() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &ALL);
    assert_eq!(first.code, 0, "{}", first.err);
    let (secret, config) = (home.text(".config/proxmox-mcp/home.token"), home.text(".config/proxmox-mcp/config.toml"));
    let again = setup(&home, &cluster, &ALL);
    assert_eq!(again.code, 0, "{}", again.err);
    has(&again.err, &["is there, and its secret as well", "use the role ProxmoxMCP-operate, which is there"]);
    assert_eq!(secret, home.text(".config/proxmox-mcp/home.token"));
    assert_eq!(config, home.text(".config/proxmox-mcp/config.toml"));

    // Somebody else's computer has no secret of it, and no token is taken from anybody without a word.
    let other = Home::new();
    let refused = setup(&other, &cluster, &ALL);
    assert_eq!(refused.code, 2, "{}", refused.err);
    has(&refused.err, &["cannot be read again", "--replace-token", "--token-name"]);
    assert!(!other.path(".config/proxmox-mcp/config.toml").exists());
    let mut replaced = ALL.to_vec();
    replaced.push("--replace-token");
    let replaced = setup(&other, &cluster, &replaced);
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    let old = run(&home, &["doctor"]);
    assert_eq!(old.code, 4, "{}", old.out);
    has(&old.out, &["--replace-token"]);
}

#[test]
fn a_certificate_is_believed_only_by_a_word() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let ran = setup(&home, &cluster, &["--tier", "read", "--toolsets", "core", "--yes"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    has(&ran.err, &["--fingerprint", &cluster.fingerprint, "--trust-first", "pvenode cert info"]);
    let wrong = "00:".repeat(31) + "00";
    let ran = setup(&home, &cluster, &["--fingerprint", &wrong, "--tier", "read", "--toolsets", "core", "--yes"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    has(&ran.err, &[&wrong, &cluster.fingerprint]);
    let right = cluster.fingerprint.clone();
    let ran = setup(&home, &cluster, &["--fingerprint", &right, "--tier", "read", "--toolsets", "core", "--yes"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn nothing_is_asked_without_a_terminal_and_nothing_done_without_a_word() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let ran = run(&home, &["setup"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    has(&ran.err, &["--host is missing"]);
    let ran = setup(&home, &cluster, &["--trust-first", "--tier", "read", "--toolsets", "core"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    has(&ran.err, &["make the role ProxmoxMCP-read", "nothing was changed", "--yes"]);
    let host = cluster.host();
    let ran = run(&home, &["setup", "--host", &host, "--trust-first", "--user", "root@pam", "--yes"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    has(&ran.err, &["--password-file is missing"]);
    let ran = setup(&home, &cluster, &["--trust-first", "--tier", "everything"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!home.path(".config").exists());
}

#[test]
fn who_may_not_gets_the_lines_and_goes_on_with_the_token_made_by_hand() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let host = cluster.host();
    let common = ["setup", "--host", &host, "--trust-first", "--tier", "read", "--toolsets", "core", "--name", "home"];
    let mut lines = common.to_vec();
    lines.push("--print-commands");
    let ran = run(&home, &lines);
    assert_eq!(ran.code, 0, "{}", ran.err);
    has(
        &ran.out,
        &[
            "pveum role add ProxmoxMCP-read --privs 'Datastore.Audit Sys.Audit VM.Audit'\n",
            "pveum user token add mcp@pve mcp --privsep 1\n",
            "pveum acl modify / --tokens 'mcp@pve!mcp' --roles ProxmoxMCP-read\n",
        ],
    );
    // The auditor's token stands for the one that was made by hand.
    let (id, secret) = cluster.auditor.split_once('=').expect("a token");
    let file = home.write("secret", &format!("{secret}\n"));
    let mut by_hand = common.to_vec();
    by_hand.extend(["--token-name", id, "--token-file", &file, "--client", "claude-desktop"]);
    let ran = run(&home, &by_hand);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let entry: Value = serde_json::from_str(&ran.out).expect("standard output has the entry alone");
    assert!(entry["mcpServers"]["proxmox"]["command"].is_string(), "{entry}");
    has(&home.text(".config/proxmox-mcp/config.toml"), &[id, "home.token"]);
}

#[test]
fn a_wrong_password_and_a_dead_host_end_it_before_anything_is_made() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let host = cluster.host();
    let wrong = home.write("wrong", "no such password");
    let arguments = ["setup", "--host", &host, "--trust-first", "--user", "root@pam", "--password-file", &wrong];
    let ran = run(&home, &[&arguments[..], &["--tier", "read", "--toolsets", "core", "--yes"]].concat());
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(!ran.err.contains("no such password") && !home.path(".config").exists(), "{}", ran.err);
    let ran = run(&home, &["setup", "--host", "127.0.0.1:1", "--trust-first", "--yes"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    has(&ran.err, &["127.0.0.1:1", "no endpoint answers"]);
}

#[test]
fn a_secret_may_come_from_a_command() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let (id, secret) = cluster.auditor.split_once('=').expect("a token");
    let host = cluster.host();
    let file = home.write("vault", &format!("{secret}\n"));
    let command = format!("/bin/cat {file}");
    let arguments =
        ["setup", "--host", &host, "--trust-first", "--tier", "read", "--toolsets", "core", "--name", "home"];
    let further = ["--token-name", id, "--token-file", &file, "--secret-command", &command];
    let ran = run_with(&home, &[&arguments[..], &further].concat(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    has(&home.text(".config/proxmox-mcp/config.toml"), &["token_value_command", "/bin/cat"]);
    assert!(!home.path(".config/proxmox-mcp/home.token").exists());
    let called = run(&home, &["call", "get_version"]);
    assert_eq!(called.code, 0, "{}", called.err);
}

#[test]
fn no_token_is_made_whose_secret_would_have_no_place() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let mut command = ALL.to_vec();
    command.extend(["--secret-command", "/bin/cat /no/such/file"]);
    let ran = setup(&home, &cluster, &command);
    assert_eq!(ran.code, 2, "{}", ran.err);
    has(&ran.err, &["--secret-command", "no terminal", "No token was made", "--secret-file", "--token-file"]);
    let mut folder = ALL.to_vec();
    let place = home.path("");
    folder.extend(["--secret-file", place.to_str().expect("text")]);
    let ran = setup(&home, &cluster, &folder);
    assert_eq!(ran.code, 2, "{}", ran.err);
    has(&ran.err, &["cannot be written", "no token was made"]);
    let mut wrong = ALL.to_vec();
    wrong.extend(["--secret-command", "pass 'show"]);
    let ran = setup(&home, &cluster, &wrong);
    assert_eq!(ran.code, 2, "{}", ran.err);
    has(&ran.err, &["--secret-command", "not closed"]);
    // None of these left a token behind, which would have to be replaced now.
    let ran = setup(&home, &cluster, &ALL);
    assert_eq!(ran.code, 0, "{}", ran.err);
}
