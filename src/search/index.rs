//! What the build wrote: which words stand in which method's texts, and how much they say.
//!
//! Knows the form of the table; must not know how it is asked.

/// A part of one of the index's long lists, from and to. Lists of their own would need a pointer each, which takes more
/// room than what they hold, and which every start has to set right.
pub type Part = (u32, u32);

/// The index. Nothing in it is made at start-up.
#[derive(Debug)]
pub struct Index {
    /// All stems, one after the other.
    pub stems: &'static str,
    /// For all terms: (row of a method, how strongly the term stands there in thousandths), sorted by row within a term.
    pub pages_of: &'static [(u16, u16)],
    /// For all methods: their titles and phrases as rows of [`Index::terms`], each ended by [`END`].
    pub phrases: &'static [u16],
    /// Sorted by stem.
    pub terms: &'static [Term],
    /// One per method, in the order of [`proxmox_spec::methods`].
    pub pages: &'static [Page],
}

/// A word that stands in some method's texts.
#[derive(Debug)]
pub struct Term {
    /// In [`Index::stems`].
    pub stem: Part,
    /// How much it says, in hundredths: rare words say more.
    pub rarity: u16,
    /// In [`Index::pages_of`].
    pub pages: Part,
}

/// What stands in the texts about one method.
#[derive(Debug)]
pub struct Page {
    /// In [`Index::phrases`].
    pub phrases: Part,
    /// A tool of the catalogue does it.
    pub has_tool: bool,
}

/// The end of a phrase.
pub const END: u16 = u16::MAX;

impl Index {
    /// The row of a stem.
    pub fn term(&self, stem: &str) -> Option<usize> {
        self.terms.binary_search_by(|term| self.spelled(term).cmp(stem)).ok()
    }

    /// The stem in a row; empty if there is no such row.
    pub fn stem(&self, row: usize) -> &'static str {
        self.terms.get(row).map_or("", |term| self.spelled(term))
    }

    fn spelled(&self, term: &Term) -> &'static str {
        self.stems.get(range(term.stem)).unwrap_or_default()
    }

    /// How much the stem in a row says.
    pub fn weight(&self, row: usize) -> f32 {
        self.terms.get(row).map_or(0.0, |term| f32::from(term.rarity) / 100.0)
    }

    /// Where the stem in a row stands: (row of the method, how strongly, 0 to 1).
    pub fn pages_with(&self, row: usize) -> impl Iterator<Item = (u16, f32)> {
        self.listed(row).iter().map(|(page, strength)| (*page, f32::from(*strength) / 1000.0))
    }

    /// How strongly the stem in a row stands in the texts of a method, 0 to 1.
    pub fn strength(&self, row: usize, page: u16) -> f32 {
        let pages = self.listed(row);
        let found = pages.binary_search_by_key(&page, |(row, _)| *row).ok();
        found.and_then(|at| pages.get(at)).map_or(0.0, |(_, strength)| f32::from(*strength) / 1000.0)
    }

    fn listed(&self, row: usize) -> &'static [(u16, u16)] {
        self.terms.get(row).and_then(|term| self.pages_of.get(range(term.pages))).unwrap_or_default()
    }

    /// The title and the phrases of a method, as rows of stems.
    pub fn phrases_of(&self, page: &Page) -> impl Iterator<Item = &'static [u16]> {
        let all = self.phrases.get(range(page.phrases)).unwrap_or_default();
        all.split(|term| *term == END).filter(|phrase| !phrase.is_empty())
    }
}

fn range((from, to): Part) -> std::ops::Range<usize> {
    from as usize..to as usize
}
