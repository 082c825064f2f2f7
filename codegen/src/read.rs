//! Tree → [`Spec`]: which keys there are, and what form each value has. Objects are closed: an unknown key is a mistake.

mod offers;
mod returns;
mod tool;

use crate::diagnostic::{Diagnostics, Span};
use crate::path::Call;
use crate::spec::*;
use crate::tree::{Key, Node, Yaml};

/// The only version of the language.
const VERSION: i64 = 1;

/// Reads a catalogue. Reports what has the wrong form and leaves it out, so that the rest is still checked.
pub fn read(root: &Node, diagnostics: &mut Diagnostics) -> Spec {
    let mut reader = Reader { diagnostics };
    let mut spec = Spec::default();
    let Some(mut fields) = reader.object(root, "the catalogue") else { return spec };
    match fields.take("catalogue") {
        Some(Node { value: Yaml::Int(VERSION), .. }) => {}
        Some(node) => {
            reader
                .diagnostics
                .report(node.at, "this generator reads version 1 of the catalogue language")
                .help("write `catalogue: 1`");
        }
        // A key without a value is reported when the object is closed, a misspelt one as unknown.
        None if fields.has("catalogue") || fields.resembles("catalogue") => {}
        None => {
            reader.diagnostics.report(root.at, "the catalogue does not say its version").help("write `catalogue: 1`");
        }
    }
    spec.vocabulary = reader.texts(fields.take("vocabulary"));
    spec.units = reader.texts(fields.take("units"));
    for (key, node) in reader.entries(fields.take("dialects")) {
        let Some(mut object) = reader.object(node, "a dialect") else { continue };
        spec.dialects.push(DialectSpec {
            name: text(key),
            title: reader.text(object.take("title")),
            rename: reader.texts(object.take("rename")),
        });
        reader.need(&object, key.at, "title", "title: Another server 1.0");
        reader.close(object);
    }
    for (key, node) in reader.entries(fields.take("waiters")) {
        spec.waiters.extend(reader.waiter(key, node));
    }
    spec.hints = reader.hints(fields.take("hints"));
    for (key, node) in reader.entries(fields.take("toolsets")) {
        let Some(mut object) = reader.object(node, "a toolset") else { continue };
        let (title, doc) = (reader.text(object.take("title")), reader.text(object.take("doc")));
        let mut tools = Vec::new();
        let entries = object.take("tools");
        for (key, node) in reader.entries(entries) {
            tools.extend(reader.tool(key, node));
        }
        if let Some(Node { value: Yaml::Map(pairs), .. }) = entries
            && pairs.is_empty()
        {
            reader.diagnostics.report(key.at, format!("the toolset `{}` has no tools", key.text)).help("delete it");
        }
        reader.need(&object, key.at, "title", "title: Power");
        reader.need(&object, key.at, "doc", "doc: Starting and stopping guests.");
        reader.need(&object, key.at, "tools", "tools: {start_guest: {…}}");
        reader.close(object);
        spec.toolsets.push(ToolsetSpec { name: text(key), title, doc, tools });
    }
    reader.offers(&mut fields, &mut spec);
    reader.close(fields);
    spec
}

fn text(key: &Key) -> Text {
    At { at: key.at, is: key.text.clone() }
}

/// A mapping whose keys are taken one by one; what is left at the end is unknown.
struct Object<'a> {
    pairs: &'a [(Key, Node)],
    taken: Vec<&'static str>,
    what: &'static str,
}

