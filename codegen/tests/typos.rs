//! A typing mistake in any word of an entry fails the build, on its line and with the right word.
//!
//! Every key and every closed word, reference, path segment, field and parameter of `entry.yaml` is misspelt in turn.
//! What is free is listed here, with the reason: nobody but the author knows the right word. The mistake in a free word
//! that something else repeats is told there.

use proxmox_codegen::diagnostic::{Diagnostics, Span};
use proxmox_codegen::tree::{self, Node, Yaml};
use proxmox_codegen::{Source, compile};

const ENTRY: &str = include_str!("entry.yaml");

/// Keys whose values are texts for people.
const TEXTS: [&str; 6] = ["title", "doc", "say", "has", "because", "note"];

/// Mappings whose values are texts for people.
const MAPS_OF_TEXTS: [&str; 6] = ["vocabulary", "units", "unsupported", "refused", "except", "ignores"];

/// Mappings whose keys are coined by the author: toolsets, tools, resources, prompts, fields and parts of the answer, and what other servers
/// call a thing.
const MAPS_OF_NAMES: [&str; 9] =
    ["resources", "prompts", "toolsets", "tools", "also", "split", "refused", "ignores", "theirs"];

/// Keys whose values are names in the answer, coined by the author.
const NAMES: [&str; 4] = ["list", "values", "value", "show"];

/// Arguments of these parsers are no parameters, so they have the author's names.
const COINED: [&str; 4] = ["rest", "file", "path", "expect"];

/// Scalars that nothing in the catalogue or in the facts repeats.
const FREE: [&str; 7] = [
    // The facts do not list how tasks end.
    "waiters.task.outcomes.-.when.exitstatus",
    "waiters.task.outcomes.-.when.exitstatus.starts",
    // The facts do not list the types of tasks.
    "completions.upid.drop.type.-",
    // Any node and any storage may be an example.
    "prompts.deploy.args.node.example",
    "prompts.deploy.args.storage.example",
    // Any segment may stand in a URI.
    "resources.task.uri",
    // Any size is one.
    "toolsets.guests.tools.create_vm.args.disk_size.default",
];

/// A word that stands in the catalogue, and its place.
struct Word {
    text: String,
    at: Span,
    path: String,
}

fn words() -> Vec<Word> {
    let mut diagnostics = Diagnostics::default();
    let root = tree::parse(ENTRY, &mut diagnostics).expect("the entry is YAML");
    let mut words = Vec::new();
    walk(&root, &mut Vec::new(), &mut words);
    words
}

fn walk(node: &Node, path: &mut Vec<String>, words: &mut Vec<Word>) {
    match &node.value {
        Yaml::Map(pairs) => {
            for (key, value) in pairs {
                let argument = path.last().is_some_and(|last| last == "args");
                if !(coined(path) || argument && own(value)) {
                    let path = path.join(".");
                    words.push(Word { text: key.text.clone(), at: key.at, path });
                }
                path.push(key.text.clone());
                walk(value, path, words);
                path.pop();
            }
        }
        Yaml::List(items) => {
            for item in items {
                path.push("-".to_owned());
                walk(item, path, words);
                path.pop();
            }
        }
        _ => {
            if let Some(text) = node.scalar().filter(|_| !free(path)) {
                // Of `new = old` the first half is coined.
                let skipped =
                    if path.iter().any(|step| step == "fields") { text.find('=').map_or(0, |at| at + 1) } else { 0 };
                for (offset, word) in split(&text).into_iter().filter(|(offset, _)| *offset >= skipped) {
                    words.push(Word {
                        text: word.clone(),
                        at: node.part(offset, word.chars().count()),
                        path: path.join("."),
                    });
                }
            }
        }
    }
}

/// Whether the keys of the mapping at this path are the author's own.
fn coined(path: &[String]) -> bool {
    let last = path.last().map_or("", String::as_str);
    let before = path.len().checked_sub(2).map_or("", |index| path[index].as_str());
    // names → dialect → their name.
    MAPS_OF_NAMES.contains(&last) || before == "names"
}

/// Whether an argument has a name of its own: it says its API name itself, or is no parameter.
fn own(argument: &Node) -> bool {
    let Yaml::Map(pairs) = &argument.value else { return false };
    pairs.iter().any(|(key, value)| {
        let parser = value.scalar().unwrap_or_default();
        key.text == "as" || key.text == "parse" && COINED.contains(&parser.as_str())
    })
}

