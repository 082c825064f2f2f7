//! Reads what people call things: `words/*.txt` for the methods, `words/thesaurus.txt` for words that mean the same.
//!
//! Knows the form of the two files and which methods there are; must not know how anything is ranked.

use crate::lines::{Mistake, text};
use crate::stem;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// (file, mistake in it).
pub type InFile = (String, Mistake);

const VERBS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// What is read about one method.
#[derive(Default)]
struct Words {
    title: String,
    /// The title is of a line about this method alone, and not about both kinds of guest.
    own: bool,
    phrases: Vec<String>,
    seldom: bool,
    /// Methods that do the same.
    same: Vec<String>,
}

/// Gives every entry its `title`, its `words` (phrases joined by `; `), `about` (words of its part of the API),
/// `seldom` and `same` (the methods that do the same).
///
/// # Errors
/// A line that is not understood, a method that does not exist or has no title or words.
pub fn apply(entries: &mut [Value], files: &[(String, String)]) -> Result<(), Vec<InFile>> {
    let known: BTreeSet<String> = entries.iter().map(call).collect();
    let mut reader = Reader { known, methods: BTreeMap::new(), about: Vec::new(), mistakes: Vec::new() };
    for (file, text) in files {
        reader.file(file, text);
    }
    for entry in entries.iter_mut() {
        let name = call(entry);
        let words = reader.methods.remove(&name).unwrap_or_default();
        if words.title.is_empty() || words.phrases.is_empty() {
            reader
                .mistakes
                .push(("words".into(), Mistake { line: 1, text: format!("`{name}` has no title or words") }));
        }
        let path = text(entry, "path").to_owned();
        let about: Vec<&str> =
            reader.about.iter().filter(|(top, _)| below(&path, top)).map(|(_, say)| &**say).collect();
        entry["about"] = about.join("; ").into();
        entry["title"] = words.title.into();
        entry["words"] = words.phrases.join("; ").into();
        entry["seldom"] = words.seldom.into();
        entry["same"] = words.same.into();
    }
    if reader.mistakes.is_empty() { Ok(()) } else { Err(reader.mistakes) }
}

fn call(entry: &Value) -> String {
    format!("{} {}", text(entry, "method"), text(entry, "path"))
}

fn below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

struct Reader {
    known: BTreeSet<String>,
    methods: BTreeMap<String, Words>,
    /// (path, words) of `under` lines.
    about: Vec<(String, String)>,
    mistakes: Vec<InFile>,
}

/// What the indented lines after a head belong to.
enum Head {
    None,
    Under(Vec<String>),
    Calls(Vec<String>),
}

impl Reader {
    fn file(&mut self, file: &str, text: &str) {
        let mut head = Head::None;
        for (number, line) in text.lines().enumerate() {
            let done = if line.trim().is_empty() || line.starts_with('#') {
                Ok(())
            } else if line.starts_with(' ') {
                self.say(&head, line.trim())
            } else {
                self.head(line.trim()).map(|new| head = new)
            };
            if let Err(text) = done {
                self.mistakes.push((file.to_owned(), Mistake { line: number + 1, text }));
            }
        }
    }

    fn head(&mut self, line: &str) -> Result<Head, String> {
        if let Some(path) = line.strip_prefix("under ") {
            return Ok(Head::Under(both_kinds(path).into_iter().map(|(path, _)| path).collect()));
        }
        let (left, title) = line.split_once(" = ").ok_or("not `METHOD /path = Title`")?;
        let seldom = left.starts_with('~');
        let calls = self.calls(left.trim_start_matches('~'))?;
        let own = calls.len() == 1;
        for (name, kind) in &calls {
            let words = self.methods.entry(name.clone()).or_default();
            if !words.title.is_empty() && words.own == own {
                return Err(format!("`{name}` has two titles"));
            }
            if words.title.is_empty() || own {
                words.title = title.replace("{a guest}", kind);
                words.own = own;
            }
            words.seldom |= seldom;
        }
        if calls.len() > 1 {
            self.join(calls.iter().map(|(name, _)| name));
        }
        Ok(Head::Calls(calls.into_iter().map(|(name, _)| name).collect()))
    }

