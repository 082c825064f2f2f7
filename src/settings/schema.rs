//! The JSON schema of the config file, made from the table of settings.

use super::table::{Kind, Place, Setting, TABLE};
use serde_json::{Map, Value, json};

/// The schema, for editors that complete and check TOML.
pub fn schema() -> Value {
    let of = |places: &[Place]| -> Map<String, Value> {
        let here = TABLE.iter().filter(|setting| places.contains(&setting.place));
        here.map(|setting| (setting.key.to_owned(), one(setting))).collect()
    };
    let mut top = of(&[Place::Server, Place::Cluster]);
    let cluster = json!({
        "type": "object",
        "description": "One cluster. What is not said here is taken from the top level.",
        "additionalProperties": false,
        "properties": of(&[Place::Cluster]),
    });
    let clusters = json!({
        "type": "object",
        "description": "The clusters, by the names that calls give.",
        "additionalProperties": false,
        "patternProperties": { "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$": cluster },
    });
    top.insert("clusters".to_owned(), clusters);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Config file of proxmox-mcp",
        "description": "The top level holds for all clusters; the table of a cluster wins over it.",
        "type": "object",
        "additionalProperties": false,
        "properties": top,
    })
}

fn one(setting: &Setting) -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let mut schema = match setting.kind {
        Kind::Text | Kind::Path | Kind::PathOr(_) => json!({"type": "string"}),
        Kind::Texts | Kind::Command => json!({"anyOf": [{"type": "string"}, texts]}),
        Kind::List => {
            let items = json!({"type": ["string", "integer"]});
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": items}]})
        }
        Kind::Number { least, most } => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Boolean => json!({"type": "boolean"}),
        // Any case is taken; editors complete these.
        Kind::Choice(words) => json!({"enum": words}),
    };
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), json!(format!("{}.", setting.says)));
        let default = match setting.kind {
            Kind::Number { .. } => setting.default.parse::<u64>().ok().map(Value::from),
            Kind::Boolean => setting.default.parse::<bool>().ok().map(Value::from),
            Kind::Choice(_) => Some(json!(setting.default)),
            _ => None,
        };
        fields.extend(default.map(|value| ("default".to_owned(), value)));
    }
    schema
}
