//! The handlers, one file per area. A handler is found by the verb and the path template of its method.
//!
//! Here is only the table and what all areas share.

pub(crate) mod access;
mod acme;
mod agent;
mod agent_state;
mod backup;
mod cards;
mod certificates;
mod clone;
mod cloudinit;
mod cluster;
mod config;
mod consoles;
mod content;
mod create;
mod datacenter;
mod files;
mod firewall;
mod guests;
mod ha;
mod hardware;
mod jobs;
mod migrate;
mod moves;
mod network;
mod nodes;
mod notifications;
mod options;
mod pools;
mod power;
mod prune;
mod replication;
mod repositories;
mod restore;
mod routing;
mod sdn;
mod sdn_nodes;
mod sets;
mod snapshots;
mod software;
mod storage;
mod tasks;
mod upload;
mod values;

use std::{collections::HashMap, sync::LazyLock};

use proxmox_spec::{Method, Verb};

use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::Kind,
    request::Call,
    tasks::{Begin, Spawn},
};

/// Answers a checked request.
pub(crate) type Handler = fn(&mut Cluster, &Call) -> Reply;

/// One line of the table.
type Route = (Verb, &'static str, Handler);

/// The areas' tables.
const AREAS: [&[Route]; 41] = [
    access::ROUTES,
    acme::ROUTES,
    agent::ROUTES,
    agent_state::ROUTES,
    backup::ROUTES,
    cards::ROUTES,
    certificates::ROUTES,
    clone::ROUTES,
    cloudinit::ROUTES,
    cluster::ROUTES,
    config::ROUTES,
    content::ROUTES,
    consoles::ROUTES,
    create::ROUTES,
    datacenter::ROUTES,
    files::ROUTES,
    firewall::ROUTES,
    guests::ROUTES,
    ha::ROUTES,
    hardware::ROUTES,
    jobs::ROUTES,
    migrate::ROUTES,
    moves::ROUTES,
    network::ROUTES,
    nodes::ROUTES,
    notifications::ROUTES,
    options::ROUTES,
    pools::ROUTES,
    power::ROUTES,
    prune::ROUTES,
    replication::ROUTES,
    repositories::ROUTES,
    routing::ROUTES,
    sdn::ROUTES,
    sdn_nodes::ROUTES,
    sets::ROUTES,
    snapshots::ROUTES,
    software::ROUTES,
    storage::ROUTES,
    tasks::ROUTES,
    upload::ROUTES,
];

static TABLE: LazyLock<HashMap<(Verb, &'static str), Handler>> =
    LazyLock::new(|| AREAS.into_iter().flatten().map(|(verb, path, handler)| ((*verb, *path), *handler)).collect());

/// The handler of a method, if it has one of its own.
pub(crate) fn handler(method: &Method) -> Option<Handler> {
    TABLE.get(&(method.verb, method.path)).copied()
}

/// What every cluster of the sandbox starts with, beside guests and storages.
pub(crate) fn furnish(cluster: &mut Cluster) {
    for node in cluster.nodes.keys().cloned().collect::<Vec<_>>() {
        software::seed(cluster, &node);
    }
    notifications::builtin(cluster);
}

/// What is built into the nodes of a cluster that are machines.
pub(crate) fn build_in(cluster: &mut Cluster) {
    let nodes: Vec<(String, u32)> = cluster.nodes.iter().map(|(name, node)| (name.clone(), node.number)).collect();
    for (node, number) in nodes {
        hardware::seed(cluster, &node, number);
    }
}

/// What a whole area checks before its methods are looked at.
pub(crate) fn check_area(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if call.path.starts_with("/cluster/sdn") { sdn::check_lock(cluster, call) } else { Ok(()) }
}

/// Node, kind and id of the guest that a path names.
fn target(call: &Call) -> (String, Kind, u32) {
    (call.args.need("node").to_owned(), Kind::of_path(&call.path), call.args.vmid())
}

/// Starts a task of the guest that the path names; it holds the guest's file lock. Answers the task's id.
fn guest_task(cluster: &mut Cluster, call: &Call, types: [&'static str; 2], begin: Begin) -> Reply {
    let (node, kind, vmid) = target(call);
    let [of_vm, of_ct] = types;
    let kind = if kind == Kind::Qemu { of_vm } else { of_ct };
    let spawn = Spawn { node, kind, id: vmid.to_string(), user: call.user.clone(), holds: Some(vmid), begin };
    ok(cluster.spawn(spawn))
}

/// The error of a guest that is not there, at once.
fn must_exist(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (node, kind, vmid) = target(call);
    cluster.guest(&node, kind, vmid).map(|_| ()).map_err(Failure::die)
}

/// A failure inside a task is its first line.
fn task_error(failure: Failure) -> String {
    match failure.errors.iter().next() {
        Some((name, text)) => format!("{name}: {}", text.trim_end()),
        None => failure.message.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handler_serves_a_method_of_the_facts() {
        for (verb, path, _) in AREAS.into_iter().flatten() {
            assert!(proxmox_spec::find(*verb, path).is_some(), "{verb} {path}");
        }
    }

    #[test]
    fn no_method_has_two_handlers() {
        assert_eq!(TABLE.len(), AREAS.into_iter().map(<[Route]>::len).sum::<usize>());
    }
}
