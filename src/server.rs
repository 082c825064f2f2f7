//! The MCP server: what a client sees of the catalogue, and how its calls reach the engine.
//!
//! Knows the protocol's words (through the SDK, which speaks both the `initialize` era and the stateless one) and
//! nothing of HTTP or Proxmox VE. Arguments, tiers and answers are the engine's; this module only carries them.

mod callers;
mod carry;
mod elicit;
mod listing;
mod offers;
mod survive;
mod transport;

use crate::caller::Caller;
use crate::catalogue;
use crate::clusters::Clusters;
use crate::engine::{Answer, Failure, Watch, clean};
use crate::metrics::Metrics;
use crate::offers::instructions_of;
use crate::tool::Surface;
use callers::Callers;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, DiscoverResult,
    GetPromptRequestParams, GetPromptResponse, Implementation, InitializeRequestParams, InitializeResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use survive::survived;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use listing::{annotations, describe};

/// How long a client may keep the list of tools, in milliseconds. The list cannot change while the process lives, but
/// a client may talk to the next one, which may have been started at another tier.
const LIST_TTL_MS: u64 = 60_000;

/// One server: everything that a connection needs.
#[derive(Clone)]
pub struct Server {
    clusters: Clusters,
    /// Whose limits these are; `None` = the server's own.
    caller: Option<Arc<Caller>>,
    /// The same server for each of its callers.
    callers: Arc<Callers>,
    /// Calls that run, also those whose clients are gone.
    calls: TaskTracker,
    metrics: Metrics,
    /// The client's side has ended: nobody answers a question any more.
    gone: CancellationToken,
    said: Arc<Said>,
}

/// What is always said alike, made when it is asked for first: a start parses no schema, and the SDK asks several times
/// per request.
#[derive(Default)]
struct Said {
    tools: OnceLock<Vec<Tool>>,
    info: OnceLock<ServerConfig>,
}

impl Server {
    /// A server over these clusters. Connects to nothing.
    pub fn new(clusters: Clusters) -> Server {
        Server {
            clusters,
            caller: None,
            callers: Arc::default(),
            calls: TaskTracker::new(),
            metrics: Metrics::default(),
            gone: CancellationToken::new(),
            said: Arc::default(),
        }
    }

    /// Counts its calls here.
    pub fn measured(self, metrics: Metrics) -> Server {
        Server { metrics, ..self }
    }

    /// The calls that run.
    pub fn calls(&self) -> &TaskTracker {
        &self.calls
    }

    /// The tools that this server lists, in catalogue order: always the same list.
    pub fn tools(&self) -> &[Tool] {
        self.said.tools.get_or_init(|| listing::listed(&self.clusters))
    }

    /// Serves one client on standard input and output until the input ends and every call has been answered.
    ///
    /// # Errors
    /// The client did not begin as the protocol demands, or the connection broke. An input that ends before the
    /// client said anything is no error.
    pub async fn serve_stdio(self) -> Result<(), Broken> {
        let (input, output) = rmcp::transport::io::stdio_pipes();
        self.serve_over(input, output).await
    }

    /// As [`Server::serve_stdio`], over any two streams: one message per line.
    ///
    /// # Errors
    /// As [`Server::serve_stdio`].
    pub async fn serve_over(
        self,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(), Broken> {
        let transport = transport::Answering::new(AsyncRwTransport::new_server(input, output), self.gone.clone());
        match self.serve(transport).await {
            Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| Broken(error.to_string())),
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            // The message that came instead is not repeated: it may be anything, of any length.
            Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
                Err(Broken("the client did not begin with a request of the protocol".to_owned()))
            }
            Err(error) => Err(Broken(error.to_string())),
        }
    }
}

/// The conversation with the client could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the connection to the MCP client broke: {0}")]
pub struct Broken(String);

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.said.info.get_or_init(|| self.info()).clone()
    }

    fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<InitializeResult, ErrorData>> {
        context.peer.set_peer_info(request.clone());
        survived(async move { self.of(&context)?.negotiate_initialize(&request) })
    }

    fn discover(&self, context: RequestContext<RoleServer>) -> impl Future<Output = Result<DiscoverResult, ErrorData>> {
        survived(async move {
            let server = self.of(&context)?;
            Ok(DiscoverResult::from_server_info(server.supported_protocol_versions().into_owned(), server.get_info()))
        })
    }

    fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListToolsResult, ErrorData>> {
        survived(async move {
            if request.is_some_and(|page| page.cursor.is_some()) {
                return Err(ErrorData::invalid_params("tools/list has one page: leave `cursor` out", None));
            }
            let server = self.of(&context)?;
            // Private: what is offered depends on how this one server was started.
            futures_util::future::join_all(server.clusters.all().map(|engine| engine.learn_rights())).await;
            Ok(ListToolsResult::with_all_items(server.tools().to_vec())
                .with_ttl_ms(LIST_TTL_MS)
                .with_cache_scope(CacheScope::Private))
        })
    }

    fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> {
        survived(self.called(request, context))
    }

    fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListResourcesResult, ErrorData>> {
        survived(async move { self.of(&context)?.resources(request) })
    }

    fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListResourceTemplatesResult, ErrorData>> {
        survived(async move { self.of(&context)?.templates(request) })
    }

    fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ReadResourceResponse, ErrorData>> {
        survived(self.resource_read(request, context))
    }

    fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListPromptsResult, ErrorData>> {
        survived(async move { self.of(&context)?.prompts(request) })
    }

    fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<GetPromptResponse, ErrorData>> {
        survived(async move { self.of(&context)?.prompt(&request).map(Into::into) })
    }

    fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CompleteResult, ErrorData>> {
        survived(async move { self.of(&context)?.completed(request, context.ct.clone()).await })
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().iter().find(|tool| tool.name == name).cloned()
    }
}

