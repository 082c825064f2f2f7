//! What a request asks for: its words, what else they are called, and whether it wants to read or to change.
//!
//! Knows the thesaurus and the terms of the index; must not know methods.

use super::index::Index;
use super::speech::{self, Intent};
use proxmox_spec::words::{self, Meaning};

/// What another word for the same is worth beside the word itself.
const OTHER: f32 = 0.45;
/// What a word is worth that is only spelt almost like one that is known.
const MISSPELT: f32 = 0.6;
/// What a word is worth that says little by itself (`last`, `make`).
const FAINT: f32 = 0.4;
/// The most that one word can say: that it stands in few texts may be chance.
const MOST: f32 = 4.5;
/// The longest phrase of the thesaurus, in words.
const PHRASE: usize = 5;

/// One thing that the request names.
#[derive(Debug)]
pub struct Concept {
    /// Ways to say it; never empty.
    pub ways: Vec<Way>,
    /// How much it says: rare words say more.
    pub weight: f32,
}

/// One way to say it: all of these terms.
#[derive(Debug)]
pub struct Way {
    /// Rows of [`Index::terms`].
    pub terms: Vec<usize>,
    /// 0 to 1.
    pub worth: f32,
}

/// A request, taken apart.
#[derive(Debug)]
pub struct Query {
    pub concepts: Vec<Concept>,
    pub intent: Intent,
}

impl Query {
    /// Takes a request apart. Words that nothing is known about are left out.
    pub fn new(index: &Index, text: &str) -> Query {
        let split = spoken(text);
        let stems: Vec<String> = split.iter().map(|word| words::stem(word)).collect();
        let mut concepts = Vec::new();
        let mut at = 0;
        while at < split.len() {
            let (length, meaning) = longest(&stems[at..]);
            let spoken = &split[at..at + length];
            at += length;
            if length == 1 && spoken.iter().all(|word| words::is_empty(word)) {
                continue;
            }
            let own: Vec<String> =
                spoken.iter().filter(|word| !words::is_empty(word)).map(|word| words::stem(word)).collect();
            let weak = spoken.iter().all(|word| speech::is_weak(word));
            concepts.extend(concept(index, &own, meaning, if weak { FAINT } else { 1.0 }));
        }
        // Said twice is not meant twice.
        let mut seen: Vec<Vec<usize>> = Vec::new();
        concepts.retain(|concept: &Concept| {
            let first = concept.ways[0].terms.clone();
            let new = !seen.contains(&first);
            seen.push(first);
            new
        });
        Query { concepts, intent: speech::intent(&split, &stems) }
    }
}

/// The words of a request, with values (an address, an id) replaced by what they are.
fn spoken(text: &str) -> Vec<String> {
    let each = text.split_whitespace().map(|word| words::split(super::shapes::named(word).unwrap_or(word)));
    each.flatten().collect()
}

/// The longest phrase of the thesaurus that these stems begin with; one word if there is none.
fn longest(stems: &[String]) -> (usize, Option<&'static Meaning>) {
    for length in (1..=PHRASE.min(stems.len())).rev() {
        if let Some(meaning) = meaning(&stems[..length].join(" ")) {
            return (length, Some(meaning));
        }
    }
    (1, None)
}

fn meaning(phrase: &str) -> Option<&'static Meaning> {
    let list = words::thesaurus();
    list.binary_search_by(|meaning| meaning.phrase.cmp(phrase)).ok().and_then(|row| list.get(row))
}

fn concept(index: &Index, own: &[String], meaning: Option<&'static Meaning>, worth: f32) -> Option<Concept> {
    let mut ways = Vec::new();
    let mut way = |stems: Vec<&str>, worth: f32| {
        let terms: Option<Vec<usize>> = stems.iter().map(|stem| index.term(stem)).collect();
        if let Some(terms) = terms.filter(|terms| !terms.is_empty()) {
            ways.push(Way { terms, worth });
        }
    };
    way(own.iter().map(String::as_str).collect(), 1.0);
    for other in meaning.iter().flat_map(|meaning| meaning.others()) {
        way(other.split(' ').collect(), OTHER);
    }
    if ways.is_empty()
        && let [word] = own
    {
        ways = misspelt(index, word);
    }
    let weight =
        |way: &Way| way.terms.iter().map(|term| index.weight(*term)).sum::<f32>() / (way.terms.len() as f32).sqrt();
    let own = ways.first().filter(|way| way.worth == 1.0).map(&weight);
    let others = ways.iter().map(|way| weight(way) * way.worth).fold(0.0, f32::max);
    (!ways.is_empty()).then(|| Concept { weight: own.unwrap_or(others).min(MOST) * worth, ways })
}

/// What a word may have been meant to be.
fn misspelt(index: &Index, word: &str) -> Vec<Way> {
    let length = word.chars().count();
    let limit = if length < 5 {
        return Vec::new();
    } else if length < 9 {
        1
    } else {
        2
    };
    // The first letter is seldom the wrong one, and most words that are almost alike are other words.
    let near = |other: &str| {
        other.chars().next() == word.chars().next()
            && other.len().abs_diff(word.len()) <= limit
            && strsim::osa_distance(other, word) <= limit
    };
    let mut ways: Vec<Way> = (0..index.terms.len())
        .filter(|row| near(index.stem(*row)))
        .map(|row| Way { terms: vec![row], worth: MISSPELT })
        .collect();
    for meaning in words::thesaurus().iter().filter(|meaning| near(meaning.phrase)) {
        for other in meaning.others() {
            let terms: Option<Vec<usize>> = other.split(' ').map(|stem| index.term(stem)).collect();
            ways.extend(terms.map(|terms| Way { terms, worth: MISSPELT * OTHER }));
        }
    }
    ways
}
