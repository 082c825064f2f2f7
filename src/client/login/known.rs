//! What proves who we are, as far as it was read: passwords, tokens, tickets. No text may hold any of it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Tickets and CSRF tokens that are remembered: those in force and some before them, which are good for a while yet.
const PASSING: usize = 16;

/// The texts, and a number that grows with each one.
#[derive(Default)]
pub struct Known(Mutex<State>);

#[derive(Default)]
struct State {
    lasting: Vec<String>,
    passing: VecDeque<String>,
    version: u64,
}

impl Known {
    /// For the life of the process.
    pub fn keep(&self, text: &str) {
        self.with(|state| {
            if !state.lasting.iter().any(|known| known == text) {
                state.lasting.push(text.to_owned());
                state.version += 1;
            }
        });
    }

    /// Until some others have come.
    pub fn keep_passing(&self, text: &str) {
        self.with(|state| {
            if state.passing.len() >= PASSING {
                state.passing.pop_front();
            }
            state.passing.push_back(text.to_owned());
            state.version += 1;
        });
    }

    /// Changes whenever the texts do.
    pub fn version(&self) -> u64 {
        self.with(|state| state.version)
    }

    /// All of them.
    pub fn texts(&self) -> Vec<String> {
        self.with(|state| state.lasting.iter().chain(&state.passing).cloned().collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("version", &self.version()).finish_non_exhaustive()
    }
}
