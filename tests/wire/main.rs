//! The client on the wire, against a server that says whatever a test wants: bytes as they leave, faults of every kind,
//! and what a call makes of them.

#[path = "../common/mod.rs"]
mod common;

#[path = "../common/engine.rs"]
mod calls;

mod answers;
mod bytes;
mod faults;
mod lookups;
mod odd;
mod paths;
mod process;
mod server;
mod tasks;
mod tls;
mod writes;

use calls::{call, fails, has, ok, watched};
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Answer, Engine, Failure, FailureKind, Watch};
use proxmox_mcp::settings::{Flags, Settings};
use serde_json::{Value, json};
use server::{Say, Seen, Server};

const SECRET: &str = "5ca1ab1e-0000-4000-8000-c0ffeec0ffee";
const UPID: &str = "UPID:pve1:000003E8:00001B58:6B011FBD:qmstart:100:root@pam!mcp:";

/// Settings as somebody would write them.
fn flags(server: &Server) -> Flags {
    let some = |text: &str| Some(text.to_owned());
    Flags {
        host: Some(server.address.to_string()),
        token_name: some("root@pam!mcp"),
        fingerprint: Some(server.fingerprint()),
        tier: some("admin"),
        retry_delay: some("0"),
        confirm: some("off"),
        ..Flags::default()
    }
}

fn settings(flags: &Flags) -> Settings {
    Settings::from(flags, &|name| (name == "PROXMOX_TOKEN_VALUE").then(|| SECRET.to_owned())).expect("complete")
}

fn engine(server: &Server) -> Engine {
    Engine::new(settings(&flags(server)))
}

/// A write whose outcome is unknown: its text.
async fn unknown(engine: &Engine, tool: &str, arguments: Value) -> String {
    let answer = call(engine, tool, arguments).await.unwrap_or_else(|failure| panic!("{tool}: {failure}"));
    assert_eq!(answer.content["outcome"], "unknown", "{:?}", answer.content);
    assert!(answer.failed);
    answer.text.unwrap_or_default()
}

/// A small cluster where everything goes well.
fn usual(seen: &Seen) -> Say {
    let guests = json!([
        {"vmid": 100, "type": "qemu", "node": "pve1", "name": "web", "status": "running"},
        {"vmid": "200", "type": "lxc", "node": "pve2", "name": "dns", "status": "stopped"},
    ]);
    let path = seen.path();
    let ends = |end: &str| path.ends_with(end);
    Say::Data(match seen.verb.as_str() {
        "GET" if path == "/cluster/resources" => guests,
        "GET" if path == "/cluster/nextid" => json!("105"),
        "GET" if path == "/nodes" => {
            json!([{"node": "pve1", "status": "online"}, {"node": "pve2", "status": "offline"}])
        }
        "GET" if path == "/version" => json!({"version": "9.2.11", "release": "9.2", "repoid": "1"}),
        "GET" if path.contains("/tasks/") && ends("/status") => json!({"status": "stopped", "exitstatus": "OK"}),
        "GET" if ends("/time") => json!({"time": 1_795_000_000}),
        "GET" if ends("/tasks") || ends("/content") || ends("/log") => json!([]),
        "GET" if ends("/config") => json!({"digest": "0123456789abcdef0123456789abcdef01234567", "cores": 2}),
        "GET" if path.contains("/firewall/rules/") => json!({"pos": 0, "action": "ACCEPT", "digest": "d1"}),
        "GET" => json!({}),
        _ if path.contains("/firewall/") || (seen.verb == "PUT" && ends("/config")) => Value::Null,
        _ => json!(UPID),
    })
}
