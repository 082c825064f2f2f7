//! The threads that talk to clients: each has a runtime of its own, and a connection stays on its thread.
//!
//! So a request is worked on where it was received, and no other thread has to be woken for it, which takes longer than
//! most requests do. Knows work as futures; must not know what is said on a connection.

use futures_util::future::BoxFuture;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Makes its future on the thread that runs it, so that what it opens belongs to the runtime there.
type Work = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Ends its threads, and whatever they still do, when it is dropped.
#[derive(Clone)]
pub(super) struct Workers(Arc<[Worker]>);

struct Worker {
    given: UnboundedSender<Work>,
    /// Connections that it has.
    busy: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts so many threads, at least one.
    ///
    /// # Errors
    /// The system gives no thread, or no way to wait for connections.
    pub(super) fn start(count: usize) -> io::Result<Workers> {
        let start = |number: usize| {
            let (given, work) = unbounded_channel();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new().name(format!("http-{number}")).spawn(move || carry_out(&runtime, work))?;
            Ok(Worker { given, busy: Arc::default() })
        };
        (0..count.max(1)).map(start).collect::<io::Result<Vec<_>>>().map(|workers| Workers(workers.into()))
    }

    /// Has it done by the thread with the fewest connections.
    pub(super) fn give<F: Future<Output = ()> + Send + 'static>(&self, work: impl FnOnce() -> F + Send + 'static) {
        let Some(worker) = self.0.iter().min_by_key(|worker| worker.busy.load(Ordering::Relaxed)) else { return };
        let busy = Busy::with(&worker.busy);
        let work: Work = Box::new(move || {
            let work = work();
            Box::pin(async move {
                let _busy = busy;
                work.await;
            })
        });
        // Its thread ends after the last of these.
        let _ = worker.given.send(work);
    }
}

fn carry_out(runtime: &Runtime, mut work: UnboundedReceiver<Work>) {
    runtime.block_on(async {
        while let Some(work) = work.recv().await {
            tokio::spawn(work());
        }
    });
}

/// Counts for as long as it lives.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn with(count: &Arc<AtomicUsize>) -> Busy {
        count.fetch_add(1, Ordering::Relaxed);
        Busy(count.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