/// Whether the scalar at this path is free.
fn free(path: &[String]) -> bool {
    let last = path.last().map_or("", String::as_str);
    let before = path.len().checked_sub(2).map_or("", |index| path[index].as_str());
    let list = before == "returns" || before == "guard";
    if FREE.contains(&path.join(".").as_str()) {
        return true;
    }
    let text = TEXTS.contains(&last) || MAPS_OF_TEXTS.contains(&before);
    // An argument or a waiter that is written as its text alone; `rename` leads to another server's word.
    text || before == "args" && !path.iter().any(|step| step == "examples" || step == "steps" || step == "resources")
        || before == "rename"
        || list && NAMES.contains(&last)
}

/// The words of a scalar and where they begin, in characters. What begins with a digit is a number, a size or a hash.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, c) in text.chars().enumerate() {
        let inside = c.is_alphanumeric() || c == '_' || (open && c == '-');
        match words.last_mut().filter(|_| open && inside) {
            Some((_, word)) => word.push(c),
            None if inside => words.push((index, c.to_string())),
            None => {}
        }
        open = inside;
    }
    words.retain(|(_, word)| !word.starts_with(|c: char| c.is_ascii_digit()));
    words
}

/// Two mistakes of the fingers: a letter is left out, a different one from place to place, or the last two are swapped.
fn misspelt(word: &Word) -> Vec<String> {
    let letters: Vec<char> = word.text.chars().collect();
    let left_out = word.at.column % letters.len();
    let without = letters.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, c)| *c).collect();
    let mut swapped = letters.clone();
    if let [.., a, b] = swapped.as_mut_slice() {
        std::mem::swap(a, b);
    }
    let mut all: Vec<String> = vec![without, swapped.into_iter().collect()];
    all.retain(|one| *one != word.text && !one.is_empty());
    all.dedup();
    all
}

fn with(at: Span, length: usize, new: &str) -> String {
    let mut lines: Vec<String> = ENTRY.lines().map(str::to_owned).collect();
    let line = &mut lines[at.line - 1];
    let letters: Vec<char> = line.chars().collect();
    let head: String = letters[..at.column - 1].iter().collect();
    let tail: String = letters[at.column - 1 + length..].iter().collect();
    *line = format!("{head}{new}{tail}");
    lines.join("\n")
}

/// What became of one misspelt word; `None` when the right one was told on the right line.
fn slip(word: &Word, wrong: &str) -> Option<String> {
    let text = with(word.at, word.text.chars().count(), wrong);
    let name = format!("{}:{} {} `{}` as `{wrong}`", word.at.line, word.at.column, word.path, word.text);
    let Err(problems) = compile(&Source { file: "entry.yaml", text: &text, templates: &[] }) else {
        return Some(format!("ACCEPTED {name}"));
    };
    let place = format!("entry.yaml:{}:", word.at.line);
    // A value of an example is compared with the request, which stands on another line: either may be wrong.
    let beside = format!("on line {}", word.at.line);
    let example = word.path.contains("examples.-.args") || word.path.contains("examples.-.given");
    let default = word.path.ends_with(".default");
    let there: Vec<&String> = problems
        .iter()
        .filter(|one| {
            one.starts_with(&place) || (example && one.contains(&beside)) || (default && one.contains("the default"))
        })
        .collect();
    match there.first() {
        None => Some(format!("ELSEWHERE {name}: {}", problems.concat())),
        Some(_) if there.iter().any(|one| told(one).contains(&word.text)) => None,
        Some(first) => Some(format!("WORDLESS {name}: {first}")),
    }
}

#[test]
fn every_misspelt_word_is_told_on_its_line_with_the_right_one() {
    let right = compile(&Source { file: "entry.yaml", text: ENTRY, templates: &[] });
    assert_eq!(right.err(), None, "the entry itself is right");
    let words = words();
    let half = words.len() / 2;
    let slips = |words: &[Word]| -> Vec<String> {
        words.iter().flat_map(|word| misspelt(word).into_iter().filter_map(|wrong| slip(word, &wrong))).collect()
    };
    let slipped = std::thread::scope(|scope| {
        let first = scope.spawn(|| slips(&words[..half]));
        let mut all = slips(&words[half..]);
        all.splice(0..0, first.join().expect("no panic"));
        all
    });
    assert!(words.len() > 400, "only {} words were tried", words.len());
    assert!(slipped.is_empty(), "{} slipped through:\n{}", slipped.len(), slipped.join("\n"));
}

/// A diagnostic without its excerpt.
fn told(diagnostic: &str) -> String {
    let lines = diagnostic.lines().enumerate().filter(|(index, _)| !matches!(index, 1 | 2));
    lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}
