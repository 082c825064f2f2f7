//! What asks this process to end: Ctrl-C, or the signal of a supervisor.

use std::io;

/// Listens for it from the moment it is made.
pub struct End {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl End {
    /// # Errors
    /// The system gives no signals.
    pub fn expect() -> io::Result<End> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(End {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits until it is asked; once more for the next time.
    pub async fn asked(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
