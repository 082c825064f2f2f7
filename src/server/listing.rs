//! A surface of the catalogue as the protocol lists it.

use crate::tool::{Effect, Surface, Verb};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use std::sync::Arc;

/// The tool as listed. `None` when its schema is not a JSON object, which the build rules out.
pub fn describe(surface: &'static Surface) -> Option<Tool> {
    let input = schema(surface, surface.input_schema)?;
    let output = schema(surface, surface.tool.output_schema)?;
    Some(
        Tool::new(surface.name, surface.description, input)
            .with_title(surface.title)
            .with_raw_output_schema(output)
            .with_annotations(annotations(surface)),
    )
}

/// All four hints, from what the catalogue says the tool does: clients take a missing one for the worst.
pub fn annotations(surface: &Surface) -> ToolAnnotations {
    let tool = surface.tool;
    let reads = tool.most == Effect::None && tool.routes.iter().all(|route| route.verb == Verb::Get);
    ToolAnnotations::new()
        .read_only(reads)
        // Some call of it can cost somebody running work or stored data.
        .destructive(tool.most >= Effect::Interrupts)
        // A repeated write is never promised to be harmless: sizes grow, positions shift, tasks run twice.
        .idempotent(reads)
        // One cluster, whose objects the server can list.
        .open_world(false)
}

/// The tool on a server that lets nothing but reads out.
pub fn looking(tool: Tool) -> Tool {
    let hints = ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false);
    tool.with_annotations(hints)
}

fn schema(surface: &Surface, text: &str) -> Option<Arc<JsonObject>> {
    match serde_json::from_str::<JsonObject>(text) {
        Ok(object) => Some(Arc::new(object)),
        Err(error) => {
            tracing::error!(tool = surface.name, %error, "left out of the list: its schema is not a JSON object");
            None
        }
    }
}
