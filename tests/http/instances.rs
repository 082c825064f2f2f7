//! Several servers behind a load balancer: what they share without knowing of each other, and what they do not.

use crate::common::{Era, text};
use crate::served::{Client, Served};
use crate::tokens::Tokens;
use futures_util::future::join_all;
use proxmox_mcp::approvals::Approvals;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::time::SystemTime;

/// One cluster, one folder of approvals, one file of tokens; and servers.
struct Behind {
    sandbox: Sandbox,
    state: tempfile::TempDir,
    tokens: Tokens,
    servers: Vec<Served>,
    token: String,
}

impl Behind {
    async fn start(confirm: &str) -> Behind {
        let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback");
        let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
        let fingerprint: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let state = tempfile::tempdir().expect("a folder");
        let tokens = Tokens::new();
        let token = tokens.made("alice", &["--tier", "admin"]);
        let file = tokens.path();
        let address = sandbox.address().to_string();
        let environment = [
            ("PROXMOX_HOST", address.as_str()),
            ("PROXMOX_FINGERPRINT", &fingerprint),
            ("PROXMOX_TOKEN_NAME", name),
            ("PROXMOX_TOKEN_VALUE", secret),
            ("PROXMOX_TIER", "admin"),
            ("PROXMOX_CONFIRM", confirm),
            ("PROXMOX_STATE_DIR", state.path().to_str().expect("a path")),
            ("PROXMOX_TOKENS", file.to_str().expect("a path")),
        ];
        let servers = (0..2).map(|_| Served::start(&[], &environment)).collect();
        Behind { servers, sandbox, state, tokens, token }
    }

    fn clients(&self) -> [Client; 2] {
        [0, 1].map(|at: usize| self.servers[at].client(Era::Stateless).with_token(&self.token))
    }

    /// What was sent beside GET.
    fn writes(&self) -> usize {
        self.sandbox.requests().iter().filter(|request| request.verb != "GET").count()
    }
}

async fn confirm(client: &Client, tool: &str, arguments: Value, seal: &str) -> Value {
    client.call("confirm_call", json!({"tool": tool, "arguments": arguments, "seal": seal})).await
}

#[tokio::test]
async fn reads_are_answered_by_any_of_them() {
    let behind = Behind::start("ask").await;
    let clients = behind.clients();
    let lists = [clients[0].tools().await, clients[1].tools().await];
    assert_eq!(lists[0], lists[1]);
    for client in &clients {
        assert_ne!(client.call("list_guests", json!({})).await["isError"], true);
    }
    behind.tokens.revoke("alice");
    for client in &clients {
        assert_eq!(client.request("tools/list", json!({})).await.status.as_u16(), 401);
    }
}

#[tokio::test]
async fn an_approval_counts_at_each_of_them_and_once_in_all() {
    let behind = Behind::start("ask").await;
    let clients = behind.clients();
    let asked = clients[0].call("delete_guest", json!({"vmid": 110})).await;
    let (_, rest) = text(&asked).split_once("proxmox-mcp approve ").unwrap_or_else(|| panic!("no code: {asked}"));
    let code = rest.split('`').next().expect("the end of it").to_owned();
    let approvals = Approvals::below(behind.state.path());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let waiting = approvals.find(&code, now).expect("readable").expect("it waits");
    assert!(approvals.approve(&waiting).expect("written"));
    // Both at once, several times, beginning with the one that did not ask.
    let tries = (0..6).map(|at| confirm(&clients[(at + 1) % 2], "delete_guest", json!({"vmid": 110}), &code));
    let results = join_all(tries).await;
    let done = results.iter().filter(|result| result["isError"] != true).count();
    assert_eq!((done, behind.writes()), (1, 1), "{results:?}");
}

#[tokio::test]
async fn an_approval_is_good_for_the_caller_who_asked_alone() {
    let behind = Behind::start("ask").await;
    let [alice, mut bob] = behind.clients();
    bob.token = Some(behind.tokens.made("bob", &["--tier", "admin"]));
    let asked = alice.call("delete_guest", json!({"vmid": 110})).await;
    let (_, rest) = text(&asked).split_once("proxmox-mcp approve ").unwrap_or_else(|| panic!("no code: {asked}"));
    let code = rest.split('`').next().expect("the end of it").to_owned();
    let approvals = Approvals::below(behind.state.path());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let waiting = approvals.find(&code, now).expect("readable").expect("it waits");
    assert!(waiting.title.contains("for the caller `"), "{}", waiting.title);
    approvals.approve(&waiting).expect("written");
    let result = confirm(&bob, "delete_guest", json!({"vmid": 110}), &code).await;
    assert_eq!((&result["isError"], behind.writes()), (&json!(true), 0), "{result}");
}

#[tokio::test]
async fn a_seal_counts_at_the_one_that_gave_it_and_another_says_so() {
    let behind = Behind::start("seal").await;
    let clients = behind.clients();
    let asked = clients[0].call("reboot_guest", json!({"vmid": 100})).await;
    let (_, rest) = text(&asked).split_once("the seal ").unwrap_or_else(|| panic!("no seal: {asked}"));
    let seal = rest.split(". ").next().expect("the end of it").to_owned();
    let elsewhere = confirm(&clients[1], "reboot_guest", json!({"vmid": 100}), &seal).await;
    assert_eq!((&elsewhere["isError"], behind.writes()), (&json!(true), 0), "{elsewhere}");
    let says = text(&elsewhere);
    assert!(says.contains("another server") || says.contains("this server"), "{says}");
    let here = confirm(&clients[0], "reboot_guest", json!({"vmid": 100}), &seal).await;
    assert_ne!(here["isError"], true, "{here}");
    let again = confirm(&clients[0], "reboot_guest", json!({"vmid": 100}), &seal).await;
    assert_eq!((&again["isError"], behind.writes()), (&json!(true), 1), "{again}");
}
