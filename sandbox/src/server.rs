//! The wire: TLS, HTTP/1.1, bodies and their limits, status lines with the API's own reason phrases.
//!
//! Knows bytes and headers; what a request means is decided in `dispatch`.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, ext::ReasonPhrase, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::{
    Shared,
    answer::{Data, Failure, Form},
    dispatch::{self, Head, Outcome},
    multipart,
    request::{Args, UploadedFile, parse_form, parse_json},
};

/// The largest body beside uploads, in bytes.
const LARGEST_BODY: u64 = 512 * 1024;

/// The server's certificate.
pub(crate) struct Certificate {
    pub der: Vec<u8>,
    pub pem: String,
}

/// What a body held.
#[derive(Default)]
pub(crate) struct Content {
    pub args: Args,
    pub file: Option<UploadedFile>,
}

/// Listens, with a fresh certificate.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, Certificate, TlsAcceptor)> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), "pve1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let listener = TcpListener::bind(address).await?;
    let certificate = Certificate { der: made.cert.der().to_vec(), pem: made.cert.pem() };
    Ok((listener, certificate, TlsAcceptor::from(Arc::new(config))))
}

/// Accepts connections until the task is aborted; the connections end with it.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that cannot be accepted is the peer's trouble; the next one may be fine.
                let Ok((stream, _)) = accepted else { continue };
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        let shared = Arc::clone(&shared);
                        async move { handle(&shared, request).await }
                    });
                    // How a connection ends does not matter to the cluster.
                    let _ = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The connection ends without an answer.
#[derive(Debug)]
struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer")
    }
}

impl std::error::Error for Hangup {}

async fn handle(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Hangup> {
    let (parts, body) = request.into_parts();
    let head = Head {
        verb: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), |target| target.to_string()),
        authorization: text(&parts.headers, header::AUTHORIZATION.as_str()),
        cookie: text(&parts.headers, header::COOKIE.as_str()),
        csrf: text(&parts.headers, "csrfpreventiontoken"),
    };
    let extjs = head.target.starts_with("/api2/extjs");
    let outcome = match dispatch::admit(shared, &head) {
        Err(failure) => dispatch::refuse(shared, &head, failure),
        Ok(entry) => match receive(&entry, &parts.method, &parts.headers, body).await {
            Err(failure) => dispatch::refuse(shared, &head, failure),
            Ok(content) => dispatch::run(shared, &head, entry, content),
        },
    };
    if let Outcome::Reply(Err(failure)) = &outcome
        && failure.is_held_back()
    {
        tokio::time::sleep(shared.auth_delay).await;
    }
    match outcome {
        Outcome::Hangup => Err(Hangup),
        Outcome::Reply(Ok(data)) => Ok(success(&data, extjs)),
        Outcome::Reply(Err(failure)) => Ok(refusal(&failure, extjs)),
    }
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
    if entry.takes_upload() && media == "multipart/form-data" {
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

fn success(data: &Data, extjs: bool) -> Response<Full<Bytes>> {
    if let Some(raw) = &data.raw {
        return response(StatusCode::OK, "text/plain", raw.clone());
    }
    let mut body = data.body();
    if extjs {
        body["success"] = 1.into();
    }
    response(StatusCode::OK, "application/json;charset=UTF-8", body.to_string())
}

fn refusal(failure: &Failure, extjs: bool) -> Response<Full<Bytes>> {
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

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
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
