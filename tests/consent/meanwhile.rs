//! While a person thinks: other calls, progress, changes of mind, and clients that go away.

use crate::cluster::Cluster;
use crate::common::Era;
use crate::eras;
use crate::talk::{Turn, done, not_done, typed, yes};
use serde_json::json;

#[test]
fn two_questions_at_once_keep_their_answers_apart() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let one = talk.asked("delete_guest", json!({"vmid": 110}));
        let other = talk.asked("delete_guest", json!({"vmid": 102}));
        assert!(one.message.contains("/qemu/110") && other.message.contains("/qemu/102"));
        // The second is answered first, and each takes its own word.
        done(&talk.last(&other, typed("102")));
        not_done(&talk.last(&one, typed("102")), &["typed something else"]);
        let sent = cluster.sent();
        assert!(sent.len() == 1 && sent[0].contains("/qemu/102"), "{sent:?}");
    }
}

#[test]
fn the_same_call_twice_is_asked_about_twice() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let one = talk.asked("delete_guest", json!({"vmid": 110}));
        let other = talk.asked("delete_guest", json!({"vmid": 110}));
        done(&talk.last(&one, typed("110")));
        not_done(&talk.last(&other, typed("110")), &["110"]);
        assert_eq!(cluster.sent().len(), 1);
    }
}

#[test]
fn other_calls_go_on() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Handshake, &[]);
    let question = talk.asked("delete_guest", json!({"vmid": 110}));
    assert_ne!(talk.ended("list_guests", json!({}))["isError"], true);
    done(&talk.ended("start_guest", json!({"vmid": 102})));
    assert!(!talk.client.is_answered(question.call));
    done(&talk.last(&question, typed("110")));
}

#[test]
fn whoever_waits_hears_that_a_person_is_asked() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Handshake, &[]);
    let id = talk.client.begin("shutdown_guest", json!({"vmid": 100, "wait": 60}), "steps");
    talk.client.wait_for("notifications/progress", id);
    let Turn::Asked(question) = talk.turn(id, "shutdown_guest", json!({})) else { panic!("it did not ask") };
    let first = talk.client.notified("notifications/progress")[0].clone();
    assert_eq!(first["message"], "waiting for a person to confirm", "{first}");
    done(&talk.last(&question, yes()));
    // The progress of the task goes on where that of the question ended.
    let steps = talk.client.notified("notifications/progress");
    let done: Vec<f64> = steps.iter().map(|step| step["progress"].as_f64().expect("a number")).collect();
    assert!(done.windows(2).all(|pair| pair[0] < pair[1]), "{done:?}");
}

#[test]
fn a_cancelled_call_takes_its_question_back() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Handshake, &[]);
    let question = talk.asked("delete_guest", json!({"vmid": 110}));
    talk.client.notify("notifications/cancelled", json!({"requestId": question.call}));
    // Whatever is said now comes too late.
    let wait = talk.client.send("tools/call", json!({"name": "get_version", "arguments": {}}));
    talk.client.answer(wait);
    talk.client.wait_for("notifications/cancelled", question.call);
    talk.client.reply(&json!(0), ("result", typed("110")));
    talk.tell(&question, typed("110"));
    talk.client.knock();
    assert!(!talk.client.is_answered(question.call));
    assert_eq!(cluster.sent(), Vec::<String>::new());
}

#[test]
fn a_client_that_goes_away_says_no() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Handshake, &[]);
    let question = talk.asked("delete_guest", json!({"vmid": 110}));
    let ended = talk.client.end();
    assert!(ended.status.success(), "{}", ended.log);
    let answer = ended.answers.get(&question.call).expect("an answer");
    not_done(&answer["result"], &["Nothing was sent"]);
    assert_eq!(cluster.sent(), Vec::<String>::new());
}

#[test]
fn a_client_that_cannot_ask_after_all_is_treated_as_one() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Handshake, &[]);
    let id = talk.client.send("tools/call", json!({"name": "delete_guest", "arguments": {"vmid": 110}}));
    let request = talk.client.asked(id).expect("a question");
    talk.client.reply(&request["id"], ("error", json!({"code": -32601, "message": "no such method"})));
    let Turn::Ended(result) = talk.turn(id, "delete_guest", json!({})) else { panic!("it asks again") };
    not_done(&result, &["proxmox-mcp approve"]);
    assert_eq!(cluster.sent(), Vec::<String>::new());
}
