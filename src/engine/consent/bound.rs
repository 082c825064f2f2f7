//! What a confirmation is bound to: the call as it was given, and the state in which its plan was shown.
//!
//! Pure; both halves are bytes to compare, never shown to anybody.

use serde_json::{Map, Value};

/// A confirmation holds for exactly this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The cluster, the tool under its name, and the arguments.
    pub call: Vec<u8>,
    /// The finished requests and what they would affect.
    pub state: Vec<u8>,
}

/// Parts as bytes that no other list of parts gives.
pub fn joined<'p>(parts: impl IntoIterator<Item = &'p str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// Arguments in one spelling, whatever order their names came in.
pub fn canonical(arguments: Option<&Map<String, Value>>) -> String {
    let Some(arguments) = arguments else { return "{}".to_owned() };
    sorted(&Value::Object(arguments.clone())).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_names_does_not_matter_and_that_of_a_list_does() {
        let text = |value: Value| canonical(value.as_object());
        assert_eq!(text(json!({"b": 1, "a": {"d": 1, "c": 2}})), text(json!({"a": {"c": 2, "d": 1}, "b": 1})));
        assert_ne!(text(json!({"a": [1, 2]})), text(json!({"a": [2, 1]})));
        assert_eq!(canonical(None), text(json!({})));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(joined(["ab", "c"]), joined(["a", "bc"]));
        assert_ne!(joined(["a", ""]), joined(["a"]));
    }
}
