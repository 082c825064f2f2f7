//! The way through a proxy: the one that calls would take, opened by hand so that its own words can be told.
//!
//! Which proxy that is says the same code that calls use (HTTPS_PROXY, ALL_PROXY, NO_PROXY). Never tells what a proxy
//! wants to know of us.

use crate::engine::clean;
use crate::settings::Endpoint;
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer of a proxy that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// Is no proxy to be used for anything? `NO_PROXY=*` says so for names and addresses alike, as elsewhere.
pub fn none_at_all() -> bool {
    let said = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| std::env::var(name).ok());
    said.is_some_and(|text| text.trim() == "*")
}

/// Is there a proxy on the way to this endpoint?
pub fn is_on_the_way(endpoint: &Endpoint) -> bool {
    !none_at_all() && endpoint.origin().parse::<Uri>().is_ok_and(|uri| Matcher::from_env().intercept(&uri).is_some())
}

/// A proxy that speaks plain HTTP.
pub struct Proxy {
    pub host: String,
    pub port: u16,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy on the way to this endpoint, if there is one.
    ///
    /// # Errors
    /// It is of a kind that cannot be looked at here.
    pub fn of(endpoint: &Endpoint) -> Result<Option<Proxy>, String> {
        let Ok(uri) = endpoint.origin().parse::<Uri>() else { return Ok(None) };
        let Some(found) = Some(Matcher::from_env()).filter(|_| !none_at_all()).and_then(|all| all.intercept(&uri))
        else {
            return Ok(None);
        };
        let (scheme, host) = (found.uri().scheme_str().unwrap_or("http"), found.uri().host().unwrap_or_default());
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if scheme != "http" || host.is_empty() {
            return Err(format!("the way through a proxy of the kind {scheme}:// is not looked at; calls may go it"));
        }
        let port = found.uri().port_u16().unwrap_or(80);
        Ok(Some(Proxy { host, port, authorization: found.basic_auth().cloned() }))
    }

    /// `host:port`.
    pub fn place(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }

    /// Asks for the way to the endpoint; the stream leads there afterwards.
    ///
    /// # Errors
    /// The proxy's refusal, or that it is none.
    pub async fn open(&self, stream: &mut TcpStream, endpoint: &Endpoint) -> Result<(), String> {
        let origin = endpoint.origin();
        let to = origin.strip_prefix("https://").unwrap_or(&origin);
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let broken = |error: std::io::Error| format!("{}: {error}", self.place());
        stream.write_all(&request).await.map_err(broken)?;
        let mut answer = Vec::new();
        // Byte by byte: what follows belongs to TLS.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= LONGEST {
                return Err(format!("{} does not answer like a proxy", self.place()));
            }
            answer.push(stream.read_u8().await.map_err(broken)?);
        }
        let text = String::from_utf8_lossy(&answer);
        let line = text.lines().next().unwrap_or_default();
        match line.split(' ').nth(1) {
            Some(status) if line.starts_with("HTTP/") && status.starts_with('2') => Ok(()),
            _ => Err(format!("{} says: {}", self.place(), clean::line(line, 200))),
        }
    }
}
