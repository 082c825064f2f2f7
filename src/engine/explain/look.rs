//! Reads that only explain: the values of the request that went wrong, and what the cluster says besides.
//!
//! Best effort: what cannot be read is not told, and never becomes an error of its own.

use super::super::call::Call;
use super::super::guards::plain;
use crate::arguments::Segment;
use crate::client::{PreparedRequest, Repeat};
use crate::tool::Verb;
use serde_json::{Map, Value};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a look-up may take that only explains.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What a GET answers; `None` if it does not, or too late.
pub async fn read(call: &Call<'_>, request: &PreparedRequest) -> Option<Value> {
    // A write goes on when its caller cancels, and so does what explains its end.
    let going = CancellationToken::new();
    let reply = tokio::time::timeout(PATIENCE, call.client.get(request, Repeat::Freely, &going)).await;
    Some(reply.ok()?.ok()?.data)
}

/// The rows that a GET answers.
pub async fn rows(call: &Call<'_>, request: &PreparedRequest) -> Option<Vec<Map<String, Value>>> {
    let Value::Array(rows) = read(call, request).await? else { return None };
    Some(rows.into_iter().filter_map(|row| if let Value::Object(row) = row { Some(row) } else { None }).collect())
}

/// A field as text; `None` if it is absent or empty.
pub fn text(row: &Map<String, Value>, field: &str) -> Option<String> {
    row.get(field).map(plain).filter(|text| !text.is_empty())
}

/// A GET of these segments, whatever they hold; `None` if one of them cannot stand in a path.
pub fn get(segments: &[&str]) -> Option<PreparedRequest> {
    let mut request = PreparedRequest::new(Verb::Get);
    for segment in segments {
        request.segment(&Segment::new(*segment).ok()?);
    }
    Some(request)
}

/// The value of a parameter, in the path or beside it.
pub fn value(request: &PreparedRequest, name: &str) -> Option<String> {
    let route = proxmox_spec::route(request.verb, request.path());
    let in_path = route.and_then(|route| route.params.into_iter().find(|(one, _)| *one == name));
    in_path.map(|(_, value)| value).or_else(|| request.value(name).map(str::to_owned))
}

/// Node, kind (`qemu`, `lxc`) and id of the guest in the path.
pub fn guest(request: &PreparedRequest) -> Option<(String, &'static str, String)> {
    let route = proxmox_spec::route(request.verb, request.path())?;
    let kind = route.method.path.strip_prefix("/nodes/{node}/")?.split('/').next()?;
    let kind = ["qemu", "lxc"].into_iter().find(|one| *one == kind)?;
    let of = |wanted: &str| route.params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
    Some((of("node")?, kind, of("vmid")?))
}

/// `a`, `a and b`, `a, b and c`.
pub fn and<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The first words, with how many more there are: `a, b, c and 4 more`.
pub fn some<T: AsRef<str>>(words: &[T], most: usize) -> String {
    if words.len() <= most {
        return and(words);
    }
    let shown: Vec<&str> = words.iter().take(most).map(AsRef::as_ref).collect();
    format!("{} and {} more", shown.join(", "), words.len() - most)
}
