//! How a fault looks to the client: bodies that drip, stop short or never end, and answers of somebody else.
//!
//! Knows responses and bytes. Which request meets which fault is decided before.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use tokio::time::{Instant, Sleep, sleep};

use super::Fault;

/// The size of one frame of a huge body, in bytes.
const FRAME: usize = 64 * 1024;

/// The connection ends here.
#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection ends on purpose")
    }
}

impl std::error::Error for Broken {}

/// The body of an answer.
pub(crate) enum Payload {
    /// All of it at once.
    Whole(Bytes),
    /// Byte by byte.
    Drip { rest: Bytes, pause: Duration, timer: Pin<Box<Sleep>> },
    /// Something, and then the end of the connection.
    Cut { first: Bytes, flushed: bool },
    /// An endless text inside a JSON string; so many bytes are left of it.
    Flood { opened: bool, left: u64, closed: bool },
}

impl Payload {
    pub(crate) fn empty() -> Payload {
        Payload::Whole(Bytes::new())
    }

    fn whole(&self) -> Bytes {
        match self {
            Payload::Whole(bytes) => bytes.clone(),
            _ => Bytes::new(),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        match &mut *self {
            Payload::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Payload::Whole(bytes) => frame(std::mem::take(bytes)),
            Payload::Drip { rest, pause, timer } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                std::task::ready!(timer.as_mut().poll(context));
                timer.as_mut().reset(Instant::now() + *pause);
                frame(rest.split_to(1))
            }
            Payload::Cut { first, .. } if !first.is_empty() => frame(std::mem::take(first)),
            // What is written leaves when the body has to wait; an error at once would take it along.
            Payload::Cut { flushed, .. } if !*flushed => {
                *flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Payload::Cut { .. } => Poll::Ready(Some(Err(Broken))),
            Payload::Flood { opened, .. } if !*opened => {
                *opened = true;
                frame(Bytes::from_static(b"{\"data\":\""))
            }
            Payload::Flood { left, closed, .. } if *left == 0 => {
                if std::mem::replace(closed, true) {
                    return Poll::Ready(None);
                }
                frame(Bytes::from_static(b"\"}"))
            }
            Payload::Flood { left, .. } => {
                let length = FRAME.min(usize::try_from(*left).unwrap_or(FRAME));
                *left -= length as u64;
                frame(Bytes::from(vec![b'x'; length]))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Payload::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// What the client gets instead of the usual answer; `usual` is `None` where the request was not handled.
///
/// # Errors
///
/// [`Broken`], when there is no answer at all.
pub(crate) async fn play(
    fault: Fault,
    usual: Option<Response<Payload>>,
    refuse: impl FnOnce(u16, &str) -> Response<Payload>,
) -> Result<Response<Payload>, Broken> {
    let usual = usual.unwrap_or_else(|| Response::new(Payload::empty()));
    let body = usual.body().whole();
    let half = body.slice(..body.len() / 2);
    Ok(match fault {
        Fault::Status(status, reason) | Fault::StatusAfter(status, reason) => refuse(status, &reason),
        Fault::CloseBefore | Fault::CloseAfter | Fault::CloseOnAccept | Fault::HangOnAccept => return Err(Broken),
        Fault::Hang | Fault::HangAfter => std::future::pending().await,
        Fault::Trickle(pause) => {
            let pause = Duration::from_millis(pause.into());
            let payload = Payload::Drip { rest: body.clone(), pause, timer: Box::pin(sleep(pause)) };
            announced(usual, body.len(), payload)
        }
        Fault::Truncated => usual.map(|_| Payload::Whole(half)),
        Fault::TooShort => announced(usual, body.len(), Payload::Cut { first: half, flushed: false }),
        Fault::Html(status) => page(status),
        Fault::ContentType(kind) => labelled(usual, kind.as_deref()),
        Fault::Empty => good(usual, String::new()),
        Fault::Redirect(address) => redirect(&address),
        Fault::NotJson => good(usual, "Internal error, see the log of the server\n".to_owned()),
        Fault::NullData => good(usual, json!({ "data": null }).to_string()),
        Fault::WrongType => {
            let right = serde_json::from_slice::<Value>(&body).unwrap_or_default();
            good(usual, json!({ "data": other_type(&right["data"]) }).to_string())
        }
        Fault::Huge(mebibytes) => {
            let left = u64::from(mebibytes) << 20;
            good(usual, String::new()).map(|_| Payload::Flood { opened: false, left, closed: false })
        }
        Fault::Certificate => usual,
    })
}

/// With a length that the body itself does not tell.
fn announced(mut usual: Response<Payload>, length: usize, payload: Payload) -> Response<Payload> {
    usual.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    usual.map(|_| payload)
}

/// The usual head as of a success, with another body.
fn good(usual: Response<Payload>, body: String) -> Response<Payload> {
    let mut answer = usual.map(|_| Payload::Whole(Bytes::from(body)));
    *answer.status_mut() = StatusCode::OK;
    answer.extensions_mut().clear();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    answer
}

fn labelled(mut usual: Response<Payload>, kind: Option<&str>) -> Response<Payload> {
    usual.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(Ok(kind)) = kind.map(HeaderValue::from_str) {
        usual.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    usual
}

fn page(status: u16) -> Response<Payload> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let title = status.canonical_reason().unwrap_or("Error");
    let body = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n<p>The gateway at the edge \
         of this network answered in place of the server.</p></body></html>\n"
    );
    let mut answer = Response::new(Payload::Whole(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

fn redirect(address: &str) -> Response<Payload> {
    let mut answer = Response::new(Payload::empty());
    *answer.status_mut() = StatusCode::FOUND;
    if let Ok(address) = HeaderValue::from_str(address) {
        answer.headers_mut().insert(header::LOCATION, address);
    }
    answer
}

/// A value of another type, so that a reader that trusts the type notices.
fn other_type(right: &Value) -> Value {
    match right {
        Value::Array(_) => json!({ "unexpected": 1 }),
        Value::Object(_) => json!(["unexpected"]),
        Value::String(_) => json!({ "unexpected": 1 }),
        Value::Number(_) | Value::Bool(_) => json!(["unexpected"]),
        Value::Null => json!({ "unexpected": [1] }),
    }
}
