//! Setup that keeps the token's secret in the desktop's keyring: one of the test's own, and the real one if it is
//! installed.

use crate::cluster::{Apart, Home, Ran, has, run_with};
use crate::keyring::Keyring;
use crate::terminal::Terminal;
use std::process::{Command, Stdio};

const FLAGS: [&str; 8] =
    ["--trust-first", "--tier", "read", "--toolsets", "core", "--yes", "--secret-keyring", "--user=root@pam"];

fn arguments(cluster: &Apart, home: &Home, more: &[&str]) -> Vec<String> {
    let password = home.write("password", &format!("{}\n", cluster.password));
    let first = ["setup", "--host", &cluster.host(), "--password-file", &password, "--name", "home"].map(str::to_owned);
    first.into_iter().chain(more.iter().map(|&one| one.to_owned())).collect()
}

fn setup(home: &Home, cluster: &Apart, keyring: &Keyring, more: &[&str]) -> Ran {
    let arguments = arguments(cluster, home, more);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run_with(home, &arguments, &[("PATH", &keyring.path())])
}

fn call(home: &Home, keyring: &Keyring) -> Ran {
    run_with(home, &["call", "get_version"], &[("PATH", &keyring.path())])
}

const CONFIG: &str = ".config/proxmox-mcp/config.toml";
const FILE: &str = ".config/proxmox-mcp/home.token";

#[test]
fn setup_stores_and_the_server_reads() {
    let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
    let ran = setup(&home, &cluster, &keyring, &FLAGS);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let secret = keyring.kept("proxmox-mcp", "home").expect("it is there");
    has(&home.text(CONFIG), &["token_value_keyring = \"proxmox-mcp/home\""]);
    assert!(!home.path(FILE).exists());
    // It goes through a pipe: a command line can be read by everybody.
    assert!(!secret.is_empty() && !keyring.said().contains(&secret), "{}", keyring.said());
    assert!(!ran.err.contains(&secret) && !home.text(CONFIG).contains(&secret));
    has(&keyring.said(), &["store --label=Proxmox VE token mcp@pve!mcp of home -- service proxmox-mcp username home"]);
    let called = call(&home, &keyring);
    assert_eq!(called.code, 0, "{}", called.err);

    // Again, and without the flag: what the config file says holds.
    let again = setup(&home, &cluster, &keyring, &[&FLAGS[..6], &FLAGS[7..]].concat());
    assert_eq!(again.code, 0, "{}", again.err);
    has(&again.err, &["is there, and its secret as well"]);
    assert_eq!(keyring.kept("proxmox-mcp", "home"), Some(secret));
    has(&home.text(CONFIG), &["token_value_keyring"]);
    keyring.go_away();
    let gone = setup(&home, &cluster, &keyring, &[&FLAGS[..6], &FLAGS[7..]].concat());
    assert_eq!(gone.code, 2, "{}", gone.err);
    has(&gone.err, &["`token_value_keyring` of this cluster in the config file: ", "--secret-file"]);
}

#[test]
fn a_secret_of_an_earlier_run_moves_from_its_file_into_the_keyring() {
    let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
    let first = setup(&home, &cluster, &keyring, &[&FLAGS[..6], &FLAGS[7..]].concat());
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!(keyring.kept("proxmox-mcp", "home"), None, "nobody asked for it");
    let mut own = FLAGS.to_vec();
    own[6] = "--secret-keyring=my pve/token of home";
    let moved = setup(&home, &cluster, &keyring, &own);
    assert_eq!(moved.code, 0, "{}", moved.err);
    has(&moved.err, &["is there, and its secret as well", "home.token holds the secret as well"]);
    assert_eq!(keyring.kept("my pve", "token of home").as_deref(), Some(home.text(FILE).trim()));
    std::fs::remove_file(home.path(FILE)).expect("not needed");
    let called = call(&home, &keyring);
    assert_eq!(called.code, 0, "{}", called.err);
}

#[test]
fn a_keyring_that_takes_nothing_loses_nothing() {
    let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
    keyring.lock();
    let ran = setup(&home, &cluster, &keyring, &FLAGS);
    assert_eq!(ran.code, 1, "{}", ran.err);
    has(&ran.err, &["locked collection", "the secret is in the file", "home.token", "--secret-keyring"]);
    has(&home.text(CONFIG), &["token_value_file"]);
    assert!(!ran.err.contains(home.text(FILE).trim()));
    assert_eq!(call(&home, &keyring).code, 0);
    // Unlocked, the same again puts it where it was to be.
    let keyring = Keyring::new();
    let again = setup(&home, &cluster, &keyring, &FLAGS);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(keyring.kept("proxmox-mcp", "home").as_deref(), Some(home.text(FILE).trim()));
}

