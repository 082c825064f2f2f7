//! States of the cluster that stand in the way: a lock, no quorum, a node that is away, a storage without room.
//!
//! Knows how each is told by the API or by a task, and what an administrator does about it. One GET each, best effort.

use super::super::call::Call;
use super::super::clean;
use super::look;
use crate::catalogue;
use crate::client::PreparedRequest;
use crate::tool::Verb;
use serde_json::{Map, Value};

/// What a lock in the configuration means. Source: the enumeration of `lock` in the facts.
const LOCKS: [(&str, &str); 12] = [
    ("backup", "a backup is made of it"),
    ("clone", "it is being cloned"),
    ("create", "it is being made or restored"),
    ("destroyed", "its deletion was begun"),
    ("disk", "one of its disks is being moved or resized"),
    ("fstrim", "its free space is being given back"),
    ("migrate", "it is being migrated"),
    ("mounted", "its file system is mounted on the node (`pct unmount` ends that)"),
    ("rollback", "it is being rolled back to a snapshot"),
    ("snapshot", "a snapshot is being made"),
    ("snapshot-delete", "a snapshot is being deleted"),
    ("suspending", "it is being suspended to disk"),
];

/// Does this text say that something holds the guest?
pub fn is_locked(lower: &str) -> bool {
    ["is locked (", "can't lock file"].iter().any(|words| lower.contains(words))
}

/// Which lock, what it is for, and what runs.
pub async fn locked(call: &Call<'_>, request: &PreparedRequest, message: &str) -> String {
    let lock = message.split_once("is locked (").and_then(|(_, rest)| Some(rest.split_once(')')?.0));
    let lock = lock.map(|lock| clean::line(lock, 40));
    if lock.as_deref() == Some("suspended") {
        let says = "The guest holds the lock `suspended`: its state lies on disk. start_guest goes on from there.";
        return catalogue::in_words_of(call.surface, says);
    }
    let mut says = match &lock {
        Some(lock) => {
            let means = LOCKS.iter().find(|(name, _)| name == lock).map(|(_, means)| *means);
            let means = means.map(|means| format!(": {means}, or was and it broke off")).unwrap_or_default();
            format!("The guest holds the lock `{lock}`{means}.")
        }
        None => "Another task was using the guest for more than ten seconds.".to_owned(),
    };
    let guest = look::guest(request);
    let next = match (running(call, request).await, lock) {
        (Some(tasks), _) if !tasks.is_empty() => {
            format!("Running on it: {}. Wait for its end with get_task_status, then try again.", look::some(&tasks, 3))
        }
        (Some(_), Some(lock)) => {
            let unlock = guest.map(|(node, kind, vmid)| {
                format!(" with `{} unlock {vmid}` on {node}", if kind == "lxc" { "pct" } else { "qm" })
            });
            format!(
                "No task that this token can see runs on it. If nothing else does ({lock} may be somebody else's), a \
                 person removes the lock{}.",
                unlock.unwrap_or_default()
            )
        }
        (Some(_), None) => "It seems to be over: try again.".to_owned(),
        (None, _) => {
            "Look for what runs with list_tasks, wait for its end, and try again. A lock that stays after a crash is \
             removed on the node by a person, with `qm unlock` or `pct unlock`."
                .to_owned()
        }
    };
    says.push(' ');
    says.push_str(&catalogue::in_words_of(call.surface, &next));
    says
}

/// Tasks that run on the guest of the request; `None` if they cannot be read.
async fn running(call: &Call<'_>, request: &PreparedRequest) -> Option<Vec<String>> {
    let (node, _, vmid) = look::guest(request)?;
    let list = look::get(&["nodes", &node, "tasks"])?.with("source", "active").with("vmid", vmid);
    let rows = look::rows(call, &list).await?;
    let runs = |row: &&Map<String, Value>| {
        !row.contains_key("endtime") && look::text(row, "status").is_none_or(|status| status == "RUNNING")
    };
    let task = |row: &Map<String, Value>| {
        let (kind, upid) = (look::text(row, "type")?, look::text(row, "upid")?);
        Some(format!("{} (`{}`)", clean::line(&kind, 40), clean::line(&upid, 200)))
    };
    Some(rows.iter().filter(runs).filter_map(task).collect())
}

