//! search_api and describe_api: their answers, and over the built binary.

use crate::calls::{fails, has, ok};
use crate::common::{Client, Era};
use proxmox_mcp::engine::{Engine, FailureKind};
use proxmox_mcp::settings::{Flags, Settings};
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

async fn start() -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let settings =
        Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
            .expect("complete settings");
    (sandbox, Engine::new(settings))
}

async fn described(engine: &Engine, method: &str, path: &str) -> Value {
    ok(engine, "describe_api", json!({"method": method, "path": path})).await
}

#[tokio::test]
async fn a_find_says_what_it_needs_and_which_tool_does_it() {
    let (_sandbox, engine) = start().await;
    let found = ok(&engine, "search_api", json!({"query": "grow a disk"})).await;
    let first = &found["methods"][0];
    assert_eq!(first["method"], "PUT");
    assert_eq!(first["path"], "/nodes/{node}/qemu/{vmid}/resize");
    assert_eq!(first["tool"], "resize_disk");
    assert_eq!(first["also"], json!(["PUT /nodes/{node}/lxc/{vmid}/resize"]));
    assert_eq!((&first["tier"], &first["effect"]), (&json!("configure"), &json!("changes")));
    let two = ok(&engine, "search_api", json!({"query": "grow a disk", "limit": 2})).await;
    assert_eq!(two["methods"].as_array().map(Vec::len), Some(2));
    let none = ok(&engine, "search_api", json!({"query": "qqqqzzzz"})).await;
    assert_eq!(none["methods"], json!([]));
    has(&none["notes"].to_string(), &["other words"]);
}

#[tokio::test]
async fn a_request_must_say_something() {
    let (_sandbox, engine) = start().await;
    for (arguments, says) in [
        (json!({}), "query"),
        (json!({"query": "  "}), "is empty"),
        (json!({"query": "grow ".repeat(200)}), "longer than"),
        (json!({"query": "grow a disk", "limit": 0}), "limit"),
    ] {
        let (kind, text) = fails(&engine, "search_api", arguments).await;
        assert_eq!(kind, FailureKind::BadArguments);
        has(&text, &[says]);
    }
}

#[tokio::test]
async fn a_method_is_described_by_its_template_and_by_a_real_path() {
    let (_sandbox, engine) = start().await;
    let template = described(&engine, "PUT", "/nodes/{node}/qemu/{vmid}/resize").await;
    assert_eq!(described(&engine, "PUT", "/nodes/pve1/qemu/100/resize").await, template);
    assert_eq!(described(&engine, "PUT", "api2/json/nodes/pve1/qemu/100/resize/").await, template);
    assert_eq!(template["title"], "Grow a disk of a virtual machine");
    assert_eq!(template["privileges"], "`VM.Config.Disk` on `/vms/{vmid}`");
    assert_eq!(template["returns"], "the id of a task");
    let disk = template["params"]["disk"].as_str().expect("a text");
    has(disk, &["required", "scsi0 … scsi30", "virtio0 … virtio15"]);
    has(template["params"]["skiplock"].as_str().expect("a text"), &["root@pam only"]);
}

#[tokio::test]
async fn a_wrong_path_tells_the_near_ones_and_a_wrong_method_those_that_exist() {
    let (_sandbox, engine) = start().await;
    for (method, path, says) in [
        ("GET", "/nodes/{node}/qemu/{vmid}/resize", vec!["has no GET", "it has PUT"]),
        ("PUT", "/nodes/{node}/qemu/{vmid}/resise", vec!["not a path of the API", "/nodes/{node}/qemu/{vmid}/resize"]),
        ("GET", "/nowhere", vec!["not a path of the API"]),
    ] {
        let (kind, text) = fails(&engine, "describe_api", json!({"method": method, "path": path})).await;
        assert_eq!(kind, FailureKind::BadArguments);
        has(&text, &says);
    }
    let wrong = json!({"method": "POST", "path": "/nodes/{node}/qemu", "param": ["memori"]});
    let (_, text) = fails(&engine, "describe_api", wrong).await;
    has(&text, &["does not have", "`memory`"]);
}

#[tokio::test]
async fn a_long_method_names_its_parameters_and_tells_more_when_asked() {
    let (_sandbox, engine) = start().await;
    let whole = described(&engine, "POST", "/nodes/{node}/qemu").await;
    let named = whole["optional"].as_str().expect("names");
    has(named, &["net0 … net31", "memory", "scsi0 … scsi30"]);
    assert!(whole["params"]["node"].is_string() && whole["params"]["net[n]"].is_null(), "{whole}");
    for name in ["net0", "net", "net[n]"] {
        let asked = json!({"method": "POST", "path": "/nodes/{node}/qemu", "param": [name, "agent"]});
        let parts = ok(&engine, "describe_api", asked).await;
        has(parts["params"]["net[n].tag"].as_str().expect("a text"), &["1 to 4094"]);
        has(parts["params"]["net[n].…"].as_str().expect("a text"), &["model", "macaddr", "virtio"]);
        assert!(parts["params"]["agent.enabled"].is_string(), "{parts}");
    }
}

#[tokio::test]
async fn what_call_api_cannot_do_is_said_before() {
    let (_sandbox, engine) = start().await;
    for (method, path) in [
        ("POST", "/nodes/{node}/storage/{storage}/upload"),
        ("POST", "/nodes/{node}/qemu/{vmid}/vncproxy"),
        ("POST", "/access/users/{userid}/token/{tokenid}"),
    ] {
        assert!(described(&engine, method, path).await["impossible"].is_string(), "{method} {path}");
    }
    assert!(described(&engine, "GET", "/version").await["impossible"].is_null());
}

/// Every method fits, its hundred parameters too; so does every parameter that is asked for.
#[tokio::test]
async fn no_description_takes_more_than_2000_tokens() {
    let (_sandbox, engine) = start().await;
    let tokens = |answer: &Value| tiktoken_rs::o200k_base_singleton().count_ordinary(&answer.to_string());
    let mut most = (0, String::new());
    for method in proxmox_spec::methods() {
        let (verb, path) = (method.verb.as_str(), method.path);
        let answer = described(&engine, verb, path).await;
        let verdict = method.verdict();
        assert_eq!(
            (answer["tier"].as_str(), answer["effect"].as_str()),
            (Some(verdict.tier.as_str()), Some(verdict.effect.as_str()))
        );
        most = most.max((tokens(&answer), format!("{verb} {path}")));
        for param in method.params.iter().filter(|param| !param.keys.is_empty()) {
            let asked = json!({"method": verb, "path": path, "param": [param.name]});
            let answer = ok(&engine, "describe_api", asked).await;
            most = most.max((tokens(&answer), format!("{verb} {path} {}", param.name)));
        }
    }
    println!("{most:?}");
    assert!(most.0 <= 2000, "{most:?}");
}

#[test]
fn both_answer_over_the_wire() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        let found = client.call("search_api", json!({"query": "who can log in"}));
        assert_eq!(found["structuredContent"]["methods"][0]["path"], "/access/users", "{found}");
        let told = client.call("describe_api", json!({"method": "GET", "path": "/access/users"}));
        assert_eq!(told["structuredContent"]["title"], "List the users", "{told}");
        let wrong = client.call("describe_api", json!({"method": "GET", "path": "/access/userz"}));
        assert_eq!(wrong["isError"], true, "{wrong}");
        assert!(client.end().status.success());
    }
}
