//! Drives, mount points and network cards as configurations write them: what `local-lvm:8` becomes.
//!
//! Knows the option texts of both kinds of guests; which request brings them is the handlers' business.

use proxmox_spec::{Verb, find, property};

use crate::{
    answer::Failure,
    cluster::Cluster,
    guest::{Kind, file_of, indexed, is_cdrom, print_size, size_of},
    volumes::Allocation,
};

const GIB: f64 = (1_u64 << 30) as f64;
const KIB: u64 = 1 << 10;

/// What a drive or mount point asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// No medium, or the node's own CD drive.
    Nothing,
    /// A new volume of that many bytes.
    New {
        storage: String,
        size: u64,
    },
    /// A drive with the data for the first boot.
    CloudInit {
        storage: String,
    },
    Existing(String),
}

/// Reads a drive or mount point; errors are those that the API gives at once.
pub(crate) fn wanted(cluster: &Cluster, node: &str, kind: Kind, text: &str) -> Result<Wanted, Failure> {
    let file = file_of(text);
    if file == "none" || file == "cdrom" {
        return Ok(Wanted::Nothing);
    }
    if file.starts_with('/') {
        return Err(match kind {
            Kind::Qemu => arbitrary_path(),
            Kind::Lxc => {
                let what = if file.starts_with("/dev/") { "device" } else { "bind" };
                Failure::forbidden(&format!("mount point type {what} is only allowed for root@pam"))
            }
        });
    }
    let Some((id, name)) = file.split_once(':') else {
        return Err(Failure::die(format!("unable to parse volume ID '{file}'")));
    };
    let storage = cluster.usable_storage(id, node)?;
    if name == "cloudinit" {
        return Ok(Wanted::CloudInit { storage: id.to_owned() });
    }
    if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && let Ok(size) = name.parse::<f64>()
    {
        let bytes = ((size * GIB / KIB as f64).ceil() as u64) * KIB;
        return Ok(Wanted::New { storage: id.to_owned(), size: bytes });
    }
    if is_volume_name(storage.is_directory() || storage.kind == "pbs", name) {
        return Ok(Wanted::Existing(file.to_owned()));
    }
    Err(Failure::die(unparsable(&storage.kind, name)))
}

/// `unable to parse … volume name '…'`
pub(crate) fn unparsable(kind: &str, name: &str) -> String {
    let what = match kind {
        "lvm" | "lvmthin" => "lvm",
        "pbs" => "pbs",
        "zfspool" => "zfs",
        "rbd" => "rbd",
        _ => "directory",
    };
    format!("unable to parse {what} volume name '{name}'")
}

/// The refusal of everything that is no volume id.
pub(crate) fn arbitrary_path() -> Failure {
    Failure::die("Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.")
}

/// Whether a name behind the storage's id can be a volume.
pub(crate) fn is_volume_name(files: bool, name: &str) -> bool {
    if name.contains("..") {
        return false;
    }
    if !files {
        return name.starts_with("vm-") || name.starts_with("base-") || name.starts_with("snap_");
    }
    match name.split_once('/') {
        Some((folder, file)) => {
            let known = ["iso", "vztmpl", "backup", "snippets", "import", "images"].contains(&folder);
            let guest = !folder.is_empty() && folder.bytes().all(|byte| byte.is_ascii_digit());
            (known || guest) && !file.is_empty()
        }
        None => false,
    }
}

