//! A refusal says where the limit was set: the line of the file, the variable, or the flag.

use crate::clusters::Two;
use crate::common::{Era, run, text};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_refusal_names_the_place_that_set_the_limit() {
    let two = Two::new("deny = [\"stop_guest\"]", "tier = \"read\"", "");
    let mut client = two.client(Era::Stateless);
    let mut refused = |tool: &str, cluster: &str, parts: &[&str]| {
        let answer = client.call(tool, json!({"cluster": cluster, "vmid": 102}));
        assert_eq!(answer["isError"], true, "{answer}");
        for part in parts {
            assert!(text(&answer).contains(part), "`{part}` is missing in {answer}");
        }
        assert!(!text(&answer).contains("PROXMOX_"), "{answer}");
    };
    let line = fs::read_to_string(two.file()).expect("text").lines().position(|line| line.starts_with("tier"));
    let place = format!("tier = \"operate\" in the config file (line {}, [clusters.home])", line.expect("there") + 1);
    refused("start_guest", "home", &[&place, "`start_guest` in the list `allow` of the config file ([clusters.home])"]);
    refused("start_guest", "lab", &["tier = \"operate\" in the config file ([clusters.lab])"]);
    refused("stop_guest", "home", &["`deny` in the config file (line 1) names `stop_guest`"]);
    drop(client);
    // What was typed wins, and is what has to be typed otherwise.
    for (flags, says) in [(["--tier", "read"], "with --tier operate,"), (["--deny", "start_guest"], "--deny names")] {
        let call = ["call", "start_guest", "vmid=102", "--cluster", "home"];
        let (code, _, err) = two.run(&[&flags[..], &call[..]].concat());
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains(says) && !err.contains("PROXMOX_TIER") && !err.contains("PROXMOX_DENY"), "{err}");
    }
}

#[test]
fn a_fence_names_the_place_that_set_it() {
    let home = "allow_guests = [\"100-102\"]\nprotected_tags = [\"prod\"]";
    let two = Two::new("tier = \"admin\"\ndeny_nodes = [\"pve2\"]", home, "allow_tools = [\"start_guest\"]");
    let text_of_file = fs::read_to_string(two.file()).expect("text");
    let line = |begin: &str| text_of_file.lines().position(|line| line.starts_with(begin)).expect("there") + 1;
    let place = |key: &str, cluster: &str| {
        format!("`{key}` in the config file (line {}, [clusters.{cluster}])", line(&format!("{key} =")))
    };
    let (guests, tags) = (place("allow_guests", "home"), place("protected_tags", "home"));
    let nodes = "`deny_nodes` in the config file (line 2)";
    let mut client = two.client(Era::Stateless);
    let mut refused = |cluster: &str, tool: &str, mut arguments: Value, parts: &[&str]| {
        arguments["cluster"] = json!(cluster);
        let answer = client.call(tool, arguments);
        assert_eq!(answer["isError"], true, "{answer}");
        for part in parts {
            assert!(text(&answer).contains(part), "`{part}` is missing in {answer}");
        }
        assert!(!text(&answer).contains("PROXMOX_") && !text(&answer).contains("--"), "{answer}");
    };
    let elsewhere = [
        &format!("guest 110 (test, virtual machine, stopped on pve2) ({guests} is 100-102)")[..],
        &format!("({nodes} names `pve2`)"),
    ];
    refused("home", "start_guest", json!({"vmid": 110}), &elsewhere);
    let options = json!({"method": "PUT", "path": "/cluster/options", "params": {"keyboard": "de"}});
    refused("home", "call_api", options, &[&format!("({nodes} is pve2, {guests} is 100-102, {tags} is prod)")]);
    refused("home", "delete_guest", json!({"vmid": 100}), &[&format!("the protected tag `prod` ({tags})")]);
    let untag = json!({"method": "PUT", "path": "/nodes/pve1/qemu/100/config", "params": {"delete": "tags"}});
    refused("home", "call_api", untag, &[&format!("the protected tag `prod` ({tags})"), "take it away"]);
    let full = json!({"node": "pve1", "name": "new"});
    refused("home", "create_vm", full, &["No id for the new guest", &format!("({guests} is 100-102)")]);
    let tools = format!("{} is start_guest, and nothing else may", place("allow_tools", "lab"));
    refused("lab", "stop_guest", json!({"vmid": 100}), &[&tools]);
    drop(client);
    // Flag and variable win over the file, and are what has to be said otherwise.
    let file = two.file();
    let call = ["call", "start_guest", "vmid=102", "--cluster", "lab", "--config", file.to_str().expect("text")];
    let typed = run(&[&call[..], &["--deny-guests", "102"]].concat(), &[]);
    let said = run(&call, &[("PROXMOX_DENY_GUESTS", "102")]);
    for (output, says) in [(typed, "(--deny-guests is 102)"), (said, "(PROXMOX_DENY_GUESTS is 102)")] {
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(3) && err.contains(says), "{says}: {:?} {err}", output.status);
    }
}
