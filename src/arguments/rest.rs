//! The `rest` of a call: an object of other parameters of its method, checked one by one against the facts.
//!
//! Knows which parameters may come this way and how they are spelled; must not know what they do: how dangerous they
//! are is judged on the finished request.

use super::describe;
use super::fields::Fields;
use super::names::fold;
use super::problem::{Problem, printable};
use super::property::{self, ROOT_ONLY};
use super::scalar::{unwrapped, word};
use crate::plan::Value as Wire;
use crate::tool::{Argument, Fact};
use proxmox_spec::{Method, Param};
use serde_json::{Map, Value};

/// More parameters than any call has, all indexes counted.
const MOST: usize = 1_000;

/// The parameters of a `rest` argument.
#[derive(Debug, Clone, Default)]
pub struct RestPairs {
    /// Wire name and value, in the caller's order.
    pub pairs: Vec<(String, Wire)>,
    /// Parameters that some of the methods do not have, or not with this value: wire name, index of the fact.
    pub lacking: Vec<(String, usize)>,
    /// Wire names of those that are never to be shown.
    pub secret: Vec<String>,
}

/// A method that the parameters may be for, and its place in the list of facts.
type Candidate = (usize, &'static Method);

/// What one name of the object turned out to be.
struct Found {
    wire: String,
    /// Which methods have it.
    holders: Vec<(usize, &'static Param)>,
}

impl Fields<'_> {
    /// Other parameters of the call. With several facts (a method per kind of guest) a parameter is fine when at
    /// least one of the methods takes it; which do not is told. No facts = the argument's own.
    pub fn rest(&mut self, argument: &'static Argument, facts: &'static [Fact]) -> Option<RestPairs> {
        let taken = self.take(argument)?;
        let inner = unwrapped(&taken.value);
        let Value::Object(object) = &*inner else {
            let mut problem = Problem::new(self.spelled(argument), "is not an object");
            // Only the first name is repeated: behind it may stand a password.
            if let Some(text) = inner.as_str() {
                let name = text.find(['=', ':']).and_then(|end| text.get(..=end)).unwrap_or_default();
                problem = problem.came(&Value::from(format!("{name}…")));
            }
            self.record(problem.expected(describe::argument(argument)));
            return None;
        };
        let facts = if facts.is_empty() { argument.rule.fact.as_slice() } else { facts };
        let methods: Vec<Candidate> = facts
            .iter()
            .enumerate()
            .filter_map(|(index, fact)| Some((index, proxmox_spec::find(fact.verb, fact.path)?)))
            .collect();
        self.pairs(argument, &methods, object)
    }

    /// All parameters of a call of this method but those in its path, the required ones among them.
    pub fn params(
        &mut self,
        argument: &'static Argument,
        method: &'static Method,
        object: Map<String, Value>,
    ) -> Option<RestPairs> {
        let rest = self.pairs(argument, &[(0, method)], &object)?;
        let name = self.spelled(argument);
        let required = method.params.iter().filter(|param| !param.optional && !param.in_path);
        let given =
            |param: &&Param| rest.pairs.iter().any(|(wire, _)| wire == param.name || param.index_of(wire).is_some());
        let mut missing = false;
        for param in required.filter(|param| !given(param)) {
            let mut problem = Problem::new(format!("{name}.{}", param.name), "is missing and required");
            problem.expected = describe::param(param);
            self.record(problem);
            missing = true;
        }
        (!missing).then_some(rest)
    }

    /// Checks every parameter of an object against the methods that may take it.
    fn pairs(
        &mut self,
        argument: &'static Argument,
        methods: &[Candidate],
        object: &Map<String, Value>,
    ) -> Option<RestPairs> {
        if object.len() > MOST {
            let wrong = format!("has {} parameters, and no call of the API takes as many", object.len());
            self.record(Problem::new(self.spelled(argument), wrong));
            return None;
        }
        let name = self.spelled(argument);
        let mut rest = RestPairs::default();
        let mut problems = Vec::new();
        for (spelled, value) in object {
            let dotted = format!("{name}.{}", printable(spelled));
            match parameter(argument, methods, &dotted, spelled, value) {
                Ok((wire, ..)) if rest.pairs.iter().any(|(known, _)| *known == wire) => {
                    problems.push(Problem::new(dotted, format!("`{wire}` is given twice; give it once")));
                }
                Ok((wire, value, lacking)) => {
                    rest.lacking.extend(lacking.into_iter().map(|index| (wire.clone(), index)));
                    // With a part that is secret, all of it is.
                    let secret = |param: &Param| param.secret || param.keys.iter().any(|key| key.secret);
                    if methods.iter().any(|(_, method)| method.param(&wire).is_some_and(secret)) {
                        rest.secret.push(wire.clone());
                    }
                    rest.pairs.push((wire, value));
                }
                Err(more) => problems.extend(more),
            }
        }
        for (wire, needed) in self.alone(methods, &rest) {
            let wrong = format!("means nothing without `{needed}`; give that too, or leave this out");
            problems.push(Problem::new(format!("{name}.{wire}"), wrong));
        }
        if problems.is_empty() {
            return Some(rest);
        }
        for mut problem in problems {
            // The reasons for what stays out are the catalogue's; other problems may repeat the caller's words.
            if argument.rule.except.iter().any(|(_, why)| *why == problem.wrong) {
                problem.wrong = self.in_their_words(&problem.wrong);
            }
            self.record(problem);
        }
        None
    }
}

impl Fields<'_> {
    /// Parameters that the API takes with another one only, where nobody gave that: in the object, or as an argument.
    fn alone(&self, methods: &[Candidate], rest: &RestPairs) -> Vec<(String, &'static str)> {
        let beside = |needed: &str| rest.pairs.iter().any(|(wire, _)| wire == needed) || self.says(needed);
        let needs = |wire: &str| methods.iter().find_map(|(_, method)| method.param(wire)?.requires);
        let pairs = rest.pairs.iter().filter_map(|(wire, _)| Some((wire.clone(), needs(wire)?)));
        pairs.filter(|(_, needed)| !beside(needed)).collect()
    }
}

