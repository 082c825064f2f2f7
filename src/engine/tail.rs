//! The beginning and the end of a log that can be read from any line on.
//!
//! Knows the API's `start`, `limit` and `total`.

use super::call::Call;
use super::clean;
use crate::client::{PreparedRequest, Repeat, Reply, Trouble};
use crate::tool::Surface;
use serde_json::{Map, Value};

/// Longest line that is kept, in characters.
const LINE: usize = 1_000;
/// What the API writes in the place of a log that has no line yet.
const EMPTY: &str = "no content";

/// The last `lines` rows of what `request` reads: at most two reads, however long the log.
///
/// # Errors
/// As [`Call::try_read`].
pub async fn read(call: &Call<'_>, request: &PreparedRequest, lines: u64) -> Result<Reply, Trouble> {
    last(call, request, lines).await.map(|(_, reply)| reply)
}

/// As [`read`], with the request that brought the rows.
///
/// # Errors
/// As [`Call::try_read`].
pub async fn last(call: &Call<'_>, request: &PreparedRequest, lines: u64) -> Result<(PreparedRequest, Reply), Trouble> {
    let known = proxmox_spec::route(request.verb, request.path());
    let pages =
        known.is_some_and(|route| route.method.param("start").is_some() && route.method.param("limit").is_some());
    let mut asked = if pages { from(request, 0, lines) } else { request.clone() };
    let mut reply = call.try_read(&asked, Repeat::Freely).await?;
    if pages && let Some(total) = reply.total.filter(|total| *total > lines) {
        asked = from(request, total - lines, lines);
        reply = call.try_read(&asked, Repeat::Freely).await?;
    }
    keep_last(&mut reply.data, lines);
    Ok((asked, reply))
}

/// What to say of a log whose beginning is not shown: how to see it.
pub fn earlier(surface: &Surface, start: &str, content: &Map<String, Value>) -> Option<String> {
    let offset = content.get("offset").and_then(Value::as_u64).filter(|offset| *offset > 0)?;
    let name = surface.rename.iter().find(|(_, ours)| *ours == start).map_or(start, |(theirs, _)| theirs);
    Some(format!("This is the end, from line {offset} on; `{name}` shows earlier lines, the first being 0."))
}

/// The first `lines` rows of what `request` reads.
///
/// # Errors
/// As [`Call::try_read`].
pub async fn head(call: &Call<'_>, request: &PreparedRequest, lines: u64) -> Result<Reply, Trouble> {
    call.try_read(&from(request, 0, lines), Repeat::Freely).await
}

/// The request for `limit` rows from `start` on.
pub fn from(request: &PreparedRequest, start: u64, limit: u64) -> PreparedRequest {
    let mut request = request.clone();
    request.params.retain(|param| param.name != "start" && param.name != "limit");
    request.with("start", start.to_string()).with("limit", limit.to_string())
}

fn keep_last(data: &mut Value, lines: u64) {
    if let Value::Array(rows) = data {
        let surplus = rows.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
        rows.drain(..surplus);
    }
}

/// The texts of log rows, cleaned; empty for a log without lines.
pub fn lines(data: &Value) -> Vec<String> {
    let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = rows.iter().filter_map(|row| row.get("t")?.as_str()).map(|text| clean::line(text, LINE));
    let lines: Vec<String> = texts.collect();
    if lines == [EMPTY] { Vec::new() } else { lines }
}
