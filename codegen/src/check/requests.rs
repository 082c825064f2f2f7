//! What a tool's requests hold: path values, parameters, constants, derived texts; and the reads around them.

use super::routes::{Draft, GUEST_NODE, GUEST_VMID, expand, is_per_kind};
use super::{Checker, bare};
use crate::catalogue::*;
use crate::path::{Call, Part, PartKind};
use crate::spec::{AskSpec, FixedSpec, PerKind, Text, ToolSpec};
use proxmox_spec::{Method, Param};

/// The names by which the API may know an argument on a route.
pub(super) fn wire<'m>(
    method: &'m Method,
    argument: &str,
    rename: Option<&PerKind>,
    kind: Option<Kind>,
) -> Option<(String, &'m Param)> {
    let renamed = match rename {
        Some(PerKind::One(name)) => Some(name.is.as_str()),
        Some(PerKind::Each(names)) => {
            Some(names.iter().find(|(one, _)| Some(one.is.as_str()) == kind.map(Kind::as_str))?.1.is.as_str())
        }
        None => None,
    };
    if let Some(name) = renamed {
        return method.param(name).filter(|param| !param.in_path).map(|param| (name.to_owned(), param));
    }
    if let Some(param) = method.param(argument).filter(|param| !param.in_path) {
        return Some((argument.to_owned(), param));
    }
    let param = method.params.iter().find(|param| !param.in_path && bare(param.name) == bare(argument))?;
    Some((param.name.to_owned(), param))
}

