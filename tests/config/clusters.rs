//! Two clusters behind one server: which one a call reaches, what is listed, and that neither waits for the other.

use crate::common::{Client, Era, run, text};
use crate::world::World;
use proxmox_mcp::audit::verify;
use serde_json::{Value, json};
use std::fs;
use std::io::BufReader;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{TempDir, tempdir};

/// Two clusters and the config file that names them `home` and `lab`.
pub struct Two {
    pub home: World,
    pub lab: World,
    folder: TempDir,
}

/// The settings that reach this sandbox; its secret goes into a file of its own.
fn reach(world: &World, folder: &Path, name: &str) -> String {
    let sandbox = &world.sandbox;
    let (id, secret) = sandbox.token().split_once('=').expect("a token");
    let file = folder.join(format!("{name}.secret"));
    private(&file, secret);
    let pin: String = sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "[clusters.{name}]\nhost = \"{}\"\ntoken_name = \"{id}\"\ntoken_value_file = \"{name}.secret\"\nfingerprint = \"{pin}\"\n",
        sandbox.address()
    )
}

/// Writes a file that nobody else may read.
fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
}

impl Two {
    /// `top`, and what each table has besides.
    pub fn new(top: &str, home: &str, lab: &str) -> Two {
        let two = Two { home: World::start(), lab: World::start(), folder: tempdir().expect("a folder") };
        let at = two.folder.path();
        let (first, second) = (reach(&two.home, at, "home"), reach(&two.lab, at, "lab"));
        private(&two.file(), &format!("{top}\n{first}{home}\n{second}{lab}\n"));
        two
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub fn client(&self, era: Era) -> Client {
        let mut client = Client::start(era, &["--config", self.file().to_str().expect("text")], &[]);
        client.open();
        client
    }

    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let file = self.file();
        let mut all = vec!["--config", file.to_str().expect("text")];
        all.extend_from_slice(arguments);
        let output = run(&all, &[]);
        let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), utf8(&output.stdout), utf8(&output.stderr))
    }
}

fn tools(client: &mut Client) -> Vec<Value> {
    client.request("tools/list", json!({}))["result"]["tools"].as_array().expect("tools").clone()
}

fn tool<'t>(tools: &'t [Value], name: &str) -> &'t Value {
    tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("{name} is not listed"))
}

/// A tool that only looks, and how a call of it reaches a cluster.
const LOOK: &str = "get_cluster_status";

#[test]
fn every_tool_takes_the_cluster_and_every_answer_says_it() {
    let two = Two::new("", "description = \"the house\"", "");
    for era in Era::BOTH {
        let mut client = two.client(era);
        for tool in tools(&mut client) {
            let (input, name) = (&tool["inputSchema"], &tool["name"]);
            assert_eq!(input["properties"]["cluster"]["enum"], json!(["home", "lab"]), "{name}");
            let says = input["properties"]["cluster"]["description"].as_str().unwrap_or_default();
            assert_eq!(says, "Which cluster: home (the house, read), lab (read).", "{name}");
            assert!(input["required"].as_array().is_some_and(|all| all.contains(&json!("cluster"))), "{name}");
            let output = &tool["outputSchema"];
            assert_eq!(output["properties"]["cluster"], json!({"type": "string"}), "{name}");
        }
        two.home.sandbox.forget_requests();
        let answer = client.call(LOOK, json!({"cluster": "LAB"}));
        assert_eq!(answer["structuredContent"]["cluster"], "lab", "{answer}");
        assert!(two.home.sandbox.requests().is_empty());
        assert!(!two.lab.sandbox.requests().is_empty());
    }
}

#[test]
fn with_one_cluster_nothing_is_to_be_chosen() {
    let two = Two::new("", "", "");
    let file = two.file();
    let mut client =
        Client::start(Era::Handshake, &["--config", file.to_str().expect("text"), "--cluster", "lab"], &[]);
    client.open();
    let tools = tools(&mut client);
    assert!(tools.iter().all(|tool| tool["inputSchema"]["properties"].get("cluster").is_none()));
    let answer = client.call(LOOK, json!({}));
    assert!(answer["structuredContent"].get("cluster").is_none(), "{answer}");
    // Who says it all the same says the right one.
    assert_ne!(client.call(LOOK, json!({"cluster": "lab"}))["isError"], true);
    assert_eq!(client.call(LOOK, json!({"cluster": "home"}))["isError"], true);
}

