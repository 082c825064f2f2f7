//! Texts that the catalogue composes: placeholders, derived values, constants.
//!
//! Knows which parts a placeholder can name; must not know where the text is sent.

use super::Checker;
use super::values::api_text;
use crate::catalogue::*;
use crate::spec::FixedSpec;
use crate::tree::Node;
use proxmox_spec::Method;

impl Checker<'_> {
    /// The constants of a request, for all kinds and for its own.
    pub(super) fn constants(&mut self, fixed: &FixedSpec, kind: Option<Kind>, method: &'static Method) -> Vec<Send> {
        let mut sends = Vec::new();
        let own = fixed.per_kind.iter().filter(|(word, _)| Some(word.is.as_str()) == kind.map(Kind::as_str));
        for (name, value) in fixed.all.iter().chain(own.flat_map(|(_, constants)| constants)) {
            let Some(param) = method.param(&name.is) else {
                self.no_param(name, method);
                continue;
            };
            if let Some(mismatch) = api_text(value.at, &value.is, param, &name.is) {
                mismatch.report(&format!("the API does not take this for `{}`", name.is), self.diagnostics);
            }
            sends.push(Send { name: name.is.clone(), from: From::Fixed(value.is.clone()), param: Some(param) });
        }
        sends
    }

    /// `{volid.storage}`, `{disk_size|gib}`, `{node}`.
    pub(super) fn source(&mut self, text: &str, at: crate::diagnostic::Span, arguments: &[Argument]) -> Option<Source> {
        let (name, part) = match text.split_once(['.', '|']) {
            Some((name, part)) => (name, Some(part)),
            None => (text, None),
        };
        // Only a span of just this text can be divided.
        let whole = at.length == text.chars().count();
        let Some(argument) = arguments.iter().find(|argument| argument.name == name) else {
            if self.broken.contains(name) {
                return None;
            }
            let at = if whole { at.part(0, name.chars().count().max(1)) } else { at };
            self.diagnostics.report(at, format!("`{{{text}}}` names no argument of this tool")).near(
                name,
                self.broken.iter().map(String::as_str).chain(arguments.iter().map(|one| one.name.as_str())),
            );
            return None;
        };
        let part = match (argument.form, part) {
            (_, None) => SourcePart::Whole,
            (Form::Upid, Some("node")) => SourcePart::Node,
            (Form::Volid, Some("storage")) => SourcePart::Storage,
            (Form::Size, Some("gib")) => SourcePart::Gib,
            (form, Some(part)) => {
                let parts: &[&str] = match form {
                    Form::Upid => &["node"],
                    Form::Volid => &["storage"],
                    Form::Size => &["gib"],
                    _ => &[],
                };
                let skipped = name.chars().count() + 1;
                let at = if whole { at.part(skipped, part.chars().count().max(1)) } else { at };
                self.diagnostics.report(at, format!("`{name}` has no part `{part}`")).near(part, parts.iter().copied());
                return None;
            }
        };
        Some(Source { argument: name.to_owned(), part })
    }

    /// Text with `{argument}` in it.
    pub(super) fn template(&mut self, node: &Node, arguments: &[Argument]) -> Option<Template> {
        let Some(text) = node.scalar() else {
            self.diagnostics.report(node.at, format!("expected text with `{{argument}}`, found {}", node.kind()));
            return None;
        };
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        let mut offset = 0;
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}').map(|close| open + close) else { break };
            if open > 0 {
                parts.push(TemplatePart::Text(rest[..open].to_owned()));
            }
            let inside = &rest[open + 1..close];
            let at = node.part(offset + rest[..=open].chars().count(), inside.chars().count());
            parts.push(TemplatePart::Value(self.source(inside, at, arguments)?));
            offset += rest[..=close].chars().count();
            rest = &rest[close + 1..];
        }
        if let Some(brace) = rest.find(['{', '}']) {
            let at = node.part(offset + rest[..brace].chars().count(), 1);
            self.diagnostics.report(at, "a brace without its other half").help("write `{argument}`");
            return None;
        }
        if !rest.is_empty() {
            parts.push(TemplatePart::Text(rest.to_owned()));
        }
        let optional = |part: &TemplatePart| match part {
            TemplatePart::Text(_) => false,
            TemplatePart::Value(source) => {
                arguments.iter().any(|one| one.name == source.argument && one.default.is_none())
            }
        };
        if !parts.iter().any(optional) {
            self.diagnostics
                .report(node.at, "this text would always be sent: none of its arguments is the caller's to give")
                .help("write it as `fixed`, or take the default from one of its arguments");
            return None;
        }
        Some(Template { parts })
    }
}
