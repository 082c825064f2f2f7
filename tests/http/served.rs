//! A server over HTTP, and a client that speaks either era to it.

use crate::common::{Era, PATIENCE, Piped, binary};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};

/// The built binary behind `serve --http`.
pub struct Served {
    piped: Option<Piped>,
    pub url: String,
}

impl Served {
    /// Over the sandbox, with these further arguments.
    pub fn sandbox(arguments: &[&str]) -> Served {
        let mut all = vec!["--sandbox"];
        all.extend_from_slice(arguments);
        Served::start(&all, &[])
    }

    /// On any free port, unless the arguments say otherwise.
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Served {
        let mut all = vec!["serve"];
        if !arguments.contains(&"--http") {
            all.extend(["--http", "127.0.0.1:0"]);
        }
        all.extend_from_slice(arguments);
        let piped = Piped::start(&mut binary(&all, environment));
        match piped.lines.recv_timeout(PATIENCE) {
            Ok(url) => Served { piped: Some(piped), url },
            Err(_) => panic!("the server does not start: {}", piped.log.join().unwrap_or_default()),
        }
    }

    /// Another path of the same server.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.strip_suffix("/mcp").expect("the URL of the protocol"))
    }

    pub fn client(&self, era: Era) -> Client {
        Client::new(&self.url, era)
    }

    /// Asks the process to end.
    pub fn signal(&self, name: &str) {
        let id = self.piped.as_ref().expect("it runs").child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits for the end: how, and what was logged.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let mut piped = self.piped.take().expect("it runs");
        let status = piped.child.wait().expect("ends");
        (status, piped.log.join().unwrap_or_default())
    }

    /// Ends it in order, and gives what was logged.
    pub fn log(self) -> String {
        self.signal("TERM");
        let (status, log) = self.ended();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(piped) = &mut self.piped {
            let _ = piped.child.kill();
            let _ = piped.child.wait();
        }
    }
}

/// A client of the protocol, over HTTP.
pub struct Client {
    http: reqwest::Client,
    pub url: String,
    pub era: Era,
    pub capabilities: Value,
    pub token: Option<String>,
    pub session: Option<String>,
    next: AtomicU64,
}

/// The answer to one request.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// The messages of the protocol in the body.
    pub messages: Vec<Value>,
}

impl Reply {
    async fn read(response: Response) -> Reply {
        let status = response.status();
        let headers = response.headers().iter();
        let headers: HashMap<String, String> =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
        let body = response.text().await.expect("a body");
        let stream = headers.get("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let messages = if stream { events(&body) } else { serde_json::from_str(&body).into_iter().collect() };
        Reply { status, headers, body, messages }
    }

    /// The answer itself, after everything that came before it.
    pub fn answer(&self) -> &Value {
        let mut answers = self.messages.iter().filter(|one| one.get("method").is_none());
        answers.next_back().unwrap_or_else(|| panic!("no answer in {self:?}"))
    }

    /// Of a refusal: why.
    pub fn says(&self) -> &str {
        self.answer()["error"]["message"].as_str().unwrap_or_else(|| panic!("no reason in {self:?}"))
    }
}

/// The messages in a stream of events.
pub fn events(body: &str) -> Vec<Value> {
    let data =
        body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).filter(|text| !text.is_empty());
    data.map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))).collect()
}

impl Client {
    pub fn new(url: &str, era: Era) -> Client {
        Client::over(plain(), url, era)
    }

    /// With connections of its own making.
    pub fn over(http: reqwest::Client, url: &str, era: Era) -> Client {
        let (capabilities, next) = (json!({}), AtomicU64::new(1));
        Client { http, url: url.to_owned(), era, capabilities, token: None, session: None, next }
    }

    pub fn with_token(mut self, token: &str) -> Client {
        self.token = Some(token.to_owned());
        self
    }

    /// Any request, with what this client adds to each.
    pub fn raw(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request
    }

    /// Opens the conversation as the era demands, and gives the answer.
    pub async fn open(&mut self) -> Reply {
        if self.era == Era::Stateless {
            return self.request("server/discover", json!({})).await;
        }
        let hello = json!({
            "protocolVersion": self.era.version(),
            "capabilities": self.capabilities,
            "clientInfo": {"name": "tests", "version": "0"},
        });
        let reply = self.request("initialize", hello).await;
        self.session = reply.headers.get("mcp-session-id").cloned();
        if reply.messages.iter().any(|message| message.get("result").is_some()) {
            let ready = self.message(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).send().await;
            assert_eq!(ready.expect("an answer").status(), StatusCode::ACCEPTED);
        }
        reply
    }

    /// A message, as this client would send it.
    pub fn message(&self, message: &Value) -> reqwest::RequestBuilder {
        let mut request = self.raw(Method::POST, &self.url);
        request = request.header("accept", "application/json, text/event-stream");
        request = request.header("content-type", "application/json");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        let method = message["method"].as_str().unwrap_or_default();
        if self.era == Era::Stateless {
            request = request.header("mcp-method", method);
            if let Some(name) = message["params"]["name"].as_str().or(message["params"]["uri"].as_str()) {
                request = request.header("mcp-name", name);
            }
        }
        if method != "initialize" {
            request = request.header("mcp-protocol-version", self.era.version());
        }
        request.body(message.to_string())
    }

    /// A request of the protocol, ready to be sent.
    pub fn prepared(&self, method: &str, params: Value) -> reqwest::RequestBuilder {
        let mut params = params;
        if self.era == Era::Stateless {
            if params["_meta"].is_null() {
                params["_meta"] = json!({});
            }
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = json!(self.era.version());
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "tests", "version": "0"});
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.message(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    pub async fn request(&self, method: &str, params: Value) -> Reply {
        Reply::read(self.prepared(method, params).send().await.expect("an answer")).await
    }

    /// Calls a tool: its result.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let reply = self.request("tools/call", json!({"name": tool, "arguments": arguments})).await;
        assert_eq!(reply.status, StatusCode::OK, "{tool}: {reply:?}");
        let answer = reply.answer();
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// The names of the tools on offer.
    pub async fn tools(&self) -> Vec<String> {
        let reply = self.request("tools/list", json!({})).await;
        let tools = reply.answer()["result"]["tools"].as_array().unwrap_or_else(|| panic!("{reply:?}")).clone();
        tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }
}

/// A client that knows nothing of the protocol.
pub fn plain() -> reqwest::Client {
    // Another test of this process may have done it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// Any request, and its answer.
pub async fn sent(request: reqwest::RequestBuilder) -> Reply {
    Reply::read(request.send().await.expect("an answer")).await
}

/// A GET without anything around it.
pub async fn get(url: &str) -> Reply {
    sent(plain().get(url)).await
}

/// A file with this text, in a folder that goes with it.
pub fn file(name: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    (folder, path)
}