impl Checker<'_> {
    pub(super) fn request(&mut self, spec: &ToolSpec, draft: &Draft<'_>, arguments: &[Argument]) -> Request {
        let method = draft.method;
        let path = self.path(&draft.parts, arguments);
        let mut params: Vec<Send> = Vec::new();
        let by_guest = draft.parts.iter().any(|part| part.kind == PartKind::Placeholder(GUEST_NODE.to_owned()));
        if by_guest && let Some(param) = method.param("vmid").filter(|param| !param.in_path) {
            send(&mut params, "vmid".to_owned(), From::Vmid, Some(param));
        }
        let guarded = spec.guard.as_ref().is_some_and(|guard| guard.digest.is_some());
        let mut digest_sent = false;
        for argument in arguments {
            let Some(written) = spec.args.iter().find(|one| one.name.is == argument.name) else { continue };
            if argument.form == Form::Rest {
                send(&mut params, String::new(), From::Rest(argument.name.clone()), None);
                continue;
            }
            if argument.only.is_some() && argument.only != draft.kind && draft.kind.is_some() {
                continue;
            }
            if consumed(spec, &argument.name) && written.rename.is_none() {
                continue;
            }
            let Some((name, param)) = wire(method, &argument.name, written.rename.as_ref(), draft.kind) else {
                continue;
            };
            if guarded && name == "digest" {
                digest_sent = true;
                send(&mut params, name, From::Digest(Some(argument.name.clone())), Some(param));
            } else if !matches!(argument.form, Form::File | Form::Path) {
                send(&mut params, name, From::Argument(argument.name.clone()), Some(param));
            }
        }
        for (name, node) in &spec.derive {
            let Some(param) = method.param(&name.is) else {
                self.no_param(name, method);
                continue;
            };
            if let Some(mismatch) = super::values::derived(node, param) {
                mismatch.report(&format!("the API does not take this for `{}`", name.is), self.diagnostics);
            }
            if let Some(template) = self.template(node, arguments) {
                send(&mut params, name.is.clone(), From::Derived(template), Some(param));
            }
        }
        for fixed in &draft.fixed {
            params.extend(self.constants(fixed, draft.kind, method));
        }
        if guarded && !digest_sent {
            match method.param("digest") {
                Some(param) => send(&mut params, "digest".to_owned(), From::Digest(None), Some(param)),
                None => {
                    let at = spec.name.at;
                    self.diagnostics.report(
                        at,
                        format!("{} {} takes no digest, so it cannot be guarded", method.verb, method.path),
                    );
                }
            }
        }
        self.supplied(spec, draft, &params, arguments);
        self.always_sent(spec, draft, &params, arguments);
        Request { method, path, params }
    }

    pub(super) fn no_param(&mut self, name: &Text, method: &Method) {
        self.diagnostics
            .report(name.at, format!("`{}` is no parameter of {} {}", name.is, method.verb, method.path))
            .near(&name.is, names(method, &name.is).iter().map(String::as_str));
    }

    /// Parameters on the danger list that every call sends: they decide about the tool, not about a single call.
    fn always_sent(&mut self, spec: &ToolSpec, draft: &Draft<'_>, params: &[Send], arguments: &[Argument]) {
        let Some(tier) = &spec.tier else { return };
        for send in params {
            let Some(param) = send.param else { continue };
            let applies = |danger: &&proxmox_spec::Danger| match &send.from {
                From::Fixed(value) => danger.applies(value, None),
                From::Argument(name) => {
                    danger.values.is_empty() && arguments.iter().any(|one| one.name == *name && one.required)
                }
                _ => false,
            };
            let Some(danger) = param.danger.iter().find(applies) else { continue };
            let what = format!("`{}` of {} {}", send.name, draft.method.verb, draft.method.path);
            if tier.is < danger.tier {
                self.diagnostics
                    .report(
                        tier.at,
                        format!("every call sends {what}, which the danger list keeps for `{}`", danger.tier),
                    )
                    .help(format!("write `tier: {}`", danger.tier))
                    .note(danger.because);
            } else if spec.effect.as_ref().is_some_and(|effect| effect.is < danger.effect) {
                let at = spec.effect.as_ref().map_or(spec.name.at, |effect| effect.at);
                self.diagnostics
                    .report(at, format!("every call sends {what}, and the danger list says that it {}", danger.effect))
                    .help(format!("write `effect: {}`", danger.effect))
                    .note(danger.because);
            }
        }
    }

    /// Required parameters that nothing supplies.
    fn supplied(&mut self, spec: &ToolSpec, draft: &Draft<'_>, params: &[Send], arguments: &[Argument]) {
        let certain = |name: &String| {
            arguments.iter().any(|argument| {
                argument.name == *name
                    && (argument.required || argument.default.is_some() || argument.default_from.is_some())
            })
        };
        let file = arguments.iter().any(|argument| argument.form == Form::File);
        for param in draft.method.params.iter().filter(|param| !param.optional && !param.in_path) {
            let sent = params.iter().any(|send| {
                send.name == param.name
                    && match &send.from {
                        From::Argument(name) => certain(name),
                        From::Derived(template) => template.parts.iter().all(|part| match part {
                            TemplatePart::Text(_) => true,
                            TemplatePart::Value(source) => certain(&source.argument),
                        }),
                        From::Rest(_) => false,
                        From::Fixed(_) | From::Vmid | From::Digest(_) => true,
                    }
            });
            let carried = file && param.name == "filename";
            // An argument that is declared and wrong was reported.
            let broken = self.broken.iter().any(|name| bare(name) == bare(param.name));
            if !sent && !carried && !broken {
                let snake = super::snake(param.name);
                self.diagnostics
                    .report(
                        draft.at,
                        format!(
                            "{} {} requires `{}`, and nothing supplies it",
                            draft.method.verb, draft.method.path, param.name
                        ),
                    )
                    .help(format!("add `{snake}: …` to the arguments of `{}`, or to `fixed`", spec.name.is));
            }
        }
    }

    /// The path of a request whose placeholders are arguments. A placeholder without an argument was reported.
    pub(super) fn path(&mut self, parts: &[Part], arguments: &[Argument]) -> Vec<PathPart> {
        parts
            .iter()
            .filter_map(|part| match &part.kind {
                PartKind::Literal(text) => Some(PathPart::Literal(text.clone())),
                PartKind::Placeholder(name) if name == GUEST_NODE => Some(PathPart::Node),
                PartKind::Placeholder(name) if name == GUEST_VMID => Some(PathPart::Vmid),
                PartKind::Placeholder(name) if !declared(name, arguments) => None,
                PartKind::Placeholder(name) => self.source(name, part.at, arguments).map(PathPart::Value),
            })
            .collect()
    }

    /// A read with constants only, as used by `also`, `ask` and `guard`.
    pub(super) fn read(
        &mut self,
        spec: &ToolSpec,
        call: &Call,
        fixed: Option<&FixedSpec>,
        kind: Option<Kind>,
        arguments: &[Argument],
    ) -> Option<Request> {
        if call.verb != proxmox_spec::Verb::Get {
            self.diagnostics.report(call.at, "what is read around a call is a GET");
            return None;
        }
        let parts = expand(call, kind);
        let method = call.method(&parts, self.diagnostics)?;
        if let (Some(danger), Some(tier)) = (method.danger, &spec.tier)
            && tier.is < danger.tier
        {
            self.diagnostics
                .report(call.at, format!("GET {} is on the danger list for `{}`", method.path, danger.tier))
                .note(danger.because);
        }
        let path = self.path(&parts, arguments);
        let params = fixed.map(|fixed| self.constants(fixed, kind, method)).unwrap_or_default();
        Some(Request { method, path, params })
    }

    pub(super) fn also(&mut self, spec: &ToolSpec, kind: Option<Kind>, arguments: &[Argument]) -> Vec<Also> {
        let mut list = Vec::new();
        for also in &spec.also {
            let Some(call) = &also.call else { continue };
            let Some(request) = self.read(spec, call, Some(&also.fixed), kind, arguments) else { continue };
            if let Some(name) = &also.when {
                self.argument_of(name, Form::Boolean, arguments);
            }
            if let Some(name) = &also.tail {
                self.argument_of(name, Form::Integer, arguments);
            }
            let returns = self.read_returns(also.returns.as_ref(), call.at, request.method);
            list.push(Also {
                field: also.field.is.clone(),
                request,
                returns,
                when: also.when.as_ref().map(|name| name.is.clone()),
                tail: also.tail.as_ref().map(|name| name.is.clone()),
                optional: also.optional,
            });
        }
        list
    }

    pub(super) fn ask(&mut self, spec: &ToolSpec, ask: &AskSpec, volid: &str, arguments: &[Argument]) -> Option<Ask> {
        // What is missing was reported when the entry was read.
        let (call, (row, node)) = (ask.call.as_ref()?, ask.row.as_ref()?);
        let (field, or) = (ask.field.as_ref()?, ask.or.as_ref()?);
        let parts = expand(call, None);
        let method = call.method(&parts, self.diagnostics)?;
        let path = self.path(&parts, arguments);
        let template = self.template(node, arguments)?;
        self.known_argument(or, arguments);
        let kinds = spec.args.iter().filter(|argument| argument.name.is == or.is).flat_map(|argument| &argument.values);
        for kind in kinds.flatten() {
            self.kind(kind);
        }
        self.known_row_field(method, row);
        self.known_row_field(method, field);
        Some(Ask {
            volid: volid.to_owned(),
            request: Request { method, path, params: Vec::new() },
            row: (row.is.clone(), template),
            field: field.is.clone(),
            argument: or.is.clone(),
        })
    }

    /// An argument that must be of this form.
    fn argument_of(&mut self, name: &Text, form: Form, arguments: &[Argument]) {
        self.known_argument(name, arguments);
        if let Some(found) = arguments.iter().find(|argument| argument.name == name.is)
            && found.form != form
        {
            let word = format!("{form:?}").to_lowercase();
            self.diagnostics.report(name.at, format!("`{}` has to be of the form {word} here", name.is)).help(
                if form == Form::Expect { "write `parse: expect`".to_owned() } else { format!("write `type: {word}`") },
            );
        }
    }

    pub(super) fn known_argument(&mut self, name: &Text, arguments: &[Argument]) {
        if !self.broken.contains(&name.is) && !arguments.iter().any(|argument| argument.name == name.is) {
            self.diagnostics.report(name.at, format!("`{}` is not an argument of this tool", name.is)).near(
                &name.is,
                self.broken.iter().map(String::as_str).chain(arguments.iter().map(|one| one.name.as_str())),
            );
        }
    }

    pub(super) fn guards(&mut self, spec: &ToolSpec, arguments: &[Argument], routes: &[Route]) -> Vec<Guard> {
        let Some(guard) = &spec.guard else { return Vec::new() };
        let mut guards = Vec::new();
        if let Some(call) = &guard.digest {
            let mut kinds: Vec<Option<Kind>> = routes.iter().map(|route| route.kind).collect();
            if !is_per_kind(call) {
                kinds = vec![None];
            }
            let mut request = None;
            for kind in kinds {
                let read = self.read(spec, call, None, kind, arguments);
                request = request.or(read);
            }
            if let Some(expect) = &guard.expect {
                self.argument_of(expect, Form::Expect, arguments);
            }
            guards.extend(request.map(|mut request| {
                // The same read serves both kinds.
                if is_per_kind(call) {
                    request.path[2] = PathPart::Kind;
                }
                Guard::Digest {
                    request,
                    show: guard.show.as_ref().map(|show| show.is.clone()).unwrap_or_default(),
                    expect: guard.expect.as_ref().map(|expect| expect.is.clone()),
                }
            }));
        }
        if let Some(absent) = &guard.absent {
            match (&absent.call, &absent.row) {
                (Some(call), Some((row, node))) => {
                    let request = self.read(spec, call, None, None, arguments);
                    let template = self.template(node, arguments);
                    if let (Some(request), Some(template)) = (request, template) {
                        self.known_row_field(request.method, row);
                        if let Some(unless) = &absent.unless {
                            self.argument_of(unless, Form::Boolean, arguments);
                        }
                        guards.push(Guard::Absent {
                            request,
                            row: (row.is.clone(), template),
                            unless: absent.unless.as_ref().map(|unless| unless.is.clone()),
                            say: absent.say.clone(),
                        });
                    }
                }
                _ => {
                    self.diagnostics.report(absent.at, "`absent` needs `call`, `row` and `say`");
                }
            }
        }
        if let Some(vacant) = &guard.vacant {
            for (name, form) in vacant
                .id
                .iter()
                .map(|id| (id, Form::Integer))
                .chain(vacant.replace.iter().map(|one| (one, Form::Boolean)))
            {
                self.argument_of(name, form, arguments);
            }
            if let Some(id) = &vacant.id {
                guards.push(Guard::Vacant {
                    id: id.is.clone(),
                    replace: vacant.replace.as_ref().map(|replace| replace.is.clone()),
                });
            }
        }
        guards
    }
}

