//! Calls that the catalogue writes out, in examples, resources and prompts: arguments that exist, that suffice, and that are in
//! range.

use super::Checker;
use super::requests::names;
use super::values::{api, mismatch};
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::spec::{ExampleSpec, Text, ToolSpec};
use crate::tree::{Node, Yaml};
use proxmox_spec::Param;
use serde_json::Value as Json;

const GIVEN: [&str; 6] = ["kind", "node", "vmid", "nextid", "running", "digest"];

impl Checker<'_> {
    /// The examples of a tool, whose calls of other tools are checked by [`Checker::calls_before`].
    pub(super) fn examples(
        &mut self,
        spec: &ToolSpec,
        arguments: &[Argument],
        routes: &[Route],
        guards: &[Guard],
    ) -> Vec<Example> {
        let mut examples = Vec::new();
        for example in &spec.examples {
            self.written_call(example.at, &example.args, &[], arguments, routes, guards);
            self.given(example);
            examples.push(Example {
                args: json(&example.args),
                given: json(&example.given),
                sends: example.sends.iter().filter_map(Node::scalar).collect(),
                before: example.before.iter().map(|(tool, args)| (tool.is.clone(), json(args))).collect(),
            });
        }
        examples
    }

    /// What the cluster of an example says.
    fn given(&mut self, example: &ExampleSpec) {
        for (name, node) in &example.given {
            let good = match name.is.as_str() {
                "kind" => {
                    if let Some(word) = node.scalar() {
                        self.kind(&Text { at: node.at, is: word });
                        continue;
                    }
                    false
                }
                "running" => matches!(node.value, Yaml::Bool(_)),
                "vmid" | "nextid" => matches!(node.value, Yaml::Int(100..)),
                "node" | "digest" => node.scalar().is_some(),
                _ => {
                    self.diagnostics
                        .report(name.at, format!("`{}` is nothing that the cluster says", name.is))
                        .near(&name.is, GIVEN);
                    continue;
                }
            };
            if !good {
                let expected = match name.is.as_str() {
                    "running" => "true or false",
                    "vmid" | "nextid" => "the id of a guest, 100 or more",
                    _ => "text",
                };
                self.diagnostics.report(node.at, format!("`{}` is {expected}, not {}", name.is, node.kind()));
            }
        }
    }

    /// The calls that come before examples; `toolsets` hold the tools without a mistake.
    pub(super) fn calls_before(&mut self, toolsets: &[Toolset]) {
        let spec = self.spec;
        let examples = spec.toolsets.iter().flat_map(|toolset| &toolset.tools).flat_map(|tool| &tool.examples);
        for (name, args) in examples.flat_map(|example| &example.before) {
            self.known_tool(name);
            let tool = toolsets.iter().flat_map(|toolset| &toolset.tools).find(|tool| tool.name == name.is);
            if let Some(tool) = tool {
                self.call_of(name.at, args, &[], tool);
            }
        }
    }

    /// A word that must be the name of a tool.
    pub(super) fn known_tool(&mut self, name: &Text) {
        let names: Vec<Text> = self.tool_names().cloned().collect();
        if !names.iter().any(|one| one.is == name.is) {
            self.diagnostics
                .report(name.at, format!("`{}` is not a tool of this catalogue", name.is))
                .near(&name.is, names.iter().map(|one| one.is.as_str()));
        }
    }

    /// One call of a checked tool; the arguments in `given` get values that nobody knows yet.
    pub(super) fn call_of(&mut self, at: Span, args: &[(Text, Node)], given: &[&Text], tool: &Tool) {
        for name in given {
            self.known_argument(name, &tool.arguments);
        }
        self.written_call(at, args, given, &tool.arguments, &tool.routes, &tool.guards);
    }

    /// One call: known arguments with values they take, and no required one missing.
    fn written_call(
        &mut self,
        at: Span,
        args: &[(Text, Node)],
        given: &[&Text],
        arguments: &[Argument],
        routes: &[Route],
        guards: &[Guard],
    ) {
        let mut unknown = Vec::new();
        for (name, node) in args {
            let Some(argument) = arguments.iter().find(|argument| argument.name == name.is) else {
                self.known_argument(name, arguments);
                unknown.push(name.is.as_str());
                continue;
            };
            let params: Vec<&'static Param> = argument.facts.iter().map(|(_, param)| *param).collect();
            if let Some(mismatch) = mismatch(node, argument.form, &argument.rule, &params) {
                mismatch.report(&format!("`{}` does not take this", name.is), self.diagnostics);
            }
            match (argument.form, &node.value) {
                (Form::Rest, Yaml::Map(pairs)) => {
                    for (key, value) in pairs {
                        self.rest_pair(&Text { at: key.at, is: key.text.clone() }, value, argument, arguments, routes);
                    }
                }
                (Form::Expect, Yaml::Map(pairs)) => {
                    for (key, _) in pairs {
                        self.expected_field(&Text { at: key.at, is: key.text.clone() }, guards);
                    }
                }
                _ => {}
            }
        }
        for argument in arguments.iter().filter(|argument| argument.required) {
            let name = argument.name.as_str();
            // A misspelt name is reported as such.
            let misspelt = unknown.iter().any(|unknown| proxmox_spec::nearest(unknown, [name]).is_some());
            let here = args.iter().map(|(one, _)| one).chain(given.iter().copied()).any(|one| one.is == name);
            if !misspelt && !here {
                self.diagnostics.report(at, format!("the required argument `{name}` is missing here"));
            }
        }
    }

    /// A parameter inside a `rest` argument.
    fn rest_pair(&mut self, key: &Text, value: &Node, rest: &Argument, arguments: &[Argument], routes: &[Route]) {
        if let Some((_, why)) = rest.rule.except.iter().find(|(name, _)| *name == key.is) {
            self.diagnostics.report(key.at, format!("`{}` does not take `{}`", rest.name, key.is)).help(why.clone());
            return;
        }
        if let Some(own) = arguments.iter().find(|one| super::bare(&one.name) == super::bare(&key.is)) {
            self.diagnostics
                .report(key.at, format!("`{}` is an argument of its own", key.is))
                .help(format!("write `{}: …` beside `{}`", own.name, rest.name));
            return;
        }
        let params: Vec<&'static Param> =
            routes.iter().filter_map(|route| route.request.method.param(&key.is)).collect();
        let Some(param) = params.first() else {
            let names: Vec<String> = routes.iter().flat_map(|route| names(route.request.method, &key.is)).collect();
            self.diagnostics
                .report(key.at, format!("`{}` is no parameter of the call", key.is))
                .near(&key.is, names.iter().map(String::as_str));
            return;
        };
        if let Some(mismatch) = api(value, param, &key.is)
            && params.iter().all(|param| api(value, param, &key.is).is_some())
        {
            mismatch.report(&format!("the API does not take this for `{}`", key.is), self.diagnostics);
        }
    }

    /// A field that must still have its value.
    fn expected_field(&mut self, key: &Text, guards: &[Guard]) {
        for guard in guards {
            if let Guard::Digest { request, expect: Some(_), .. } = guard {
                self.known_row_field(request.method, key);
            }
        }
    }
}

/// Pairs as a JSON object.
pub(super) fn json(pairs: &[(Text, Node)]) -> Json {
    Json::Object(pairs.iter().map(|(name, node)| (name.is.clone(), node.json())).collect())
}
