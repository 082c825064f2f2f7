//! The protocol's side of the fixtures: lists, and which act belongs to a request.

use crate::act::{Ending, Given, broken, perform};
use crate::fixtures::{Fixtures, List};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, LoggingLevel, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::transport::common::http_header::HEADER_SESSION_ID;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Changes that a slow reader may be behind.
const BEHIND: usize = 64;

#[derive(Clone)]
pub struct Server {
    fixtures: Arc<Fixtures>,
    changes: broadcast::Sender<List>,
    /// What each session wants logged, by its id.
    levels: Arc<Mutex<HashMap<String, LoggingLevel>>>,
}

impl Server {
    pub fn new(fixtures: Fixtures) -> Server {
        Server { fixtures: Arc::new(fixtures), changes: broadcast::channel(BEHIND).0, levels: Arc::default() }
    }

    /// Nothing is logged in the stateless era unless the request says so; in the other, everything unless it is said.
    fn level(&self, context: &RequestContext<RoleServer>) -> Option<LoggingLevel> {
        if context.protocol_version().is_some_and(|version| !version.has_initialize()) {
            return context.meta.log_level();
        }
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let said = session(context).and_then(|session| levels.get(&session).copied());
        Some(said.unwrap_or(LoggingLevel::Debug))
    }

    fn known(&self, uri: &str) -> Result<(), ErrorData> {
        self.fixtures.resource(uri).map(drop).ok_or_else(|| missing(uri))
    }
}

fn session(context: &RequestContext<RoleServer>) -> Option<String> {
    let parts = context.extensions.get::<http::request::Parts>()?;
    Some(parts.headers.get(HEADER_SESSION_ID)?.to_str().ok()?.to_owned())
}

fn arguments(given: Option<Map<String, Value>>) -> Map<String, Value> {
    Map::from_iter([("arguments".to_owned(), Value::Object(given.unwrap_or_default()))])
}

fn missing(uri: &str) -> ErrorData {
    ErrorData::resource_not_found("there is no such resource", Some(json!({"uri": uri})))
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(self.fixtures.capabilities.clone()).with_server_info(self.fixtures.server.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.fixtures.tools.iter().map(|entry| entry.listed.clone()).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.fixtures.tools.iter().find(|entry| entry.listed.name == name).map(|entry| entry.listed.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(entry) = self.fixtures.tools.iter().find(|entry| entry.listed.name == request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let given = Given {
            name: request.name.into_owned(),
            known: arguments(request.arguments),
            responses: request.input_responses,
            state: request.request_state,
            level: self.level(&context),
        };
        let answer = match perform(&entry.does, given, &context).await? {
            Ending::Asks(asks) => return Ok(asks.into()),
            Ending::Answer(answer) => serde_json::from_value::<CallToolResult>(answer).map_err(broken)?,
        };
        if let Some(list) = entry.does.changes {
            // An error says that nobody listens.
            let _ = self.changes.send(list);
        }
        Ok(answer.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = self.fixtures.prompts.iter().map(|entry| entry.listed.clone()).collect();
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let Some(entry) = self.fixtures.prompts.iter().find(|entry| entry.listed.name == request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None));
        };
        let given = Given {
            name: request.name,
            known: arguments(request.arguments),
            responses: request.input_responses,
            state: request.request_state,
            level: None,
        };
        Ok(match perform(&entry.does, given, &context).await? {
            Ending::Asks(asks) => asks.into(),
            Ending::Answer(answer) => serde_json::from_value::<GetPromptResult>(answer).map_err(broken)?.into(),
        })
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = self.fixtures.resources.iter().map(|entry| entry.listed.clone()).collect();
        Ok(ListResourcesResult::with_all_items(resources))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = self.fixtures.templates.iter().map(|entry| entry.listed.clone()).collect();
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some((act, place)) = self.fixtures.resource(&request.uri) else { return Err(missing(&request.uri)) };
        let known = Map::from_iter([("place".to_owned(), Value::String(place))]);
        let given = Given { name: request.uri, known, ..Given::default() };
        Ok(match perform(act, given, &context).await? {
            Ending::Asks(asks) => asks.into(),
            Ending::Answer(answer) => serde_json::from_value::<ReadResourceResult>(answer).map_err(broken)?.into(),
        })
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        // No fixture changes, so there is nothing to remember.
        self.known(&request.uri)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.known(&request.uri)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                () = context.cancelled() => return Ok(()),
            };
            // The sink lets through what was asked for, and says when nobody reads any more.
            let told = match change {
                Ok(List::Tools) => context.sink().notify_tool_list_changed().await,
                Ok(List::Prompts) => context.sink().notify_prompt_list_changed().await,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            };
            if let Err(rmcp::service::SubscriptionSendError::Service(_)) = told {
                return Ok(());
            }
        }
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if let Some(session) = session(&context) {
            self.levels.lock().unwrap_or_else(PoisonError::into_inner).insert(session, request.level);
        }
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let fits = |word: &&String| word.starts_with(&request.argument.value);
        let values = self.fixtures.completions.iter().filter(fits).cloned().collect();
        let values = CompletionInfo::with_all_values(values).map_err(|says| ErrorData::internal_error(says, None))?;
        Ok(CompleteResult::new(values))
    }
}
