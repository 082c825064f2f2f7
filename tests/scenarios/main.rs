//! The same stories, from an assistant's call to the cluster and back, on two clusters that know nothing of each other:
//! the embedded sandbox, and the simulator `fakepve`. The built binary serves over pipes, in both eras in turn.
//!
//! What a step expects is what a real Proxmox VE does, by the recordings where there is one. Where one of the two does
//! otherwise, `differences.md` says so, and a row that is no longer true fails too.
//!
//! The simulator is not installed with this project: `FAKEPVE` names its program (`.ci/run` sets it). Without the
//! variable these tests say that they were not run.

#![cfg(feature = "sandbox")]

mod access;
mod backend;
#[path = "../common/mod.rs"]
mod common;
mod differences;
mod firewall;
mod guests;
mod power;
mod script;
mod settings;
mod snapshots;
mod storage;

use backend::{Backend, Embedded, Simulator};
use common::{Client, Era};
use script::{Answered, Scenario};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// All of them, in the order of this list.
        pub fn scenarios() -> Vec<Scenario> {
            vec![$($module::$name()),*]
        }

        mod on_the_sandbox {
            $(#[test] fn $name() { super::on_the_sandbox(super::$module::$name()); })*
        }

        mod on_the_simulator {
            $(#[test] fn $name() { super::on_the_simulator(super::$module::$name()); })*
        }
    };
}

scenarios! {
    guests::the_life_of_a_virtual_machine,
    guests::the_life_of_a_container,
    guests::copies,
    guests::which_guest_is_meant,
    power::power_of_a_virtual_machine,
    power::power_of_a_container,
    power::a_start_that_fails,
    power::tasks_that_take_a_while,
    power::guests_that_are_locked,
    snapshots::snapshots_of_a_virtual_machine,
    snapshots::snapshots_of_a_container,
    settings::disks_grow,
    settings::options_change,
    storage::backups_are_made,
    storage::backups_are_restored,
    storage::files,
    firewall::the_firewall_of_a_virtual_machine,
    firewall::the_firewall_of_a_container,
    access::an_auditor,
}

fn on_the_sandbox(scenario: Scenario) {
    play(&scenario, &Embedded::start(&scenario.world), 0);
}

fn on_the_simulator(scenario: Scenario) {
    match Simulator::start(&scenario.world) {
        Some(simulator) => play(&scenario, &simulator, 1),
        // Not by `println!`, which a passing test keeps to itself.
        None => {
            let _ =
                writeln!(std::io::stderr(), "NOT RUN: `{}`: {} names no simulator", scenario.name, backend::PROGRAM);
        }
    }
}

/// Plays all steps, and tells everything that was not as expected at the end.
fn play(scenario: &Scenario, backend: &dyn Backend, turn: usize) {
    // Each scenario meets both eras: one here, the other on the other backend.
    let place = scenarios().iter().position(|one| one.name == scenario.name).expect("listed");
    let era = Era::BOTH[(place + turn) % 2];
    let environment = backend.environment();
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut client = Client::start(era, &[], &environment);
    client.open();
    let schemas = schemas(&mut client);
    let mut kept = BTreeMap::new();
    let mut wrong = Vec::new();
    for step in &scenario.steps {
        let arguments = script::filled(&step.arguments, &kept);
        let result = client.call(step.tool, arguments.clone());
        let answered = Answered::of(&result);
        let mut note = |what: String| {
            let Answered { failed, content, text } = &answered;
            let kind = if *failed { "failed" } else { "answered" };
            let (name, tool) = (step.name, step.tool);
            wrong.push(format!("[{name}] {what}\n  {tool} {arguments}\n  {kind}: {text}\n  content: {content}"));
        };
        let listed = differences::listed(scenario.name, step.name, backend.name());
        match &listed {
            Some(does) if answered.is(&step.expected) => note(format!("no longer different; the list says {does:?}")),
            Some(does) if !answered.is(does) => note(format!("the list says {does:?}")),
            None if !answered.is(&step.expected) => note(format!("expected {:?}", step.expected)),
            _ => {}
        }
        if !answered.content.is_null()
            && let Some(schema) = schemas.get(step.tool)
            && let Err(error) = schema.validate(&answered.content)
        {
            note(format!("against the output schema: {error}"));
        }
        for (name, pointer) in &step.keeps {
            kept.insert(name, answered.content.pointer(pointer).cloned().unwrap_or(Value::Null));
        }
    }
    let ended = client.end();
    if !ended.status.success() {
        wrong.push(format!("the server ended with {}: {}", ended.status, ended.log));
    }
    let (name, on) = (scenario.name, backend.name());
    assert!(wrong.is_empty(), "`{name}` on the {on}, {}:\n{}", era.version(), wrong.join("\n"));
}

/// The output schema of every tool.
fn schemas(client: &mut Client) -> BTreeMap<String, jsonschema::Validator> {
    let listed = client.request("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().expect("tools");
    let schema = |tool: &Value| jsonschema::validator_for(&tool["outputSchema"]).expect("a schema");
    tools.iter().map(|tool| (tool["name"].as_str().expect("a name").to_owned(), schema(tool))).collect()
}
