//! Every list can be paged, narrowed and filtered, and says how many rows there are.

use crate::answers::{cluster, ok};
use proxmox_mcp::catalogue::TOOLS;
use proxmox_mcp::tool::Answer;
use serde_json::{Value, json};

#[test]
fn every_list_takes_limit_offset_and_fields() {
    for tool in TOOLS.iter() {
        let lists = tool.routes.iter().any(|route| matches!(route.returns.form, Answer::List(_)));
        for name in ["limit", "offset", "fields"].into_iter().filter(|_| lists) {
            assert!(tool.arguments.iter().any(|argument| argument.name == name), "{} lacks {name}", tool.name);
        }
    }
}

/// The values of a field in the rows of an answer, and how many rows there are in all.
async fn rows(tool: &str, arguments: Value, key: &str, field: &str) -> (Vec<Value>, Value) {
    let (_sandbox, engine) = cluster(9, 8_000).await;
    let answer = ok(&engine, tool, arguments).await;
    let rows = answer[key].as_array().unwrap_or_else(|| panic!("{answer}"));
    (rows.iter().map(|row| row[field].clone()).collect(), answer["total"].clone())
}

#[tokio::test]
async fn lists_are_filtered() {
    let (online, _) = rows("list_nodes", json!({ "status": "online" }), "nodes", "status").await;
    assert!(!online.is_empty() && online.iter().all(|status| status == "online"), "{online:?}");
    let (offline, total) = rows("list_nodes", json!({ "status": "offline" }), "nodes", "status").await;
    assert!(offline.iter().all(|status| status == "offline") && total == json!(offline.len()), "{offline:?}");
    for node in [json!({}), json!({ "node": "pve1" })] {
        let mut arguments = node;
        arguments["content"] = json!("backup");
        let (content, _) = rows("list_storage", arguments, "storages", "content").await;
        let has = |content: &Value| content.as_str().is_some_and(|content| content.contains("backup"));
        assert!(!content.is_empty() && content.iter().all(has), "{content:?}");
    }
    let named = json!({ "node": "pve1", "storage": "local", "name": "*.iso" });
    let (volumes, _) = rows("get_storage_content", named, "volumes", "volid").await;
    assert!(!volumes.is_empty() && volumes.iter().all(|volid| volid.as_str().is_some_and(|id| id.ends_with(".iso"))));
    let (snapshots, total) =
        rows("list_snapshots", json!({ "vmid": 100, "name": "upgrade" }), "snapshots", "name").await;
    assert!(!snapshots.is_empty() && total == json!(snapshots.len()), "{snapshots:?}");
    let (none, total) = rows("list_snapshots", json!({ "vmid": 100, "name": "nothing*" }), "snapshots", "name").await;
    assert!(none.is_empty() && total == 0);
    let (nodes, _) = rows("list_cluster_tasks", json!({ "node": "pve2" }), "tasks", "node").await;
    assert!(nodes.iter().all(|node| node == "pve2"), "{nodes:?}");
    let (directions, _) = rows("list_firewall_rules", json!({ "vmid": 100, "rule_type": "in" }), "rules", "type").await;
    assert!(directions.iter().all(|one| one == "in"), "{directions:?}");
}

#[tokio::test]
async fn a_list_that_the_api_cuts_is_turned_like_any_other() {
    let (_sandbox, engine) = cluster(9, 8_000).await;
    for vmid in [100, 102] {
        ok(&engine, "create_snapshot", json!({ "vmid": vmid, "snapname": "one" })).await;
    }
    let arguments = json!({ "node": "pve1", "limit": 1, "fields": ["upid"] });
    let first = ok(&engine, "list_tasks", arguments).await;
    assert_eq!(first["tasks"][0].as_object().map(|row| row.len()), Some(1), "{first}");
    assert_eq!(first["next_offset"], 1, "{first}");
    let second = ok(&engine, "list_tasks", json!({ "node": "pve1", "limit": 1, "offset": 1, "form": "table" })).await;
    assert_eq!(second["columns"][0], "upid", "{second}");
    assert_ne!(second["rows"][0][0], first["tasks"][0]["upid"]);
    assert_eq!(second["total"], first["total"]);
}
