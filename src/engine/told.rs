//! What the log of a finished task tells and its answer does not, such as the name of what it made.
//!
//! Knows lines and texts as the catalogue writes them. What no line tells, or two lines tell in two ways, is left out.

use super::call::Call;
use super::{clean, tail};
use crate::client::{PreparedRequest, Trouble};
use crate::tool::{Told, ToldPart};
use serde_json::{Map, Value, json};

/// Lines from the beginning in which it is looked for: a task says what it makes before it begins to count.
const LINES: u64 = 500;
/// Longest value, in characters.
const LONGEST: usize = 500;

/// The fields that the log tells; nothing is read for a tool that has none.
///
/// # Errors
/// As [`Call::try_read`].
pub async fn read(
    call: &Call<'_>,
    request: &PreparedRequest,
    log: &PreparedRequest,
) -> Result<Map<String, Value>, Trouble> {
    let wanted = call.surface.tool.told;
    if wanted.is_empty() {
        return Ok(Map::new());
    }
    let reply = tail::head(call, log, LINES).await?;
    let lines = tail::lines(&reply.data);
    Ok(wanted.iter().filter_map(|told| Some((told.field.to_owned(), json!(value(told, request, &lines)?)))).collect())
}

/// What the lines say in one voice.
fn value(told: &Told, request: &PreparedRequest, lines: &[String]) -> Option<String> {
    let mut values = lines.iter().flat_map(|line| {
        let texts = told.lines.iter().filter_map(|(log, parts)| made(parts, request, found(log, line)?));
        texts.collect::<Vec<_>>()
    });
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// What stands in the place of `{}`; a `*` right before it takes as much as it can.
fn found<'l>(log: &str, line: &'l str) -> Option<&'l str> {
    let (before, behind) = log.split_once("{}")?;
    let (begin, more) = before.split_once('*').map_or((before, None), |(begin, more)| (begin, Some(more)));
    let mut rest = line.trim_end().strip_suffix(behind)?.strip_prefix(begin)?;
    if let Some(more) = more {
        let (middle, last) = more.rsplit_once('*').map_or(("", more), |(middle, last)| (middle, last));
        for piece in middle.split('*') {
            rest = rest.split_once(piece)?.1;
        }
        rest = rest.rsplit_once(last)?.1;
    }
    (!rest.is_empty()).then_some(rest)
}

fn made(parts: &[ToldPart], request: &PreparedRequest, found: &str) -> Option<String> {
    let path = proxmox_spec::route(request.verb, request.path()).map(|route| route.params).unwrap_or_default();
    let mut text = String::new();
    for part in parts {
        match part {
            ToldPart::Text(own) => text.push_str(own),
            ToldPart::Found => text.push_str(found),
            ToldPart::Sent(name) => {
                let in_path = || path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
                text.push_str(request.value(name).or_else(in_path)?);
            }
        }
    }
    Some(clean::line(&text, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::Verb;

    static VOLUME: Told = Told {
        field: "volid",
        lines: &[
            (
                "INFO: creating vzdump archive '*/{}'",
                &[ToldPart::Sent("storage"), ToldPart::Text(":"), ToldPart::Found],
            ),
            ("INFO: remote archive '{}'", &[ToldPart::Text("remote/"), ToldPart::Found]),
        ],
    };

    fn told(lines: &[&str]) -> Option<String> {
        let request = PreparedRequest::plain(Verb::Post, "/nodes/pve1/vzdump").with("storage", "nas");
        value(&VOLUME, &request, &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_tells_what_stands_in_its_place() {
        let lines = ["INFO: starting", "INFO: creating vzdump archive '/mnt/pve/nas/dump/a-1.tar'", "TASK OK"];
        assert_eq!(told(&lines).as_deref(), Some("nas:a-1.tar"));
        assert_eq!(told(&["INFO: remote archive 'vm/100/1'"]).as_deref(), Some("remote/vm/100/1"));
    }

    #[test]
    fn what_is_not_told_or_told_in_two_ways_is_left_out() {
        assert_eq!(told(&["INFO: starting", "TASK OK"]), None);
        assert_eq!(told(&["INFO: remote archive ''"]), None);
        assert_eq!(told(&["INFO: remote archive 'a'", "INFO: remote archive 'b'"]), None);
        assert_eq!(told(&["INFO: remote archive 'a'", "INFO: remote archive 'a'"]).as_deref(), Some("remote/a"));
    }

    #[test]
    fn a_line_is_known_from_its_beginning() {
        assert_eq!(told(&["INFO: notes 'INFO: remote archive 'a'"]), None);
        let request = PreparedRequest::plain(Verb::Post, "/nodes/pve1/vzdump");
        assert_eq!(value(&VOLUME, &request, &["INFO: creating vzdump archive '/d/a'".to_owned()]), None);
    }

    #[test]
    fn stars_take_what_is_between() {
        assert_eq!(found("a * b */{}.", "a 1 b 2/3/4."), Some("4"));
        assert_eq!(found("a * b */{}.", "a 1 c 2/3/4."), None);
        assert_eq!(found("a {}", "a "), None);
    }
}
