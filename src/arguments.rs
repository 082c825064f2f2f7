//! From the arguments of a call, as a model or a person wrote them, to typed values that the API takes.
//!
//! Knows what an [`Argument`](crate::tool::Argument) promises, the many honest ways to write a value, and the facts
//! about the API's parameters. Pure: sends nothing, reads no files, and knows no tool by name. Every problem of a call
//! is collected, so that one answer is enough to put the whole call right.

mod argv;
pub(crate) mod describe;
mod fields;
mod file;
mod guest;
mod names;
mod problem;
mod property;
mod rest;
mod scalar;
mod segment;
mod size;
mod text;
mod upid;
mod volid;

#[cfg(test)]
mod tests;

pub use fields::Fields;
pub use file::FileSource;
pub use guest::{GuestId, GuestRef};
pub(crate) use names::same as same_name;
pub(crate) use problem::printable;
pub use problem::{BadArguments, Problem};
pub use rest::RestPairs;
pub(crate) use scalar::word as scalar_text;
pub use segment::{BadSegment, Segment};
pub use size::{BadSize, Size};
pub use upid::{BadUpid, Upid};
pub use volid::{ArchiveRef, BadVolid, Volid};
