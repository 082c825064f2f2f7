//! Completion knows the names that there are, of every kind, and is silent about what may not be read.

use crate::common::{Client, Era};
use crate::{ok, refused};
use serde_json::{Value, json};

fn prompt(client: &mut Client, name: &str, argument: &str, typed: &str, context: Value) -> Value {
    let params = json!({
        "ref": {"type": "ref/prompt", "name": name},
        "argument": {"name": argument, "value": typed},
        "context": {"arguments": context},
    });
    ok(client, "completion/complete", params)["completion"].clone()
}

fn resource(client: &mut Client, uri: &str, argument: &str, typed: &str, context: Value) -> Value {
    let params = json!({
        "ref": {"type": "ref/resource", "uri": uri},
        "argument": {"name": argument, "value": typed},
        "context": {"arguments": context},
    });
    ok(client, "completion/complete", params)["completion"].clone()
}

fn values(completion: &Value) -> Vec<&str> {
    completion["values"].as_array().expect("values").iter().filter_map(Value::as_str).collect()
}

#[test]
fn every_kind_of_name_is_completed() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "admin"]);
        let none = json!({});
        let nodes = resource(&mut client, "proxmox://node/{node}", "node", "PVE", none.clone());
        assert!(values(&nodes).contains(&"pve1"), "{nodes}");
        assert_eq!(nodes["hasMore"], false);
        assert_eq!(nodes["total"], values(&nodes).len());
        let guests = resource(&mut client, "proxmox://guest/{guest}", "guest", "10", none.clone());
        assert!(values(&guests).contains(&"100"), "{guests}");
        let named = resource(&mut client, "proxmox://guest/{guest}", "guest", "web", none.clone());
        assert!(!values(&named).is_empty(), "by name: {named}");
        let storages = prompt(&mut client, "deploy_vm", "storage", "loc", json!({"node": "pve1"}));
        assert!(values(&storages).contains(&"local"), "{storages}");
        let on_node = json!({"node": "pve1", "storage": "local"});
        let images = prompt(&mut client, "deploy_vm", "iso", "", on_node.clone());
        assert!(values(&images).iter().all(|volid| volid.starts_with("local:iso/")), "{images}");
        assert!(!values(&images).is_empty(), "{images}");
        let templates = prompt(&mut client, "deploy_container", "template", "", on_node);
        assert!(values(&templates).iter().all(|volid| volid.starts_with("local:vztmpl/")), "{templates}");
        let bridges = prompt(&mut client, "deploy_vm", "bridge", "", json!({"node": "pve1"}));
        assert!(values(&bridges).contains(&"vmbr0"), "{bridges}");
        let pools = prompt(&mut client, "capacity", "pool", "", none.clone());
        assert!(pools["values"].is_array(), "{pools}");
        let (snapshots, guest) = ("proxmox://guest/{guest}/snapshots/{snapshot}", json!({"guest": "100"}));
        let _ = client.call("create_snapshot", json!({"vmid": 100, "snapname": "before-test", "wait": 120}));
        let found = resource(&mut client, snapshots, "snapshot", "before-t", guest);
        assert_eq!(values(&found), ["before-test"], "{found}");
        let tasks = resource(&mut client, "proxmox://task/{upid}", "upid", "UPID:pve1", none);
        assert!(values(&tasks).iter().any(|upid| upid.contains(":qmsnapshot:100:")), "{tasks}");
    }
}

#[test]
fn without_what_it_hangs_on_there_is_nothing_and_no_error() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "admin"]);
        for context in
            [json!({}), json!({"node": "../..", "storage": "local"}), json!({"node": "pve9", "storage": "x"})]
        {
            let images = prompt(&mut client, "deploy_vm", "iso", "", context);
            assert_eq!(images, json!({"values": [], "total": 0, "hasMore": false}));
        }
        // No kind: any text is one.
        assert_eq!(values(&prompt(&mut client, "deploy_vm", "name", "w", json!({}))), Vec::<&str>::new());
    }
}

#[test]
fn what_does_not_exist_cannot_be_completed() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for (of, argument) in [
            (json!({"type": "ref/prompt", "name": "deploy_vm"}), "node"),
            (json!({"type": "ref/prompt", "name": "capacity"}), "node"),
            (json!({"type": "ref/resource", "uri": "proxmox://nodes/{node}"}), "node"),
            (json!({"type": "ref/resource", "uri": "proxmox://node/{node}"}), "vmid"),
        ] {
            let params = json!({"ref": of, "argument": {"name": argument, "value": ""}});
            assert_eq!(refused(&mut client, "completion/complete", params).0, -32602);
        }
    }
}

#[test]
fn what_was_removed_is_not_read_for_completion_either() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--deny", "list_nodes,list_guests"]);
        let nodes = resource(&mut client, "proxmox://node/{node}", "node", "", json!({}));
        assert_eq!(values(&nodes), Vec::<&str>::new());
    }
}

#[test]
fn a_failing_read_has_no_names() {
    for era in Era::BOTH {
        // Nobody listens there.
        let settings = [
            ("PROXMOX_HOST", "127.0.0.1:1"),
            ("PROXMOX_TOKEN_NAME", "mcp@pve!mcp"),
            ("PROXMOX_TOKEN_VALUE", "12345678-1234-1234-1234-123456789abc"),
            ("PROXMOX_RETRY_ATTEMPTS", "0"),
        ];
        let mut client = Client::start(era, &[], &settings);
        client.open();
        let nodes = resource(&mut client, "proxmox://node/{node}", "node", "", json!({}));
        assert_eq!(values(&nodes), Vec::<&str>::new());
        let (_, says) = refused(&mut client, "resources/read", json!({"uri": "proxmox://cluster"}));
        assert!(says.contains("127.0.0.1"), "{says}");
    }
}
