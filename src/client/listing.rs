//! A long list as it came: its text, and where each row stands in it.
//!
//! Ten thousand guests are three megabytes of text and many times that as values. Most calls look at two fields of every
//! row and show thirty rows, so a row is read when it is shown, and only the fields that choose and sort are read before.

use super::reply::{self, Arrived, Reply};
use super::trouble::Trouble;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The rows of a list, not read yet.
#[derive(Debug, Clone)]
pub struct Listing {
    text: String,
    rows: Vec<Range<usize>>,
    /// How many rows there are in all, where the API pages.
    pub total: Option<u64>,
}

impl Listing {
    /// # Errors
    /// The status is not a success, the body is no envelope, or its data is no list.
    pub(super) fn read(arrived: Arrived) -> Result<Listing, Trouble> {
        let (text, data, total) = reply::envelope(arrived)?;
        let rows = match serde_json::from_str::<Option<Vec<&RawValue>>>(&text[data.clone()]) {
            Ok(rows) => rows.unwrap_or_default(),
            Err(_) => return Err(Trouble::Unreadable(not_a_list(&text[data]))),
        };
        let start = text.as_ptr() as usize;
        let place = |row: &RawValue| {
            let from = row.get().as_ptr() as usize - start;
            from..from + row.get().len()
        };
        let rows = rows.into_iter().map(place).collect();
        Ok(Listing { text, rows, total })
    }

    /// The text of a successful answer.
    ///
    /// # Errors
    /// As [`Client::list`](super::Client::list).
    pub fn parse(text: String) -> Result<Listing, Trouble> {
        let content_type = "application/json".to_owned();
        Listing::read(Arrived { status: 200, reason: String::new(), content_type, body: text.into_bytes() })
    }

    /// A list that was read already. `None` if it is no list; null is an empty one.
    pub fn of(reply: &Reply) -> Option<Listing> {
        let rows = match &reply.data {
            Value::Array(rows) => rows.as_slice(),
            Value::Null => &[],
            _ => return None,
        };
        let mut text = String::new();
        let add = |row: &Value| {
            let from = text.len();
            text.push_str(&row.to_string());
            from..text.len()
        };
        let rows = rows.iter().map(add).collect();
        Some(Listing { text, rows, total: reply.total })
    }

    /// How many rows came.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The rows in the order in which they came.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|place| Row(self.text.get(place.clone()).unwrap_or("null")))
    }
}

/// What came in the place of a list, in words.
fn not_a_list(text: &str) -> String {
    let came = match text.trim_start().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'[') => "a list that cannot be read",
        _ => "a number",
    };
    format!("a list was expected, and {came} came")
}

/// One row, as text.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a>(&'a str);

impl<'a> Row<'a> {
    /// The whole row. Null if it nests deeper than anything that the API answers.
    pub fn value(self) -> Value {
        serde_json::from_str(self.0).unwrap_or(Value::Null)
    }

    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Some fields of the row, in the order in which they are asked for; a row that is no object has none.
    pub fn pick(self, names: &[&str]) -> Vec<Option<Value>> {
        let mut reader = serde_json::Deserializer::from_str(self.0);
        reader.deserialize_map(Picked(names)).unwrap_or_else(|_| vec![None; names.len()])
    }
}

/// Reads the named fields of an object and passes over the others.
struct Picked<'n>(&'n [&'n str]);

impl<'de> Visitor<'de> for Picked<'_> {
    type Value = Vec<Option<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.0.len()];
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match self.0.iter().position(|name| *name == key) {
                Some(at) => found[at] = Some(map.next_value()?),
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(body: &str) -> Result<Listing, Trouble> {
        Listing::parse(body.to_owned())
    }

    #[test]
    fn rows_are_found_where_they_stand() {
        let list = listed(r#" {"total": 7, "data" : [ {"a":1,"b":{"c":"ä"}} , 2,null ]} "#).expect("a list");
        let rows: Vec<Value> = list.rows().map(Row::value).collect();
        assert_eq!(
            (rows, list.total, list.count()),
            (vec![json!({"a": 1, "b": {"c": "ä"}}), json!(2), json!(null)], Some(7), 3)
        );
        let picked: Vec<Vec<Option<Value>>> = list.rows().map(|row| row.pick(&["b", "x", "a"])).collect();
        assert_eq!(picked[0], [Some(json!({"c": "ä"})), None, Some(json!(1))]);
        assert_eq!(picked[1], [None, None, None]);
    }

    #[test]
    fn nothing_is_an_empty_list_and_anything_else_is_none() {
        assert_eq!(listed(r#"{"data":null}"#).map(|list| list.count()).ok(), Some(0));
        for (body, came) in
            [(r#"{"data":{}}"#, "an object"), (r#"{"data":"x"}"#, "a text"), (r#"{"data":3}"#, "a number")]
        {
            let trouble = listed(body).expect_err("no list").to_string();
            assert!(trouble.contains(came), "{trouble}");
        }
        let read = Reply { data: json!([{"a": 1}, "x"]), total: None };
        let rows: Vec<Value> = Listing::of(&read).expect("a list").rows().map(Row::value).collect();
        assert_eq!(Value::Array(rows), read.data);
    }
}
