//! A peer that says whatever bytes it likes, and reads whatever comes back.

use super::common::{PATIENCE, Piped, binary};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

pub struct Raw {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
}

impl Raw {
    /// A server over the sandbox that was told nothing yet.
    pub fn start() -> Raw {
        let Piped { child, input, lines, log } = Piped::start(&mut binary(&["--sandbox", "--tier", "admin"], &[]));
        Raw { child, input, lines, log: Some(log) }
    }

    /// As [`Raw::start`], with the handshake done.
    pub fn opened() -> Raw {
        let mut raw = Raw::start();
        raw.line(HELLO);
        assert_eq!(raw.next()["id"], 0);
        raw.line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        raw
    }

    pub fn say(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server listens");
    }

    pub fn line(&mut self, text: &str) {
        self.say(format!("{text}\n").as_bytes());
    }

    /// The next message, which has to be one of the protocol.
    pub fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("the server answers");
        let message: Value = serde_json::from_str(&line).expect("a message of the protocol");
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// Everything that was said until the server answered a ping and a call that came after it.
    pub fn until_alive(&mut self) -> Vec<Value> {
        self.line(r#"{"jsonrpc":"2.0","id":"alive-1","method":"ping"}"#);
        self.line(
            r#"{"jsonrpc":"2.0","id":"alive-2","method":"tools/call","params":{"name":"get_version","arguments":{}}}"#,
        );
        let mut said = Vec::new();
        let mut missing = vec!["alive-1", "alive-2"];
        while !missing.is_empty() {
            let message = self.next();
            match missing.iter().position(|id| message["id"] == *id) {
                Some(place) => {
                    let id = missing.remove(place);
                    assert!(message["result"].is_object(), "{id}: {message}");
                    assert_ne!(message["result"]["isError"], true, "{message}");
                }
                None => said.push(message),
            }
        }
        said
    }

    /// Ends the input and gives whether the process ended well, what else was said, and the log.
    pub fn end(mut self) -> (bool, Vec<Value>, String) {
        self.input = None;
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            said.push(serde_json::from_str(&line).expect("a message of the protocol"));
        }
        let ended = self.child.wait().expect("ends").success();
        let log = self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default();
        (ended, said, log)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"0"}}}"#;

/// A call of this id as one line.
pub fn call(id: &Value, name: &str, arguments: &Value) -> String {
    let params = json!({"name": name, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string()
}
