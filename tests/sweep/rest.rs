//! The `rest` arguments: every parameter of every method behind them, each index at its ends, each sub-key, with the
//! values at its edges and those just outside.
//!
//! Knows methods and parameters by the facts alone; must not know tools by name.

use crate::calls::{arguments, around, decode, kinds, sent, spelled, surfaces};
use crate::carried::same_parts;
use crate::facts::{Scalar, Why, folded};
use crate::properties;
use crate::samples::{Bad, Good, Samples};
use crate::tally::short;
use proxmox_mcp::tool::{Argument, Form, Surface};
use proxmox_spec::{Method, Param, Type};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The samples of a parameter, as the value of an object.
fn samples(param: &'static Param) -> Samples {
    let mut samples = Samples::default();
    let listed = param.format.is_some_and(|format| format.ends_with("-list"));
    if !param.keys.is_empty() {
        properties::of(&mut samples, param);
    } else if listed || param.ty == Type::Array {
        elements(&mut samples, param);
    } else {
        let fact = Scalar::from(param);
        for (value, wire) in fact.good() {
            samples.good(value, wire);
        }
        for (value, why) in fact.bad() {
            // NUL parts the entries of the one list that is written with it.
            let parted = why == Why::Letter && param.pattern.is_some_and(|pattern| pattern.contains(r"\0"));
            if !parted {
                samples.bad(value, why);
            }
        }
    }
    samples
}

fn elements(samples: &mut Samples, param: &'static Param) {
    let element = Scalar::from(param.items.unwrap_or(param));
    let texts: Vec<String> =
        element.texts().into_iter().filter(|text| !text.contains([',', ';', ' ']) && !text.is_empty()).collect();
    for text in &texts {
        samples.good(json!(text), text.clone());
        samples.good(json!([text]), text.clone());
    }
    let several: Vec<&str> = texts.iter().take(2).map(String::as_str).collect();
    let wire = if param.ty == Type::Array {
        several.iter().map(|text| (*text).to_owned()).collect()
    } else {
        vec![several.join(",")]
    };
    samples.good.push(Good { value: json!(several), wire: Some(wire), careless: None });
    samples.bad(json!({"a": 1}), Why::Type);
    samples.bad(json!([{"a": 1}]), Why::Type);
    for (value, why) in element.bad() {
        let apart = value.as_str().filter(|text| !text.is_empty() && !text.contains([',', ';', ' ', '\n', '\0']));
        if let Some(text) = apart {
            samples.bad(json!([text]), why);
            samples.bad(json!(text), why);
        }
    }
}

/// The wire names of a parameter: the first and last index of an indexed one.
fn names(param: &Param) -> Vec<String> {
    match (param.name.strip_suffix("[n]"), param.index_max) {
        (Some(base), most) => vec![format!("{base}0"), format!("{base}{}", most.unwrap_or(0))],
        (None, _) => vec![param.name.to_owned()],
    }
}

struct Sweep {
    surface: &'static Surface,
    argument: &'static Argument,
    call: Map<String, Value>,
    methods: Vec<&'static Method>,
    good: usize,
    bad: usize,
    wrong: Vec<String>,
    /// Parameters that were sent, by method.
    sent: BTreeMap<String, usize>,
    /// Parameters that other arguments make.
    made: Vec<String>,
}

impl Sweep {
    fn excepted(&self, name: &str) -> bool {
        self.argument.rule.except.iter().any(|(except, _)| folded(except) == folded(name))
    }

    fn call(&self, object: Value) -> Map<String, Value> {
        let mut call = self.call.clone();
        // What a parameter needs may be an argument of its own.
        for name in object.as_object().into_iter().flatten().map(|(name, _)| name) {
            let param = self.methods.iter().find_map(|method| method.param(name));
            let other = param.and_then(|param| param.requires).filter(|other| self.excepted(other));
            let other = other.and_then(|other| self.surface.tool.arguments.iter().find(|one| one.name == other));
            if let Some(other) = other {
                call.insert(spelled(self.surface, other.name), json!(["unused0"]));
            }
        }
        call.insert(spelled(self.surface, self.argument.name), object);
        call
    }

