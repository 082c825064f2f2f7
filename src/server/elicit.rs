//! Questions to the person behind the client: by a request of the server in the era of the handshake, by a result that
//! asks for input in the stateless one.
//!
//! Knows how the protocol puts a question and what comes back. What is asked, and what counts as yes, is the engine's.

use crate::engine::consent::{Ask, Asker, Asking, Brought, Question, Said, Wants};
use futures_util::future::BoxFuture;
use rmcp::RoleServer;
use rmcp::model::ClientResult;
use rmcp::model::{
    BooleanSchema, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
    InputRequest, InputRequests, InputRequiredResult, InputResponses, PrimitiveSchemaDefinition, RequestId,
    ServerRequest, StringSchema,
};
use rmcp::service::{OriginatingRequestId, Peer, PeerRequestOptions, RequestContext, RequestHandle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The one field of the form, and the name of the one question.
const FIELD: &str = "confirm";

/// How the client of this request can ask. `gone` is cancelled when nobody answers any more.
pub(super) fn asker(
    context: &RequestContext<RoleServer>,
    responses: Option<InputResponses>,
    state: Option<String>,
    gone: &CancellationToken,
) -> Asker {
    let capabilities = context.client_capabilities();
    // A client that names no form of asking has the form that came first.
    let forms = capabilities
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none());
    if !forms {
        return Asker::Nobody;
    }
    if context.protocol_version().is_some_and(|version| !version.has_initialize()) {
        return Asker::Again(brought(responses, state));
    }
    Asker::Now(Arc::new(Client { peer: context.peer.clone(), call: context.id.clone(), gone: gone.clone() }))
}

/// What the client brings along that calls again.
fn brought(responses: Option<InputResponses>, state: Option<String>) -> Option<Brought> {
    let response = responses?.remove(FIELD)?;
    // What cannot be read is no yes.
    let said = serde_json::from_value(response).map_or(Said::Typed(String::new()), said);
    Some(Brought { said, state: state.unwrap_or_default() })
}

/// The result that asks for input.
pub(super) fn required(asking: &Asking) -> InputRequiredResult {
    let request = InputRequest::Elicitation(ElicitRequest::new(form(&asking.question)));
    let requests: InputRequests = BTreeMap::from([(FIELD.to_owned(), request)]);
    InputRequiredResult::new(Some(requests), Some(asking.state.clone()))
}

fn form(question: &Question) -> ElicitRequestParams {
    let property = match &question.wants {
        Wants::Yes => PrimitiveSchemaDefinition::Boolean(BooleanSchema::new().title("Do this?")),
        Wants::Typed(_) => {
            let title = format!("To confirm, {}", question.wants.shown());
            PrimitiveSchemaDefinition::String(StringSchema::new().title(title))
        }
    };
    let schema = ElicitationSchema::new(BTreeMap::from([(FIELD.to_owned(), property)]));
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.text.clone(),
        requested_schema: schema.with_required(vec![FIELD.to_owned()]),
    }
}

/// What a client's answer says.
fn said(result: ElicitResult) -> Said {
    match result.action {
        ElicitationAction::Accept => {}
        ElicitationAction::Decline => return Said::Declined,
        _ => return Said::Dismissed,
    }
    match result.content.as_ref().and_then(|content| content.get(FIELD)) {
        Some(Value::Bool(true)) => Said::Yes,
        Some(Value::Bool(false)) => Said::Declined,
        Some(Value::String(text)) => Said::Typed(text.clone()),
        // Some clients make a number of what looks like one.
        Some(Value::Number(number)) => Said::Typed(number.to_string()),
        _ => Said::Typed(String::new()),
    }
}

/// The person behind a client that takes requests.
struct Client {
    peer: Peer<RoleServer>,
    /// The request that the question belongs to: over HTTP it goes where that one's answer will go.
    call: RequestId,
    gone: CancellationToken,
}

impl Ask for Client {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Said> {
        Box::pin(async move {
            let mut request = ElicitRequest::new(form(question));
            // The SDK would know it by itself, but for the task of its own that every call has.
            request.extensions.insert(OriginatingRequestId(self.call.clone()));
            let request = ServerRequest::ElicitRequest(request);
            let sent = self.peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
            let mut open = match sent {
                Ok(handle) => Open(Some(handle)),
                Err(error) => return Said::Unasked(error.to_string()),
            };
            let Some(handle) = &mut open.0 else { return Said::Dismissed };
            let answer = tokio::select! {
                answer = &mut handle.rx => answer,
                () = self.gone.cancelled() => return Said::Dismissed,
            };
            open.0 = None;
            match answer {
                Ok(Ok(ClientResult::ElicitResult(result))) => said(result),
                Ok(Ok(_)) => Said::Unasked("the client answered with something else".to_owned()),
                Ok(Err(error)) => Said::Unasked(error.to_string()),
                Err(_) => Said::Dismissed,
            }
        })
    }
}

/// A question without an answer: when nobody waits for it any longer, the client may take it off the screen.
struct Open(Option<RequestHandle<RoleServer>>);

impl Drop for Open {
    fn drop(&mut self) {
        let Some(handle) = self.0.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A client that is gone needs not be told.
                let _ = handle.cancel(Some("nobody waits for the answer any longer".to_owned())).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_clear_answer_is_one() {
        let said =
            |answer: Value| brought(Some(BTreeMap::from([(FIELD.to_owned(), answer)])), None).map(|one| one.said);
        assert_eq!(said(json!({"action": "accept", "content": {"confirm": true}})), Some(Said::Yes));
        assert_eq!(
            said(json!({"action": "accept", "content": {"confirm": "104"}})),
            Some(Said::Typed("104".to_owned()))
        );
        assert_eq!(said(json!({"action": "accept", "content": {"confirm": 104}})), Some(Said::Typed("104".to_owned())));
        assert_eq!(said(json!({"action": "accept", "content": {"confirm": false}})), Some(Said::Declined));
        assert_eq!(said(json!({"action": "decline"})), Some(Said::Declined));
        assert_eq!(said(json!({"action": "cancel", "content": {"confirm": true}})), Some(Said::Dismissed));
        for nothing in
            [json!({"action": "accept"}), json!({"action": "accept", "content": {"ok": true}}), json!(true), json!({})]
        {
            assert_eq!(said(nothing.clone()), Some(Said::Typed(String::new())), "{nothing}");
        }
        assert_eq!(brought(None, Some("state".to_owned())), None);
    }
}
