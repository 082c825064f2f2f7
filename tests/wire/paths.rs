//! What a caller or a server writes never makes a path mean something else: the raw request target is compared.

use super::*;
use std::fmt::Write;

/// Spellings that must be refused in any place.
const REFUSED: [&str; 20] = [
    "",
    ".",
    "..",
    "../..",
    "../../access/users",
    "../access/users?x=",
    "../access/users#",
    "pve1/../../access/users?",
    "%2e%2e",
    "%2E%2E",
    "%252e%252e",
    "..%2faccess%2fusers",
    "a%2fb",
    "a%252Fb",
    "a\u{0}b",
    "a\r\nHost: evil",
    "a\u{1b}b",
    "%00",
    "%0d%0a",
    "\u{85}",
];

/// Strange, but harmless once they are encoded; whether they are taken depends on the argument's format.
const ENCODED: [&str; 8] = ["a?x=1", "a#b", "a b", "a%b", "a;b&c=d", "ä\u{2028}ö", "a\\b", "a:b@c"];

/// Tool, the argument that is a path segment, the others, and the path with `*` in the argument's place.
fn places() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let guest = json!({"vmid": 100, "node": "pve1", "kind": "qemu"});
    let with = |extra: Value| {
        let mut all = guest.clone();
        for (name, value) in extra.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        all
    };
    vec![
        ("get_node_status", "node", json!({}), "/nodes/*/status"),
        ("list_tasks", "node", json!({}), "/nodes/*/tasks"),
        ("get_guest_status", "node", with(json!({})), "/nodes/*/qemu/100/status/current"),
        ("get_guest_status", "vmid", with(json!({})), "/nodes/pve1/qemu/*/status/current"),
        ("start_guest", "vmid", json!({}), "/nodes/pve1/qemu/*/status/start"),
        ("get_storage_content", "storage", json!({"node": "pve1"}), "/nodes/pve1/storage/*/content"),
        ("list_backups", "storage", json!({"node": "pve1"}), "/nodes/pve1/storage/*/content"),
        ("delete_backup", "volid", json!({"node": "pve1", "storage": "local"}), "/nodes/pve1/storage/local/content/*"),
        ("get_snapshot_config", "snapname", guest.clone(), "/nodes/pve1/qemu/100/snapshot/*/config"),
        ("delete_snapshot", "snapname", json!({"vmid": 100}), "/nodes/pve1/qemu/100/snapshot/*"),
        ("rollback_snapshot", "snapname", json!({"vmid": 100}), "/nodes/pve1/qemu/100/snapshot/*/rollback"),
        ("get_task_status", "upid", json!({}), "/nodes/pve1/tasks/*/status"),
        ("get_task_log", "upid", json!({}), "/nodes/pve1/tasks/*/log"),
        ("stop_task", "upid", json!({}), "/nodes/pve1/tasks/*"),
        ("delete_firewall_rule", "pos", json!({"vmid": 100}), "/nodes/pve1/qemu/100/firewall/rules/*"),
        ("get_exec_result", "pid", json!({"vmid": 100}), "/nodes/pve1/qemu/100/agent/exec-status"),
    ]
}

/// Everything but unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").expect("a string"),
        }
    }
    encoded
}

/// Look-ups that hold nothing of the caller's but a number: the guest that a volume or task belongs to, as it is listed.
fn looks_up(seen: &Seen) -> bool {
    let constant = ["/cluster/resources", "/cluster/nextid", "/nodes"].contains(&seen.path());
    let owner = ["/nodes/pve1/qemu/100/config", "/nodes/pve1/qemu/100/status/current", "/nodes/pve1/qemu/100/snapshot"]
        .contains(&seen.path());
    // What a roll-back brings is read, too: the snapshot's name is a segment there as well.
    let brought = seen.path().starts_with("/nodes/pve1/qemu/100/snapshot/") && seen.path().ends_with("/config");
    seen.verb == "GET" && (constant || owner || (brought && seen.path().matches('/').count() == 7))
}

