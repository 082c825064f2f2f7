//! The built binary against servers that hang, go away and come back.

use super::*;
use common::{Client, Era, binary, run, text};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The variables that point the binary at a server.
fn variables(server: &Server, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = [
        ("PROXMOX_HOST", server.address.to_string()),
        ("PROXMOX_TOKEN_NAME", "root@pam!mcp".to_owned()),
        ("PROXMOX_TOKEN_VALUE", SECRET.to_owned()),
        ("PROXMOX_FINGERPRINT", server.fingerprint()),
        ("PROXMOX_TIER", "admin".to_owned()),
        ("PROXMOX_RETRY_DELAY", "0".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    own.into_iter().chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn client(era: Era, server: &Server, more: &[(&str, &str)]) -> Client {
    let mut client = Client::start(era, &[], &borrowed(&variables(server, more)));
    client.open();
    client
}

/// A cluster whose tasks run until `done` is set.
fn endless(done: &Arc<AtomicBool>) -> Server {
    let done = done.clone();
    Server::start(move |seen| {
        if seen.path().contains("/tasks/") && seen.path().ends_with("/status") && !done.load(Ordering::SeqCst) {
            return Say::Data(json!({"status": "running"}));
        }
        usual(seen)
    })
}

#[test]
fn a_cluster_that_hangs_holds_up_nobody() {
    for era in Era::BOTH {
        let server = Server::start(|seen| match seen.path() {
            "/version" => Say::Later(Box::new(usual(seen))),
            _ => usual(seen),
        });
        let mut client = client(era, &server, &[]);
        let id = client.begin("get_version", json!({}), "hangs");
        while server.waiting() == 0 {
            std::thread::yield_now();
        }
        assert!(client.knock().get("result").is_some());
        assert_eq!(client.call("list_nodes", json!({}))["structuredContent"]["total"], 2);
        assert!(!client.is_answered(id));
        server.release();
        assert_eq!(client.answer(id)["result"]["structuredContent"]["version"], "9.2.11");
    }
}

#[test]
fn two_calls_wait_side_by_side() {
    for era in Era::BOTH {
        let done = Arc::new(AtomicBool::new(false));
        let server = endless(&done);
        let mut client = client(era, &server, &[]);
        let ids = [100, 200].map(|vmid| {
            let id = client.begin("create_backup", json!({"vmid": vmid, "storage": "nas", "wait": 600}), "long");
            while server.writes().iter().filter(|line| line.ends_with("/vzdump")).count() < vmid / 100 {
                std::thread::yield_now();
            }
            id
        });
        assert!(client.knock().get("result").is_some());
        assert!(!client.is_answered(ids[0]) && !client.is_answered(ids[1]));
        done.store(true, Ordering::SeqCst);
        for id in ids {
            assert_eq!(client.answer(id)["result"]["structuredContent"]["outcome"], "ok");
        }
    }
}

#[test]
fn a_cancelled_call_stops_asking_and_nothing_is_stopped() {
    for era in Era::BOTH {
        let done = Arc::new(AtomicBool::new(false));
        let server = endless(&done);
        let mut client = client(era, &server, &[]);
        let id = client.begin("start_guest", json!({"vmid": 100, "wait": 600}), "long");
        client.wait_for("notifications/progress", id);
        client.notify("notifications/cancelled", json!({"requestId": id, "reason": "enough"}));
        // The server goes on, and ends although the task never does.
        assert!(client.call("get_version", json!({}))["structuredContent"].is_object());
        let ended = client.end();
        assert!(ended.status.success(), "{}", ended.log);
        assert!(!ended.answers.contains_key(&id));
        assert_eq!(server.writes(), ["POST /nodes/pve1/qemu/100/status/start"]);
    }
}

#[test]
fn a_server_starts_without_its_cluster_and_recovers() {
    for era in Era::BOTH {
        let up = Arc::new(AtomicBool::new(false));
        let is_up = up.clone();
        let greet = move |_| if is_up.load(Ordering::SeqCst) { server::Greet::Serve } else { server::Greet::Drop };
        let server = Server::greeting("127.0.0.1:0", greet, usual).expect("loopback");
        let mut client = client(era, &server, &[]);
        let listed = client.request("tools/list", json!({}));
        assert!(listed["result"]["tools"].as_array().is_some_and(|tools| tools.len() > 20), "{listed}");
        let result = client.call("get_version", json!({}));
        assert_eq!(result["isError"], true);
        has(text(&result), &["No connection", "PROXMOX_HOST"]);
        up.store(true, Ordering::SeqCst);
        assert_eq!(client.call("get_version", json!({}))["structuredContent"]["version"], "9.2.11");
    }
}

#[test]
fn no_secret_is_in_any_output_at_any_level() {
    let words = ["hunter2hunter2", SECRET, "5ca1ab1e"];
    let server = Server::start(|seen| match seen.path() {
        "/nodes/pve1/lxc" => {
            Say::refuse("400 x", "Parameter verification failed.", json!({"password": format!("bad: {}", seen.body)}))
        }
        "/nodes/pve1/qemu/100/config" if seen.writes() => Say::Close,
        _ => usual(seen),
    });
    let mut client = client(Era::Handshake, &server, &[("LOG_LEVEL", "trace")]);
    let arguments = json!({
        "node": "pve1", "storage": "local", "ostemplate": "local:vztmpl/a.tar.zst", "password": words[0], "hostname": "a"
    });
    let mut said = client.call("create_container", arguments).to_string();
    let config = json!({"vmid": 100, "config": {"cipassword": words[0], "cores": 2}});
    said += &client.call("update_guest_config", config).to_string();
    said += &client.call("start_guest", json!({"vmid": 100, "password": words[0]})).to_string();
    let ended = client.end();
    assert!(server.seen().iter().any(|seen| seen.body.contains(words[0])), "it was sent");
    assert!(ended.log.contains("POST /nodes/pve1/lxc"), "{}", ended.log);
    for word in words {
        assert!(!said.contains(word), "{word} in {said}");
        assert!(!ended.log.contains(word), "{word} in {}", ended.log);
    }
}

#[test]
fn settings_may_stand_in_a_file() {
    let server = Server::start(usual);
    let folder = std::env::temp_dir().join(format!("proxmox-mcp-wire-env-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let lines: Vec<String> =
        variables(&server, &[]).into_iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
    std::fs::write(folder.join(".env"), format!("# a comment\n\n{}", lines.concat())).expect("a file");
    let call = |environment: &[(&str, &str)]| {
        let mut command = binary(&["call", "get_version", "--json"], environment);
        command.current_dir(&folder).stdin(Stdio::null()).output().expect("runs")
    };
    let output = call(&[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("9.2.11"));
    // What is set already wins.
    let output = call(&[("PROXMOX_TOKEN_NAME", "other@pve!x")]);
    assert!(output.status.success());
    assert!(server.seen()[1].header("authorization")[0].starts_with("PVEAPIToken=other@pve!x="));
    std::fs::write(folder.join(".env"), format!("PROXMOX_TOKEN_VALUE {SECRET}")).expect("a file");
    let output = call(&[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains(".env") && !said.contains(SECRET), "{said}");
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn the_end_of_a_call_is_in_its_exit_code() {
    let server = Server::start(|seen| match seen.path() {
        path if path.ends_with("/start") => Say::Close,
        path if path.ends_with("/stop") => Say::bare("401 No ticket"),
        path if path.ends_with("/shutdown") => Say::refuse("403 x", "Permission check failed (/, X)", json!({})),
        _ => usual(seen),
    });
    let variables = variables(&server, &[]);
    for (words, code) in [
        (&["call", "start_guest", "vmid=100"][..], 5),
        (&["call", "stop_guest", "vmid=100"], 4),
        (&["call", "shutdown_guest", "vmid=100"], 1),
        (&["call", "reset_guest", "vmid=100"], 0),
        (&["call", "reset_guest", "vmid=100", "--deny", "reset_guest"], 3),
        (&["call", "get_version", "--fingerprint", &"ab".repeat(32)], 4),
    ] {
        let output = run(words, &borrowed(&variables));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