/// Arguments that end in something else and are therefore no parameters of their own.
pub(super) fn consumed(spec: &ToolSpec, name: &str) -> bool {
    let also = spec.also.iter().any(|also| also.when.iter().chain(&also.tail).any(|one| one.is == name));
    consumed_as_text(spec, name) || also
}

/// Arguments that become a part of a derived text or of a volume id.
pub(super) fn consumed_as_text(spec: &ToolSpec, name: &str) -> bool {
    let derived = spec.derive.iter().filter_map(|(_, node)| node.scalar()).any(|text| {
        text.contains(&format!("{{{name}}}"))
            || text.contains(&format!("{{{name}|"))
            || text.contains(&format!("{{{name}."))
    });
    derived || spec.args.iter().any(|argument| argument.within.as_ref().is_some_and(|one| one.is == name))
}

/// Whether the argument of a placeholder exists.
fn declared(placeholder: &str, arguments: &[Argument]) -> bool {
    let name = placeholder.split(['.', '|']).next();
    arguments.iter().any(|argument| Some(argument.name.as_str()) == name)
}

fn send(params: &mut Vec<Send>, name: String, from: From, param: Option<&'static Param>) {
    params.push(Send { name, from, param });
}

/// The parameters of a method that a request can send, by name. `word` tells which of an indexed one: of `net[n]` it is
/// `net0` beside `ent0`.
pub(super) fn names(method: &Method, word: &str) -> Vec<String> {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = Some(&word[stem.len()..]).filter(|digits| !digits.is_empty()).unwrap_or("0");
    let params = method.params.iter().filter(|param| !param.in_path);
    params.map(|param| param.name.replace("[n]", digits)).collect()
}
