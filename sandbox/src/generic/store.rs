//! What was written, by path, and the digests over it.
//!
//! Knows items and collections; must not know methods, shapes or how anything is worded.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::guest::hex;

/// What was written, by path.
#[derive(Default)]
pub(crate) struct Store {
    items: BTreeMap<String, Item>,
    serial: u32,
}

struct Item {
    /// The path of the collection; empty for values that stand alone.
    parent: String,
    fields: Map<String, Value>,
    /// It is always there and stands in no file, so it does not count for the digest.
    builtin: bool,
}

impl Store {
    pub(crate) fn has(&self, path: &str) -> bool {
        self.items.contains_key(path)
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Map<String, Value>> {
        self.items.get(path).map(|item| &item.fields)
    }

    /// Stores an item of a collection; its key becomes a field. Fields that are null are left out.
    pub(crate) fn put(&mut self, path: &str, parent: &str, key: &str, id: &str, fields: Value) {
        let mut fields = without_nulls(fields);
        if !key.is_empty() {
            fields.insert(key.to_owned(), json!(id));
        }
        self.items.insert(path.to_owned(), Item { parent: parent.to_owned(), fields, builtin: false });
    }

    /// Stores an item that is there without anybody having written it.
    pub(crate) fn put_builtin(&mut self, path: &str, parent: &str, key: &str, id: &str, fields: Value) {
        self.put(path, parent, key, id, fields);
        if let Some(item) = self.items.get_mut(path) {
            item.builtin = true;
        }
    }

    /// Stores a value that stands alone.
    pub(crate) fn set(&mut self, path: &str, fields: Value) {
        self.put(path, "", "", "", fields);
    }

    /// Removes an item and everything below it; false if there was none.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let below = format!("{path}/");
        self.items.retain(|at, _| !at.starts_with(&below));
        self.items.remove(path).is_some()
    }

    /// The items of a collection in the order of their paths.
    pub(crate) fn list(&self, parent: &str) -> Vec<Map<String, Value>> {
        self.rows(parent).map(|(_, fields)| fields.clone()).collect()
    }

    /// The items of a collection with their paths.
    pub(crate) fn rows(&self, parent: &str) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        self.items
            .iter()
            .filter(move |(_, item)| item.parent == parent)
            .map(|(path, item)| (path.as_str(), &item.fields))
    }

    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Map<String, Value>> {
        self.items.get_mut(path).map(|item| {
            // Whoever changes a thing that is always there writes it into the file.
            item.builtin = false;
            &mut item.fields
        })
    }

    /// The digest that a client sees with this item: that of the file it stands in, which holds its whole collection;
    /// of a value that stands alone, its own.
    pub(crate) fn digest_at(&self, path: &str) -> String {
        match self.items.get(path) {
            Some(item) if !item.parent.is_empty() => self.digest_of(&item.parent),
            Some(item) => digest(&item.fields),
            None => digest(&Map::new()),
        }
    }

    /// The digest of a collection's file; that of nothing while there is no such file.
    pub(crate) fn digest_of(&self, parent: &str) -> String {
        let written = self.items.iter().filter(|(_, item)| item.parent == parent && !item.builtin);
        digest(&written.map(|(path, item)| (path.clone(), Value::Object(item.fields.clone()))).collect())
    }

    /// A number that was not given out before, from 1.
    pub(crate) fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}

/// The digest of a stored value: SHA-1 in lower-case hex.
pub(crate) fn digest(fields: &Map<String, Value>) -> String {
    use sha1::Digest as _;
    let text = if fields.is_empty() { String::new() } else { Value::Object(fields.clone()).to_string() };
    hex(&sha1::Sha1::digest(text))
}

fn without_nulls(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_whole_file_without_what_is_always_there() {
        let mut store = Store::default();
        store.put_builtin("/c/built", "/c", "id", "built", json!({}));
        assert_eq!(store.digest_at("/c/built"), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        store.put("/c/one", "/c", "id", "one", json!({ "a": 1 }));
        assert_eq!(store.digest_at("/c/built"), store.digest_at("/c/one"));
        assert_ne!(store.digest_at("/c/one"), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}
