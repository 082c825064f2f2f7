//! Bodies that know when they end: requests that do not arrive, answers that hold a place, streams that nobody may read
//! any more.
//!
//! Knows bytes, time and a question with yes or no; what is said in a body is nobody's business here.

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep_until};

/// Who is this slow holds a place for nothing, whatever is sent: beyond its patience a body gets a second for so many
/// bytes. 256 kbit/s: slower than any line on which somebody would upload a file.
const SLOWEST: usize = 32 << 10;

/// How often it is asked whether a stream may go on.
const LOOK: Duration = Duration::from_secs(1);

type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// Why a body has not arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Its time was over.
    Late,
    /// The connection broke, or what came is no body of HTTP.
    Broken,
}

/// The body of a request, which has to arrive in time.
pub(super) struct Arriving {
    body: Body,
    due: Instant,
    /// Made when something has to be waited for: most bodies are there with their head.
    clock: Option<Pin<Box<Sleep>>>,
    missing: Arc<OnceLock<Missing>>,
}

impl Arriving {
    /// `patience`: for whatever is not there yet. The other value says, afterwards, why it did not arrive, if it did not.
    pub(super) fn new(body: Body, patience: Duration) -> (Arriving, Arc<OnceLock<Missing>>) {
        let missing = Arc::new(OnceLock::new());
        (Arriving { body, due: Instant::now() + patience, clock: None, missing: missing.clone() }, missing)
    }

    /// The first reason is the true one.
    fn lacks(&self, missing: Missing) {
        let _ = self.missing.set(missing);
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            match &frame {
                Some(Ok(frame)) => {
                    let length = frame.data_ref().map_or(0, Bytes::len);
                    this.due += Duration::from_secs_f64(length as f64 / SLOWEST as f64);
                }
                Some(Err(_)) => this.lacks(Missing::Broken),
                None => {}
            }
            return Poll::Ready(frame);
        }
        let due = this.due;
        let clock = this.clock.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if clock.deadline() != due {
            clock.as_mut().reset(due);
        }
        if clock.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.lacks(Missing::Late);
        let late = io::Error::new(ErrorKind::TimedOut, "the body does not arrive");
        Poll::Ready(Some(Err(axum::Error::new(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What an answer holds until it has been sent, or nobody reads it any more.
#[derive(Default)]
pub(super) struct Place {
    /// Its place among the requests.
    pub slot: Option<OwnedSemaphorePermit>,
    /// Its session, which is not closed meanwhile.
    pub session: Option<Arc<()>>,
}

impl Place {
    pub(super) fn is_none(&self) -> bool {
        self.slot.is_none() && self.session.is_none()
    }
}

/// A body that holds a place.
pub(super) struct Held {
    pub body: Body,
    pub _place: Place,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that goes on for as long as whoever reads it may.
pub(super) struct Open {
    body: Body,
    look: Interval,
    may: Box<dyn Fn() -> bool + Send>,
}

impl Open {
    /// `may` is asked again and again.
    pub(super) fn new(body: Body, may: impl Fn() -> bool + Send + 'static) -> Open {
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Open { body, look, may: Box::new(may) }
    }
}

impl http_body::Body for Open {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        while self.look.poll_tick(context).is_ready() {
            if !(self.may)() {
                // An end in order: the client asks again, and is told why not.
                return Poll::Ready(None);
            }
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    /// A body of `count` pieces of so many bytes, one after each pause.
    fn slow(count: usize, bytes: usize, pause: Duration) -> Body {
        Body::from_stream(stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, io::Error>(Bytes::from(vec![b' '; bytes]))
        }))
    }

    async fn arrives(body: Body) -> Result<usize, Duration> {
        let begun = Instant::now();
        let (body, missing) = Arriving::new(body, Duration::from_secs(30));
        match body.collect().await {
            Ok(whole) => Ok(whole.to_bytes().len()),
            Err(_) => {
                assert_eq!(missing.get(), Some(&Missing::Late));
                Err(begun.elapsed())
            }
        }
    }

    // The clock of the runtime is set forward whenever nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_body_has_its_patience_and_a_long_one_more_as_it_arrives() {
        let secs = Duration::from_secs;
        assert_eq!(arrives(Body::from("whole")).await, Ok(5));
        assert_eq!(arrives(slow(1, 5, secs(29))).await, Ok(5));
        // 16 MiB in 256 seconds.
        assert_eq!(arrives(slow(256, 64 << 10, secs(1))).await, Ok(16 << 20));
        for late in [slow(1, 5, secs(3_600)), slow(1_000, 1, secs(1)), slow(1_000, 1, secs(60))] {
            let after = arrives(late).await.expect_err("too slow");
            assert!((secs(30)..secs(32)).contains(&after), "{after:?}");
        }
    }
}
