//! The built binary over real pipes: a small client of the protocol, in both of its eras.
//!
//! Every line that the server writes must be a message of the protocol, and nothing may take longer than
//! [`PATIENCE`]: a server that says nothing is killed, and the test fails with what it said on standard error.

// Every test file uses a part of it.
#![allow(dead_code)]

use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far more than anything takes, so that only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How a client opens the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25: a handshake, then a session.
    Handshake,
    /// 2026-07-28: `server/discover`, and every request says who asks.
    Stateless,
}

impl Era {
    pub const BOTH: [Era; 2] = [Era::Handshake, Era::Stateless];

    pub fn version(self) -> &'static str {
        match self {
            Era::Handshake => "2025-11-25",
            Era::Stateless => "2026-07-28",
        }
    }
}

/// The binary with nothing of this process's environment, in a folder without `.env`.
pub fn binary(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxmox-mcp"));
    // Nobody is there to be asked; the tests of that say otherwise by a flag.
    command.env_clear().env("PROXMOX_CONFIRM", "off");
    command.args(arguments).envs(environment.iter().copied()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs the binary to its end, with an empty standard input.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = binary(arguments, environment);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let (sender, finished) = channel();
    let id = child.id();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match finished.recv_timeout(PATIENCE) {
        Ok(output) => output.expect("ends"),
        Err(_) => {
            let _ = Command::new("kill").arg(id.to_string()).status();
            panic!("`proxmox-mcp {}` does not end", arguments.join(" "));
        }
    }
}

/// A process whose lines are read while it runs.
pub struct Piped {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub lines: Receiver<String>,
    /// All of its standard error, at its end.
    pub log: JoinHandle<String>,
}

impl Piped {
    pub fn start(command: &mut Command) -> Piped {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let output = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut errors = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let input = child.stdin.take();
        Piped { child, input, lines, log }
    }
}

pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
    era: Era,
    /// What the client says it can do.
    capabilities: Value,
    next: u64,
    /// Answers that came while another was waited for.
    answers: HashMap<u64, Value>,
    /// Every notification, in order of arrival.
    pub notifications: Vec<Value>,
    /// Requests of the server that were not answered yet.
    asked: VecDeque<Value>,
}

/// What a server left behind.
pub struct Ended {
    pub status: ExitStatus,
    pub log: String,
    /// Answers that nobody had waited for.
    pub answers: HashMap<u64, Value>,
}

impl Client {
    /// Starts a server and says nothing to it yet.
    pub fn start(era: Era, arguments: &[&str], environment: &[(&str, &str)]) -> Client {
        Client::able(era, json!({}), arguments, environment)
    }

    /// As [`Client::start`], for a client that can do more than the least.
    pub fn able(era: Era, capabilities: Value, arguments: &[&str], environment: &[(&str, &str)]) -> Client {
        let mut command = binary(arguments, environment);
        let Piped { child, input, lines, log } = Piped::start(&mut command);
        let (answers, notifications, asked) = (HashMap::new(), Vec::new(), VecDeque::new());
        Client { child, input, lines, log: Some(log), era, capabilities, next: 0, answers, notifications, asked }
    }

    /// A server over the sandbox with these further arguments, and the conversation opened.
    pub fn sandbox(era: Era, arguments: &[&str]) -> Client {
        let mut all = vec!["--sandbox"];
        all.extend_from_slice(arguments);
        let mut client = Client::start(era, &all, &[]);
        client.open();
        client
    }

    /// Opens the conversation as the era demands, and gives what the server says of itself.
    pub fn open(&mut self) -> Value {
        match self.era {
            Era::Handshake => {
                let hello = json!({
                    "protocolVersion": self.era.version(),
                    "capabilities": self.capabilities,
                    "clientInfo": {"name": "tests", "version": "0"},
                });
                let answer = self.request("initialize", hello);
                self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
                answer["result"].clone()
            }
            Era::Stateless => self.request("server/discover", json!({}))["result"].clone(),
        }
    }

    pub fn era(&self) -> Era {
        self.era
    }

