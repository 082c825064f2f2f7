//! From a call to the requests it would send, without a network.

use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Given, prepare_with};
use proxmox_mcp::tool::Kind;
use serde_json::{Value, json};

fn sends(tool: &str, arguments: Value, given: &Given) -> Vec<String> {
    let surface = catalogue::surface(tool).unwrap_or_else(|| panic!("no tool {tool}"));
    let mut fields = Fields::new(surface, arguments.as_object());
    let plan = (surface.tool.plan)(&mut fields).unwrap_or_else(|bad| panic!("{bad}"));
    let requests = prepare_with(&plan, given).unwrap_or_else(|failure| panic!("{failure}"));
    requests.iter().map(ToString::to_string).collect()
}

fn guest(kind: Kind, node: &str) -> Given {
    Given { kind: Some(kind), node: Some(node.to_owned()), ..Given::default() }
}

#[test]
fn what_was_looked_up_stands_in_the_path() {
    let arguments = json!({"vmid": 100, "timeout": 60, "forceStop": true});
    assert_eq!(
        sends("shutdown_guest", arguments, &guest(Kind::Qemu, "pve1")),
        ["POST /nodes/pve1/qemu/100/status/shutdown timeout=60 forceStop=1"]
    );
    let named = Given { vmid: Some(202), ..guest(Kind::Lxc, "pve2") };
    assert_eq!(sends("start_guest", json!({"vmid": "wiki"}), &named), ["POST /nodes/pve2/lxc/202/status/start"]);
}

#[test]
fn what_the_cluster_says_stands_in_the_parameters() {
    let given = Given { nextid: Some("103".to_owned()), ..guest(Kind::Lxc, "pve2") };
    assert_eq!(
        sends("clone_guest", json!({"vmid": 202, "name": "wiki-copy"}), &given),
        ["POST /nodes/pve2/lxc/202/clone newid=103 hostname=wiki-copy full=1"]
    );
    let running = |running| Given { running: Some(running), ..guest(Kind::Lxc, "pve3") };
    let moves = |given: &Given| sends("migrate_guest", json!({"vmid": 201, "target": "pve2"}), given);
    assert_eq!(moves(&running(true)), ["POST /nodes/pve3/lxc/201/migrate target=pve2 restart=1"]);
    assert_eq!(moves(&running(false)), ["POST /nodes/pve3/lxc/201/migrate target=pve2"]);
}

#[test]
fn guards_are_read_first_and_further_reads_last() {
    let given = Given { digest: Some("5f3c".to_owned()), ..guest(Kind::Lxc, "pve1") };
    assert_eq!(
        sends("update_guest_config", json!({"vmid": 200, "config": {"memory": 1024}}), &given),
        ["GET /nodes/pve1/lxc/200/config", "PUT /nodes/pve1/lxc/200/config memory=1024 digest=5f3c"]
    );
    assert_eq!(
        sends("get_cluster_status", json!({}), &Given::default()),
        ["GET /cluster/status", "GET /cluster/resources type=node"]
    );
}

#[test]
fn secrets_are_not_shown() {
    let given = Given { nextid: Some("103".to_owned()), ..Given::default() };
    let arguments = json!({
        "node": "pve1", "storage": "local-lvm", "ostemplate": "local:vztmpl/a.tar.zst", "password": "hunter2",
        "hostname": "two"
    });
    let sent = sends("create_container", arguments, &given).join("\n");
    assert!(sent.contains("password=***") && !sent.contains("hunter2"), "{sent}");
}