/// One parameter: wire name, value, and the methods that do not take it.
fn parameter(
    argument: &'static Argument,
    methods: &[Candidate],
    dotted: &str,
    spelled: &str,
    value: &Value,
) -> Result<(String, Wire, Vec<usize>), Vec<Problem>> {
    let refuse = |wrong: &str| Err(vec![Problem::new(dotted, wrong)]);
    if let Some(why) = excepted(argument, spelled) {
        return refuse(why);
    }
    let Some(found) = find(methods, spelled) else { return unlisted(methods, dotted, spelled, value) };
    if let Some(why) = excepted(argument, &found.wire) {
        return refuse(why);
    }
    let Some((_, first)) = found.holders.first() else { return refuse("is not a parameter of this call") };
    if let Some(why) = excepted(argument, first.name) {
        return refuse(why);
    }
    if found.holders.iter().any(|(_, param)| param.in_path) {
        return refuse("names what the call is for; it has an argument of its own");
    }
    if value.is_null() {
        return refuse(&reset(methods, &found.wire));
    }
    let holders: Vec<_> = found.holders.iter().filter(|(_, param)| !param.root_only).collect();
    if holders.is_empty() {
        return refuse(ROOT_ONLY);
    }
    let mut closest: Option<Vec<Problem>> = None;
    for (index, param) in &holders {
        match property::wire(param, &found.wire, dotted, value) {
            Ok(wire) => {
                let takes = |other: usize| {
                    other == *index
                        || holders.iter().any(|(holder, param)| *holder == other && accepts(param, &found.wire, &wire))
                };
                let lacking = methods.iter().map(|(other, _)| *other).filter(|other| !takes(*other)).collect();
                return Ok((found.wire, wire, lacking));
            }
            // Methods of different kinds differ in sub-keys; the one that fits best was meant.
            Err(problems) if closest.as_ref().is_none_or(|closest| problems.len() < closest.len()) => {
                closest = Some(problems);
            }
            Err(_) => {}
        }
    }
    Err(closest.unwrap_or_default())
}