    /// Sends a request, and gives its id.
    pub fn send(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let mut params = params;
        if self.era == Era::Stateless {
            let meta = &mut params["_meta"];
            if meta.is_null() {
                *meta = json!({});
            }
            meta["io.modelcontextprotocol/protocolVersion"] = json!(self.era.version());
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "tests", "version": "0"});
        }
        self.write(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        self.next
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Calls a tool, and gives its result.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// Calls a tool with a progress token, and gives the request's id.
    pub fn begin(&mut self, tool: &str, arguments: Value, token: &str) -> u64 {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": token}});
        self.send("tools/call", params)
    }

    /// Something small that has to be answered at any time: `ping`, where the era has it.
    pub fn knock(&mut self) -> Value {
        match self.era {
            Era::Handshake => self.request("ping", json!({})),
            Era::Stateless => self.request("server/discover", json!({})),
        }
    }

    /// The answer to this request, once it is there.
    pub fn answer(&mut self, id: u64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.take();
        }
    }

    /// Waits until this request is answered, or the server asks for something itself: that request.
    pub fn asked(&mut self, id: u64) -> Option<Value> {
        loop {
            if let Some(request) = self.asked.pop_front() {
                return Some(request);
            }
            if self.is_answered(id) {
                return None;
            }
            self.take();
        }
    }

    /// Answers a request of the server.
    pub fn reply(&mut self, id: &Value, answer: (&str, Value)) {
        let (kind, value) = answer;
        self.write(&json!({"jsonrpc": "2.0", "id": id, kind: value}));
    }

    pub fn is_answered(&self, id: u64) -> bool {
        self.answers.contains_key(&id)
    }

    /// Waits until a notification of this method has arrived, or the request has been answered.
    pub fn wait_for(&mut self, method: &str, id: u64) {
        while !self.answers.contains_key(&id) && !self.notifications.iter().any(|one| one["method"] == method) {
            self.take();
        }
    }

    /// The parameters of every notification of this method so far.
    pub fn notified(&self, method: &str) -> Vec<&Value> {
        self.notifications.iter().filter(|one| one["method"] == method).map(|one| &one["params"]).collect()
    }

    /// Ends the server's input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Ends the input, reads everything that is still said, and waits for the end of the process.
    pub fn end(mut self) -> Ended {
        self.close();
        while let Some(line) = self.line() {
            self.sort(&line);
        }
        let status = self.child.wait().expect("ends");
        let log = self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default();
        Ended { status, log, answers: std::mem::take(&mut self.answers) }
    }

    fn write(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("the input is open");
        if let Err(error) = writeln!(input, "{message}").and_then(|()| input.flush()) {
            self.give_up(&format!("the server does not listen: {error}"));
        }
    }

    /// Reads one message.
    fn take(&mut self) {
        match self.line() {
            Some(line) => self.sort(&line),
            None => self.give_up("the server ended"),
        }
    }

    /// The next line; `None` when the output has ended.
    fn line(&mut self) -> Option<String> {
        let begin = Instant::now();
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(_) if begin.elapsed() < PATIENCE => None,
            Err(_) => self.give_up("the server says nothing"),
        }
    }

    fn sort(&mut self, line: &str) {
        let message: Map<String, Value> = match serde_json::from_str(line) {
            Ok(message) => message,
            Err(error) => self.give_up(&format!("not a message of the protocol ({error}): {line}")),
        };
        assert_eq!(message.get("jsonrpc"), Some(&json!("2.0")), "{line}");
        match (message.get("id").and_then(Value::as_u64), message.contains_key("method")) {
            (Some(id), false) => {
                let earlier = self.answers.insert(id, Value::Object(message));
                assert!(earlier.is_none(), "answered twice: {line}");
            }
            (_, true) if message.contains_key("id") => self.asked.push_back(Value::Object(message)),
            (_, true) => self.notifications.push(Value::Object(message)),
            _ => self.give_up(&format!("neither an answer nor a notification: {line}")),
        }
    }

    fn give_up(&mut self, why: &str) -> ! {
        let _ = self.child.kill();
        let log = self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default();
        panic!("{why}; on standard error:\n{log}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a tool's result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text block")
}
