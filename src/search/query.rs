//! What a request asks for: its words, what else they are called, and whether it wants to read or to change.
//!
//! Knows the thesaurus and the terms of the index; must not know methods.

use super::index::Index;
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

/// What the first word that tells says about the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    Unknown,
    Read,
    Create,
    Change,
    Remove,
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
            let weak = spoken.iter().all(|word| WEAK.binary_search(&word.as_str()).is_ok());
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
        Query { concepts, intent: intent(&split, &stems) }
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
    for other in meaning.iter().flat_map(|meaning| meaning.others) {
        way(other.split(' ').collect(), OTHER);
    }
    if ways.is_empty()
        && let [word] = own
    {
        ways = misspelt(index, word);
    }
    let weight = |way: &Way| {
        way.terms.iter().map(|term| index.terms[*term].weight()).sum::<f32>() / (way.terms.len() as f32).sqrt()
    };
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
        .filter(|row| near(index.terms[*row].stem))
        .map(|row| Way { terms: vec![row], worth: MISSPELT })
        .collect();
    for meaning in words::thesaurus().iter().filter(|meaning| near(meaning.phrase)) {
        for other in meaning.others {
            let terms: Option<Vec<usize>> = other.split(' ').map(|stem| index.term(stem)).collect();
            ways.extend(terms.map(|terms| Way { terms, worth: MISSPELT * OTHER }));
        }
    }
    ways
}

/// Words that say little by themselves.
const WEAK: &[&str] = &[
    "able",
    "about",
    "actual",
    "actually",
    "after",
    "again",
    "ago",
    "all",
    "almost",
    "alone",
    "already",
    "also",
    "although",
    "always",
    "another",
    "anybody",
    "anymore",
    "anyone",
    "anything",
    "anyway",
    "appear",
    "appears",
    "around",
    "at",
    "away",
    "back",
    "bad",
    "because",
    "become",
    "becomes",
    "before",
    "best",
    "better",
    "both",
    "bought",
    "bring",
    "came",
    "cannot",
    "cause",
    "certain",
    "come",
    "comes",
    "coming",
    "could",
    "currently",
    "day",
    "days",
    "different",
    "doing",
    "done",
    "down",
    "during",
    "each",
    "early",
    "easy",
    "either",
    "else",
    "end",
    "ended",
    "ending",
    "ends",
    "enough",
    "even",
    "ever",
    "every",
    "everybody",
    "everyone",
    "exactly",
    "far",
    "few",
    "finally",
    "fine",
    "first",
    "five",
    "found",
    "four",
    "get",
    "gets",
    "getting",
    "give",
    "given",
    "gives",
    "go",
    "goes",
    "going",
    "gone",
    "good",
    "got",
    "great",
    "happen",
    "happens",
    "hear",
    "hour",
    "hours",
    "how",
    "however",
    "idea",
    "instead",
    "itself",
    "keep",
    "keeps",
    "kept",
    "kind",
    "know",
    "last",
    "late",
    "later",
    "least",
    "leave",
    "left",
    "less",
    "let",
    "likely",
    "little",
    "long",
    "longer",
    "look",
    "looks",
    "lot",
    "made",
    "make",
    "makes",
    "making",
    "many",
    "mean",
    "means",
    "meant",
    "minute",
    "minutes",
    "month",
    "months",
    "more",
    "morning",
    "most",
    "much",
    "must",
    "myself",
    "near",
    "nearly",
    "never",
    "new",
    "next",
    "nice",
    "no",
    "nobody",
    "none",
    "not",
    "nothing",
    "now",
    "off",
    "often",
    "old",
    "once",
    "one",
    "ones",
    "oneself",
    "only",
    "other",
    "ours",
    "out",
    "over",
    "own",
    "part",
    "past",
    "perhaps",
    "place",
    "possible",
    "probably",
    "problem",
    "properly",
    "put",
    "quite",
    "ran",
    "rather",
    "ready",
    "really",
    "red",
    "right",
    "said",
    "same",
    "say",
    "says",
    "see",
    "seem",
    "seems",
    "set",
    "several",
    "should",
    "simply",
    "since",
    "single",
    "somehow",
    "someone",
    "something",
    "sometimes",
    "soon",
    "sort",
    "still",
    "story",
    "stuff",
    "such",
    "suddenly",
    "sure",
    "take",
    "tell",
    "ten",
    "thing",
    "think",
    "third",
    "though",
    "three",
    "through",
    "time",
    "today",
    "together",
    "tomorrow",
    "tonight",
    "too",
    "tried",
    "tries",
    "try",
    "trying",
    "twice",
    "two",
    "until",
    "up",
    "use",
    "usual",
    "usually",
    "very",
    "wanted",
    "wants",
    "way",
    "week",
    "weeks",
    "went",
    "what",
    "whatever",
    "when",
    "whenever",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "whole",
    "why",
    "wish",
    "without",
    "won",
    "wonder",
    "work",
    "works",
    "wrong",
    "year",
    "years",
    "yes",
    "yesterday",
    "yet",
];

const READ: &[&str] = &[
    "show", "list", "view", "display", "which", "what", "who", "whose", "when", "where", "why", "how", "is", "are",
    "see", "check", "read", "tell", "find", "look", "did", "does", "has", "was", "were", "have", "watch", "count",
    "inspect",
];
const CREATE: &[&str] = &[
    "add",
    "create",
    "make",
    "new",
    "another",
    "extra",
    "build",
    "deploy",
    "install",
    "provision",
    "register",
    "connect",
    "order",
    "attach",
    "mount",
    "give",
];
const CHANGE: &[&str] = &[
    "change", "set", "edit", "modify", "update", "rename", "enable", "disable", "turn", "switch", "limit", "move",
    "adjust", "put", "use", "allow", "let", "replace", "start", "stop", "restart", "reboot", "grow", "more", "less",
];
const REMOVE: &[&str] = &[
    "remove", "delete", "drop", "destroy", "forget", "kick", "revoke", "evict", "prune", "purge", "discard", "throw",
    "rid", "detach", "unmount", "cancel", "away", "close",
];

/// The first word that tells. `how do I add` asks to add, `how many` asks to read.
fn intent(split: &[String], stems: &[String]) -> Intent {
    let how_to = split.first().is_some_and(|word| word == "how")
        && split.get(1).is_some_and(|word| ["do", "to", "can", "could", "should", "would"].contains(&word.as_str()));
    // `can this be moved` asks; `can you move this` does not.
    let asks = split.first().is_some_and(|word| ["can", "may", "could", "must"].contains(&word.as_str()))
        && split.get(1).is_some_and(|word| ["this", "that", "it", "one", "i", "we", "these"].contains(&word.as_str()));
    if asks {
        return Intent::Read;
    }
    for (at, word) in split.iter().enumerate().skip(if how_to { 2 } else { 0 }) {
        let is = |list: &[&str]| list.iter().any(|one| one == word || words::stem(one) == stems[at]);
        // These ask only at the beginning: `a disk that is full`.
        let late = at > 0
            && [
                "is", "are", "did", "does", "has", "was", "were", "have", "what", "which", "who", "when", "where",
                "how",
            ]
            .contains(&word.as_str());
        if is(READ) && !late {
            return Intent::Read;
        }
        for (list, intent) in [(REMOVE, Intent::Remove), (CREATE, Intent::Create), (CHANGE, Intent::Change)] {
            if is(list) {
                return intent;
            }
        }
    }
    Intent::Unknown
}
