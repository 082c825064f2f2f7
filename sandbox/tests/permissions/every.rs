//! Every method of the facts, asked by three kinds of callers.

use proxmox_sandbox::Options;
use proxmox_spec::{Kind, Segment, Verb};

use crate::{ask, bare_token, common::Bench, token};

/// A real path for a template of the facts.
fn path_of(segments: &[Segment]) -> String {
    let container = segments.contains(&Segment::Literal("lxc"));
    let parts = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => *text,
        Segment::Param(name) | Segment::Remainder(name) => match *name {
            "node" => "pve1",
            "vmid" if container => "200",
            "vmid" => "102",
            "storage" => "local",
            // Who is asked to be deleted is not who is asked about later.
            "userid" if segments.last() == Some(segment) => "auditor@pve",
            "userid" => "alice@pve",
            "poolid" => "lab",
            "volume" => "iso/ubuntu-22.04.iso",
            "upid" => "UPID:pve1:00000001:00000001:00000001:x:1:root@pam:",
            "pos" => "0",
            "id" if segments.contains(&Segment::Literal("replication")) => "102-0",
            _ => "x1",
        },
    });
    parts.map(|part| format!("/{part}")).collect()
}

/// Every method of the facts is asked by somebody with nothing, by an auditor and by somebody with everything.
#[tokio::test]
async fn every_method_says_yes_or_no_and_says_it_again() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let nothing = bare_token(&bench);
    let auditor = bench.sandbox.auditor_token().to_owned();
    let all = token(&bench, "all", &[("/", "Administrator", true)]);
    let mut counts = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for (name, who) in [("nothing", &nothing), ("auditor", &auditor), ("all", &all)] {
        for method in proxmox_spec::methods() {
            if name == "all" && method.kind == Kind::Upload {
                continue;
            }
            let (verb, path) = (method.verb.as_str(), path_of(method.segments));
            let what = format!("{name}: {verb} {path}");
            let answer = ask(&bench, who, verb, &path, &[]).await;
            let permissions = method.permissions;
            let denied = answer.status == 403;
            *counts.entry((name, if denied { "no" } else { "yes" })).or_default() += 1;
            assert!(denied || matches!(answer.status, 200 | 400 | 404 | 424 | 500 | 501), "{what}: {answer:?}");
            if denied {
                let text = if method.kind == Kind::Upload { answer.reason.as_str() } else { answer.failure().1 };
                assert!(text == "Permission check failed" || well_formed(text), "{what}: {text}");
            }
            let never = permissions.root_only || !method.allow_token;
            match name {
                _ if never => assert!(denied, "{what}: {answer:?}"),
                "nothing" if permissions.user.is_none() => {
                    // Both speak of the user before they speak of rights.
                    assert!(denied || answer.failure().1.contains("user name"), "{what}: {answer:?}");
                }
                "auditor" if permissions.user.is_none() && method.verb != Verb::Get => {
                    // Some writes change nothing: testing a notification, asking the monitor.
                    let looks = permissions.privileges.iter().any(|name| name.ends_with(".Audit"));
                    assert!(looks || denied || answer.failure().1.contains("user name"), "{what}: {answer:?}");
                }
                "all" => assert!(!denied, "{what}: {answer:?}"),
                _ => {}
            }
            if name == "auditor" {
                let again = ask(&bench, who, verb, &path, &[]).await;
                assert_eq!((again.status, &again.reason), (answer.status, &answer.reason), "{what}");
            }
        }
    }
    let count = |name: &'static str, what: &'static str| counts.get(&(name, what)).copied().unwrap_or(0);
    assert!(count("auditor", "yes") > count("nothing", "yes"), "{counts:?}");
    assert!(count("all", "yes") > count("auditor", "yes"), "{counts:?}");
}

/// `Permission check failed (…)`, with something in the parentheses.
fn well_formed(text: &str) -> bool {
    let inner = text.strip_prefix("Permission check failed (").and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| !inner.is_empty())
}
