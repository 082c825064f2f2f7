//! Several clusters and callers who may reach some of them: what a token leaves out is not listed, not reached and not
//! spoken of.

use crate::common::{Era, text};
use crate::served::{Client, Served};
use crate::tokens::Tokens;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Two clusters of different tiers and fences behind one server: `amber` is the caller's, `cobalt` somebody else's.
struct Two {
    amber: Sandbox,
    cobalt: Sandbox,
    tokens: Tokens,
    server: Served,
    _folder: tempfile::TempDir,
}

/// What gives the other cluster away, beside its name.
const COBALT: &str = "the one by the sea";

fn private(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
}

/// The table of this cluster; its secret goes into a file of its own.
fn table(sandbox: &Sandbox, folder: &Path, name: &str) -> String {
    let (id, secret) = sandbox.token().split_once('=').expect("a token");
    private(&folder.join(format!("{name}.secret")), secret);
    let pin: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let address = sandbox.address();
    format!(
        "[clusters.{name}]\nhost = \"{address}\"\ntoken_name = \"{id}\"\ntoken_value_file = \"{name}.secret\"\n\
         fingerprint = \"{pin}\"\n"
    )
}

impl Two {
    async fn start() -> Two {
        let sandbox = async || Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await;
        let (amber, cobalt) = (sandbox().await.expect("loopback"), sandbox().await.expect("loopback"));
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (table(&amber, folder.path(), "amber"), table(&cobalt, folder.path(), "cobalt"));
        let config = folder.path().join("config.toml");
        let text = format!(
            "default_cluster = \"cobalt\"\n{first}tier = \"operate\"\n{second}tier = \"admin\"\n\
             deny_guests = [\"110\"]\ndescription = \"{COBALT}\"\n"
        );
        private(&config, &text);
        let tokens = Tokens::new();
        let file = tokens.path();
        let arguments = ["--config", config.to_str().expect("a path"), "--tokens", file.to_str().expect("a path")];
        // Before the first token: the file that was asked for guards all the same.
        let server = Served::start(&arguments, &[]);
        Two { amber, cobalt, tokens, server, _folder: folder }
    }

    async fn client(&self, era: Era, name: &str, limits: &[&str]) -> Client {
        let token = self.tokens.made(&format!("{name}-{}", era.version()), limits);
        let mut client = self.server.client(era).with_token(&token);
        client.open().await;
        client
    }

    /// What was sent to the clusters beside GET.
    fn writes(&self) -> [usize; 2] {
        let writes = |sandbox: &Sandbox| sandbox.requests().iter().filter(|request| request.verb != "GET").count();
        [writes(&self.amber), writes(&self.cobalt)]
    }
}

async fn listed(client: &Client, method: &str, key: &str) -> Vec<Value> {
    let reply = client.request(method, json!({})).await;
    reply.answer()["result"][key].as_array().unwrap_or_else(|| panic!("{reply:?}")).clone()
}

/// The refusal of a tool.
async fn refused(client: &Client, tool: &str, arguments: Value) -> String {
    let result = client.call(tool, arguments).await;
    assert_eq!(result["isError"], true, "{tool}: {result}");
    text(&result).to_owned()
}