#[test]
fn a_secret_that_can_be_kept_nowhere_is_shown() {
    let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
    keyring.lock();
    std::fs::create_dir_all(home.path(FILE)).expect("in its way");
    let ran = setup(&home, &cluster, &keyring, &FLAGS);
    assert_eq!(ran.code, 1, "{}", ran.err);
    has(&ran.err, &["locked collection", "cannot be written", "--token-file", "made the token mcp@pve!mcp"]);
    let (_, rest) = ran.err.split_once("shown this once: ").expect("it is shown");
    let file = home.write("secret", rest.split_whitespace().next().expect("a word"));
    let keyring = Keyring::new();
    let by_hand = setup(&home, &cluster, &keyring, &[&FLAGS[..], &["--token-file", &file]].concat());
    assert_eq!(by_hand.code, 0, "{}", by_hand.err);
    assert_eq!(call(&home, &keyring).code, 0);
}

#[test]
fn without_a_keyring_nothing_is_made() {
    let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
    keyring.go_away();
    for (keyring, says) in [(keyring, "Cannot autolaunch D-Bus"), (Keyring::none(), "libsecret-tools")] {
        let ran = setup(&home, &cluster, &keyring, &FLAGS);
        assert_eq!(ran.code, 2, "{}", ran.err);
        has(&ran.err, &["--secret-keyring", says]);
        assert!(!home.path(".config").exists());
    }
    // Had a token been made, its secret would be needed now.
    let keyring = Keyring::new();
    let ran = setup(&home, &cluster, &keyring, &FLAGS);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_person_is_offered_a_keyring_that_answers_and_no_other() {
    for (wants, there) in [(true, true), (false, true), (false, false)] {
        let (cluster, home, keyring) = (Apart::start(&[]), Home::new(), Keyring::new());
        if !there {
            keyring.go_away();
        }
        let flags = ["--trust-first", "--tier", "read", "--toolsets", "core", "--user", "root@pam"];
        let arguments = arguments(&cluster, &home, &flags);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = crate::common::binary(&arguments, &[]);
        command.envs(home.environment()).env("TERM", "dumb").env("PATH", keyring.path());
        let mut terminal = Terminal::start(command);
        if there {
            terminal.answers("in the desktop's keyring?", if wants { "y" } else { "n" });
        }
        terminal.answers("Do that?", "y");
        let (code, screen) = terminal.end();
        assert_eq!(code, 0, "{screen}");
        assert!(there || !screen.contains("keyring"), "{screen}");
        assert_eq!(keyring.kept("proxmox-mcp", "home").is_some(), wants, "{screen}");
        assert_eq!(home.path(FILE).exists(), !wants);
        assert!(!there || call(&home, &keyring).code == 0);
    }
}

/// The Secret Service of GNOME with `secret-tool`, where they are installed: each session with a bus and a daemon of its
/// own, which keeps its files in the home folder of the test.
#[test]
fn the_real_keyring_of_a_session_keeps_it_for_the_next_one() {
    let there = |program: &str| ["/usr/bin", "/bin"].iter().any(|at| std::path::Path::new(at).join(program).exists());
    if !["dbus-run-session", "gnome-keyring-daemon", "secret-tool"].iter().all(|program| there(program)) {
        return;
    }
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let in_session = |arguments: &[&str]| {
        let unlocked = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; \"$0\" \"$@\"";
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", unlocked, env!("CARGO_BIN_EXE_proxmox-mcp")]).args(arguments);
        command.env_clear().envs(home.environment()).env("PATH", "/usr/bin:/bin").current_dir(home.path(""));
        let output = command.stdin(Stdio::null()).output().expect("starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let arguments = arguments(&cluster, &home, &FLAGS);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, says) = in_session(&arguments);
    assert_eq!(code, Some(0), "{says}");
    assert!(!home.path(FILE).exists(), "{says}");
    let (code, says) = in_session(&["call", "get_version"]);
    assert_eq!(code, Some(0), "{says}");
}
