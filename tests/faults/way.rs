//! The ways on which a client reaches the binary: pipes, or HTTP; in either era.

use crate::common::{self, Ended, Era};
use crate::served::{self, Served};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::runtime::Runtime;

/// How a client speaks to the binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Pipes(Era),
    Http(Era),
}

/// A client that waits for each answer.
pub enum Client {
    Pipes(Box<common::Client>),
    Http { served: Box<Served>, client: Box<served::Client>, runtime: Runtime },
}

impl Client {
    /// Starts the binary with these variables and opens the conversation.
    pub fn start(way: Way, variables: &[(&str, &str)]) -> Client {
        match way {
            Way::Pipes(era) => {
                let mut client = common::Client::start(era, &[], variables);
                client.open();
                Client::Pipes(Box::new(client))
            }
            Way::Http(era) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let served = Box::new(Served::start(&[], variables));
                let mut client = Box::new(served.client(era));
                runtime.block_on(client.open());
                Client::Http { served, client, runtime }
            }
        }
    }

    /// Calls a tool, and gives its result.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        match self {
            Client::Pipes(client) => client.call(tool, arguments),
            Client::Http { client, runtime, .. } => runtime.block_on(client.call(tool, arguments)),
        }
    }

    /// Something small that has to be answered at any time.
    pub fn knock(&mut self) -> Value {
        match self {
            Client::Pipes(client) => client.knock(),
            Client::Http { client, runtime, .. } => {
                let method = if client.era == Era::Handshake { "ping" } else { "server/discover" };
                runtime.block_on(client.request(method, json!({}))).answer().clone()
            }
        }
    }

    /// Ends the process in order.
    pub fn end(self) -> Ended {
        match self {
            Client::Pipes(client) => client.end(),
            Client::Http { served, .. } => {
                served.signal("TERM");
                let (status, log) = served.ended();
                Ended { status, log, answers: HashMap::new() }
            }
        }
    }
}
