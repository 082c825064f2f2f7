//! Tree → [`Spec`](crate::spec::Spec): completions, resources, prompts, instructions.

use super::{Object, Reader, text};
use crate::spec::*;
use crate::tree::{Key, Node, Yaml};

impl Reader<'_> {
    pub(super) fn offers(&mut self, fields: &mut Object<'_>, spec: &mut Spec) {
        for (key, node) in self.entries(fields.take("completions")) {
            spec.completions.extend(self.completion(key, node));
        }
        for (key, node) in self.entries(fields.take("resources")) {
            spec.resources.extend(self.resource(key, node));
        }
        for (key, node) in self.entries(fields.take("prompts")) {
            spec.prompts.extend(self.prompt(key, node));
        }
        for node in self.items(fields.take("instructions")) {
            spec.instructions.extend(self.instruction(node));
        }
    }

    fn completion(&mut self, key: &Key, node: &Node) -> Option<CompletionSpec> {
        let mut object = self.object(node, "a completion")?;
        let call = self.call(object.take("call"));
        let fixed = self.fixed(object.take("fixed"));
        let values = self.text_list(object.take("values"));
        let only = self.texts(object.take("only"));
        let entries = self.entries(object.take("drop"));
        let drop = entries.into_iter().map(|(key, node)| (text(key), self.text_list(Some(node)))).collect();
        self.need(&object, key.at, "call", "call: GET /nodes");
        self.need(&object, key.at, "values", "values: node");
        self.close(object);
        Some(CompletionSpec { name: text(key), call, fixed, values, only, drop })
    }

    fn resource(&mut self, key: &Key, node: &Node) -> Option<ResourceSpec> {
        let mut object = self.object(node, "a resource")?;
        let uri = self.sentence(object.take("uri"));
        let (title, doc) = (self.text(object.take("title")), self.text(object.take("doc")));
        let tool = self.text(object.take("tool"));
        let args = self.nodes(object.take("args"));
        self.need(&object, key.at, "uri", "uri: \"proxmox://node/{node}\"");
        self.need(&object, key.at, "title", "title: Node");
        self.need(&object, key.at, "doc", "doc: One node in detail.");
        self.need(&object, key.at, "tool", "tool: get_node_status");
        self.close(object);
        Some(ResourceSpec { name: text(key), uri, title, doc, tool, args })
    }

    fn prompt(&mut self, key: &Key, node: &Node) -> Option<PromptSpec> {
        let mut object = self.object(node, "a prompt")?;
        let (title, doc) = (self.text(object.take("title")), self.text(object.take("doc")));
        let mut args = Vec::new();
        for (key, node) in self.entries(object.take("args")) {
            let Some(mut argument) = self.object(node, "an argument of a prompt") else { continue };
            let doc = self.text(argument.take("doc"));
            let required = self.flag(argument.take("required")).unwrap_or(false);
            let completes = self.text(argument.take("completes"));
            let example = argument.take("example").cloned();
            self.need(&argument, key.at, "doc", "doc: Name of the node.");
            self.need(&argument, key.at, "example", "example: pve1");
            self.close(argument);
            args.push(PromptArgSpec { name: text(key), doc, required, completes, example });
        }
        let mut steps = Vec::new();
        let list = object.take("steps");
        for node in self.items(list) {
            steps.extend(self.step(node));
        }
        if let Some(Node { value: Yaml::List(items), at, .. }) = list
            && items.is_empty()
        {
            self.diagnostics.report(*at, format!("the prompt `{}` has no steps", key.text)).help("delete it");
        }
        self.need(&object, key.at, "title", "title: Back up and migrate");
        self.need(&object, key.at, "doc", "doc: Back a guest up and move it.");
        self.need(&object, key.at, "steps", "steps: [{tool: start_guest, args: {vmid: \"{vmid}\"}, say: Start it.}]");
        self.close(object);
        Some(PromptSpec { name: text(key), title, doc, args, steps })
    }

    /// A sentence alone, or with the call that it is about.
    fn step(&mut self, node: &Node) -> Option<StepSpec> {
        let mut step = StepSpec {
            at: node.at,
            tool: None,
            args: Vec::new(),
            when: None,
            unless: None,
            optional: false,
            say: None,
        };
        if let Yaml::Text(_) = node.value {
            step.say = self.sentence(Some(node));
            return Some(step);
        }
        let mut object = self.object(node, "a step")?;
        step.tool = self.text(object.take("tool"));
        step.args = self.nodes(object.take("args"));
        step.when = self.text(object.take("when"));
        step.unless = self.text(object.take("unless"));
        step.optional = self.flag(object.take("optional")).unwrap_or(false);
        step.say = self.sentence(object.take("say"));
        self.need(&object, node.at, "say", "say: Start it.");
        self.close(object);
        Some(step)
    }

    fn instruction(&mut self, node: &Node) -> Option<InstructionSpec> {
        if let Yaml::Text(_) = node.value {
            return Some(InstructionSpec { when: Vec::new(), say: self.sentence(Some(node)) });
        }
        let mut object = self.object(node, "an instruction")?;
        let when = self.text_list(object.take("when"));
        let say = self.sentence(object.take("say"));
        self.need(&object, node.at, "say", "say: Sizes are bytes.");
        self.close(object);
        Some(InstructionSpec { when, say })
    }

    /// Text with places in it, whose source is kept.
    fn sentence(&mut self, node: Option<&Node>) -> Option<(Text, Node)> {
        let node = node?;
        Some((self.text(Some(node))?, node.clone()))
    }
}
