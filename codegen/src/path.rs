//! `VERB /path/{placeholder}` → its parts, and the method of the API that it means.

use crate::diagnostic::{Diagnostics, Span};
use crate::tree::Node;
use proxmox_spec::{Method, Segment, Verb};

/// A call as written.
#[derive(Debug, Clone)]
pub struct Call {
    pub at: Span,
    pub verb_at: Span,
    pub verb: Verb,
    pub parts: Vec<Part>,
    /// As written, for messages.
    pub text: String,
}

/// One segment of a path and its place.
#[derive(Debug, Clone)]
pub struct Part {
    pub at: Span,
    pub kind: PartKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    Literal(String),
    /// What stands in the braces, such as `node` or `upid.node`.
    Placeholder(String),
}

impl Call {
    /// Reads `VERB /path`; reports and answers `None` when it is neither.
    pub fn parse(node: &Node, diagnostics: &mut Diagnostics) -> Option<Call> {
        let Some(text) = node.scalar() else {
            diagnostics.report(node.at, format!("a call is text such as `GET /version`, not {}", node.kind()));
            return None;
        };
        let Some((verb_text, path)) = text.split_once(' ') else {
            diagnostics.report(node.at, "a call is a method and a path").help("such as `GET /version`");
            return None;
        };
        let Some(verb) = Verb::parse(verb_text) else {
            diagnostics
                .report(node.part(0, verb_text.chars().count()), format!("`{verb_text}` is not a method of the API"))
                .near(verb_text, ["GET", "POST", "PUT", "DELETE"]);
            return None;
        };
        let mut parts = Vec::new();
        let mut offset = verb_text.chars().count() + 1;
        let path = match path.strip_prefix('/') {
            Some(rest) => {
                offset += 1;
                rest
            }
            // `{guest}` brings its own.
            None if path.starts_with('{') => path,
            None => {
                let at = node.part(offset, path.chars().count());
                diagnostics.report(at, "a path begins with `/`").help(format!("write `{verb} /{path}`"));
                return None;
            }
        };
        for segment in path.split('/') {
            let length = segment.chars().count();
            let placeholder = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            if placeholder.is_none() && (segment.contains(['{', '}']) || segment.is_empty()) {
                diagnostics
                    .report(node.part(offset, length), "a placeholder is a whole segment of a path")
                    .help("write `/{argument}/`");
                return None;
            }
            let (at, kind) = match placeholder {
                Some(name) => (node.part(offset + 1, length - 2), PartKind::Placeholder(name.to_owned())),
                None => (node.part(offset, length), PartKind::Literal(segment.to_owned())),
            };
            parts.push(Part { at, kind });
            offset += length + 1;
        }
        Some(Call { at: node.at, verb_at: node.part(0, verb_text.chars().count()), verb, parts, text })
    }

    /// The method of the API behind `parts`, in which `{guest}` and the like are already spelled out.
    pub fn method(&self, parts: &[Part], diagnostics: &mut Diagnostics) -> Option<&'static Method> {
        let fits = |method: &&'static Method, upto: usize| {
            method.segments.iter().zip(parts).take(upto).all(|(segment, part)| match (segment, &part.kind) {
                (Segment::Literal(literal), PartKind::Literal(text)) => literal == text,
                (Segment::Literal(_), PartKind::Placeholder(_)) => false,
                (_, PartKind::Placeholder(_)) => true,
                // A constant in place of a parameter would hide a typing mistake.
                (_, PartKind::Literal(_)) => false,
            })
        };
        let methods = proxmox_spec::methods();
        let same: Vec<&'static Method> =
            methods.iter().filter(|method| method.segments.len() == parts.len() && fits(method, parts.len())).collect();
        // A literal beats a parameter of the same place.
        let best = same.iter().filter(|method| method.verb == self.verb).max_by_key(|method| {
            method.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count()
        });
        if let Some(best) = best {
            return Some(best);
        }
        if let Some(other) = same.first() {
            let verbs: Vec<&str> =
                same.iter().filter(|one| one.path == other.path).map(|one| one.verb.as_str()).collect();
            diagnostics
                .report(self.verb_at, format!("the API has no {} {}", self.verb, other.path))
                .help(format!("it has {} there", verbs.join(", ")));
            return None;
        }
        // The first segment that no path has tells where the mistake is.
        let deepest = (0..parts.len())
            .find(|&upto| !methods.iter().any(|method| method.segments.len() > upto && fits(&method, upto + 1)))
            .unwrap_or(parts.len().saturating_sub(1));
        let mut next: Vec<&str> = methods
            .iter()
            .filter(|method| method.segments.len() > deepest && fits(method, deepest))
            .filter_map(|method| match method.segments[deepest] {
                Segment::Literal(literal) => Some(literal),
                _ => None,
            })
            .collect();
        next.sort_unstable();
        next.dedup();
        let part = parts.get(deepest)?;
        let mut parameters: Vec<&str> = methods
            .iter()
            .filter(|method| method.segments.len() > deepest && fits(method, deepest))
            .filter_map(|method| match method.segments[deepest] {
                Segment::Literal(_) => None,
                Segment::Param(name) | Segment::Remainder(name) => Some(name),
            })
            .collect();
        parameters.dedup();
        let message = format!("the API has no path {}", spelled(parts));
        match &part.kind {
            PartKind::Placeholder(name) if deepest == 0 => {
                diagnostics.report(part.at, message).near(name, ["guest", "guest.node"]);
            }
            PartKind::Placeholder(name) => {
                diagnostics.report(part.at, message).near(name, next);
            }
            PartKind::Literal(text) => {
                let report = diagnostics.report(part.at, message).near(text, next);
                if report.help.is_empty()
                    && let [parameter] = parameters.as_slice()
                {
                    report.help(format!("write an argument here, such as `{{{parameter}}}`"));
                }
            }
        }
        None
    }
}

/// The path as text.
pub fn spelled(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Literal(text) => format!("/{text}"),
            PartKind::Placeholder(name) => format!("/{{{}}}", name.trim_start_matches('\u{1}')),
        })
        .collect()
}
