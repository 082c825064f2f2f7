//! Clients that cannot ask: what destroys waits for a person in a terminal.

use crate::cluster::Cluster;
#[cfg(target_os = "linux")]
use crate::common::binary;
#[cfg(target_os = "linux")]
use crate::talk::done;
use crate::talk::{Talk, not_done};
use crate::terminal::Terminal;
use crate::{destroying, eras};
use serde_json::{Value, json};
use std::fs;

/// The code under which this call waits.
fn code(talk: &mut Talk, tool: &str, arguments: Value) -> String {
    let result = talk.ended(tool, arguments);
    let text = not_done(&result, &["Only a person can confirm this", "Request: ", "`confirm_call`"]);
    let (_, rest) = text.split_once("proxmox-mcp approve ").expect("a code");
    rest.split_once('`').map(|(code, _)| code.to_owned()).expect("the end of it")
}

fn confirm(talk: &mut Talk, tool: &str, arguments: Value, code: &str) -> Value {
    talk.ended("confirm_call", json!({"tool": tool, "arguments": arguments, "seal": code}))
}

#[cfg(target_os = "linux")]
fn approve(cluster: &Cluster, code: &str, types: &str) -> (i32, String) {
    let mut terminal = Terminal::start(binary(&["approve", code], &cluster.environment()));
    terminal.sees("to approve this");
    terminal.types(types);
    terminal.end()
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_approves_and_the_assistant_goes_on() {
    for era in eras() {
        for (tool, arguments, word, sent) in destroying() {
            let cluster = Cluster::start();
            let mut talk = cluster.unable(era, &[]);
            let code = code(&mut talk, tool, arguments.clone());
            not_done(
                &confirm(&mut talk, tool, arguments.clone(), &code),
                &["nobody has approved it yet", "minutes more"],
            );
            let (status, screen) = approve(&cluster, &code.to_lowercase(), word);
            assert!(status == 0 && screen.contains("Approved") && screen.contains(tool), "{screen}");
            assert!(screen.contains("Request: ") && screen.contains(&format!("`{word}`")), "{screen}");
            assert_eq!(cluster.sent(), Vec::<String>::new(), "approving sends nothing");
            done(&confirm(&mut talk, tool, arguments.clone(), &code));
            let all = cluster.sent();
            assert!(all.len() == 1 && all[0].starts_with(sent), "{all:?}");
            assert!(cluster.waiting().is_empty());
            // Once.
            assert_eq!(confirm(&mut talk, tool, arguments, &code)["isError"], true);
            assert_eq!(cluster.sent(), Vec::<String>::new());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn anything_else_approves_nothing() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let code = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        for wrong in ["", "yes", "111", "1 10"] {
            let (status, screen) = approve(&cluster, &code, wrong);
            assert!(status == 3 && screen.contains("Nothing was approved"), "{wrong}: {screen}");
            not_done(&confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &code), &["nobody has approved"]);
        }
        let (status, screen) = approve(&cluster, &code, "no");
        assert!(status == 3 && screen.contains("Rejected"), "{screen}");
        not_done(&confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &code), &["no call waits under this code"]);
        let (status, screen) = Terminal::start(binary(&["approve", &code], &cluster.environment())).end();
        assert!(status == 2 && screen.contains("no call waits"), "{screen}");
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_approval_holds_for_what_was_shown() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let first = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        assert_eq!(approve(&cluster, &first, "110").0, 0);
        for (tool, arguments) in
            [("delete_guest", json!({"vmid": 102})), ("delete_guest", json!({"vmid": 110, "purge": true}))]
        {
            not_done(
                &confirm(&mut talk, tool, arguments, &first),
                &["another tool, for other arguments, or to another caller"],
            );
        }
        cluster.sandbox.with_cluster(|all| all.set_option(110, "tags", "important"));
        let result = confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &first);
        let text = not_done(&result, &["has changed since", "proxmox-mcp approve"]);
        assert!(!text.contains(&first), "{text}");
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_approval_outlives_the_server_that_asked_for_it() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let code = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        drop(talk);
        assert_eq!(approve(&cluster, &code, "110").0, 0);
        let mut talk = cluster.unable(era, &[]);
        done(&confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &code));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_approval_is_good_once_however_many_bring_it() {
    let cluster = Cluster::start();
    let era = crate::common::Era::Stateless;
    let mut talk = cluster.unable(era, &[]);
    let code = code(&mut talk, "rollback_snapshot", json!({"vmid": 100, "snapname": "clean"}));
    assert_eq!(approve(&cluster, &code, "100").0, 0);
    let arguments = json!({"vmid": 100, "snapname": "clean"});
    let params = json!({
        "name": "confirm_call",
        "arguments": {"tool": "rollback_snapshot", "arguments": arguments, "seal": code},
    });
    let calls: Vec<u64> = (0..6).map(|_| talk.client.send("tools/call", params.clone())).collect();
    let good = calls.into_iter().filter(|id| talk.client.answer(*id)["result"]["isError"] != true).count();
    assert_eq!((good, cluster.sent().len()), (1, 1));
}

