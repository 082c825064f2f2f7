//! The audit log: every line is whole, and whatever reached the cluster was written down before.

use crate::common::{Era, run};
use crate::served::Served;
use crate::world::World;
use crate::{pairs, shown, until, variables};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Barrier};

/// Changes that run at a time.
const WIDTH: usize = 4;

fn lines(log: &Path) -> usize {
    std::fs::read(log).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}

#[test]
fn a_killed_server_leaves_an_audit_log_that_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.jsonl");
    let world = World::start();
    let mut settings = variables(&world);
    settings.push(("PROXMOX_AUDIT".to_owned(), shown(&log).to_owned()));
    let mut point = 0;
    for number in 0..12 {
        let served = Served::start(&[], &pairs(&settings));
        // The first line is written with the first change; then two for each.
        point = lines(&log).max(point) + 1 + number % 7;
        let (url, era) = (served.url.clone(), Era::BOTH[number % 2]);
        // All are in before the first change, so that only their calls meet the end of the server.
        let ready = Arc::new(Barrier::new(WIDTH));
        let writers: Vec<_> = (0..WIDTH)
            .map(|writer| {
                let (url, ready) = (url.clone(), ready.clone());
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it");
                    runtime.block_on(async {
                        let mut client = crate::served::Client::new(&url, era);
                        client.open().await;
                        ready.wait();
                        for round in 0.. {
                            let config = json!({"description": format!("{number} {writer} {round}")});
                            let vmid = [100, 102, 110, 200][writer];
                            let arguments = json!({"vmid": vmid, "config": config});
                            let call = json!({"name": "update_guest_config", "arguments": arguments});
                            let sent = client.prepared("tools/call", call).send().await;
                            // Until the server is gone.
                            let Ok(answer) = sent else { break };
                            if answer.text().await.is_err() {
                                break;
                            }
                        }
                    });
                })
            })
            .collect();
        until("the log grows", || lines(&log) >= point);
        served.signal("KILL");
        let (status, said) = served.ended();
        assert!(!status.success(), "it was killed: {said}");
        for writer in writers {
            writer.join().expect("a writer ends with the server");
        }
        let verified = run(&["audit", "verify", shown(&log)], &[]);
        let told = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.status.success(), "killed after line {point}: {told}");
    }
    let text = std::fs::read_to_string(&log).expect("the log");
    let logged: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    let intents: Vec<String> =
        logged.iter().filter(|line| line["kind"] == "intent").map(|line| line.to_string()).collect();
    let requests = world.sandbox.requests();
    let descriptions = requests
        .iter()
        .filter(|one| one.verb != "GET")
        .filter_map(|one| one.params.iter().find(|(name, _)| name == "description").map(|(_, value)| value));
    let mut seen = 0;
    for description in descriptions {
        let written = intents.iter().filter(|intent| intent.contains(&format!("\"{description}\""))).count();
        assert_eq!(written, 1, "`{description}` reached the cluster and is {written} times in the log");
        seen += 1;
    }
    assert!(seen >= 12, "{seen} changes");
}
