//! What an assistant pays, counted with a real tokenizer: the listed tools against their budgets, answers against theirs,
//! and docs/tokens.md.
//!
//! o200k is not every model's tokenizer; it is a public one that stays the same, so that numbers can be compared.

mod answers;
mod count;
mod document;
mod lists;

use count::{input, listed, tokens, whole};

/// What the default list may cost at tier `admin`: name, description and input schema of all its tools.
const INPUT: usize = 6_500;
/// The same of one tool.
const ONE: usize = 450;
/// The whole answer to `tools/list`, with titles, output schemas and annotations.
const WHOLE: usize = 16_000;

#[test]
fn the_default_list_is_within_its_budget() {
    let tools = listed("admin", &[], None);
    assert!(tools.len() <= 32, "{} tools are listed", tools.len());
    let (input, whole) = (input(&tools), whole(&tools));
    println!("{} tools, {input} tokens of names, descriptions and input schemas, {whole} in all", tools.len());
    assert!(input <= INPUT, "{input} tokens; at most {INPUT} are allowed");
    assert!(whole <= WHOLE, "{whole} tokens; at most {WHOLE} are allowed");
}

#[test]
fn no_tool_is_long() {
    for tool in listed("admin", &["all"], None) {
        let count = input(std::slice::from_ref(&tool));
        assert!(count <= ONE, "{} has {count} tokens; at most {ONE} are allowed", tool["name"]);
    }
}

/// A budget that is kept by saying nothing would be no budget.
#[test]
fn every_argument_is_described() {
    for dialect in [None, Some("tools-reference"), Some("mcp-proxmox")] {
        for tool in listed("admin", &["all"], dialect) {
            for (name, argument) in tool["inputSchema"]["properties"].as_object().expect("properties") {
                let said = argument["description"].as_str().unwrap_or_default();
                assert!(said.len() >= 5, "{}.{name} says {said:?}", tool["name"]);
            }
        }
    }
}

#[test]
fn the_estimate_is_hardly_ever_too_low_and_not_far_too_high() {
    let estimate = |value: &serde_json::Value| proxmox_mcp::engine::budget::estimate(&value.to_string()) as f64;
    let (mut sum, mut real) = (0.0, 0.0);
    for (name, value) in count::samples() {
        let (guess, count) = (estimate(&value), tokens(&value) as f64);
        assert!(guess >= count * 0.95 - 1.0, "{name}: {guess} estimated, {count} counted");
        if name.ends_with(".json") {
            (sum, real) = (sum + guess, real + count);
        }
    }
    assert!(sum <= real * 1.2, "recorded answers: {sum} estimated, {real} counted");
}
