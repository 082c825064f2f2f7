//! Every fault against every kind of call, on the built binary over pipes and over HTTP: what the person who called is
//! told.
//!
//! The table is the expectation, to be read by people: what a call comes to when that fault strikes it. Around each
//! cell the same is checked: no write is sent twice, what is said to have failed did not happen, no value is made up,
//! and once the fault is gone the same call works, in the same process. `--nocapture` prints the table as it was found.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;

mod meanwhile;
#[allow(dead_code)]
#[path = "../http/served.rs"]
mod served;
mod states;
mod way;
#[path = "../common/world.rs"]
mod world;

use common::{Client, Era, text};
use proxmox_sandbox::{Received, Rule};
use serde_json::{Value, json};
use way::Way;
use world::World;

/// What a call comes to.
///
/// - `good`: answered as if nothing had been
/// - `empty`: a list without rows, which is what null means there
/// - `partly`: answered, with a note of what could not be read
/// - `bad`: an error; nothing happened on the cluster
/// - `unknown`: nobody can say whether it happened, or how it ended
/// - `running`: it was started, and its end could not be seen
///
/// read: one object. list: rows. chosen: a write whose id the cluster is asked for, struck at that. also: a second read
/// of the same call. write: answered at once. task: starts something. upload: a file. poll: the task was started, its
/// end is asked for. once: a result that can be read only once.
const TABLE: &str = "
    fault                                            | read    list    chosen  also    | write   task    upload  | poll    once
    status=401:No ticket                             | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=403:Permission check failed (/, Sys.Audit)| bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=400:Parameter verification failed.        | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=500:got timeout                           | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=501:Method not implemented                | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=503:Service Unavailable                   | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=595:No route to host                      | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    status=596:Connection timed out                  | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    status-after=596:Connection timed out            | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    close-before                                     | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    close-after                                      | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    close-on-accept                                  | bad     bad     bad     bad     | bad     bad     bad     | bad     bad
    certificate                                      | bad     bad     bad     bad     | bad     bad     bad     | bad     bad
    hang                                             | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    hang-after                                       | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    trickle=1000                                     | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    truncated                                        | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    too-short                                        | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    html=502                                         | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    html=200                                         | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    content-type=text/html                           | good    good    good    good    | good    good    good    | good    good
    empty                                            | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    redirect                                         | bad     bad     bad     partly  | bad     bad     bad     | running unknown
    not-json                                         | bad     bad     bad     partly  | unknown unknown unknown | running unknown
    null-data                                        | bad     empty   bad     good    | good    good    good    | running running
    wrong-type                                       | bad     bad     bad     partly  | good    unknown unknown | running running
";

/// What the error has to say when a read is struck: the cause, and what to do or where to look.
const SAYS: [(&str, &[&str]); 26] = [
    ("status=401", &["does not accept the API token", "PROXMOX_TOKEN_VALUE"]),
    ("status=403", &["Permission check failed", "privilege"]),
    ("status=400", &["Parameter verification failed", "Request: GET"]),
    ("status=500", &["got timeout", "HTTP 500", "Request: GET"]),
    ("status=501", &["does not have the call", "since version"]),
    ("status=503", &["Service Unavailable", "HTTP 503"]),
    ("status=595", &["could not reach the node"]),
    ("status=596", &["did not answer in time"]),
    ("status-after=596", &["did not answer in time"]),
    ("close-before", &["broke off"]),
    ("close-after", &["broke off"]),
    ("close-on-accept", &["PROXMOX_HOST"]),
    ("certificate", &["PROXMOX_FINGERPRINT", "Compare it on the node itself"]),
    ("hang", &["did not answer", "PROXMOX_TIMEOUT"]),
    ("hang-after", &["did not answer", "PROXMOX_TIMEOUT"]),
    ("trickle", &["did not answer", "PROXMOX_TIMEOUT"]),
    ("truncated", &["cannot be read"]),
    ("too-short", &["broke off"]),
    ("html=502", &["HTML", "proxy"]),
    ("html=200", &["cannot be read", "PROXMOX_HOST"]),
    ("empty", &["cannot be read"]),
    ("redirect", &["redirects to", "PROXMOX_HOST"]),
    ("not-json", &["cannot be read"]),
    ("null-data", &["nothing came|single value"]),
    ("wrong-type", &["cannot be used|cannot be read|single value"]),
    ("content-type", &[]),
];

