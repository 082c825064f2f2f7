//! `proxmox-mcp sandbox`: what it prints is enough to use it from another process, and it ends when it is told to.
#![cfg(feature = "sandbox")]

mod common;

use common::{PATIENCE, binary, run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

/// A running sandbox.
struct Served {
    child: Child,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let mut all = vec!["sandbox", "--listen", "127.0.0.1:0"];
        all.extend_from_slice(arguments);
        let mut command = binary(&all, &[]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let (output, mut errors) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.into_iter().all(|line| sender.send(line).is_ok())
        });
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        Served { child, lines, log: Some(log) }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// The settings that it prints, as pairs; comments are left out.
    fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        loop {
            let line = self.line();
            if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
                settings.push((name.to_owned(), value.to_owned()));
                if name == "PROXMOX_FINGERPRINT" {
                    return settings;
                }
            }
        }
    }

    /// Sends a signal and gives the end of the process and what stood on standard error.
    fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let status = self.child.wait().expect("ends");
        (status, self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn call(settings: &[(String, String)], arguments: &[&str]) -> Output {
    let environment: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut all = vec!["call"];
    all.extend_from_slice(arguments);
    run(&all, &environment)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn answer(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sandbox-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
#[cfg(unix)]
fn another_process_can_use_it_with_what_it_prints() {
    let served = Served::start(&[]);
    let settings = served.settings();
    let guests = answer(&call(&settings, &["list_guests", "--json"]));
    assert!(guests.to_string().contains("web-server"), "{guests}");
    assert!(!guests.to_string().contains("make-believe"), "it looks like any other cluster");
    let (status, log) = served.stop("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("GET /api2/json/cluster/resources"), "{log}");
    assert!(!settings.iter().any(|(name, value)| name == "PROXMOX_TOKEN_VALUE" && log.contains(value)), "{log}");
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_too() {
    let served = Served::start(&["--log-level", "warn"]);
    served.settings();
    let (status, log) = served.stop("INT");
    assert_eq!((status.code(), log.as_str()), (Some(0), ""));
}

#[test]
fn faults_strike_from_the_start() {
    let served = Served::start(&[
        "--fault",
        "status=500:got timeout@GET /cluster/status",
        "--fault",
        "node-offline=pve3",
        "--fault",
        "task-fails=qmstart:no such bridge",
        "--task-time",
        "0",
    ]);
    let settings = served.settings();
    let refused = call(&settings, &["get_cluster_status"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("got timeout"), "{}", text(&refused.stderr));
    let nodes = answer(&call(&settings, &["list_nodes", "--json"]));
    assert!(nodes.to_string().contains("offline"), "{nodes}");
    let start = call(&settings, &["start_guest", "vmid=102", "--tier", "operate"]);
    assert_eq!(start.status.code(), Some(1));
    assert!(text(&start.stdout).contains("no such bridge"), "{}", text(&start.stdout));
}

#[test]
fn its_size_seed_and_secret_are_chosen() {
    let served = Served::start(&["--nodes", "5", "--guests", "60", "--token-value", "a-secret-for-tests"]);
    let settings = served.settings();
    assert!(settings.contains(&("PROXMOX_TOKEN_VALUE".to_owned(), "a-secret-for-tests".to_owned())), "{settings:?}");
    let nodes = answer(&call(&settings, &["list_nodes", "--json"]));
    assert!(nodes.to_string().contains("pve5"), "{nodes}");
}

#[test]
fn it_can_be_a_single_new_node() {
    let served = Served::start(&["--standalone"]);
    let settings = served.settings();
    let nodes = answer(&call(&settings, &["list_nodes", "--json"]));
    assert!(nodes.to_string().contains("pve1") && !nodes.to_string().contains("pve2"), "{nodes}");
    let guests = answer(&call(&settings, &["list_guests", "--json"]));
    assert!(!guests.to_string().contains("web-server"), "{guests}");
}

#[test]
fn json_tells_the_same_and_the_control_endpoint() {
    let served = Served::start(&["--json", "--control"]);
    let mut told = String::new();
    let value: Value = loop {
        told.push_str(&served.line());
        if let Ok(value) = serde_json::from_str(&told) {
            break value;
        }
    };
    let url = value["url"].as_str().expect("an address");
    assert_eq!(value["control"], format!("{url}/sandbox"));
    assert!(value["certificate"].as_str().is_some_and(|pem| pem.starts_with("-----BEGIN CERTIFICATE-----")));
    let (id, secret) = value["token"].as_str().and_then(|token| token.split_once('=')).expect("a token");
    let (user, name) = id.split_once('!').expect("user and name");
    let settings = [
        ("PROXMOX_HOST", url),
        ("PROXMOX_USER", user),
        ("PROXMOX_TOKEN_NAME", name),
        ("PROXMOX_TOKEN_VALUE", secret),
        ("PROXMOX_FINGERPRINT", value["fingerprint"].as_str().expect("a fingerprint")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    answer(&call(&settings, &["get_version", "--json"]));
}

#[test]
#[cfg(unix)]
fn settings_and_certificate_can_be_had_as_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("files");
    let path = |name: &str| folder.join(name).to_str().expect("a path").to_owned();
    let arguments =
        ["--env-file", &path(".env"), "--certificate-file", &path("ca.pem"), "--certificate-dir", &path("kept")];
    let first = Served::start(&arguments);
    let settings = first.settings();
    let written = std::fs::read_to_string(path(".env")).expect("written");
    for (name, value) in &settings {
        assert!(written.contains(&format!("{name}={value}\n")), "{written}");
    }
    for secret in [".env", "kept/key.pem"] {
        let mode = std::fs::metadata(path(secret)).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    // The file alone is enough in its folder, and the certificate is as good as the fingerprint.
    let child = binary(&["call", "get_version"], &[]).current_dir(&folder).output().expect("runs");
    assert_eq!(child.status.code(), Some(0), "{}", text(&child.stderr));
    let mut by_authority: Vec<_> = settings.iter().filter(|(name, _)| name != "PROXMOX_FINGERPRINT").cloned().collect();
    by_authority.push(("PROXMOX_CA_FILE".to_owned(), path("ca.pem")));
    answer(&call(&by_authority, &["get_version", "--json"]));
    let fingerprint = |settings: &[(String, String)]| settings.last().expect("a fingerprint").1.clone();
    let before = fingerprint(&settings);
    first.stop("TERM");
    let again = Served::start(&arguments);
    assert_eq!(fingerprint(&again.settings()), before);
    let other = Served::start(&[]);
    assert_ne!(fingerprint(&other.settings()), before);
    drop(again);
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn several_addresses_a_password_and_second_factors_are_told() {
    let served = Served::start(&[
        "--also-listen",
        "127.0.0.1:0",
        "--password",
        "of-the-test",
        "--totp-seed",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "--recovery-code",
        "on-paper",
        "--real-time",
    ]);
    let mut comments = String::new();
    let mut settings = Vec::new();
    while settings.last().is_none_or(|(name, _): &(String, String)| name != "PROXMOX_FINGERPRINT") {
        let line = served.line();
        match line.split_once('=').filter(|_| !line.starts_with('#')) {
            Some((name, value)) => settings.push((name.to_owned(), value.to_owned())),
            None => comments.push_str(&line),
        }
    }
    for part in ["admin@pve and root@pam have the password of-the-test", "GEZDGNBVGY3TQOJQ", "on-paper"] {
        assert!(comments.contains(part), "{comments}");
    }
    let of = |wanted: &str| settings.iter().find(|(name, _)| name == wanted).expect(wanted).1.split(',').count();
    assert_eq!((of("PROXMOX_HOST"), of("PROXMOX_FINGERPRINT")), (2, 2));
    answer(&call(&settings, &["get_version", "--json"]));
}

#[test]
fn json_tells_every_address_too() {
    let served = Served::start(&[
        "--json",
        "--also-listen",
        "127.0.0.1:0",
        "--same-certificate",
        "--fault",
        "endpoint-closed=1",
    ]);
    let mut told = String::new();
    let value: Value = loop {
        told.push_str(&served.line());
        if let Ok(value) = serde_json::from_str(&told) {
            break value;
        }
    };
    let endpoints = value["endpoints"].as_array().expect("a list");
    assert_eq!(endpoints.len(), 2);
    assert_eq!((&value["url"], &value["root"]), (&endpoints[0]["url"], &Value::from("root@pam")));
    assert_eq!(endpoints[0]["fingerprint"], endpoints[1]["fingerprint"]);
    let connects = |url: &Value| {
        let address = url.as_str().and_then(|url| url.strip_prefix("https://")).expect("an address");
        std::net::TcpStream::connect(address).is_ok()
    };
    assert_eq!(endpoints.iter().map(|one| connects(&one["url"])).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_is_wrong_ends_it_at_once() {
    let local = ["sandbox", "--listen", "127.0.0.1:0"];
    for (arguments, parts) in [
        (&["sandbox", "--listen", "0.0.0.0:0"][..], &["--allow-remote"][..]),
        (&[local[0], local[1], local[2], "--fault", "hamg@GET /nodes"], &["did you mean 'hang'?"]),
        (&[local[0], local[1], local[2], "--fault", "node-offline=pve7"], &["--fault", "pve1, pve2, pve3"]),
        (&[local[0], local[1], local[2], "--nodes", "2"], &["nodes must be from 3 to 64"]),
        (&[local[0], local[1], local[2], "--token-value", "a b"], &["the token's secret"]),
        (&[local[0], local[1], local[2], "--also-listen", "0.0.0.0:0"], &["0.0.0.0:0", "--allow-remote"]),
        (&[local[0], local[1], local[2], "--same-certificate"], &["--also-listen"]),
        (&[local[0], local[1], local[2], "--totp-seed", "not base32!"], &["the TOTP seed must be base32"]),
        (&[local[0], local[1], local[2], "--password", ""], &["the password must be"]),
        (&[local[0], local[1], local[2], "--fault", "endpoint-closed=2"], &["--fault", "from 1 to 1"]),
        (&[local[0], local[1], local[2], "--log-level", "loud"], &["LOG_LEVEL"]),
        (&[local[0], local[1], local[2], "--env-file", "/no/such/folder/.env"], &["--env-file /no/such/folder/.env"]),
        (&[local[0], local[1], local[2], "--standalone", "--nodes", "3"], &["--standalone", "--nodes"]),
        (&["sandbox", "--listen", "here"], &["--listen"]),
    ] {
        let output = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        for part in parts {
            assert!(text(&output.stderr).contains(part), "{arguments:?}: {}", text(&output.stderr));
        }
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}
