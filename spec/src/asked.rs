//! What methods ask for in their code, beside the expression that the facts carry, as far as parameters tell it: the
//! privileges of a guest's options, of new volumes and of bridges.
//!
//! Knows option names of both kinds of guests. Must not know who has which privilege. Source: qemu-server
//! `API2/Qemu.pm` (`check_vm_modify_config_perm`, `check_storage_access`), pve-container `LXC.pm`
//! (`check_ct_modify_config_perm`).

use crate::lookup::find;
use crate::model::{Method, Names, Param, Verb};
use crate::privileges::Demand;

const CPU: &[&str] = &["affinity", "cores", "cpu", "cpulimit", "cpuunits", "numa", "sockets", "vcpus"];
const MEMORY: &[&str] = &["allow-ksm", "balloon", "memory", "shares", "swap"];
const HARDWARE: &[&str] =
    &["acpi", "audio0", "hotplug", "kvm", "machine", "rng0", "scsihw", "smbios1", "tablet", "vga", "watchdog"];
const CLOUD_INIT: &[&str] =
    &["cicustom", "cipassword", "citype", "ciupgrade", "ciuser", "nameserver", "searchdomain", "sshkeys"];
/// Parameters of a change that are no options.
const NO_OPTIONS: &[&str] =
    &["background_delay", "delete", "digest", "force", "node", "revert", "skiplock", "unprivileged", "vmid"];

/// What a call that makes or changes the configuration of a guest asks for by its parameters. Empty for other calls,
/// and where it is not sure: for a new guest in a pool, which may have everything by that, and for one out of a backup.
pub fn asked(method: &Method, params: &[(&str, &str)], vmid: &str) -> Vec<Demand> {
    let kind = match method.path.strip_prefix("/nodes/{node}/").unwrap_or_default() {
        "qemu" | "qemu/{vmid}/config" => "qemu",
        "lxc" | "lxc/{vmid}/config" => "lxc",
        _ => return Vec::new(),
    };
    let new = !method.path.ends_with("/config");
    let unsure = |(name, _): &(&str, &str)| ["pool", "archive", "restore"].contains(name);
    if method.verb == Verb::Get || vmid.is_empty() || (new && params.iter().any(unsure)) {
        return Vec::new();
    }
    let Some(change) = find(Verb::Put, &format!("/nodes/{{node}}/{kind}/{{vmid}}/config")) else { return Vec::new() };
    let guest = format!("/vms/{vmid}");
    let mut demands = Vec::new();
    let mut add = |path: &str, privileges: &[&str]| {
        let privileges: Vec<String> = privileges.iter().map(|one| (*one).to_owned()).collect();
        let demand = Demand { path: path.to_owned(), any: privileges.len() > 1, privileges };
        if !demand.privileges.is_empty() && !demands.contains(&demand) {
            demands.push(demand);
        }
    };
    if new {
        add(&guest, &["VM.Allocate"]);
    }
    if new && kind == "qemu" && params.contains(&("start", "1")) {
        add(&guest, &["VM.PowerMgmt"]);
    }
    let is_option = |name: &str| !NO_OPTIONS.contains(&name) && change.param(name).is_some();
    for (name, value) in params {
        if *name == "delete" || *name == "revert" {
            for name in
                crate::format::split_list(value).into_iter().filter(|name| is_option(name) && !is_drive(kind, name))
            {
                add(&guest, of_option(kind, name));
            }
        }
        let Some(param) = change.param(name).filter(|_| is_option(name)) else { continue };
        if !is_drive(kind, name) {
            add(&guest, of_option(kind, name));
        } else if !new || kind == "lxc" {
            add(&guest, of_drive(value));
        }
        if let Some(storage) = new_volume(param, value) {
            add(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"]);
        }
        // Networks of the SDN are in a zone that only the cluster knows; plain bridges are in this one.
        if let Some(bridge) = key(value, "bridge").filter(|bridge| indexed(name, "net") && indexed(bridge, "vmbr")) {
            let bridge = format!("/sdn/zones/localnetwork/{bridge}");
            match key(value, "tag") {
                Some(tag) => add(&format!("{bridge}/{tag}"), &["SDN.Use"]),
                None => add(&bridge, &["SDN.Use"]),
            }
        }
    }
    demands
}

/// What an option takes by its name.
fn of_option(kind: &str, name: &str) -> &'static [&'static str] {
    let vm = kind == "qemu";
    if CPU.contains(&name) || indexed(name, "numa") {
        &["VM.Config.CPU"]
    } else if MEMORY.contains(&name) {
        &["VM.Config.Memory"]
    } else if vm && (HARDWARE.contains(&name) || ["serial", "usb", "hostpci"].iter().any(|base| indexed(name, base))) {
        &["VM.Config.HWType"]
    } else if (vm && ["boot", "bootdisk", "vmstatestorage"].contains(&name))
        || ["unused", "virtiofs"].iter().any(|base| indexed(name, base))
    {
        &["VM.Config.Disk"]
    } else if indexed(name, "net") {
        &["VM.Config.Network"]
    } else if vm && (CLOUD_INIT.contains(&name) || indexed(name, "ipconfig")) {
        &["VM.Config.Cloudinit", "VM.Config.Network"]
    } else if !vm && ["nameserver", "searchdomain", "hostname"].contains(&name) {
        &["VM.Config.Network"]
    } else {
        &["VM.Config.Options"]
    }
}

