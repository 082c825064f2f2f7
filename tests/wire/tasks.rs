//! Waiting for what a call started, on servers that differ in the details.

use super::*;
use proxmox_mcp::engine::Progress;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers writes with this, and asks for the state of tasks with `state`, by the number of the poll.
fn tasks(answer: Value, state: impl Fn(usize) -> Say + Send + Sync + 'static) -> Server {
    let polls = AtomicUsize::new(0);
    Server::start(move |seen| match seen.path() {
        _ if seen.writes() => Say::Data(answer.clone()),
        path if path.contains("/tasks/") && path.ends_with("/status") => state(polls.fetch_add(1, Ordering::SeqCst)),
        path if path.ends_with("/log") => Say::Data(json!([
            {"n": 1, "t": "starting"}, {"n": 2, "t": "transferred 1 of 4 (25.00%)\u{1b}[0m"}, {"n": 3, "t": "TASK ERROR: broken pipe"}
        ])),
        _ => usual(seen),
    })
}

fn ended(status: &'static str) -> impl Fn(usize) -> Say {
    move |_| Say::Data(json!({"status": "stopped", "exitstatus": status}))
}

fn runs(_: usize) -> Say {
    Say::Data(json!({"status": "running"}))
}

#[tokio::test]
async fn a_task_is_asked_for_on_its_own_node() {
    let server = tasks(json!(UPID.replace("pve1", "pve2")), ended("OK"));
    let answer = ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!((&answer["outcome"], &answer["node"]), (&json!("ok"), &json!("pve2")));
    let polls: Vec<String> = server.lines().into_iter().filter(|line| line.contains("/tasks/")).collect();
    assert_eq!(polls.len(), 1);
    assert!(polls[0].starts_with("GET /nodes/pve2/tasks/UPID%3Apve2%3A"), "{polls:?}");
}

#[tokio::test]
async fn outcomes_are_told_apart() {
    for (status, outcome) in [
        ("OK", "ok"),
        ("WARNINGS: 2", "warnings"),
        ("unexpected status", "failed"),
        ("", "failed"),
        ("command 'x' failed: exit code 1", "failed"),
    ] {
        let server = tasks(json!(UPID), ended(status));
        let answer = call(&engine(&server), "start_guest", json!({"vmid": 100})).await.expect("it was started");
        let content = Value::Object(answer.content);
        assert_eq!((&content["outcome"], &content["upid"]), (&json!(outcome), &json!(UPID)), "{status}");
        assert_eq!(answer.failed, outcome == "failed");
        if outcome == "ok" {
            assert!(content.get("log").is_none());
        } else {
            assert_eq!(content["log"][2], "TASK ERROR: broken pipe", "{content}");
            assert!(!content.to_string().contains('\u{1b}') && !content.to_string().contains("\\u001b"), "{content}");
        }
        if outcome == "failed" {
            has(&answer.text.unwrap_or_default(), &["End of the log", "broken pipe", UPID]);
        }
    }
}

#[tokio::test]
async fn nobody_asks_when_nobody_waits() {
    let server = tasks(json!(UPID), runs);
    let engine = engine(&server);
    let answer = ok(&engine, "start_guest", json!({"vmid": 100, "wait": 0})).await;
    assert_eq!((&answer["outcome"], &answer["upid"]), (&json!("running"), &json!(UPID)));
    has(&answer["notes"].to_string(), &["get_task_status", UPID]);
    assert!(!server.lines().iter().any(|line| line.contains("/tasks/")));
    // A name of another surface is answered with a name of that surface.
    let answer = ok(&engine, "proxmox_vm_start", json!({"vmid": 100, "node": "pve1", "wait": 0})).await;
    has(&answer["notes"].to_string(), &["proxmox_task_status"]);
}

#[tokio::test]
async fn waiting_that_ends_is_no_failure() {
    let server = tasks(json!(UPID), runs);
    let answer = ok(&engine(&server), "start_guest", json!({"vmid": 100, "wait": 1})).await;
    assert_eq!(answer["outcome"], "running");
    has(&answer["notes"].to_string(), &["after 1 s", "get_task_status"]);
}

#[tokio::test]
async fn a_task_that_cannot_be_followed_is_still_running() {
    for say in [|| Say::bare("596 Connection timed out"), || Say::Close, || Say::refuse("403 x", "no", json!({}))] {
        let server = tasks(json!(UPID), move |_| say());
        let answer = ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
        assert_eq!((&answer["outcome"], &answer["upid"]), (&json!("running"), &json!(UPID)));
        has(&answer["notes"].to_string(), &["could not be followed", "get_task_status"]);
        assert_eq!(server.writes().len(), 1);
    }
}

#[tokio::test]
async fn a_write_without_a_task_is_done_and_says_so() {
    let server = tasks(Value::Null, runs);
    let answer = ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert_eq!(answer["outcome"], "ok");
    has(&answer["notes"].to_string(), &["without naming a task"]);
}

#[tokio::test]
async fn a_task_id_of_another_form_is_asked_for_where_the_call_went() {
    let odd = "UPID:pve1:3E8:1B58:6B011FBD:qmcreate:105:root@pam!mcp:";
    let server = tasks(json!(odd), ended("OK"));
    let answer = ok(&engine(&server), "create_vm", json!({"node": "pve2", "vmid": 105})).await;
    assert_eq!((&answer["outcome"], &answer["upid"]), (&json!("ok"), &json!(odd)));
    assert!(
        server.lines().iter().any(|line| line.starts_with("GET /nodes/pve2/tasks/UPID%3A")),
        "{:?}",
        server.lines()
    );
}

#[tokio::test]
async fn progress_grows_with_the_log_and_its_percentage() {
    let server = tasks(json!(UPID), |poll| if poll < 3 { runs(poll) } else { ended("OK")(poll) });
    let (sender, mut steps) = tokio::sync::mpsc::unbounded_channel::<Progress>();
    let watch = Watch { progress: Some(sender), ..Watch::default() };
    watched(&engine(&server), "start_guest", json!({"vmid": 100}), watch).await.expect("started");
    let mut told = Vec::new();
    while let Ok(step) = steps.try_recv() {
        told.push(step);
    }
    assert_eq!(told.len(), 3);
    assert!(told.windows(2).all(|pair| pair[0].done < pair[1].done), "{told:?}");
    assert_eq!((told[0].done, told[0].total), (25.0, Some(100.0)));
    assert_eq!(told[0].message, "TASK ERROR: broken pipe");
}

#[tokio::test]
async fn a_log_is_not_read_when_nobody_watches() {
    let server = tasks(json!(UPID), |poll| if poll < 2 { runs(poll) } else { ended("OK")(poll) });
    ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    assert!(!server.lines().iter().any(|line| line.ends_with("/log")));
}
