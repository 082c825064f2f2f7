//! The table that the build wrote, and what a row looks like when nothing is said about it.
//!
//! Knows defaults only; every fact is in the generated file.

use crate::model::*;
use crate::words::{Meaning, Texts};

/// What a generated row starts from.
const METHOD: Method = Method {
    verb: Verb::Get,
    path: "",
    segments: &[],
    name: "",
    title: "",
    same: &[],
    seldom: false,
    since: "",
    params: &[],
    extra_params: false,
    returns: &SHAPE_ANY,
    upid: Upid::Never,
    permissions: &NO_PERMISSIONS,
    allow_token: true,
    protected: false,
    proxy_to_node: false,
    exposes_credentials: false,
    kind: Kind::Plain,
    danger: None,
    reach: None,
};

const PARAM: Param = Param {
    name: "",
    ty: Type::String,
    format: None,
    values: &[],
    pattern: None,
    minimum: None,
    maximum: None,
    min_length: None,
    max_length: None,
    default: None,
    optional: false,
    in_path: false,
    index_max: None,
    keys: &[],
    default_key: false,
    alias: None,
    key_alias: None,
    items: None,
    requires: None,
    instance_types: &[],
    root_only: false,
    since: None,
    secret: false,
    danger: &[],
    names: None,
};

const SHAPE: Shape = Shape {
    ty: Type::Any,
    format: None,
    values: &[],
    optional: false,
    fields: &[],
    closed: false,
    items: None,
    minimum: None,
    maximum: None,
    secret: false,
    foreign: false,
};

const PERMISSIONS: Permissions =
    Permissions { check: None, privileges: &[], in_code: false, privileges_in_code: &[], user: None, root_only: false };

static SHAPE_ANY: Shape = SHAPE;
static NO_PERMISSIONS: Permissions = PERMISSIONS;

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// Every method, sorted by path, then verb.
pub(crate) fn methods() -> &'static [Method] {
    &METHODS
}

/// What is written about each method, in the order of the table.
pub(crate) fn texts() -> &'static [Texts] {
    &TEXTS
}

/// Phrases and what means the same, sorted by phrase.
pub(crate) fn thesaurus() -> &'static [Meaning] {
    &MEANINGS
}

/// The rows that can serve a path of so many segments, in the table's order within each of the two lists.
pub(crate) fn candidates(verb: Verb, segments: usize) -> impl Iterator<Item = &'static Method> {
    let verb = verb as usize;
    let closed = BY_LENGTH[verb].get(segments).copied().unwrap_or_default();
    closed.iter().chain(REMAINDERS[verb]).filter_map(|row| METHODS.get(usize::from(*row)))
}
