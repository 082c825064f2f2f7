//! What the backend gives to clients that do nothing with the answers: the floors of the other numbers.

use crate::backend::Backend;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

/// Takes any certificate: the backend is this program.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// TLS without a look at certificates.
///
/// # Errors
/// The library has no versions to offer.
pub fn tls() -> io::Result<ClientConfig> {
    Ok(ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth())
}

/// One connection, kept open, without any library for HTTP.
pub struct Raw(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Raw {
    /// # Errors
    /// The backend is gone.
    pub fn connect(backend: &Backend) -> io::Result<Raw> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(tls()?), name).map_err(io::Error::other)?;
        let stream = TcpStream::connect(("127.0.0.1", backend.port))?;
        stream.set_nodelay(true)?;
        Ok(Raw(BufReader::new(StreamOwned::new(connection, stream))))
    }

    /// Sends a GET and reads its whole answer; gives the bytes of the body.
    ///
    /// # Errors
    /// The backend is gone.
    pub fn get(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let out = self.0.get_mut();
        write!(out, "GET /api2/json{path} HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        out.flush()?;
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            if line.len() <= 2 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

/// Requests per second of a bare loop over `reqwest`, so many in flight.
///
/// # Errors
/// The backend is gone.
pub fn reqwest_loop(backend: &Backend, width: usize, requests: usize) -> io::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .pool_max_idle_per_host(width)
        .build()
        .map_err(io::Error::other)?;
    let url = format!("https://127.0.0.1:{}/api2/json/nodes", backend.port);
    runtime.block_on(async {
        let round = |each: usize| {
            let tasks: Vec<_> = (0..width)
                .map(|_| {
                    let (client, url) = (client.clone(), url.clone());
                    tokio::spawn(async move {
                        for _ in 0..each {
                            client.get(&url).send().await?.bytes().await?;
                        }
                        Ok::<(), reqwest::Error>(())
                    })
                })
                .collect();
            async {
                for task in tasks {
                    task.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
                }
                Ok::<(), io::Error>(())
            }
        };
        round(20).await?;
        let start = Instant::now();
        round(requests / width).await?;
        Ok((requests / width * width) as f64 / start.elapsed().as_secs_f64())
    })
}
