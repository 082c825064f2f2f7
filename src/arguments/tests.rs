//! What callers may write, and what they are told when they wrote something else.

mod forms;
mod names;
mod parsed;
mod rest;
mod statics;
