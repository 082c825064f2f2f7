//! Requests over HTTP: whatever the headers are, the answer is one, no page of another site gets through, nobody gets in
//! where tokens are asked for and there are none, and nothing breaks inside.
//!
//! The input is what stands behind the request line: headers, an empty line, the body. Lines may end with a line feed
//! alone. A real listener gets it over a socket; there is no cluster.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_mcp::clusters::Clusters;
use proxmox_mcp::engine::Engine;
use proxmox_mcp::http::{Door, Http, Options, PATH, Ready, Stop};
use proxmox_mcp::server::Server;
use proxmox_mcp::settings::{Flags, Settings};
use proxmox_mcp::tokens::Tokens;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Two listeners, which live as long as the process: an open one, and one that asks for tokens of an empty list.
static LISTENERS: LazyLock<([SocketAddr; 2], Runtime)> = LazyLock::new(|| {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let nobody = Door { tokens: Some(Tokens::at("/nonexistent/tokens.toml".into())), ..Door::default() };
    let addresses = [Door::default(), nobody].map(|door| runtime.block_on(listen(door)));
    (addresses, runtime)
});

async fn listen(door: Door) -> SocketAddr {
    let text = |text: &str| Some(text.to_owned());
    let flags = Flags {
        host: text("127.0.0.1:9"),
        token_name: text("fuzz@pve!fuzz"),
        fingerprint: Some("00".repeat(32)),
        retry_attempts: text("1"),
        ..Flags::default()
    };
    let secret = |name: &str| (name == "PROXMOX_TOKEN_VALUE").then(|| "fuzz".to_owned());
    let engine = Arc::new(Engine::new(Settings::from(&flags, &secret).expect("good settings")));
    let server = Server::new(Clusters::one(engine));
    let options = Options { sessions: 1_000_000, idle: Duration::from_secs(1), rate: None, ..Options::default() };
    let http = Http::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, options).await.expect("loopback is there");
    let address = http.address();
    let calls = server.calls().clone();
    tokio::spawn(http.serve(server, door, Ready::always(), calls, Stop::default()));
    address
}

fuzz_target!(|data: &[u8]| {
    let mut headers = Vec::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        rest = after;
        if line.is_empty() {
            break;
        }
        headers.push(line.strip_suffix(b"\r").unwrap_or(line));
    }
    let mut request = format!("POST {PATH} HTTP/1.1\r\n").into_bytes();
    for line in &headers {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("Content-Length: {}\r\nConnection: close\r\n\r\n", rest.len()).as_bytes());
    request.extend_from_slice(rest);

    let [open, guarded] = LISTENERS.0;
    assert_ne!(status(guarded, &request), Some(200), "nobody has a token");
    if status(open, &request) == Some(200) {
        let values = |name: &str| {
            let wanted = name.to_owned();
            headers.iter().filter_map(move |line| {
                let line = String::from_utf8_lossy(line).into_owned();
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(&wanted).then(|| value.trim().to_ascii_lowercase())
            })
        };
        for host in values("host") {
            assert!(["localhost", "127.0.0.1", "[::1]", "::1"].iter().any(|own| host.starts_with(own)), "host {host}");
        }
        for origin in values("origin") {
            assert!(origin.contains("localhost") || origin.contains("127.0.0.1") || origin.contains("::1"), "{origin}");
        }
    }
});

/// The status of the answer; `None` if there was none, which is an answer to what is no HTTP.
fn status(address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    // It may hang up in the middle of what it does not want to hear.
    let _ = socket.write_all(request).and_then(|()| socket.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no end of the answer"),
        _ => {}
    }
    let line = answer.split(|byte| *byte == b'\r').next().filter(|line| !line.is_empty())?;
    let line = String::from_utf8_lossy(line);
    let status: u16 = line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status line");
    assert!(line.starts_with("HTTP/1.") && status < 500, "{line}");
    Some(status)
}
