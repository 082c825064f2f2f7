//! A write was sent and no answer came: what can still be found out, by reading only.
//!
//! Knows where tasks are listed. Never repeats the write, and never says that it failed.

use super::call::Call;
use super::clean;
use super::located::Located;
use crate::arguments::Segment;
use crate::client::{PreparedRequest, Repeat};
use crate::tool::Verb;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A node that did not answer may not answer this either.
const PATIENCE: Duration = Duration::from_secs(10);
/// A task that began this much before the write, by the node's clock, may still be it.
const SLACK: i64 = 5;
const MOST: &str = "10";

/// What was found about a write that brought no answer, one sentence each.
pub async fn look(call: &Call<'_>, request: &PreparedRequest, located: &Located, sent: Instant) -> Vec<String> {
    let Some(node) = node(request, located) else {
        return vec!["The call names no node whose tasks could be searched.".to_owned()];
    };
    let vmid = located.vmid.map(|vmid| vmid.to_string()).or_else(|| request.value("vmid").map(str::to_owned));
    match tokio::time::timeout(PATIENCE, tasks(call, &node, vmid.as_deref(), sent)).await {
        Ok(Some(found)) => found,
        _ => vec![format!("The tasks of the node `{node}` could not be read either.")],
    }
}

/// The node that a request is about: the guest's, else the one in its path.
pub fn node(request: &PreparedRequest, located: &Located) -> Option<Segment> {
    if let Some(node) = &located.node {
        return Some(node.clone());
    }
    let route = proxmox_spec::route(request.verb, request.path())?;
    let (_, node) = route.params.into_iter().find(|(name, _)| *name == "node")?;
    Segment::new(node).ok()
}

async fn tasks(call: &Call<'_>, node: &Segment, vmid: Option<&str>, sent: Instant) -> Option<Vec<String>> {
    let of = |last: &str| {
        let mut request = PreparedRequest::plain(Verb::Get, "/nodes");
        request.segment(node);
        request.literal(last);
        request
    };
    // The node's clock, not ours: they may differ.
    // Whoever cancelled the call wants to know it more than anybody; the look-up has its own end.
    let going = CancellationToken::new();
    let now = call.client.get(&of("time"), Repeat::Never, &going).await.ok();
    let now = now.and_then(|reply| reply.data.get("time").and_then(Value::as_i64));
    let since = now.map(|now| now - i64::try_from(sent.elapsed().as_secs()).unwrap_or(i64::MAX) - SLACK);
    let mut request = of("tasks").with("source", "all").with("limit", MOST);
    if let Some(since) = since {
        request = request.with("since", since.max(0).to_string());
    }
    if let Some(vmid) = vmid {
        request = request.with("vmid", vmid);
    }
    let reply = call.client.get(&request, Repeat::Never, &going).await.ok()?;
    let rows = reply.data.as_array()?;
    let text = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).map(|text| clean::line(text, 200));
    let found: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let state = text(row, "status").unwrap_or_else(|| "running".to_owned());
            Some(format!("{} ({}, {state})", text(row, "upid")?, text(row, "type").unwrap_or_default()))
        })
        .collect();
    let whose = vmid.map(|vmid| format!(" for {vmid}")).unwrap_or_default();
    let when = if since.is_some() { " since it was sent" } else { " lately" };
    Some(if found.is_empty() {
        vec![format!("No task{whose} began on the node `{node}`{when}, as far as this token can see.")]
    } else {
        vec![format!("Tasks{whose} that began on the node `{node}`{when}: {}.", found.join("; "))]
    })
}
