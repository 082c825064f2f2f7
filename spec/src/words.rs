//! What methods are called: titles and words for each of them, and words that mean the same.
//!
//! Knows what the build made of `words/`; must not know how anything is ranked.

pub use crate::stem::{is_empty, split, stem, stems};

/// What is written about a method, to be searched.
#[derive(Debug)]
pub struct Texts {
    /// How people ask for it: phrases, joined by `; `.
    pub phrases: &'static str,
    /// What its part of the API is about.
    pub about: &'static str,
}

/// What is written about each method, in the order of [`crate::methods`].
pub fn texts() -> &'static [Texts] {
    crate::table::texts()
}

/// A phrase of the thesaurus.
#[derive(Debug)]
pub struct Meaning {
    /// The stems of all its words, empty words too, joined by a space.
    pub phrase: &'static str,
    /// What finds the same: stems without empty words, joined by a space.
    pub others: &'static [&'static str],
}

/// The thesaurus, sorted by phrase.
pub fn thesaurus() -> &'static [Meaning] {
    crate::table::thesaurus()
}
