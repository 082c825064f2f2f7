//! Finding things in the table: a method by its template or by a real path, a parameter by its wire name.
//!
//! Knows the table's order and the server's routing rules; must not know what a method is used for.

use crate::model::*;
use crate::table;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Every method of the API, sorted by path, then verb.
pub fn methods() -> &'static [Method] {
    table::methods()
}

/// The method with this verb on this path template, e.g. `/nodes/{node}/qemu/{vmid}/config`.
pub fn find(verb: Verb, template: &str) -> Option<&'static Method> {
    let methods = methods();
    let index = methods.binary_search_by(|method| (method.path, method.verb).cmp(&(template, verb))).ok()?;
    methods.get(index)
}

/// The methods on a path template, in the order of [`Verb`]; empty if there is no such template.
pub fn on_path(template: &str) -> &'static [Method] {
    let methods = methods();
    let start = methods.partition_point(|method| method.path < template);
    let end = methods.partition_point(|method| method.path <= template);
    methods.get(start..end).unwrap_or_default()
}

/// A real path, taken apart by the template of its method.
#[derive(Debug)]
pub struct Route {
    pub method: &'static Method,
    /// The values of the path parameters, in the order of the path.
    pub params: Vec<(&'static str, String)>,
}

/// The method that serves a real path, e.g. `/nodes/pve1/qemu/100/config`.
///
/// The path is already percent-decoded and holds no query. As on the server empty segments do not count, a
/// literal segment wins over a parameter, and only a [`Segment::Remainder`] takes slashes.
pub fn route(verb: Verb, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    table::candidates(verb, parts.len())
        .filter(|method| fits(method.segments, &parts))
        .min_by_key(|method| method.segments.iter().map(rank).collect::<Vec<u8>>())
        .map(|method| Route { method, params: values(method.segments, &parts) })
}

fn fits(segments: &[Segment], parts: &[&str]) -> bool {
    let open = matches!(segments.last(), Some(Segment::Remainder(_)));
    if parts.len() < segments.len() || (parts.len() > segments.len() && !open) {
        return false;
    }
    segments.iter().zip(parts).all(|(segment, part)| match segment {
        Segment::Literal(text) => text == part,
        Segment::Param(_) | Segment::Remainder(_) => true,
    })
}

fn rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Param(_) => 1,
        Segment::Remainder(_) => 2,
    }
}

fn values(segments: &'static [Segment], parts: &[&str]) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    for (index, (segment, part)) in segments.iter().zip(parts).enumerate() {
        match segment {
            Segment::Literal(_) => {}
            Segment::Param(name) => values.push((*name, (*part).to_owned())),
            Segment::Remainder(name) => values.push((*name, parts.get(index..).unwrap_or_default().join("/"))),
        }
    }
    values
}

/// Whether every parameter of this name, in the whole API, holds a secret: then a field of an answer that nobody declared
/// holds one, too.
pub fn always_secret(name: &str) -> bool {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let params = || methods().iter().flat_map(|method| method.params);
        let mut names: BTreeSet<&str> = params().filter(|param| param.secret).map(|param| param.name).collect();
        params().filter(|param| !param.secret).for_each(|param| {
            names.remove(param.name);
        });
        names
    });
    names.contains(name)
}

impl Method {
    /// The parameter with this wire name; `net0` finds `net[n]` as long as the index is in range.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        named(self.params, name)
    }
}

/// The parameter or sub-key with this wire name in a list that is sorted by name.
pub(crate) fn named(params: &'static [&'static Param], name: &str) -> Option<&'static Param> {
    if let Ok(index) = params.binary_search_by(|param| param.name.cmp(name)) {
        return params.get(index).copied();
    }
    params.iter().copied().find(|param| param.index_of(name).is_some())
}

impl Param {
    /// The sub-key that a property string means by this name, its aliases included.
    pub fn key(&self, name: &str) -> Option<&'static Param> {
        let key = named(self.keys, name)?;
        Some(key.alias.and_then(|alias| named(self.keys, alias)).unwrap_or(key))
    }

    /// The index in a wire name of this indexed parameter: 3 for `net3` of `net[n]`.
    pub fn index_of(&self, name: &str) -> Option<u32> {
        let base = self.name.strip_suffix("[n]")?;
        let digits = name.strip_prefix(base)?;
        let plain = digits == "0" || !digits.starts_with('0');
        let index = digits.parse().ok().filter(|_| plain && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        (index <= self.index_max.unwrap_or(u32::MAX)).then_some(index)
    }
}

impl Shape {
    /// Whether a field of this name is never to be shown.
    pub fn hides(&self, name: &str) -> bool {
        self.field(name).map_or_else(|| always_secret(name), |field| field.secret)
    }

    /// The declared field with this name; `net0` finds `net[n]`.
    pub fn field(&self, name: &str) -> Option<&'static Shape> {
        if let Ok(index) = self.fields.binary_search_by(|(field, _)| (*field).cmp(name)) {
            return self.fields.get(index).map(|(_, shape)| *shape);
        }
        let base = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        if base.len() == name.len() {
            return None;
        }
        self.fields.iter().find(|(field, _)| field.strip_suffix("[n]") == Some(base)).map(|(_, shape)| *shape)
    }
}
