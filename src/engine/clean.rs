//! Text from outside made fit for a model and a terminal: nothing that hides, steers or floods.
//!
//! Names, notes, logs and console output come from guests and from other people; they are data. Knows characters only.

use serde_json::{Map, Value};

/// Longest text that is read at all, in bytes; how much of it is shown is the budget's to say.
pub const LONGEST: usize = 1024 * 1024;
/// Longest name of a field, in characters.
const LONGEST_NAME: usize = 100;

/// Cleans and cuts every text of a value that leaves, and every name in its objects, whoever put it there.
pub fn within(value: &mut Value) {
    match value {
        Value::String(given) if given.len() > LONGEST || !is_clean(given) => *given = capped(given, LONGEST).0,
        Value::Array(items) => items.iter_mut().for_each(within),
        Value::Object(fields) => {
            fields.values_mut().for_each(within);
            names(fields);
        }
        _ => {}
    }
}

/// Cleans and cuts the names of an object's fields.
pub fn names(fields: &mut Map<String, Value>) {
    if fields.keys().any(|name| name.len() > LONGEST_NAME || !is_clean(name)) {
        *fields = std::mem::take(fields).into_iter().map(|(name, value)| (line(&name, LONGEST_NAME), value)).collect();
    }
}

/// Would [`text`] leave it as it is?
fn is_clean(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) || self::text(text).len() == text.len()
}

/// Removes control characters (but for line feed and tab), and what is invisible or turns the direction of writing.
pub fn text(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, '\n' | '\t') || shown(*letter)).collect()
}

/// As [`text`], cut to `most` bytes; tells how many bytes were left out.
pub fn capped(given: &str, most: usize) -> (String, usize) {
    let mut clean = text(given);
    if clean.len() <= most {
        return (clean, 0);
    }
    let mut end = most;
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    let left_out = clean.len() - end;
    clean.truncate(end);
    (clean, left_out)
}

/// One line: white space of any kind becomes a single space; cut to `most` characters with an ellipsis.
pub fn line(text: &str, most: usize) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|letter| shown(*letter)).collect::<String>());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    let joined = words.join(" ");
    if joined.chars().count() <= most {
        return joined;
    }
    let mut cut: String = joined.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Is this a character that a reader sees, in the order in which it was written?
fn shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_cannot_see_is_gone() {
        assert_eq!(text("a\u{1b}[31mb\u{202e}c\u{200b}d\u{e0041}\r\n\te\u{0}"), "a[31mbcd\n\te");
        assert_eq!(line(" a\r\n\tb \u{7f}  c", 80), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(capped("äöü", 3), ("ä".to_owned(), 4));
        assert_eq!(capped("abc", 3), ("abc".to_owned(), 0));
    }
}
