//! Mistakes of this program, met by one request: it is answered, and the others go on.
//!
//! Knows futures and their ends. Where the program is built to end at a panic, there is nothing left to do here.

use super::Server;
use crate::engine::{Answer, Failure, FailureKind};
use crate::tool::Surface;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rmcp::ErrorData;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;

impl Server {
    /// The end of a call, also of one that panicked: a request that is never answered would hold its client up for good.
    pub(super) async fn guarded(
        &self,
        surface: &'static Surface,
        call: impl Future<Output = Result<Answer, Failure>> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let counted = (self.metrics.begins(), self.calls.token());
        let call = AssertUnwindSafe(async move {
            let _counted = counted;
            call.await
        });
        Lasting(Some(call.catch_unwind().boxed())).await.unwrap_or_else(|_| {
            let says = format!(
                "`{}` broke off inside this server: a mistake of the program, not of the arguments. If it changes something, \
                 look at what is there now before it is called again.",
                surface.name
            );
            Err(Failure::new(FailureKind::Broken, says))
        })
    }
}

/// A call that goes on if nobody waits for it any more: what it has begun is brought to its end, and logged. It has no task
/// of its own as long as somebody waits, since that would wake another thread for each call.
struct Lasting<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Future for Lasting<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(call) = &mut self.0 else { return Poll::Pending };
        let ended = ready!(call.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(ended)
    }
}

impl<T: Send + 'static> Drop for Lasting<T> {
    fn drop(&mut self) {
        if let (Some(call), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(call);
        }
    }
}

/// The answer to a request, also to one that panicked. Calls are [`guarded`](Server::guarded) besides, as they go on
/// without their requests.
///
/// Boxed: the SDK puts the futures of all requests into one, and moves that around many times.
pub(super) fn survived<'a, T: 'a>(
    answer: impl Future<Output = Result<T, ErrorData>> + Send + 'a,
) -> impl Future<Output = Result<T, ErrorData>> + Send + 'a {
    // What is shared is behind locks, under which nothing is left half done.
    AssertUnwindSafe(answer.boxed()).catch_unwind().map(|ended| {
        ended.unwrap_or_else(|_| {
            let says = "this request broke off inside this server: a mistake of the program, not of the request";
            Err(ErrorData::internal_error(says, None))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::clusters::Clusters;
    use crate::engine::Engine;
    use crate::settings::{Flags, Settings};
    use std::sync::Arc;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_call_that_panics_is_answered() {
        let surface = &catalogue::SURFACES[0];
        let settings = Settings::limits(&Flags::default()).expect("the defaults are right");
        let server = Server::new(Clusters::one(Arc::new(Engine::new(settings))));
        let ended = server.guarded(surface, async { panic!("on purpose") }).await;
        let failure = ended.expect_err("it has no answer");
        assert_eq!(failure.kind(), FailureKind::Broken);
        assert!(failure.to_string().contains(surface.name) && !failure.to_string().contains("on purpose"), "{failure}");
    }

    #[tokio::test]
    async fn a_call_that_has_begun_comes_to_its_end_without_its_request() {
        let settings = Settings::limits(&Flags::default()).expect("the defaults are right");
        let server = Server::new(Clusters::one(Arc::new(Engine::new(settings))));
        let (begun, wait) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, go) = (begun.clone(), wait.clone());
        let call = async move {
            tell.notify_one();
            go.notified().await;
            panic!("its end, in a task of its own")
        };
        let mut request = Box::pin(server.guarded(&catalogue::SURFACES[0], call));
        assert!(futures_util::poll!(&mut request).is_pending());
        begun.notified().await;
        drop(request);
        server.calls.close();
        assert_eq!(server.calls.len(), 1);
        wait.notify_one();
        server.calls.wait().await;
    }

    #[tokio::test]
    async fn a_request_that_panics_is_answered() {
        let ended: Result<(), ErrorData> = survived(async { panic!("on purpose") }).await;
        let error = ended.expect_err("it has no answer");
        assert!(error.message.contains("inside this server") && !error.message.contains("on purpose"), "{error:?}");
    }
}
