//! How a cluster is: quorum, its nodes, and their clocks.
//!
//! Sends GETs. What may not be read is said to be skipped, with the privilege that would show it.

use super::finding::{Finding, Level, Step};
use super::held::{Held, Places};
use crate::arguments::Segment;
use crate::client::PreparedRequest;
use crate::engine::{Engine, Failure, FailureKind, clean};
use crate::tool::Verb;
use futures_util::future::join_all;
use jiff::Timestamp;
use proxmox_spec::Demand;
use serde_json::Value;

/// Nodes whose clocks are asked.
const CLOCKS: usize = 16;
/// Seconds by which a clock may be off: a one-time code is good for thirty.
const OFF: i64 = 30;
/// Shares beyond which it gets tight.
const FULL_DISK: f64 = 0.9;
const FULL_MEMORY: f64 = 0.95;

/// Adds what is found.
pub async fn look(engine: &Engine, held: Option<&Held>, findings: &mut Vec<Finding>) {
    findings.push(quorum(engine).await);
    let nodes = match engine.look(&PreparedRequest::plain(Verb::Get, "/nodes")).await {
        Ok(answer) => answer.data,
        Err(failure) => {
            findings.push(Finding::new(Step::Node, "", Level::Failed, failure.to_string()));
            return;
        }
    };
    let mut online = Vec::new();
    for row in nodes.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = clean::line(row["node"].as_str().unwrap_or_default(), 80);
        let finding = node(&name, row);
        if finding.level != Level::Failed {
            online.push(name);
        }
        findings.push(finding);
    }
    let seen = |name: &String| {
        let demand = Demand { path: format!("/nodes/{name}"), privileges: vec!["Sys.Audit".to_owned()], any: false };
        held.is_none_or(|held| held.places(&demand) != Places::Nowhere)
    };
    let asked: Vec<String> = online.into_iter().filter(seen).take(CLOCKS).collect();
    if asked.is_empty() {
        findings.push(no_look(Step::Clock, "", "Sys.Audit", "/nodes"));
    }
    findings.extend(join_all(asked.iter().map(|node| clock(engine, node))).await.into_iter().flatten());
}

fn no_look(step: Step, subject: &str, privilege: &str, path: &str) -> Finding {
    Finding::new(step, subject, Level::Skipped, format!("not looked at: that takes {privilege} on {path}"))
}

async fn quorum(engine: &Engine) -> Finding {
    let rows = match engine.look(&PreparedRequest::plain(Verb::Get, "/cluster/status")).await {
        Ok(answer) => answer.data,
        Err(failure) if failure.kind() == FailureKind::Forbidden => return no_look(Step::Quorum, "", "Sys.Audit", "/"),
        Err(failure) => return Finding::new(Step::Quorum, "", Level::Failed, failure.to_string()),
    };
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(cluster) = rows.iter().find(|row| row["type"] == "cluster") else {
        return Finding::new(Step::Quorum, "", Level::Ok, "a node on its own, which needs none");
    };
    let name = clean::line(cluster["name"].as_str().unwrap_or_default(), 80);
    let online = rows.iter().filter(|row| row["type"] == "node" && set(&row["online"])).count();
    let all = rows.iter().filter(|row| row["type"] == "node").count();
    if set(&cluster["quorate"]) {
        return Finding::new(
            Step::Quorum,
            "",
            Level::Ok,
            format!("the cluster `{name}`, {online} of {all} nodes online"),
        );
    }
    let says = format!("the cluster `{name}` has no quorum ({online} of {all} nodes online): it refuses every change");
    Finding::new(Step::Quorum, "", Level::Failed, says).next(
        "Bring the missing nodes back, or their network: `pvecm status` on a node shows who sees whom. Reading goes on.",
    )
}

fn node(name: &str, row: &Value) -> Finding {
    let status = clean::line(row["status"].as_str().unwrap_or("unknown"), 40);
    if status != "online" {
        return Finding::new(Step::Node, name, Level::Failed, status).next(
            "Is it switched on and on the network? Calls for it, and for the guests on it, fail until it is back.",
        );
    }
    let share = |used: &str, most: &str| Some(row[used].as_f64()? / row[most].as_f64().filter(|most| *most > 0.0)?);
    let mut tight = Vec::new();
    if let Some(disk) = share("disk", "maxdisk").filter(|share| *share > FULL_DISK) {
        tight.push(format!("its root disk is {:.0} % full", disk * 100.0));
    }
    if let Some(memory) = share("mem", "maxmem").filter(|share| *share > FULL_MEMORY) {
        tight.push(format!("its memory is {:.0} % full", memory * 100.0));
    }
    if !tight.is_empty() {
        return Finding::new(Step::Node, name, Level::Warning, format!("online, and {}", tight.join(" and ")))
            .next("Make room before something new is started there.");
    }
    Finding::new(Step::Node, name, Level::Ok, status)
}

/// The node's clock against ours: the middle of asking and being answered.
async fn clock(engine: &Engine, node: &str) -> Option<Finding> {
    let mut request = PreparedRequest::plain(Verb::Get, "/nodes");
    request.segment(&Segment::new(node).ok()?);
    request.literal("time");
    let before = Timestamp::now().as_millisecond();
    let answer = engine.look(&request).await;
    let after = Timestamp::now().as_millisecond();
    let seconds = match answer.map(|answer| answer.data["time"].as_i64()) {
        Ok(Some(seconds)) => seconds,
        Ok(None) => return Some(Finding::new(Step::Clock, node, Level::Skipped, "its time cannot be read")),
        Err(failure) => return Some(Finding::new(Step::Clock, node, Level::Skipped, told(&failure))),
    };
    let off = seconds - (before + after) / 2_000;
    if off.abs() <= OFF {
        return Some(Finding::new(Step::Clock, node, Level::Ok, format!("within {OFF} s of ours")));
    }
    let way = if off > 0 { "ahead of" } else { "behind" };
    Some(
        Finding::new(Step::Clock, node, Level::Warning, format!("{} s {way} ours", off.abs())).next(
            "One-time codes and tickets may fail. Look at both clocks: `chronyc tracking` on the node, and here.",
        ),
    )
}

fn told(failure: &Failure) -> String {
    clean::line(&failure.to_string(), 300)
}

fn set(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_i64() == Some(1) || value.as_str() == Some("1"))
}
