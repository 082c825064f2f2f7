//! The fixtures are there for the suite: the program prints where, and answers.

use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Killed if the test ends before it.
struct Fixtures(Child);

impl Drop for Fixtures {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_tool_of_the_fixtures_is_listed_over_http() -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxmox-conformance"));
    let mut fixtures = Fixtures(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    let mut url = String::new();
    BufReader::new(fixtures.0.stdout.take().ok_or("no output")?).read_line(&mut url)?;
    let host = url.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp")).ok_or("no URL")?;

    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }}})
    .to_string();
    let mut stream = TcpStream::connect(host)?;
    // Against a hang only.
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\naccept: \
         application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no end of the head")?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    let listed: Value = serde_json::from_str(body)?;
    let names = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|tool| Some(tool["name"].as_str()?.to_owned())).collect()
    };
    let expected: Value = serde_json::from_str(include_str!("../fixtures.json"))?;
    let expected = names(&expected["tools"]);
    assert!(!expected.is_empty());
    assert_eq!(names(&listed["result"]["tools"]), expected);
    Ok(())
}
