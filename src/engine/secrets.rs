//! What may stand in no text that leaves: the API token, and the secret parameters of the present call.
//!
//! Whatever comes back may repeat what was sent, as it was, encoded, or cut short. Knows encodings, and nothing of where
//! a secret came from.

use super::clean;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde_json::{Map, Value};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// Shorter ones are left: they would shred the text and tell nothing.
const SHORTEST: usize = 3;
/// Shorter base64 text stands in ordinary words.
const SHORTEST_CODED: usize = 8;
/// A secret of which less is left before a cut is not recognised as one.
const SHORTEST_CUT: usize = 6;
/// Where a text was cut.
const CUT: char = '…';

/// A set of secrets, ready to be looked for.
#[derive(Clone, Default)]
pub struct Secrets {
    /// As they are, and as they are after cleaning. Longest first: one that is part of another would leave its rest.
    plain: Vec<String>,
    /// The part of their base64 text that does not depend on what stood around them, for the three places that a byte
    /// can have.
    coded: Vec<String>,
    /// No text that is shorter holds any of them, or the beginning of one before a cut; in bytes.
    shortest: usize,
}

impl Secrets {
    /// Nothing is secret.
    pub const fn none() -> Secrets {
        Secrets { plain: Vec::new(), coded: Vec::new(), shortest: usize::MAX }
    }

