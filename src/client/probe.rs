//! A look at an endpoint, step by step, without logging in: its addresses, the connection, the handshake, and the
//! certificate that it shows.
//!
//! For whoever sets a connection up or asks why it fails. Sends nothing that proves who we are: the certificate is
//! looked at before anything is believed. Goes the way that calls go, through a proxy where the environment names one.

mod certificate;
mod tunnel;

use super::tls::{self, Presented, Roots};
use super::trouble::Trouble;
use crate::settings::{Endpoint, Trust};
pub use certificate::Certificate;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
pub use tunnel::{is_on_the_way as proxied, none_at_all as unproxied};

/// What was found. Everything up to the step that failed is filled.
#[derive(Debug, Clone)]
pub struct Probe {
    pub endpoint: Endpoint,
    /// `host:port` of the proxy on the way, without what it wants to know of us.
    pub proxy: Option<String>,
    /// What the name stands for; empty when a proxy resolves it.
    pub addresses: Vec<IpAddr>,
    /// The address that answered: the endpoint's, or the proxy's.
    pub connected: Option<SocketAddr>,
    /// What the server showed, believed or not.
    pub certificate: Option<Certificate>,
    /// `None` = the endpoint can be used as it is.
    pub failed: Option<Failed>,
}

/// Where it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub step: Step,
    pub detail: String,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The CA file or the system's roots cannot be read; nothing was tried.
    Setup,
    /// The name has no address.
    Resolve,
    /// Nobody listens there, or nobody answers.
    Connect,
    /// The proxy cannot be used, or refuses.
    Proxy,
    /// What listens there speaks no TLS.
    Handshake,
    /// The certificate is not believed: see [`Probe::certificate`].
    Trust,
}

/// Looks at one endpoint. `patience` is for each step by itself.
pub async fn probe(endpoint: &Endpoint, trust: &Trust, patience: Duration) -> Probe {
    let mut probe = Probe {
        endpoint: endpoint.clone(),
        proxy: None,
        addresses: Vec::new(),
        connected: None,
        certificate: None,
        failed: None,
    };
    probe.failed = look(&mut probe, trust, patience).await.err();
    probe
}

fn failed(step: Step, detail: impl ToString) -> Failed {
    Failed { step, detail: detail.to_string() }
}

async fn look(probe: &mut Probe, trust: &Trust, patience: Duration) -> Result<(), Failed> {
    let roots = Roots::of(trust).map_err(|trouble| failed(Step::Setup, trouble))?;
    let proxy = tunnel::Proxy::of(&probe.endpoint).map_err(|says| failed(Step::Proxy, says))?;
    probe.proxy = proxy.as_ref().map(|proxy| proxy.place());
    let (host, port) = match &proxy {
        Some(proxy) => (proxy.host.clone(), proxy.port),
        None => (probe.endpoint.host.clone(), probe.endpoint.port),
    };
    let addresses = resolve(&host, port, patience).await?;
    if proxy.is_none() {
        probe.addresses = addresses.iter().map(SocketAddr::ip).collect();
    }
    let (address, mut stream) = connect(&addresses, patience).await?;
    probe.connected = Some(address);
    if let Some(proxy) = &proxy {
        let opened = timeout(patience, proxy.open(&mut stream, &probe.endpoint)).await;
        opened.map_err(|_| failed(Step::Proxy, late(patience)))?.map_err(|says| failed(Step::Proxy, says))?;
    }
    let server = server_name(&probe.endpoint)?;
    let chain = timeout(patience, handshake(stream, &server)).await;
    let chain = chain.map_err(|_| failed(Step::Handshake, late(patience)))??;
    let Some(leaf) = chain.first() else {
        return Err(failed(Step::Handshake, "the server showed no certificate"));
    };
    let system = match trust {
        Trust::System => roots.judge(&chain, &server),
        _ => Roots::of(&Trust::System)
            .map_err(|trouble| trouble.to_string())
            .and_then(|system| system.judge(&chain, &server)),
    };
    probe.certificate = Some(Certificate::read(leaf, chain.len(), system));
    roots.judge(&chain, &server).map_err(|says| failed(Step::Trust, says))
}

fn late(patience: Duration) -> String {
    format!("no answer within {} ms", patience.as_millis())
}

async fn resolve(host: &str, port: u16, patience: Duration) -> Result<Vec<SocketAddr>, Failed> {
    let found = timeout(patience, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| failed(Step::Resolve, format!("{host}: {}", late(patience))))?;
    let found: Vec<SocketAddr> = found.map_err(|error| failed(Step::Resolve, format!("{host}: {error}")))?.collect();
    if found.is_empty() { Err(failed(Step::Resolve, format!("{host} has no address"))) } else { Ok(found) }
}

/// The first address that answers.
async fn connect(addresses: &[SocketAddr], patience: Duration) -> Result<(SocketAddr, TcpStream), Failed> {
    let mut causes = Vec::new();
    for address in addresses {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((*address, stream)),
            Ok(Err(error)) => causes.push(format!("{address}: {error}")),
            Err(_) => causes.push(format!("{address}: {}", late(patience))),
        }
    }
    Err(failed(Step::Connect, causes.join("; ")))
}

fn server_name(endpoint: &Endpoint) -> Result<ServerName<'static>, Failed> {
    ServerName::try_from(endpoint.host.clone())
        .map_err(|_| failed(Step::Resolve, format!("`{}` is no host name", endpoint.host)))
}

/// The certificates that the server shows, its own first. The handshake's signature is verified, so they are its own.
async fn handshake(stream: TcpStream, server: &ServerName<'static>) -> Result<Vec<CertificateDer<'static>>, Failed> {
    let anybody = Roots::of(&Trust::Anything).and_then(|roots| roots.config(Presented::default()));
    let config = anybody.map_err(|trouble: Trouble| failed(Step::Setup, trouble))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(server.clone(), stream).await;
    let stream = connected.map_err(|error| failed(Step::Handshake, error))?;
    let (_, connection) = stream.get_ref();
    Ok(connection.peer_certificates().unwrap_or_default().to_vec())
}

impl Certificate {
    /// As the settings take it: `AB:CD:…`.
    pub fn fingerprint(&self) -> String {
        tls::hex(&self.sha256)
    }
}
