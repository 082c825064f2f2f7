//! The wire: TLS, HTTP/1.1, bodies and their limits, status lines with the API's own reason phrases.
//!
//! Knows bytes and headers; what a request means is decided in `dispatch`.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, ext::ReasonPhrase, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::{
    Shared,
    answer::{Data, Failure, Form},
    control,
    dispatch::{self, Head},
    endpoints::{self, Place},
    fault::{self, Broken, Fault, Payload},
    identity::Identity,
    lock, multipart,
    pages::{self, Coding},
    plain,
    request::{Args, UploadedFile, parse_form, parse_json},
};

/// The largest body beside uploads, in bytes.
const LARGEST_BODY: u64 = 512 * 1024;

/// What a body held.
#[derive(Default)]
pub(crate) struct Content {
    pub args: Args,
    pub file: Option<UploadedFile>,
}

/// How long until a port that could not be had is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Accepts connections at one address until the task is aborted; the connections end with it.
pub(crate) async fn serve(mut place: Place, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    // Made when a fault asks for it first.
    let mut other = None;
    let mut wanted = place.wanted.clone();
    loop {
        tokio::select! {
            accepted = place.accept() => {
                // A connection that cannot be accepted is the peer's trouble; the next one may be fine.
                let Ok(stream) = accepted else { continue };
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let acceptor = match lock(&shared.cluster).faults.connection(place.number) {
                    None => acceptor.clone(),
                    Some(Fault::Certificate) => {
                        if other.is_none() {
                            other = Identity::generate(&[]).and_then(|other| other.acceptor()).ok();
                        }
                        // Without randomness for a key there is no connection either, which is trouble enough.
                        let Some(acceptor) = &other else { continue };
                        acceptor.clone()
                    }
                    Some(Fault::HangOnAccept) => {
                        connections.spawn(say_nothing(stream));
                        continue;
                    }
                    Some(_) => continue,
                };
                let entrance = (place.number, place.address);
                connections.spawn(converse(acceptor, stream, Arc::clone(&shared), entrance));
            }
            changed = wanted.changed() => {
                // The sandbox is gone, and this task with it.
                if changed.is_err() {
                    return;
                }
                if !*wanted.borrow() {
                    connections.shutdown().await;
                }
                place.obey();
            }
            () = tokio::time::sleep(AGAIN), if !place.is_right() => place.obey(),
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Hears the peer out and never answers.
async fn say_nothing(mut stream: TcpStream) {
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// The number and the address of the endpoint that a connection was made to.
type Entrance = (u16, SocketAddr);

/// Answers on one connection until either side ends it. How it ends does not matter to the cluster.
async fn converse(acceptor: TlsAcceptor, mut stream: TcpStream, shared: Arc<Shared>, entrance: Entrance) {
    if plain::is_plain(&stream).await {
        // Whether the peer hears it does not matter either.
        let _ = plain::redirect(&mut stream).await;
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| handle(&shared, request, entrance));
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(
    shared: &Shared,
    request: Request<Incoming>,
    (endpoint, at): Entrance,
) -> Result<Response<Payload>, Broken> {
    let (parts, body) = request.into_parts();
    if shared.control
        && let Some(path) = control::path(parts.uri.path())
    {
        let limited = http_body_util::Limited::new(body, LARGEST_BODY as usize);
        let body = limited.collect().await.map_err(|_| Broken)?.to_bytes();
        let answer = control::answer(shared, &parts.method, path, &body, endpoint);
        endpoints::settled(shared).await;
        return Ok(answer);
    }
    let head = Head {
        verb: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), |target| target.to_string()),
        authorization: text(&parts.headers, header::AUTHORIZATION.as_str()),
        cookie: text(&parts.headers, header::COOKIE.as_str()),
        csrf: text(&parts.headers, "csrfpreventiontoken"),
        endpoint,
        at,
    };
    if head.verb == "GET" && head.target == "/" {
        dispatch::note(shared, &head, 200);
        return Ok(response(StatusCode::OK, "text/html; charset=utf-8", pages::front()));
    }
    let extjs = head.target.starts_with("/api2/extjs");
    let coding = Coding::wanted(text(&parts.headers, header::ACCEPT_ENCODING.as_str()).as_deref());
    let outcome = match dispatch::admit(shared, &head) {
        Err(failure) => dispatch::refuse(shared, &head, failure),
        // Whatever is no file is waited for in vain.
        Ok(entry) if entry.takes_upload() && !is_multipart(&parts.headers) => dispatch::note(shared, &head, 0),
        Ok(entry) => match receive(&entry, &parts.method, &parts.headers, body).await {
            Err(failure) => dispatch::refuse(shared, &head, failure),
            Ok(content) => dispatch::run(shared, &head, entry, content),
        },
    };
    if let Some(Err(failure)) = &outcome.reply
        && failure.is_held_back()
    {
        tokio::time::sleep(shared.auth_delay).await;
    }
    let usual = outcome.reply.map(|reply| match reply {
        Ok(data) if head.target.starts_with("/api2/html") => {
            response(StatusCode::OK, "text/html;charset=UTF-8", pages::page(&data.into_body()))
        }
        // What a fault damages is the answer itself.
        Ok(data) if outcome.fault.is_some() => success(data, extjs),
        Ok(data) => coding.apply(success(data, extjs)),
        Err(failure) => refusal(&failure, extjs),
    });
    match (outcome.fault, usual) {
        (None, Some(usual)) => Ok(usual),
        (None, None) => Err(Broken),
        (Some(fault), usual) => {
            fault::play(fault, usual, |status, reason| refused_by_fault(status, reason, extjs)).await
        }
    }
}

/// A refusal that a fault makes up, in the form that the real server gives to this status.
fn refused_by_fault(status: u16, reason: &str, extjs: bool) -> Response<Payload> {
    let failure = match status {
        401 | 595..=599 => Failure::empty(status, reason),
        _ => Failure::json(status, format!("{reason}\n")),
    };
    refusal(&failure, extjs)
}

async fn receive(
    entry: &dispatch::Entry,
    method: &Method,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Content, Failure> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Failure::plain(501, "chunked transfer encoding not supported"));
    }
    let length = text(headers, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    if matches!(*method, Method::GET | Method::DELETE) {
        return if length > 0 {
            Err(Failure::plain(501, format!("Unexpected content for method '{method}'")))
        } else {
            Ok(Content::default())
        };
    }
    let content_type = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if entry.takes_upload() {
        return multipart::receive(&content_type, body).await;
    }
    if length > LARGEST_BODY {
        return Err(Failure::plain(501, "for data too large"));
    }
    let json = media == "application/json";
    if !json && !media.is_empty() && media != "application/x-www-form-urlencoded" {
        return Err(Failure::plain(506, format!("upload 'Content-Type '{content_type}' not implemented")));
    }
    let body = body.collect().await.map_err(|_| Failure::plain(400, "bad request"))?.to_bytes();
    let args = if json { parse_json(&body)? } else { parse_form(&String::from_utf8_lossy(&body)) };
    Ok(Content { args, file: None })
}

fn is_multipart(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.to_ascii_lowercase().trim_start().starts_with("multipart/form-data"))
}

fn success(mut data: Data, extjs: bool) -> Response<Payload> {
    if let Some(raw) = data.raw.take() {
        return response(StatusCode::OK, "text/plain", raw);
    }
    let mut body = data.into_body();
    if extjs {
        body["success"] = 1.into();
    }
    response(StatusCode::OK, "application/json;charset=UTF-8", body.to_string())
}

fn refusal(failure: &Failure, extjs: bool) -> Response<Payload> {
    if extjs && failure.form == Form::Json {
        let mut body = failure.body();
        body["success"] = 0.into();
        // Errors of parameters and permissions carry the status as a text there, all others as a number.
        body["status"] = match failure.status {
            400 | 403 => failure.status.to_string().into(),
            status => status.into(),
        };
        return response(StatusCode::OK, "application/json;charset=UTF-8", body.to_string());
    }
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match failure.form {
        Form::Json => response(status, "application/json;charset=UTF-8", failure.body().to_string()),
        Form::Plain => response(status, "text/plain", failure.message.clone()),
        Form::Empty => response(status, "text/plain", String::new()),
    };
    if let Ok(reason) = ReasonPhrase::try_from(failure.reason().as_bytes()) {
        answer.extensions_mut().insert(reason);
    }
    // The server ends the connection after every error.
    answer.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    answer
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Payload> {
    let mut answer = Response::new(Payload::Whole(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("max-age=0"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    headers.insert(header::SERVER, header::HeaderValue::from_static("pve-api-daemon/3.0"));
    answer
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