    pub fn new(secrets: impl IntoIterator<Item = String>) -> Secrets {
        let mut all = Secrets::default();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            all.coded.extend(coded(&secret));
            let cleaned = [clean::text(&secret), clean::line(&secret, usize::MAX)];
            all.plain.extend(std::iter::once(secret).chain(cleaned).filter(|form| form.len() >= SHORTEST));
        }
        for forms in [&mut all.plain, &mut all.coded] {
            forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
            forms.dedup();
        }
        let lengths = all.plain.iter().chain(&all.coded).map(String::len);
        all.shortest = lengths.min().unwrap_or(usize::MAX).min(SHORTEST_CUT + CUT.len_utf8());
        all
    }

    /// The text with every one of them replaced.
    pub fn hide(&self, text: String) -> String {
        if text.len() < self.shortest {
            return text;
        }
        let mut text = text;
        for secret in self.plain.iter().chain(&self.coded) {
            if text.len() >= secret.len() && text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        // An encoded secret is no shorter than itself.
        let escapes = text.bytes().any(|byte| matches!(byte, b'%' | b'\\' | b'&' | b'+'));
        // A long text was cut at its end, without a mark.
        let long = text.len() + CUT.len_utf8() >= clean::LONGEST;
        let cut = long || text.contains(CUT);
        let is_cut = |rest: &[u8]| {
            (long && rest.is_empty()) || rest.starts_with(CUT.encode_utf8(&mut [0; CUT.len_utf8()]).as_bytes())
        };
        if escapes || cut {
            for secret in &self.plain {
                text = without(text, |rest| escaped(rest.as_bytes(), secret.as_bytes(), &is_cut));
            }
        }
        if cut {
            for secret in &self.coded {
                text = without(text, |rest| beginning(rest.as_bytes(), secret.as_bytes(), &is_cut));
            }
        }
        text
    }

    /// As [`Secrets::hide`], for every text in a value and every name in its objects.
    pub fn hide_within(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_within(item)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|field| self.hide_within(field));
                self.hide_names(fields);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// As [`Secrets::hide`], for the names of an object's fields.
    pub fn hide_names(&self, fields: &mut Map<String, Value>) {
        if fields.keys().any(|name| name.len() >= self.shortest && self.hide(name.clone()) != *name) {
            *fields = std::mem::take(fields).into_iter().map(|(name, value)| (self.hide(name), value)).collect();
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// The base64 texts of a secret that are the same whatever stands before and behind it, in both alphabets.
fn coded(secret: &str) -> Vec<String> {
    let engines = [alphabet::STANDARD, alphabet::URL_SAFE].map(|letters| GeneralPurpose::new(&letters, NO_PAD));
    let mut texts = Vec::new();
    for engine in &engines {
        for before in 0..3_usize {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            let text = engine.encode(&bytes);
            // A letter holds six bits: those at the ends hold bits of the neighbours too.
            let first = (before * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            let sure = text.get(first..last).unwrap_or_default();
            if sure.len() >= SHORTEST_CODED {
                texts.push(sure.to_owned());
            }
        }
    }
    texts
}

/// Replaces whatever `found` sees at the beginning of a rest of the text; it says how long that is, in bytes.
fn without(text: String, found: impl Fn(&str) -> Option<usize>) -> String {
    let mut shown = String::new();
    let mut rest = text.as_str();
    let mut begin = 0;
    while let Some(letter) = rest.get(begin..).and_then(|tail| tail.chars().next()) {
        match rest.get(begin..).and_then(&found) {
            Some(length) if length > 0 => {
                shown.push_str(rest.get(..begin).unwrap_or_default());
                shown.push_str(HIDDEN);
                rest = rest.get(begin + length..).unwrap_or_default();
                begin = 0;
            }
            _ => begin += letter.len_utf8(),
        }
    }
    if shown.is_empty() {
        return text;
    }
    shown.push_str(rest);
    shown
}

/// The length of this text's beginning if it is the secret, with any of its bytes escaped for a URL, JSON or HTML, or
/// the secret up to a cut.
fn escaped(text: &[u8], secret: &[u8], is_cut: &impl Fn(&[u8]) -> bool) -> Option<usize> {
    // Most places are not its beginning.
    let first = secret.first()?;
    if !text.first().is_some_and(|byte| byte == first || matches!(byte, b'%' | b'\\' | b'&' | b'+')) {
        return None;
    }
    // Places that were reached: so much of the text is so much of the secret. Some texts can be read in two ways.
    let mut places = vec![(0, 0)];
    let mut longest = None;
    while let Some((at, matched)) = places.pop() {
        let rest = text.get(at..).unwrap_or_default();
        match secret.get(matched) {
            Some(_) if matched >= SHORTEST_CUT && is_cut(rest) => longest = longest.max(Some(at)),
            Some(byte) => {
                let ways = spellings(rest, *byte).into_iter().flatten();
                places.extend(ways.map(|length| (at + length, matched + 1)));
            }
            None => longest = longest.max(Some(at)),
        }
    }
    // What ends inside of a character is no text of its own.
    longest.filter(|length| text.get(..*length).is_some_and(|found| std::str::from_utf8(found).is_ok()))
}

/// The length of this text's beginning if it is the beginning of the secret, up to a cut.
fn beginning(text: &[u8], secret: &[u8], is_cut: &impl Fn(&[u8]) -> bool) -> Option<usize> {
    let same = text.iter().zip(secret).take_while(|(one, other)| one == other).count();
    (same >= SHORTEST_CODED && is_cut(text.get(same..).unwrap_or_default())).then_some(same)
}

/// How long the ways are in which this byte may stand at the beginning of a text: as it is, `%2F`, `%252F`, `+` for a
/// space, `\/`, `\u002f`, `&amp;`, `&#38;`.
fn spellings(text: &[u8], byte: u8) -> [Option<usize>; 6] {
    let hex = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let is = |found: Option<u32>, length: usize| (found == Some(u32::from(byte))).then_some(length);
    let literal = text.first().filter(|first| **first == byte || (**first == b'+' && byte == b' ')).map(|_| 1);
    let percent = text.starts_with(b"%").then(|| is(hex(text.get(1..3)), 3)).flatten();
    let twice = text.starts_with(b"%25").then(|| is(hex(text.get(3..5)), 5)).flatten();
    let short = match byte {
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        other => other,
    };
    let slash = (text.starts_with(b"\\") && text.get(1) == Some(&short)).then_some(2);
    let unicode = text.starts_with(b"\\u").then(|| is(hex(text.get(2..6)), 6)).flatten();
    let named: &[&[u8]] = match byte {
        b'&' => &[b"&amp;", b"&#38;", b"&#x26;"],
        b'<' => &[b"&lt;", b"&#60;"],
        b'>' => &[b"&gt;", b"&#62;"],
        b'"' => &[b"&quot;", b"&#34;"],
        b'\'' => &[b"&apos;", b"&#39;", b"&#x27;"],
        _ => &[],
    };
    let entity = named.iter().find(|name| text.starts_with(name)).map(|name| name.len());
    [literal, percent, twice, slash, unicode, entity]
}

#[cfg(test)]
mod tests;
