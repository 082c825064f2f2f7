//! Every tool at every tier, as its examples call it, on the embedded cluster.

use crate::{count, logged};
use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Engine, Given, Watch, prepare_with};
use proxmox_mcp::settings::{AuditTo, Confirm, Flags, Settings};
use proxmox_mcp::tool::{Effect, Kind, Tier};
use proxmox_sandbox::{Options, Sandbox};
use proxmox_spec::Verb;
use serde_json::{Map, Value};
use std::time::Duration;

mod examples {
    #![allow(dead_code)]
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));
}
use examples::EXAMPLES;

fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        other => panic!("not an object: {other:?}"),
    }
}

#[tokio::test]
async fn no_tool_leaves_above_its_tier_and_every_change_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    for tier in Tier::ALL {
        let options = Options { task_time: 0.0, ..Options::default() };
        let sandbox = Sandbox::start(options).await.expect("loopback is there");
        let log = folder.path().join(format!("{tier}.jsonl"));
        let settings =
            Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &Flags::default())
                .expect("complete settings");
        let engine = Engine::new(Settings {
            tier,
            audit: Some(AuditTo::File(log.clone())),
            confirm: Confirm::Off,
            retry_delay: Duration::ZERO,
            ..settings
        });
        let mut changes = 0;
        for example in EXAMPLES {
            let surface = catalogue::surface(example.tool).expect("a tool");
            sandbox.forget_requests();
            let ended = engine.call(surface, Some(&object(example.args)), Watch::default()).await;
            let writes = sandbox.requests().iter().filter(|request| request.verb != "GET").count();
            assert!(writes <= 1 || surface.tool.handled, "{}: {writes}", example.tool);
            assert!(writes == 0 || tier > Tier::Read, "{} at {tier}", example.tool);
            if surface.tool.tier > tier {
                assert!(ended.is_err() && sandbox.requests().is_empty(), "{} at {tier}", example.tool);
            }
            changes += writes;
        }
        let lines = logged(&log);
        assert_eq!((count(&lines, "intent"), count(&lines, "outcome")), (changes, changes), "{tier}");
        let too_high = |line: &&Value| {
            line["kind"] == "intent" && line["tier"].as_str().and_then(Tier::parse).is_none_or(|needs| needs > tier)
        };
        assert_eq!(lines.iter().find(too_high), None, "{tier}");
    }
}

/// A call of the API needs no less than the tool that sends the same request: nobody gets around a tool that way.
#[test]
fn a_tools_own_request_needs_as_much_without_the_tool() {
    for example in EXAMPLES {
        let surface = catalogue::surface(example.tool).expect("a tool");
        let arguments = object(example.args);
        let mut fields = Fields::new(surface, Some(&arguments));
        let Ok(plan) = (surface.tool.plan)(&mut fields) else { panic!("{}: {}", example.tool, example.args) };
        if plan.instead.is_some() {
            continue;
        }
        let told = object(example.given);
        let word =
            |name: &str| told.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let given = Given {
            node: word("node"),
            kind: word("kind").and_then(|kind| Kind::parse(&kind)),
            vmid: told.get("vmid").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()),
            nextid: word("nextid"),
            running: told.get("running").and_then(Value::as_bool),
            digest: word("digest"),
        };
        let tool = surface.tool;
        let (mut tier, mut effect) = (Tier::Read, Effect::None);
        for request in prepare_with(&plan, &given).unwrap_or_else(|failure| panic!("{}: {failure}", example.tool)) {
            let Some(route) = proxmox_spec::route(request.verb, request.path()) else { panic!("{request}") };
            let verdict = route.method.verdict();
            // What is read beside is the same for both.
            if request.verb == Verb::Get && tool.routes.iter().any(|route| route.verb != Verb::Get) {
                continue;
            }
            (tier, effect) = (tier.max(verdict.tier), effect.max(verdict.effect));
            let vmid = request.value("vmid").map(str::to_owned).or(given.vmid.map(|id| id.to_string()));
            for param in route.method.params {
                let value =
                    request.params.iter().find(|one| param.name == one.name || param.index_of(&one.name).is_some());
                for danger in param.danger {
                    let applies = match value {
                        Some(value) => value.values.iter().any(|text| danger.applies(text, vmid.as_deref())),
                        None => danger.applies_when_absent(),
                    };
                    if applies {
                        (tier, effect) = (tier.max(danger.tier), effect.max(danger.effect));
                    }
                }
            }
        }
        assert!(
            tier >= tool.tier && effect >= tool.effect,
            "{} {} needs {}/{}, and its request without it {tier}/{effect}",
            tool.name,
            example.args,
            tool.tier,
            tool.effect
        );
    }
}
