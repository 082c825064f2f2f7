//! Guests out of archives: the two ways to say it, what may be overwritten, and what the task does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::create::{boot_order, check_source, given_options, join_pool};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    disks::{arbitrary_path, made, network},
    guest::{Config, Kind, Power, file_of, indexed, is_cdrom, is_volume_option, size_of, with_volume},
    request::Call,
    tasks::{Plan, Spawn, copy_progress},
    volumes::Allocation,
};

/// Where containers go when the call names no storage.
const DEFAULT_STORAGE: &str = "local";

/// What a restore needs to know when its task begins.
struct Restore {
    node: String,
    kind: Kind,
    vmid: u32,
    archive: String,
    storage: Option<String>,
    unique: bool,
    start: bool,
    overwrites: bool,
    options: BTreeMap<String, String>,
}

pub(super) fn restore_vm(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, vmid) = (call.args.need("node").to_owned(), call.args.vmid());
    let archive = call.args.need("archive").to_owned();
    let Some((storage, _)) = archive.split_once(':') else { return Err(arbitrary_path()) };
    cluster.usable_storage(storage, &node)?;
    if cluster.volume(&node, &archive).is_none() {
        return Err(Failure::die(format!("volume '{archive}' does not exist")));
    }
    if let Some(storage) = call.args.text("storage") {
        cluster.usable_storage(storage, &node)?;
    }
    let overwrites = cluster.guest(&node, Kind::Qemu, vmid).is_ok() && call.args.flag("force");
    if let Some(taken) = cluster.id_taken(vmid).filter(|_| !overwrites) {
        return Err(Failure::die(format!("unable to restore VM {vmid} - {taken}")));
    }
    if overwrites && let Ok(guest) = cluster.guest(&node, Kind::Qemu, vmid) {
        guest.check_lock().map_err(|text| Failure::die(format!("unable to restore VM {vmid} - {text}")))?;
    }
    run(cluster, call, Kind::Qemu, archive, overwrites)
}

pub(super) fn restore_ct(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, vmid) = (call.args.need("node").to_owned(), call.args.vmid());
    let archive = call.args.need("ostemplate").to_owned();
    let overwrites = cluster.guest(&node, Kind::Lxc, vmid).is_ok() && call.args.flag("force");
    if let Some(taken) = cluster.id_taken(vmid).filter(|_| !overwrites) {
        return Err(Failure::die(taken));
    }
    check_source(cluster, &node, &archive, "backup")?;
    if overwrites && let Ok(guest) = cluster.guest(&node, Kind::Lxc, vmid) {
        guest.check_lock().map_err(Failure::die)?;
        if guest.running() {
            return Err(Failure::die("can't overwrite running container"));
        }
    }
    let storage = call.args.text("storage").unwrap_or(DEFAULT_STORAGE);
    if !call.args.has("rootfs") && !cluster.usable_storage(storage, &node)?.holds("rootdir") {
        let text = format!("storage '{storage}' does not support container directories");
        return Err(Failure::param("storage", text));
    }
    run(cluster, call, Kind::Lxc, archive, overwrites)
}

fn run(cluster: &mut Cluster, call: &Call, kind: Kind, archive: String, overwrites: bool) -> Reply {
    let restore = Restore {
        node: call.args.need("node").to_owned(),
        kind,
        vmid: call.args.vmid(),
        archive,
        storage: call.args.text("storage").map(str::to_owned),
        unique: call.args.flag("unique"),
        start: call.args.flag("start"),
        overwrites,
        options: given_options(call),
    };
    let vmid = restore.vmid;
    cluster.wait_for_lock(vmid)?;
    if !overwrites {
        cluster.add_guest(vmid, kind, &restore.node);
    }
    if let Ok(guest) = cluster.guest_mut(&restore.node, kind, vmid) {
        guest.lock = Some("create".to_owned());
    }
    join_pool(cluster, call.args.text("pool").filter(|_| !overwrites), vmid);
    let spawn = Spawn {
        node: restore.node.clone(),
        kind: if kind == Kind::Qemu { "qmrestore" } else { "vzrestore" },
        id: vmid.to_string(),
        user: call.user.clone(),
        holds: Some(vmid),
        begin: Box::new(move |cluster: &mut Cluster| begin(cluster, restore)),
    };
    ok(cluster.spawn(spawn))
}

fn begin(cluster: &mut Cluster, restore: Restore) -> Result<Plan, String> {
    let (vmid, overwrites) = (restore.vmid, restore.overwrites);
    let give_up = move |cluster: &mut Cluster| match overwrites {
        true => cluster.set_lock(vmid, None),
        false => super::guests::destroy(cluster, vmid, false),
    };
    match plan(cluster, restore) {
        Ok(plan) => Ok(plan.undo(give_up)),
        Err(text) => {
            give_up(cluster);
            Err(text)
        }
    }
}

