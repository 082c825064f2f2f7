//! `catalogue.json`: every tool, name and schema for programs that read the reference.

use super::privileges;
use crate::catalogue::*;
use crate::emit::{schema, surfaces};
use proxmox_spec::{Effect, Verb};
use serde_json::{Value as Json, json};

/// The catalogue as JSON text.
pub fn catalogue(catalogue: &Catalogue) -> String {
    let toolsets: Vec<Json> = catalogue
        .toolsets
        .iter()
        .map(|set| {
            let tools: Vec<&str> = set.tools.iter().map(|tool| tool.name.as_str()).collect();
            json!({ "name": set.name, "title": set.title, "description": set.doc, "tools": tools })
        })
        .collect();
    let dialects: Vec<Json> =
        catalogue.dialects.iter().map(|dialect| json!({ "name": dialect.name, "title": dialect.title })).collect();
    let tools: Vec<Json> =
        catalogue.toolsets.iter().flat_map(|set| set.tools.iter().map(|one| tool(catalogue, set, one))).collect();
    let whole = json!({
        "catalogue": 1,
        // All crates of the workspace have the same version.
        "version": env!("CARGO_PKG_VERSION"),
        "toolsets": toolsets,
        "dialects": dialects,
        "tools": tools,
    });
    format!("{whole:#}\n")
}

fn tool(catalogue: &Catalogue, set: &Toolset, tool: &Tool) -> Json {
    let endpoints: Vec<Json> = tool.routes.iter().map(endpoint).collect();
    let names: Vec<Json> = tool.names.iter().map(|name| self::name(catalogue, tool, name)).collect();
    let unsupported: serde_json::Map<String, Json> =
        tool.unsupported.iter().map(|(kind, why)| (kind.as_str().to_owned(), json!(why))).collect();
    let examples: Vec<Json> = (1..)
        .zip(&tool.examples)
        .map(|(number, example): (usize, _)| {
            json!({
                "arguments": example.args,
                "given": example.given,
                "sends": example.sends,
                "response": format!("responses/{}_{number}.json", tool.name),
            })
        })
        .collect();
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.doc,
        "toolset": set.name,
        "core": tool.core,
        "tier": tool.tier.as_str(),
        "effect": tool.effect.as_str(),
        "because": tool.because,
        "annotations": annotations(tool),
        "inputSchema": schema::input(tool, None),
        "outputSchema": schema::output(catalogue, tool),
        "endpoints": endpoints,
        "unsupported": unsupported,
        "names": names,
        "examples": examples,
    })
}

fn endpoint(route: &Route) -> Json {
    let method = route.request.method;
    let when = route.when.as_ref().map(|(argument, when)| match when {
        When::Given => json!({ argument: "given" }),
        When::Absent => json!({ argument: "absent" }),
        When::Is(value) => json!({ argument: value }),
    });
    json!({
        "kind": route.kind.map(Kind::as_str),
        "when": when,
        "method": method.verb.as_str(),
        "path": method.path,
        "since": method.since,
        "privileges": privileges::names(method).collect::<Vec<_>>(),
    })
}

fn name(catalogue: &Catalogue, tool: &Tool, name: &Name) -> Json {
    json!({
        "dialect": name.dialect,
        "name": name.name,
        "title": name.title.as_ref().unwrap_or(&tool.title),
        "description": surfaces::description(catalogue, tool, Some(name)),
        "inputSchema": schema::input(tool, Some(name)),
    })
}

/// The four hints of the protocol, by the rule by which the server makes them.
fn annotations(tool: &Tool) -> Json {
    let reads = tool.most() == Effect::None && tool.routes.iter().all(|route| route.request.method.verb == Verb::Get);
    json!({
        "readOnlyHint": reads,
        "destructiveHint": tool.most() >= Effect::Interrupts,
        "idempotentHint": reads,
        "openWorldHint": false,
    })
}
