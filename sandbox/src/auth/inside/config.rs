//! Options of guests: which privilege each of them takes, and what disks and network cards take beside it.
//!
//! Knows option names. Source: qemu-server `API2/Qemu.pm`, pve-container `LXC.pm`.

use proxmox_spec::Verb;

use super::volumes;
use crate::{
    answer::Failure,
    auth::Rights,
    cluster::Cluster,
    disks::bridge,
    guest::{Kind, file_of, indexed, is_cdrom, is_disk},
    request::Call,
};

const CPU: [&str; 9] = ["cores", "cpu", "cpulimit", "cpuunits", "numa", "runningcpu", "smp", "sockets", "vcpus"];
const MEMORY: [&str; 4] = ["allow-ksm", "balloon", "memory", "shares"];
const HARDWARE: [&str; 12] = [
    "acpi",
    "audio0",
    "hotplug",
    "kvm",
    "machine",
    "rng0",
    "runningmachine",
    "scsihw",
    "smbios1",
    "tablet",
    "vga",
    "watchdog",
];
const DISK: [&str; 3] = ["boot", "bootdisk", "vmstatestorage"];
const CLOUD_INIT: [&str; 8] =
    ["cicustom", "cipassword", "citype", "ciupgrade", "ciuser", "nameserver", "searchdomain", "sshkeys"];

/// Whose guest it is, or is to be.
pub(super) struct Owner<'a> {
    pub rights: &'a Rights,
    pub vmid: &'a str,
    /// The pool that a new guest is to become a member of.
    pub pool: Option<&'a str>,
}

impl<'a> Owner<'a> {
    pub(super) fn of(call: &'a Call, pool: Option<&'a str>) -> Owner<'a> {
        Owner { rights: &call.rights, vmid: call.args.need("vmid"), pool }
    }

    fn needs(&self, privilege: &str) -> Result<(), Failure> {
        self.rights.check_guest(self.vmid, self.pool, &[privilege])
    }
}

/// PUT and POST of a virtual machine's configuration. What happens to drives is checked when it happens: at once by a
/// PUT, by the task of a POST.
pub(super) fn vm(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let owner = Owner::of(call, None);
    for option in call.args.list("delete").iter().chain(&call.args.list("revert")) {
        if Kind::Qemu.has_option(option) {
            vm_option(&owner, option)?;
        }
    }
    for (option, text) in options(call, Kind::Qemu) {
        vm_option(&owner, option)?;
        vm_value(cluster, call, option, text)?;
    }
    if call.method.verb == Verb::Put { vm_drives(cluster, call) } else { Ok(()) }
}

/// The drives that a change of a virtual machine's configuration puts in, replaces or takes out.
pub(crate) fn vm_drives(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let owner = Owner::of(call, None);
    let Ok(guest) = cluster.guest(call.args.need("node"), Kind::Qemu, call.args.vmid()) else { return Ok(()) };
    for option in call.args.list("delete").iter().chain(&call.args.list("revert")) {
        if indexed(option, "unused") {
            owner.needs("VM.Config.Disk")?;
        } else if let Some(text) = guest.text(option).filter(|_| is_disk(option)) {
            drive(&owner, text)?;
        }
    }
    for (option, text) in options(call, Kind::Qemu).filter(|(option, _)| is_disk(option)) {
        if let Some(old) = guest.text(option) {
            drive(&owner, old)?;
        }
        drive(&owner, text)?;
    }
    Ok(())
}

/// PUT of a container's configuration.
pub(super) fn container(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let owner = Owner::of(call, None);
    let Ok(guest) = cluster.guest(call.args.need("node"), Kind::Lxc, call.args.vmid()) else { return Ok(()) };
    let old = |option: &str| guest.text(option).map(str::to_owned);
    for option in call.args.list("delete").iter().chain(&call.args.list("revert")) {
        ct_option(&owner, option)?;
        if let Some(text) = old(option).filter(|_| indexed(option, "net")) {
            card(cluster, owner.rights, &text)?;
        }
    }
    for (option, text) in options(call, Kind::Lxc) {
        ct_option(&owner, option)?;
        if let Some(text) = old(option).filter(|_| indexed(option, "net")) {
            card(cluster, owner.rights, &text)?;
        }
        ct_value(cluster, call, option, text)?;
    }
    Ok(())
}

