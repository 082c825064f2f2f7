//! A client that sends what it is told, byte for byte: no path is tidied, no header is added but `Host` and the length.

use std::{collections::BTreeMap, sync::Arc};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    ext::ReasonPhrase,
};
use hyper_util::rt::TokioIo;
use proxmox_sandbox::Sandbox;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

pub struct Client {
    tls: TlsConnector,
    address: std::net::SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Answer {
    /// 0: the connection ended without an answer.
    pub status: u16,
    pub reason: String,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Answer {
    /// Null when the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl Client {
    pub fn new(sandbox: &Sandbox) -> Client {
        // Installing it a second time fails, and that is fine.
        let _ = ring::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(sandbox.certificate_pem().as_bytes()).expect("a certificate");
        roots.add(certificate).expect("a root");
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Client { tls: TlsConnector::from(Arc::new(config)), address: sandbox.address(), connection: None }
    }

    /// A new encrypted connection.
    pub async fn connect(&self) -> TlsStream<TcpStream> {
        let plain = TcpStream::connect(self.address).await.expect("connects");
        let name = ServerName::try_from("localhost").expect("a name");
        self.tls.connect(name, plain).await.expect("a handshake")
    }

    /// Sends one request; `target` as it stands in the request line.
    pub async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target).header("Host", "pve.example:8006");
        for (name, value) in headers {
            request = request.header(name, value.as_bytes());
        }
        if body.is_none() && matches!(method, "POST" | "PUT") {
            request = request.header("Content-Length", "0");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default()))).expect("a request");
        let mut kept = self.connection.take();
        if let Some(old) = &mut kept
            && (old.ready().await.is_err() || old.is_closed())
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(old) => old,
            None => {
                let (sender, connection) = handshake(TokioIo::new(self.connect().await)).await.expect("HTTP");
                tokio::spawn(connection);
                sender
            }
        };
        let Ok(response) = sender.send_request(request).await else { return Answer::default() };
        let status = response.status();
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let named = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers: BTreeMap<String, String> = response.headers().iter().map(named).collect();
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        if status.as_u16() < 400 && headers.get("connection").is_none_or(|value| value != "close") {
            self.connection = Some(sender);
        }
        Answer { status: status.as_u16(), reason, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }
}
