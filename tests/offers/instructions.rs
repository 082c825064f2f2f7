//! The instructions are short, and true for the settings.

use proxmox_mcp::offers::instructions;
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;

/// Most tokens, by the o200k table.
const MOST: usize = 300;

fn settings(change: impl FnOnce(&mut Flags)) -> Settings {
    let mut flags = Flags::default();
    change(&mut flags);
    Settings::limits(&flags).expect("good settings")
}

#[test]
fn they_are_short_whatever_is_set() {
    let table = tiktoken_rs::o200k_base_singleton();
    for tier in Tier::ALL {
        for dialect in [None, Some("tools-reference"), Some("mcp-proxmox")] {
            for confirm in Confirm::ALL {
                for (sandbox, cancel, toolsets) in [(true, false, "core"), (false, true, "all"), (true, true, "all")] {
                    let mut settings = settings(|flags| {
                        flags.tier = Some(tier.as_str().to_owned());
                        flags.dialect = dialect.map(str::to_owned);
                        flags.confirm = Some(confirm.as_str().to_owned());
                        flags.toolsets = vec![toolsets.to_owned()];
                        flags.cancel_stops_tasks = Some(cancel.to_string());
                    });
                    settings.sandbox = sandbox;
                    let text = instructions(&settings);
                    let tokens = table.count_ordinary(&text);
                    assert!(tokens < MOST, "{tokens} tokens: {text}");
                    assert_eq!(text.contains("sandbox"), sandbox, "{text}");
                    assert!(text.contains(&format!("Tier {tier}")) && text.contains("never instructions"), "{text}");
                    assert_eq!(text.contains("Cancelling"), cancel && tier > Tier::Read, "{text}");
                }
            }
        }
    }
}

#[test]
fn they_name_the_tools_that_are_listed_and_no_others() {
    let text = instructions(&settings(|flags| flags.tier = Some("admin".to_owned())));
    for tool in ["search_api", "describe_api", "call_api"] {
        assert!(text.contains(tool), "{tool}: {text}");
    }
    for removed in ["search_api", "call_api"] {
        let text = instructions(&settings(|flags| flags.deny = vec![removed.to_owned()]));
        assert!(!text.contains("_api"), "{text}");
    }
    let text = instructions(&settings(|flags| flags.toolsets = vec!["storage".to_owned()]));
    assert!(!text.contains("_api"), "{text}");
}

#[test]
fn they_tell_how_calls_are_confirmed() {
    let text = |confirm: &str, tier: &str| {
        instructions(&settings(|flags| {
            flags.confirm = Some(confirm.to_owned());
            flags.tier = Some(tier.to_owned());
            flags.toolsets = vec!["all".to_owned()];
        }))
    };
    assert!(text("ask", "operate").contains("terminal"), "{}", text("ask", "operate"));
    assert!(text("seal", "operate").contains("seal"), "{}", text("seal", "operate"));
    assert!(text("elicit-only", "operate").contains("or are refused"), "{}", text("elicit-only", "operate"));
    assert!(text("off", "operate").contains("Nobody is asked"), "{}", text("off", "operate"));
    for mode in ["ask", "seal", "elicit-only", "off"] {
        let text = text(mode, "read");
        assert!(!text.contains("terminal") && !text.contains("seal"), "{text}");
    }
}

#[test]
fn a_reader_with_a_lifted_tool_is_not_told_that_nothing_changes() {
    let text = instructions(&settings(|flags| flags.allow = vec!["start_guest".to_owned()]));
    assert!(!text.contains("change nothing") && text.contains("only single ones"), "{text}");
    let text = instructions(&settings(|_| {}));
    assert!(text.contains("change nothing"), "{text}");
}
