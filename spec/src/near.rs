//! The nearest name: one "did you mean" for everybody.
//!
//! Knows distances between words; must not know what the words name.

/// The candidate nearest to a word, if one is near enough to have been meant: at most two edits away, or a third of
/// the word's length for long words, and never so far that nothing of the word is left. Case and `-`/`_` do not count.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    let length = wanted.chars().count();
    let limit = (length / 3).max(2).min(length.saturating_sub(1));
    candidates
        .into_iter()
        // The distance is no less than the difference in length, and takes long to find out for a long word.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
