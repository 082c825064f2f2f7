//! What lies on storages: who may use, see or remove a volume; backups.
//!
//! Knows kinds and owners of volumes. Source: pve-storage `Storage.pm` and `API2/Storage/`, pve-manager
//! `API2/VZDump.pm`.

use crate::{answer::Failure, auth::Rights, cluster::Cluster, request::Call};

const ALLOCATE: &str = "Datastore.Allocate";
const SPACE: &str = "Datastore.AllocateSpace";
const AUDIT: &str = "Datastore.Audit";

/// Whether a volume may be used: all of them by who administers the storage; images of installers and templates by
/// who sees it; a guest's own by the guest; backups and disks of others by who may back up or change those guests.
pub(super) fn access(
    cluster: &Cluster,
    rights: &Rights,
    node: &str,
    vmid: Option<&str>,
    volid: &str,
) -> Result<(), Failure> {
    let Some((storage, _)) = volid.split_once(':') else { return Ok(()) };
    let path = format!("/storage/{storage}");
    if rights.has(&path, &[ALLOCATE]) {
        return Ok(());
    }
    let (content, owner) = kind_and_owner(cluster, node, volid);
    match (content.as_str(), owner) {
        ("iso" | "vztmpl" | "import", _) => rights.check_any(&path, &[SPACE, AUDIT]),
        (_, Some(owner)) if vmid == Some(owner.to_string().as_str()) => Ok(()),
        ("backup", Some(owner)) => {
            rights.check(&path, &[SPACE])?;
            rights.check(&format!("/vms/{owner}"), &["VM.Backup"])
        }
        ("images" | "rootdir", Some(owner)) => {
            rights.check(&path, &[AUDIT])?;
            rights.check(&format!("/vms/{owner}"), &["VM.Config.Disk"])
        }
        _ => Err(Failure::die(format!("missing privileges to access {volid}"))),
    }
}

/// Whether a volume shows in the list of a storage's content.
pub(in crate::auth) fn may_see(cluster: &Cluster, call: &Call, volid: &str) -> bool {
    access(cluster, &call.rights, call.args.need("node"), None, volid).is_ok()
}

/// The guest that a disk belongs to; installers, templates and backups belong to none.
pub(super) fn owner(cluster: &Cluster, node: &str, volid: &str) -> Option<u32> {
    let (content, owner) = kind_and_owner(cluster, node, volid);
    owner.filter(|_| matches!(content.as_str(), "images" | "rootdir"))
}

/// By what is there, and by the name where nothing is there.
fn kind_and_owner(cluster: &Cluster, node: &str, volid: &str) -> (String, Option<u32>) {
    if let Some(volume) = cluster.volume(node, volid) {
        return (volume.content.clone(), volume.vmid);
    }
    let name = volid.split_once(':').map_or(volid, |(_, name)| name);
    let content = match name.split('/').next() {
        Some(folder @ ("iso" | "vztmpl" | "import" | "backup" | "snippets")) if name.contains('/') => folder,
        _ => "images",
    };
    let marks = ["vzdump-qemu-", "vzdump-lxc-", "backup/vm/", "backup/ct/", "vm-", "base-", "subvol-"];
    let owner = marks.iter().find_map(|mark| {
        let (_, rest) = name.split_once(mark)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    (content.to_owned(), owner)
}

/// The volume of a call; its storage may be left out where the path names it.
fn volid_of(call: &Call) -> String {
    let volume = call.args.need("volume");
    match call.args.text("storage") {
        Some(storage) if !volume.starts_with(&format!("{storage}:")) => format!("{storage}:{volume}"),
        _ => volume.to_owned(),
    }
}

pub(super) fn read(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    access(cluster, &call.rights, call.args.need("node"), None, &volid_of(call))
}

pub(super) fn annotate(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    read(cluster, call)?;
    if call.args.has("protected") {
        call.rights.check(&format!("/storage/{}", call.args.need("storage")), &[ALLOCATE])?;
    }
    Ok(())
}

pub(super) fn delete(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let path = format!("/storage/{}", call.args.need("storage"));
    match kind_and_owner(cluster, call.args.need("node"), &volid_of(call)) {
        (content, Some(owner)) if content == "backup" => {
            call.rights.check(&path, &[SPACE])?;
            call.rights.check(&format!("/vms/{owner}"), &["VM.Backup"])
        }
        _ => call.rights.check(&path, &[ALLOCATE]),
    }
}

pub(super) fn prune(_: &Cluster, call: &Call) -> Result<(), Failure> {
    let path = format!("/storage/{}", call.args.need("storage"));
    match call.args.text("vmid") {
        Some(_) if call.rights.has(&path, &[ALLOCATE]) => Ok(()),
        Some(vmid) => {
            call.rights.check(&path, &[SPACE])?;
            call.rights.check(&format!("/vms/{vmid}"), &["VM.Backup"])
        }
        None => call.rights.check(&path, &[ALLOCATE]),
    }
}

/// POST /nodes/{node}/vzdump. Whether the guests may be backed up is found out by the task.
pub(super) fn back_up(_: &Cluster, call: &Call) -> Result<(), Failure> {
    let (args, rights) = (&call.args, &call.rights);
    let path = format!("/storage/{}", args.text("storage").unwrap_or("local"));
    if ["bwlimit", "ionice", "performance"].iter().any(|name| args.has(name)) {
        rights.check("/", &["Sys.Modify"])?;
    }
    if args.has("prune-backups") {
        rights.check(&path, &[ALLOCATE])?;
    }
    let fleecing =
        args.text("fleecing").and_then(|text| text.split(',').find_map(|part| part.strip_prefix("storage=")));
    if let Some(storage) = fleecing {
        rights.check(&format!("/storage/{storage}"), &[SPACE])?;
    }
    rights.check(&path, &[SPACE])
}

pub(super) fn backup_job(_: &Cluster, call: &Call) -> Result<(), Failure> {
    match call.args.text("storage").filter(|_| call.args.has("prune-backups")) {
        Some(storage) => call.rights.check(&format!("/storage/{storage}"), &[ALLOCATE]),
        None => Ok(()),
    }
}

pub(super) fn backup_defaults(_: &Cluster, call: &Call) -> Result<(), Failure> {
    let storage = call.args.text("storage").unwrap_or("local");
    call.rights.check_any(&format!("/storage/{storage}"), &[AUDIT, SPACE])
}

pub(super) fn extract(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let (node, volid) = (call.args.need("node"), call.args.need("volume"));
    access(cluster, &call.rights, node, None, volid)?;
    match kind_and_owner(cluster, node, volid).1 {
        Some(owner) => call.rights.check(&format!("/vms/{owner}"), &["VM.Backup"]),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_kind_and_owner() {
        let cluster = Cluster::empty(1, 0.0);
        for (volid, content, owner) in [
            ("local:iso/a.iso", "iso", None),
            ("local:backup/vzdump-qemu-100-2026_10_31-02_00_00.vma.zst", "backup", Some(100)),
            ("pbs:backup/ct/200/2026-10-01T02:05:00Z", "backup", Some(200)),
            ("nas:101/vm-101-disk-0.qcow2", "images", Some(101)),
            ("lvm:base-9000-disk-0", "images", Some(9000)),
            ("lvm:other", "images", None),
        ] {
            assert_eq!(kind_and_owner(&cluster, "pve1", volid), (content.to_owned(), owner), "{volid}");
        }
    }
}
