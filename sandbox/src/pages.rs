//! Answers in other forms than plain JSON: pages for people, and packed ones.
//!
//! Knows how bytes are wrapped; what they say is decided elsewhere.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderValue, Response, header};
use serde_json::Value;

use crate::fault::Payload;

/// Bodies up to this many bytes are not packed.
const SMALL: usize = 1024;

/// How an answer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    None,
    Gzip,
    Deflate,
}

impl Coding {
    /// What the client's `Accept-Encoding` allows; gzip is the first choice.
    pub(crate) fn wanted(accepted: Option<&str>) -> Coding {
        match accepted.unwrap_or_default() {
            accepted if accepted.contains("gzip") => Coding::Gzip,
            accepted if accepted.contains("deflate") => Coding::Deflate,
            _ => Coding::None,
        }
    }

    /// Packs an answer, if it is large enough to be worth it.
    pub(crate) fn apply(self, mut answer: Response<Payload>) -> Response<Payload> {
        let Payload::Whole(bytes) = answer.body() else { return answer };
        let (name, packed) = match self {
            _ if bytes.len() <= SMALL => return answer,
            Coding::None => return answer,
            Coding::Gzip => ("gzip", pack(GzEncoder::new(Vec::new(), Compression::fast()), bytes, GzEncoder::finish)),
            Coding::Deflate => {
                ("deflate", pack(ZlibEncoder::new(Vec::new(), Compression::fast()), bytes, ZlibEncoder::finish))
            }
        };
        // Writing into memory does not fail; if it did, the answer would go out as it is.
        if let Ok(packed) = packed {
            *answer.body_mut() = Payload::Whole(Bytes::from(packed));
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        answer
    }
}

fn pack<W: Write>(mut to: W, bytes: &[u8], finish: fn(W) -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    to.write_all(bytes)?;
    finish(to)
}

/// The page at the root of the server.
pub(crate) fn front() -> String {
    wrap("<p>This is a sandbox: it answers the API, and has no web interface.</p>")
}

/// An answer of the API as a page.
pub(crate) fn page(body: &Value) -> String {
    let text = serde_json::to_string_pretty(body).unwrap_or_default();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    wrap(&format!("<pre>{text}</pre>"))
}

fn wrap(content: &str) -> String {
    format!("<!DOCTYPE html>\n<html><head><title>Proxmox VE sandbox</title></head><body>{content}</body></html>\n")
}
