//! Connections: accepting them, TLS, and how long a peer may take to say something.
//!
//! Knows bytes, time and threads; what is asked goes to the service.

use super::workers::Workers;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Until TLS stands: whoever is slower holds a connection for nothing.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// Until the head of the next request is there. Longer than the minute for which proxies keep a connection: whoever
/// closes it first should not be the one to whom the next request is on its way.
const HEAD: Duration = Duration::from_secs(75);

/// When the system gives no more connections.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Connections {
    /// Open at a time.
    pub most: usize,
    /// For a peer that takes nothing of what is sent to it: its place is somebody else's then.
    pub patience: Duration,
    /// Each ends after the answer it is about to give.
    pub closing: CancellationToken,
}

/// Accepts connections until they are to close, and waits for their ends.
pub(super) async fn accept<S>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    app: S,
    connections: Connections,
    workers: Workers,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let acceptor = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(connections.most));
    let open = TaskTracker::new();
    loop {
        let next = async {
            // Never closed, so there is always a place in the end.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = connections.closing.cancelled() => None,
        };
        let Some((place, accepted)) = accepted else { break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be handed on");
                continue;
            }
        };
        let (app, acceptor, closing) = (app.clone(), acceptor.clone(), connections.closing.clone());
        let (counted, patience) = (open.token(), connections.patience);
        workers.give(move || async move {
            let _held = (place, counted);
            let stream = match TcpStream::from_std(stream) {
                Ok(stream) => stream,
                Err(error) => return tracing::warn!(%error, "a connection could not be taken over"),
            };
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(patience));
            let stream = Box::pin(stream);
            match acceptor {
                None => converse(stream, app, closing).await,
                Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, app, closing).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
                    Err(_) => tracing::debug!("no TLS: the peer says nothing"),
                },
            }
        });
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    closing: CancellationToken,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), app);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // How a connection ends does not matter to the server.
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection broke");
    }
}
