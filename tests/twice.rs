//! Nothing is sent twice in one request: what a tool sends by itself has no second way in through its other options.

use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Given, prepare_with};
use proxmox_mcp::tool::Kind;
use serde_json::{Value, json};

/// What a call would send, or why it would not.
fn sends(tool: &str, arguments: &Value) -> Result<String, String> {
    let surface = catalogue::surface(tool).expect("a tool");
    let mut fields = Fields::new(surface, arguments.as_object());
    let plan = (surface.tool.plan)(&mut fields).map_err(|bad| bad.to_string())?;
    let given = Given {
        node: Some("pve1".to_owned()),
        kind: Some(Kind::Qemu),
        nextid: Some("103".to_owned()),
        digest: Some("5f3c".to_owned()),
        ..Given::default()
    };
    let requests = prepare_with(&plan, &given).map_err(|failure| failure.to_string())?;
    Ok(requests.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_argument_of_the_tool_is_none_of_its_options() {
    for (tool, arguments, named) in [
        ("create_vm", json!({"node": "pve1", "options": {"vmid": 150}}), "`vmid`"),
        (
            "create_container",
            json!({"node": "pve1", "ostemplate": "local:vztmpl/a.tar.zst", "storage": "local-lvm", "options": {"unprivileged": 0}}),
            "`unprivileged`",
        ),
        ("update_guest_config", json!({"vmid": 100, "config": {"delete": "description"}}), "`delete`"),
        ("update_guest_config", json!({"vmid": 100, "config": {"digest": "5f3c"}}), "`digest`"),
    ] {
        let refusal = sends(tool, &arguments).expect_err("refused");
        assert!(refusal.contains("argument") && refusal.contains(named), "{refusal}");
    }
}

#[test]
fn a_disk_comes_from_the_arguments_or_from_the_options() {
    let both = json!({"node": "pve1", "storage": "local-lvm", "options": {"scsi0": "local-lvm:8"}});
    let refusal = sends("create_vm", &both).expect_err("refused");
    assert!(refusal.contains("scsi0") && refusal.contains("one of the two"), "{refusal}");
    let one = json!({"node": "pve1", "options": {"scsi0": "local-lvm:0,import-from=local:import/a.qcow2"}});
    let sent = sends("create_vm", &one).expect("sent");
    assert_eq!(sent.matches("scsi0=").count(), 1, "{sent}");
}

#[test]
fn notes_stay_as_written_whatever_braces_they_have() {
    for notes in ["{{guestname}}", "{{{vmid}}}", "a {{{{ b"] {
        let arguments = json!({"vmid": 100, "storage": "backup-nas", "notes": notes});
        let sent = sends("create_backup", &arguments).expect("sent");
        assert!(!sent.contains("{{"), "{sent}");
    }
}
