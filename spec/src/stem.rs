//! The words of a text, in the form in which they are looked up.
//!
//! Knows letters and endings; must not know methods, nor what means the same. The same functions take texts apart when
//! the index is built and when it is asked; the build of this crate includes this file, too.

/// Words that say nothing about what is wanted.
const EMPTY: &[&str] = &[
    "a", "an", "and", "any", "are", "as", "be", "been", "being", "but", "by", "can", "could", "did", "do", "does",
    "don", "for", "from", "had", "has", "have", "he", "her", "here", "him", "his", "i", "if", "in", "into", "is", "it",
    "its", "just", "like", "me", "my", "need", "of", "on", "onto", "or", "our", "please", "proxmox", "s", "shall",
    "she", "should", "so", "some", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "thing", "things", "this", "those", "to", "too", "us", "want", "was", "we", "were", "will", "with",
    "would", "you", "your",
];

/// The words of a text in lower case, letters and digits only, in their order.
pub fn split(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// True for a word that says nothing about what is wanted (`the`, `please`).
pub fn is_empty(word: &str) -> bool {
    EMPTY.binary_search(&word).is_ok()
}

/// Takes the ending off a word in lower case, so that `disks` and `disk`, `moving` and `moved` are one. What is left
/// need not be a word.
pub fn stem(word: &str) -> String {
    if !word.is_ascii() {
        return word.to_owned();
    }
    let mut word = word.to_owned();
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.len() > 3 && ["ses", "xes", "zes", "ches", "shes"].iter().any(|end| word.ends_with(end)) {
        word.truncate(word.len() - 2);
    } else if is_plural(&word) {
        word.truncate(word.len() - 1);
    }
    for end in ["ing", "ed"] {
        if let Some(rest) = word.strip_suffix(end).filter(|rest| rest.len() > 1 && has_vowel(rest)) {
            word.truncate(rest.len());
            let letters = word.as_bytes();
            if let [.., a, b] = letters
                && a == b
                && !b"lsz".contains(a)
            {
                word.truncate(word.len() - 1);
            }
            break;
        }
    }
    for (end, shorter) in [("tion", 3), ("sion", 3), ("ly", 2), ("e", 1)] {
        if word.len() > end.len() + 1 && word.ends_with(end) {
            word.truncate(word.len() - shorter);
            break;
        }
    }
    if word.len() > 2 && word.ends_with('y') {
        word.truncate(word.len() - 1);
        word.push('i');
    }
    word
}

fn is_plural(word: &str) -> bool {
    const SHORT: &[&str] = &["vms", "cts", "ips", "ids", "pgs", "vgs", "cpus", "vcpus", "gpus"];
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    SHORT.contains(&word) || (word.len() > 3 && word.ends_with('s') && !ends(&["ss", "us", "is"]))
}

fn has_vowel(text: &str) -> bool {
    text.bytes().any(|letter| b"aeiouy".contains(&letter))
}

/// The stems of a text without its empty words, in their order.
pub fn stems(text: &str) -> Vec<String> {
    split(text).iter().filter(|word| !is_empty(word)).map(|word| stem(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_are_sorted() {
        assert!(EMPTY.is_sorted());
    }

    #[test]
    fn endings_and_case_do_not_count() {
        assert_eq!(stems("Growing the disks of a VM"), stems("grow disk vm"));
        for (one, other) in
            [("moving", "move"), ("migration", "migrate"), ("copies", "copy"), ("stopped", "stop"), ("boxes", "box")]
        {
            assert_eq!(stem(one), stem(other));
        }
        for word in ["ping", "status", "access", "address", "dns"] {
            assert_eq!(stem(word), stem(&stem(word)), "{word}");
        }
    }
}
