//! From a URI to the call that answers it.

use super::{Given, Offer, Resource, constant};
use crate::catalogue;
use crate::tool::Surface;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Longest URI that is looked at, in bytes.
const LONGEST: usize = 2_000;

/// Where every URI begins.
const SCHEME: &str = "proxmox://";
/// What stands for a cluster's name in the URI of a template.
pub const CLUSTER: &str = "{cluster}";

/// The URI of a resource where there are several clusters: `proxmox://node/{node}` → `proxmox://home/node/{node}`.
pub fn within(uri: &str, cluster: &str) -> String {
    match uri.strip_prefix(SCHEME) {
        Some(rest) => format!("{SCHEME}{cluster}/{rest}"),
        None => uri.to_owned(),
    }
}

/// The cluster of such a URI, and the URI as it is there.
pub fn apart(uri: &str) -> Option<(&str, String)> {
    let (cluster, rest) = uri.strip_prefix(SCHEME)?.split_once('/')?;
    Some((cluster, format!("{SCHEME}{rest}")))
}

/// Why nothing can be read under a URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("there is no such resource")]
    Unknown,
    #[error("`{0}` in the URI is no percent-encoded UTF-8")]
    Encoding(&'static str),
}

impl Offer<'_> {
    /// The tool and the arguments whose answer this URI is. Values are decoded and otherwise as they came: the tool's own
    /// decoder looks at them.
    ///
    /// # Errors
    /// No resource that is offered has such a URI, or a value in it is not text.
    pub fn resource(self, uri: &str) -> Result<(&'static Surface, Map<String, Value>), Unusable> {
        if uri.len() > LONGEST {
            return Err(Unusable::Unknown);
        }
        let offered = self.resources(false).chain(self.resources(true));
        // What is written out beats a placeholder, so the order of the catalogue does not matter.
        let fitting = offered.filter_map(|one| Some((one, one.fit(uri)?)));
        let (one, places) = fitting.min_by_key(|(_, places)| places.len()).ok_or(Unusable::Unknown)?;
        let surface = catalogue::surface(one.tool).ok_or(Unusable::Unknown)?;
        let mut arguments = Map::new();
        for (argument, given) in one.args {
            let value = match given {
                Given::Fixed(json) => constant(json),
                Given::Place(name) => {
                    let raw = places.iter().find(|(place, _)| place == name).map_or("", |(_, raw)| raw);
                    let text = percent_decode_str(raw).decode_utf8().map_err(|_| Unusable::Encoding(name))?;
                    Value::from(text.into_owned())
                }
            };
            arguments.insert((*argument).to_owned(), value);
        }
        Ok((surface, arguments))
    }
}

impl Resource {
    /// The names of the placeholders.
    pub fn places(&self) -> impl Iterator<Item = &'static str> {
        self.uri.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// What stands in the placeholders, still encoded; `None` if the URI is of another form.
    fn fit<'u>(&self, uri: &'u str) -> Option<Vec<(&'static str, &'u str)>> {
        let (mut ours, mut theirs) = (self.uri.split('/'), uri.split('/'));
        let mut places = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(places),
                (Some(part), Some(raw)) => match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                    Some(_) if raw.is_empty() => return None,
                    Some(name) => places.push((name, raw)),
                    None if part == raw => {}
                    None => return None,
                },
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_fits_segment_by_segment() {
        let one = Resource {
            name: "x",
            uri: "proxmox://node/{node}/storage/{storage}",
            title: "",
            doc: "",
            tool: "",
            args: &[],
        };
        assert_eq!(one.fit("proxmox://node/pve1/storage/a%2Fb"), Some(vec![("node", "pve1"), ("storage", "a%2Fb")]));
        for other in ["proxmox://node/pve1/storage/", "proxmox://node//storage/a", "proxmox://node/pve1", "x", ""] {
            assert_eq!(one.fit(other), None, "{other}");
        }
    }
}
