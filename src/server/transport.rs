//! A transport that ends only when every request has been answered, and takes no id twice at a time.
//!
//! The SDK gives running calls a few seconds once the input has ended. A call may wait longer than that for its task,
//! and `echo … | proxmox-mcp` closes its end at once, so the end of the input is held back here instead.
//!
//! The SDK keeps running requests by their ids and would drop the answer to one of two with the same: the second is
//! refused here before it does anything. Knows requests and answers by their ids, and nothing of what they say.

use rmcp::model::{ClientNotification, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::{ErrorData, RoleServer};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// `inner`, which is asked for messages until it ends and then until everything is answered.
pub(super) struct Answering<T> {
    inner: T,
    /// Requests without an answer.
    open: watch::Sender<HashSet<RequestId>>,
    /// Requests whose answers are not even on their way.
    running: Arc<Mutex<HashSet<RequestId>>>,
    /// Cancelled when the input has ended: no question to the client is answered any more.
    ended: CancellationToken,
}

impl<T> Answering<T> {
    pub(super) fn new(inner: T, ended: CancellationToken) -> Answering<T> {
        Answering { inner, open: watch::Sender::new(HashSet::new()), running: Arc::default(), ended }
    }

    fn note(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) => {
                self.open.send_modify(|open| {
                    open.insert(request.id.clone());
                });
            }
            JsonRpcMessage::Notification(notification) => {
                // A cancelled request gets no answer.
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.open.send_modify(|open| {
                        open.remove(id);
                    });
                    running(&self.running).remove(id);
                }
            }
            _ => {}
        }
    }

    /// Is this a request with the id of one that runs?
    fn repeats(&self, message: &RxJsonRpcMessage<RoleServer>) -> bool {
        match message {
            JsonRpcMessage::Request(request) => !running(&self.running).insert(request.id.clone()),
            _ => false,
        }
    }
}

/// Nothing is left half done under the lock.
fn running(ids: &Mutex<HashSet<RequestId>>) -> MutexGuard<'_, HashSet<RequestId>> {
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Transport<RoleServer> for Answering<T>
where
    T: Transport<RoleServer>,
{
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answers = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        // Whoever reads the answer may use its id again.
        if let Some(id) = &answers {
            running(&self.running).remove(id);
        }
        let open = self.open.clone();
        let sending = self.inner.send(item);
        async move {
            let sent = sending.await;
            if let Some(id) = answers {
                open.send_modify(|open| {
                    open.remove(&id);
                });
            }
            sent
        }
    }

    // May be dropped at any await and called again: nothing is taken from `inner` before it is returned.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        while !self.ended.is_cancelled() {
            match self.inner.receive().await {
                Some(message) if self.repeats(&message) => {
                    let says = "there is a request with this id that is not answered yet; nothing was done";
                    // Not under the id: that would pass for the answer to the first one.
                    let refusal = TxJsonRpcMessage::<RoleServer>::error(ErrorData::invalid_request(says, None), None);
                    tokio::spawn(self.inner.send(refusal));
                }
                Some(message) => {
                    self.note(&message);
                    return Some(message);
                }
                None => self.ended.cancel(),
            }
        }
        // Fails only when the sender is gone, and `self` holds one.
        let _ = self.open.subscribe().wait_for(HashSet::is_empty).await;
        None
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
