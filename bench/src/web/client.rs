//! A client of MCP over HTTP that does next to nothing: one connection, kept open, and one message at a time.
//!
//! Knows HTTP/1.1 as this server and the bare one speak it: a body with its length, or in chunks, as JSON or as events.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than anything takes, so that a hang ends the measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25, in a session.
    Handshake,
    /// 2026-07-28.
    Stateless,
}

pub struct Web {
    stream: BufReader<TcpStream>,
    /// `host:port`.
    host: String,
    path: String,
    era: Era,
    token: Option<String>,
    session: Option<String>,
    line: String,
}

/// The answer to a message.
pub struct Reply {
    pub status: u16,
    pub session: Option<String>,
    pub body: Vec<u8>,
    events: bool,
}

impl Reply {
    /// The last message in it: the answer itself.
    ///
    /// # Errors
    /// There is none.
    pub fn message(&self) -> io::Result<Value> {
        if !self.events {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        let text = String::from_utf8_lossy(&self.body);
        let mut data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
        let last = data.rfind(|data| !data.is_empty());
        Ok(serde_json::from_str(last.ok_or_else(|| io::Error::other("a stream without a message"))?)?)
    }
}

impl Web {
    /// Connects and opens the conversation.
    ///
    /// # Errors
    /// Nobody listens there, or not for us.
    pub fn open(url: &str, era: Era, token: Option<&str>) -> io::Result<Web> {
        let rest = url.strip_prefix("http://").ok_or_else(|| io::Error::other("a URL without http://"))?;
        let (host, path) = rest.split_once('/').ok_or_else(|| io::Error::other("a URL without a path"))?;
        let stream = connect(host)?;
        let (host, path, token) = (host.to_owned(), format!("/{path}"), token.map(str::to_owned));
        let mut web = Web { stream, host, path, era, token, session: None, line: String::new() };
        if era == Era::Handshake {
            let hello = json!({
                "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"},
            });
            let reply = web.send(&web.request("initialize", hello))?;
            if reply.status != 200 {
                return Err(io::Error::other(format!("{}: {}", reply.status, String::from_utf8_lossy(&reply.body))));
            }
            web.session = reply.session;
            let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
            let ready = web.bytes("notifications/initialized", None, &ready);
            web.send(&ready)?;
        }
        Ok(web)
    }

    /// A request of the protocol, ready to be sent again and again.
    pub fn request(&self, method: &str, params: Value) -> Vec<u8> {
        let mut params = params;
        if self.era == Era::Stateless {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.bytes(method, params["name"].as_str(), &body.to_string())
    }

    /// A call of a tool.
    pub fn call(&self, tool: &str, arguments: Value) -> Vec<u8> {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    fn bytes(&self, method: &str, name: Option<&str>, body: &str) -> Vec<u8> {
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: application/json, \
             text/event-stream\r\ncontent-length: {}\r\n",
            self.path,
            self.host,
            body.len()
        );
        if let Some(token) = &self.token {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        match self.era {
            Era::Handshake => {
                if let Some(session) = &self.session {
                    head.push_str(&format!("mcp-session-id: {session}\r\nmcp-protocol-version: 2025-11-25\r\n"));
                }
            }
            Era::Stateless => {
                head.push_str(&format!("mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n"));
                if let Some(name) = name {
                    head.push_str(&format!("mcp-name: {name}\r\n"));
                }
            }
        }
        format!("{head}\r\n{body}").into_bytes()
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// The connection broke. It is made anew for the next request.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Reply> {
        let reply = self.exchange(request);
        if reply.is_err() {
            self.stream = connect(&self.host)?;
        }
        reply
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.get_mut().write_all(request)?;
        self.next_line()?;
        let status = self.line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status: u16 = status.ok_or_else(|| io::Error::other(format!("no status: {}", self.line)))?;
        let (mut length, mut chunked, mut events, mut session, mut closes) = (0, false, false, None, false);
        loop {
            self.next_line()?;
            let line = self.line.trim_end();
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "content-type" => events = value.starts_with("text/event-stream"),
                "mcp-session-id" => session = Some(value.to_owned()),
                "connection" => closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            self.chunks(&mut body)?;
        } else {
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
        }
        if closes {
            self.stream = connect(&self.host)?;
        }
        Ok(Reply { status, session, body, events })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            self.next_line()?;
            let size = usize::from_str_radix(self.line.trim_end(), 16).map_err(io::Error::other)?;
            let from = body.len();
            body.resize(from + size, 0);
            self.stream.read_exact(&mut body[from..])?;
            // The end of the chunk, and with the last one the end of the body.
            self.next_line()?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn next_line(&mut self) -> io::Result<()> {
        self.line.clear();
        if self.stream.read_line(&mut self.line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn connect(host: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}
