//! What the log of a finished task tells: the lines that are looked for, and the text that is made of them.
//!
//! Knows parameters of the facts; must not know how a log is read.

use super::Checker;
use crate::catalogue::*;
use crate::spec::{Text, ToldSpec, ToolSpec};

/// The place of what is wanted, in a line and in the text that is made of it.
const PLACE: &str = "{}";
/// Fields that answers of started work have by themselves.
const OWN: [&str; 6] = ["outcome", "vmid", "kind", "node", "log", "notes"];

impl Checker<'_> {
    pub(super) fn told(&mut self, spec: &ToolSpec, routes: &[Route], waiter: Option<&str>) -> Vec<Told> {
        let waiter = self.spec.waiters.iter().find(|one| Some(one.name.is.as_str()) == waiter);
        let mut told = Vec::new();
        for one in &spec.answers {
            if waiter.is_none_or(|waiter| waiter.log.is_none()) {
                self.diagnostics
                    .report(one.field.at, "this call starts nothing that has a log")
                    .help("delete `answers`, or name a waiter with a `log`");
                return Vec::new();
            }
            self.told_field(one, spec, routes, waiter);
            let lines = one.from.iter().map(|(log, is)| (self.line(log), self.made(is, routes))).collect();
            let doc = one.doc.as_ref().map(|doc| doc.is.clone()).unwrap_or_default();
            told.push(Told { field: one.field.is.clone(), doc, lines });
        }
        told
    }

    /// A field of its own, beside those that the answer has anyway.
    fn told_field(
        &mut self,
        one: &ToldSpec,
        spec: &ToolSpec,
        routes: &[Route],
        waiter: Option<&crate::spec::WaiterSpec>,
    ) {
        let name = &one.field;
        let good = name.is.starts_with(|c: char| c.is_ascii_lowercase())
            && name.is.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !good {
            self.diagnostics
                .report(name.at, format!("`{}` is not a name of a field", name.is))
                .help("lower-case letters, digits and underscores, a letter first");
        }
        let handle = waiter.iter().flat_map(|waiter| waiter.from.iter().map(|(name, _)| name.is.as_str()));
        let ends = waiter.iter().flat_map(|waiter| waiter.fields.iter().map(|field| field.to.as_str()));
        let echoed = routes.iter().flat_map(|route| route.returns.echo.iter().map(|(_, field)| field.as_str()));
        let shown = spec.guard.iter().filter_map(|guard| guard.show.as_ref()).map(|show| show.is.as_str());
        let known: Vec<&str> = OWN.into_iter().chain(handle).chain(ends).chain(echoed).chain(shown).collect();
        if known.contains(&name.is.as_str()) {
            self.diagnostics.report(name.at, format!("the answer has a field `{}` already", name.is));
        }
    }

    fn line(&mut self, log: &Text) -> String {
        let mut halves = log.is.split(PLACE);
        let (before, behind, more) = (halves.next().unwrap_or_default(), halves.next(), halves.next());
        let at = log.at;
        match behind {
            None => {
                self.diagnostics
                    .report(at, "the line has no place for what is wanted")
                    .help("write `{}` where it stands, such as `target file: */{}`");
            }
            Some(_) if more.is_some() => {
                self.diagnostics.report(at, "the line has more than one `{}`");
            }
            Some(behind) if behind.contains('*') => {
                self.diagnostics
                    .report(at, "`*` stands before `{}` only")
                    .help("write the text with which the line ends");
            }
            Some(_) if before.ends_with('*') => {
                self.diagnostics
                    .report(at, "nothing says where what is wanted begins")
                    .help("write the text right before `{}`, such as `*/{}`");
            }
            // Callers' own words stand in logs: a line is known by how it begins.
            Some(_) if !before.starts_with(|c: char| c.is_alphanumeric()) => {
                self.diagnostics
                    .report(at, "the line does not say how it begins")
                    .help("begin with the log's own words");
            }
            Some(_) => {}
        }
        log.is.clone()
    }

    /// Text with `{}` and with `{parameter}`.
    fn made(&mut self, is: &Text, routes: &[Route]) -> Vec<ToldPart> {
        let mut parts = Vec::new();
        let mut rest = is.is.as_str();
        while let Some((text, (name, behind))) =
            rest.split_once('{').and_then(|(text, behind)| Some((text, behind.split_once('}')?)))
        {
            if !text.is_empty() {
                parts.push(ToldPart::Text(text.to_owned()));
            }
            rest = behind;
            if name.is_empty() {
                parts.push(ToldPart::Found);
                continue;
            }
            for method in routes.iter().map(|route| route.request.method) {
                match method.param(name) {
                    None => {
                        let at = Text { at: is.at, is: name.to_owned() };
                        self.no_param(&at, method);
                        break;
                    }
                    Some(param) if param.secret => {
                        self.diagnostics.report(is.at, format!("`{name}` is a secret, and would be shown"));
                        break;
                    }
                    Some(_) => {}
                }
            }
            parts.push(ToldPart::Sent(name.to_owned()));
        }
        if rest.contains(['{', '}']) {
            self.diagnostics.report(is.at, "a brace without its other half").help("write `{parameter}` or `{}`");
        }
        if !rest.is_empty() {
            parts.push(ToldPart::Text(rest.to_owned()));
        }
        if parts.iter().filter(|part| **part == ToldPart::Found).count() != 1 {
            self.diagnostics.report(is.at, "the text has to have one `{}`: what the log tells");
        }
        parts
    }
}
