//! The records that are no well-formed HTTP requests: written byte by byte, and read until the other side closes.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{client::Answer, prepare::World, record::Record};

/// Sends what the record describes.
pub async fn send(world: &mut World, record: &Record) -> Answer {
    let bytes = bytes(record.id(), &world.token);
    let received = if record.get("tls") == false {
        let mut plain = TcpStream::connect(world.sandbox.address()).await.expect("connects");
        exchange(&mut plain, &bytes).await
    } else {
        let mut stream = world.client.connect().await;
        exchange(&mut stream, &bytes).await
    };
    parse(&String::from_utf8_lossy(&received))
}

/// The answers end with the connection, or with the last byte that is announced.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).await.expect("writes");
    let (mut received, mut piece) = (Vec::new(), [0; 4096]);
    // A reset after the answer is an end like another.
    while let Ok(count) = stream.read(&mut piece).await {
        received.extend_from_slice(&piece[..count]);
        if count == 0 || whole(&received, answers(bytes)) {
            break;
        }
    }
    received
}

/// How many answers the bytes ask for.
fn answers(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches(" HTTP/1.").count().max(1)
}

/// Whether so many answers are there, as their lengths say.
fn whole(received: &[u8], count: usize) -> bool {
    let text = String::from_utf8_lossy(received);
    let mut rest: &str = &text;
    for _ in 0..count {
        let Some((head, body)) = rest.split_once("\r\n\r\n") else { return false };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let Some(after) = body.get(length.unwrap_or(0)..) else { return false };
        rest = after;
    }
    true
}

fn bytes(id: &str, token: &str) -> Vec<u8> {
    let head = format!("Host: pve.example:8006\r\nAuthorization: PVEAPIToken={token}\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\n{head}\r\n");
    let post = |more: &str| format!("POST /api2/json/pools HTTP/1.1\r\n{head}{form}{more}\r\n");
    let bodiless = "Authorization: PVEAPIToken";
    let text = match id {
        "proto.chunked" => post("Transfer-Encoding: chunked\r\n") + "8\r\npoolid=x\r\n0\r\n\r\n",
        "proto.oversized" => post("Content-Length: 600000\r\n"),
        "proto.expect-100" => post("Expect: 100-continue\r\nContent-Length: 17\r\n") + "poolid=obs%2Fnone",
        "proto.post-without-length" => post(""),
        "proto.plain-http.get" => "GET /api2/json/version?x=1 HTTP/1.1\r\nHost: pve.example:8006\r\n\r\n".to_owned(),
        "proto.plain-http.post" => {
            "POST /api2/json/pools HTTP/1.1\r\nHost: pve.example:8006\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
        "proto.http10" => format!("GET /api2/json/version HTTP/1.0\r\n{bodiless}={token}\r\n\r\n"),
        "proto.no-host" => format!("GET /api2/json/version HTTP/1.1\r\n{bodiless}={token}\r\n\r\n"),
        "proto.connection-close" => {
            format!("GET /api2/json/version HTTP/1.1\r\n{head}Connection: close\r\n\r\n")
        }
        "proto.garbage" => "HELLO\r\n\r\n".to_owned(),
        "proto.at-in-url" => get("/a@b"),
        "proto.keep-alive.second-request-local" => get("/api2/json/version").repeat(2),
        "proto.keep-alive.second-request-proxied" => get("/api2/json/nodes/pve1/qemu/2000/status").repeat(2),
        other => panic!("{other} is not described"),
    };
    text.into_bytes()
}

/// The first answer; what follows it is part of its text where the record has two.
fn parse(received: &str) -> Answer {
    let Some((head, text)) = received.split_once("\r\n\r\n") else { return Answer::default() };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().splitn(3, ' ').skip(1);
    let status = first.next().and_then(|status| status.parse().ok()).unwrap_or(0);
    let reason = first.next().unwrap_or_default().to_owned();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    Answer { status, reason, headers, text: text.to_owned() }
}