/// Makes what a drive or mount point asks for, and answers the text that the configuration keeps.
pub(crate) fn realize(
    cluster: &mut Cluster,
    node: &str,
    kind: Kind,
    vmid: u32,
    option: &str,
    text: &str,
    log: &mut Vec<String>,
) -> Result<String, Failure> {
    let part = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
    let (volid, size) = match wanted(cluster, node, kind, text)? {
        Wanted::Nothing => return Ok(text.to_owned()),
        Wanted::New { storage, size } => {
            let import = part("import-from=");
            let size = match (&import, option) {
                (Some(source), _) => cluster.volume(node, source).map_or(size, |volume| volume.size),
                (None, option) if indexed(option, "efidisk") || indexed(option, "tpmstate") => 4 << 20,
                _ => size,
            };
            let format = part("format=");
            let wanted =
                Allocation { storage: &storage, node, vmid, kind, size, format: format.as_deref(), what: "disk" };
            let volid = cluster.allocate(&wanted)?;
            log.push(made(cluster, &volid, size));
            if let Some(source) = import {
                log.push(format!("importing '{source}' as '{volid}'"));
            }
            (volid, Some(size))
        }
        Wanted::CloudInit { storage } => {
            let size = 4 << 20;
            let wanted = Allocation { storage: &storage, node, vmid, kind, size, format: None, what: "cloudinit" };
            let volid = cluster.allocate(&wanted)?;
            log.push(made(cluster, &volid, size));
            (volid, None)
        }
        Wanted::Existing(volid) => {
            let known = cluster.volume(node, &volid).map(|volume| (volume.size, volume.content == "iso"));
            let Some((size, iso)) = known else {
                return Err(Failure::die(format!("volume '{volid}' does not exist")));
            };
            if kind == Kind::Qemu && !iso && is_cdrom(text) && !volid.contains("cloudinit") {
                return Err(Failure::die(format!("unable to use volume {volid} - content type needs to be 'iso'")));
            }
            (volid, Some(size))
        }
    };
    let stored = joined(&volid, text, size.or_else(|| size_of(text)));
    if kind == Kind::Qemu && !log.is_empty() {
        log.push(format!("{option}: successfully created disk '{stored}'"));
    }
    Ok(stored)
}

/// The option's text for a volume: the volume first, the rest by name, without what only the making needs.
fn joined(volid: &str, text: &str, size: Option<u64>) -> String {
    const MAKING: [&str; 3] = ["size", "format", "import-from"];
    let mut parts: Vec<String> = text
        .split(',')
        .skip(1)
        .filter(|part| !MAKING.contains(&part.split('=').next().unwrap_or_default()))
        .map(str::to_owned)
        .collect();
    if volid.contains("cloudinit") && !parts.iter().any(|part| part == "media=cdrom") {
        parts.push("media=cdrom".to_owned());
    }
    parts.extend(size.map(|size| format!("size={}", print_size(size))));
    parts.sort();
    parts.insert(0, volid.to_owned());
    parts.join(",")
}

/// The log line of a new volume.
pub(crate) fn made(cluster: &Cluster, volid: &str, size: u64) -> String {
    let (id, name) = volid.split_once(':').unwrap_or((volid, ""));
    if cluster.storages.get(id).is_some_and(|storage| storage.is_directory()) {
        let format = if name.ends_with(".qcow2") { "qcow2" } else { "raw" };
        format!("Formatting '{}', fmt={format} size={size} preallocation=off", cluster.volume_path(volid))
    } else {
        format!("  Logical volume \"{name}\" created.")
    }
}

/// A network card as the configuration keeps it, with a MAC address of its own where none is given.
pub(crate) fn network(cluster: &mut Cluster, kind: Kind, option: &str, text: &str, fresh_mac: bool) -> String {
    let path = format!("/nodes/{{node}}/{}/{{vmid}}/config", kind.as_str());
    let keys = find(Verb::Put, &path).and_then(|method| method.param(option)).map(|param| param.keys);
    let Some(mut pairs) = keys.and_then(|keys| property::parse(keys, text).ok()) else { return text.to_owned() };
    let (first, mac) = match kind {
        Kind::Qemu => ("model", "macaddr"),
        Kind::Lxc => ("name", "hwaddr"),
    };
    if fresh_mac {
        pairs.retain(|(name, _)| *name != mac);
    }
    let taken = |pairs: &mut Vec<(&'static str, String)>, wanted: &str| {
        pairs.iter().position(|(name, _)| *name == wanted).map(|place| pairs.remove(place).1)
    };
    let head = taken(&mut pairs, first).unwrap_or_default();
    let address = taken(&mut pairs, mac).map_or_else(|| cluster.draw_mac(), |mac| mac.to_uppercase());
    let mut parts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    match kind {
        Kind::Qemu => {
            parts.sort();
            parts.insert(0, format!("{head}={address}"));
        }
        Kind::Lxc => {
            parts.push(format!("hwaddr={address}"));
            if !parts.iter().any(|part| part.starts_with("type=")) {
                parts.push("type=veth".to_owned());
            }
            parts.sort();
            parts.insert(0, format!("name={head}"));
        }
    }
    parts.join(",")
}

/// The bridge of a network card.
pub(crate) fn bridge(text: &str) -> Option<&str> {
    text.split(',').find_map(|part| part.strip_prefix("bridge="))
}