#[test]
fn a_call_that_names_no_cluster_goes_to_the_default_or_nowhere() {
    let two = Two::new("", "", "");
    let mut client = two.client(Era::Stateless);
    for (arguments, part) in [
        (json!({}), "`cluster` is missing: give one of home, lab"),
        (json!({"cluster": "hoem"}), "Did you mean `home`?"),
        (json!({"cluster": 7}), "there is no cluster `7`"),
    ] {
        let answer = client.call(LOOK, arguments);
        assert_eq!(answer["isError"], true);
        assert!(text(&answer).contains(part), "{answer}");
    }
    let two = Two::new("default_cluster = \"lab\"", "", "");
    let mut client = two.client(Era::Stateless);
    let tools = tools(&mut client);
    let schema = &tool(&tools, LOOK)["inputSchema"];
    assert!(
        schema["properties"]["cluster"]["description"].as_str().is_some_and(|says| says.ends_with("Left out: lab."))
    );
    assert!(!schema["required"].as_array().is_some_and(|all| all.contains(&json!("cluster"))), "{schema}");
    assert_eq!(client.call(LOOK, json!({}))["structuredContent"]["cluster"], "lab");
}

#[test]
fn what_one_cluster_offers_is_listed_and_the_others_refuse_it_by_name() {
    let two = Two::new("", "tier = \"read\"", "tier = \"operate\"");
    let mut client = two.client(Era::Handshake);
    let tools = tools(&mut client);
    let start = tool(&tools, "start_guest");
    assert_eq!(start["inputSchema"]["properties"]["cluster"]["enum"], json!(["lab"]));
    assert_eq!(start["annotations"]["readOnlyHint"], false);
    assert_eq!(tool(&tools, LOOK)["annotations"]["readOnlyHint"], true);
    let answer = client.call("start_guest", json!({"cluster": "home", "vmid": 102}));
    assert_eq!(answer["isError"], true);
    for part in
        ["needs the tier `operate`", "Cluster `home`: its limits are its own", "`start_guest` is on offer on: lab."]
    {
        assert!(text(&answer).contains(part), "`{part}` is missing in {answer}");
    }
    assert!(two.home.sandbox.requests().iter().all(|request| request.verb == "GET"));
    let answer = client.call("start_guest", json!({"cluster": "lab", "vmid": 102, "wait": 60}));
    assert_ne!(answer["isError"], true, "{answer}");
    assert_eq!(answer["structuredContent"]["cluster"], "lab");
}

#[test]
fn a_call_about_a_call_names_the_cluster_once() {
    let two = Two::new("tier = \"operate\"\nconfirm = \"seal\"", "", "");
    let mut client = two.client(Era::Stateless);
    let plan = |client: &mut Client, arguments: Value| client.call("plan_call", arguments);
    let outside = json!({"cluster": "lab", "tool": "start_guest", "arguments": {"vmid": 102}});
    let answer = plan(&mut client, outside);
    assert_eq!(answer["structuredContent"]["cluster"], "lab", "{answer}");
    let origin = format!("https://{}", two.lab.sandbox.address());
    assert!(answer["structuredContent"]["curl"].as_str().is_some_and(|curl| curl.contains(&origin)), "{answer}");
    let inside = json!({"cluster": "lab", "tool": "start_guest", "arguments": {"vmid": 102, "cluster": "lab"}});
    let answer = plan(&mut client, inside);
    assert_eq!(answer["isError"], true);
    assert!(text(&answer).contains("stands beside `tool`"), "{answer}");
}

#[test]
fn resources_stand_below_their_cluster() {
    let two = Two::new("", "", "");
    let mut client = two.client(Era::Handshake);
    let list = client.request("resources/list", json!({}))["result"]["resources"].clone();
    let uris: Vec<&str> = list.as_array().expect("rows").iter().filter_map(|row| row["uri"].as_str()).collect();
    for uri in ["proxmox://home/cluster", "proxmox://lab/cluster"] {
        assert!(uris.contains(&uri), "{uris:?}");
    }
    let list = client.request("resources/templates/list", json!({}))["result"]["resourceTemplates"].clone();
    let all: Vec<&str> = list.as_array().expect("rows").iter().filter_map(|row| row["uriTemplate"].as_str()).collect();
    assert!(all.contains(&"proxmox://{cluster}/node/{node}"), "{all:?}");
    assert!(all.iter().all(|uri| uri.starts_with("proxmox://{cluster}/")), "{all:?}");
    two.home.sandbox.forget_requests();
    let read = client.request("resources/read", json!({"uri": "proxmox://lab/node/pve1"}));
    let content = read["result"]["contents"][0]["text"].as_str().expect("text");
    assert!(content.contains("\"cluster\":\"lab\""), "{content}");
    assert!(two.home.sandbox.requests().is_empty());
    for uri in ["proxmox://node/pve1", "proxmox://cluster", "proxmox://nowhere/cluster"] {
        let error = client.request("resources/read", json!({ "uri": uri }))["error"]["message"].clone();
        assert!(error.as_str().is_some_and(|text| text.contains("one of the clusters home, lab")), "{error}");
    }
}