#[test]
fn a_pipe_is_no_person() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let code = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        let output = cluster.run(&["approve", &code]);
        let says = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && says.contains("in a terminal"), "{says}");
        not_done(&confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &code), &["nobody has approved"]);
        // Looking is free.
        let listed = cluster.run(&["approve"]);
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(text.contains(&code) && text.contains("delete_guest"), "{text}");
    }
}

#[test]
fn the_same_call_waits_under_one_code() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let one = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        assert_eq!(code(&mut talk, "delete_guest", json!({"vmid": 110})), one);
        assert_ne!(code(&mut talk, "delete_guest", json!({"vmid": 102})), one);
        assert_eq!(cluster.waiting().len(), 2);
    }
}

#[test]
fn what_has_expired_is_gone() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let code = code(&mut talk, "delete_guest", json!({"vmid": 110}));
        let file = cluster.waiting().pop().expect("a file");
        // Approved, and long ago.
        let mut waiting: Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
        waiting["approved"] = json!(true);
        waiting["end"] = json!(1_000);
        fs::write(&file, waiting.to_string()).expect("written");
        not_done(&confirm(&mut talk, "delete_guest", json!({"vmid": 110}), &code), &["no call waits under this code"]);
        assert!(cluster.waiting().is_empty());
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn what_waits_holds_no_arguments() {
    let cluster = Cluster::start();
    let mut talk = cluster.unable(crate::common::Era::Handshake, &["--confirm", "ask"]);
    let config = json!({"cipassword": "correct-horse"});
    code(&mut talk, "update_guest_config", json!({"vmid": 102, "config": config, "delete": ["scsi0"]}));
    let file = fs::read_to_string(cluster.waiting().pop().expect("a file")).expect("a file");
    assert!(file.contains("/qemu/102/config") && !file.contains("correct-horse"), "{file}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_call_by_hand_asks_in_its_terminal() {
    let cluster = Cluster::start();
    let call = |types: &str| {
        let mut terminal = Terminal::start(binary(&["call", "delete_guest", "vmid=110"], &cluster.environment()));
        terminal.sees("or `no`: ");
        terminal.types(types);
        terminal.end()
    };
    for wrong in ["no", "", "111"] {
        let (status, screen) = call(wrong);
        assert!(status == 3 && screen.contains("Nothing was sent"), "{wrong}: {screen}");
    }
    assert_eq!(cluster.sent(), Vec::<String>::new());
    let (status, screen) = call("110");
    assert_eq!(status, 0, "{screen}");
    assert_eq!(cluster.sent().len(), 1);
}

#[test]
fn a_call_without_a_terminal_brings_a_code_along() {
    let cluster = Cluster::start();
    let says = |arguments: &[&str]| {
        let output = cluster.run(arguments);
        (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let call = ["call", "stop_guest", "vmid=100", "--log-level", "off"];
    let (status, text) = says(&call);
    assert_eq!(status, 3, "{text}");
    let (_, rest) = text.split_once("--seal ").expect("a code");
    let seal = rest.split_once('`').map(|(seal, _)| seal).expect("the end of it");
    let with = |seal: &str, other: &str| says(&["call", "stop_guest", other, "--log-level", "off", "--seal", seal]);
    let (status, text) = with(seal, "vmid=101");
    assert!(status == 3 && text.contains("other arguments"), "{text}");
    // What needs nobody's approval cannot be approved either, and is not listed.
    assert!(!String::from_utf8_lossy(&cluster.run(&["approve"]).stdout).contains(seal));
    assert_eq!(cluster.sent(), Vec::<String>::new());
    let (status, text) = with(seal, "vmid=100");
    assert_eq!(status, 0, "{text}");
    let (status, text) = with(seal, "vmid=100");
    assert!(status == 3 && text.contains("no call waits"), "{text}");
    assert_eq!(cluster.sent().len(), 1);
    let (status, text) = says(&["call", "delete_guest", "vmid=110", "--plan"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(cluster.sent(), Vec::<String>::new());
}
