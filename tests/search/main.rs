//! Finding a method of the API by everyday words, and what is said about one.

#[cfg(feature = "sandbox")]
#[path = "../common/engine.rs"]
mod calls;
#[cfg(feature = "sandbox")]
#[path = "../common/mod.rs"]
mod common;
mod found;
#[cfg(feature = "sandbox")]
mod told;
