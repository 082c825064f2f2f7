//! Completions, resources, prompts, instructions: every name in them exists, and every place can be filled.

use super::routes::expand;
use super::uses::unused;
use super::{ARGUMENT_DOC, Checker, DOC, TITLE, words};
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::path::PartKind;
use crate::spec::{CompletionSpec, PromptSpec, ResourceSpec, StepSpec, Text};
use crate::tree::Node;
use proxmox_spec::{Effect, Tier, Verb};
use std::collections::BTreeSet;

/// Where every URI begins.
const SCHEME: &str = "proxmox://";

/// What an instruction can depend on.
pub(crate) const CONDITIONS: [&str; 15] = [
    "sandbox",
    "real",
    "several",
    "changes",
    "looks",
    "dialect",
    "read",
    "operate",
    "configure",
    "admin",
    "ask",
    "seal",
    "elicit-only",
    "off",
    "cancel-stops-tasks",
];

/// What an instruction can say of the settings.
const PLACES: [&str; 3] = ["tier", "dialect", "clusters"];

/// The completion whose value is a guest.
pub(crate) const GUEST: &str = "guest";

impl Checker<'_> {
    pub(super) fn completions(&mut self) -> Vec<Completion> {
        let spec = self.spec;
        spec.completions.iter().filter_map(|one| self.completion(one)).collect()
    }

    fn completion(&mut self, spec: &CompletionSpec) -> Option<Completion> {
        let call = spec.call.as_ref()?;
        if call.verb != Verb::Get {
            self.diagnostics.report(call.at, "a completion is read by GET");
            return None;
        }
        // Names of other kinds stand in the place of the API's parameters; `{guest}` is spelled out for both kinds.
        let methods: Vec<_> =
            Kind::ALL.into_iter().map(|kind| call.method(&expand(call, Some(kind)), self.diagnostics)).collect();
        let method = methods.into_iter().collect::<Option<Vec<_>>>()?.into_iter().next()?;
        let verdict = method.verdict();
        if verdict.tier > Tier::Read {
            self.diagnostics
                .report(call.at, format!("GET {} needs the tier `{}`", method.path, verdict.tier))
                .help("a completion is read at every tier");
        }
        let mut path = Vec::new();
        for part in &call.parts {
            path.push(match &part.kind {
                PartKind::Literal(text) => Place::Literal(text.clone()),
                PartKind::Placeholder(name) => {
                    self.kind_of_name(name, part.at);
                    if name == GUEST { Place::Guest } else { Place::Given(name.clone()) }
                }
            });
        }
        let fixed = self.constants(&spec.fixed, None, method).into_iter().filter_map(|send| match send.from {
            From::Fixed(value) => Some((send.name, value)),
            _ => None,
        });
        let fixed = fixed.collect();
        for field in spec.values.iter().chain(spec.only.iter().map(|(field, _)| field)) {
            self.known_row_field(method, field);
        }
        for (field, _) in &spec.drop {
            self.known_row_field(method, field);
        }
        let mut only = Vec::new();
        for (field, place) in &spec.only {
            let Some(kind) = place.is.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                self.diagnostics.report(place.at, "expected a placeholder").help("write \"{node}\"");
                continue;
            };
            self.kind_of_name(kind, place.at);
            only.push((field.is.clone(), kind.to_owned()));
        }
        let is = |texts: &[Text]| texts.iter().map(|text| text.is.clone()).collect::<Vec<_>>();
        let drop = spec.drop.iter().map(|(field, values)| (field.is.clone(), is(values))).collect();
        Some(Completion { name: spec.name.is.clone(), path, fixed, values: is(&spec.values), only, drop })
    }

    /// A word that must be the name of a completion.
    fn kind_of_name(&mut self, name: &str, at: Span) {
        let all = self.spec.completions.iter().map(|one| one.name.is.as_str());
        if !all.clone().any(|one| one == name) {
            self.diagnostics.report(at, format!("`{name}` is not a completion of this catalogue")).near(name, all);
        }
        self.completed.insert(name.to_owned());
    }

    /// Completions that nothing asks for.
    pub(super) fn completion_uses(&mut self) {
        let spec = self.spec;
        let known = |name: &String| spec.completions.iter().any(|one| one.name.is == *name);
        let wanted: Vec<String> = self.completed.iter().filter(|name| !known(name)).cloned().collect();
        for one in &spec.completions {
            if !self.completed.contains(&one.name.is) {
                let message = format!("no prompt and no resource uses the completion `{}`", one.name.is);
                let report = self.diagnostics.report(one.name.at, message);
                unused(report.near(&one.name.is, wanted.iter().map(String::as_str)), "delete it");
            }
        }
    }

    pub(super) fn resources(&mut self, toolsets: &[Toolset]) -> Vec<Resource> {
        let spec = self.spec;
        let mut shapes: Vec<(Vec<Option<&str>>, &Text)> = Vec::new();
        for resource in &spec.resources {
            let Some((uri, _)) = &resource.uri else { continue };
            let shape: Vec<Option<&str>> =
                uri.is.split('/').map(|part| (!part.starts_with('{')).then_some(part)).collect();
            // A literal may stand where another has a placeholder: it wins.
            if let Some((_, first)) = shapes.iter().find(|(one, _)| *one == shape) {
                self.diagnostics
                    .report(uri.at, format!("every URI of this form is `{}` already", first.is))
                    .note(format!("on line {}", first.at.line));
            }
            shapes.push((shape, &resource.name));
        }
        spec.resources.iter().filter_map(|one| self.resource(one, toolsets)).collect()
    }

    fn resource(&mut self, spec: &ResourceSpec, toolsets: &[Toolset]) -> Option<Resource> {
        self.heading(spec.title.as_ref(), spec.doc.as_ref());
        let (uri, node) = spec.uri.as_ref()?;
        let (before, path) = uri.is.split_at(uri.is.find("://").map_or(0, |at| at + 3));
        if before != SCHEME {
            self.diagnostics
                .report(uri.at, format!("a URI begins with `{SCHEME}`"))
                .help(format!("write \"{SCHEME}{path}\""));
        }
        let (mut places, mut offset) = (Vec::new(), before.chars().count());
        for part in path.split('/') {
            let at = node.part(offset, part.len().max(1));
            offset += part.len() + 1;
            if let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                self.kind_of_name(name, at);
                places.push((name.to_owned(), at));
            } else if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                self.diagnostics.report(at, "a segment of a URI is a word in small letters, or one placeholder");
            }
        }
        let name = spec.tool.as_ref()?;
        let tool = self.tool_named(name, toolsets)?;
        if tool.tier != Tier::Read || tool.most() != Effect::None || tool.handler.is_some() {
            self.diagnostics
                .report(name.at, format!("`{}` is no plain read", name.is))
                .help("a resource is what a tool of tier read answers");
        }
        let known: Vec<(&str, Option<&Node>)> = places.iter().map(|(name, _)| (name.as_str(), None)).collect();
        let args = self.places_in(&spec.args, &known);
        self.offered_call(name.at, &spec.args, &known, tool);
        for (place, at) in &places {
            if !args.iter().any(|(_, given)| matches!(given, Given::Place(name) if name == place)) {
                self.diagnostics
                    .report(*at, format!("no argument takes `{{{place}}}`"))
                    .help(format!("write `args: {{…: \"{{{place}}}\"}}`"));
            }
        }
        Some(Resource {
            name: spec.name.is.clone(),
            uri: uri.is.clone(),
            title: words(spec.title.as_ref()),
            doc: words(spec.doc.as_ref()),
            tool: name.is.clone(),
            args,
        })
    }

    pub(super) fn prompts(&mut self, toolsets: &[Toolset]) -> Vec<Prompt> {
        let spec = self.spec;
        spec.prompts.iter().map(|one| self.prompt(one, toolsets)).collect()
    }

    fn prompt(&mut self, spec: &PromptSpec, toolsets: &[Toolset]) -> Prompt {
        self.heading(spec.title.as_ref(), spec.doc.as_ref());
        let mut args = Vec::new();
        for one in &spec.args {
            self.not_reserved(&one.name.is, one.name.at);
            if let Some(doc) = &one.doc {
                self.length(doc.at, "doc", &doc.is, ARGUMENT_DOC);
            }
            if let Some(kind) = &one.completes {
                self.kind_of_name(&kind.is, kind.at);
            }
            args.push(PromptArgument {
                name: one.name.is.clone(),
                doc: words(one.doc.as_ref()),
                required: one.required,
                completes: one.completes.as_ref().map(|kind| kind.is.clone()),
                example: one.example.as_ref().map(Node::json).unwrap_or_default(),
            });
        }
        let mut used = BTreeSet::new();
        let steps: Vec<Step> = spec.steps.iter().map(|step| self.step(spec, step, toolsets, &mut used)).collect();
        for one in &spec.args {
            if !used.contains(&one.name.is) {
                let known = |name: &&String| spec.args.iter().any(|one| one.name.is == **name);
                let wanted = used.iter().filter(|name| !known(name)).map(String::as_str);
                let message = format!("no step uses the argument `{}`", one.name.is);
                unused(self.diagnostics.report(one.name.at, message).near(&one.name.is, wanted), "delete it");
            }
        }
        Prompt {
            name: spec.name.is.clone(),
            title: words(spec.title.as_ref()),
            doc: words(spec.doc.as_ref()),
            args,
            steps,
        }
    }

    fn step(
        &mut self,
        prompt: &PromptSpec,
        step: &StepSpec,
        toolsets: &[Toolset],
        used: &mut BTreeSet<String>,
    ) -> Step {
        let names: Vec<&str> = prompt.args.iter().map(|one| one.name.is.as_str()).collect();
        for condition in step.when.iter().chain(&step.unless) {
            self.place(&condition.is, condition.at, &names);
            used.insert(condition.is.clone());
        }
        // What is there whenever the step is.
        let certain = |name: &str| {
            let required = prompt.args.iter().any(|one| one.name.is == name && one.required);
            required || step.when.as_ref().is_some_and(|when| when.is == name)
        };
        let examples: Vec<(&str, Option<&Node>)> =
            prompt.args.iter().map(|one| (one.name.is.as_str(), one.example.as_ref())).collect();
        let args = self.places_in(&step.args, &examples);
        used.extend(args.iter().filter_map(|(_, given)| match given {
            Given::Place(name) => Some(name.clone()),
            Given::Fixed(_) => None,
        }));
        if let Some(name) = &step.tool
            && let Some(tool) = self.tool_named(name, toolsets)
        {
            self.offered_call(name.at, &step.args, &examples, tool);
            for (argument, given) in &args {
                if let Given::Place(place) = given
                    && names.contains(&place.as_str())
                    && !certain(place)
                    && tool.argument(argument).is_some_and(|one| one.required)
                {
                    self.diagnostics
                        .report(name.at, format!("`{argument}` is required, and `{place}` may be left out"))
                        .help(format!("write `when: {place}`, or make `{place}` required"));
                }
            }
        } else if step.tool.is_none() && !step.args.is_empty() {
            self.diagnostics.report(step.at, "arguments without a tool").help("write `tool: …`");
        }
        let say = step.say.as_ref().map(|(text, node)| self.sentence(text, node, &names)).unwrap_or_default();
        for word in &say {
            let Word::Given(name) = word else { continue };
            used.insert(name.clone());
            if names.contains(&name.as_str()) && !certain(name) {
                let at = step.say.as_ref().map_or(step.at, |(text, _)| text.at);
                self.diagnostics
                    .report(at, format!("the sentence needs `{name}`, which may be left out"))
                    .help(format!("write `when: {name}`"));
            }
        }
        Step {
            tool: step.tool.as_ref().map(|tool| tool.is.clone()),
            args,
            when: step.when.as_ref().map(|name| name.is.clone()),
            unless: step.unless.as_ref().map(|name| name.is.clone()),
            optional: step.optional,
            say,
        }
    }

    pub(super) fn instructions(&mut self) -> Vec<Instruction> {
        let spec = self.spec;
        let mut list = Vec::new();
        for one in &spec.instructions {
            for word in &one.when {
                if !CONDITIONS.contains(&word.is.as_str()) {
                    self.diagnostics
                        .report(word.at, format!("`{}` is nothing that an instruction can depend on", word.is))
                        .near(&word.is, CONDITIONS);
                }
            }
            let say = one.say.as_ref().map(|(text, node)| self.sentence(text, node, &PLACES)).unwrap_or_default();
            list.push(Instruction { when: one.when.iter().map(|word| word.is.clone()).collect(), say });
        }
        list
    }

    /// A sentence by its parts: text, `{places}`, and tools in backticks.
    fn sentence(&mut self, text: &Text, node: &Node, places: &[&str]) -> Vec<Word> {
        let mut parts = Vec::new();
        let mut rest = text.is.trim_end();
        let mut offset = 0;
        while let Some(start) = rest.find(['{', '`']) {
            let (before, from) = rest.split_at(start);
            let (open, close) = if from.starts_with('{') { ('{', '}') } else { ('`', '`') };
            offset += before.chars().count() + 1;
            let Some((name, after)) = from.get(1..).and_then(|inner| inner.split_once(close)) else {
                self.diagnostics.report(text.at, format!("a `{open}` is not closed"));
                return parts;
            };
            if !before.is_empty() {
                parts.push(Word::Text(before.to_owned()));
            }
            let at = node.part(offset, name.chars().count().max(1));
            if open == '{' {
                self.place(name, at, places);
                parts.push(Word::Given(name.to_owned()));
            } else {
                let names: Vec<String> = self.tool_names().map(|name| name.is.clone()).collect();
                if !names.iter().any(|one| one == name) {
                    self.diagnostics
                        .report(at, format!("`{name}` is not a tool of this catalogue"))
                        .near(name, names.iter().map(String::as_str));
                }
                parts.push(Word::Tool(name.to_owned()));
            }
            offset += name.chars().count() + 1;
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Word::Text(rest.to_owned()));
        }
        parts
    }

    fn place(&mut self, name: &str, at: Span, places: &[&str]) {
        if !places.contains(&name) {
            self.diagnostics
                .report(at, format!("`{name}` is nothing that is given here"))
                .near(name, places.iter().copied());
        }
    }

    /// The arguments of a call that is offered; a text that is one `{place}` stands for what is given.
    fn places_in(&mut self, args: &[(Text, Node)], places: &[(&str, Option<&Node>)]) -> Vec<(String, Given)> {
        let names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
        let mut list = Vec::new();
        for (argument, node) in args {
            let given = match place_of(node) {
                Some(name) => {
                    self.place(&name, node.part(1, name.chars().count().max(1)), &names);
                    Given::Place(name)
                }
                None => Given::Fixed(node.json()),
            };
            list.push((argument.is.clone(), given));
        }
        list
    }

    /// The call itself: with examples in the places, as far as there are any.
    fn offered_call(&mut self, at: Span, args: &[(Text, Node)], places: &[(&str, Option<&Node>)], tool: &Tool) {
        let (mut filled, mut unfilled) = (Vec::new(), Vec::new());
        for (argument, node) in args {
            let Some(name) = place_of(node) else {
                filled.push((argument.clone(), node.clone()));
                continue;
            };
            match places.iter().find(|(place, _)| *place == name) {
                Some((_, Some(example))) => filled.push((argument.clone(), (*example).clone())),
                // A place that is none was reported.
                _ => unfilled.push(argument),
            }
        }
        self.call_of(at, &filled, &unfilled, tool);
    }

    /// The tool of this name; `None` when there is none, or when it has a mistake of its own.
    fn tool_named<'t>(&mut self, name: &Text, toolsets: &'t [Toolset]) -> Option<&'t Tool> {
        self.known_tool(name);
        toolsets.iter().flat_map(|toolset| &toolset.tools).find(|tool| tool.name == name.is)
    }

    fn heading(&mut self, title: Option<&Text>, doc: Option<&Text>) {
        if let Some(title) = title {
            self.length(title.at, "title", &title.is, TITLE);
        }
        if let Some(doc) = doc {
            self.length(doc.at, "doc", &doc.is, DOC);
        }
    }
}

/// `{name}` and nothing else.
fn place_of(node: &Node) -> Option<String> {
    let text = node.scalar()?;
    Some(text.strip_prefix('{')?.strip_suffix('}')?.to_owned())
}

/// The calls of a prompt's steps with its examples, for the docs.
pub(crate) fn example_call(prompt: &Prompt, step: &Step) -> serde_json::Value {
    let example = |name: &str| prompt.args.iter().find(|one| one.name == name).map(|one| one.example.clone());
    let args = step.args.iter().map(|(argument, given)| {
        let value = match given {
            Given::Fixed(value) => value.clone(),
            Given::Place(name) => example(name).unwrap_or_default(),
        };
        (argument.clone(), value)
    });
    serde_json::Value::Object(args.collect())
}
