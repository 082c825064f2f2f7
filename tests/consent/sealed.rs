//! Clients that cannot ask: what only interrupts goes by a second call that brings the seal of the first.

use crate::cluster::Cluster;
use crate::talk::{Talk, done, not_done};
use crate::{destroying, eras, interrupting};
use serde_json::{Value, json};

/// The seal in the answer to this call.
fn seal(talk: &mut Talk, tool: &str, arguments: Value) -> String {
    let result = talk.ended(tool, arguments);
    let text = not_done(&result, &["not confirmed yet", "Plan", "Request: ", "`confirm_call`"]);
    let (_, rest) = text.split_once("the seal ").expect("a seal");
    rest.split_once(". ").map(|(seal, _)| seal.to_owned()).expect("the end of it")
}

fn confirm(talk: &mut Talk, tool: &str, arguments: Value, seal: &str) -> Value {
    talk.ended("confirm_call", json!({"tool": tool, "arguments": arguments, "seal": seal}))
}

#[test]
fn the_second_call_brings_the_seal() {
    for era in eras() {
        let (tool, arguments, sent) = interrupting();
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let seal = seal(&mut talk, tool, arguments.clone());
        assert_eq!(cluster.sent(), Vec::<String>::new());
        done(&confirm(&mut talk, tool, arguments.clone(), &seal));
        let all = cluster.sent();
        assert!(all.len() == 1 && all[0].starts_with(sent), "{all:?}");
        // Once.
        cluster.somebody(&["start_guest", "vmid=100"]);
        cluster.sent();
        not_done(&confirm(&mut talk, tool, arguments, &seal), &["used already", "Nothing was sent"]);
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn a_seal_is_bound_to_tool_arguments_server_and_state() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let good = seal(&mut talk, "reboot_guest", json!({"vmid": 100}));
        let mut other = cluster.unable(era, &[]);
        let foreign = seal(&mut other, "reboot_guest", json!({"vmid": 100}));
        assert_ne!(good, seal(&mut talk, "reboot_guest", json!({"vmid": 100})), "each is another one");
        let tampered = format!("{}{}", if good.starts_with('A') { "B" } else { "A" }, &good[1..]);
        for bad in [tampered.as_str(), "x", &foreign, &good[1..], "7K2M-Q9XD", "true", "null"] {
            let result = confirm(&mut talk, "reboot_guest", json!({"vmid": 100}), bad);
            not_done(&result, &["not confirmed", "Nothing was sent"]);
        }
        for (tool, arguments) in [("reboot_guest", json!({"vmid": 101})), ("stop_guest", json!({"vmid": 100}))] {
            not_done(
                &confirm(&mut talk, tool, arguments, &good),
                &["another tool, for other arguments, or to another caller"],
            );
        }
        // The order of arguments and who spells them does not matter, their values do.
        let more = json!({"vmid": 100, "timeout": 7});
        not_done(&confirm(&mut talk, "reboot_guest", more, &good), &["other arguments"]);
        cluster.somebody(&["shutdown_guest", "vmid=100"]);
        cluster.sent();
        let moved = confirm(&mut talk, "reboot_guest", json!({"vmid": 100}), &good);
        not_done(&moved, &["has changed since", "seal"]);
        cluster.somebody(&["start_guest", "vmid=100"]);
        cluster.sent();
        not_done(&confirm(&mut talk, "reboot_guest", json!({"vmid": 100}), &good), &["used already"]);
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn two_seals_at_once_are_kept_apart() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        let one = seal(&mut talk, "stop_guest", json!({"vmid": 100}));
        let other = seal(&mut talk, "stop_guest", json!({"vmid": 101}));
        not_done(&confirm(&mut talk, "stop_guest", json!({"vmid": 100}), &other), &["other arguments"]);
        done(&confirm(&mut talk, "stop_guest", json!({"vmid": 101}), &other));
        done(&confirm(&mut talk, "stop_guest", json!({"vmid": 100}), &one));
        assert_eq!(cluster.sent().len(), 2);
    }
}

#[test]
fn a_seal_is_no_approval() {
    for era in eras() {
        for (tool, arguments, ..) in destroying() {
            let cluster = Cluster::start();
            let mut talk = cluster.unable(era, &[]);
            let seal = seal(&mut talk, "stop_guest", json!({"vmid": 100}));
            for bad in [seal.as_str(), "yes", "true"] {
                not_done(&confirm(&mut talk, tool, arguments.clone(), bad), &["proxmox-mcp approve"]);
            }
            assert_eq!(cluster.sent(), Vec::<String>::new(), "{tool}");
        }
    }
}

#[test]
fn in_the_mode_seal_a_second_call_is_all_it_takes() {
    for era in eras() {
        for (tool, arguments, _, sent) in destroying() {
            let cluster = Cluster::start();
            let mut talk = cluster.unable(era, &["--confirm", "seal"]);
            let seal = seal(&mut talk, tool, arguments.clone());
            assert_eq!(cluster.sent(), Vec::<String>::new());
            done(&confirm(&mut talk, tool, arguments, &seal));
            assert!(cluster.sent()[0].starts_with(sent), "{tool}");
        }
    }
}

#[test]
fn the_gates_come_before_the_seal() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &["--tier", "operate"]);
        let result = confirm(&mut talk, "delete_guest", json!({"vmid": 110}), "7K2M-Q9XD");
        not_done(&result, &["needs the tier `admin`"]);
        let mut talk = cluster.unable(era, &["--deny", "stop_guest"]);
        not_done(&confirm(&mut talk, "stop_guest", json!({"vmid": 100}), "x"), &["switched off"]);
    }
}
