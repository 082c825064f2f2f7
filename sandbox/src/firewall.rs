//! The firewall as state: rules in their order, options, and the digest over both.
//!
//! Knows rules as field sets; their levels and paths are the handlers' business.

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use crate::guest::hex;

/// The firewall of the cluster, a node, a guest, or a security group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Firewall {
    pub rules: Vec<Map<String, Value>>,
    pub options: Map<String, Value>,
}

impl Firewall {
    /// The digest of the file: that of nothing while it is empty.
    pub(crate) fn digest(&self) -> String {
        if self.rules.is_empty() && self.options.is_empty() {
            return hex(&Sha1::digest(b""));
        }
        hex(&Sha1::digest(json!([self.rules, self.options]).to_string()))
    }

    /// The rules with their positions.
    pub(crate) fn list(&self) -> Vec<Value> {
        (0..self.rules.len()).filter_map(|pos| self.rule(pos)).collect()
    }

    /// One rule with its position as a number.
    pub(crate) fn rule(&self, pos: usize) -> Option<Value> {
        let mut rule = self.rules.get(pos)?.clone();
        rule.insert("pos".to_owned(), json!(pos));
        rule.insert("digest".to_owned(), json!(self.digest()));
        let address = ["source", "dest"].iter().find_map(|name| rule.get(*name).and_then(Value::as_str));
        if let Some(address) = address.filter(|text| text.starts_with(|c: char| c.is_ascii_hexdigit())) {
            let version = if address.contains(':') { 6 } else { 4 };
            rule.insert("ipversion".to_owned(), json!(version));
        }
        Some(Value::Object(rule))
    }
}
