//! Texts for a Perl pattern of the facts: some that it takes, and some that it just does not.
//!
//! Has its own reading of the patterns, so that the decoder's is not asked about itself.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use regex_lite::Regex;
use std::collections::BTreeSet;

/// The pattern in the words of the Rust engines: `(?^i:` resets flags, `{,n}` counts from 0, `(?!\n)` in front of the end
/// is what the end means there anyway, and letters and digits are those of ASCII.
fn plain(pattern: &str) -> String {
    let text = pattern.replace("(?^:", "(?:").replace("(?^u:", "(?:").replace("(?^i:", "(?i:");
    let text = text.replace(r"(?!\n)", "").replace("{,", "{0,");
    let (mut out, mut class) = (String::new(), false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match (letters.next(), class) {
                (Some('w'), true) => out.push_str("A-Za-z0-9_"),
                (Some('w'), false) => out.push_str("[A-Za-z0-9_]"),
                (Some('d'), true) => out.push_str("0-9"),
                (Some('d'), false) => out.push_str("[0-9]"),
                (Some('0'), _) => out.push_str(r"\x00"),
                (Some(other), _) if matches!(other, '/' | '_') => out.push(other),
                (Some(other), _) => out.extend(['\\', other]),
                (None, _) => {}
            },
            _ => {
                class = if class { letter != ']' } else { letter == '[' };
                out.push(letter);
            }
        }
    }
    out
}

/// Without the anchors at its ends, which the generator of texts does not know.
fn body(pattern: &str) -> String {
    let mut text = plain(pattern);
    for (anchored, bare) in [("(?:^", "(?:"), ("(?i:^", "(?i:"), ("$)", ")")] {
        text = text.replace(anchored, bare);
    }
    text.strip_prefix('^').unwrap_or(&text).trim_end_matches('$').to_owned()
}

/// Whether the whole text matches.
pub fn takes(pattern: &str, text: &str) -> bool {
    let whole = format!("^(?:{})$", plain(pattern));
    Regex::new(&whole).unwrap_or_else(|bad| panic!("{pattern}: {bad}")).is_match(text)
}

/// A few texts that match, the same in every run.
pub fn good(pattern: &str) -> Vec<String> {
    let Ok(strategy) = proptest::string::string_regex(&body(pattern)) else { return Vec::new() };
    let mut runner = TestRunner::deterministic();
    let made = (0..24).filter_map(|_| Some(strategy.new_tree(&mut runner).ok()?.current()));
    // NUL stands in no value but in the lists that are parted by it.
    let made = made.filter(|text| !text.contains('\0') || pattern.contains(r"\0"));
    let mut texts: Vec<String> =
        made.filter(|text| takes(pattern, text)).collect::<BTreeSet<_>>().into_iter().collect();
    texts.sort_by_key(String::len);
    let longest = texts.pop();
    texts.truncate(3);
    texts.extend(longest);
    texts
}

/// Texts that do not match although all but one letter of them does: wrong at the beginning, at the end, or inside.
pub fn bad(pattern: &str) -> Vec<String> {
    let mut texts = BTreeSet::new();
    for good in good(pattern).into_iter().take(2) {
        for odd in ["!", " ", "\n", "/", ",", "ä", "-", "\u{1}"] {
            texts.extend([format!("{odd}{good}"), format!("{good}{odd}")]);
        }
    }
    texts.insert(String::new());
    texts.into_iter().filter(|text| !takes(pattern, text)).collect()
}
