//! One tool: its routes, what it may do, and how the parts fit.

use super::routes::{Drafts, names_guest};
use super::{Checker, DOC, TITLE, hint};
use crate::catalogue::*;
use crate::path::{Call, PartKind};
use crate::spec::{CallSpec, ToolSpec};
use proxmox_spec::{Effect, Method, Tier, Upid, Verb};

impl Checker<'_> {
    pub(super) fn tool(&mut self, spec: &ToolSpec) -> Option<Tool> {
        let before = self.diagnostics.len();
        self.broken.clear();
        self.tool_texts(spec);
        self.argument_words(spec);
        if let Some(handler) = &spec.handler {
            return self.handled(spec, handler);
        }
        self.only_handled(spec);
        let drafts = self.drafts(spec);
        let Drafts { list, ask, unsupported } = &drafts;
        if list.is_empty() {
            return None;
        }
        let methods: Vec<&'static Method> = list.iter().map(|draft| draft.method).collect();
        let effect = self.permission(spec, &methods);
        let waiter = self.waiter(spec, &methods);
        let mut arguments = self.arguments(spec, &drafts, waiter.is_some());
        let routes = self.routes(spec, &drafts, &mut arguments, waiter.is_some());
        rest_leaves_out(&mut arguments, &routes);
        let locate = match ask {
            Some((ask, volid)) => Locate::Archive(self.ask(spec, ask, volid, &arguments)?),
            None if calls(spec).any(names_guest) => Locate::Guest,
            None => Locate::Nothing,
        };
        let guards = self.guards(spec, &arguments, &routes);
        let told = self.told(spec, &routes, waiter.as_deref());
        let names = self.alias_names(spec, &arguments);
        let examples = self.examples(spec, &arguments, &routes, &guards);
        // A tool with a mistake sends something else.
        if self.diagnostics.len() == before {
            self.sends(spec, &arguments, locate_request(&locate), &routes, &guards);
        }
        Some(Tool {
            name: spec.name.is.clone(),
            title: spec.title.as_ref()?.is.clone(),
            doc: unwrapped(&spec.doc.as_ref()?.is),
            core: spec.core.is_some(),
            tier: spec.tier.as_ref()?.is,
            effect,
            because: spec.because.clone(),
            line: spec.name.at.line,
            arguments,
            locate,
            routes,
            handler: None,
            unsupported: unsupported.clone(),
            waiter,
            told,
            guards,
            hints: spec.hints.iter().map(hint).collect(),
            names,
            examples,
        })
    }

    /// What only a handler needs: a call has it from the facts.
    fn only_handled(&mut self, spec: &ToolSpec) {
        let places =
            [("schema", spec.schema.as_ref().map(|node| node.at)), ("most", spec.most.as_ref().map(|most| most.at))];
        for (key, at) in places {
            if let Some(at) = at {
                self.diagnostics
                    .report(at, format!("`{key}` is for a tool with a handler; of a call the facts tell it"))
                    .help("delete it");
            }
        }
    }

    fn tool_texts(&mut self, spec: &ToolSpec) {
        let name = &spec.name;
        let good = name.is.starts_with(|c: char| c.is_ascii_lowercase())
            && name.is.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && (3..=40).contains(&name.is.len());
        if !good {
            self.diagnostics
                .report(name.at, format!("`{}` is not a tool name", name.is))
                .help("3 to 40 lower-case letters, digits and underscores, a letter first");
        }
        if let Some(title) = &spec.title {
            self.length(title.at, "title", &title.is, TITLE);
        }
        if let Some(doc) = &spec.doc {
            self.length(doc.at, "doc", &doc.is, DOC);
        }
    }

    /// Tier and effect against the methods and the danger list.
    fn permission(&mut self, spec: &ToolSpec, methods: &[&'static Method]) -> Effect {
        let derived = if methods.iter().all(|method| method.verb == Verb::Get) {
            Some(Effect::None)
        } else if methods.iter().any(|method| method.verb == Verb::Delete) {
            Some(Effect::Destroys)
        } else {
            None
        };
        let effect = match (&spec.effect, derived) {
            (Some(effect), _) => effect.is,
            (None, Some(derived)) => derived,
            (None, None) if spec.effect_unknown => Effect::Destroys,
            (None, None) => {
                self.diagnostics
                    .report(spec.name.at, format!("`{}` changes something and does not say how much", spec.name.is))
                    .help("write `effect: changes`, `interrupts` or `destroys`");
                Effect::Destroys
            }
        };
        if let (Some(effect), None) = (&spec.effect, &spec.because) {
            let deletes = methods.iter().find(|method| method.verb == Verb::Delete);
            let writes = methods.iter().find(|method| method.verb != Verb::Get);
            if let Some(method) = deletes.filter(|_| effect.is < Effect::Destroys) {
                self.diagnostics
                    .report(effect.at, format!("{} {} destroys, unless there is a reason", method.verb, method.path))
                    .help("write `because: …`, or leave `effect` out");
            } else if let Some(method) = writes.filter(|_| effect.is == Effect::None) {
                self.diagnostics
                    .report(
                        effect.at,
                        format!("{} {} changes something, unless there is a reason", method.verb, method.path),
                    )
                    .help("write `because: …`, or `effect: changes`");
            }
        }
        let Some(tier) = &spec.tier else { return effect };
        for method in methods {
            if tier.is == Tier::Read && method.verb != Verb::Get {
                self.diagnostics
                    .report(
                        tier.at,
                        format!("at `read` nothing but GET may be sent, and this tool sends {}", method.verb),
                    )
                    .help("write `operate`, `configure` or `admin`");
                return effect;
            }
            if method.verb == Verb::Delete && tier.is < Tier::Admin && spec.because.is_none() {
                self.diagnostics
                    .report(tier.at, "a DELETE below `admin` needs a reason")
                    .help("write `because: …`, or `tier: admin`");
                return effect;
            }
            if let Some(danger) = method.danger.filter(|danger| danger.values.is_empty()) {
                if tier.is < danger.tier {
                    self.diagnostics
                        .report(
                            tier.at,
                            format!("{} {} is on the danger list for `{}`", method.verb, method.path, danger.tier),
                        )
                        .help(format!("write `tier: {}`", danger.tier))
                        .note(danger.because);
                    return effect;
                }
                if effect < danger.effect {
                    let at = spec.effect.as_ref().map_or(spec.name.at, |effect| effect.at);
                    self.diagnostics
                        .report(
                            at,
                            format!("the danger list says that {} {} {}", method.verb, method.path, danger.effect),
                        )
                        .help(format!("write `effect: {}`", danger.effect))
                        .note(danger.because);
                    return effect;
                }
            }
        }
        effect
    }

    fn waiter(&mut self, spec: &ToolSpec, methods: &[&'static Method]) -> Option<String> {
        let known: Vec<&str> = self.spec.waiters.iter().map(|waiter| waiter.name.is.as_str()).collect();
        if let Some(wait) = &spec.wait {
            self.waited.insert(wait.is.clone());
            if !known.contains(&wait.is.as_str()) {
                self.diagnostics
                    .report(wait.at, format!("`{}` is not a waiter", wait.is))
                    .near(&wait.is, known.iter().copied());
            }
            self.waits_on(wait, methods);
            return Some(wait.is.clone());
        }
        let starts = methods.iter().any(|method| matches!(method.upid, Upid::Always | Upid::Optional));
        if starts && !known.contains(&"task") {
            self.diagnostics.report(spec.name.at, "this call starts a task, and there is no waiter `task`");
        }
        starts.then(|| {
            self.waited.insert("task".to_owned());
            "task".to_owned()
        })
    }

    /// Who waits, sorts and pages is known; what each route sends and answers is put together here.
    fn routes(&mut self, spec: &ToolSpec, drafts: &Drafts<'_>, arguments: &mut [Argument], waits: bool) -> Vec<Route> {
        let shapes: Vec<_> = drafts.list.iter().map(|draft| draft.method.returns).collect();
        let mut routes = Vec::new();
        for draft in &drafts.list {
            let request = self.request(spec, draft, arguments);
            let mut returns = self.returns(draft, &shapes, waits, arguments);
            for argument in arguments.iter() {
                if let Some(DefaultFrom::Read(_) | DefaultFrom::VolidVmid(_)) = argument.default_from {
                    let sent = request
                        .params
                        .iter()
                        .find(|send| matches!(&send.from, From::Argument(name) if *name == argument.name));
                    returns.echo.extend(sent.map(|send| (send.name.clone(), argument.name.clone())));
                }
            }
            let also = self.also(spec, draft.kind, arguments);
            routes.push(Route { kind: draft.kind, when: draft.when.clone(), request, also, returns });
        }
        routes
    }
}

/// Every call that a tool's entry names, guards and further reads included.
pub(super) fn calls(spec: &ToolSpec) -> impl Iterator<Item = &Call> {
    let main: Vec<&Call> = match &spec.call {
        Some(CallSpec::One(call)) => vec![call],
        Some(CallSpec::PerKind(calls)) => calls.iter().map(|(_, call)| call).collect(),
        None => spec.cases.iter().filter_map(|case| case.call.as_ref()).collect(),
    };
    main.into_iter().chain(reads(spec))
}

/// The reads around a tool's call.
pub(super) fn reads(spec: &ToolSpec) -> impl Iterator<Item = &Call> {
    let guard = spec.guard.iter();
    let digest = guard.clone().filter_map(|guard| guard.digest.as_ref());
    let absent = guard.filter_map(|guard| guard.absent.as_ref()).filter_map(|absent| absent.call.as_ref());
    let ask = spec.cases.iter().filter_map(|case| case.ask.as_ref()).filter_map(|ask| ask.call.as_ref());
    let also = spec.also.iter().filter_map(|also| also.call.as_ref());
    digest.chain(absent).chain(ask).chain(also)
}

/// The placeholders of a call, with their places.
pub(super) fn placeholders(call: &Call) -> impl Iterator<Item = (&str, crate::diagnostic::Span)> {
    call.parts.iter().filter_map(|part| match &part.kind {
        PartKind::Placeholder(name) => Some((name.as_str(), part.at)),
        PartKind::Literal(_) => None,
    })
}

/// A text block as one paragraph: the line breaks of the YAML mean nothing.
pub(super) fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The read that tells what the arguments do not.
fn locate_request(locate: &Locate) -> Option<&Request> {
    match locate {
        Locate::Archive(ask) => Some(&ask.request),
        _ => None,
    }
}

/// What the tool sends by itself is no part of its `rest`: it would be sent twice.
fn rest_leaves_out(arguments: &mut [Argument], routes: &[Route]) {
    for argument in arguments.iter_mut().filter(|argument| argument.form == Form::Rest) {
        for send in routes.iter().flat_map(|route| &route.request.params) {
            let why = match &send.from {
                From::Argument(name) | From::Digest(Some(name)) => format!("It is the argument `{name}` of this tool."),
                From::Fixed(_) | From::Vmid | From::Digest(None) => "This tool sets it by itself.".to_owned(),
                // Made only when its arguments are given: the decoder refuses both at once.
                From::Derived(_) | From::Rest(_) => continue,
            };
            if !argument.rule.except.iter().any(|(param, _)| *param == send.name) {
                argument.rule.except.push((send.name.clone(), why));
            }
        }
    }
}
