//! Whether a call may be sent as far as a person is concerned: who is asked, what is shown, and what counts as yes.

mod ask;
mod bound;
mod seal;

pub use ask::{Ask, Asker, Brought, Question, Said, Wants};
