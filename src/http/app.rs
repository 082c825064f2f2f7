//! What answers on a connection: the protocol, which nearly every request wants, and the pages beside it.
//!
//! Knows one path. A router would look it up, and copy everything that its route is made of, for each request.

use super::{PATH, request_id};
use crate::metrics::Metrics;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;

/// Gives the answer to a request.
pub(super) type Answering = Box<dyn Fn(Request) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

#[derive(Clone)]
pub(super) struct App(Arc<Parts>);

struct Parts {
    protocol: Answering,
    pages: Router,
    metrics: Metrics,
}

impl App {
    /// `protocol` answers at its path, whatever the method is.
    pub(super) fn new(protocol: Answering, pages: Router, metrics: Metrics) -> App {
        App(Arc::new(Parts { protocol, pages, metrics }))
    }
}

impl Service<axum::http::Request<Incoming>> for App {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn call(&self, request: axum::http::Request<Incoming>) -> Self::Future {
        let (parts, request) = (self.0.clone(), request.map(Body::new));
        Box::pin(async move { Ok(request_id::pass(&parts.metrics, request, |request| parts.answer(request)).await) })
    }
}

impl Parts {
    async fn answer(&self, request: Request) -> Response<Body> {
        if request.uri().path() == PATH {
            return (self.protocol)(request).await;
        }
        routed(self.pages.clone(), request).await
    }
}

/// The answer of a router.
pub(super) async fn routed(router: Router, request: Request) -> Response<Body> {
    let Ok(response) = TowerToHyperService::new(router).call(request).await;
    response
}
