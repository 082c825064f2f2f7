//! The operator's modes.

use crate::cluster::Cluster;
use crate::common::text;
use crate::talk::{done, not_done, typed};
use crate::{destroying, eras, interrupting};
use serde_json::json;

#[test]
fn through_the_client_or_not_at_all() {
    for era in eras() {
        let (tool, arguments, _) = interrupting();
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &["--confirm", "elicit-only"]);
        not_done(&talk.ended(tool, arguments), &["elicit-only", "cannot ask", "Request: POST"]);
        for (tool, arguments, ..) in destroying() {
            let text = not_done(&talk.ended(tool, arguments), &["elicit-only"]).to_owned();
            assert!(!text.contains("approve") && !text.contains("seal"), "{text}");
        }
        assert_eq!(cluster.sent(), Vec::<String>::new());
        let mut talk = cluster.able(era, &["--confirm", "elicit-only"]);
        let question = talk.asked("delete_guest", json!({"vmid": 110}));
        done(&talk.last(&question, typed("110")));
    }
}

#[test]
fn off_asks_nobody_and_says_so_at_every_start() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &["--confirm", "off"]);
        done(&talk.ended("delete_guest", json!({"vmid": 110})));
        let log = talk.client.end().log;
        assert!(log.contains("WARN") && log.contains("PROXMOX_CONFIRM is off"), "{log}");
        let log = cluster.able(era, &[]).client.end().log;
        assert!(!log.contains("PROXMOX_CONFIRM"), "{log}");
    }
}

#[test]
fn no_argument_of_a_tool_changes_the_mode() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.unable(era, &[]);
        for name in ["confirm", "confirmed", "force", "yes", "seal", "mode"] {
            let result = talk.ended("stop_guest", json!({"vmid": 100, name: true}));
            assert!(text(&result).contains(name), "{result}");
        }
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn a_plan_asks_nobody() {
    for era in eras() {
        let cluster = Cluster::start();
        let mut talk = cluster.able(era, &[]);
        for (tool, arguments, _, sent) in destroying() {
            let plan = talk.ended("plan_call", json!({"tool": tool, "arguments": arguments}));
            assert_eq!(plan["structuredContent"]["effect"], "destroys", "{plan}");
            let path = plan["structuredContent"]["request"]["path"].as_str().expect("a path").to_owned();
            assert!(sent.ends_with(&path), "{sent}: {path}");
        }
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}

#[test]
fn where_nothing_can_wait_it_is_refused() {
    for era in eras() {
        let cluster = Cluster::start();
        std::fs::create_dir_all(&cluster.state).expect("a folder");
        std::fs::write(cluster.state.join("approvals"), "in the way").expect("a file");
        let mut talk = cluster.unable(era, &[]);
        not_done(&talk.ended("delete_guest", json!({"vmid": 110})), &["cannot", "approvals", "Nothing was sent"]);
        assert_eq!(cluster.sent(), Vec::<String>::new());
    }
}