/// A name that no method lists.
fn unlisted(
    methods: &[Candidate],
    dotted: &str,
    spelled: &str,
    value: &Value,
) -> Result<(String, Wire, Vec<usize>), Vec<Problem>> {
    let open: Vec<usize> = methods.iter().filter(|(_, method)| method.extra_params).map(|(index, _)| *index).collect();
    let plain = spelled.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    if !open.is_empty() && plain && !spelled.is_empty() {
        let Some(text) = word(value) else {
            return Err(vec![Problem::new(dotted, "is not a single value").came(value)]);
        };
        let lacking = methods.iter().map(|(index, _)| *index).filter(|index| !open.contains(index)).collect();
        return Ok((spelled.to_owned(), Wire::Text(text), lacking));
    }
    let params = || methods.iter().flat_map(|(_, method)| method.params).filter(|param| !param.in_path);
    if let Some((param, most)) = params().find_map(|param| Some((param, beyond(param, spelled)?))) {
        let base = param.name.trim_end_matches("[n]");
        let wrong = format!("has an index that the API does not have; `{base}0` to `{base}{most}` exist");
        return Err(vec![Problem::new(dotted, wrong)]);
    }
    let names: Vec<&str> = params().map(|param| param.name).collect();
    let bases: Vec<&str> = names.iter().map(|name| name.trim_end_matches("[n]")).collect();
    let digits = spelled.len() - spelled.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    let (base, index) = spelled.split_at(spelled.len() - digits);
    let near = proxmox_spec::nearest(spelled, names.iter().copied().filter(|name| !name.ends_with("[n]")))
        .map(str::to_owned)
        .or_else(|| {
            let near = proxmox_spec::nearest(base, bases.iter().copied())?;
            let indexed = names.iter().any(|name| name.strip_suffix("[n]") == Some(near));
            Some(if indexed { format!("{near}{}", if index.is_empty() { "0" } else { index }) } else { near.into() })
        });
    let method = methods.first().map(|(_, method)| format!("{} {}", method.verb, method.path)).unwrap_or_default();
    Err(vec![Problem::new(dotted, format!("is not a parameter of {method}")).meant(near)])
}

/// Why a name must not come this way.
fn excepted(argument: &'static Argument, name: &str) -> Option<&'static str> {
    let folded = fold(name);
    argument.rule.except.iter().find(|(except, _)| fold(except) == folded).map(|(_, why)| *why)
}

/// How a value is unset, for a caller who wrote `null`.
fn reset(methods: &[Candidate], wire: &str) -> String {
    if methods.iter().any(|(_, method)| method.param("delete").is_some()) {
        format!("null sets nothing; to reset it write \"delete\": \"{wire}\"")
    } else {
        "null sets nothing; leave it out".to_owned()
    }
}

/// Whether another method takes the same text.
fn accepts(param: &Param, wire_name: &str, wire: &Wire) -> bool {
    match wire {
        Wire::Text(text) => proxmox_spec::check::named(param, wire_name, text).is_ok(),
        Wire::List(texts) => {
            let words: Vec<&str> = texts.iter().map(String::as_str).collect();
            proxmox_spec::check::value_list(param, wire_name, &words).is_ok()
        }
        Wire::Open(_) => true,
    }
}

/// The parameter that a spelling means: exact names first, then any case with dashes or underscores.
fn find(methods: &[Candidate], spelled: &str) -> Option<Found> {
    let named = |wire: &str| -> Vec<(usize, &'static Param)> {
        methods.iter().filter_map(|(index, method)| Some((*index, method.param(wire)?))).collect()
    };
    let found = |wire: String| {
        let holders = named(&wire);
        (!holders.is_empty() && !wire.ends_with("[n]")).then_some(Found { wire, holders })
    };
    found(spelled.to_owned()).or_else(|| {
        let folded = fold(spelled);
        let mut params = methods.iter().flat_map(|(_, method)| method.params);
        found(params.find_map(|param| respelled(param, &folded))?)
    })
}

/// The wire name if the folded spelling is one of this parameter.
fn respelled(param: &Param, folded: &str) -> Option<String> {
    match param.name.strip_suffix("[n]") {
        None => (fold(param.name) == folded).then(|| param.name.to_owned()),
        Some(base) => {
            let wire = format!("{base}{}", folded.strip_prefix(&fold(base))?);
            param.index_of(&wire).map(|_| wire)
        }
    }
}

/// The highest index if the spelling is this parameter with an index that is too high.
fn beyond(param: &Param, spelled: &str) -> Option<u32> {
    let base = fold(param.name.strip_suffix("[n]")?);
    let folded = fold(spelled);
    let digits = folded.strip_prefix(&base)?;
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    param.index_max.filter(|_| number)
}