#[tokio::test]
async fn traversal_is_refused_in_every_spelling_and_place() {
    let server = Server::start(usual);
    let engine = engine(&server);
    for (tool, argument, mut arguments, _) in places() {
        let volume = if argument == "volid" { "local:backup/" } else { "" };
        let upid = |text: &str| UPID.replace("pve1", text);
        for hostile in REFUSED {
            let mut spellings = vec![format!("{volume}{hostile}")];
            if argument == "upid" {
                spellings = vec![hostile.to_owned(), upid(hostile)];
                // Within the whole, dots alone mean nothing, encoded or not.
                if hostile.contains('/') || hostile.chars().any(char::is_control) {
                    spellings.push(UPID.replace("qmstart", hostile));
                }
            }
            for spelling in spellings {
                arguments[argument] = json!(spelling);
                server.forget();
                let failure = call(&engine, tool, arguments.clone()).await.err();
                assert!(failure.is_some(), "{tool} took {spelling:?} for {argument}");
                let strange: Vec<Seen> = server.seen().into_iter().filter(|seen| !looks_up(seen)).collect();
                assert!(strange.is_empty(), "{tool} {argument}={spelling:?} sent {strange:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_taken_stands_encoded_in_its_own_segment() {
    let server = Server::start(usual);
    let engine = engine(&server);
    let mut taken = 0;
    for (tool, argument, mut arguments, template) in places() {
        let fine = match argument {
            "upid" => UPID,
            "vmid" => "100",
            "node" => "pve1",
            "volid" => "local:backup/vzdump-qemu-100-2026_01_01-00_00_00.vma.zst",
            "pos" | "pid" => "0",
            _ => "plain-1",
        };
        for text in ENCODED.into_iter().chain([fine]) {
            let text =
                if argument == "volid" && text != fine { format!("local:backup/{text}") } else { text.to_owned() };
            arguments[argument] = json!(text);
            server.forget();
            let _ = call(&engine, tool, arguments.clone()).await;
            let path = template.replace('*', &encode(&text));
            // Further reads go below the same path or to the log of the task.
            let strange = |seen: &Seen| {
                let task = seen.path().starts_with(&format!("/nodes/pve1/tasks/{}/", encode(UPID)));
                seen.path() != path && !looks_up(seen) && !task
            };
            let seen = server.seen();
            assert!(!seen.iter().any(strange), "{tool} {argument}={text:?} sent {:?}", server.lines());
            assert!(seen.iter().all(|seen| seen.target.matches('?').count() < 2 && !seen.target.contains('#')));
            let sent = seen.iter().any(|seen| seen.path() == path);
            assert!(sent || text != fine, "{tool} did not send {path}: {:?}", server.lines());
            taken += usize::from(sent);
        }
    }
    assert!(taken >= places().len());
}

#[tokio::test]
async fn a_listing_cannot_lead_a_call_astray() {
    for node in ["..", "../../access", "a/b", "%2e%2e", "", "pve1?x=", "pve1\n"] {
        let server = Server::start(move |seen| match seen.path() {
            "/cluster/resources" => Say::Data(json!([{"vmid": 100, "type": "qemu", "node": node, "name": "web"}])),
            _ => usual(seen),
        });
        let engine = engine(&server);
        let _ = call(&engine, "start_guest", json!({"vmid": 100})).await;
        for line in server.lines() {
            let segment = format!("/nodes/{}/", encode(node));
            assert!(
                line == "GET /cluster/resources"
                    || line.starts_with("GET /nodes/pve1/tasks/UPID%3A")
                    || (!node.is_empty() && line.contains(&segment)),
                "{node:?}: {line}"
            );
            assert!(!line.contains("/../") && !line.contains("//"), "{line}");
        }
    }
}

#[tokio::test]
async fn a_task_id_cannot_lead_the_waiting_astray() {
    for node in ["..", "../../access", "%2e%2e", "", "a b"] {
        let upid = UPID.replace("pve1", node);
        let server = Server::start(move |seen| if seen.writes() { Say::Data(json!(upid)) } else { usual(seen) });
        let engine = engine(&server);
        let answer = call(&engine, "start_guest", json!({"vmid": 100})).await.expect("it was sent");
        let lines = server.lines();
        assert_eq!(server.writes(), ["POST /nodes/pve1/qemu/100/status/start"]);
        let astray = |line: &&String| !line.contains("/nodes/pve1/") && **line != "GET /cluster/resources";
        assert_eq!(lines.iter().find(astray), None, "{:?}", answer.content);
        assert!(!lines.iter().any(|line| line.contains("..") && !line.contains("UPID%3A")), "{lines:?}");
    }
}
