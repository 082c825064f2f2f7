//! Counting: a JSON value, a list of tools; and texts to count.

use proxmox_mcp::clusters::Clusters;
use proxmox_mcp::engine::Engine;
use proxmox_mcp::server::Server;
use proxmox_mcp::settings::{Flags, Settings};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// Tokens of a JSON value as it is sent, without spaces.
pub fn tokens(value: &Value) -> usize {
    tiktoken_rs::o200k_base_singleton().count_ordinary(&value.to_string())
}

/// The tools that a server lists that was started like this.
pub fn listed(tier: &str, toolsets: &[&str], dialect: Option<&str>) -> Vec<Value> {
    let flags = Flags {
        tier: Some(tier.to_owned()),
        toolsets: toolsets.iter().map(|name| (*name).to_owned()).collect(),
        dialect: dialect.map(str::to_owned),
        ..Flags::default()
    };
    let server = Server::new(Clusters::one(Arc::new(Engine::new(Settings::limits(&flags).expect("good settings")))));
    server.tools().iter().map(|tool| serde_json::to_value(tool).expect("JSON")).collect()
}

/// Tokens of names, descriptions and input schemas: what every client shows to its model.
pub fn input(tools: &[Value]) -> usize {
    let shown = |tool: &Value| json!({ "name": tool["name"], "description": tool["description"], "inputSchema": tool["inputSchema"] });
    tools.iter().map(|tool| tokens(&shown(tool))).sum()
}

/// Tokens of the whole answer to `tools/list`.
pub fn whole(tools: &[Value]) -> usize {
    tokens(&json!({ "tools": tools }))
}

/// The recorded answers, and texts of other sorts, by name.
pub fn samples() -> Vec<(String, Value)> {
    let mut samples = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/responses");
    for entry in std::fs::read_dir(folder).expect("the recorded answers") {
        let file = entry.expect("readable").path();
        let text = std::fs::read_to_string(&file).expect("readable");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        samples.push((name, serde_json::from_str(&text).expect("JSON")));
    }
    let spread = |id: u64| id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let upid =
        |id: u64| format!("UPID:pve1:{:08X}:{:08X}:6AE583E0:qmstart:{id}:root@pam:", 4_128 + id, spread(id) >> 32);
    let mut add = |name: &str, value: Value| samples.push((name.to_owned(), value));
    add("task ids", (0..200).map(|id| json!({ "upid": upid(id), "starttime": 1_763_712_345 + id * 61 })).collect());
    add("numbers", (0..200).map(|id| json!([id, spread(id) >> 24, 0.012_345_6 * id as f64])).collect());
    add("hexadecimal", json!((0..100).map(|id| format!("{:016x}", spread(id))).collect::<String>()));
    add("a log", json!("INFO: 34% (11.0 GiB of 32.0 GiB) in 1m 3s, read: 177.8 MiB/s\n".repeat(50)));
    add("German", json!("Die Sicherung schlug fehl, weil auf dem Speicher für Abbilder kein Platz war. ".repeat(30)));
    add("Chinese", json!("虚拟机备份失败。存储空间不足，请检查日志。".repeat(30)));
    add("pictures", json!("🚀🔥✅❌ ".repeat(50)));
    add("line breaks", json!(" \n".repeat(200)));
    samples
}