impl<'a> Object<'a> {
    /// The value of a key. A key without a value counts as absent here; closing the object reports it.
    fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.taken.push(key);
        let (_, node) = self.pairs.iter().find(|(found, _)| found.text == key)?;
        (node.value != Yaml::Null).then_some(node)
    }

    /// Whether the key is there, with or without a value.
    fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(found, _)| found.text == key)
    }

    /// Whether an unknown key is probably this one, misspelt: then its absence is not worth a report of its own.
    fn resembles(&self, key: &'static str) -> bool {
        let unknown =
            self.pairs.iter().map(|(found, _)| found.text.as_str()).filter(|found| !self.taken.contains(found));
        unknown.into_iter().any(|found| proxmox_spec::nearest(found, self.taken.iter().copied()) == Some(key))
    }
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn wrong(&mut self, node: &Node, expected: &str) {
        self.diagnostics.report(node.at, format!("expected {expected}, found {}", node.kind()));
    }

    fn object<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Object<'n>> {
        match &node.value {
            Yaml::Map(pairs) => Some(Object { pairs, taken: Vec::new(), what }),
            _ => {
                self.wrong(node, &format!("{what}, that is a mapping"));
                None
            }
        }
    }

    /// Reports the keys that nobody took, and those without a value. `else: null` is a value.
    fn close(&mut self, object: Object<'_>) {
        for (key, node) in object.pairs {
            if object.taken.contains(&key.text.as_str()) {
                if node.value == Yaml::Null && key.text != "else" {
                    self.diagnostics
                        .report(key.at, format!("`{}` has no value", key.text))
                        .help("write one, or delete the line");
                }
            } else {
                self.diagnostics
                    .report(key.at, format!("`{}` is not a key of {}", key.text, object.what))
                    .near(&key.text, object.taken.iter().copied());
            }
        }
    }

    fn entries<'n>(&mut self, node: Option<&'n Node>) -> Vec<(&'n Key, &'n Node)> {
        match node {
            None => Vec::new(),
            Some(Node { value: Yaml::Map(pairs), .. }) => pairs.iter().map(|(key, node)| (key, node)).collect(),
            Some(node) => {
                self.wrong(node, "a mapping");
                Vec::new()
            }
        }
    }

    /// A list, or one item that stands for a list of one.
    fn items<'n>(&mut self, node: Option<&'n Node>) -> Vec<&'n Node> {
        match node {
            None => Vec::new(),
            Some(Node { value: Yaml::List(items), .. }) => items.iter().collect(),
            Some(node) => vec![node],
        }
    }

    fn text(&mut self, node: Option<&Node>) -> Option<Text> {
        let node = node?;
        match node.scalar() {
            Some(is) => Some(At { at: node.at, is }),
            None => {
                self.wrong(node, "text");
                None
            }
        }
    }

    /// Text whose place nobody needs; empty when absent.
    fn words(&mut self, node: Option<&Node>) -> String {
        self.text(node).map(|text| text.is.trim_end().to_owned()).unwrap_or_default()
    }

    fn flag(&mut self, node: Option<&Node>) -> Option<bool> {
        match node? {
            Node { value: Yaml::Bool(value), .. } => Some(*value),
            node => {
                self.wrong(node, "true or false");
                None
            }
        }
    }

    fn number(&mut self, node: Option<&Node>) -> Option<At<f64>> {
        match node? {
            Node { value: Yaml::Int(value), at, .. } => Some(At { at: *at, is: *value as f64 }),
            Node { value: Yaml::Float(value), at, .. } => Some(At { at: *at, is: *value }),
            node => {
                self.wrong(node, "a number");
                None
            }
        }
    }

    fn texts(&mut self, node: Option<&Node>) -> Vec<(Text, Text)> {
        let entries = self.entries(node);
        entries.into_iter().filter_map(|(key, node)| Some((text(key), self.text(Some(node))?))).collect()
    }

    fn nodes(&mut self, node: Option<&Node>) -> Vec<(Text, Node)> {
        self.entries(node).into_iter().map(|(key, node)| (text(key), node.clone())).collect()
    }

    fn text_list(&mut self, node: Option<&Node>) -> Vec<Text> {
        let items = self.items(node);
        items.into_iter().filter_map(|item| self.text(Some(item))).collect()
    }

    /// Exactly one entry of a mapping, such as `row: {volid: "{volid}"}`.
    fn pair(&mut self, node: Option<&Node>) -> Option<(Text, Node)> {
        let node = node?;
        let mut pairs = self.nodes(Some(node));
        if pairs.len() == 1 {
            return pairs.pop();
        }
        self.diagnostics.report(node.at, "expected one entry, such as `{field: value}`");
        None
    }

    fn call(&mut self, node: Option<&Node>) -> Option<Call> {
        Call::parse(node?, self.diagnostics)
    }

    /// A word of a closed list.
    fn word<T>(&mut self, node: Option<&Node>, what: &str, all: &[(&'static str, T)]) -> Option<At<T>>
    where
        T: Copy,
    {
        let found = self.text(node)?;
        match all.iter().find(|(word, _)| *word == found.is) {
            Some((_, value)) => Some(At { at: found.at, is: *value }),
            None => {
                self.diagnostics
                    .report(found.at, format!("`{}` is not {what}", found.is))
                    .near(&found.is, all.iter().map(|(word, _)| *word));
                None
            }
        }
    }

    fn hints(&mut self, node: Option<&Node>) -> Vec<HintSpec> {
        let mut hints = Vec::new();
        for node in self.items(node) {
            let Some(mut object) = self.object(node, "a hint") else { continue };
            let status = self.number(object.take("status")).map(|status| status.is as u16);
            let has = self.words(object.take("has"));
            let say = self.words(object.take("say"));
            let retry = self.word(object.take("retry"), "a way to retry", &[("once", true)]).is_some();
            self.need(&object, node.at, "say", "say: Start the guest first.");
            if !object.has("status") {
                self.need(&object, node.at, "has", "has: not running");
            }
            self.close(object);
            hints.push(HintSpec { at: node.at, status, has, say, retry });
        }
        hints
    }

    fn waiter(&mut self, key: &Key, node: &Node) -> Option<WaiterSpec> {
        let mut object = self.object(node, "a waiter")?;
        let poll = self.call(object.take("poll"));
        let from = self.texts(object.take("from"));
        let log = self.call(object.take("log"));
        let mut outcomes = Vec::new();
        for node in self.items(object.take("outcomes")) {
            let Some(mut rule) = self.object(node, "an outcome rule") else { continue };
            let when = self.condition(rule.take("when"));
            let then = self.text(rule.take("then"));
            self.need(&rule, node.at, "then", "then: ok");
            self.close(rule);
            outcomes.extend(then.map(|then| (when, then)));
        }
        let once = self.flag(object.take("once")).unwrap_or(false);
        let resume = self.text(object.take("resume"));
        let stop = self.text(object.take("stop"));
        let fields = self.fields(object.take("fields"));
        self.need(&object, key.at, "poll", "poll: GET /nodes/{node}/tasks/{upid}/status");
        self.need(&object, key.at, "outcomes", "outcomes: [{when: {status: stopped}, then: ok}]");
        self.close(object);
        Some(WaiterSpec { name: text(key), poll, from, log, outcomes, once, resume, stop, fields })
    }

    /// `{field: text}` or `{field: {starts: text}}`.
    fn condition(&mut self, node: Option<&Node>) -> Option<WhenSpec> {
        let (field, node) = self.pair(node)?;
        if let Yaml::Map(_) = node.value {
            let mut object = self.object(&node, "a condition")?;
            let starts = self.text(object.take("starts"));
            self.need(&object, node.at, "starts", "starts: WARNINGS");
            self.close(object);
            let starts = starts?;
            return Some(WhenSpec { field, starts: true, text: starts.is, at: starts.at });
        }
        let text = match node.value {
            Yaml::Bool(value) => if value { "1" } else { "0" }.to_owned(),
            _ => self.text(Some(&node))?.is,
        };
        Some(WhenSpec { field, starts: false, text, at: node.at })
    }

    /// Reports that an object lacks a key, unless it is there without a value or misspelt, which is reported as such.
    /// Call it when all keys have been taken.
    fn need(&mut self, object: &Object<'_>, at: Span, key: &'static str, example: &str) {
        if !object.has(key) && !object.resembles(key) {
            self.diagnostics.report(at, format!("{} needs `{key}`", object.what)).help(format!("such as `{example}`"));
        }
    }
}
