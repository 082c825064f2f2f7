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
    /// See [`Meaning::others`], joined by `;`: a list of its own for each of these would be longer than their words.
    pub(crate) others: &'static str,
}

impl Meaning {
    /// What finds the same: stems without empty words, joined by a space.
    pub fn others(&self) -> impl Iterator<Item = &'static str> {
        self.others.split(';').filter(|other| !other.is_empty())
    }
}

/// The thesaurus, sorted by phrase.
pub fn thesaurus() -> &'static [Meaning] {
    crate::table::thesaurus()
}
