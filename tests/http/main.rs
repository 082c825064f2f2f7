//! MCP over HTTP: the built binary, real sockets, both eras.

#[path = "../common/mod.rs"]
mod common;

#[cfg(unix)]
mod clusters;
mod ends;
mod instances;
mod load;
#[cfg(feature = "metrics")]
mod numbers;
mod oauth;
mod reach;
mod revoked;
mod served;
mod slow;
mod speaks;
mod tokens;
