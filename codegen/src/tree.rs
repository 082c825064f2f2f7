//! YAML text → a tree whose every value knows its place.
//!
//! serde_yaml reads the values; it tells no positions of good ones, so an event parser tells these, and both must see
//! the same tree. Duplicate keys, anchors, aliases and tags are mistakes here: the catalogue has one way to say a thing.

use crate::diagnostic::{Diagnostics, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_yaml::Value;

/// Most levels of nesting; the language needs about a dozen.
const DEEPEST: usize = 64;

const ALIAS: &str = "aliases (`*name`) are not part of the catalogue language";
const WRITTEN_OUT: &str = "write the value out, or put a text into the vocabulary";

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub at: Span,
    pub value: Yaml,
    /// Offset of the first character of a scalar's text in its span: 1 inside quotes; `None` where text and source differ.
    pub inner: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.value == other.value
    }
}

/// A key of a mapping, as written.
#[derive(Debug, Clone)]
pub struct Key {
    pub text: String,
    pub at: Span,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.text == other.text
    }
}

impl Node {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Yaml::Null => "nothing",
            Yaml::Bool(_) => "true or false",
            Yaml::Int(_) | Yaml::Float(_) => "a number",
            Yaml::Text(_) => "text",
            Yaml::List(_) => "a list",
            Yaml::Map(_) => "a mapping",
        }
    }

    /// The span of a part of a scalar's text, or the whole scalar where the source spells it otherwise.
    pub fn part(&self, offset: usize, length: usize) -> Span {
        match self.inner {
            Some(inner) => self.at.part(inner + offset, length),
            None => self.at,
        }
    }

    /// A scalar as text; `None` for lists, mappings and nothing.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Yaml::Bool(value) => Some(value.to_string()),
            Yaml::Int(value) => Some(value.to_string()),
            Yaml::Float(value) => Some(value.to_string()),
            Yaml::Text(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// The same value as JSON.
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Yaml::Null => Json::Null,
            Yaml::Bool(value) => Json::Bool(*value),
            Yaml::Int(value) => Json::from(*value),
            Yaml::Float(value) => Json::from(*value),
            Yaml::Text(value) => Json::String(value.clone()),
            Yaml::List(items) => Json::Array(items.iter().map(Node::json).collect()),
            Yaml::Map(pairs) => Json::Object(pairs.iter().map(|(key, node)| (key.text.clone(), node.json())).collect()),
        }
    }
}

/// Reads a whole document; `None` when it cannot be read at all.
pub fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut events =
        Events { parser: Parser::new_from_str(text), lines: text.lines().collect(), diagnostics, depth: 0 };
    let places = events.document();
    let values: Value = match serde_yaml::from_str(text) {
        Ok(values) => values,
        Err(error) => {
            // A duplicate key is a mistake of its own, told with both places by the event side.
            if diagnostics.is_empty() {
                let at = error.location().map_or(Span { line: 1, column: 1, length: 1 }, |location| Span {
                    line: location.line(),
                    column: location.column(),
                    length: 1,
                });
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
                diagnostics.report(at, format!("this is not YAML: {message}"));
            }
            return None;
        }
    };
    let places = places?;
    join(places, values, diagnostics)
}

/// What the event parser sees: the shape and the places.
struct Place {
    at: Span,
    inner: Option<usize>,
    shape: Shape,
}

enum Shape {
    Scalar(String),
    List(Vec<Place>),
    Map(Vec<(Key, Place)>),
}

struct Events<'text, 'a> {
    parser: Parser<'text, saphyr_parser::StrInput<'text>>,
    lines: Vec<&'text str>,
    diagnostics: &'a mut Diagnostics,
    /// Lists and mappings that are open.
    depth: usize,
}