    /// The methods of `METHOD /path`, each with the noun of its kind.
    fn calls(&self, text: &str) -> Result<Vec<(String, &'static str)>, String> {
        let (verb, path) = text.split_once(' ').ok_or("no path")?;
        if !VERBS.contains(&verb) {
            return Err(format!("`{verb}` is none of {}", VERBS.join(", ")));
        }
        let calls: Vec<_> = both_kinds(path).into_iter().map(|(path, kind)| (format!("{verb} {path}"), kind)).collect();
        match calls.iter().find(|(name, _)| !self.known.contains(name)) {
            Some((name, _)) => Err(format!("there is no method `{name}`")),
            None => Ok(calls),
        }
    }

    fn say(&mut self, head: &Head, line: &str) -> Result<(), String> {
        match head {
            Head::None => return Err("words before the first method".into()),
            Head::Under(paths) => self.about.extend(paths.iter().map(|path| (path.clone(), line.to_owned()))),
            Head::Calls(names) => {
                if let Some(text) = line.strip_prefix("as ") {
                    let others: Vec<String> = self.calls(text)?.into_iter().map(|(name, _)| name).collect();
                    self.join(names.iter().chain(&others));
                    return Ok(());
                }
                let phrases: Vec<String> = line
                    .split(';')
                    .map(|phrase| phrase.trim().to_owned())
                    .filter(|phrase| !phrase.is_empty())
                    .collect();
                for name in names {
                    self.methods.entry(name.clone()).or_default().phrases.extend(phrases.iter().cloned());
                }
            }
        }
        Ok(())
    }

    /// Notes that these methods do the same, with everything that already does the same as one of them.
    fn join<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let mut all: BTreeSet<String> = BTreeSet::new();
        for name in names {
            all.insert(name.clone());
            all.extend(self.methods.get(name).into_iter().flat_map(|words| words.same.iter().cloned()));
        }
        for name in &all {
            let others = all.iter().filter(|other| *other != name).cloned();
            self.methods.entry(name.clone()).or_default().same = others.collect();
        }
    }
}

/// `{guest}` stands for both kinds: each path with what a guest of its kind is called.
fn both_kinds(path: &str) -> Vec<(String, &'static str)> {
    let kinds = [("qemu", "a virtual machine"), ("lxc", "a container")];
    if !path.contains("{guest}") {
        return vec![(path.to_owned(), "a guest")];
    }
    let each = kinds.map(|(kind, noun)| (path.replace("{guest}", &format!("/nodes/{{node}}/{kind}/{{vmid}}")), noun));
    each.to_vec()
}

/// The thesaurus as a list of phrases, each with what finds the same, all of them as stems.
///
/// # Errors
/// A line with fewer than two phrases, or with one that says nothing.
pub fn thesaurus(text: &str) -> Result<Vec<(String, Vec<String>)>, Vec<Mistake>> {
    let all = |text: &str| stem::split(text).iter().map(|word| stem::stem(word)).collect::<Vec<_>>().join(" ");
    let stems = |text: &str| stem::stems(text).join(" ");
    let mut meanings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let list = |text: &str| text.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>();
        let (from, to) = match line.split_once("->") {
            Some((from, to)) => (list(from), list(to)),
            None => (list(line), list(line)),
        };
        if from.iter().chain(&to).any(|one| stems(one).is_empty()) || from.len().max(to.len()) < 2 && from == to {
            mistakes.push(Mistake { line: number + 1, text: "not `a, b, c` or `a -> b, c`".into() });
            continue;
        }
        for one in &from {
            let others = meanings.entry(all(one)).or_default();
            for other in to.iter().filter(|other| *other != one).map(|other| stems(other)) {
                if !others.contains(&other) && other != stems(one) {
                    others.push(other);
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(meanings.into_iter().collect()) } else { Err(mistakes) }
}

/// The thesaurus as a Rust static.
pub fn written(meanings: &[(String, Vec<String>)]) -> String {
    let row = |(phrase, others): &(String, Vec<String>)| {
        format!("Meaning{{phrase:{phrase:?},others:{:?}}},", others.join(";"))
    };
    let rows: Vec<String> = meanings.iter().map(row).collect();
    format!("static MEANINGS:[Meaning;{}]=[\n{}\n];\n", rows.len(), rows.join("\n"))
}
