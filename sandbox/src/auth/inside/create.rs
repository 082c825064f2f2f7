//! New guests: made from nothing, from an archive, from another guest.
//!
//! Knows what has to be allowed before a new id may appear. Source: qemu-server `API2/Qemu.pm`, pve-container
//! `API2/LXC.pm`.

use super::{
    config::{self, Owner, card, options},
    volumes,
};
use crate::{
    answer::Failure,
    auth::bare,
    cluster::Cluster,
    guest::{Kind, file_of, indexed, is_cdrom, is_volume_option},
    request::Call,
};

/// POST /nodes/{node}/qemu
pub(super) fn vm(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    let pool = args.text("pool");
    cluster.check_pool(pool)?;
    if let Some(storage) = args.text("storage") {
        rights.check(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
    }
    if args.flag("ha-managed") {
        rights.check("/", &["Sys.Console"])?;
    }
    let owner = Owner::of(call, pool);
    if args.flag("start") {
        rights.check_guest(owner.vmid, pool, &["VM.PowerMgmt"])?;
    }
    allocate(cluster, call, pool, args.has("archive"))?;
    if let Some(archive) = args.text("archive") {
        volumes::access(cluster, rights, args.need("node"), Some(owner.vmid), archive)?;
    }
    for (option, text) in options(call, Kind::Qemu) {
        config::vm_value(cluster, call, option, text)?;
        config::vm_option(&owner, option)?;
    }
    Ok(())
}

/// POST /nodes/{node}/lxc
pub(super) fn container(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    let pool = args.text("pool");
    cluster.check_pool(pool)?;
    allocate(cluster, call, pool, args.flag("restore"))?;
    let owner = Owner::of(call, pool);
    for (option, text) in options(call, Kind::Lxc).filter(|(option, _)| *option != "unprivileged") {
        config::ct_option(&owner, option)?;
        config::ct_value(cluster, call, option, text)?;
    }
    volumes::access(cluster, rights, args.need("node"), Some(owner.vmid), args.need("ostemplate"))?;
    if args.has("rootfs") {
        return Ok(());
    }
    rights.check(&format!("/storage/{}", args.text("storage").unwrap_or("local")), &["Datastore.AllocateSpace"])
}

/// The id may be taken, by itself or in the pool; who may back a guest up may also put its backup back.
fn allocate(cluster: &Cluster, call: &Call, pool: Option<&str>, restores: bool) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    let guest = format!("/vms/{}", args.need("vmid"));
    let overwrites = restores && args.flag("force") && cluster.guests.contains_key(&args.vmid());
    let allowed = rights.has(&guest, &["VM.Allocate"])
        || pool.is_some_and(|pool| rights.has(&format!("/pool/{pool}"), &["VM.Allocate"]))
        || (overwrites && rights.has(&guest, &["VM.Backup"]));
    if allowed { Ok(()) } else { Err(bare()) }
}

/// POST …/clone of both kinds: the storages of the copies, and the bridges that the copy is plugged into.
pub(super) fn clone(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    cluster.check_pool(args.text("pool"))?;
    let kind = Kind::of_path(&call.path);
    let Ok(guest) = cluster.guest(args.need("node"), kind, args.vmid()) else { return Ok(()) };
    for (option, value) in &guest.config {
        let Some(text) = value.as_str() else { continue };
        if is_volume_option(option) && !option.starts_with("unused") && !is_cdrom(text) {
            let own = file_of(text).split(':').next().unwrap_or_default();
            let storage = args.text("storage").unwrap_or(own);
            rights.check(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
        } else if indexed(option, "net") {
            card(cluster, rights, text)?;
        }
    }
    Ok(())
}
