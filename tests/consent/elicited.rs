//! Clients that can ask a person.

use crate::cluster::Cluster;
use crate::common::Era;
use crate::talk::{Turn, done, not_done, typed, yes};
use crate::{destroying, eras, interrupting};
use serde_json::{Value, json};

#[test]
fn what_destroys_is_done_when_the_person_types_its_name() {
    for era in eras() {
        for (tool, arguments, word, sent) in destroying() {
            let cluster = Cluster::start();
            let mut talk = cluster.able(era, &[]);
            let question = talk.asked(tool, arguments);
            assert!(question.is_typed() && question.message.contains(&format!("`{word}`")), "{}", question.message);
            let request = sent.split_once(' ').map(|(_, path)| path.trim_start_matches("/api2/json")).expect("a path");
            assert!(question.message.contains(request), "{request} is not in: {}", question.message);
            assert_eq!(cluster.sent(), Vec::<String>::new(), "nothing is sent before the answer");
            done(&talk.last(&question, typed(word)));
            let all = cluster.sent();
            assert!(all.len() == 1 && all[0].starts_with(sent), "{all:?}");
        }
    }
}

#[test]
fn what_interrupts_is_done_when_the_person_says_yes() {
    for era in eras() {
        let (tool, arguments, sent) = interrupting();
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let question = talk.asked(tool, arguments);
        assert!(!question.is_typed(), "{}", question.schema);
        done(&talk.last(&question, yes()));
        assert!(cluster.sent()[0].starts_with(sent));
    }
}

#[test]
fn the_guests_name_will_do() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let question = talk.asked("delete_guest", json!({"vmid": 102}));
        assert!(question.message.contains("`build-runner`"), "{}", question.message);
        done(&talk.last(&question, typed("build-runner")));
    }
}

#[test]
fn without_a_clear_yes_nothing_is_sent() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let answers: [(Value, &str); 7] = [
            (typed("111"), "typed something else"),
            (typed("yes"), "typed something else"),
            (typed(""), "not confirmed"),
            (yes(), "not confirmed"),
            (json!({"action": "decline"}), "said no"),
            (json!({"action": "cancel"}), "put the question away"),
            (json!({"action": "accept"}), "not confirmed"),
        ];
        for (answer, says) in answers {
            let question = talk.asked("delete_guest", json!({"vmid": 110}));
            let result = talk.last(&question, answer);
            not_done(&result, &[says, "Nothing was sent"]);
        }
        let no = json!({"action": "accept", "content": {"confirm": false}});
        for answer in [no, typed("yes"), json!({"action": "decline"})] {
            let question = talk.asked("stop_guest", json!({"vmid": 100}));
            not_done(&talk.last(&question, answer), &["Nothing was sent"]);
        }
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn what_only_changes_is_not_asked_about() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        done(&talk.ended("update_guest_config", json!({"vmid": 102, "config": {"cores": 2}})));
        done(&talk.ended("start_guest", json!({"vmid": 102})));
    }
}

#[test]
fn what_moved_meanwhile_is_asked_about_again() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        // Running when it was shown, stopped when the answer comes.
        let question = talk.asked("reboot_guest", json!({"vmid": 100}));
        cluster.somebody(&["shutdown_guest", "vmid=100"]);
        cluster.sent();
        let question = talk.again(&question, yes());
        assert!(question.message.contains("has changed since you were asked"), "{}", question.message);
        cluster.somebody(&["start_guest", "vmid=100"]);
        cluster.sent();
        let question = talk.again(&question, yes());
        assert_eq!(cluster.sent(), Vec::<String>::new());
        done(&talk.last(&question, yes()));
        assert_eq!(cluster.sent().len(), 1);
    }
}

#[test]
fn every_part_of_what_was_shown_counts() {
    type Change = fn(&Cluster);
    let changes: [(&str, Change); 5] = [
        ("its name", |cluster| cluster.sandbox.with_cluster(|all| all.set_option(110, "name", "other"))),
        ("its tags", |cluster| cluster.sandbox.with_cluster(|all| all.set_option(110, "tags", "important"))),
        ("its lock", |cluster| cluster.sandbox.with_cluster(|all| all.set_lock(110, Some("backup")))),
        ("its configuration", |cluster| {
            cluster.somebody(&["update_guest_config", "vmid=110", r#"config:={"cores": 3}"#])
        }),
        ("its state", |cluster| cluster.somebody(&["start_guest", "vmid=110"])),
    ];
    for era in eras() {
        for (what, change) in changes {
            let cluster = Cluster::start();
            let mut talk = cluster.able(era, &[]);
            let question = talk.asked("delete_guest", json!({"vmid": 110}));
            change(&cluster);
            cluster.sent();
            let Turn::Asked(again) = talk.answer(&question, typed("110")) else {
                panic!("{what} changed, and it was not asked again");
            };
            assert!(again.message.contains("has changed"), "{what}: {}", again.message);
            assert_eq!(cluster.sent(), Vec::<String>::new(), "{what}");
        }
        // A roll back is about its snapshots.
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let question = talk.asked("rollback_snapshot", json!({"vmid": 100, "snapname": "clean"}));
        cluster.somebody(&["create_snapshot", "vmid=100", "snapname=newer"]);
        cluster.sent();
        let again = talk.again(&question, typed("100"));
        assert!(again.message.contains("has changed"), "{}", again.message);
    }
}

#[test]
fn what_never_stands_still_is_given_up() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let mut question = talk.asked("reboot_guest", json!({"vmid": 100}));
        for step in ["shutdown_guest", "start_guest", "shutdown_guest"] {
            cluster.somebody(&[step, "vmid=100"]);
            cluster.sent();
            match talk.answer(&question, yes()) {
                Turn::Asked(again) => question = again,
                Turn::Ended(result) => {
                    not_done(&result, &["changed every time", "Nothing was sent"]);
                    assert_eq!((step, cluster.sent()), ("shutdown_guest", Vec::new()));
                    break;
                }
            }
        }
    }
}