/// The cluster has no quorum: who is missing.
pub async fn no_quorum(call: &Call<'_>) -> String {
    let says = "The cluster has no quorum, so nothing can be changed until enough nodes are back.";
    let list = PreparedRequest::plain(Verb::Get, "/cluster/status");
    let rows = look::rows(call, &list).await.unwrap_or_default();
    let nodes: Vec<&Map<String, Value>> =
        rows.iter().filter(|row| look::text(row, "type").as_deref() == Some("node")).collect();
    let away = nodes.iter().filter(|row| look::text(row, "online").as_deref() != Some("1"));
    let away: Vec<String> = away.filter_map(|row| Some(clean::line(&look::text(row, "name")?, 64))).collect();
    let seen = match (nodes.len(), away.len()) {
        (0, _) => String::new(),
        (all, 0) => {
            format!(" This node sees all {all} nodes: check the cluster network and corosync (`pvecm status`).")
        }
        (all, _) => format!(" Offline of {all} nodes: {}.", look::some(&away, 10)),
    };
    let next = " get_cluster_status shows when it is back; reading works meanwhile.";
    format!("{says}{seen}{}", catalogue::in_words_of(call.surface, next))
}

/// Whether the node in the request's path is one of the cluster's, and what to say about it.
pub async fn node(call: &Call<'_>, request: &PreparedRequest) -> Option<(bool, String)> {
    let route = proxmox_spec::route(request.verb, request.path())?;
    let (_, node) = route.params.into_iter().find(|(name, _)| *name == "node")?;
    let rows = look::rows(call, &PreparedRequest::plain(Verb::Get, "/nodes")).await?;
    let text = |row: &Map<String, Value>, field: &str| look::text(row, field).map(|text| clean::line(&text, 64));
    let nodes: Vec<(String, String)> = rows
        .iter()
        .filter_map(|row| Some((text(row, "node")?, text(row, "status").unwrap_or_else(|| "unknown".to_owned()))))
        .collect();
    if let Some((_, status)) = nodes.iter().find(|(name, _)| *name == node) {
        return Some((true, format!("The node `{node}` is {status}.")));
    }
    let names: Vec<&str> = nodes.iter().map(|(name, _)| name.as_str()).collect();
    let near = proxmox_spec::nearest(&node, names.iter().copied());
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    Some((false, format!("There is no node `{node}`.{near} The nodes are: {}.", names.join(", "))))
}

/// Does this text say that a storage has no room? In the words of the programs that make volumes and files.
pub fn is_full(lower: &str) -> bool {
    let words = [
        "no space left",
        "out of space",
        "insufficient free space",
        "reached threshold",
        "not enough free",
        "not enough space",
    ];
    words.iter().any(|words| lower.contains(words))
}

/// What room there is on the storages of the node.
pub async fn full(call: &Call<'_>, request: &PreparedRequest) -> String {
    let says = "A storage has no room for it.";
    let node = look::value(request, "node");
    let list = node.as_deref().and_then(|node| look::get(&["nodes", node, "storage"]));
    let rows = match &list {
        Some(list) => look::rows(call, &list.clone().with("enabled", "1")).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let size = |row: &Map<String, Value>, field: &str| look::text(row, field)?.parse::<u64>().ok();
    let mut storages: Vec<(u64, String)> = rows
        .iter()
        .filter_map(|row| {
            let (name, free, total) = (look::text(row, "storage")?, size(row, "avail")?, size(row, "total")?);
            let content = look::text(row, "content").map(|content| format!(", for {content}")).unwrap_or_default();
            let name = clean::line(&name, 64);
            Some((free, format!("`{name}` {} of {} GiB{}", gib(free), gib(total), clean::line(&content, 100))))
        })
        .collect();
    storages.sort_by_key(|(free, _)| std::cmp::Reverse(*free));
    let shown: Vec<String> = storages.into_iter().map(|(_, says)| says).collect();
    let next = "Delete what nobody needs (get_storage_content shows it), or take another storage.";
    let next = catalogue::in_words_of(call.surface, next);
    match node.filter(|_| !shown.is_empty()) {
        Some(node) => format!("{says} Free on {}: {}. {next}", clean::line(&node, 64), shown.join("; ")),
        None => format!("{says} {next}"),
    }
}

/// With one decimal, rounded down: nothing is promised that is not there.
fn gib(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1024 * 1024 * 1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_of_the_facts_is_known() {
        for path in ["/nodes/{node}/qemu/{vmid}/config", "/nodes/{node}/lxc/{vmid}/config"] {
            let lock =
                proxmox_spec::find(Verb::Put, path).and_then(|method| method.param("lock")).expect("a parameter");
            for value in lock.values.iter().filter(|value| **value != "suspended") {
                assert!(LOCKS.iter().any(|(name, _)| name == value), "{value}");
            }
        }
    }

    #[test]
    fn room_is_never_rounded_up() {
        assert_eq!(gib(0), "0.0");
        assert_eq!(gib(1024 * 1024 * 1024 - 1), "0.9");
        assert_eq!(gib(10 * 1024 * 1024 * 1024), "10.0");
    }
}
