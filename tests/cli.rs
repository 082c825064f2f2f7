//! The command line: what it prints, where, and with which code it ends.

mod common;

use common::run;
use serde_json::Value;
use std::process::Output;

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn ends(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", out(output), err(output));
}

#[test]
fn a_missing_setting_names_its_variable_and_the_sandbox() {
    for arguments in [&[][..], &["call", "get_version"]] {
        let output = run(arguments, &[]);
        ends(&output, 2);
        assert!(err(&output).contains("PROXMOX_HOST") && err(&output).contains("--sandbox"), "{}", err(&output));
        assert_eq!(out(&output), "");
    }
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let elevated = run(&["--sandbox"], &[("PROXMOX_ALLOW_ELEVATED", "maybe")]);
    ends(&elevated, 2);
    assert!(err(&elevated).contains("PROXMOX_ALLOW_ELEVATED"), "{}", err(&elevated));
    let level = run(&["--sandbox", "--log-level", "loud"], &[]);
    ends(&level, 2);
    assert!(err(&level).contains("LOG_LEVEL"), "{}", err(&level));
    ends(&run(&["--no-such-flag"], &[]), 2);
}

#[test]
fn what_is_loud_is_said_at_every_start() {
    let admin = run(&["--sandbox", "--tier", "admin"], &[]);
    ends(&admin, 0);
    assert!(err(&admin).contains("running commands in guests"), "{}", err(&admin));
    assert!(err(&admin).contains("make-believe"), "{}", err(&admin));
    let elevated = run(&["--sandbox"], &[("PROXMOX_ALLOW_ELEVATED", "false")]);
    assert!(err(&elevated).contains("honoured as the tier `configure`"), "{}", err(&elevated));
    let connection =
        [("PROXMOX_HOST", "127.0.0.1"), ("PROXMOX_TOKEN_NAME", "mcp@pve!mcp"), ("PROXMOX_TOKEN_VALUE", "x")];
    let insecure = run(&["--insecure"], &connection);
    ends(&insecure, 0);
    assert!(err(&insecure).contains("PROXMOX_INSECURE is on"), "{}", err(&insecure));
}

#[test]
fn help_and_version_are_answers() {
    let help = run(&["--help"], &[]);
    ends(&help, 0);
    assert!(out(&help).contains("--sandbox") && out(&help).contains("Exit codes"), "{}", out(&help));
    let version = run(&["--version"], &[]);
    ends(&version, 0);
    assert_eq!(out(&version).trim(), format!("proxmox-mcp {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_help_shows_no_values_of_variables() {
    let help = run(&["--help"], &[("PROXMOX_HOST", "hidden-host"), ("PROXMOX_TOKEN_VALUE", "hidden-token")]);
    assert!(!out(&help).contains("hidden"), "{}", out(&help));
}

#[test]
fn tools_need_no_connection() {
    let output = run(&["tools"], &[]);
    ends(&output, 0);
    let text = out(&output);
    let (offered, rest) = text.split_once("Not on offer").expect("both parts");
    assert!(offered.contains("get_version") && !offered.contains("start_guest"), "{text}");
    assert!(rest.contains("start_guest") && rest.contains("--tier"), "{text}");
    let (listed, callable) = offered.split_once("Not listed").expect("both parts");
    assert!(listed.contains("get_cluster_status") && callable.contains("get_version"), "{text}");
    assert!(text.contains("for the toolsets `core`"), "{text}");
    let all = out(&run(&["tools", "--toolsets", "all"], &[]));
    assert!(!all.contains("Not listed") && all.contains("get_version"), "{all}");
}

#[test]
fn an_unknown_toolset_stops_the_start() {
    for (arguments, environment) in [
        (&["--sandbox", "--toolsets", "fierwall"][..], &[][..]),
        (&["--sandbox"], &[("PROXMOX_TOOLSETS", "core,fierwall")]),
    ] {
        let output = run(arguments, environment);
        ends(&output, 2);
        assert!(err(&output).contains("PROXMOX_TOOLSETS") && err(&output).contains("`firewall`"), "{}", err(&output));
    }
}

#[test]
fn tools_as_json_say_why_one_is_not_offered() {
    let output = run(&["tools", "--json", "--deny", "get_version"], &[]);
    ends(&output, 0);
    let tools: Vec<Value> = serde_json::from_str(&out(&output)).expect("JSON");
    let of = |name: &str| tools.iter().find(|tool| tool["name"] == name).cloned().unwrap_or_default();
    assert_eq!(of("list_nodes")["offered"], true);
    assert!(of("get_version")["because"].as_str().is_some_and(|why| why.contains("--deny names")), "{tools:?}");
    assert!(of("start_guest")["because"].as_str().is_some_and(|why| why.contains("PROXMOX_TIER")), "{tools:?}");
}

#[test]
fn one_tool_is_shown_with_its_arguments() {
    let output = run(&["tools", "shutdown_guest"], &[]);
    ends(&output, 0);
    assert!(out(&output).contains("vmid") && out(&output).contains("force_stop"), "{}", out(&output));
    let unknown = run(&["tools", "shutdwon_guest"], &[]);
    ends(&unknown, 2);
    assert!(err(&unknown).contains("did you mean `shutdown_guest`"), "{}", err(&unknown));
}

#[test]
fn a_call_prints_a_table_or_json() {
    let table = run(&["--sandbox", "call", "list_guests"], &[("PROXMOX_CONFIRM", "ask")]);
    ends(&table, 0);
    assert!(out(&table).contains("VMID") && out(&table).contains("web-server"), "{}", out(&table));
    assert!(out(&table).contains(" GiB"), "sizes have units: {}", out(&table));
    assert_eq!(err(&table), "");
    let json = run(&["call", "list_guests", "--json", "--sandbox"], &[]);
    ends(&json, 0);
    let content: Value = serde_json::from_str(&out(&json)).expect("JSON");
    assert!(content["total"].as_u64().is_some_and(|total| total >= 9), "{content}");
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let operate = ["--sandbox", "--tier", "operate", "call"];
    let call = |words: &[&str]| run(&[&operate[..], words].concat(), &[]);
    ends(&call(&["start_guest", "vmid=102", "wait=120"]), 0);
    ends(&call(&["start_guest", "vmid=100"]), 1);
    ends(&call(&["start_guest", "vmid=102", "nonsense=1"]), 2);
    ends(&call(&["start_guest", "vmid"]), 2);
    ends(&call(&["no_such_tool"]), 2);
    ends(&call(&["delete_guest", "vmid=102"]), 3);
    ends(&call(&["create_backup", "vmid=100", "storage=backup-nas", "wait=0"]), 5);
}

#[test]
fn no_connection_has_a_code_of_its_own() {
    // Nobody listens on a port that was free a moment ago.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port().to_string()
    };
    let connection = [
        ("PROXMOX_HOST", "127.0.0.1"),
        ("PROXMOX_PORT", port.as_str()),
        ("PROXMOX_TOKEN_NAME", "mcp@pve!mcp"),
        ("PROXMOX_TOKEN_VALUE", "12345678-1234-1234-1234-123456789abc"),
        ("PROXMOX_RETRY_DELAY", "0"),
    ];
    let output = run(&["call", "get_version"], &connection);
    ends(&output, 4);
    assert!(err(&output).contains("127.0.0.1") && !err(&output).contains("12345678"), "{}", err(&output));
}