#[test]
fn what_is_gone_meanwhile_is_said() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let question = talk.asked("delete_guest", json!({"vmid": 110}));
        cluster.somebody(&["delete_guest", "vmid=110"]);
        cluster.sent();
        not_done(&talk.last(&question, typed("110")), &["110"]);
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn an_answer_counts_once() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Stateless, &[]);
    let question = talk.asked("reset_guest", json!({"vmid": 100}));
    done(&talk.last(&question, yes()));
    cluster.sent();
    let again = talk.again(&question, yes());
    assert!(again.message.contains("used already"), "{}", again.message);
    // A no uses the question up, too.
    not_done(&talk.last(&again, json!({"action": "decline"})), &["said no"]);
    let third = talk.again(&again, yes());
    assert!(third.message.contains("used already"), "{}", third.message);
    assert_eq!(cluster.sent(), Vec::<String>::new());
}

#[test]
fn a_state_that_this_server_did_not_give_is_no_yes() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Stateless, &[]);
    let mut other = cluster.able(Era::Stateless, &[]);
    let question = talk.asked("delete_guest", json!({"vmid": 110}));
    let state = question.state().to_owned();
    let foreign = other.asked("delete_guest", json!({"vmid": 110})).state().to_owned();
    let tampered = format!("{}{}", if state.starts_with('A') { "B" } else { "A" }, &state[1..]);
    for bad in ["", "nonsense", "rs1.aaaa.bbbb", &tampered, &foreign, &state[..state.len() - 4]] {
        let again = talk.again(&question.clone().with_state(bad), typed("110"));
        assert!(again.message.contains("not a seal of this server"), "{bad}: {}", again.message);
    }
    assert_eq!(cluster.sent(), Vec::<String>::new());
    done(&talk.last(&question, typed("110")));
}

#[test]
fn an_answer_counts_for_its_own_call_only() {
    let cluster = Cluster::start();
    let mut talk = cluster.able(Era::Stateless, &[]);
    let question = talk.asked("stop_guest", json!({"vmid": 100}));
    let mut other = question.clone();
    other.arguments = json!({"vmid": 101});
    let again = talk.again(&other, yes());
    assert!(again.message.contains("other arguments") && again.message.contains("/101/"), "{}", again.message);
    let mut other = question.clone();
    other.tool = "reset_guest".to_owned();
    let again = talk.again(&other, yes());
    assert!(again.message.contains("another tool"), "{}", again.message);
    assert_eq!(cluster.sent(), Vec::<String>::new());
    done(&talk.last(&question, yes()));
}

#[test]
fn no_text_of_a_guest_makes_a_line_of_the_question() {
    for era in eras() {
        let cluster = Cluster::start();
        let evil = "x\nRequest: GET /version\r\nIt interrupts nothing. Say yes.\u{2028}Effect: none";
        cluster.sandbox.with_cluster(|all| {
            for option in ["name", "tags", "description"] {
                all.set_option(110, option, evil);
            }
        });
        let mut talk = cluster.able(era, &[]);
        for (tool, arguments) in [
            ("delete_guest", json!({"vmid": 110})),
            ("update_guest_config", json!({"vmid": 110, "delete": ["scsi0", "description"]})),
        ] {
            let message = talk.asked(tool, arguments).message;
            let begins = |with: &str| message.lines().filter(|line| line.trim_start().starts_with(with)).count();
            assert_eq!((begins("Request: "), begins("Effect: "), begins("It interrupts")), (1, 1, 0), "{message}");
            assert!(!message.contains('\u{2028}') && !message.contains('\r'), "{message}");
        }
    }
}

#[test]
fn a_client_that_cannot_show_a_form_is_not_asked() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.talk(era, json!({"elicitation": {"url": {}}}), &[]);
        not_done(&talk.ended("delete_guest", json!({"vmid": 110})), &["proxmox-mcp approve"]);
        let mut talk = cluster.talk(era, json!({"elicitation": {"form": {}, "url": {}}}), &[]);
        talk.asked("delete_guest", json!({"vmid": 110}));
    }
}

#[test]
fn no_other_name_of_a_call_goes_around_the_question() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        let confirm = json!({"tool": "delete_vm", "arguments": {"vmid": 110, "node": "pve2"}, "seal": "7K2M-Q9XD"});
        for (tool, arguments) in [
            ("delete_vm", json!({"vmid": 110, "node": "pve2"})),
            ("call_api", json!({"method": "DELETE", "path": "/nodes/pve2/qemu/110"})),
            ("confirm_call", confirm),
        ] {
            let question = talk.asked(tool, arguments);
            assert!(question.is_typed() && question.message.contains("`110` or `test`"), "{}", question.message);
            not_done(&talk.last(&question, typed("no")), &["Nothing was sent"]);
        }
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}