/// The options among the parameters.
pub(super) fn options(call: &Call, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
    call.args.texts().filter(move |(name, _)| kind.has_option(name))
}

/// What the name of an option of a virtual machine demands.
pub(super) fn vm_option(owner: &Owner<'_>, option: &str) -> Result<(), Failure> {
    let by_value = ["unused", "serial", "usb", "hostpci", "virtiofs"];
    if is_disk(option) || option == "cdrom" || by_value.iter().any(|base| indexed(option, base)) {
        return Ok(());
    }
    if CPU.contains(&option) || indexed(option, "numa") {
        owner.needs("VM.Config.CPU")
    } else if MEMORY.contains(&option) {
        owner.needs("VM.Config.Memory")
    } else if HARDWARE.contains(&option) {
        owner.needs("VM.Config.HWType")
    } else if DISK.contains(&option) {
        owner.needs("VM.Config.Disk")
    } else if option == "freeze" {
        owner.needs("VM.PowerMgmt")
    } else if indexed(option, "net") {
        owner.needs("VM.Config.Network")
    } else if CLOUD_INIT.contains(&option) || indexed(option, "ipconfig") {
        owner.rights.check_guest_any(owner.vmid, owner.pool, &["VM.Config.Cloudinit", "VM.Config.Network"])
    } else {
        owner.needs("VM.Config.Options")?;
        // The order of starts changes what the host does.
        if option == "startup" { owner.rights.check("/", &["Sys.Modify"]) } else { Ok(()) }
    }
}

/// What the value of an option of a virtual machine demands: storages, bridges, devices of the host.
pub(super) fn vm_value(cluster: &Cluster, call: &Call, option: &str, text: &str) -> Result<(), Failure> {
    let rights = &call.rights;
    let pool = call.args.text("pool");
    let hardware = || rights.check_guest(call.args.need("vmid"), pool, &["VM.Config.HWType"]);
    let mapped = |kind: &str, key: &str| match key_of(text, key) {
        Some(name) => rights.check(&format!("/mapping/{kind}/{name}"), &["Mapping.Use"]),
        None => Ok(()),
    };
    if is_disk(option) {
        vm_disk(cluster, call, text)
    } else if indexed(option, "unused") {
        volumes::access(cluster, rights, call.args.need("node"), Some(call.args.need("vmid")), file_of(text))
    } else if indexed(option, "net") {
        card(cluster, rights, text)
    } else if indexed(option, "serial") {
        hardware()
    } else if indexed(option, "usb") || indexed(option, "hostpci") {
        hardware()?;
        mapped(if indexed(option, "usb") { "usb" } else { "pci" }, "mapping")
    } else if indexed(option, "virtiofs") {
        rights.check_guest(call.args.need("vmid"), pool, &["VM.Config.Disk"])?;
        let name = key_of(text, "dirid").unwrap_or_else(|| text.split(',').next().unwrap_or_default());
        rights.check(&format!("/mapping/dir/{name}"), &["Mapping.Use"])
    } else if option == "vmstatestorage" {
        rights.check(&format!("/storage/{text}"), &["Datastore.AllocateSpace"])
    } else {
        Ok(())
    }
}