impl<'text> Events<'text, '_> {
    fn next(&mut self) -> Option<(Event<'text>, Span)> {
        match self.parser.next()? {
            Ok((event, span)) => {
                let length = if span.start.line() == span.end.line() { span.end.col() - span.start.col() } else { 1 };
                Some((event, Span { line: span.start.line(), column: span.start.col() + 1, length: length.max(1) }))
            }
            Err(error) => {
                let at = Span { line: error.marker().line(), column: error.marker().col() + 1, length: 1 };
                if error.info().contains("unknown anchor") {
                    self.diagnostics.report(at, ALIAS).help(WRITTEN_OUT);
                } else {
                    self.diagnostics
                        .report(at, format!("this is not YAML: {}", error.info()))
                        .note("it was noticed here; the mistake may stand before");
                }
                None
            }
        }
    }

    fn document(&mut self) -> Option<Place> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_), _) => {}
                (event, at) => return self.place(event, at),
            }
        }
    }

    fn place(&mut self, event: Event<'text>, at: Span) -> Option<Place> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plainly(anchor, tag.is_some(), at);
                let (at, inner) = self.written(at, style, &text);
                Some(Place { at, inner, shape: Shape::Scalar(text.into_owned()) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.plainly(anchor, tag.is_some(), at);
                self.deeper(at)?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, at) => items.push(self.place(event, at)?),
                    }
                }
                self.depth -= 1;
                Some(Place { at, inner: None, shape: Shape::List(items) })
            }
            Event::MappingStart(anchor, tag) => {
                self.plainly(anchor, tag.is_some(), at);
                self.deeper(at)?;
                let mut pairs: Vec<(Key, Place)> = Vec::new();
                loop {
                    let (event, key_at) = self.next()?;
                    let text = match event {
                        Event::MappingEnd => break,
                        Event::Scalar(text, _, anchor, tag) => {
                            self.plainly(anchor, tag.is_some(), key_at);
                            text.into_owned()
                        }
                        Event::Alias(_) => {
                            self.diagnostics.report(key_at, ALIAS).help(WRITTEN_OUT);
                            return None;
                        }
                        _ => {
                            self.diagnostics.report(key_at, "a key must be a word");
                            return None;
                        }
                    };
                    let (event, at) = self.next()?;
                    let place = self.place(event, at)?;
                    if let Some((first, _)) = pairs.iter().find(|(key, _)| key.text == text) {
                        let first = first.at.line;
                        self.diagnostics
                            .report(key_at, format!("`{text}` stands here twice"))
                            .note(format!("the first one is on line {first}"));
                        continue;
                    }
                    pairs.push((Key { text, at: key_at }, place));
                }
                self.depth -= 1;
                Some(Place { at, inner: None, shape: Shape::Map(pairs) })
            }
            Event::Alias(_) => {
                self.diagnostics.report(at, ALIAS).help(WRITTEN_OUT);
                None
            }
            _ => {
                let at = Span { line: self.lines.len().max(1), column: 1, length: 1 };
                self.diagnostics.report(at, "there is no catalogue here").help("begin with `catalogue: 1`");
                None
            }
        }
    }

    /// The exact span of a scalar that the source spells as it is read, and how far into it the text begins.
    ///
    /// The parser's own span of a quoted scalar may run on over blanks, and of a folded one it tells the first line.
    fn written(&self, at: Span, style: ScalarStyle, text: &str) -> (Span, Option<usize>) {
        let quote = match style {
            ScalarStyle::Plain => "",
            ScalarStyle::SingleQuoted => "'",
            ScalarStyle::DoubleQuoted => "\"",
            ScalarStyle::Literal | ScalarStyle::Folded => return (at, None),
        };
        let line = self.lines.get(at.line.saturating_sub(1)).copied().unwrap_or_default();
        let start = line.char_indices().nth(at.column.saturating_sub(1)).map_or(line.len(), |(index, _)| index);
        let same = line[start..]
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_prefix(text))
            .is_some_and(|rest| rest.starts_with(quote));
        if !same {
            return (at, None);
        }
        let quotes = quote.len();
        (Span { length: (text.chars().count() + 2 * quotes).max(1), ..at }, Some(quotes))
    }

    /// Anchors and tags say in a second way what can be said plainly.
    fn plainly(&mut self, anchor: usize, tagged: bool, at: Span) {
        if anchor != 0 || tagged {
            let message = "anchors (`&name`) and tags (`!name`) are not part of the catalogue language";
            self.diagnostics.report(at, message).help("write the value alone");
        }
    }

    /// Nesting has an end, so that no text can exhaust the stack.
    fn deeper(&mut self, at: Span) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.diagnostics.report(at, format!("this is nested more than {DEEPEST} levels deep"));
            return None;
        }
        Some(())
    }
}

/// Both parsers' views of the same text, as one tree.
fn join(place: Place, value: Value, diagnostics: &mut Diagnostics) -> Option<Node> {
    let Place { at, inner, shape } = place;
    let value = match (shape, value) {
        (Shape::Scalar(_), Value::Null) => Yaml::Null,
        (Shape::Scalar(_), Value::Bool(value)) => Yaml::Bool(value),
        (Shape::Scalar(_), Value::Number(number)) => match number.as_i64() {
            Some(value) => Yaml::Int(value),
            None => Yaml::Float(number.as_f64()?),
        },
        (Shape::Scalar(seen), Value::String(value)) if seen == value => Yaml::Text(value),
        (Shape::List(places), Value::Sequence(values)) if places.len() == values.len() => {
            let joined: Option<Vec<Node>> =
                places.into_iter().zip(values).map(|(place, value)| join(place, value, diagnostics)).collect();
            Yaml::List(joined?)
        }
        (Shape::Map(places), Value::Mapping(values)) if places.len() == values.len() => {
            let joined: Option<Vec<(Key, Node)>> = places
                .into_iter()
                .zip(values)
                .map(|((key, place), (_, value))| Some((key, join(place, value, diagnostics)?)))
                .collect();
            Yaml::Map(joined?)
        }
        _ => {
            diagnostics.report(at, "the two YAML parsers read this differently; write it more plainly, with quotes");
            return None;
        }
    };
    Some(Node { at, value, inner })
}
