//! The protocol: the built binary over pipes, every behaviour in both eras.

mod common;

use common::{Client, Era, text};
use serde_json::{Value, json};

#[test]
fn a_server_says_what_it_is() {
    for era in Era::BOTH {
        let mut client = Client::start(era, &["--sandbox"], &[]);
        let hello = client.open();
        let info = match era {
            Era::Handshake => {
                assert_eq!(hello["protocolVersion"], era.version());
                hello["serverInfo"].clone()
            }
            Era::Stateless => {
                let versions = hello["supportedVersions"].as_array().expect("versions");
                assert!(versions.contains(&json!(era.version())), "{hello}");
                hello["_meta"]["io.modelcontextprotocol/serverInfo"].clone()
            }
        };
        assert_eq!(info["name"], "proxmox-mcp-sandbox", "{hello}");
        assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
        assert!(hello["capabilities"]["tools"].is_object(), "{hello}");
        let instructions = hello["instructions"].as_str().expect("instructions");
        assert!(instructions.contains("sandbox") && instructions.contains("Tier read"), "{instructions}");
        assert!(instructions.split_whitespace().count() < 200, "{instructions}");
        assert!(client.end().status.success());
    }
}

#[test]
fn the_list_is_complete_and_always_the_same() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "admin", "--toolsets", "all"]);
        let first = client.request("tools/list", json!({}))["result"].clone();
        let again = client.request("tools/list", json!({}))["result"].clone();
        assert_eq!(first, again);
        if era == Era::Stateless {
            assert_eq!(first["cacheScope"], "private");
            assert!(first["ttlMs"].is_u64(), "{first}");
        }
        let tools = first["tools"].as_array().expect("tools");
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        let catalogue = proxmox_mcp::catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_none());
        assert_eq!(names, catalogue.map(|surface| surface.name).collect::<Vec<_>>());
        for tool in tools {
            let name = tool["name"].as_str().expect("a name");
            assert!(tool["title"].is_string() && tool["description"].is_string(), "{name}");
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
            assert_eq!(tool["outputSchema"]["type"], "object", "{name}");
            for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
                assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
            }
        }
    }
}

#[test]
fn a_server_offers_what_its_tier_permits() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let listed = client.request("tools/list", json!({}))["result"]["tools"].clone();
        let names: Vec<&str> =
            listed.as_array().expect("tools").iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert!(names.contains(&"get_cluster_status") && names.contains(&"list_guests"), "{names:?}");
        assert!(!names.contains(&"start_guest"), "{names:?}");
        for tool in listed.as_array().expect("tools") {
            assert_eq!(tool["annotations"]["readOnlyHint"], true, "{}", tool["name"]);
        }
    }
}

#[test]
fn a_result_is_in_both_forms() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let result = client.call("get_version", json!({}));
        assert_ne!(result["isError"], true, "{result}");
        let content = &result["structuredContent"];
        assert!(content["version"].as_str().is_some_and(|version| version.starts_with("9.")), "{result}");
        assert_eq!(result["content"].as_array().map(Vec::len), Some(1));
        assert_eq!(serde_json::from_str::<Value>(text(&result)).expect("JSON"), *content);
    }
}

#[test]
fn every_name_of_every_dialect_can_be_called() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let ours = client.call("list_nodes", json!({}));
        let theirs = client.call("proxmox_get_nodes", json!({}));
        assert_ne!(ours["isError"], true, "{ours}");
        assert_eq!(ours["structuredContent"]["total"], theirs["structuredContent"]["total"]);
    }
}

#[test]
fn a_dialect_lists_its_names_and_no_others() {
    let mut client = Client::sandbox(Era::Handshake, &["--dialect", "mcp-proxmox"]);
    let listed = client.request("tools/list", json!({}))["result"]["tools"].clone();
    let names: Vec<&str> = listed.as_array().expect("tools").iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.contains(&"proxmox_get_nodes") && !names.contains(&"list_nodes"), "{names:?}");
}

#[test]
fn an_unknown_tool_is_a_mistake_of_the_request() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let answer = client.request("tools/call", json!({"name": "get_versoin", "arguments": {}}));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("get_versoin") && message.contains("did you mean `get_version`"), "{message}");
    }
}

#[test]
fn a_wrong_argument_is_told_to_the_model() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let result = client.call("get_guest_status", json!({"vmdi": 100}));
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&result).contains("vmdi") && text(&result).contains("vmid"), "{result}");
    }
}

#[test]
fn what_is_above_the_tier_is_refused_whatever_its_arguments() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for arguments in [json!({"vmid": 102}), json!({"nonsense": true})] {
            let result = client.call("start_guest", arguments);
            assert_eq!(result["isError"], true, "{result}");
            assert!(text(&result).contains("PROXMOX_TIER=operate"), "{result}");
        }
    }
}

#[test]
fn progress_grows_and_comes_before_the_answer() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "operate"]);
        let id = client.begin("shutdown_guest", json!({"vmid": 100, "wait": 120}), "steps");
        let answer = client.answer(id);
        assert_eq!(answer["result"]["structuredContent"]["outcome"], "ok", "{answer}");
        let steps = client.notified("notifications/progress");
        assert!(!steps.is_empty(), "no progress came before the answer");
        let mut last = -1.0;
        for step in steps {
            assert_eq!(step["progressToken"], "steps");
            let now = step["progress"].as_f64().expect("a number");
            assert!(now > last, "{now} after {last}");
            last = now;
        }
    }
}

#[test]
fn without_a_token_there_is_no_progress() {
    let mut client = Client::sandbox(Era::Handshake, &["--tier", "operate"]);
    let result = client.call("start_guest", json!({"vmid": 102, "wait": 120}));
    assert_eq!(result["structuredContent"]["outcome"], "ok", "{result}");
    assert_eq!(client.notifications, Vec::<Value>::new());
}

#[test]
fn a_call_is_answered_after_the_input_has_ended() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &["--tier", "operate"]);
        let id = client.send(
            "tools/call",
            json!({"name": "create_backup", "arguments": {"vmid": 100, "storage": "backup-nas", "wait": 600}}),
        );
        let ended = client.end();
        assert!(ended.status.success(), "{}", ended.log);
        let answer = ended.answers.get(&id).expect("an answer");
        assert_eq!(answer["result"]["structuredContent"]["outcome"], "ok", "{answer}");
    }
}

#[test]
fn an_input_that_ends_at_once_is_no_error() {
    let ended = Client::start(Era::Handshake, &["--sandbox"], &[]).end();
    assert!(ended.status.success(), "{}", ended.log);
}

#[test]
fn the_log_goes_to_standard_error_and_holds_no_arguments() {
    for era in Era::BOTH {
        // That the output carries nothing but the protocol, the client checks with every line.
        let mut client = Client::start(era, &["--sandbox"], &[("LOG_LEVEL", "trace")]);
        client.open();
        let _ = client.call("get_version", json!({"password": "correct-horse"}));
        let ended = client.end();
        assert!(ended.log.contains("start") && ended.log.contains("get_version"), "{}", ended.log);
        assert!(!ended.log.contains("correct-horse"), "{}", ended.log);
    }
}
