//! What came back: the API's envelope, or what came instead of it.
//!
//! Knows statuses, content types and the envelope `{"data", "message", "errors", "total"}`. Never makes a value up:
//! what cannot be read is an error that shows what came.

use super::trouble::{Rejection, Trouble};
use crate::engine::clean;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::ops::Range;

/// An answer as it arrived: complete, and not looked at yet.
#[derive(Debug)]
pub struct Arrived {
    pub status: u16,
    /// The status line's phrase: the only place where the API puts the cause of a 401.
    pub reason: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

#[cfg(test)]
impl Arrived {
    pub fn ok(body: &str) -> Arrived {
        let json = "application/json;charset=UTF-8".to_owned();
        Arrived { status: 200, reason: "OK".to_owned(), content_type: json, body: body.as_bytes().to_vec() }
    }
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub data: Value,
    /// How many rows there are in all, where the API pages.
    pub total: Option<u64>,
}

/// Longest part of an unreadable answer that is shown.
const SHOWN: usize = 80;

/// Reads a complete answer.
///
/// # Errors
/// The status is not a success, or the body is no envelope.
pub fn read(arrived: Arrived) -> Result<Reply, Trouble> {
    let (text, data, total) = envelope(arrived)?;
    match serde_json::from_str(&text[data]) {
        Ok(data) => Ok(Reply { data, total }),
        Err(error) => Err(Trouble::Unreadable(format!("the answer (200) holds what cannot be read: {error}"))),
    }
}

/// The text of a successful answer, where its `data` stands, and its `total`.
///
/// # Errors
/// As [`read`].
pub fn envelope(arrived: Arrived) -> Result<(String, Range<usize>, Option<u64>), Trouble> {
    let Arrived { status, reason, content_type, body } = arrived;
    if !(200..300).contains(&status) {
        let envelope = serde_json::from_slice::<Value>(&body).ok();
        return Err(Trouble::Rejected(rejection(status, &reason, &content_type, &body, envelope.as_ref())));
    }
    let strange = |body: &[u8]| {
        Trouble::Unreadable(format!("the answer ({status}) is not the API's: {}", what(&content_type, body)))
    };
    let text = String::from_utf8(body).map_err(|error| strange(error.as_bytes()))?;
    let found = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text).ok().and_then(|fields| {
        let data = fields.get("data")?.get();
        let from = data.as_ptr() as usize - text.as_ptr() as usize;
        let total = fields.get("total").and_then(|total| number(&serde_json::from_str(total.get()).ok()?));
        Some((from..from + data.len(), total))
    });
    match found {
        Some((place, total)) => Ok((text, place, total)),
        None => Err(strange(text.as_bytes())),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn rejection(status: u16, reason: &str, content_type: &str, body: &[u8], envelope: Option<&Value>) -> Rejection {
    let text = |value: &Value| value.as_str().map(|text| clean::line(text, 2_000));
    let message = envelope.and_then(|fields| fields.get("message")).and_then(text).filter(|text| !text.is_empty());
    let errors = envelope.and_then(|fields| fields.get("errors")).and_then(Value::as_object);
    let errors = errors.into_iter().flatten().map(|(name, says)| {
        (clean::line(name, 100), text(says).unwrap_or_else(|| clean::line(&says.to_string(), 500)))
    });
    let errors = errors.collect();
    let reason = clean::line(reason, 500);
    let plain = || {
        let text = clean::line(&String::from_utf8_lossy(body), 300);
        (content_type.starts_with("text/plain") && !text.is_empty()).then_some(text)
    };
    let mut message = message.or_else(|| (!reason.is_empty()).then_some(reason)).or_else(plain).unwrap_or_default();
    if content_type.starts_with("text/html") {
        message.push_str(" (in an HTML page, so it comes from something in front of the API, such as a proxy)");
    }
    Rejection { status, message, errors }
}

/// What came, for a person: its type and its beginning.
fn what(content_type: &str, body: &[u8]) -> String {
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let kind = if content_type.is_empty() { "no content type" } else { content_type };
    let beginning = body.get(..body.len().min(SHOWN * 4)).unwrap_or_default();
    let beginning = clean::line(&String::from_utf8_lossy(beginning), SHOWN);
    format!("{} bytes of {}, beginning with `{beginning}`", body.len(), clean::line(kind, 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_envelope_gives_its_data_and_total() {
        let reply = read(Arrived::ok(r#"{"data":[1],"total":"12"}"#)).expect("an envelope");
        assert_eq!((reply.data, reply.total), (json!([1]), Some(12)));
        assert_eq!(read(Arrived::ok(r#"{"data":null}"#)).expect("done").data, Value::Null);
    }

    #[test]
    fn what_is_no_envelope_is_shown_and_never_turned_into_a_value() {
        for body in ["", "<html>\u{1b}[31mLogin</html>", "[1,2]", "{\"other\":1}", "{\"data\":"] {
            let html = Arrived { content_type: "text/html".to_owned(), ..Arrived::ok(body) };
            let trouble = read(html).expect_err("not ours");
            assert!(matches!(trouble, Trouble::Unreadable(_)), "{trouble:?}");
            assert!(!trouble.to_string().contains('\u{1b}'));
        }
    }

    #[test]
    fn the_cause_comes_from_the_body_or_else_from_the_reason() {
        let of = |status, reason: &str, kind: &str, body: &str| match read(Arrived {
            status,
            reason: reason.to_owned(),
            content_type: kind.to_owned(),
            body: body.as_bytes().to_vec(),
        }) {
            Err(Trouble::Rejected(rejection)) => rejection,
            other => panic!("{other:?}"),
        };
        let body = r#"{"data":null,"message":"Parameter verification failed.\n","errors":{"vmid":"taken"}}"#;
        let rejection = of(400, "Parameter verification failed.", "application/json", body);
        assert_eq!(rejection.message, "Parameter verification failed.");
        assert_eq!(rejection.errors, [("vmid".to_owned(), "taken".to_owned())]);
        assert_eq!(of(401, "No ticket", "", "").message, "No ticket");
        assert_eq!(
            of(500, "storage 'x' does not exist", "application/json", r#"{"data":null}"#).message,
            "storage 'x' does not exist"
        );
        assert_eq!(of(501, "", "text/plain", "no such uri").message, "no such uri");
    }
}
