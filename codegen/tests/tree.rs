//! Both YAML parsers see the same tree, and positions point at the text.

use proptest::prelude::*;
use proxmox_codegen::diagnostic::{Diagnostics, Span};
use proxmox_codegen::tree::{Node, Yaml, parse};

fn read(text: &str) -> Node {
    let mut diagnostics = Diagnostics::default();
    match parse(text, &mut diagnostics) {
        Some(root) => root,
        None => panic!("{}\n{text}", diagnostics.render("text", text).join("\n")),
    }
}

/// What serde_yaml alone makes of a text, as JSON.
fn alone(text: &str) -> serde_json::Value {
    let value: serde_yaml::Value = serde_yaml::from_str(text).expect("it is YAML");
    json(&value)
}

fn json(value: &serde_yaml::Value) -> serde_json::Value {
    use serde_yaml::Value;
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(value) => value.into(),
            None => number.as_f64().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(pairs) => {
            // A key is its text, whatever it looks like.
            let text =
                |key: &Value| serde_yaml::to_string(key).unwrap_or_default().trim().trim_matches('\'').to_owned();
            pairs.iter().map(|(key, value)| (text(key), json(value))).collect()
        }
        Value::Tagged(_) => panic!("a tag"),
    }
}

/// The characters at a span.
fn at(text: &str, span: Span) -> String {
    let line = text.lines().nth(span.line - 1).unwrap_or_default();
    line.chars().skip(span.column - 1).take(span.length).collect()
}

/// Every key stands where its span says, and every scalar whose text stands there as it is read.
fn points(text: &str, node: &Node) {
    match &node.value {
        Yaml::Map(pairs) => {
            for (key, value) in pairs {
                assert!(
                    at(text, key.at).contains(&key.text),
                    "{:?} at {:?} is {:?}",
                    key.text,
                    key.at,
                    at(text, key.at)
                );
                points(text, value);
            }
        }
        Yaml::List(items) => items.iter().for_each(|item| points(text, item)),
        Yaml::Text(scalar) if node.inner.is_some() => {
            let length = scalar.chars().count();
            assert_eq!(at(text, Span { length, ..node.part(0, length) }), *scalar);
            // The second half of it.
            let half = length / 2;
            let rest: String = scalar.chars().skip(half).collect();
            assert_eq!(at(text, Span { length: length - half, ..node.part(half, length - half) }), rest);
        }
        _ => {}
    }
}

#[test]
fn the_catalogues_are_read_as_serde_yaml_reads_them() {
    let tools = include_str!("../../tools.yaml");
    for text in [tools, include_str!("entry.yaml"), include_str!("mini.yaml")] {
        let root = read(text);
        let (ours, theirs) = (format!("{:#}", root.json()), format!("{:#}", alone(text)));
        let different = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
        assert_eq!(different, None);
        assert_eq!(ours.len(), theirs.len());
        points(text, &root);
    }
}

#[test]
fn positions_count_characters_and_know_quotes() {
    let text = "a: { b: \"{x}/é y\" , c: 'z z' }\nü: [ one, \"two\\t\" ]\n";
    let root = read(text);
    points(text, &root);
    let Yaml::Map(pairs) = &root.value else { panic!("a mapping") };
    let Yaml::Map(inner) = &pairs[0].1.value else { panic!("a mapping") };
    let quoted = &inner[0].1;
    assert_eq!((quoted.at.line, quoted.at.column, quoted.at.length), (1, 9, 9));
    assert_eq!(quoted.part(4, 3), Span { line: 1, column: 14, length: 3 });
    let Yaml::List(items) = &pairs[1].1.value else { panic!("a list") };
    assert_eq!((pairs[1].0.at.line, pairs[1].0.at.column), (2, 1));
    // What is escaped stands there otherwise, so parts of it are the whole.
    assert_eq!(items[1].inner, None);
    assert_eq!(items[1].part(1, 1), items[1].at);
}

#[test]
fn folded_text_has_no_parts() {
    let text = "a: one\n  two\nb: |\n  three\n  four\n";
    let root = read(text);
    assert_eq!(root.json(), serde_json::json!({ "a": "one two", "b": "three\nfour\n" }));
    let Yaml::Map(pairs) = &root.value else { panic!("a mapping") };
    assert!(pairs.iter().all(|(_, node)| node.inner.is_none()));
}

#[test]
fn deep_nesting_is_a_mistake_and_no_crash() {
    for text in ["[".repeat(5000), format!("{}1{}", "[".repeat(200), "]".repeat(200)), "a: {".repeat(3000)] {
        let mut diagnostics = Diagnostics::default();
        assert!(parse(&text, &mut diagnostics).is_none());
        assert!(!diagnostics.is_empty());
    }
}

/// A document of the subset that the catalogue is written in, with its text.
#[derive(Debug, Clone)]
enum Document {
    Scalar(String),
    List(Vec<Document>),
    Map(Vec<(String, Document)>),
    /// The same in one line.
    Flow(Box<Document>),
}

fn scalar() -> impl Strategy<Value = String> {
    let plain = "[a-zA-Z][a-zA-Z0-9_./|-]{0,11}( [a-zA-Z0-9_]{1,6}){0,3}";
    prop_oneof![
        4 => plain.prop_map(|text| text),
        1 => "[0-9]{1,9}",
        1 => "-?[0-9]{1,4}\\.[0-9]{1,3}",
        1 => prop_oneof![Just("true".to_owned()), Just("false".to_owned())],
        2 => "[ -~éü→]{0,16}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        2 => "[ -~éü→]{0,16}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    let keys = "[a-z][a-z0-9_-]{0,8}";
    scalar().prop_map(Document::Scalar).prop_recursive(4, 24, 4, move |inner| {
        let pairs = prop::collection::btree_map(keys, inner.clone(), 1..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Document::List),
            pairs.prop_map(|pairs| Document::Map(pairs.into_iter().collect())),
            inner.prop_map(|inner| Document::Flow(Box::new(inner))),
        ]
    })
}

fn flow(document: &Document) -> String {
    match document {
        Document::Scalar(text) => text.clone(),
        Document::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Document::Map(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Document::Flow(inner) => flow(inner),
    }
}

fn block(document: &Document, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    match document {
        Document::Scalar(_) | Document::Flow(_) => {
            out.push(' ');
            out.push_str(&flow(document));
            out.push('\n');
        }
        Document::List(items) => {
            out.push('\n');
            for item in items {
                out.push_str(&format!("{margin}-"));
                block(item, indent + 2, out);
            }
        }
        Document::Map(pairs) => {
            out.push('\n');
            for (key, value) in pairs {
                out.push_str(&format!("{margin}{key}:"));
                block(value, indent + 2, out);
            }
        }
    }
}

proptest! {
    #[test]
    fn documents_of_the_subset_are_read_as_serde_yaml_reads_them(document in document()) {
        let mut text = "top:".to_owned();
        block(&document, 2, &mut text);
        let root = read(&text);
        prop_assert_eq!(root.json(), alone(&text));
        points(&text, &root);
    }

    /// Whatever stands in the file, there is an answer.
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n\té]{0,80}") {
        let mut diagnostics = Diagnostics::default();
        let read = parse(&text, &mut diagnostics);
        prop_assert_eq!(read.is_none(), !diagnostics.is_empty());
    }
}
