//! Counting: a text, a JSON value, a list of tools.

use proxmox_mcp::server::describe;
use proxmox_mcp::tool::Surface;
use serde_json::{Value, json};

/// Tokens of a JSON value as it is sent, without spaces.
pub fn tokens(value: &Value) -> usize {
    tiktoken_rs::o200k_base_singleton().count_ordinary(&value.to_string())
}

/// What a list of tools costs.
pub struct Listed {
    /// Name, description and input schema: what every client shows to its model.
    pub input: usize,
    /// The whole answer to `tools/list`, with titles, output schemas and annotations.
    pub whole: usize,
}

impl Listed {
    pub fn of(surfaces: &[&'static Surface]) -> Listed {
        let tools: Vec<Value> = surfaces
            .iter()
            .map(|surface| serde_json::to_value(describe(surface).expect("a schema")).expect("JSON"))
            .collect();
        let shown = |tool: &Value| json!({ "name": tool["name"], "description": tool["description"], "inputSchema": tool["inputSchema"] });
        Listed { input: tokens(&tools.iter().map(shown).collect()), whole: tokens(&json!({ "tools": tools })) }
    }
}
