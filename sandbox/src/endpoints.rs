//! The addresses at which the one cluster is served: each shows its own certificate, and can be closed and opened.
//!
//! Knows listeners and who is told to listen. What happens on a connection is the server's business.

use std::{io, net::SocketAddr, sync::Arc};

use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{BadText, Identity, Sandbox, Shared, lock, server};

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1_024;

/// An address at which the cluster is served.
#[derive(Debug, Clone)]
pub struct Endpoint {
    number: u16,
    address: SocketAddr,
    certificate: String,
    fingerprint: [u8; 32],
}

impl Endpoint {
    /// From 1; the first is the one of [`crate::Options::address`].
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate in PEM form; it signs itself.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// SHA-256 of the certificate in DER form.
    pub fn certificate_fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

/// Which endpoints are to listen, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Doors(Vec<Door>);

#[derive(Debug)]
struct Door {
    wanted: watch::Sender<bool>,
    /// What its server has made of it.
    is: watch::Receiver<bool>,
}

impl Doors {
    /// Whether there is an endpoint of that number.
    pub(crate) fn check(&self, number: u16) -> Result<(), BadText> {
        match usize::from(number) {
            1.. if usize::from(number) <= self.0.len() => Ok(()),
            _ => Err(BadText(format!("there is no endpoint {number}: they are numbered from 1 to {}", self.0.len()))),
        }
    }

    pub(crate) fn set_open(&self, number: u16, open: bool) {
        if let Some(door) = usize::from(number).checked_sub(1).and_then(|place| self.0.get(place)) {
            door.wanted.send_replace(open);
        }
    }
}

/// What the server of an endpoint works with.
pub(crate) struct Place {
    pub number: u16,
    pub address: SocketAddr,
    ear: Ear,
    /// Whether it is to listen.
    pub wanted: watch::Receiver<bool>,
    /// Whether it does.
    is: watch::Sender<bool>,
}

/// A closed endpoint keeps its port, so that nobody else gets it: connections to it are refused.
enum Ear {
    Open(TcpListener),
    Closed(Option<TcpSocket>),
}

impl Place {
    /// The next connection; never one while it is closed.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        match &self.ear {
            Ear::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
            Ear::Closed(_) => std::future::pending().await,
        }
    }

    /// Whether it does as it was told.
    pub(crate) fn is_right(&self) -> bool {
        *self.wanted.borrow() == *self.is.borrow()
    }

    /// Opens or closes, as it was told. A port that somebody else has taken meanwhile is tried again later.
    pub(crate) fn obey(&mut self) {
        let open = *self.wanted.borrow();
        let ear = std::mem::replace(&mut self.ear, Ear::Closed(None));
        self.ear = match (ear, open) {
            (Ear::Open(listener), false) => {
                drop(listener);
                Ear::Closed(socket(self.address).ok())
            }
            (Ear::Closed(held), true) => match held.map_or_else(|| socket(self.address), Ok).and_then(listen) {
                Ok(listener) => Ear::Open(listener),
                Err(_) => Ear::Closed(None),
            },
            (ear, _) => ear,
        };
        self.is.send_replace(matches!(self.ear, Ear::Open(_)));
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

impl Sandbox {
    /// Serves the same cluster at one more address. Without an identity it shows a new certificate of its own, as
    /// every node of a cluster does.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, or there is no randomness for a key.
    pub async fn also_at(&self, address: SocketAddr, identity: Option<Identity>) -> io::Result<Endpoint> {
        let (endpoint, task) = open(&self.shared, address, identity).await?;
        lock(&self.tasks).push(task);
        Ok(endpoint)
    }

    /// Every address at which the cluster is served, by number.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        lock(&self.shared.endpoints).clone()
    }

    /// Waits until every endpoint is as open or closed as it was told to be.
    pub async fn settled(&self) {
        settled(&self.shared).await;
    }
}

/// Begins to serve at an address, as the endpoint of the next number.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    address: SocketAddr,
    identity: Option<Identity>,
) -> io::Result<(Endpoint, JoinHandle<()>)> {
    let identity = identity.map_or_else(|| Identity::generate(&[address.ip().to_string()]), Ok)?;
    let (der, acceptor) = (identity.der()?, identity.acceptor()?);
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let ((wanted, to_obey), (is, to_see)) = (watch::channel(true), watch::channel(true));
    // Both lists have the order of the numbers.
    let (mut cluster, mut endpoints) = (lock(&shared.cluster), lock(&shared.endpoints));
    let number = u16::try_from(endpoints.len() + 1).map_err(|_| io::Error::other("there are too many endpoints"))?;
    let fingerprint = Sha256::digest(&der).into();
    let endpoint = Endpoint { number, address, certificate: identity.certificate, fingerprint };
    cluster.doors.0.push(Door { wanted, is: to_see });
    endpoints.push(endpoint.clone());
    let place = Place { number, address, ear: Ear::Open(listener), wanted: to_obey, is };
    Ok((endpoint, tokio::spawn(server::serve(place, acceptor, Arc::clone(shared)))))
}

/// As [`Sandbox::settled`].
pub(crate) async fn settled(shared: &Shared) {
    let doors: Vec<(bool, watch::Receiver<bool>)> = {
        let cluster = lock(&shared.cluster);
        cluster.doors.0.iter().map(|door| (*door.wanted.borrow(), door.is.clone())).collect()
    };
    for (wanted, mut is) in doors {
        // A server that is gone changes nothing any more.
        let _ = is.wait_for(|open| *open == wanted).await;
    }
}
