//! The answer of every method that has no handler of its own: what is written can be read back, and what was never
//! written is left out, or plausible where the API always has something.
//!
//! Knows the facts' paths, parameters and shapes; what single collections have of their own stands in tables.

mod invent;
mod jobs;
mod read;
mod store;
mod traits;
mod words;
mod write;

use proxmox_spec::{Method, Segment, Verb};

use crate::{
    answer::{Failure, Reply},
    cluster::Cluster,
    guest::Kind,
    request::Call,
};

pub(crate) use read::read;
pub(crate) use store::{Store, digest};
pub(crate) use words::{clash, missing};
pub(crate) use write::{check_digest, create, deletions, fields_of, remove, update};

/// Answers any call by the facts alone.
pub(crate) fn handle(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.path.split('/').any(|segment| segment == "ceph") && !read::is_index(call.method) {
        return Err(Failure::die("binary not installed: /usr/bin/ceph-mon"));
    }
    if call.args.has("vmid") && call.method.path.contains("/{vmid}") && !read::is_index(call.method) {
        let (node, kind) = (call.args.need("node"), Kind::of_path(&call.path));
        cluster.guest(node, kind, call.args.vmid()).map_err(Failure::die)?;
    }
    match call.method.verb {
        Verb::Get => read(cluster, call),
        Verb::Post => create(cluster, call),
        Verb::Put => update(cluster, call),
        Verb::Delete => remove(cluster, call),
    }
}

/// The parameter that ends the path.
fn last_param(method: &Method) -> Option<&'static str> {
    match method.segments.last() {
        Some(Segment::Param(name) | Segment::Remainder(name)) => Some(name),
        _ => None,
    }
}

/// True for the items of collections to which items can be added.
fn is_item(method: &Method) -> bool {
    let Some((parent, _)) = method.path.rsplit_once('/') else { return false };
    last_param(method).is_some_and(|name| name != "node" && name != "vmid")
        && (proxmox_spec::find(Verb::Post, parent).is_some() || proxmox_spec::find(Verb::Post, method.path).is_some())
}
