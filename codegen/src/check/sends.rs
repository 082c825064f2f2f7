//! The request lines of examples: `VERB /path name=value …`, compared word by word with what the tool sends.
//!
//! Knows the values that an example writes out, and compares these alone; the generated tests compare the whole line
//! with the plan that the server makes.

use super::Checker;
use super::requests::names;
use super::values::wire;
use crate::catalogue::*;
use crate::diagnostic::{Diagnostics, Span, alternatives, nearest};
use crate::spec::{ExampleSpec, Text, ToolSpec};
use crate::tree::{Node, Yaml};
use proxmox_spec::{Segment, Type, Verb, property};

impl Checker<'_> {
    /// Compares the lines of a tool's examples with its requests; `locate` is the read that finds the kind.
    pub(super) fn sends(
        &mut self,
        spec: &ToolSpec,
        arguments: &[Argument],
        locate: Option<&Request>,
        routes: &[Route],
        guards: &[Guard],
    ) {
        for example in &spec.examples {
            let said = Said { example, arguments };
            let kind = example.given.iter().find(|(name, _)| name.is == "kind").and_then(|(_, node)| node.scalar());
            let fitting = routes.iter().filter(|route| {
                kind.is_none() || route.kind.is_none() || route.kind.map(Kind::as_str) == kind.as_deref()
            });
            let fitting: Vec<&Route> = fitting.collect();
            let mut requests: Vec<&Request> = fitting.iter().map(|route| &route.request).collect();
            requests.extend(fitting.iter().flat_map(|route| &route.also).map(|also| &also.request));
            requests.extend(locate);
            requests.extend(guards.iter().filter_map(|guard| match guard {
                Guard::Digest { request, .. } | Guard::Absent { request, .. } => Some(request),
                Guard::Vacant { .. } => None,
            }));
            for line in &example.sends {
                let words = words(line);
                let best = requests.iter().map(|request| said.compare(request, &words, line.at));
                match best.min_by_key(|mistakes| mistakes.cost) {
                    Some(best) => best.list.into_iter().for_each(|one| one.report(self.diagnostics)),
                    // None of the routes has this kind, which is reported elsewhere.
                    None => continue,
                }
            }
        }
    }
}

/// A word of a line and its place.
struct Word {
    text: String,
    at: Span,
}

impl Word {
    fn part(&self, offset: usize, length: usize) -> Span {
        if self.at.length == self.text.chars().count() { self.at.part(offset, length) } else { self.at }
    }
}

/// The words of a line. A quoted part keeps its blanks and loses its quotes.
fn words(line: &Node) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut text, mut start, mut quoted) = (String::new(), 0, false);
    let written = line.scalar().unwrap_or_default();
    let end = written.chars().count();
    for (index, c) in written.chars().chain([' ']).enumerate() {
        match c {
            '\'' if index < end => quoted = !quoted,
            ' ' if !quoted || index == end => {
                if index > start {
                    words.push(Word { text: std::mem::take(&mut text), at: line.part(start, index - start) });
                }
                start = index + 1;
            }
            c => text.push(c),
        }
    }
    words
}

/// One word that is not what the tool sends.
struct Mistake {
    at: Span,
    message: String,
    help: String,
    note: String,
}

impl Mistake {
    fn report(self, diagnostics: &mut Diagnostics) {
        diagnostics.report(self.at, self.message).help(self.help).note(self.note);
    }
}

/// How far a line is from a request.
struct Mistakes {
    cost: usize,
    list: Vec<Mistake>,
}

impl Mistakes {
    fn add(&mut self, cost: usize, at: Span, message: String, help: String, note: String) {
        self.cost += cost;
        self.list.push(Mistake { at, message, help, note });
    }
}

/// What an example says of its arguments and its cluster.
struct Said<'a> {
    example: &'a ExampleSpec,
    arguments: &'a [Argument],
}

/// A value that an example determines, and who says so.
struct Value {
    text: String,
    from: String,
}

impl<'a> Said<'a> {
    fn compare(&self, request: &Request, words: &[Word], at: Span) -> Mistakes {
        let mut mistakes = Mistakes { cost: 0, list: Vec::new() };
        let method = request.method;
        let [verb, path, params @ ..] = words else {
            let help = format!("this call sends `{} {}`", method.verb, method.path);
            mistakes.add(1, at, "a line is a method, a path, and `name=value` pairs".to_owned(), help, String::new());
            return mistakes;
        };
        if verb.text != method.verb.as_str() {
            let message = match Verb::parse(&verb.text) {
                Some(_) => format!("this call is no {}", verb.text),
                None => format!("`{}` is not a method of the API", verb.text),
            };
            // Of two requests on one path, the one with the likelier word is meant.
            let cost = if nearest(&verb.text, &[method.verb.as_str()]).is_empty() { 2 } else { 1 };
            mistakes.add(cost, verb.at, message, format!("write `{}`", method.verb), String::new());
        }
        self.compare_path(request, path, &mut mistakes);
        for pair in params {
            self.compare_param(request, pair, &mut mistakes);
        }
        mistakes
    }

