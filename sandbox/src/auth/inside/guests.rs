//! Existing guests: moving disks, the monitor, sleeping on a disk, and many guests at once.
//!
//! Knows what these take beside the privilege that their path demands.

use super::config::Owner;
use crate::{
    answer::Failure,
    cluster::Cluster,
    guest::{Kind, file_of, is_cdrom, is_disk},
    request::Call,
};

/// POST …/move_disk and …/move_volume: room on the other storage, or a place in the other guest.
pub(super) fn move_disk(_: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    if let Some(other) = args.text("target-vmid") {
        rights.check(&format!("/vms/{other}"), &["VM.Config.Disk"])?;
    }
    match args.text("storage") {
        Some(storage) => rights.check(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"]),
        None => Ok(()),
    }
}

/// POST …/monitor: looking is free, everything else changes the host.
pub(super) fn monitor(_: &Cluster, call: &Call) -> Result<(), Failure> {
    match call.args.need("command").split_whitespace().next() {
        Some("info" | "help" | "?") | None => Ok(()),
        Some(_) => call.rights.check("/", &["Sys.Modify"]),
    }
}

/// POST …/status/suspend: the memory goes to a storage if `todisk` is given.
pub(super) fn suspend(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, owner) = (&call.args, Owner::of(call, None));
    if !args.flag("todisk") {
        return Ok(());
    }
    owner.rights.check_guest(owner.vmid, None, &["VM.Config.Disk"])?;
    let Ok(guest) = cluster.guest(args.need("node"), Kind::Qemu, args.vmid()) else { return Ok(()) };
    let disks = guest.config.iter().filter(|(option, _)| is_disk(option)).filter_map(|(_, value)| value.as_str());
    let first = disks.filter(|text| !is_cdrom(text)).find_map(|text| file_of(text).split_once(':'));
    let storage = args.text("statestorage").or(guest.text("vmstatestorage")).or(first.map(|(storage, _)| storage));
    owner.rights.check(&format!("/storage/{}", storage.unwrap_or("local")), &["Datastore.AllocateSpace"])
}

/// POST /cluster/bulk-action/guest/{start,shutdown,suspend}
pub(super) fn bulk_power(_: &Cluster, call: &Call) -> Result<(), Failure> {
    all_of(call, &call.args.array("vms"), "VM.PowerMgmt")
}

/// POST /cluster/bulk-action/guest/migrate
pub(super) fn bulk_migrate(_: &Cluster, call: &Call) -> Result<(), Failure> {
    all_of(call, &call.args.array("vms"), "VM.Migrate")
}

/// POST /nodes/{node}/{startall,stopall,suspendall}
pub(super) fn node_power(_: &Cluster, call: &Call) -> Result<(), Failure> {
    some_of_node(call, "VM.PowerMgmt")
}

/// POST /nodes/{node}/migrateall
pub(super) fn node_migrate(_: &Cluster, call: &Call) -> Result<(), Failure> {
    some_of_node(call, "VM.Migrate")
}

fn some_of_node(call: &Call, privilege: &str) -> Result<(), Failure> {
    if call.rights.has("/", &[privilege]) {
        return Ok(());
    }
    all_of(call, &call.args.list("vms"), privilege)
}

/// On each of the guests; without any, on everything.
fn all_of(call: &Call, guests: &[String], privilege: &str) -> Result<(), Failure> {
    if guests.is_empty() {
        return call.rights.check("/", &[privilege]);
    }
    guests.iter().try_for_each(|vmid| call.rights.check(&format!("/vms/{vmid}"), &[privilege]))
}