fn plan(cluster: &mut Cluster, restore: Restore) -> Result<Plan, String> {
    let Restore { node, kind, vmid, archive, storage, unique, start, overwrites, options } = restore;
    let prefix = format!("unable to restore {} {vmid} -", kind.label());
    let Some(volume) = cluster.volume(&node, &archive).cloned() else {
        return Err(format!("{prefix} volume '{archive}' does not exist"));
    };
    let Some((of, saved)) = volume.backup_of.filter(|(of, _)| *of == kind) else {
        let path = cluster.volume_path(&archive);
        return Err(match kind {
            Kind::Qemu => format!("ERROR: file '{path}' does not look like a QemuServer vzdump backup"),
            Kind::Lxc => format!("{prefix} archive '{path}' does not contain a container configuration"),
        });
    };
    if overwrites && let Ok(guest) = cluster.guest(&node, kind, vmid) {
        if guest.config.get("protection") == Some(&json!(1)) {
            return Err(format!("{prefix} can't remove {} {vmid} - protection mode enabled", kind.label()));
        }
        if guest.running() {
            return Err(format!("{prefix} vm is running"));
        }
    }
    let target = move |text: &str| match &storage {
        Some(storage) => storage.clone(),
        // A container does not go back to where it was.
        None if kind == Kind::Lxc => DEFAULT_STORAGE.to_owned(),
        None => file_of(text).split(':').next().unwrap_or_default().to_owned(),
    };
    let mut size = 0;
    for (option, value) in &saved {
        let Some(text) = value.as_str().filter(|text| is_volume_option(option) && !is_cdrom(text)) else { continue };
        cluster.usable_storage(&target(text), &node).map_err(super::task_error)?;
        size += size_of(text).unwrap_or(0);
    }
    let mut lines = match of {
        Kind::Qemu => vec![format!("restore vma archive: vma extract -v -r /var/tmp/vzdumptmp.fifo {archive}")],
        Kind::Lxc => vec![format!("recovering backed-up configuration from '{archive}'")],
    };
    match of {
        Kind::Qemu => lines.extend((0..=5).map(|fifth| {
            format!("progress {}% (read {} bytes, duration {} sec)", fifth * 20, size * fifth / 5, fifth * 2)
        })),
        Kind::Lxc => {
            lines.push(format!("restoring '{archive}' now.."));
            lines.push(format!("extracting archive '{}'", cluster.volume_path(&archive)));
            lines.extend(copy_progress(size));
            lines.push("merging backed-up and given configuration..".to_owned());
        }
    }
    Ok(Plan::new(10.0, lines, move |cluster, log| {
        if overwrites {
            replace(cluster, &node, kind, vmid);
        }
        let mut config = Config::new();
        for (option, value) in &saved {
            let value = match value.as_str() {
                Some(text) if is_volume_option(option) && !is_cdrom(text) => {
                    let (storage, size) = (target(text), size_of(text).unwrap_or(1 << 30));
                    let wanted =
                        Allocation { storage: &storage, node: &node, vmid, kind, size, format: None, what: "disk" };
                    let volid = cluster.allocate(&wanted).map_err(super::task_error)?;
                    log.push(made(cluster, &volid, size));
                    json!(with_volume(text, &volid))
                }
                Some(text) if unique && indexed(option, "net") => json!(network(cluster, kind, option, text, true)),
                _ => value.clone(),
            };
            config.insert(option.clone(), value);
        }
        for (option, text) in &options {
            if !is_volume_option(option) {
                config.insert(option.clone(), super::values::normal(kind, option, text));
            }
        }
        if kind == Kind::Qemu {
            let boot = boot_order(&config);
            config.entry("boot".to_owned()).or_insert(json!(boot));
            let generation = cluster.draw_uuid();
            config.insert("vmgenid".to_owned(), Value::String(generation));
        }
        config.remove("template");
        let guest = cluster.guest_mut(&node, kind, vmid)?;
        guest.config = config;
        guest.lock = None;
        if start {
            cluster.set_power(vmid, Power::Running);
        }
        Ok(())
    }))
}

/// What lay there is gone, snapshots included; pools and jobs keep the id.
fn replace(cluster: &mut Cluster, node: &str, kind: Kind, vmid: u32) {
    let pools: Vec<String> =
        cluster.pools.iter().filter(|(_, pool)| pool.guests.contains(&vmid)).map(|(id, _)| id.clone()).collect();
    let firewall = format!("/nodes/{node}/{}/{vmid}", kind.as_str());
    let rules = cluster.firewalls.get(&firewall).cloned();
    super::guests::destroy(cluster, vmid, false);
    cluster.add_guest(vmid, kind, node);
    for pool in pools {
        join_pool(cluster, Some(&pool), vmid);
    }
    if let Some(rules) = rules {
        cluster.firewalls.insert(firewall, rules);
    }
}