    fn compare_path(&self, request: &Request, path: &Word, mistakes: &mut Mistakes) {
        let open = matches!(request.method.segments.last(), Some(Segment::Remainder(_)));
        let text = path.text.strip_prefix('/').unwrap_or(&path.text);
        let segments: Vec<&str> = match open {
            true => text.splitn(request.path.len(), '/').collect(),
            false => text.split('/').collect(),
        };
        if segments.len() != request.path.len() || !path.text.starts_with('/') {
            let message = format!("`{}` is not the path that is called", path.text);
            let help = format!("the path is `{}`", request.method.path);
            mistakes.add(100, path.at, message, help, String::new());
            return;
        }
        let mut offset = 1;
        for (part, segment) in request.path.iter().zip(segments) {
            let length = segment.chars().count();
            let at = path.part(offset, length);
            offset += length + 1;
            match part {
                PathPart::Literal(literal) if literal == segment => {}
                PathPart::Literal(literal) => {
                    let cost = if nearest(segment, &[literal]).is_empty() { 10 } else { 4 };
                    let message = format!("`{segment}` is not in the path that is called");
                    mistakes.add(cost, at, message, format!("write `{literal}`"), String::new());
                }
                part => {
                    let value = match part {
                        PathPart::Node => self.node(),
                        PathPart::Kind => self.given("kind"),
                        PathPart::Vmid => self.vmid(),
                        PathPart::Value(source) => self.source(source),
                        PathPart::Literal(_) => None,
                    };
                    different(value, segment, at, mistakes);
                }
            }
        }
    }

    fn compare_param(&self, request: &Request, pair: &Word, mistakes: &mut Mistakes) {
        let Some((name, text)) = pair.text.split_once('=') else {
            let message = format!("`{}` is no `name=value` pair", pair.text);
            mistakes.add(2, pair.at, message, String::new(), String::new());
            return;
        };
        let length = name.chars().count();
        let at = pair.part(length + 1, text.chars().count());
        let rest = request.params.iter().find_map(|send| match &send.from {
            From::Rest(argument) => Some(argument),
            _ => None,
        });
        match (request.params.iter().find(|send| send.name == name), rest) {
            (Some(send), _) => match &send.from {
                From::Derived(template) => self.compare_derived(template, text, at, mistakes),
                From::Argument(argument) if send.param.is_some_and(|param| param.ty == Type::Array) => {
                    if let Some((elements, from)) = self.elements(argument)
                        && !elements.iter().any(|element| element == text)
                    {
                        let all: Vec<&str> = elements.iter().map(String::as_str).collect();
                        let message = format!("`{text}` is not what is sent here");
                        let help = format!("write {}", alternatives(&all));
                        mistakes.add(1, at, message, help, format!("it is an element of {from}"));
                    }
                }
                From::Argument(_) if send.param.is_some_and(|param| !param.keys.is_empty()) => {
                    // The same parts in another order are the same.
                    let keys = send.param.map(|param| param.keys).unwrap_or_default();
                    let sorted = |text: &str| {
                        let mut parts = property::parse(keys, text).ok()?;
                        parts.sort();
                        Some(parts)
                    };
                    let sent = self.sent(&send.from, name);
                    let parts = sent.as_ref().and_then(|value| sorted(&value.text));
                    if parts.is_none() || parts != sorted(text) {
                        different(sent, text, at, mistakes);
                    }
                }
                from => different(self.sent(from, name), text, at, mistakes),
            },
            (None, Some(rest)) if request.method.param(name).is_some() => {
                different(self.rest(rest, name), text, at, mistakes);
            }
            _ => {
                let sent = request.params.iter().map(|send| send.name.clone()).filter(|name| !name.is_empty());
                let wide = rest.map(|_| names(request.method, name)).unwrap_or_default();
                let sent: Vec<String> = sent.collect();
                let all: Vec<&str> = sent.iter().chain(&wide).map(String::as_str).collect();
                let near = nearest(name, &all);
                let (help, note) = match (near.is_empty(), sent.is_empty()) {
                    (false, _) => (format!("did you mean {}?", alternatives(&near)), String::new()),
                    (true, false) => (String::new(), format!("it can send {}", sent.join(", "))),
                    (true, true) => (String::new(), "it sends no parameters".to_owned()),
                };
                mistakes.add(2, pair.part(0, length), format!("this call sends no `{name}`"), help, note);
            }
        }
    }

    fn compare_derived(&self, template: &Template, text: &str, at: Span, mistakes: &mut Mistakes) {
        let mut from = Vec::new();
        let parts: Option<String> = template
            .parts
            .iter()
            .map(|part| match part {
                TemplatePart::Text(text) => Some(text.clone()),
                TemplatePart::Value(source) => {
                    let value = self.source(source)?;
                    from.push(value.from);
                    Some(value.text)
                }
            })
            .collect();
        let value = parts.map(|text| Value { text, from: from.join(" and ") });
        different(value, text, at, mistakes);
    }

