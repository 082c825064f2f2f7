//! MCP over HTTP: the built binary, real sockets, both eras.

#[path = "../common/mod.rs"]
mod common;

mod ends;
mod served;
mod speaks;
