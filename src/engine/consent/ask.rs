//! Asking a person: what is asked, what can come back, and the ways there are.
//!
//! Knows nothing of how a client or a terminal asks; a server or a command line brings that along.

use crate::engine::clean;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

/// What a person is shown and asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The plan and what to do. Several lines; what comes from the cluster never breaks one.
    pub text: String,
    pub wants: Wants,
}

/// A question for the caller to put, and what it brings back beside the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    pub question: Question,
    pub state: String,
}

/// What has to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    Yes,
    /// One of these words, typed. The first is the one to show.
    Typed(Vec<String>),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Yes,
    Typed(String),
    /// No.
    Declined,
    /// The question was put away without an answer.
    Dismissed,
    /// It could not be asked, and why.
    Unasked(String),
}

impl Wants {
    /// Is this the answer that was asked for?
    pub fn fits(&self, said: &Said) -> bool {
        match (self, said) {
            (Wants::Yes, Said::Yes) => true,
            (Wants::Typed(words), Said::Typed(typed)) => {
                let typed = clean::line(typed, 500);
                !typed.is_empty() && words.contains(&typed)
            }
            _ => false,
        }
    }

    /// What to do, for a sentence that begins with a verb.
    pub fn shown(&self) -> String {
        match self {
            Wants::Yes => "say yes".to_owned(),
            Wants::Typed(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("type {}", words.join(" or "))
            }
        }
    }
}

/// Somebody who can put a question to a person and wait for the answer.
pub trait Ask: Send + Sync {
    /// Asks, and ends when there is an answer. Dropped when nobody waits for it any longer.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Said>;

    /// Would a sign of life disturb the question?
    fn is_on_screen(&self) -> bool {
        false
    }
}

/// How the one who calls can reach a person.
#[derive(Clone, Default)]
pub enum Asker {
    /// Not at all; a second call to this process can bring what the first one was given.
    #[default]
    Nobody,
    /// Not at all, and this process ends with the call: what it gives out is kept for the next one.
    Apart,
    /// Right now, while the call waits.
    Now(Arc<dyn Ask>),
    /// The call ends with the question, and comes again with what was said.
    Again(Option<Brought>),
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asker::Nobody => f.write_str("Nobody"),
            Asker::Apart => f.write_str("Apart"),
            Asker::Now(_) => f.write_str("Now"),
            Asker::Again(brought) => f.debug_tuple("Again").field(brought).finish(),
        }
    }
}

/// What a call brings along that comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub said: Said,
    /// As it was given out with the question.
    pub state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_itself_counts() {
        let wants = Wants::Typed(vec!["104".to_owned(), "web server".to_owned()]);
        for good in ["104", " 104\n", "web  server"] {
            assert!(wants.fits(&Said::Typed(good.to_owned())), "{good}");
        }
        for bad in ["", "10", "1044", "yes", "WEB SERVER", "104 web server"] {
            assert!(!wants.fits(&Said::Typed(bad.to_owned())), "{bad}");
        }
        assert!(!wants.fits(&Said::Yes) && !wants.fits(&Said::Declined));
        assert!(Wants::Yes.fits(&Said::Yes));
        assert!(!Wants::Yes.fits(&Said::Typed("yes".to_owned())) && !Wants::Yes.fits(&Said::Dismissed));
    }
}
