//! Perl patterns of the facts, compiled once.
//!
//! Knows the few Perl spellings that the facts use and the Rust engine does not; must not know of parameters.

use regex_lite::Regex;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// True if the whole text matches the Perl pattern, or if the pattern is beyond the engine: then the server decides.
pub(crate) fn matches(pattern: &'static str, text: &str) -> bool {
    compiled(pattern).is_none_or(|regex| regex.is_match(text))
}

/// The pattern anchored at both ends; none if the engine does not know a construct in it.
pub(crate) fn compiled(pattern: &'static str) -> Option<Arc<Regex>> {
    type Cache = Mutex<HashMap<&'static str, Option<Arc<Regex>>>>;
    static CACHE: OnceLock<Cache> = OnceLock::new();
    let mut cache = CACHE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    cache.entry(pattern).or_insert_with(|| Regex::new(&translate(pattern)).ok().map(Arc::new)).clone()
}

/// Perl to Rust: `(?^i:` resets flags (ours start reset), `\0` is NUL, `{,n}` counts from 0, and `(?!\n)` before the
/// end says no more than our `$`, which never matches before a final line feed.
fn translate(pattern: &str) -> String {
    let body = pattern
        .replace("(?^:", "(?:")
        .replace("(?^u:", "(?:")
        .replace("(?^i:", "(?i:")
        .replace(r"(?!\n)", "")
        .replace("{,", "{0,")
        .replace(r"\0", r"\x00");
    format!("^(?:{body})$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Param;

    fn patterns(param: &'static Param, found: &mut Vec<&'static str>) {
        found.extend(param.pattern);
        param.keys.iter().copied().chain(param.items).for_each(|inner| patterns(inner, found));
    }

    #[test]
    fn every_pattern_of_the_facts_compiles() {
        let mut found = Vec::new();
        for param in crate::methods().iter().flat_map(|method| method.params) {
            patterns(param, &mut found);
        }
        assert_eq!(found.len(), 300);
        found.retain(|pattern| compiled(pattern).is_none());
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn every_pattern_of_a_format_compiles() {
        let broken: Vec<_> = crate::format::patterns().filter(|pattern| compiled(pattern).is_none()).collect();
        assert_eq!(broken, [""; 0]);
    }

    #[test]
    fn patterns_are_anchored_and_perl_is_understood() {
        assert!(matches("(?^:^[^:/\\s]+$)", "abc") && !matches("(?^:^[^:/\\s]+$)", "a b"));
        assert!(matches("a|b", "b") && !matches("a|b", "ab"));
        assert!(matches("[a-z]{,2}", "") && !matches("[a-z]{,2}", "abc"));
        assert!(!matches("a", "a\n"));
    }
}