fn vm_disk(cluster: &Cluster, call: &Call, text: &str) -> Result<(), Failure> {
    let (rights, node, vmid) = (&call.rights, call.args.need("node"), call.args.need("vmid"));
    let file = file_of(text);
    let (storage, name) = file.split_once(':').unwrap_or(("", file));
    if name == "none" || name == "cloudinit" {
        // Nothing is demanded for these.
    } else if is_cdrom(text) && file == "cdrom" {
        rights.check("/", &["Sys.Console"])?;
    } else if !is_cdrom(text) && is_size(name) {
        rights.check(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
    } else if !storage.is_empty() {
        volumes::access(cluster, rights, node, Some(vmid), file)?;
    }
    match key_of(text, "import-from") {
        Some(source) => match volumes::owner(cluster, node, source) {
            Some(other) => rights.check(&format!("/vms/{other}"), &["VM.Clone"]),
            None => volumes::access(cluster, rights, node, Some(vmid), source),
        },
        None => Ok(()),
    }
}

/// A drive that is put in, replaced or taken out.
fn drive(owner: &Owner<'_>, text: &str) -> Result<(), Failure> {
    if file_of(text).contains("cloudinit") {
        owner.rights.check_guest(owner.vmid, owner.pool, &["VM.Config.Cloudinit", "VM.Config.CDROM"])
    } else if is_cdrom(text) {
        owner.needs("VM.Config.CDROM")
    } else {
        owner.needs("VM.Config.Disk")
    }
}

/// What the name of an option of a container demands.
pub(super) fn ct_option(owner: &Owner<'_>, option: &str) -> Result<(), Failure> {
    if ["cores", "cpuunits", "cpulimit"].contains(&option) {
        owner.needs("VM.Config.CPU")
    } else if option == "rootfs" || indexed(option, "mp") || indexed(option, "unused") {
        owner.needs("VM.Config.Disk")
    } else if ["memory", "swap"].contains(&option) {
        owner.needs("VM.Config.Memory")
    } else if indexed(option, "net") || ["nameserver", "searchdomain", "hostname"].contains(&option) {
        owner.needs("VM.Config.Network")
    } else if indexed(option, "dev") {
        Err(Failure::forbidden("configuring device passthrough is only allowed for root@pam"))
    } else if option == "hookscript" {
        Err(Failure::forbidden("changing the hookscript is only allowed for root@pam"))
    } else {
        owner.needs("VM.Config.Options")
    }
}

/// What the value of an option of a container demands.
pub(super) fn ct_value(cluster: &Cluster, call: &Call, option: &str, text: &str) -> Result<(), Failure> {
    let rights = &call.rights;
    if indexed(option, "net") {
        return card(cluster, rights, text);
    }
    let Some((storage, name)) = file_of(text).split_once(':').filter(|_| option == "rootfs" || indexed(option, "mp"))
    else {
        return Ok(());
    };
    if is_size(name) {
        return rights.check(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"]);
    }
    volumes::access(cluster, rights, call.args.need("node"), Some(call.args.need("vmid")), file_of(text))
}

/// The bridge, or the network of the SDN, that a card is plugged into; a VLAN is a path of its own below it.
pub(super) fn card(cluster: &Cluster, rights: &Rights, text: &str) -> Result<(), Failure> {
    let Some(bridge) = bridge(text) else { return Ok(()) };
    let path = format!("/sdn/zones/{}/{bridge}", zone_of(cluster, bridge));
    let trunks = key_of(text, "trunks").into_iter().flat_map(|trunks| trunks.split(';'));
    let tags: Vec<&str> = key_of(text, "tag").into_iter().chain(trunks).collect();
    if tags.is_empty() {
        return rights.check(&path, &["SDN.Use"]);
    }
    tags.iter().try_for_each(|tag| rights.check(&format!("{path}/{tag}"), &["SDN.Use"]))
}

/// The zone of a network of the SDN; plain bridges are in a zone of their own.
pub(super) fn zone_of(cluster: &Cluster, vnet: &str) -> String {
    let known = cluster.store.get(&format!("/cluster/sdn/vnets/{vnet}"));
    let zone = known.and_then(|fields| fields.get("zone")).and_then(serde_json::Value::as_str);
    zone.unwrap_or("localnetwork").to_owned()
}

fn key_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
}

/// A number of GiB behind the storage's name makes a new volume.
fn is_size(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
