//! A transport that ends only when every request has been answered.
//!
//! The SDK gives running calls a few seconds once the input has ended. A call may wait longer than that for its task,
//! and `echo … | proxmox-mcp` closes its end at once, so the end of the input is held back here instead.
//! Knows requests and answers by their ids, and nothing of what they say.

use rmcp::RoleServer;
use rmcp::model::{ClientNotification, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use std::collections::HashSet;
use tokio::sync::watch;

/// `inner`, which is asked for messages until it ends and then until everything is answered.
pub(super) struct Answering<T> {
    inner: T,
    /// Requests without an answer.
    open: watch::Sender<HashSet<RequestId>>,
    ended: bool,
}

impl<T> Answering<T> {
    pub(super) fn new(inner: T) -> Answering<T> {
        Answering { inner, open: watch::Sender::new(HashSet::new()), ended: false }
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
                }
            }
            _ => {}
        }
    }
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
        if !self.ended {
            if let Some(message) = self.inner.receive().await {
                self.note(&message);
                return Some(message);
            }
            self.ended = true;
        }
        // Fails only when the sender is gone, and `self` holds one.
        let _ = self.open.subscribe().wait_for(HashSet::is_empty).await;
        None
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
