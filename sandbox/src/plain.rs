//! Unencrypted HTTP on the port for HTTPS: the way to the right one.
//!
//! Knows the first line and the `Host` of a request; nothing is handled here.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// The longest head that is read, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Whether the peer has begun to speak without encryption.
pub(crate) async fn is_plain(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1) if first[0] != HANDSHAKE)
}

/// Reads one request and answers with the address for the same over HTTPS.
pub(crate) async fn redirect(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        match stream.read(&mut piece).await? {
            0 => break,
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    let answer = answer(&String::from_utf8_lossy(&head));
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// The method survives a 308, so only reading calls get a 301.
fn answer(head: &str) -> String {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (verb, target) = (words.next().unwrap_or_default(), words.next());
    let host = lines.find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("host")));
    let (status, location) = match (target, host) {
        (Some(target), Some((_, host))) if target.starts_with('/') => {
            let status =
                if matches!(verb, "GET" | "HEAD") { "301 Moved Permanently" } else { "308 Permanent Redirect" };
            (status, format!("Location: https://{}{target}\r\n", host.trim()))
        }
        _ => ("400 bad request", String::new()),
    };
    let (_, reason) = status.split_once(' ').unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\nCache-Control: max-age=0\r\nConnection: close\r\nPragma: no-cache\r\n{location}\
         Server: pve-api-daemon/3.0\r\nContent-Length: {}\r\n\r\n{reason}",
        reason.len()
    )
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn the_path_and_the_query_stay() {
        let head = answer("GET /api2/json/version?x=1 HTTP/1.1\r\nhost: pve.example:8006\r\n\r\n");
        assert!(head.contains("\r\nLocation: https://pve.example:8006/api2/json/version?x=1\r\n"), "{head}");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(answer("HELLO").starts_with("HTTP/1.1 400 "));
    }
}
