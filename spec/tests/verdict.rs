//! What each method needs when no reviewed tool stands before it, all 680 of them, one line each: to be read.

use proxmox_spec::{Effect, Tier, Verb, methods};

#[test]
fn every_method_has_its_verdict() {
    let lines: Vec<String> = methods()
        .iter()
        .map(|method| {
            let verdict = method.verdict();
            let params: Vec<&str> =
                method.params.iter().filter(|param| !param.danger.is_empty()).map(|param| param.name).collect();
            let raised = if params.is_empty() { String::new() } else { format!("  + {}", params.join(" ")) };
            let mark = if verdict.reviewed { "" } else { " (by rule)" };
            format!("{} {}: {}/{}{mark}{raised}", method.verb, method.path, verdict.tier, verdict.effect)
        })
        .collect();
    assert_eq!(lines.len(), 680);
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn nothing_but_looking_is_for_everybody() {
    for method in methods() {
        let verdict = method.verdict();
        let call = format!("{} {}", method.verb, method.path);
        if method.verb != Verb::Get {
            assert!(verdict.tier > Tier::Read, "{call}");
        } else if !verdict.reviewed && verdict.tier == Tier::Read {
            assert!(method.permissions.audit_is_enough(), "{call}");
        }
        if method.verb == Verb::Delete {
            assert!(verdict.reviewed || verdict.effect == Effect::Destroys, "{call}");
        }
        if verdict.tier == Tier::Read {
            assert_eq!(verdict.effect, Effect::None, "{call}");
        }
    }
}
