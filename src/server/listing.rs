//! A surface of the catalogue as the protocol lists it: on one cluster, or with a word for which of several.

use crate::catalogue;
use crate::clusters::{ARGUMENT, Clusters};
use crate::engine::{Engine, clean};
use crate::tool::{Effect, Surface, Verb};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the list says of one cluster, in characters: it is said with every tool.
const LONGEST: usize = 60;

/// What these clusters list: what at least one of them lists, in catalogue order.
pub(super) fn listed(clusters: &Clusters) -> Vec<Tool> {
    let dialect = clusters.first().settings().dialect;
    let of_dialect = catalogue::SURFACES.iter().filter(|surface| surface.dialect == dialect);
    of_dialect.filter_map(|surface| one(clusters, surface)).collect()
}

fn one(clusters: &Clusters, surface: &'static Surface) -> Option<Tool> {
    let may = |one: &&Engine| one.access().check(surface).is_ok() && !one.hides(surface.tool);
    let open: Vec<&Engine> = clusters.all().map(Arc::as_ref).filter(may).collect();
    if !open.iter().any(|one| one.settings().toolsets.list(surface, one.access())) {
        return None;
    }
    let tool = describe(surface)?;
    // Where nothing can be changed, a tool that could change something only looks.
    let tool = if open.iter().any(|one| one.access().writes()) { tool } else { looking(tool) };
    Some(if clusters.several_to_choose() { choosing(tool, &open, clusters.default()) } else { tool })
}

/// The tool with the argument that says which of these clusters is meant, and the field of its answer that says it too.
fn choosing(mut tool: Tool, open: &[&Engine], default: Option<&str>) -> Tool {
    let names: Vec<&str> = open.iter().map(|one| one.settings().name.as_str()).collect();
    let default = default.filter(|default| names.contains(default));
    let each = open.iter().map(|one| {
        let settings = one.settings();
        let about = settings.description.as_deref().map(|text| format!("{}, ", clean::line(text, LONGEST)));
        format!("{} ({}{})", settings.name, about.unwrap_or_default(), settings.tier)
    });
    let mut says = format!("Which cluster: {}.", each.collect::<Vec<_>>().join(", "));
    if let Some(default) = default {
        says.push_str(&format!(" Left out: {default}."));
    }
    let mut input = tool.input_schema.as_ref().clone();
    property(&mut input, json!({"type": "string", "enum": names, "description": says}), default.is_none());
    tool.input_schema = Arc::new(input);
    if let Some(output) = &mut tool.output_schema {
        let mut with = output.as_ref().clone();
        property(&mut with, json!({"type": "string"}), true);
        *output = Arc::new(with);
    }
    tool
}

fn property(schema: &mut JsonObject, value: Value, required: bool) {
    if let Value::Object(properties) = schema.entry("properties").or_insert_with(|| Value::Object(Map::new())) {
        properties.insert(ARGUMENT.to_owned(), value);
    }
    if required && let Value::Array(names) = schema.entry("required").or_insert_with(|| json!([])) {
        names.push(json!(ARGUMENT));
    }
}

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
