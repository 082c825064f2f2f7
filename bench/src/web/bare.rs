//! The floor of the numbers over HTTP: the SDK's server with one tool that knows its answer, and nothing around it. Or the
//! same handler behind the HTTP of the measured server, which shows what that alone takes.
//!
//! The same SDK with the same features as the measured server. In the floor no sessions are bound to anybody, no limits are
//! held, and requests have no names.

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use proxmox_mcp::http::{Door, Http, Options, PATH, Ready, Stop};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, json};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// The name of the one tool.
pub const TOOL: &str = "nothing";

#[derive(Clone)]
struct Bare {
    tools: Arc<Vec<Tool>>,
    /// What a call answers with.
    answer: CallToolResult,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("bare", "0"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(self.answer.clone().into())
    }
}

/// Serves until it is killed; prints its URL. `tools` are listed as they are, beside the one whose answer is known, which
/// always answers with `answer`. `behind`: with everything that the measured server does for a request over HTTP.
///
/// # Errors
/// There is no address, or the tools or the answer are none.
pub fn serve(tools: &str, answer: &str, behind: bool) -> io::Result<()> {
    let mut tools: Vec<Tool> = serde_json::from_str(tools)?;
    let answer = serde_json::from_str(answer)?;
    let schema = Map::from_iter([("type".to_owned(), json!("object"))]);
    tools.push(Tool::new(TOOL, "Knows its answer", Arc::new(schema)));
    let bare = Bare { tools: Arc::new(tools), answer };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move { if behind { around(bare).await } else { alone(bare).await } })
}

async fn alone(bare: Bare) -> io::Result<()> {
    let config = StreamableHttpServerConfig::default().with_json_response(true);
    let service = StreamableHttpService::new(move || Ok(bare.clone()), LocalSessionManager::default().into(), config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // As the measured server does.
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            // How a connection ends does not matter.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn around(bare: Bare) -> io::Result<()> {
    let options = Options { rate: None, ..Options::default() };
    let http = Http::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, options).await?;
    tell(http.address())?;
    http.serve(bare, Door::default(), Ready::always(), TaskTracker::new(), Stop::default()).await;
    Ok(())
}

fn tell(address: SocketAddr) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "http://{address}{PATH}")?;
    output.flush()
}
