//! What somebody looks at who checks a cluster's health: clocks, quorum, nodes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proxmox_sandbox::{Options, State, Trouble};
use serde_json::json;

use super::*;

fn apply(bench: &Bench, text: &str) {
    let trouble: Trouble = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(trouble.to_string().parse::<Trouble>().as_ref(), Ok(&trouble), "{text}");
    bench.sandbox.apply(trouble).expect("it fits");
}

async fn time(bench: &Bench, node: &str) -> i64 {
    bench.get(&format!("/nodes/{node}/time")).await.data()["time"].as_i64().expect("a time")
}

#[tokio::test]
async fn one_nodes_clock_can_be_off() {
    let bench = Bench::start().await;
    bench.sandbox.with_cluster(|cluster| cluster.set_step(0));
    let right = time(&bench, "pve1").await;
    apply(&bench, "clock-off=pve2:-300");
    assert_eq!((time(&bench, "pve1").await, time(&bench, "pve2").await), (right, right - 300));
    apply(&bench, "clock-off=pve2:0");
    assert_eq!(time(&bench, "pve2").await, right);
}

#[tokio::test]
async fn time_passes_when_it_is_told_to() {
    let bench = Bench::start().await;
    bench.sandbox.with_cluster(|cluster| cluster.set_step(0));
    let mut last = time(&bench, "pve1").await;
    for (text, seconds) in [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), ("5", 5)] {
        apply(&bench, &format!("time-passes={text}"));
        let now = time(&bench, "pve1").await;
        assert_eq!(now - last, seconds, "{text}");
        last = now;
    }
    // What was under way has ended meanwhile.
    let task = bench.post("/nodes/pve1/vzdump", &[("vmid", "100"), ("storage", "local")]).await.upid();
    bench.sandbox.with_cluster(|cluster| cluster.pass(Duration::from_secs(3_600)));
    let status = bench.get(&format!("/nodes/pve1/tasks/{task}/status")).await;
    assert_eq!(status.data()["exitstatus"], "OK");
}

#[tokio::test]
async fn the_clock_can_follow_the_real_one() {
    let bench = Bench::with(Options { real_time: true, ..Options::default() }).await;
    let real = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let before = real();
    let told = time(&bench, "pve1").await;
    assert!((before..=real()).contains(&told), "{told}");
    let login = by_password(&bench, USER).await;
    bench.sandbox.with_cluster(|cluster| cluster.pass(Duration::from_secs(7_200)));
    outside(&login.get(&bench, "/version").await, NOBODY);
    assert!(time(&bench, "pve1").await >= before + 7_200);
}

#[tokio::test]
async fn quorum_and_nodes_tell_their_state() {
    let bench = Bench::start().await;
    apply(&bench, "no-quorum");
    apply(&bench, "node-offline=pve3");
    let status = bench.get("/cluster/status").await;
    let row = |wanted: &str| status.data().as_array().expect("rows").iter().find(|row| row["name"] == wanted).cloned();
    assert_eq!(row("sandbox").expect("the cluster")["quorate"], 0);
    assert_eq!(row("pve3").expect("the node")["online"], 0);
    let nodes = bench.get("/nodes").await;
    let offline = nodes.data().as_array().expect("rows").iter().find(|row| row["node"] == "pve3").cloned();
    assert_eq!(offline.expect("the node")["status"], json!("offline"));
    assert_eq!(bench.get("/nodes/pve3/time").await.status, 595);
    assert_eq!(bench.get("/nodes/pve1/status").await.status, 200);
}

#[tokio::test]
async fn a_state_that_is_wrong_says_what_would_be_right() {
    let bench = Bench::start().await;
    for (text, part) in [
        ("time-passes=soon", "time-passes=2h"),
        ("time-passes=99999d", "time-passes=2h"),
        ("clock-off=pve2", "clock-off=pve2:-300"),
        ("endpoint-closed=first", "endpoint-closed=2"),
        ("endpoint-open=0", "endpoint-open=2"),
        ("new-key=x", "takes no '=x'"),
        ("codes-again", "codes-again=admin@pve"),
    ] {
        let error = text.parse::<Trouble>().expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    for (state, part) in [
        (State::ClockOff("pve9".to_owned(), 1), "pve1, pve2, pve3"),
        (State::EndpointClosed(2), "from 1 to 1"),
        (State::CodesAgain("alice@pve".to_owned()), "alice@pve"),
    ] {
        let error = bench.sandbox.apply(Trouble::State(state)).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
}
