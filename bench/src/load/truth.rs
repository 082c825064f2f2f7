//! What clients were told, beside what the cluster has received.

use serde_json::Value;
use std::collections::HashMap;
use std::io;

/// How a call ended, by the word of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Done,
    /// It did not happen.
    Failed,
    /// Nobody can say.
    Unknown,
}

#[derive(Debug, Clone)]
pub struct Told {
    /// Only a write has one; it stands in what is written.
    mark: Option<String>,
    word: Word,
}

impl Told {
    /// # Errors
    /// The answer is none to a call.
    pub fn of(mark: Option<String>, message: &Value) -> io::Result<Told> {
        let result = &message["result"];
        if !result.is_object() {
            return Err(io::Error::other(format!("no result: {message}")));
        }
        let word = match (result["structuredContent"]["outcome"].as_str(), result["isError"] == true) {
            (Some("unknown"), _) => Word::Unknown,
            (_, true) => Word::Failed,
            _ => Word::Done,
        };
        Ok(Told { mark, word })
    }
}

/// A write that the cluster has received.
#[derive(Debug, Clone)]
pub struct Write {
    pub mark: String,
    /// The cluster has dealt with it and did not refuse it.
    pub happened: bool,
}

/// Everything so far.
#[derive(Debug, Default)]
pub struct Truth {
    pub calls: usize,
    pub done: usize,
    pub failed: usize,
    pub unknown: usize,
    pub received: usize,
}

impl Truth {
    /// Takes up one round.
    ///
    /// # Errors
    /// A write was lost, made or sent twice, or told otherwise than it was.
    pub fn judge(&mut self, told: &[Told], received: &[Write]) -> io::Result<()> {
        let mut seen: HashMap<&str, (usize, usize)> = HashMap::new();
        for write in received {
            let (sent, happened) = seen.entry(&write.mark).or_default();
            *sent += 1;
            *happened += usize::from(write.happened);
        }
        self.calls += told.len();
        self.received += received.len();
        for (mark, word) in told.iter().filter_map(|one| Some((one.mark.as_deref()?, one.word))) {
            let (sent, happened) = seen.remove(mark).unwrap_or_default();
            let wrong = match (word, sent, happened) {
                (_, 2.., _) => "was sent more than once",
                (Word::Done, _, 0) => "is lost: it was told to be done",
                (Word::Failed, _, 1..) => "happened, and was told to have failed",
                _ => "",
            };
            if !wrong.is_empty() {
                return Err(io::Error::other(format!("the write `{mark}` {wrong}")));
            }
            match word {
                Word::Done => self.done += 1,
                Word::Failed => self.failed += 1,
                Word::Unknown => self.unknown += 1,
            }
        }
        match seen.keys().next() {
            Some(mark) => Err(io::Error::other(format!("nobody has called for the write `{mark}`"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(word: Word) -> Vec<Told> {
        vec![Told { mark: Some("a".to_owned()), word }, Told { mark: None, word: Word::Done }]
    }

    fn writes(happened: &[bool]) -> Vec<Write> {
        happened.iter().map(|happened| Write { mark: "a".to_owned(), happened: *happened }).collect()
    }

    #[test]
    fn only_the_truth_passes() {
        let judge = |word, happened: &[bool]| Truth::default().judge(&told(word), &writes(happened));
        for (word, happened) in [
            (Word::Done, &[true][..]),
            (Word::Failed, &[]),
            (Word::Failed, &[false]),
            (Word::Unknown, &[]),
            (Word::Unknown, &[false]),
            (Word::Unknown, &[true]),
        ] {
            assert!(judge(word, happened).is_ok(), "{word:?} {happened:?}");
        }
        for (word, happened, why) in [
            (Word::Done, &[][..], "lost"),
            (Word::Done, &[false], "lost"),
            (Word::Done, &[true, true], "more than once"),
            (Word::Unknown, &[true, false], "more than once"),
            (Word::Failed, &[true], "told to have failed"),
        ] {
            let says = judge(word, happened).expect_err("it is wrong").to_string();
            assert!(says.contains(why), "{says}");
        }
        let mut truth = Truth::default();
        assert!(truth.judge(&[], &writes(&[true])).is_err(), "a write of nobody");
    }
}
