//! The same on a cluster by somebody else, the simulator `fakepve`: who is asked, and that nothing happens without a yes.
//! What happened is seen in what is there afterwards.
//!
//! Without the variable `FAKEPVE` these tests say that they were not run.

use crate::backend::{Backend, Embedded, PROGRAM, Simulator};
use crate::common::{Client, Era};
use crate::script::World;
use crate::talk::{Talk, done, not_done, typed, yes};
use serde_json::{Value, json};
use std::io::Write;

/// Plays a story in both eras, on the embedded cluster and on the simulator.
fn play(story: impl Fn(&dyn Fn(Value) -> Talk)) {
    for era in Era::BOTH {
        let world = World::default();
        on(era, &Embedded::start(&world), &story);
        match Simulator::start(&world) {
            Some(simulator) => on(era, &simulator, &story),
            None => {
                let _ = writeln!(std::io::stderr(), "NOT RUN on the simulator: {PROGRAM} names none");
            }
        }
    }
}

fn on(era: Era, backend: &dyn Backend, story: &impl Fn(&dyn Fn(Value) -> Talk)) {
    let environment = backend.environment();
    let mut environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push(("PROXMOX_CONFIRM", "ask"));
    story(&|capabilities| {
        let mut client = Client::able(era, capabilities, &[], &environment);
        client.open();
        Talk::new(client)
    });
}

fn status(talk: &mut Talk, vmid: u32) -> Value {
    talk.ended("get_guest_status", json!({"vmid": vmid}))["structuredContent"]["status"].clone()
}

#[test]
fn a_guest_is_deleted_by_its_name_only() {
    play(|client| {
        let mut talk = client(json!({"elicitation": {}}));
        let question = talk.asked("delete_guest", json!({"vmid": 110}));
        assert!(
            question.is_typed() && question.message.contains("DELETE /nodes/pve2/qemu/110"),
            "{}",
            question.message
        );
        not_done(&talk.last(&question, typed("102")), &["typed something else", "Nothing was sent"]);
        assert_eq!(status(&mut talk, 110), "stopped");
        let question = talk.asked("delete_guest", json!({"vmid": 110}));
        done(&talk.last(&question, typed("110")));
        assert_eq!(talk.ended("get_guest_status", json!({"vmid": 110}))["isError"], true);
    });
}

#[test]
fn a_roll_back_and_a_removed_disk_are_asked_about() {
    play(|client| {
        let mut talk = client(json!({"elicitation": {}}));
        done(&talk.ended("create_snapshot", json!({"vmid": 102, "snapname": "here"})));
        let arguments = json!({"vmid": 102, "snapname": "here"});
        let question = talk.asked("rollback_snapshot", arguments.clone());
        not_done(&talk.last(&question, json!({"action": "decline"})), &["said no"]);
        let question = talk.asked("rollback_snapshot", arguments);
        done(&talk.last(&question, typed("102")));
        let before = talk.ended("get_guest_config", json!({"vmid": 102}));
        let question = talk.asked("update_guest_config", json!({"vmid": 102, "delete": ["scsi0"]}));
        not_done(&talk.last(&question, typed("yes")), &["typed something else"]);
        let after = talk.ended("get_guest_config", json!({"vmid": 102}));
        assert_eq!(before["structuredContent"], after["structuredContent"]);
    });
}

#[test]
fn power_is_cut_after_a_yes_or_with_a_seal() {
    play(|client| {
        let mut talk = client(json!({"elicitation": {}}));
        let question = talk.asked("stop_guest", json!({"vmid": 100}));
        // Somebody stops it first, so what was shown is not what would run.
        let mut other = client(json!({}));
        let result = other.ended("stop_guest", json!({"vmid": 100}));
        let text = not_done(&result, &["not confirmed yet", "`confirm_call`"]);
        let (_, rest) = text.split_once("the seal ").expect("a seal");
        let seal = rest.split_once(". ").map(|(seal, _)| seal).expect("the end of it");
        let arguments = json!({"tool": "stop_guest", "arguments": {"vmid": 100}, "seal": seal});
        done(&other.ended("confirm_call", arguments.clone()));
        assert_eq!(status(&mut other, 100), "stopped");
        not_done(&other.ended("confirm_call", arguments), &["used already"]);
        let again = talk.again(&question, yes());
        assert!(again.message.contains("has changed since you were asked"), "{}", again.message);
        not_done(&talk.last(&again, json!({"action": "cancel"})), &["put the question away"]);
    });
}
