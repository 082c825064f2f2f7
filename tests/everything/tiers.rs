//! Every method at every tier, and behind every fence.

use crate::calls::{answer, arguments, barred, impossible, method};
use crate::server::Server;
use crate::{count, engine, flags, logged};
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Engine, Failure, FailureKind, Watch};
use proxmox_mcp::settings::Flags;
use proxmox_mcp::tool::Tier;
use proxmox_spec::{Method, Verb, methods};
use serde_json::Value;

/// What a call needs, in the words of this file: the verdict on the method, and every parameter that adds to it.
fn needs(method: &Method, arguments: &Value) -> Tier {
    let given = &arguments["params"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let raised = method.params.iter().flat_map(|param| {
        let value = given.get(param.name.replace("[n]", "0")).map(text);
        let applies = move |danger: &&proxmox_spec::Danger| match &value {
            Some(value) => danger.applies(if value == "true" { "1" } else { value }, Some("100")),
            None => danger.applies_when_absent(),
        };
        param.danger.iter().filter(applies).map(|danger| danger.tier)
    });
    raised.max().unwrap_or(Tier::Read).max(method.verdict().tier)
}

async fn call(engine: &Engine, arguments: &Value) -> Result<(), Failure> {
    let surface = catalogue::surface("call_api").expect("the tool is there");
    engine.call(surface, arguments.as_object(), Watch::default()).await.map(|_| ())
}

/// Which requests reached the server for this very method.
fn reached(server: &Server, wanted: &Method) -> usize {
    let same = |seen: &crate::server::Seen| {
        method(seen).is_some_and(|method| (method.verb, method.path) == (wanted.verb, wanted.path))
    };
    server.seen().iter().filter(|seen| same(seen)).count()
}

#[test]
fn every_method_can_be_called_or_says_why_not() {
    let surface = catalogue::surface("call_api").expect("the tool is there");
    let mut wrong = Vec::new();
    for one in methods() {
        let given = arguments(one);
        let mut fields = proxmox_mcp::arguments::Fields::new(surface, given.as_object());
        match (surface.tool.plan)(&mut fields) {
            Ok(_) if impossible(one) => wrong.push(format!("{} {} was planned", one.verb, one.path)),
            Err(bad) if !impossible(one) => wrong.push(bad.to_string()),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_method_leaves_above_its_tier_and_every_change_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(answer);
    for tier in Tier::ALL {
        let log = folder.path().join(format!("{tier}.jsonl"));
        let engine = engine(&flags(&server, tier.as_str(), &log));
        let (mut sent, mut refused) = (0, 0);
        for one in methods() {
            let call_of = format!("{} {} at {tier}", one.verb, one.path);
            let given = arguments(one);
            server.forget();
            let ended = call(&engine, &given).await;
            let writes = server.writes();
            if impossible(one) {
                let failure = ended.expect_err(&call_of);
                assert_eq!(failure.kind(), FailureKind::BadArguments, "{call_of}: {failure}");
                assert!(server.seen().is_empty(), "{call_of}");
            } else if needs(one, &given) > tier {
                let failure = ended.expect_err(&call_of);
                assert_eq!(failure.kind(), FailureKind::Refused, "{call_of}: {failure}");
                assert_eq!((reached(&server, one), writes.len()), (0, 0), "{call_of}: {writes:?}");
                refused += 1;
            } else if barred(one) {
                let failure = ended.expect_err(&call_of);
                assert_eq!(failure.kind(), FailureKind::Forbidden, "{call_of}: {failure}");
                assert_eq!((reached(&server, one), writes.len()), (0, 0), "{call_of}: {writes:?}");
            } else {
                if let Err(failure) = ended {
                    panic!("{call_of}: {failure} {given}");
                }
                let changes = one.verb != Verb::Get;
                assert_eq!(writes.len(), usize::from(changes), "{call_of}: {writes:?}");
                assert!(reached(&server, one) > 0, "{call_of}");
                sent += usize::from(changes);
            }
        }
        let lines = logged(&log);
        assert_eq!(count(&lines, "intent"), sent, "{tier}");
        assert_eq!(count(&lines, "outcome"), sent, "{tier}");
        assert_eq!(count(&lines, "refused"), refused, "{tier}");
        assert!((tier == Tier::Read) == (sent == 0), "{tier}: {sent}");
    }
}

/// Every call of a change behind a fence that leaves nothing out: which of them left all the same.
async fn left(server: &Server, fenced: Flags, log: &std::path::Path, sees: impl Fn(&Method) -> bool) -> Vec<String> {
    let engine = engine(&fenced);
    let mut left = Vec::new();
    let mut tried = 0;
    for one in methods().iter().filter(|one| one.verb != Verb::Get && !impossible(one) && !barred(one)) {
        server.forget();
        let ended = call(&engine, &arguments(one)).await;
        let line = format!("{} {}", one.verb, one.path);
        tried += 1;
        if server.writes().is_empty() {
            let failure = ended.expect_err(&line);
            assert_eq!(failure.kind(), FailureKind::Fenced, "{line}: {failure}");
        } else {
            assert!(!sees(one), "{line} went through the fence");
            left.push(line);
        }
    }
    let lines = logged(log);
    assert_eq!((count(&lines, "intent"), count(&lines, "refused")), (left.len(), tried - left.len()));
    left
}

#[tokio::test]
async fn no_change_leaves_through_a_fence() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(answer);
    let names = |name: &str| vec![name.to_owned()];
    type Fence = (&'static str, fn(&mut Flags, Vec<String>), &'static str, fn(&Method) -> bool);
    let fences: [Fence; 5] = [
        ("nodes", |flags, names| flags.fences.allow_nodes = names, "elsewhere", |one| one.path.contains("{node}")),
        ("guests", |flags, names| flags.fences.allow_guests = names, "900-999", |one| one.path.contains("{vmid}")),
        ("pools", |flags, names| flags.fences.allow_pools = names, "elsewhere", |one| one.path.contains("{vmid}")),
        ("tags", |flags, names| flags.fences.allow_tags = names, "elsewhere", |one| one.path.contains("{vmid}")),
        (
            "storages",
            |flags, names| flags.fences.allow_storages = names,
            "elsewhere",
            |one| one.path.contains("{storage}"),
        ),
    ];
    let mut report = String::new();
    for (name, set, outside, sees) in fences {
        let log = folder.path().join(format!("{name}.jsonl"));
        let mut fenced = flags(&server, "admin", &log);
        set(&mut fenced, names(outside));
        let left = left(&server, fenced, &log, sees).await;
        report.push_str(&format!("# nothing is allowed of the {name}\n{}\n\n", left.join("\n")));
    }
    // All of them at once.
    let log = folder.path().join("all.jsonl");
    let mut fenced = flags(&server, "admin", &log);
    for (_, set, outside, _) in fences {
        set(&mut fenced, names(outside));
    }
    let everywhere = |one: &Method| ["{node}", "{vmid}", "{storage}"].iter().any(|place| one.path.contains(place));
    let left = left(&server, fenced, &log, everywhere).await;
    report.push_str(&format!("# nothing is allowed of anything\n{}\n", left.join("\n")));
    insta::assert_snapshot!("through_the_fences", report);
}

#[tokio::test]
async fn a_tool_that_is_denied_is_denied_by_its_method() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(answer);
    for tool in catalogue::TOOLS.iter().filter(|tool| !tool.handled) {
        let log = folder.path().join(format!("{}.jsonl", tool.name));
        let denied = Flags { deny: vec![tool.name.to_owned()], ..flags(&server, "admin", &log) };
        let engine = engine(&denied);
        for route in tool.routes.iter().filter(|route| route.verb != Verb::Get) {
            let Some(one) = proxmox_spec::find(route.verb, route.path).filter(|one| !impossible(one)) else { continue };
            server.forget();
            let failure = call(&engine, &arguments(one)).await.expect_err(tool.name);
            assert!(matches!(failure.kind(), FailureKind::Refused | FailureKind::Fenced), "{}: {failure}", tool.name);
            assert!(server.writes().is_empty(), "{}: {:?}", tool.name, server.writes());
        }
    }
}
