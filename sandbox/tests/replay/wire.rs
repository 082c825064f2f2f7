//! The records that are no well-formed HTTP requests: written byte by byte.

use crate::{client::Answer, prepare::World, record::Record};

pub async fn send(_world: &mut World, _record: &Record) -> Answer {
    Answer::default()
}