#[tokio::test]
async fn a_token_for_one_cluster_hears_nothing_of_the_other() {
    let two = Two::start().await;
    for era in Era::BOTH {
        let mut client = two.client(era, "one", &["--clusters", "Amber", "--tier", "admin"]).await;
        let port = two.cobalt.address().port().to_string();
        let tells = |said: &str| [COBALT, &format!(":{port}")].iter().any(|part| said.contains(part));
        let silent = |said: &str| assert!(!said.contains("cobalt") && !tells(said), "{era:?}: {said}");
        two.cobalt.forget_requests();
        client.session = None;
        silent(&client.open().await.body);
        for (method, key) in [
            ("tools/list", "tools"),
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
            ("prompts/list", "prompts"),
        ] {
            let rows = listed(&client, method, key).await;
            assert!(!rows.is_empty(), "{method}");
            silent(&Value::Array(rows).to_string());
        }
        // With one cluster there is nothing to choose, and its tier holds.
        let tools = listed(&client, "tools/list", "tools").await;
        assert!(tools.iter().all(|tool| tool["inputSchema"]["properties"].get("cluster").is_none()));
        assert!(tools.iter().all(|tool| tool["name"] != "delete_guest"), "amber is at the tier operate");
        let templates = listed(&client, "resources/templates/list", "resourceTemplates").await;
        assert!(templates.iter().any(|one| one["uriTemplate"] == "proxmox://node/{node}"), "{templates:?}");
        let got = client.request("prompts/get", json!({"name": "capacity", "arguments": {}})).await;
        assert!(got.answer()["result"]["messages"].is_array(), "{got:?}");
        silent(&got.body);
        for (tool, arguments) in [
            ("get_cluster_status", json!({})),
            ("plan_call", json!({"tool": "start_guest", "arguments": {"vmid": 101}})),
            ("call_api", json!({"method": "GET", "path": "/nodes"})),
            ("search_api", json!({"query": "cluster status"})),
        ] {
            let result = client.call(tool, arguments).await;
            assert_ne!(result["isError"], true, "{tool}: {result}");
            silent(&result.to_string());
        }
        assert_ne!(client.call("list_guests", json!({"cluster": "amber"})).await["isError"], true);
        // Whoever guesses the name is told what any other name would be told.
        for (tool, arguments) in [
            ("get_cluster_status", json!({})),
            ("start_guest", json!({"vmid": 101})),
            ("plan_call", json!({"tool": "start_guest", "arguments": {"vmid": 101}})),
            ("call_api", json!({"method": "GET", "path": "/nodes"})),
            ("call_api", json!({"method": "POST", "path": "/nodes/pve1/qemu/101/status/start"})),
        ] {
            for name in ["cobalt", "COBALT", "nowhere"] {
                let mut arguments = arguments.clone();
                arguments["cluster"] = json!(name);
                let says = refused(&client, tool, arguments).await;
                assert_eq!(says, format!("there is no cluster `{name}`: give one of amber. Nothing was sent."));
            }
        }
        let inside = json!({"tool": "start_guest", "arguments": {"vmid": 101, "cluster": "cobalt"}});
        assert!(!tells(&refused(&client, "plan_call", inside).await));
        for (method, params) in [
            ("resources/read", json!({"uri": "proxmox://cobalt/cluster"})),
            ("resources/read", json!({"uri": "proxmox://cobalt/node/pve1"})),
            ("prompts/get", json!({"name": "capacity", "arguments": {"cluster": "cobalt"}})),
        ] {
            let reply = client.request(method, params).await;
            let answer = reply.answer();
            assert!(answer["error"]["message"].is_string() && !tells(&reply.body), "{method}: {answer}");
        }
        let complete = async |reference: Value, argument: &str, context: Value| {
            let params = json!({
                "ref": reference,
                "argument": {"name": argument, "value": ""},
                "context": {"arguments": context},
            });
            client.request("completion/complete", params).await
        };
        let node = json!({"type": "ref/resource", "uri": "proxmox://node/{node}"});
        let reply = complete(node, "node", json!({})).await;
        assert!(reply.body.contains("pve1"), "{reply:?}");
        for (reference, argument, context) in [
            (json!({"type": "ref/resource", "uri": "proxmox://{cluster}/node/{node}"}), "cluster", json!({})),
            (json!({"type": "ref/prompt", "name": "capacity"}), "cluster", json!({})),
        ] {
            let reply = complete(reference, argument, context).await;
            assert!(reply.answer()["error"]["message"].is_string(), "{reply:?}");
            silent(&reply.body);
        }
        assert!(two.cobalt.requests().is_empty(), "{:?}", two.cobalt.requests());
    }
    assert_eq!(two.writes(), [0, 0]);
}

