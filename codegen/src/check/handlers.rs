//! Tools whose plan is made by hand: a search, a description, the generic call, a call of another tool.
//!
//! Knows the closed list of handlers and the arguments that each of them reads; must not know what they do.

use super::Checker;
use super::routes::Drafts;
use crate::catalogue::*;
use crate::spec::{Text, ToolSpec};
use proxmox_spec::Effect;
use serde_json::Value as Json;

/// The functions of the server's `handlers`, each with the arguments that it reads.
const HANDLERS: &[(&str, &[(&str, Form)])] = &[
    ("planned_call", &[("tool", Form::Text), ("arguments", Form::Object)]),
    ("confirmed_call", &[("tool", Form::Text), ("arguments", Form::Object), ("seal", Form::Text)]),
    ("search_methods", &[("query", Form::Text), ("limit", Form::Integer)]),
    ("describe_method", &[("method", Form::Text), ("path", Form::Text), ("param", Form::List)]),
    (
        "request",
        &[
            ("method", Form::Text),
            ("path", Form::Text),
            ("params", Form::Object),
            ("limit", Form::Integer),
            ("offset", Form::Integer),
            ("fields", Form::List),
            ("wait", Form::Integer),
        ],
    ),
];

impl Checker<'_> {
    /// A tool with a handler in the place of a call.
    pub(super) fn handled(&mut self, spec: &ToolSpec, word: &Text) -> Option<Tool> {
        let known = HANDLERS.iter().find(|(name, _)| *name == word.is);
        if known.is_none() {
            self.diagnostics
                .report(word.at, format!("`{}` is not a handler", word.is))
                .near(&word.is, HANDLERS.iter().map(|(name, _)| *name));
        }
        self.alone(spec, word);
        let drafts = Drafts { list: Vec::new(), ask: None, unsupported: Vec::new() };
        let arguments = self.arguments(spec, &drafts, false);
        if let Some((_, reads)) = known {
            self.read_by(word, reads, &arguments);
        }
        let Some(schema) = spec.schema.as_ref().map(crate::tree::Node::json) else {
            self.diagnostics
                .report(word.at, "no facts describe the answer of a handler")
                .help("write `schema: {type: object, properties: {…}}`");
            return None;
        };
        if schema.get("type").and_then(Json::as_str) != Some("object") {
            let at = spec.schema.as_ref().map_or(word.at, |node| node.at);
            self.diagnostics.report(at, "the answer of a tool is an object").help("write `type: object`");
        }
        let effect = spec.effect.as_ref().map_or(Effect::None, |effect| effect.is);
        let names = self.alias_names(spec, &arguments);
        let examples = self.examples(spec, &arguments, &[], &[]);
        Some(Tool {
            name: spec.name.is.clone(),
            title: spec.title.as_ref()?.is.clone(),
            doc: super::tool::unwrapped(&spec.doc.as_ref()?.is),
            tier: spec.tier.as_ref()?.is,
            effect,
            because: spec.because.clone(),
            core: spec.core.is_some(),
            line: spec.name.at.line,
            arguments,
            locate: Locate::Nothing,
            routes: Vec::new(),
            handler: Some(Handler {
                name: word.is.clone(),
                schema,
                most: spec.most.as_ref().map_or(effect, |most| most.is),
            }),
            unsupported: Vec::new(),
            waiter: None,
            told: Vec::new(),
            guards: Vec::new(),
            hints: spec.hints.iter().map(super::hint).collect(),
            names,
            examples,
        })
    }

    /// What belongs to a call has no place beside a handler.
    fn alone(&mut self, spec: &ToolSpec, word: &Text) {
        let beside = [
            ("call", spec.call.is_some()),
            ("cases", !spec.cases.is_empty()),
            ("unsupported", !spec.unsupported.is_empty()),
            ("fixed", !spec.fixed.all.is_empty() || !spec.fixed.per_kind.is_empty()),
            ("derive", !spec.derive.is_empty()),
            ("also", !spec.also.is_empty()),
            ("wait", spec.wait.is_some()),
            ("answers", !spec.answers.is_empty()),
            ("returns", spec.returns.is_some()),
            ("guard", spec.guard.is_some()),
        ];
        for (key, _) in beside.iter().filter(|(_, written)| *written) {
            self.diagnostics
                .report(word.at, format!("a tool has `{key}` or a handler, not both"))
                .help(format!("delete `{key}`, or `handler`"));
        }
    }

    /// A handler reads exactly its arguments.
    fn read_by(&mut self, word: &Text, reads: &[(&str, Form)], arguments: &[Argument]) {
        let list = || reads.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let fits = |argument: &Argument| {
            let choice = |form: Form| if form == Form::Choice { Form::Text } else { form };
            reads.iter().any(|(name, form)| *name == argument.name && choice(argument.form) == choice(*form))
        };
        let strange = arguments.iter().find(|argument| !fits(argument));
        let missing = reads.iter().find(|(name, _)| !arguments.iter().any(|one| one.name == *name));
        // An argument with a mistake of its own is not reported again.
        if let Some(name) = strange.map(|one| one.name.as_str()).or(missing.map(|(name, _)| *name))
            && !self.broken.contains(name)
        {
            self.diagnostics
                .report(word.at, format!("the handler `{}` and this tool differ in the argument `{name}`", word.is))
                .help(format!("it reads {}", list()));
        }
    }
}
