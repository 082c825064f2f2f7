//! Tasks as the API reports them: lists with filters, status, log, stop.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Data, Failure, Reply, done, ok},
    auth::shows_task,
    cluster::Cluster,
    request::Call,
    tasks::Task,
    upid::Upid,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/tasks", list),
    (Verb::Get, "/nodes/{node}/tasks/{upid}/status", status),
    (Verb::Get, "/nodes/{node}/tasks/{upid}/log", log),
    (Verb::Delete, "/nodes/{node}/tasks/{upid}", stop),
];

/// The place of the task that a call names.
fn find(cluster: &Cluster, call: &Call) -> Result<Option<usize>, Failure> {
    let text = call.args.need("upid");
    let Some(upid) = Upid::parse(text) else {
        return Err(Failure::param("upid", "unable to parse worker upid"));
    };
    if upid.node != call.args.need("node") {
        return Ok(None);
    }
    Ok(cluster.tasks.iter().position(|task| task.upid == upid))
}

fn existing(cluster: &Cluster, call: &Call) -> Result<usize, Failure> {
    find(cluster, call)?.ok_or_else(|| Failure::param("upid", "no such task"))
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let source = args.text("source").unwrap_or("archive");
    let wanted = |task: &&Task| {
        let active = task.status().is_none();
        let upid = &task.upid;
        let (user, _) = upid.user_and_token();
        upid.node == args.need("node")
            && shows_task(&call.rights, &upid.node, upid)
            && match source {
                "active" => active,
                "all" => true,
                _ => !active,
            }
            && args.text("typefilter").is_none_or(|kind| upid.kind == kind)
            && args.text("userfilter").is_none_or(|part| user.to_lowercase().contains(&part.to_lowercase()))
            && args.text("vmid").is_none_or(|vmid| upid.id == vmid)
            && args.number("since").is_none_or(|since| upid.start >= since)
            && args.number("until").is_none_or(|until| upid.start <= until)
            && (!args.flag("errors") || task.status().is_some_and(|status| status != "OK"))
            && (!args.has("statusfilter") || args.list("statusfilter").iter().any(|word| fits(task, word)))
    };
    let found: Vec<&Task> = cluster.tasks.iter().rev().filter(wanted).collect();
    let total = found.len();
    let start = usize::try_from(args.number("start").unwrap_or(0)).unwrap_or(0);
    let limit = usize::try_from(args.number("limit").unwrap_or(50)).unwrap_or(0);
    let rows = found.into_iter().skip(start).take(limit).map(row).collect();
    Ok(Data { total: Some(total), ..Value::Array(rows).into() })
}

fn row(task: &Task) -> Value {
    let mut row = task.describe();
    match (task.status(), task.ended()) {
        (Some(status), Some(end)) => {
            row["status"] = json!(status);
            row["endtime"] = json!(end);
        }
        _ => {
            row["status"] = json!("RUNNING");
            row["saved"] = json!("0");
            row["user"] = json!(task.upid.user);
            if let Value::Object(fields) = &mut row {
                fields.remove("tokenid");
            }
        }
    }
    row
}

fn fits(task: &Task, word: &str) -> bool {
    match word {
        "ok" => task.status() == Some("OK"),
        "warning" => task.status().is_some_and(|status| status.starts_with("WARNINGS:")),
        "error" => task.failed() && task.status() != Some("unexpected status"),
        "unknown" => task.status() == Some("unexpected status"),
        _ => false,
    }
}

fn status(cluster: &mut Cluster, call: &Call) -> Reply {
    let task = &cluster.tasks[existing(cluster, call)?];
    let mut answer = task.describe();
    match task.status() {
        Some(status) => {
            answer["status"] = json!("stopped");
            answer["exitstatus"] = json!(status);
        }
        None => answer["status"] = json!("running"),
    }
    ok(answer)
}

fn log(cluster: &mut Cluster, call: &Call) -> Reply {
    let lines = match find(cluster, call)? {
        None => vec!["unable to open file - No such file or directory".to_owned()],
        Some(index) => cluster.tasks[index].lines(cluster.clock.now),
    };
    if call.args.flag("download") {
        if call.args.has("start") || call.args.has("limit") {
            return Err(Failure::param("download", "parameter 'download' cannot be used with 'start' or 'limit'"));
        }
        let raw = lines.iter().map(|line| format!("{line}\n")).collect();
        return Ok(Data { raw: Some(raw), ..Data::null() });
    }
    let lines = if lines.is_empty() { vec!["no content".to_owned()] } else { lines };
    let start = usize::try_from(call.args.number("start").unwrap_or(0)).unwrap_or(0);
    let limit = match call.args.number("limit") {
        Some(0) => usize::MAX,
        limit => usize::try_from(limit.unwrap_or(50)).unwrap_or(0),
    };
    let shown = lines.iter().enumerate().skip(start).take(limit);
    let rows = shown.map(|(place, line)| json!({ "n": place + 1, "t": line })).collect();
    Ok(Data { total: Some(lines.len()), ..Value::Array(rows).into() })
}

fn stop(cluster: &mut Cluster, call: &Call) -> Reply {
    let index = existing(cluster, call)?;
    cluster.interrupt(index, "received interrupt");
    done()
}