impl Server {
    fn info(&self) -> ServerConfig {
        let settings = self.clusters.first().settings();
        let (name, title) = if settings.sandbox {
            ("proxmox-mcp-sandbox", "Proxmox VE (sandbox)")
        } else {
            ("proxmox-mcp", "Proxmox VE")
        };
        let capabilities = ServerCapabilities::builder();
        let capabilities = capabilities.enable_tools().enable_resources().enable_prompts().enable_completions().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(name, env!("CARGO_PKG_VERSION")).with_title(title))
            .with_instructions(instructions_of(&self.clusters))
    }

    async fn called(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let server = self.of(&context)?;
        let Some(surface) = catalogue::surface_in(server.clusters.first().settings().dialect, &request.name) else {
            return Err(unknown_tool(&request.name));
        };
        let started = Instant::now();
        let (progress, reporter) = carry::report(&context);
        let asker = elicit::asker(&context, request.input_responses, request.request_state, &self.gone);
        let client = carry::client(&context);
        let caller = server.caller_name();
        let remote = callers::remote(&context);
        let watch = Watch { progress, cancelled: context.ct.clone(), asker, client, caller, remote };
        let mut arguments = request.arguments.unwrap_or_default();
        let span = callers::span(&context);
        span.record("tool", surface.name);
        let chosen = server.clusters.choose(&mut arguments).cloned();
        let cluster = chosen.as_ref().ok().map(|engine| engine.settings().name.clone());
        let ended = match chosen {
            Ok(engine) => {
                let elsewhere = server.clusters.elsewhere(surface, &engine);
                let call = async move { engine.call(surface, Some(&arguments), watch).await };
                let ended = server.guarded(surface, call.instrument(span.clone())).await;
                match elsewhere {
                    Some(line) => ended.map_err(|failure| failure.noting(&line)),
                    None => ended,
                }
            }
            Err(failure) => Err(failure),
        };
        // The engine dropped its end, so this ends; what was reported comes before the answer, as the protocol asks.
        reporter.finish().await;
        span.in_scope(|| server.log(surface, cluster.as_deref(), &ended, started));
        match ended.as_ref().err().and_then(Failure::question) {
            Some(asking) => Ok(elicit::required(asking).into()),
            None => Ok(carry::result(ended).into()),
        }
    }

    async fn resource_read(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let server = self.of(&context)?;
        let (client, caller) = (carry::client(&context), server.caller_name());
        let remote = callers::remote(&context);
        let watch = Watch { cancelled: context.ct.clone(), client, caller, remote, ..Watch::default() };
        server.read(request.uri, watch).instrument(callers::span(&context)).await.map(Into::into)
    }

    /// One line per call: what was called and how it ended, never with which arguments.
    fn log(&self, surface: &Surface, cluster: Option<&str>, ended: &Result<Answer, Failure>, started: Instant) {
        let cluster = cluster.filter(|_| self.clusters.several_to_choose());
        let caller = self.caller.as_ref().map(|caller| caller.name.as_str());
        let took = started.elapsed();
        let milliseconds = took.as_millis();
        let outcome = |answer: &'_ Answer| match answer.content.get("outcome").and_then(|value| value.as_str()) {
            Some(outcome) => outcome.to_owned(),
            None => "ok".to_owned(),
        };
        let how = ended.as_ref().map(outcome).map_err(Failure::kind);
        self.metrics.ended(surface.name, surface.tool.tier, how.as_deref().map_err(|kind| *kind), took);
        match ended {
            Ok(answer) => {
                let outcome = outcome(answer);
                tracing::info!(tool = surface.name, tier = %surface.tool.tier, outcome, cluster, caller, milliseconds, "call");
            }
            Err(failure) => {
                tracing::info!(tool = surface.name, tier = %surface.tool.tier, outcome = "refused or failed", kind = ?failure.kind(), cluster, caller, milliseconds, "call");
            }
        }
    }

    fn caller_name(&self) -> Option<String> {
        self.caller.as_ref().map(|caller| caller.name.clone())
    }
}

/// A name that no tool has under any dialect is a mistake in the request, not an outcome of a tool.
fn unknown_tool(name: &str) -> ErrorData {
    let shown = clean::line(name, 80);
    let near = proxmox_spec::nearest(name, catalogue::SURFACES.iter().map(|surface| surface.name));
    let advice = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "tools/list has the names on offer".to_owned(),
    };
    ErrorData::invalid_params(format!("there is no tool `{shown}`; {advice}"), None)
}
