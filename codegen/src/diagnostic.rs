//! Mistakes of a catalogue, told the way a compiler tells them: where, what, and what to write instead.
//!
//! All mistakes of a build are collected, sorted by place and shown together. Nothing here knows what a tool is.

use std::fmt::Write as _;

/// A place in the catalogue's text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    pub line: usize,
    pub column: usize,
    /// Characters to underline; at least one is.
    pub length: usize,
}

impl Span {
    /// The part of this span that begins `offset` characters into it.
    pub fn part(self, offset: usize, length: usize) -> Span {
        Span { line: self.line, column: self.column + offset, length }
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    pub at: Span,
    /// What is wrong, in the reader's words.
    pub message: String,
    /// What to write; stands under the excerpt. May be empty.
    pub help: String,
    /// What else is worth knowing. May be empty.
    pub note: String,
}

/// The mistakes of one build.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

/// Longest list of words to choose from.
const LISTED: usize = 24;

/// More than this many are counted, not shown.
const SHOWN: usize = 20;

impl Diagnostics {
    pub fn report(&mut self, at: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.list.push(Diagnostic { at, message: message.into(), help: String::new(), note: String::new() });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// One text per mistake, sorted by place, and a closing line.
    pub fn render(mut self, file: &str, text: &str) -> Vec<String> {
        self.list.sort();
        self.list.dedup();
        let lines: Vec<&str> = text.lines().collect();
        let mut out: Vec<String> = self.list.iter().take(SHOWN).map(|one| one.render(file, &lines)).collect();
        let count = self.list.len();
        let problems = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        let hidden = count.saturating_sub(SHOWN);
        let more = if hidden > 0 { format!(", {hidden} of them not shown") } else { String::new() };
        out.push(format!("{file}: {problems}{more}; nothing was generated"));
        out
    }
}

impl Diagnostic {
    /// The near word, or the near words where several are as near; else what there is to choose from.
    pub fn near<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> &mut Diagnostic {
        let mut all: Vec<&str> = Vec::new();
        for candidate in candidates {
            if !all.contains(&candidate) {
                all.push(candidate);
            }
        }
        let near = nearest(word, &all);
        if !near.is_empty() {
            self.help = format!("did you mean {}?", alternatives(&near));
        } else if !all.is_empty() && all.len() <= LISTED {
            self.note = format!("one of: {}", all.join(", "));
        }
        self
    }

    pub fn help(&mut self, help: impl Into<String>) -> &mut Diagnostic {
        self.help = help.into();
        self
    }

    /// The help when no word is near.
    pub fn or_help(&mut self, help: impl Into<String>) -> &mut Diagnostic {
        if self.help.is_empty() {
            self.help = help.into();
        }
        self
    }

    pub fn note(&mut self, note: impl Into<String>) -> &mut Diagnostic {
        self.note = note.into();
        self
    }

    fn render(&self, file: &str, lines: &[&str]) -> String {
        let mut out = format!("{file}:{}:{}: {}", self.at.line, self.at.column, self.message);
        let number = self.at.line.to_string();
        let margin = " ".repeat(number.len());
        if let Some(line) = lines.get(self.at.line.wrapping_sub(1)) {
            let room = line.chars().count().saturating_sub(self.at.column.saturating_sub(1)).max(1);
            let carets = "^".repeat(self.at.length.clamp(1, room));
            let indent = " ".repeat(self.at.column.saturating_sub(1));
            let _ = write!(out, "\n{margin} |\n{number} | {line}\n{margin} | {indent}{carets}");
            if !self.help.is_empty() {
                let _ = write!(out, " {}", self.help);
            }
        } else if !self.help.is_empty() {
            let _ = write!(out, "\n{margin} = help: {}", self.help);
        }
        if !self.note.is_empty() {
            let _ = write!(out, "\n{margin} = note: {}", self.note);
        }
        out
    }
}

/// The candidates that may have been meant: the nearest one, and those that are exactly as near.
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Vec<&'a str> {
    let Some(first) = proxmox_spec::nearest(word, candidates.iter().copied()) else { return Vec::new() };
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain(word), &plain(candidate));
    let least = distance(first);
    let mut near: Vec<&str> = candidates.iter().copied().filter(|candidate| distance(candidate) == least).collect();
    near.truncate(3);
    near
}

/// Case, `-` and `_` do not count.
fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

/// `a`, `b` or `c`.
pub fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => quoted.concat(),
    }
}