    /// The value that a parameter is sent with.
    fn sent(&self, from: &From, name: &str) -> Option<Value> {
        match from {
            From::Fixed(text) => Some(Value { text: text.clone(), from: format!("the constant `{name}`") }),
            From::Vmid => self.vmid(),
            From::Digest(None) => self.given("digest"),
            From::Digest(Some(argument)) => self.argument(argument).or_else(|| self.given("digest")),
            From::Argument(argument) => self.argument(argument),
            From::Derived(_) | From::Rest(_) => None,
        }
    }

    fn written(&self, name: &str) -> Option<&'a (Text, Node)> {
        self.example.args.iter().find(|(written, _)| written.is == name)
    }

    /// The wire form of an argument, as far as it can be told without the decoder.
    fn argument(&self, name: &str) -> Option<Value> {
        let argument = self.arguments.iter().find(|argument| argument.name == name)?;
        let Some((written, node)) = self.written(name) else { return self.default(argument) };
        let text = match (argument.form, &node.value) {
            _ if argument.escape => return None,
            (Form::Volid, _) => {
                let text = wire(node)?;
                match text.contains(':') {
                    true => text,
                    false => {
                        let (_, storage) = argument.within.as_ref().and_then(|within| self.written(within))?;
                        format!("{}:{text}", wire(storage)?)
                    }
                }
            }
            (Form::List, Yaml::List(items)) => items.iter().map(wire).collect::<Option<Vec<String>>>()?.join(","),
            (Form::Size | Form::Argv | Form::Guest, _) => return None,
            _ => wire(node)?,
        };
        Some(Value { text, from: format!("`{name}` on line {}", written.at.line) })
    }

    /// The elements of an argument that is sent once for each of them.
    fn elements(&self, name: &str) -> Option<(Vec<String>, String)> {
        let (written, Node { value: Yaml::List(items), .. }) = self.written(name)? else { return None };
        Some((
            items.iter().map(wire).collect::<Option<Vec<String>>>()?,
            format!("`{name}` on line {}", written.at.line),
        ))
    }

    fn default(&self, argument: &Argument) -> Option<Value> {
        let from = format!("the default of `{}`", argument.name);
        let text = match (&argument.default, &argument.default_from) {
            (Some(serde_json::Value::Bool(value)), _) => if *value { "1" } else { "0" }.to_owned(),
            (Some(serde_json::Value::String(text)), _) => text.clone(),
            (Some(serde_json::Value::Number(number)), _) => number.to_string(),
            (None, Some(DefaultFrom::Read(_))) => return self.given("nextid"),
            (None, Some(DefaultFrom::GuestRunning)) => return self.given("running"),
            _ => return None,
        };
        Some(Value { text, from })
    }

    fn rest(&self, argument: &str, name: &str) -> Option<Value> {
        let (_, Node { value: Yaml::Map(pairs), .. }) = self.written(argument)? else { return None };
        let (key, node) = pairs.iter().find(|(key, _)| key.text == name)?;
        Some(Value { text: wire(node)?, from: format!("`{name}` on line {}", key.at.line) })
    }

    fn given(&self, name: &str) -> Option<Value> {
        let (key, node) = self.example.given.iter().find(|(key, _)| key.is == name)?;
        Some(Value { text: wire(node)?, from: format!("`{name}` on line {}", key.at.line) })
    }

    fn node(&self) -> Option<Value> {
        self.given("node").or_else(|| {
            let (key, node) = self.written("node")?;
            Some(Value { text: wire(node)?, from: format!("`node` on line {}", key.at.line) })
        })
    }

    /// The guest's id; a name tells none.
    fn vmid(&self) -> Option<Value> {
        let id = |value: &Value| value.text.bytes().all(|byte| byte.is_ascii_digit());
        self.given("vmid")
            .or_else(|| {
                let (key, node) = self.written("vmid")?;
                Some(Value { text: wire(node)?, from: format!("`vmid` on line {}", key.at.line) })
            })
            .filter(id)
    }

    /// The value of a placeholder.
    fn source(&self, source: &Source) -> Option<Value> {
        if source.part == SourcePart::Gib {
            let name = &source.argument;
            let Value { text, from } = match self.written(name) {
                Some((written, node)) => {
                    Value { text: wire(node)?, from: format!("`{name}` on line {}", written.at.line) }
                }
                None => self.default(self.arguments.iter().find(|one| one.name == *name)?)?,
            };
            return Some(Value { text: text.strip_suffix('G')?.to_owned(), from });
        }
        let Value { text, from } = self.argument(&source.argument)?;
        let text = match source.part {
            SourcePart::Whole | SourcePart::Gib => text,
            SourcePart::Node => text.split(':').nth(1)?.to_owned(),
            SourcePart::Storage => text.split_once(':')?.0.to_owned(),
        };
        Some(Value { text, from })
    }
}

/// Two texts of one value.
fn different(value: Option<Value>, text: &str, at: Span, mistakes: &mut Mistakes) {
    if let Some(value) = value.filter(|value| value.text != text) {
        let message = format!("`{text}` is not what is sent here");
        mistakes.add(1, at, message, format!("write `{}`", value.text), format!("it is {}", value.from));
    }
}
