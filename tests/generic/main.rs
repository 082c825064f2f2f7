//! The call of any method of the API: what it plans, what it refuses before anything is sent, and what it answers.

#[path = "../common/engine.rs"]
mod calls;
mod plans;
#[cfg(feature = "sandbox")]
mod sandbox;