/// A kind of call: its column, the tool, what it is given, and the request that is struck.
struct Kind {
    column: &'static str,
    tool: &'static str,
    arguments: Value,
    struck: &'static str,
    writes: bool,
}

fn kinds() -> Vec<Kind> {
    let kind = |column, tool, arguments, struck, writes| Kind { column, tool, arguments, struck, writes };
    let upload = json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "a.iso", "content": "aGVsbG8=", "overwrite": true});
    let exec = json!({"vmid": 100, "command": ["uname", "-a"], "wait": 2});
    vec![
        kind("read", "get_node_status", json!({"node": "pve2"}), "GET /nodes/pve2/status", false),
        kind("list", "list_guests", json!({}), "GET /cluster/resources", false),
        kind("chosen", "create_vm", json!({"node": "pve1", "name": "new"}), "GET /cluster/nextid", false),
        kind("also", "get_cluster_status", json!({}), "GET /cluster/resources", false),
        kind(
            "write",
            "update_guest_config",
            json!({"vmid": 200, "config": {"cores": 2}}),
            "PUT /nodes/*/lxc/200/config",
            true,
        ),
        kind("task", "start_guest", json!({"vmid": 102, "wait": 60}), "POST /nodes/*/qemu/102/status/start", true),
        kind("upload", "upload_file", upload, "POST /nodes/*/storage/*/upload", true),
        kind("poll", "start_guest", json!({"vmid": 102, "wait": 2}), "GET /nodes/*/tasks/*/status", false),
        kind("once", "exec_guest", exec, "GET /nodes/*/qemu/*/agent/exec-status", false),
    ]
}

/// Settings as variables.
type Variables = Vec<(String, String)>;

fn pairs(variables: &Variables) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl World {
    /// How the binary reaches this cluster; it waits so long for an answer, in milliseconds.
    fn variables(&self, timeout: &str) -> Variables {
        let (name, secret) = self.sandbox.token().split_once('=').expect("a secret");
        let pin: String = self.sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let variables = [
            ("PROXMOX_HOST", self.sandbox.address().to_string()),
            ("PROXMOX_TOKEN_NAME", name.to_owned()),
            ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
            ("PROXMOX_FINGERPRINT", pin),
            ("PROXMOX_TIER", "admin".to_owned()),
            ("PROXMOX_RETRY_DELAY", "0".to_owned()),
            ("PROXMOX_TIMEOUT", timeout.to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The binary over pipes, connected to this cluster.
    fn client(&self, era: Era, timeout: &str) -> Client {
        self.client_with(era, timeout, &[])
    }

    /// As [`World::client`], with further variables.
    fn client_with(&self, era: Era, timeout: &str, more: &[(&str, &str)]) -> Client {
        let own = self.variables(timeout);
        let variables: Vec<(&str, &str)> = pairs(&own).into_iter().chain(more.iter().copied()).collect();
        let mut client = Client::start(era, &[], &variables);
        client.open();
        client
    }

    /// As [`World::client`], by any way.
    fn by(&self, way: Way, timeout: &str) -> way::Client {
        way::Client::start(way, &pairs(&self.variables(timeout)))
    }

    /// What changes something, as it came in.
    fn writes(&self) -> Vec<Received> {
        self.sandbox.requests().into_iter().filter(|one| one.verb != "GET").collect()
    }
}

/// What came of a call, in the words of the table.
fn found(result: &Value) -> String {
    let content = &result["structuredContent"];
    let error = result["isError"] == true;
    match (content["outcome"].as_str(), error) {
        (Some("ok") | None, false) if content["total"] == 0 => "empty".to_owned(),
        (None, false) if content["notes"].to_string().contains("could not be read") => "partly".to_owned(),
        (Some("ok") | None, false) => "good".to_owned(),
        (Some(outcome @ ("unknown" | "failed")), true) => outcome.to_owned(),
        (Some(outcome), false) => outcome.to_owned(),
        (None, true) if content.is_null() => "bad".to_owned(),
        _ => format!("odd: {result}"),
    }
}

/// One cell: the fault is on, the call is made, the fault is off, the call is made again.
fn cell(world: &World, way: Way, fault: &str, kind: &Kind) -> (String, Vec<String>) {
    let mut client = world.by(way, "3000");
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(format!("{fault} × {}: {what}", kind.column));
        }
    };
    // A connection that stands already would not meet what strikes connections; the client has none yet.
    let rule: Rule = match fault {
        "certificate" | "close-on-accept" => fault.parse().expect("a rule"),
        _ => format!("{fault}@{}", kind.struck).parse().expect("a rule"),
    };
    world.sandbox.forget_requests();
    world.sandbox.set_faults(vec![rule]);
    let result = client.call(kind.tool, kind.arguments.clone());
    let seen = world.writes();
    let came = found(&result);
    let said = text(&result).to_owned();

    check(seen.len() <= 1, format!("sent more than once: {seen:?}"));
    if came == "bad" {
        check(!seen.iter().any(|one| one.handled), format!("it happened, and was said to have failed: {said}"));
        let words = SAYS.iter().find(|(name, _)| fault.starts_with(name) && (*name != "hang" || fault == "hang"));
        for word in words.map(|(_, words)| *words).unwrap_or_default() {
            let own = !kind.writes || !["Request: GET", "did not answer"].contains(word);
            check(!own || word.split('|').any(|word| said.contains(word)), format!("`{word}` is missing: {said}"));
        }
    }
    if came == "unknown" {
        check(said.contains("before you") && said.contains("not known"), format!("no next step: {said}"));
    }
    if came == "running" {
        let notes = result["structuredContent"]["notes"].to_string();
        check(notes.contains("Call "), format!("nothing to follow it with: {notes}"));
    }
    check(!said.contains("broke off inside"), said.clone());
    check(client.knock().get("result").is_some(), "no answer to a ping".to_owned());

    world.sandbox.clear_faults();
    // What the fault let happen is undone, so that the same call can be made again.
    if kind.tool == "start_guest" {
        let _ = client.call("stop_guest", json!({"vmid": 102, "wait": 60}));
    }
    let again = client.call(kind.tool, kind.arguments.clone());
    check(found(&again) == "good", format!("no recovery: {again}"));
    if kind.tool == "start_guest" {
        let _ = client.call("stop_guest", json!({"vmid": 102, "wait": 60}));
    }
    let ended = client.end();
    check(ended.status.success() && !ended.log.contains("panicked"), ended.log);
    (came, wrong)
}

/// The rows of the table: a fault, and what is expected in each column.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = TABLE.lines().filter(|line| line.contains('|')).skip(1);
    let row = |line: &'static str| {
        let (fault, cells) = line.split_once('|').expect("cells");
        (fault.trim(), cells.split_whitespace().filter(|cell| *cell != "|").collect())
    };
    rows.map(row).collect()
}

