//! Denying and allowing tools goes by what would be sent, not by the name that was called.

use super::*;

#[tokio::test]
async fn a_denied_tool_is_denied_by_every_way_to_it() {
    let deny = |names: &[&str]| {
        let names = list(names);
        fenced(move |flags| flags.deny = names)
    };
    let delete = deny(&["delete_guest"]).await;
    let (kind, _) = fails(&delete.1, "delete_guest", json!({ "vmid": 102 })).await;
    assert_eq!(kind, FailureKind::Refused);
    for name in ["delete_vm", "delete_container"] {
        if proxmox_mcp::catalogue::surface(name).is_some() {
            let (kind, _) = fails(&delete.1, name, json!({ "vmid": 102 })).await;
            assert_eq!(kind, FailureKind::Refused, "{name}");
        }
    }
    let generic = api("DELETE", "/nodes/pve1/qemu/102", json!({}));
    refused(&delete, "call_api", generic, &["`delete_guest`", "PROXMOX_DENY"]).await;
    let (kind, _) =
        fails(&delete.1, "plan_call", json!({ "tool": "delete_guest", "arguments": { "vmid": 102 } })).await;
    assert_eq!(kind, FailureKind::Refused);
    assert!(writes(&delete.0).is_empty());

    let read = deny(&["get_guest_config"]).await;
    let generic = api("GET", "/nodes/pve1/qemu/102/config", json!({}));
    let (kind, text) = fails(&read.1, "call_api", generic).await;
    assert_eq!(kind, FailureKind::Fenced, "{text}");
    // What another tool looks at on its way is not that tool.
    allowed(&read, "update_guest_config", json!({ "vmid": 102, "config": { "memory": "1024" } })).await;
}

#[tokio::test]
async fn a_denied_tool_is_denied_where_another_can_do_the_same() {
    let fenced = fenced(|flags| flags.deny = list(&["restore_backup"])).await;
    allowed(&fenced, "create_vm", json!({ "node": "pve1", "vmid": 300, "name": "new" })).await;
    let archive = "local:backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
    let restored = json!({ "node": "pve1", "vmid": 301, "name": "new", "options": { "archive": archive } });
    match call(&fenced.1, "create_vm", restored).await {
        Ok(answer) => panic!("{:?}", answer.content),
        Err(failure) => assert!(matches!(failure.kind(), FailureKind::Fenced | FailureKind::BadArguments), "{failure}"),
    }
    let generic = api("POST", "/nodes/pve1/qemu", json!({ "vmid": 301, "archive": archive }));
    refused(&fenced, "call_api", generic, &["`restore_backup`"]).await;
    assert_eq!(writes(&fenced.0), ["POST /nodes/pve1/qemu"]);
}

#[tokio::test]
async fn toolsets_are_denied_whole() {
    let set = proxmox_mcp::catalogue::surface("create_snapshot").expect("there").tool.toolset;
    let fenced = fenced(|flags| flags.deny = list(&[set])).await;
    let (kind, text) = fails(&fenced.1, "create_snapshot", json!({ "vmid": 102, "snapname": "before" })).await;
    assert_eq!(kind, FailureKind::Refused, "{text}");
    let generic = api("POST", "/nodes/pve1/qemu/102/snapshot", json!({ "snapname": "before" }));
    refused(&fenced, "call_api", generic, &[&format!("`{set}`"), "`create_snapshot`"]).await;
    allowed(&fenced, "start_guest", json!({ "vmid": 102 })).await;
}

#[tokio::test]
async fn only_allowed_tools_change_something() {
    let fenced = fenced(|flags| flags.fences.allow_tools = list(&["start_guest", "create-snapshot"])).await;
    allowed(&fenced, "start_guest", json!({ "vmid": 102 })).await;
    refused(&fenced, "stop_guest", json!({ "vmid": 102 }), &["(--allow-tools) is start_guest,create_snapshot"]).await;
    let stop = api("POST", "/nodes/pve1/qemu/102/status/stop", json!({}));
    refused(&fenced, "call_api", stop, &["--allow-tools"]).await;
    allowed(&fenced, "call_api", api("POST", "/nodes/pve1/qemu/102/snapshot", json!({ "snapname": "before" }))).await;
    ok(&fenced.1, "list_guests", json!({})).await;
}