#[tokio::test]
async fn a_token_for_both_has_on_each_what_token_and_cluster_allow() {
    let two = Two::start().await;
    for era in Era::BOTH {
        let client = two.client(era, "both", &["--tier", "admin", "--deny-guests", "100"]).await;
        let tools = listed(&client, "tools/list", "tools").await;
        let clusters = |name: &str| {
            let tool = tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no {name}"));
            tool["inputSchema"]["properties"]["cluster"]["enum"].clone()
        };
        assert_eq!(clusters("get_cluster_status"), json!(["amber", "cobalt"]));
        assert_eq!(clusters("start_guest"), json!(["amber", "cobalt"]));
        assert_eq!(clusters("delete_guest"), json!(["cobalt"]));
        let says = refused(&client, "delete_guest", json!({"cluster": "amber", "vmid": 200})).await;
        assert!(says.contains("tier") && says.contains("on offer on: cobalt."), "{says}");
        // The token's fence on either, the cluster's own on its own.
        for (cluster, vmid) in [("amber", 100), ("cobalt", 100), ("cobalt", 110)] {
            let says = refused(&client, "reboot_guest", json!({"cluster": cluster, "vmid": vmid})).await;
            assert!(says.contains(&vmid.to_string()), "{cluster}: {says}");
        }
        // Whoever names none means the default.
        two.amber.forget_requests();
        let answer = client.call("get_cluster_status", json!({})).await;
        assert_eq!(answer["structuredContent"]["cluster"], "cobalt", "{answer}");
        assert!(two.amber.requests().is_empty());
    }
    assert_eq!(two.writes(), [0, 0]);
    let client = two.client(Era::Stateless, "works", &["--tier", "operate"]).await;
    for cluster in ["amber", "cobalt"] {
        let done = client.call("start_guest", json!({"cluster": cluster, "vmid": 102, "wait": 60})).await;
        assert_ne!(done["isError"], true, "{done}");
    }
    assert_eq!(two.writes(), [1, 1]);
}

#[tokio::test]
async fn a_token_below_its_clusters_tier_and_inside_a_fence_stays_there() {
    let two = Two::start().await;
    let fence = ["--clusters", "cobalt", "--tier", "operate", "--allow-guests", "100-102"];
    for era in Era::BOTH {
        let fenced = two.client(era, "fenced", &fence).await;
        let reader = two.client(era, "reader", &["--clusters", "cobalt,nowhere"]).await;
        let names = fenced.tools().await;
        assert!(names.contains(&"start_guest".to_owned()) && !names.contains(&"delete_guest".to_owned()));
        assert!(!reader.tools().await.contains(&"start_guest".to_owned()));
        for (client, tool, arguments, says) in [
            (&fenced, "reboot_guest", json!({"vmid": 200}), "200"),
            (&fenced, "delete_guest", json!({"vmid": 102}), "tier"),
            (&fenced, "call_api", json!({"method": "POST", "path": "/nodes/pve1/qemu/110/status/reboot"}), "110"),
            (&fenced, "call_api", json!({"method": "DELETE", "path": "/nodes/pve1/qemu/102"}), "tier"),
            (&fenced, "reboot_guest", json!({"vmid": 102, "cluster": "amber"}), "give one of cobalt."),
            (&reader, "reboot_guest", json!({"vmid": 102}), "tier"),
            (&reader, "call_api", json!({"method": "POST", "path": "/nodes/pve1/qemu/102/status/reboot"}), "tier"),
        ] {
            let told = refused(client, tool, arguments).await;
            assert!(told.contains(says) && !told.to_lowercase().contains("on offer on: amber"), "{tool}: {told}");
        }
        let plan = json!({"tool": "reboot_guest", "arguments": {"vmid": 200}});
        let outside = fenced.call("plan_call", plan.clone()).await;
        assert!(outside["isError"] == true && text(&outside).contains("200"), "{outside}");
        let below = reader.call("plan_call", json!({"tool": "reboot_guest", "arguments": {"vmid": 102}})).await;
        assert!(below.to_string().contains("tier"), "{below}");
    }
    assert_eq!(two.writes(), [0, 0]);
    let client = two.client(Era::Stateless, "inside", &fence).await;
    let done = client.call("start_guest", json!({"vmid": 102, "wait": 60})).await;
    assert_ne!(done["isError"], true, "{done}");
    assert_eq!(two.writes(), [0, 1]);
}
