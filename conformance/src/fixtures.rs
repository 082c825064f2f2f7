//! What the suite expects to find, as data: `fixtures.json`.
//!
//! Knows the form of the file and its places; what a tool, a prompt or a resource does is an [`Act`].

use rmcp::model::{ClientCapabilities, Implementation, Prompt, Resource, ResourceTemplate, ServerCapabilities, Tool};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub struct Fixtures {
    pub server: Implementation,
    pub capabilities: ServerCapabilities,
    /// What any argument may be completed to.
    pub completions: Vec<String>,
    pub tools: Vec<Entry<Tool>>,
    pub prompts: Vec<Entry<Prompt>>,
    pub resources: Vec<Entry<Resource>>,
    /// Each with one place, `{id}`; its act knows what stands there as `{/place}`.
    pub templates: Vec<Entry<ResourceTemplate>>,
}

/// Something that is listed, and what it does.
#[derive(Debug, Deserialize)]
pub struct Entry<T> {
    #[serde(flatten)]
    pub listed: T,
    pub does: Act,
}

/// What is done, in the order of the fields. Texts hold places, `{/arguments/name}`, which are pointers into what is
/// known by then: the arguments, the answer to a question, the responses to what was asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What the client has to be able to do.
    #[serde(default)]
    pub needs: Option<ClientCapabilities>,
    /// Messages that are logged.
    #[serde(default)]
    pub log: Vec<String>,
    /// Steps of a hundred that are reported.
    #[serde(default)]
    pub progress: Vec<f64>,
    /// A request to the client, in the era of the handshake.
    #[serde(default)]
    pub ask: Option<Value>,
    /// What is asked for by a result, round by round.
    #[serde(default)]
    pub rounds: Vec<serde_json::Map<String, Value>>,
    /// The rounds are counted in a state that the client gives back.
    #[serde(default)]
    pub sealed: bool,
    /// A list that changes.
    #[serde(default)]
    pub changes: Option<List>,
    /// The result in the end.
    pub answer: Value,
}

/// Lists of which a client may be told that they have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum List {
    Tools,
    Prompts,
}

impl Fixtures {
    /// # Errors
    /// The file is not as described here.
    pub fn read() -> serde_json::Result<Fixtures> {
        serde_json::from_str(include_str!("../fixtures.json"))
    }

    /// What is read under this URI, and what stands at its place.
    pub fn resource(&self, uri: &str) -> Option<(&Act, String)> {
        if let Some(entry) = self.resources.iter().find(|entry| entry.listed.uri == uri) {
            return Some((&entry.does, String::new()));
        }
        self.templates.iter().find_map(|entry| {
            let (before, after) = entry.listed.uri_template.split_once("{id}")?;
            let place = uri.strip_prefix(before)?.strip_suffix(after)?;
            let one = !place.is_empty() && !place.contains('/');
            one.then(|| (&entry.does, place.to_owned()))
        })
    }
}

/// Fills the places of every text in `value`. One that is not known is left empty.
pub fn fill(value: &Value, known: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, known)),
        Value::Array(values) => values.iter().map(|one| fill(one, known)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, one)| (name.clone(), fill(one, known))).collect(),
        other => other.clone(),
    }
}

fn filled(text: &str, known: &Value) -> String {
    let mut pieces = text.split("{/");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (path, rest) = piece.split_once('}').unwrap_or((piece, ""));
        match known.pointer(&format!("/{path}")) {
            Some(Value::String(found)) => filled.push_str(found),
            Some(found) => filled.push_str(&found.to_string()),
            None => {}
        }
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_file_is_as_described() {
        let fixtures = Fixtures::read().expect("it can be read");
        let (_, place) = fixtures.resource("test://template/123/data").expect("a template");
        assert_eq!(place, "123");
        assert!(fixtures.resource("test://template/1/2/data").is_none() && fixtures.resource("test://no").is_none());
    }

    #[test]
    fn places_are_filled_with_what_is_known() {
        let known = json!({"arguments": {"a": "x", "b": [1]}});
        let filled = fill(&json!({"t": ["{/arguments/a}-{/arguments/b}{/arguments/c}!"], "n": 1}), &known);
        assert_eq!(filled, json!({"t": ["x-[1]!"], "n": 1}));
    }
}
