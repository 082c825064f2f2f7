//! A finished request: nothing open, nothing left to decide.
//!
//! Knows how paths and parameters are spelled on the wire and for people. Knows nothing of connections.

use crate::arguments::Segment;
use crate::tool::Verb;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;

/// Everything but the unreserved characters of RFC 3986; the API splits pairs on `;` as well and reads `+` as space.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest value that is shown whole, in characters.
const SHOWN: usize = 400;

/// A request as it will be sent. `Display` is for people: decoded, secrets as `***`.
#[derive(Debug, Clone)]
pub struct PreparedRequest {
    pub verb: Verb,
    /// Decoded, beginning with `/`; the facts' router reads this one.
    path: String,
    /// Percent-encoded, beginning with `/`.
    encoded: String,
    pub params: Vec<PreparedParam>,
}

/// A parameter with its value, or its values where the API takes an array (the key is repeated).
#[derive(Debug, Clone)]
pub struct PreparedParam {
    pub name: Cow<'static, str>,
    pub values: Vec<String>,
    /// The argument it comes from; empty for constants.
    pub argument: &'static str,
    pub secret: bool,
}

impl PreparedRequest {
    pub fn new(verb: Verb) -> PreparedRequest {
        PreparedRequest { verb, path: String::new(), encoded: String::new(), params: Vec::new() }
    }

    /// A request without values of a caller's: `path` is one of the facts' literal paths, e.g. `/cluster/nextid`.
    pub fn plain(verb: Verb, path: &str) -> PreparedRequest {
        let mut request = PreparedRequest::new(verb);
        for part in path.split('/').filter(|part| !part.is_empty()) {
            request.literal(part);
        }
        request
    }

    /// Adds a segment that stands in the facts.
    pub fn literal(&mut self, text: &str) {
        self.path.push('/');
        self.path.push_str(text);
        self.encoded.push('/');
        self.encoded.extend(utf8_percent_encode(text, RESERVED));
    }

    /// Adds a checked segment.
    pub fn segment(&mut self, segment: &Segment) {
        self.path.push('/');
        self.path.push_str(segment.as_str());
        self.encoded.push('/');
        self.encoded.push_str(&segment.encoded());
    }

    /// A read of the same place.
    pub fn as_read(&self) -> PreparedRequest {
        PreparedRequest { verb: Verb::Get, params: Vec::new(), ..self.clone() }
    }

    /// Adds a parameter with one value.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> PreparedRequest {
        let values = vec![value.into()];
        self.params.push(PreparedParam { name: Cow::Borrowed(name), values, argument: "", secret: false });
        self
    }

    /// The decoded path, beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The percent-encoded path below `/api2/json`.
    pub fn encoded_path(&self) -> &str {
        &self.encoded
    }

    /// `a=1&b=2`, percent-encoded; the same for a query and a form body.
    pub fn encoded_params(&self) -> String {
        let mut text = String::new();
        for param in &self.params {
            for value in &param.values {
                if !text.is_empty() {
                    text.push('&');
                }
                text.extend(utf8_percent_encode(&param.name, RESERVED));
                text.push('=');
                text.extend(utf8_percent_encode(value, RESERVED));
            }
        }
        text
    }

    /// The first value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        let param = self.params.iter().find(|param| param.name == name)?;
        param.values.first().map(String::as_str)
    }

    /// Values that may stand in no text, longest first.
    pub fn secrets(&self) -> Vec<String> {
        let secret = self.params.iter().filter(|param| param.secret);
        let mut values: Vec<String> = secret.flat_map(|param| param.values.iter().cloned()).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values
    }
}

impl fmt::Display for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.path)?;
        for param in &self.params {
            for value in &param.values {
                let spaced =
                    value.is_empty() || value.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\'));
                let shown = match (param.secret, spaced) {
                    (true, _) => Cow::Borrowed("***"),
                    (false, true) => shell_words::quote(value),
                    (false, false) => Cow::Borrowed(value.as_str()),
                };
                match shown.char_indices().nth(SHOWN) {
                    Some((end, _)) => write!(f, " {}={}…", param.name, shown.get(..end).unwrap_or_default())?,
                    None => write!(f, " {}={shown}", param.name)?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        let request = PreparedRequest::plain(Verb::Put, "/cluster/options").with("description", "a;b+c d&e=ä/~");
        assert_eq!(request.encoded_path(), "/cluster/options");
        assert_eq!(request.encoded_params(), "description=a%3Bb%2Bc%20d%26e%3D%C3%A4%2F~");
    }

    #[test]
    fn lists_repeat_the_key_and_people_see_no_secrets() {
        let mut request = PreparedRequest::plain(Verb::Post, "/nodes/pve1/qemu").with("name", "two words");
        let list = vec!["ls".to_owned(), "-la".to_owned()];
        request.params.push(PreparedParam { name: "command".into(), values: list, argument: "command", secret: false });
        let secret = vec!["hunter2".to_owned()];
        request.params.push(PreparedParam { name: "cipassword".into(), values: secret, argument: "", secret: true });
        assert_eq!(request.encoded_params(), "name=two%20words&command=ls&command=-la&cipassword=hunter2");
        assert_eq!(
            request.to_string(),
            "POST /nodes/pve1/qemu name='two words' command=ls command=-la cipassword='***'".replace("'***'", "***")
        );
        assert_eq!(request.secrets(), ["hunter2"]);
    }
}
