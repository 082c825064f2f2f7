//! Plans that are made by hand, for what is not one request of the API: the only escape from the catalogue's language.
//!
//! A handler is pure, like a generated plan: it reads arguments, sends nothing, and its plan goes the same road through
//! the same gates. The catalogue names the function (`handler: planned_call`); nothing here knows a tool.

mod call;
mod describe;
mod request;
mod search;

pub use call::{confirmed_call, planned_call};
pub use describe::describe_method;
pub use request::request;
pub use search::search_methods;

use crate::tool::Argument;

/// The argument that the generator has checked to be there.
pub(crate) fn named(arguments: &'static [Argument], name: &str) -> Option<&'static Argument> {
    arguments.iter().find(|argument| argument.name == name)
}
