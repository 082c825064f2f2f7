//! What goes back to the client during and after a call: progress notifications, and the result of the tool.
//!
//! Knows the engine's answers and the protocol's result; decides nothing about either.

use crate::engine::{Answer, Failure, Progress};
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, ContentBlock, ProgressNotificationParam};
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Carries a call's progress to the client that asked for it.
pub(super) struct Reporter(Option<JoinHandle<()>>);

/// The program that calls, by its own word: said with each request in the stateless era, once in the other.
pub(super) fn client(context: &RequestContext<RoleServer>) -> Option<String> {
    let said = context.meta.client_info();
    let said = said.or_else(|| context.peer.peer_info().map(|info| info.client_info.clone()))?;
    Some(format!("{} {}", said.name, said.version))
}

/// Where a call reports its progress; nowhere when the client gave no token.
pub(super) fn report(context: &RequestContext<RoleServer>) -> (Option<UnboundedSender<Progress>>, Reporter) {
    let Some(token) = context.meta.get_progress_token() else { return (None, Reporter(None)) };
    let (sender, mut steps): (_, UnboundedReceiver<Progress>) = unbounded_channel();
    let peer = context.peer.clone();
    // A task of its own, so that a client that reads slowly delays its progress and not the call.
    let task = tokio::spawn(async move {
        while let Some(step) = steps.recv().await {
            let mut param = ProgressNotificationParam::new(token.clone(), step.done).with_message(step.message);
            if let Some(total) = step.total {
                param = param.with_total(total);
            }
            if let Err(error) = peer.notify_progress(param).await {
                tracing::debug!(%error, "progress could not be reported");
                break;
            }
        }
    });
    (Some(sender), Reporter(Some(task)))
}

impl Reporter {
    /// Waits until everything that was reported is on its way. The sender must be gone by now.
    pub(super) async fn finish(self) {
        if let Some(task) = self.0
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "the progress of a call was lost");
        }
    }
}

/// The result of a call. Clients show the model `structuredContent` of a success and the text of an error, so each
/// holds everything.
pub(super) fn result(ended: Result<Answer, Failure>) -> CallToolResult {
    let answer = match ended {
        Ok(answer) => answer,
        Err(failure) => return CallToolResult::error(vec![ContentBlock::text(failure.to_string())]),
    };
    let content = Value::Object(answer.content);
    let mut result = if answer.failed {
        let text = answer.text.unwrap_or_else(|| content.to_string());
        CallToolResult::error(vec![ContentBlock::text(text)])
    } else {
        // Not as it is displayed, which goes through a formatter piece by piece.
        let text = serde_json::to_string(&content).unwrap_or_default();
        CallToolResult::success(vec![ContentBlock::text(text)])
    };
    result.structured_content = Some(content);
    result
}
