//! Doing what a fixture does: logging, reporting, asking, and the result in the end.
//!
//! Knows both eras: in that of the handshake a question is a request to the client, in the stateless one a result.

use crate::fixtures::{Act, fill};
use crate::seal;
use rmcp::model::{
    ClientCapabilities, InputRequests, InputRequiredResult, InputResponses, LoggingLevel, ProgressNotificationParam,
    ServerNotification, ServerRequest,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Between two messages, so that a client sees them come one by one.
const PAUSE: Duration = Duration::from_millis(50);

/// What a request brings along.
#[derive(Default)]
pub struct Given {
    /// Of the tool, prompt or resource: a state holds for one only.
    pub name: String,
    /// Where places are looked up.
    pub known: Map<String, Value>,
    pub responses: Option<InputResponses>,
    pub state: Option<String>,
    /// The least level of what the client wants logged; nothing without one.
    pub level: Option<LoggingLevel>,
}

/// How an act ends.
pub enum Ending {
    Answer(Value),
    Asks(InputRequiredResult),
}

pub async fn perform(act: &Act, mut given: Given, context: &RequestContext<RoleServer>) -> Result<Ending, ErrorData> {
    let able = able(context)?;
    if let Some(needed) = &act.needs
        && !value(needed)?.as_object().is_some_and(|needed| needed.keys().all(|key| able.get(key).is_some()))
    {
        return Err(ErrorData::missing_required_client_capability(needed.clone()));
    }
    for text in &act.log {
        if given.level.is_some_and(wanted) {
            let params = json!({"level": "info", "logger": "fixtures", "data": text});
            send(context, json!({"method": "notifications/message", "params": params})).await?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    for step in &act.progress {
        if let Some(token) = context.meta.get_progress_token() {
            let step = ProgressNotificationParam::new(token, *step).with_total(100.0);
            context.peer.notify_progress(step).await.map_err(unsent)?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(question) = &act.ask {
        let answer = ask(fill(question, &Value::Object(given.known.clone())), &able, context).await?;
        given.known.insert("answer".to_owned(), answer);
    }
    if !act.rounds.is_empty()
        && let Some(asks) = round(act, &mut given, &able)?
    {
        return Ok(Ending::Asks(asks));
    }
    let mut answer = fill(&act.answer, &Value::Object(given.known));
    // The SDK takes it away again for clients of older revisions.
    answer["resultType"] = json!("complete");
    Ok(Ending::Answer(answer))
}

/// What the client says it can do.
fn able(context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
    value(&context.client_capabilities().unwrap_or_default())
}

/// Everything is logged at the level `info`.
fn wanted(least: LoggingLevel) -> bool {
    matches!(least, LoggingLevel::Debug | LoggingLevel::Info)
}

/// The capability of a client that answers this method.
fn capability(method: &str) -> &str {
    method.split('/').next().unwrap_or(method)
}

async fn ask(question: Value, able: &Value, context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
    if context.protocol_version().is_some_and(|version| !version.has_initialize()) {
        return Err(ErrorData::invalid_request("this fixture is of the era of the handshake", None));
    }
    let method = question["method"].as_str().unwrap_or_default();
    if able.get(capability(method)).is_none() {
        return Err(ErrorData::invalid_request(format!("the client does not answer `{method}`"), None));
    }
    let request: ServerRequest = serde_json::from_value(question).map_err(broken)?;
    let answer = context.peer.send_request(request).await.map_err(unsent)?;
    value(&answer)
}

/// What is asked for in this round; `None` when everything is there.
fn round(act: &Act, given: &mut Given, able: &Value) -> Result<Option<InputRequiredResult>, ErrorData> {
    let changed = || ErrorData::invalid_params("the state is not as it was given out", None);
    let mut at = match &given.state {
        Some(state) if act.sealed => seal::open(&given.name, state).ok_or_else(changed)?,
        _ => 0,
    };
    let Some(asked) = act.rounds.get(at) else { return Err(changed()) };
    let able_to = |request: &Value| able.get(capability(request["method"].as_str().unwrap_or_default())).is_some();
    let asked: Map<String, Value> = asked
        .iter()
        .filter(|(_, request)| able_to(request))
        .map(|(key, request)| (key.clone(), request.clone()))
        .collect();
    if asked.is_empty() {
        let needs = json!({"elicitation": {}, "sampling": {}});
        let needs: ClientCapabilities = serde_json::from_value(needs).map_err(broken)?;
        return Err(ErrorData::missing_required_client_capability(needs));
    }
    let responses = given.responses.take().unwrap_or_default();
    // Whoever has to bring a state and brings none starts again.
    let begun = !act.sealed || given.state.is_some();
    let mut asked = asked;
    if begun && asked.iter().all(|(key, request)| responses.get(key).is_some_and(|answer| answers(request, answer))) {
        at += 1;
        let known = responses.into_iter().collect();
        given.known.insert("responses".to_owned(), Value::Object(known));
        match act.rounds.get(at) {
            Some(next) => asked = next.clone(),
            None => return Ok(None),
        }
    }
    let requests: InputRequests = serde_json::from_value(Value::Object(asked)).map_err(broken)?;
    let state = if act.sealed { seal::seal(&given.name, at) } else { None };
    Ok(Some(InputRequiredResult::new(Some(requests), state)))
}

/// Is this an answer to that request? A form must be filled in as far as it demands.
fn answers(request: &Value, answer: &Value) -> bool {
    let required = request.pointer("/params/requestedSchema/required").and_then(Value::as_array);
    let filled = |field: &Value| field.as_str().is_some_and(|field| answer["content"].get(field).is_some());
    match required {
        Some(required) if answer["action"] == "accept" => required.iter().all(filled),
        Some(_) => answer["action"].is_string(),
        None => answer.is_object(),
    }
}

async fn send(context: &RequestContext<RoleServer>, notification: Value) -> Result<(), ErrorData> {
    let notification: ServerNotification = serde_json::from_value(notification).map_err(broken)?;
    context.peer.send_notification(notification).await.map_err(unsent)
}

fn value<T: serde::Serialize>(of: &T) -> Result<Value, ErrorData> {
    serde_json::to_value(of).map_err(broken)
}

/// A fixture that is not what the protocol demands.
pub fn broken(error: serde_json::Error) -> ErrorData {
    ErrorData::internal_error(format!("this fixture is wrong: {error}"), None)
}

fn unsent(error: rmcp::ServiceError) -> ErrorData {
    ErrorData::internal_error(format!("the client could not be reached: {error}"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filled_in_form_is_an_answer() {
        let form = json!({"method": "elicitation/create", "params": {"requestedSchema": {"required": ["name"]}}});
        assert!(answers(&form, &json!({"action": "accept", "content": {"name": "A"}})));
        assert!(answers(&form, &json!({"action": "decline"})));
        for bad in [json!({"action": "accept", "content": {}}), json!({"action": "accept"}), json!(12345), json!({})] {
            assert!(!answers(&form, &bad), "{bad}");
        }
        assert!(answers(&json!({"method": "roots/list"}), &json!({"roots": []})));
        assert!(!answers(&json!({"method": "roots/list"}), &json!(1)));
    }
}
