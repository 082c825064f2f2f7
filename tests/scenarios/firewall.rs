//! Firewall rules, whose numbers move.

use crate::script::{Scenario, Step, scenario, step};
use serde_json::json;

fn story(vmid: u32) -> Vec<Step> {
    let rule = |more: serde_json::Value| {
        let mut arguments = json!({"vmid": vmid, "action": "ACCEPT", "rule_type": "in"});
        if let (Some(all), Some(more)) = (arguments.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        arguments
    };
    vec![
        step("none", "list_firewall_rules", json!({"vmid": vmid})).answers(json!({"total": 0})),
        step("the options", "get_firewall_options", json!({"vmid": vmid})),
        step("the first", "create_firewall_rule", rule(json!({"proto": "tcp", "dport": "443", "comment": "HTTPS"})))
            .done(),
        step("the second", "create_firewall_rule", rule(json!({"macro": "SSH", "source": "192.0.2.0/24"}))).done(),
        step("newest on top", "list_firewall_rules", json!({"vmid": vmid})).answers(json!({"total": 2, "rules": [
            {"pos": 0, "macro": "SSH", "enable": 1, "source": "192.0.2.0/24"},
            {"pos": 1, "dport": "443", "proto": "tcp", "enable": 1, "comment": "HTTPS"}]})),
        step("an unknown macro", "create_firewall_rule", rule(json!({"macro": "Nonsense"}))).fails(&["macro"]),
        step("a bad address", "create_firewall_rule", rule(json!({"source": "here"}))).fails(&["source"]),
        step("a port of no protocol", "create_firewall_rule", rule(json!({"dport": "443"}))).fails(&["proto"]),
        step("a bad port", "create_firewall_rule", rule(json!({"proto": "tcp", "dport": "99999"}))).fails(&["port"]),
        step(
            "another rule than expected",
            "delete_firewall_rule",
            json!({
            "vmid": vmid, "pos": 0, "expect": {"dport": "443"}}),
        )
        .fails(&["SSH"]),
        step("no such rule", "delete_firewall_rule", json!({"vmid": vmid, "pos": 9})).fails(&["no rule at position 9"]),
        step(
            "delete the expected",
            "delete_firewall_rule",
            json!({
            "vmid": vmid, "pos": 1, "expect": {"dport": "443"}}),
        )
        .answers(json!({"outcome": "ok", "deleted": {"dport": "443", "comment": "HTTPS"}})),
        step("one is left", "list_firewall_rules", json!({"vmid": vmid}))
            .answers(json!({"total": 1, "rules": [{"pos": 0, "macro": "SSH"}]})),
        step(
            "of an unknown guest",
            "create_firewall_rule",
            json!({
            "vmid": 999, "action": "DROP", "rule_type": "in"}),
        )
        .fails(&["999"]),
    ]
}

pub fn the_firewall_of_a_virtual_machine() -> Scenario {
    scenario("the firewall of a virtual machine", story(102))
}

pub fn the_firewall_of_a_container() -> Scenario {
    scenario("the firewall of a container", story(202))
}