fn is_drive(kind: &str, name: &str) -> bool {
    let bases: &[&str] = if kind == "qemu" { &["ide", "sata", "scsi", "virtio"] } else { &["mp"] };
    bases.iter().any(|base| indexed(name, base)) || ["rootfs", "efidisk0", "tpmstate0"].contains(&name)
}

/// What a drive takes that is put in.
fn of_drive(value: &str) -> &'static [&'static str] {
    if value.split(',').next().is_some_and(|file| file.contains("cloudinit")) {
        &["VM.Config.Cloudinit", "VM.Config.CDROM"]
    } else if key(value, "media") == Some("cdrom") {
        &["VM.Config.CDROM"]
    } else {
        &["VM.Config.Disk"]
    }
}

/// The storage on which the value makes a volume: `local-lvm` of `local-lvm:32,discard=on`.
fn new_volume<'a>(param: &Param, value: &'a str) -> Option<&'a str> {
    param.keys.iter().find(|key| key.names == Some(Names::Volume))?;
    let file = value.split(',').find_map(|part| match part.split_once('=') {
        None => Some(part),
        Some(("file" | "volume", file)) => Some(file),
        Some(_) => None,
    })?;
    let (storage, size) = file.split_once(':')?;
    let is_size = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_size.then_some(storage)
}

fn key<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
}

fn indexed(name: &str, base: &str) -> bool {
    let digits = name.strip_prefix(base).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(verb: Verb, path: &str, params: &[(&str, &str)]) -> Vec<String> {
        let method = find(verb, path).expect("a method");
        let demands = asked(method, params, "100");
        demands.iter().map(|demand| format!("{} {}", demand.path, demand.privileges.join("|"))).collect()
    }

    #[test]
    fn options_take_their_privilege_and_disks_their_storage() {
        let config = "/nodes/{node}/qemu/{vmid}/config";
        assert_eq!(
            of(Verb::Put, config, &[("cores", "2"), ("sockets", "1"), ("digest", "x"), ("delete", "balloon,tags")]),
            ["/vms/100 VM.Config.CPU", "/vms/100 VM.Config.Memory", "/vms/100 VM.Config.Options"]
        );
        assert_eq!(
            of(Verb::Post, config, &[("scsi1", "local-lvm:32,discard=on"), ("net1", "virtio,bridge=vmbr0,tag=5")]),
            [
                "/vms/100 VM.Config.Disk",
                "/storage/local-lvm Datastore.AllocateSpace",
                "/vms/100 VM.Config.Network",
                "/sdn/zones/localnetwork/vmbr0/5 SDN.Use"
            ]
        );
        assert_eq!(
            of(Verb::Put, config, &[("ide2", "local:iso/a.iso,media=cdrom"), ("ciuser", "a")]),
            ["/vms/100 VM.Config.CDROM", "/vms/100 VM.Config.Cloudinit|VM.Config.Network"]
        );
    }

    #[test]
    fn a_new_guest_takes_allocation_and_what_is_not_sure_is_not_said() {
        let make = "/nodes/{node}/qemu";
        assert_eq!(
            of(Verb::Post, make, &[("vmid", "100"), ("memory", "512"), ("scsi0", "local-lvm:8"), ("start", "1")]),
            [
                "/vms/100 VM.Allocate",
                "/vms/100 VM.PowerMgmt",
                "/vms/100 VM.Config.Memory",
                "/storage/local-lvm Datastore.AllocateSpace"
            ]
        );
        assert!(of(Verb::Post, make, &[("vmid", "100"), ("pool", "web")]).is_empty());
        assert!(of(Verb::Post, "/nodes/{node}/lxc", &[("vmid", "100"), ("restore", "1")]).is_empty());
        assert!(of(Verb::Post, "/nodes/{node}/qemu/{vmid}/clone", &[("newid", "100")]).is_empty());
    }
}
