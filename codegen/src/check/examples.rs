//! Examples: arguments that exist, that suffice, and that are in range.

use super::Checker;
use crate::catalogue::*;
use crate::spec::{Text, ToolSpec};
use crate::tree::{Node, Yaml};
use proxmox_spec::Param;
use serde_json::Value as Json;

const GIVEN: [&str; 6] = ["kind", "node", "vmid", "nextid", "running", "digest"];

impl Checker<'_> {
    pub(super) fn examples(&mut self, spec: &ToolSpec, arguments: &[Argument]) -> Vec<Example> {
        if spec.examples.is_empty() {
            self.diagnostics
                .report(spec.name.at, format!("`{}` has no example", spec.name.is))
                .help("write `examples: [{args: {…}, sends: GET /…}]`");
        }
        let mut examples = Vec::new();
        for example in &spec.examples {
            for (name, node) in &example.args {
                let Some(argument) = arguments.iter().find(|argument| argument.name == name.is) else {
                    self.known_argument(name, arguments);
                    continue;
                };
                let params: Vec<&'static Param> = argument.facts.iter().map(|(_, param)| *param).collect();
                if let Some(problem) = mismatch(node, argument.form, &argument.rule, &params) {
                    self.diagnostics.report(node.at, format!("`{}` does not take this: {problem}", name.is));
                }
            }
            for argument in arguments.iter().filter(|argument| argument.required) {
                if !example.args.iter().any(|(name, _)| name.is == argument.name) {
                    self.diagnostics
                        .report(example.at, format!("the example lacks the required argument `{}`", argument.name));
                }
            }
            for (name, _) in &example.given {
                if !GIVEN.contains(&name.is.as_str()) {
                    self.diagnostics
                        .report(name.at, format!("`{}` is nothing that can be given", name.is))
                        .near(&name.is, GIVEN);
                }
            }
            let tools: Vec<Text> = self.tool_names().cloned().collect();
            for (tool, _) in &example.before {
                if !tools.iter().any(|one| one.is == tool.is) {
                    self.diagnostics
                        .report(tool.at, format!("`{}` is not a tool of this catalogue", tool.is))
                        .near(&tool.is, tools.iter().map(|one| one.is.as_str()));
                }
            }
            examples.push(Example {
                args: json(&example.args),
                given: json(&example.given),
                sends: example.sends.iter().map(|line| line.is.clone()).collect(),
                before: example.before.iter().map(|(tool, args)| (tool.is.clone(), json(args))).collect(),
            });
        }
        examples
    }
}

/// Pairs as a JSON object.
pub(super) fn json(pairs: &[(Text, Node)]) -> Json {
    Json::Object(pairs.iter().map(|(name, node)| (name.is.clone(), node.json())).collect())
}

/// Why a value cannot be an argument's, as the catalogue can tell; the decoder knows more.
pub(super) fn mismatch(node: &Node, form: Form, rule: &Rule, params: &[&'static Param]) -> Option<String> {
    let number = match node.value {
        Yaml::Int(value) => Some(value as f64),
        Yaml::Float(value) => Some(value),
        _ => None,
    };
    match form {
        Form::Integer if !matches!(node.value, Yaml::Int(_)) => {
            Some(format!("expected an integer, found {}", node.kind()))
        }
        Form::Number if number.is_none() => Some(format!("expected a number, found {}", node.kind())),
        Form::Integer | Form::Number => {
            let number = number?;
            if rule.minimum.is_some_and(|minimum| number < minimum) {
                return Some(format!("the minimum is {}", rule.minimum.unwrap_or_default()));
            }
            if rule.maximum.is_some_and(|maximum| number > maximum) {
                return Some(format!("the maximum is {}", rule.maximum.unwrap_or_default()));
            }
            None
        }
        Form::Boolean if !matches!(node.value, Yaml::Bool(_)) => {
            Some(format!("expected true or false, found {}", node.kind()))
        }
        Form::Boolean => None,
        Form::Choice => {
            let text = node.scalar()?;
            if rule.values.contains(&text) {
                return None;
            }
            let near = proxmox_spec::nearest(&text, rule.values.iter().map(String::as_str));
            Some(match near {
                Some(near) => format!("`{text}` is not one of its values; did you mean `{near}`?"),
                None if rule.values.len() <= 12 => format!("`{text}` is not one of {}", rule.values.join(", ")),
                None => format!("`{text}` is not one of its values"),
            })
        }
        Form::Text | Form::Size => {
            let Some(text) = node.scalar() else { return Some(format!("expected text, found {}", node.kind())) };
            let length = text.chars().count();
            if rule.max_length.is_some_and(|most| length > most as usize) {
                return Some(format!("at most {} characters are allowed", rule.max_length.unwrap_or_default()));
            }
            if form == Form::Size && !text.trim_start_matches('+').starts_with(|c: char| c.is_ascii_digit()) {
                return Some("expected a size such as 32G".to_owned());
            }
            if form == Form::Text {
                return params
                    .first()
                    .and_then(|param| proxmox_spec::check::value(param, &text).err())
                    .map(|problem| problem.to_string());
            }
            None
        }
        Form::Property => {
            let text = node.scalar()?;
            let keys = params.first()?.keys;
            proxmox_spec::property::parse(keys, &text).err().map(|problem| problem.to_string())
        }
        _ => None,
    }
}
