//! What was recorded: one request and its answer per line, and the list of known differences.

use std::collections::BTreeMap;

use serde_json::Value;

const OBSERVED: &str = include_str!("../data/observed.jsonl");
const DIFFERENCES: &str = include_str!("../data/differences.json");

/// One recorded request with its answer. Missing fields are `Null`.
pub struct Record(Value);

impl Record {
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// A text field; empty when it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    /// Whether this text stands anywhere in it.
    pub fn mentions(&self, text: &str) -> bool {
        self.0.to_string().contains(text)
    }

    pub fn get(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// 0 when there was no answer.
    pub fn status(&self) -> u16 {
        self.0["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0)
    }

    /// Whose credentials were sent.
    pub fn auth(&self) -> &str {
        self.0["auth"].as_str().unwrap_or("token")
    }
}

/// All records in the order in which they were sent.
pub fn records() -> Vec<Record> {
    OBSERVED.lines().map(|line| Record(serde_json::from_str(line).expect("a record"))).collect()
}

/// A known difference.
pub struct Known {
    pub reason: String,
    /// The request cannot be brought about here, and is not sent.
    pub skipped: bool,
}

/// The known differences by id.
pub fn differences() -> BTreeMap<String, Known> {
    let list: Vec<Value> = serde_json::from_str(DIFFERENCES).expect("a list");
    let mut known = BTreeMap::new();
    for entry in &list {
        let reason = entry["why"].as_str().expect("a reason").to_owned();
        for id in entry["ids"].as_array().expect("ids") {
            let skipped = entry["skip"] == true;
            let id = id.as_str().expect("an id").to_owned();
            let twice = known.insert(id.clone(), Known { reason: reason.clone(), skipped });
            assert!(twice.is_none(), "{id} stands twice in the differences");
        }
    }
    known
}
