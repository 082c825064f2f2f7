//! Tasks, pools, replication, networks of the SDN, storages that come with a disk.
//!
//! Knows whose task a task is, and which guest or zone a call is about.

use proxmox_spec::Verb;

use super::config::zone_of;
use crate::{answer::Failure, auth::Rights, cluster::Cluster, request::Call, upid::Upid};

/// Nothing more: the answer is shortened instead.
pub(super) fn nothing(_: &Cluster, _: &Call) -> Result<(), Failure> {
    Ok(())
}

/// A task of this user, or of one of this user's tokens. A token sees its own alone.
pub(in crate::auth) fn is_own(rights: &Rights, upid: &Upid) -> bool {
    rights.who() == upid.user || rights.who() == upid.user_and_token().0
}

fn foreign(call: &Call, upid: &Upid, privilege: &str) -> Result<(), Failure> {
    if is_own(&call.rights, upid) {
        return Ok(());
    }
    call.rights.check(&format!("/nodes/{}", call.args.need("node")), &[privilege])
}

/// A task that is not there is told before anything is checked, but by its log.
fn existing(cluster: &Cluster, call: &Call) -> Option<Upid> {
    let upid = Upid::parse(call.args.need("upid"))?;
    cluster.tasks.iter().any(|task| task.upid == upid).then_some(upid)
}

pub(super) fn task_status(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    existing(cluster, call).map_or(Ok(()), |upid| foreign(call, &upid, "Sys.Audit"))
}

pub(super) fn task_stop(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    existing(cluster, call).map_or(Ok(()), |upid| foreign(call, &upid, "Sys.Modify"))
}

pub(super) fn task_log(_: &Cluster, call: &Call) -> Result<(), Failure> {
    Upid::parse(call.args.need("upid")).map_or(Ok(()), |upid| foreign(call, &upid, "Sys.Audit"))
}

/// GET /pools with a `poolid` is the look at one pool.
pub(super) fn read_pool(_: &Cluster, call: &Call) -> Result<(), Failure> {
    match call.args.text("poolid") {
        Some(pool) => call.rights.check(&format!("/pool/{pool}"), &["Pool.Audit"]),
        None => Ok(()),
    }
}

/// Who makes a guest a member decides on who may do what with it.
pub(super) fn change_pool(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if !cluster.pools.contains_key(call.args.need("poolid")) {
        return Ok(());
    }
    let guests = call.args.list("vms").into_iter().map(|vmid| format!("/vms/{vmid}"));
    let storages = call.args.list("storage").into_iter().map(|storage| format!("/storage/{storage}"));
    guests.chain(storages).try_for_each(|path| call.rights.check_modify(&path))
}

/// The guest of a replication job: `100` of `100-0`.
fn replicated(call: &Call) -> String {
    format!("/vms/{}", call.args.need("id").split('-').next().unwrap_or_default())
}

pub(super) fn replicate(_: &Cluster, call: &Call) -> Result<(), Failure> {
    call.rights.check(&replicated(call), &["VM.Replicate"])
}

pub(super) fn read_replication(_: &Cluster, call: &Call) -> Result<(), Failure> {
    call.rights.check(&replicated(call), &["VM.Audit"])
}

pub(super) fn replication_log(_: &Cluster, call: &Call) -> Result<(), Failure> {
    if call.rights.has(&format!("/nodes/{}", call.args.need("node")), &["Sys.Audit"]) {
        return Ok(());
    }
    call.rights.check(&replicated(call), &["VM.Audit"])
}

/// Everything below `…/sdn/vnets/{vnet}`: on the network, below its zone.
pub(super) fn vnet(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if !call.method.permissions.in_code {
        return Ok(());
    }
    let vnet = call.args.need("vnet");
    let path = format!("/sdn/zones/{}/{vnet}", zone_of(cluster, vnet));
    if call.method.verb == Verb::Get {
        return call.rights.check_any(&path, call.method.permissions.privileges_in_code);
    }
    call.rights.check(&path, &["SDN.Allocate"])
}

/// A new file system that becomes a storage.
pub(super) fn adds_storage(_: &Cluster, call: &Call) -> Result<(), Failure> {
    if call.args.flag("add_storage") { call.rights.check("/storage", &["Datastore.Allocate"]) } else { Ok(()) }
}

/// A file system that goes, and its storage with it.
pub(super) fn drops_storage(_: &Cluster, call: &Call) -> Result<(), Failure> {
    if call.args.flag("cleanup-config") { call.rights.check("/storage", &["Datastore.Allocate"]) } else { Ok(()) }
}
