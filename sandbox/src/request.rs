//! A request as the handlers see it: the method of the facts, and decoded parameters.
//!
//! Knows how the API decodes paths, queries, forms and JSON bodies; judges no value.

use std::{collections::BTreeMap, sync::Arc};

use percent_encoding::percent_decode_str;
use proxmox_spec::Method;
use serde_json::Value;

use crate::{answer::Failure, auth::Rights};

/// One parameter as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arg {
    Text(String),
    /// A repeated key or a JSON array.
    List(Vec<String>),
    /// A JSON object: refused wherever it stands.
    Hash,
}

/// All parameters of a request by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Args(pub BTreeMap<String, Arg>);

/// A routed, checked request.
pub(crate) struct Call {
    pub method: &'static Method,
    /// The decoded path, without `/api2/json`.
    pub path: String,
    pub args: Args,
    /// `user@realm` or `user@realm!token`.
    pub user: String,
    /// What this user may do.
    pub rights: Arc<Rights>,
    /// What an upload brought, beside its parameters.
    pub upload: Option<UploadedFile>,
}

/// A file that was received; its bytes are counted and hashed, not kept.
#[derive(Debug, Clone)]
pub(crate) struct UploadedFile {
    /// Bytes.
    pub size: u64,
    /// The digest by the algorithm that the request named, lower-case hex.
    pub digest: Option<String>,
}

impl Call {
    /// A call by the same user, of that method with these arguments.
    pub(crate) fn instead(&self, method: &'static Method, path: String, args: Args) -> Call {
        Call { method, path, args, user: self.user.clone(), rights: self.rights.clone(), upload: None }
    }
}

impl Args {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Arg::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The text, or nothing: for parameters that the check has already demanded.
    pub(crate) fn need(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// True only for a given, true boolean.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("1")
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    pub(crate) fn vmid(&self) -> u32 {
        self.text("vmid").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The elements of an array parameter.
    pub(crate) fn array(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Arg::List(list)) => list.clone(),
            Some(Arg::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// The elements of a `-list` parameter.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.text(name).map(split_list).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Every text parameter, by name.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, arg)| match arg {
            Arg::Text(text) => Some((name.as_str(), text.as_str())),
            _ => None,
        })
    }

    /// Adds what `other` has; its values win.
    pub(crate) fn merge(&mut self, other: Args) {
        self.0.extend(other.0);
    }

    /// Adds one pair; a repeated name becomes a list.
    fn push(&mut self, name: String, value: String) {
        let merged = match self.0.remove(&name) {
            None => Arg::Text(value),
            Some(Arg::Text(first)) => Arg::List(vec![first, value]),
            Some(Arg::List(mut list)) => {
                list.push(value);
                Arg::List(list)
            }
            Some(Arg::Hash) => Arg::Hash,
        };
        self.0.insert(name, merged);
    }
}

/// Splits a `-list` value on `,`, `;`, white space, or on NUL where there is one.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    let parts: Vec<&str> = if text.contains('\0') {
        text.split('\0').collect()
    } else {
        text.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).collect()
    };
    parts.into_iter().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Percent-decoding as the server does it: once, broken sequences stay.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Pairs of a query or form: split on `&` and `;`, `+` is a space. `_dc` is dropped.
pub(crate) fn parse_form(text: &str) -> Args {
    let mut args = Args::default();
    for pair in text.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        args.push(decode(&name.replace('+', " ")), decode(&value.replace('+', " ")));
    }
    args
}

/// The parameters of a JSON body.
pub(crate) fn parse_json(body: &[u8]) -> Result<Args, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|_| {
        Failure::plain(
            500,
            format!(
                "malformed JSON string, neither tag, array, object, number, string or atom, at character offset {} \
                 (before \"(end of string)\") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.\n",
                body.len()
            ),
        )
    })?;
    let Value::Object(map) = value else {
        return Err(Failure::plain(
            500,
            "Not a HASH reference at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 978.\n",
        ));
    };
    let mut args = Args::default();
    for (name, value) in map {
        let arg = match value {
            Value::Null => continue,
            Value::Array(list) => Arg::List(list.iter().map(scalar).collect()),
            Value::Object(_) => Arg::Hash,
            scalar_value => Arg::Text(scalar(&scalar_value)),
        };
        args.0.insert(name, arg);
    }
    Ok(args)
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) => "0".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unencoded_semicolon_splits_a_form() {
        let args = parse_form("tags=a;b&x=1+2");
        assert_eq!(args.text("tags"), Some("a"));
        assert_eq!(args.text("b"), Some(""));
        assert_eq!(args.text("x"), Some("1 2"));
    }

    #[test]
    fn a_repeated_key_is_a_list() {
        assert_eq!(parse_form("command=ls&command=-l").array("command"), ["ls", "-l"]);
    }

    #[test]
    fn json_scalars_become_texts_and_null_is_missing() {
        let args = parse_json(br#"{"a":true,"b":64,"c":null,"d":["x"],"e":{}}"#).unwrap();
        assert_eq!((args.text("a"), args.text("b"), args.has("c")), (Some("1"), Some("64"), false));
        assert_eq!(args.0["e"], Arg::Hash);
        assert_eq!(parse_json(b"[1]").unwrap_err().status, 500);
    }

    #[test]
    fn lists_split_on_comma_semicolon_and_space() {
        assert_eq!(split_list("a,b;c d"), ["a", "b", "c", "d"]);
    }
}
