//! Reading a resource is calling its tool: the same answer, the same gates.

use crate::common::{Client, Era};
use crate::{each, not_found, ok, refused};
use serde_json::{Value, json};

fn read(client: &mut Client, uri: &str) -> Value {
    let result = ok(client, "resources/read", json!({"uri": uri}));
    let contents = &result["contents"][0];
    assert_eq!(contents["uri"], uri);
    assert_eq!(contents["mimeType"], "application/json");
    serde_json::from_str(contents["text"].as_str().expect("text")).expect("JSON")
}

#[test]
fn fixed_ones_are_listed_and_the_others_are_templates() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let fixed = ok(&mut client, "resources/list", json!({}))["resources"].clone();
        assert!(each(&fixed, "uri").contains(&"proxmox://cluster"), "{fixed}");
        let templates = ok(&mut client, "resources/templates/list", json!({}))["resourceTemplates"].clone();
        let uris = each(&templates, "uriTemplate");
        for uri in [
            "proxmox://node/{node}",
            "proxmox://node/{node}/storage/{storage}",
            "proxmox://guest/{guest}",
            "proxmox://task/{upid}",
            "proxmox://task/{upid}/log",
        ] {
            assert!(uris.contains(&uri), "{uri}: {uris:?}");
        }
        for row in fixed.as_array().expect("rows").iter().chain(templates.as_array().expect("rows")) {
            for field in ["name", "title", "description", "mimeType"] {
                assert!(row[field].is_string(), "{field}: {row}");
            }
        }
    }
}

#[test]
fn a_resource_is_the_answer_of_its_tool() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for uri in each(&ok(&mut client, "resources/list", json!({}))["resources"], "uri") {
            assert!(read(&mut client, uri).is_object(), "{uri}");
        }
        // Beside the use of the nodes, which grows from call to call.
        let nodes = read(&mut client, "proxmox://cluster")["nodes"].clone();
        assert_eq!(nodes, client.call("get_cluster_status", json!({}))["structuredContent"]["nodes"]);
        assert_eq!(read(&mut client, "proxmox://guest/100")["vmid"], 100);
        // By name, and percent-encoded where nothing needs it.
        assert_eq!(read(&mut client, "proxmox://guest/%31%300")["vmid"], 100);
        let config = read(&mut client, "proxmox://guest/100/config");
        assert_eq!(config, client.call("get_guest_config", json!({"vmid": 100}))["structuredContent"]);
        assert!(read(&mut client, "proxmox://node/pve1/storage/local")["volumes"].is_array());
    }
}

#[test]
fn a_task_and_its_log_can_be_read() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "operate"]);
        let started = client.call("start_guest", json!({"vmid": 102, "wait": 120}))["structuredContent"].clone();
        let upid = started["upid"].as_str().expect("a task").replace('@', "%40");
        assert_eq!(read(&mut client, &format!("proxmox://task/{upid}"))["status"], "stopped");
        assert!(read(&mut client, &format!("proxmox://task/{upid}/log"))["lines"].is_array());
    }
}

#[test]
fn what_is_not_there_is_told_as_the_era_tells_it() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for uri in ["proxmox://nodes/pve1", "proxmox://guest/", "https://pve1/", "", "proxmox://guest/100/config/x"] {
            let (code, says) = refused(&mut client, "resources/read", json!({"uri": uri}));
            assert_eq!(code, not_found(era), "{uri}: {says}");
            assert!(says.contains("resources/templates/list"), "{says}");
        }
        let (code, says) = refused(&mut client, "resources/read", json!({"uri": "proxmox://guest/999"}));
        assert_eq!(code, not_found(era), "{says}");
        assert!(says.contains("999"), "{says}");
    }
}

#[test]
fn a_value_of_a_uri_is_checked_like_an_argument() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for uri in
            ["proxmox://node/pve1%2F..%2Fpve2", "proxmox://node/%2E%2E", "proxmox://node/%FF", "proxmox://task/x"]
        {
            let (code, says) = refused(&mut client, "resources/read", json!({"uri": uri}));
            assert!(code == -32602 || code == not_found(era), "{uri}: {code} {says}");
        }
    }
}

#[test]
fn a_tool_that_was_removed_takes_its_resources_along() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--deny", "proxmox_task_log,list_guests"]);
        let fixed = ok(&mut client, "resources/list", json!({}))["resources"].clone();
        assert!(!each(&fixed, "uri").contains(&"proxmox://guests"), "{fixed}");
        let templates = ok(&mut client, "resources/templates/list", json!({}))["resourceTemplates"].clone();
        assert!(!each(&templates, "uriTemplate").contains(&"proxmox://task/{upid}/log"), "{templates}");
        let (code, _) = refused(&mut client, "resources/read", json!({"uri": "proxmox://guests"}));
        assert_eq!(code, not_found(era));
    }
}
