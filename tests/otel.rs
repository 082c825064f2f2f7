//! Traces: what a collector gets of the requests over HTTP, and what becomes of calls without one.
//!
//! The collector is a small one of this file: it keeps what it is sent, as bytes, and reads of it what is asked here.

#![cfg(all(feature = "otel", feature = "sandbox", unix))]

#[path = "common/mod.rs"]
mod common;
#[allow(dead_code)]
#[path = "http/served.rs"]
mod served;

use common::{Era, PATIENCE, run};
use proxmox_sandbox::{Options, Sandbox};
use serde_json::json;
use served::Served;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// One request, as the collector got it.
#[derive(Debug, Clone)]
struct Arrived {
    head: String,
    body: Vec<u8>,
}

/// Takes whatever comes, and keeps it before it answers.
struct Collector {
    url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Collector {
    fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let kept = arrived.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A connection that says nothing brought nothing.
                let _ = taken(stream, &kept);
            }
        });
        Collector { url, arrived }
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("nobody failed").clone()
    }

    fn spans(&self) -> Vec<Span> {
        self.arrived().iter().flat_map(|one| spans(&one.body)).collect()
    }
}

fn taken(stream: TcpStream, kept: &Mutex<Vec<Arrived>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body)?;
    kept.lock().expect("nobody failed").push(Arrived { head, body });
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// A span, as far as it is looked at here.
#[derive(Debug)]
struct Span {
    /// Of the process that sent it.
    service: String,
    trace: String,
    /// Empty = it is the first of its trace.
    parent: String,
    name: String,
    attributes: BTreeMap<String, String>,
    /// What was logged: the attributes of each event.
    events: Vec<BTreeMap<String, String>>,
}

impl Span {
    fn event(&self, name: &str) -> &BTreeMap<String, String> {
        let found = self.events.iter().find(|event| event.get("event name").is_some_and(|one| one == name));
        found.unwrap_or_else(|| panic!("`{name}` is not in {self:#?}"))
    }
}

/// The spans of a message `ExportTraceServiceRequest` of OTLP 1: the numbers are those of its fields.
fn spans(message: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource_spans in all(message, 1) {
        let resource: BTreeMap<_, _> = all(resource_spans, 1).flat_map(|resource| attributes(resource, 1)).collect();
        for span in all(resource_spans, 2).flat_map(|scope| all(scope, 2)) {
            let hex = |number| -> String { all(span, number).flatten().map(|byte| format!("{byte:02x}")).collect() };
            let events = all(span, 11).map(|event| {
                let mut said = attributes(event, 3);
                said.insert("event name".to_owned(), text(event, 2));
                said
            });
            spans.push(Span {
                service: resource.get("service.name").cloned().unwrap_or_default(),
                trace: hex(1),
                parent: hex(4),
                name: text(span, 5),
                attributes: attributes(span, 9),
                events: events.collect(),
            });
        }
    }
    spans
}

fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    // Values that are no texts are left empty.
    let value = |pair| all(pair, 2).map(|value| text(value, 1)).collect();
    all(message, number).map(|pair| (text(pair, 1), value(pair))).collect()
}

fn text(message: &[u8], number: u64) -> String {
    all(message, number).map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

/// What the fields of this number hold, of those that have a length: texts, bytes and messages.
fn all(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    let mut rest = message;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let length = match key & 7 {
            0 => {
                varint(&mut rest);
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut rest)).expect("a length"),
            5 => 4,
            other => panic!("no message of protobuf: wire type {other}"),
        };
        let (part, after) = rest.split_at(length);
        rest = after;
        if (key >> 3, key & 7) == (number, 2) {
            found.push(part);
        }
    }
    found.into_iter()
}

fn varint(rest: &mut &[u8]) -> u64 {
    let length = rest.iter().position(|byte| byte & 0x80 == 0).expect("an end") + 1;
    let (bytes, after) = rest.split_at(length);
    *rest = after;
    bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

/// The end of the server, which has to come: what it logged.
fn log(server: Served) -> String {
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(server.log()));
    ended.recv_timeout(PATIENCE).expect("the server ends in order")
}