#[test]
fn prompts_and_completion_know_the_cluster() {
    let two = Two::new("tier = \"admin\"", "", "");
    let mut client = two.client(Era::Stateless);
    let list = client.request("prompts/list", json!({}))["result"]["prompts"].clone();
    for prompt in list.as_array().expect("rows") {
        assert_eq!(prompt["arguments"][0]["name"], "cluster", "{prompt}");
        assert_eq!(prompt["arguments"][0]["required"], true, "{prompt}");
    }
    let written = client
        .request("prompts/get", json!({"name": "why_is_guest_slow", "arguments": {"guest": "100", "cluster": "lab"}}));
    let words = written["result"]["messages"][0]["content"]["text"].as_str().expect("text");
    assert!(words.contains("{\"vmid\":100,\"cluster\":\"lab\"}"), "{words}");
    let missing = client.request("prompts/get", json!({"name": "why_is_guest_slow", "arguments": {"guest": "100"}}));
    assert!(
        missing["error"]["message"].as_str().is_some_and(|text| text.contains("`cluster` is missing")),
        "{missing}"
    );
    let mut complete = |reference: Value, argument: &str, context: Value| {
        let params =
            json!({"ref": reference, "argument": {"name": argument, "value": ""}, "context": {"arguments": context}});
        client.request("completion/complete", params)["result"]["completion"]["values"].clone()
    };
    let template = json!({"type": "ref/resource", "uri": "proxmox://{cluster}/node/{node}"});
    assert_eq!(complete(template.clone(), "cluster", json!({})), json!(["home", "lab"]));
    assert_eq!(complete(template.clone(), "node", json!({})), json!([]), "nobody knows of which");
    assert!(complete(template, "node", json!({"cluster": "home"})).to_string().contains("pve1"));
    let prompt = json!({"type": "ref/prompt", "name": "deploy_vm"});
    assert_eq!(complete(prompt, "cluster", json!({})), json!(["home", "lab"]));
}

#[test]
fn the_instructions_tell_what_each_cluster_is() {
    let home = "description = \"the house\"\ntier = \"operate\"\nallow_guests = [\"100-199\"]";
    let two = Two::new("default_cluster = \"home\"\nconfirm = \"ask\"", home, "tier = \"admin\"");
    let mut client =
        Client::start(Era::Handshake, &["--config", two.file().to_str().expect("text")], &[("PROXMOX_CONFIRM", "")]);
    let hello = client.open();
    let words = hello["instructions"].as_str().expect("instructions");
    for part in [
        "home (the default, the house, tier operate, --allow-guests 100-199)",
        "lab (tier admin)",
        "the argument cluster",
    ] {
        assert!(words.contains(part), "`{part}` is missing in {words}");
    }
    assert!(!words.contains("Tier "), "a sentence about one tier is not true of both: {words}");
    let tokens = tiktoken_rs::o200k_base_singleton().count_ordinary(words);
    assert!(tokens < 300, "{tokens} tokens: {words}");
}

#[test]
fn a_cluster_that_hangs_keeps_nobody_waiting() {
    let two = Two::new("default_cluster = \"home\"", "", "");
    // Takes connections, and says nothing on them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (folder, address) = (two.folder.path(), silent.local_addr().expect("bound"));
    let text = fs::read_to_string(two.file())
        .expect("there")
        .replace(&two.lab.sandbox.address().to_string(), &address.to_string());
    let file = folder.join("silent.toml");
    private(&file, &format!("timeout = 3600000\n{text}"));
    for era in Era::BOTH {
        let mut client = Client::start(era, &["--config", file.to_str().expect("text")], &[]);
        client.open();
        let hanging = client.send("tools/call", json!({"name": LOOK, "arguments": {"cluster": "lab"}}));
        let (stream, _) = silent.accept().expect("the call is under way");
        assert_eq!(client.call(LOOK, json!({"cluster": "home"}))["structuredContent"]["cluster"], "home");
        assert!(!tools(&mut client).is_empty());
        let params = json!({
            "ref": {"type": "ref/resource", "uri": "proxmox://{cluster}/node/{node}"},
            "argument": {"name": "node", "value": ""},
        });
        let completed = client.request("completion/complete", params);
        assert!(completed.to_string().contains("pve1"), "{completed}");
        assert!(!client.is_answered(hanging));
        drop(stream);
    }
}

#[test]
fn a_secret_that_is_not_there_hinders_no_other_cluster() {
    let two = Two::new("", "", "");
    fs::remove_file(two.folder.path().join("lab.secret")).expect("there");
    let mut client = two.client(Era::Handshake);
    let answer = client.call(LOOK, json!({"cluster": "lab"}));
    assert_eq!(answer["isError"], true);
    // Where it was set: nothing is in the environment.
    let line = fs::read_to_string(two.file()).expect("text").lines().position(|line| line.contains("lab.secret"));
    let place = format!("config.toml, line {}, [clusters.lab]: `token_value_file`", line.expect("there") + 1);
    for part in ["Cluster `lab`", "lab.secret", &place] {
        assert!(text(&answer).contains(part), "`{part}` is missing in {answer}");
    }
    assert!(!text(&answer).contains("PROXMOX_TOKEN_VALUE_FILE"), "{answer}");
    assert_ne!(client.call(LOOK, json!({"cluster": "home"}))["isError"], true);
}