#[test]
fn every_fault_comes_to_what_the_table_says() {
    // One era or the other: they differ in how a call comes in, not in what becomes of it.
    matrix(|column| vec![Way::Pipes(Era::BOTH[column % 2])]);
}

#[test]
fn over_http_every_fault_comes_to_the_same_in_either_era() {
    matrix(|_| Era::BOTH.map(Way::Http).to_vec());
}

/// Runs the whole table; each column by the ways given for its number.
fn matrix(ways: impl Fn(usize) -> Vec<Way>) {
    let rows = rows();
    let kinds = kinds();
    let header: Vec<&str> =
        TABLE.lines().find(|line| line.contains('|')).expect("a header").split_whitespace().collect();
    assert!(kinds.iter().all(|kind| header.contains(&kind.column)) && rows.len() > 20);
    let columns: Vec<(usize, &Kind, Way)> = kinds
        .iter()
        .enumerate()
        .flat_map(|(number, kind)| ways(number).into_iter().map(move |way| (number, kind, way)))
        .collect();
    // Each column has a cluster of its own, so they can go wrong side by side.
    let column = |&(_, kind, way): &(usize, &Kind, Way)| {
        let world = World::start();
        rows.iter().map(|(fault, _)| cell(&world, way, fault, kind)).collect::<Vec<_>>()
    };
    let found: Vec<Vec<(String, Vec<String>)>> = std::thread::scope(|scope| {
        let running: Vec<_> = columns.iter().map(|one| scope.spawn(|| column(one))).collect();
        running.into_iter().map(|one| one.join().expect("a column")).collect()
    });
    let mut wrong: Vec<String> = Vec::new();
    for (line, (fault, expected)) in rows.iter().enumerate() {
        println!("{fault:50}| {}", found.iter().map(|column| format!("{:8}", column[line].0)).collect::<String>());
        for ((number, kind, way), column) in columns.iter().zip(&found) {
            let (came, more) = &column[line];
            if came != expected[*number] {
                wrong.push(format!("{fault} × {} by {way:?}: {came}, not {}", kind.column, expected[*number]));
            }
            wrong.extend(more.iter().map(|one| format!("{way:?}: {one}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
