//! Which of the values that there are fit what was typed so far.
//!
//! Knows texts only: where they come from is the engine's business.

/// Most values of one answer, by the protocol.
pub const MOST: usize = 100;

/// The values that fit, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub values: Vec<String>,
    pub total: usize,
}

/// Those that begin with `typed`, then those that have it elsewhere, in any case; each once, in the order given.
pub fn found(all: &[String], typed: &str) -> Found {
    let typed = typed.trim().to_lowercase();
    let (mut first, mut later): (Vec<&String>, Vec<&String>) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for value in all.iter().filter(|value| seen.insert(value.as_str())) {
        match value.to_lowercase().find(&typed) {
            Some(0) => first.push(value),
            Some(_) => later.push(value),
            None => {}
        }
    }
    let total = first.len() + later.len();
    Found { values: first.into_iter().chain(later).take(MOST).cloned().collect(), total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_come_before_parts_and_nothing_twice() {
        let all = ["db-web", "Web-1", "web-2", "mail", "Web-1"].map(str::to_owned);
        assert_eq!(found(&all, "web").values, ["Web-1", "web-2", "db-web"]);
        assert_eq!(found(&all, "").total, 4);
        assert_eq!(found(&all, "x"), Found { values: Vec::new(), total: 0 });
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let all: Vec<String> = (0..250).map(|number| format!("node{number}")).collect();
        let found = found(&all, "node");
        assert_eq!((found.values.len(), found.total), (MOST, 250));
    }
}