    /// What else a parameter must come with.
    fn object(&self, param: &Param, name: &str, value: &Value) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert(name.to_owned(), value.clone());
        let needed = param.requires.and_then(|other| self.methods.iter().find_map(|method| method.param(other)));
        if let Some(other) = needed.filter(|other| !self.excepted(other.name)) {
            let good = samples(other).good.into_iter().next();
            object.extend(good.map(|good| (other.name.to_owned(), good.value)));
        }
        object
    }

    fn passes(&mut self, method: &'static Method, param: &'static Param, name: &str, good: &Good) {
        let at = format!("{}.{}.{name} = {}", self.surface.name, self.argument.name, short(&good.value));
        let plan = match decode(self.surface, &self.call(Value::Object(self.object(param, name, &good.value)))) {
            Ok(plan) => plan,
            Err(bad) => return self.wrong.push(format!("{at}: the decoder refuses it: {bad}")),
        };
        let mut found = false;
        for kind in kinds(&plan) {
            let requests = match sent(&plan, kind) {
                Ok(requests) => requests,
                Err(why) => return self.wrong.push(format!("{at}: {why}")),
            };
            let template = format!("{} {}", method.verb, method.path);
            let own =
                requests.iter().filter(|request| request.template == template).flat_map(|request| &request.params);
            let wire = good.wire.as_deref().unwrap_or_default();
            found |= own.filter(|(sent, ..)| sent == name).any(|(_, values, _)| carries(param, values, wire));
        }
        if found {
            *self.sent.entry(format!("{} {}", method.verb, method.path)).or_default() += 1;
            self.good += 1;
        } else {
            self.wrong.push(format!("{at}: is not sent with {} {}", method.verb, method.path));
        }
    }

    fn stops(&mut self, name: &str, object: Value, why: Why) {
        let at = format!("{}.{}.{name} = {} ({why:?})", self.surface.name, self.argument.name, short(&object));
        let secret = self.methods.iter().filter_map(|method| method.param(name)).any(|param| param.secret);
        match decode(self.surface, &self.call(object)) {
            Ok(_) => self.wrong.push(format!("{at}: the decoder takes it")),
            Err(problems) => {
                self.bad += 1;
                let text = problems.to_string();
                let dotted = format!("{}.{name}", spelled(self.surface, self.argument.name));
                for problem in &problems.problems {
                    let rest = problem.argument.strip_prefix(&dotted);
                    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
                        self.wrong.push(format!("{at}: another parameter is named: {text}"));
                    }
                    if secret && problem.came.is_some() {
                        self.wrong.push(format!("{at}: a secret is repeated: {text}"));
                    }
                    let guided = problem.expected.is_some() || problem.meant.is_some();
                    if !guided && !secret && !matches!(why, Why::Part | Why::Refused | Why::Letter) {
                        self.wrong.push(format!("{at}: what would be right is not said: {text}"));
                    }
                }
                if text.chars().any(|letter| letter.is_control() && letter != '\n') {
                    self.wrong.push(format!("{at}: control characters are repeated: {text:?}"));
                }
            }
        }
    }

    /// Whether a method of another kind takes what this one does not.
    fn elsewhere(&self, than: &Method, name: &str, value: &Value) -> bool {
        let others = self.methods.iter().filter(|method| !std::ptr::eq(**method, than));
        let mut others = others.filter_map(|method| method.param(name));
        if value.is_array() {
            let listed = |param: &Param| param.format.is_some_and(|format| format.ends_with("-list"));
            return others.any(|param| param.ty == Type::Array || listed(param));
        }
        let text = match value {
            Value::Object(object) => properties::text(object),
            Value::String(text) => text.clone(),
            Value::Bool(yes) => u8::from(*yes).to_string(),
            other => other.to_string(),
        };
        others.any(|param| proxmox_spec::check::named(param, name, &text).is_ok())
    }

    fn parameter(&mut self, method: &'static Method, param: &'static Param) {
        let mut names = names(param);
        if names.len() > 1 {
            names.retain(|name| !self.excepted(name));
        }
        let first = names[0].clone();
        let mut samples = samples(param);
        // A dialect only calls the object by another name.
        if self.surface.dialect.is_some() {
            samples.good.truncate(3);
            samples.bad.truncate(5);
        }
        let open = |method: &&&Method| method.param(&first).is_some_and(|param| !param.root_only);
        if param.root_only && self.methods.iter().any(|method| open(&method)) {
            // The other kind has it, so the kind decides.
            return;
        }
        if param.in_path || param.root_only || self.excepted(param.name) || self.made.contains(&first) {
            let value = samples.good.first().map_or_else(|| json!("1"), |good| good.value.clone());
            return self.stops(&first, json!({ &first: value }), Why::Refused);
        }
        // The first index has them all; the last one is a name like it.
        for (index, name) in names.iter().enumerate() {
            for good in samples.good.iter().take(if index == 0 { usize::MAX } else { 3 }) {
                self.passes(method, param, name, good);
            }
        }
        for Bad { value, why } in &samples.bad {
            if !self.elsewhere(method, &first, value) {
                let object = self.object(param, &first, value);
                self.stops(&first, Value::Object(object), *why);
            }
        }
        self.stops(&first, json!({ &first: null }), Why::Refused);
        if let Some(base) = param.name.strip_suffix("[n]") {
            let others =
                self.methods.iter().filter_map(|method| method.params.iter().find(|one| one.name == param.name));
            let beyond = others.filter_map(|param| param.index_max).max().unwrap_or(0) + 1;
            for index in [beyond.to_string(), "00".to_owned(), "x".to_owned()] {
                let name = format!("{base}{index}");
                if self.methods.iter().all(|method| method.param(&name).is_none()) {
                    let value = samples.good.first().map(|good| good.value.clone());
                    self.stops(&name, json!({ &name: value }), Why::Part);
                }
            }
        }
    }
}