#[test]
fn a_command_that_hangs_before_it_gives_a_secret_hinders_no_other_cluster() {
    let two = Two::new("", "", "");
    let (_, secret) = two.lab.sandbox.token().split_once('=').expect("a token");
    // Whoever reads from it waits until somebody writes.
    let pipe = two.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let command = format!("token_value_command = [\"/bin/cat\", \"{}\"]", pipe.display());
    let text = fs::read_to_string(two.file()).expect("there");
    private(&two.file(), &text.replace("token_value_file = \"lab.secret\"", &command));
    for era in Era::BOTH {
        let mut client = two.client(era);
        let hanging = client.send("tools/call", json!({"name": LOOK, "arguments": {"cluster": "lab"}}));
        for _ in 0..3 {
            assert_eq!(client.call(LOOK, json!({"cluster": "home"}))["structuredContent"]["cluster"], "home");
            assert!(!tools(&mut client).is_empty());
        }
        assert!(!client.is_answered(hanging));
        // Opens when it is read from: the command runs by now.
        fs::write(&pipe, format!("{secret}\n")).expect("read");
        let answer = client.answer(hanging);
        assert_eq!(answer["result"]["structuredContent"]["cluster"], "lab", "{answer}");
    }
}

#[test]
fn one_audit_log_tells_of_both() {
    let two = Two::new("tier = \"operate\"\naudit = \"audit.jsonl\"", "", "deny = [\"stop_guest\"]");
    let mut client = two.client(Era::Handshake);
    for cluster in ["home", "lab", "home"] {
        let answer = client.call("start_guest", json!({"cluster": cluster, "vmid": 102, "wait": 60}));
        assert!(answer["content"].is_array(), "{answer}");
    }
    client.call("stop_guest", json!({"cluster": "lab", "vmid": 102}));
    client.end();
    let log = two.folder.path().join("audit.jsonl");
    let report = verify(BufReader::new(fs::File::open(&log).expect("there"))).expect("read").expect("it holds");
    assert_eq!((report.starts, report.refusals, report.open.len()), (2, 1, 0), "{report:?}");
    let lines: Vec<Value> = fs::read_to_string(&log)
        .expect("there")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |kind: &str, field: &str| -> Vec<String> {
        let lines = lines.iter().filter(|line| line["kind"] == kind);
        lines.map(|line| line[field].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(of("start", "name"), ["home", "lab"]);
    assert!(of("intent", "cluster").starts_with(&["home".to_owned(), "lab".to_owned()]), "{lines:?}");
    assert_eq!(of("refused", "cluster"), ["lab"]);
}

#[test]
fn by_hand_a_cluster_is_named_as_an_argument_or_by_the_flag() {
    let two = Two::new("", "", "");
    let (code, output, error) = two.run(&["call", LOOK, "cluster=lab", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(output.contains("\"cluster\": \"lab\""), "{output}");
    let (code, _, error) = two.run(&["--cluster", "home", "call", LOOK]);
    assert_eq!(code, Some(0), "{error}");
    let (code, _, error) = two.run(&["call", LOOK]);
    assert_eq!(code, Some(2));
    assert!(error.contains("give one of home, lab"), "{error}");
    let (code, output, _) = two.run(&["tools", "start_guest"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("Cluster home") && output.contains("Cluster lab"), "{output}");
    let (_, output, _) = two.run(&["tools", "--json"]);
    let all: Value = serde_json::from_str(&output).expect("JSON");
    assert!(all["clusters"]["lab"].is_array(), "{output}");
}

#[test]
fn what_waits_for_a_person_says_which_cluster_it_is_about() {
    let two = Two::new("tier = \"admin\"\nconfirm = \"ask\"\nstate_dir = \"state\"", "", "");
    let file = two.file();
    let mut client =
        Client::start(Era::Handshake, &["--config", file.to_str().expect("text")], &[("PROXMOX_CONFIRM", "")]);
    client.open();
    let answer = client.call("delete_guest", json!({"cluster": "lab", "vmid": 110}));
    assert_eq!(answer["isError"], true);
    let (_, waiting, error) = {
        let output = run(&["--config", file.to_str().expect("text"), "approve"], &[("PROXMOX_CONFIRM", "")]);
        (
            output.status,
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert!(waiting.contains("`delete_guest` on `lab`"), "{waiting} {error} {answer}");
}
