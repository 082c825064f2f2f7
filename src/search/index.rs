//! What the build wrote: which words stand in which method's texts, and how much they say.
//!
//! Knows the form of the table; must not know how it is asked.

/// The index. Nothing in it is made at start-up.
#[derive(Debug)]
pub struct Index {
    /// Sorted by stem.
    pub terms: &'static [Term],
    /// One per method, in the order of [`proxmox_spec::methods`].
    pub pages: &'static [Page],
}

/// A word that stands in some method's texts.
#[derive(Debug)]
pub struct Term {
    pub stem: &'static str,
    /// How much it says, in hundredths: rare words say more.
    pub rarity: u16,
    /// (row of the method, how strongly it stands there in thousandths), sorted by row.
    pub pages: &'static [(u16, u16)],
}

/// What stands in the texts about one method.
#[derive(Debug)]
pub struct Page {
    /// Its title and phrases as rows of [`Index::terms`], each ended by [`END`].
    pub phrases: &'static [u16],
    /// A tool of the catalogue does it.
    pub has_tool: bool,
}

/// The end of a phrase.
pub const END: u16 = u16::MAX;

impl Index {
    /// The row of a stem.
    pub fn term(&self, stem: &str) -> Option<usize> {
        self.terms.binary_search_by(|term| term.stem.cmp(stem)).ok()
    }
}

impl Term {
    pub fn weight(&self) -> f32 {
        f32::from(self.rarity) / 100.0
    }

    /// How strongly it stands in the texts of a method, 0 to 1.
    pub fn strength(&self, page: u16) -> f32 {
        let found = self.pages.binary_search_by_key(&page, |(row, _)| *row).ok();
        found.and_then(|at| self.pages.get(at)).map_or(0.0, |(_, strength)| f32::from(*strength) / 1000.0)
    }
}