/// Whether what is sent says what was meant.
fn carries(param: &'static Param, values: &[String], wire: &[String]) -> bool {
    if values == wire {
        return true;
    }
    let ([value], [wire]) = (values, wire) else { return false };
    if param.format == Some("urlencoded") {
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        return plain(value) == plain(wire);
    }
    !param.keys.is_empty() && same_parts(param, value, wire)
}

#[test]
fn every_parameter_of_every_rest() {
    let (mut good, mut bad, mut wrong) = (0, 0, Vec::new());
    for surface in surfaces() {
        for argument in arguments(surface).filter(|argument| argument.form == Form::Rest) {
            let routes = surface.tool.routes.iter();
            let methods: Vec<_> = routes.filter_map(|route| proxmox_spec::find(route.verb, route.path)).collect();
            let call = around(surface, argument).swap_remove(0);
            let plan = decode(surface, &call).expect("a good call");
            let made = sent(&plan, kinds(&plan)[0]).expect("a good request").pop().expect("a request").params;
            let made = made.into_iter().filter(|(.., from)| !from.is_empty()).map(|(name, ..)| name).collect();
            let mut sweep = Sweep {
                made,
                surface,
                argument,
                call,
                methods: methods.clone(),
                good: 0,
                bad: 0,
                wrong: Vec::new(),
                sent: BTreeMap::new(),
            };
            for method in methods {
                for param in method.params {
                    sweep.parameter(method, param);
                }
            }
            println!(
                "{}.{}: {} good values, {} bad values, sent {:?}",
                surface.name, argument.name, sweep.good, sweep.bad, sweep.sent
            );
            (good, bad) = (good + sweep.good, bad + sweep.bad);
            wrong.append(&mut sweep.wrong);
        }
    }
    println!("{good} good values, {bad} bad values");
    let few = crate::tally::few(&wrong);
    assert!(wrong.is_empty(), "{} mistakes, among them:\n{}", wrong.len(), few.join("\n"));
}