#[tokio::test]
async fn a_request_is_a_span_of_the_trace_that_began_at_the_client() {
    let collector = Collector::start();
    let sandbox = Sandbox::start(Options::default()).await.expect("loopback");
    let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
    let fingerprint: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let address = sandbox.address().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens.toml");
    let tokens = tokens.to_str().expect("plain");
    let made = run(&["token", "new", "--name", "alice", "--tier", "admin", "--tokens", tokens], &[]);
    let bearer = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    assert!(bearer.starts_with("pmcp_"), "{}", String::from_utf8_lossy(&made.stderr));
    let environment = [
        ("PROXMOX_HOST", address.as_str()),
        ("PROXMOX_FINGERPRINT", &fingerprint),
        ("PROXMOX_TOKEN_NAME", name),
        ("PROXMOX_TOKEN_VALUE", secret),
        (ENDPOINT, &collector.url),
    ];
    let server = Served::start(&["--tier", "admin", "--tokens", tokens, "--log-level", "off"], &environment);
    for era in Era::BOTH {
        let mut client = server.client(era).with_token(&bearer);
        client.open().await;
        let user = json!({"userid": format!("{era:?}@pve"), "password": "Marker-5TbQ"});
        let arguments = json!({"method": "POST", "path": "/access/users", "params": user});
        let request = client.prepared("tools/call", json!({"name": "call_api", "arguments": arguments}));
        let request = request.header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
        let reply = served::sent(request.header("x-request-id", format!("Req-{era:?}"))).await;
        assert_ne!(reply.answer()["result"]["isError"], true, "{reply:?}");
    }
    // Whoever traces nothing gets no trace; whoever says nothing gets one of its own.
    let client = server.client(Era::Stateless).with_token(&bearer);
    for (id, trace) in [("unwanted", format!("00-{TRACE}-{PARENT}-00")), ("own", "nonsense".to_owned())] {
        let request = client.prepared("tools/list", json!({})).header("traceparent", trace);
        served::sent(request.header("x-request-id", id)).await;
    }
    log(server);

    let spans = collector.spans();
    let of = |id: &str| spans.iter().find(|span| span.attributes.get("id").is_some_and(|one| one == id));
    for era in Era::BOTH {
        let span = of(&format!("Req-{era:?}")).unwrap_or_else(|| panic!("{era:?} is missing in {spans:#?}"));
        assert_eq!((span.service.as_str(), span.name.as_str()), ("proxmox-mcp", "request"));
        assert_eq!((span.trace.as_str(), span.parent.as_str()), (TRACE, PARENT), "{span:#?}");
        assert_eq!(span.attributes["tool"], "call_api", "{span:#?}");
        assert_eq!(span.event("writing")["path"], "/access/users", "{span:#?}");
        assert_eq!(span.event("call")["outcome"], "ok", "{span:#?}");
        assert_eq!(span.event("call")["caller"], "alice", "{span:#?}");
    }
    assert!(of("unwanted").is_none(), "{spans:#?}");
    let own = of("own").unwrap_or_else(|| panic!("it is missing in {spans:#?}"));
    assert!(own.trace.len() == 32 && own.trace != TRACE && own.parent.is_empty(), "{own:#?}");

    for Arrived { head, body } in collector.arrived() {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        for (what, marker) in [("token", bearer.as_str()), ("secret", secret), ("argument", "Marker-5TbQ")] {
            let within = |bytes: &[u8]| bytes.windows(marker.len()).any(|part| part == marker.as_bytes());
            assert!(!within(head.as_bytes()) && !within(&body), "the {what} is in {head}");
        }
    }
}

#[tokio::test]
async fn the_variables_of_opentelemetry_say_where_to_and_under_which_name() {
    let collector = Collector::start();
    let exact = format!("{}/anywhere", collector.url);
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", exact.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=lab"),
        ("OTEL_SERVICE_NAME", "cluster-lab"),
    ];
    let server = Served::start(&["--sandbox"], &environment);
    server.client(Era::Stateless).call("get_version", json!({})).await;
    log(server);
    let (arrived, spans) = (collector.arrived(), collector.spans());
    assert!(arrived.iter().all(|one| one.head.starts_with("POST /anywhere ")), "{arrived:?}");
    assert!(arrived.iter().all(|one| one.head.contains("x-tenant: lab\r\n")), "{arrived:?}");
    assert!(!spans.is_empty() && spans.iter().all(|span| span.service == "cluster-lab"), "{spans:#?}");
}

#[tokio::test]
async fn without_a_collector_calls_are_answered_and_the_end_comes() {
    // Takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let nobody = format!("http://{}", TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("one"));
    let silent_url = format!("http://{}", silent.local_addr().expect("an address"));
    for (endpoint, says) in [
        (nobody.as_str(), "traces do not get to where OTEL_EXPORTER_OTLP_ENDPOINT says"),
        (&silent_url, "the last traces were not sent"),
        ("http://me:Marker-5TbQ@[", "takes a URL, e.g. http://127.0.0.1:4318"),
        ("", ""),
    ] {
        let server = Served::start(&["--sandbox"], &[(ENDPOINT, endpoint)]);
        let client = server.client(Era::Stateless);
        for _ in 0..20 {
            let answer = client.call("get_version", json!({})).await;
            assert_ne!(answer["isError"], true, "{answer}");
        }
        let log = log(server);
        assert!(log.contains(says), "`{says}` is missing for {endpoint}: {log}");
        assert!(!endpoint.is_empty() || !log.contains("trace"), "{log}");
        assert!(!log.contains("Marker"), "{log}");
    }
}
