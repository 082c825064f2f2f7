//! Clones, full and linked, and the conversion into templates that linked clones need.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, create::join_pool, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply, done},
    cluster::Cluster,
    disks::{made, network},
    guest::{Config, Guest, Kind, file_of, indexed, is_cdrom, is_volume_option, size_of, with_volume},
    request::Call,
    tasks::{Plan, copy_progress},
    volumes::Allocation,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/clone", clone),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/clone", clone),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/template", template),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/template", template),
];

/// What a clone is to become.
struct Wanted {
    node: String,
    kind: Kind,
    vmid: u32,
    new_id: u32,
    /// The node of the clone.
    home: String,
    full: bool,
    storage: Option<String>,
    format: Option<String>,
    name: Option<String>,
    description: Option<String>,
}

fn clone(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.check_pool(call.args.text("pool"))?;
    let (node, kind, vmid) = target(call);
    let missing =
        || Failure::die(format!("unable to find configuration file for {} {vmid} on node '{node}'", kind.label()));
    let guest = cluster.guest(&node, kind, vmid).map_err(|_| missing())?;
    let new_id = call.args.number("newid").and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
    let home = call.args.text("target").unwrap_or(&node).to_owned();
    if !cluster.nodes.contains_key(&home) {
        return Err(Failure::die(format!("no such cluster node '{home}'")));
    }
    let storage = call.args.text("storage").map(str::to_owned);
    if let Some(storage) = &storage {
        cluster.usable_storage(storage, &home)?;
    }
    guest.check_lock().map_err(Failure::die)?;
    if let Some(taken) = cluster.id_taken(new_id) {
        return Err(Failure::die(match kind {
            Kind::Qemu => format!("unable to create VM {new_id}: config file already exists"),
            Kind::Lxc => taken,
        }));
    }
    let source = match call.args.text("snapname") {
        Some(name) => {
            let snapshot = guest.snapshot(name);
            snapshot.ok_or_else(|| Failure::die(format!("snapshot '{name}' does not exist")))?.config.clone()
        }
        None => guest.config.clone(),
    };
    let full = match call.args.text("full") {
        Some(text) => text == "1",
        None => !guest.is_template(),
    };
    check_kind_of_clone(cluster, guest, &source, full, storage.is_some(), call.args.has("snapname"))?;
    if home != node {
        let locals = crate::guest::volumes_of(&source);
        let local = locals.iter().find(|(_, id)| cluster.volume(&node, id).is_some_and(|v| v.node.is_some()));
        if let Some((_, volid)) = local {
            return Err(Failure::die(format!(
                "can't clone to non-shared storage '{}'",
                volid.split(':').next().unwrap_or_default()
            )));
        }
    }
    let name = call.args.text("name").or(call.args.text("hostname")).map(str::to_owned);
    let wanted = Wanted {
        node,
        kind,
        vmid,
        new_id,
        home,
        full,
        storage,
        format: call.args.text("format").map(str::to_owned),
        name,
        description: call.args.text("description").map(str::to_owned),
    };
    let new = cluster.add_guest(new_id, kind, &wanted.node);
    match kind {
        Kind::Qemu => {
            new.lock = Some("clone".to_owned());
            new.config.insert("description".to_owned(), json!(" qmclone temporary file"));
        }
        Kind::Lxc => new.lock = Some("create".to_owned()),
    }
    join_pool(cluster, call.args.text("pool"), new_id);
    let begin = Box::new(move |cluster: &mut Cluster| begin(cluster, wanted, source));
    let spawn = crate::tasks::Spawn {
        node: target(call).0,
        kind: if kind == Kind::Qemu { "qmclone" } else { "vzclone" },
        id: vmid.to_string(),
        user: call.user.clone(),
        // The new guest is what a clone holds; the source may be started meanwhile.
        holds: Some(new_id),
        begin,
    };
    crate::answer::ok(cluster.spawn(spawn))
}

fn check_kind_of_clone(
    cluster: &Cluster,
    guest: &Guest,
    source: &Config,
    full: bool,
    storage: bool,
    snapshot: bool,
) -> Result<(), Failure> {
    if !full && storage {
        return Err(Failure::die("parameter 'storage' not allowed for linked clones"));
    }
    if full && guest.kind == Kind::Lxc && guest.running() && !snapshot {
        return Err(Failure::die("Full clone of a running container is only possible from a snapshot"));
    }
    if full {
        return Ok(());
    }
    for (option, value) in source.iter().filter(|(option, _)| is_volume_option(option)) {
        let Some(text) = value.as_str().filter(|text| !is_cdrom(text)) else { continue };
        let volid = file_of(text);
        // Linked clones stand on templates, and on storages or formats that can share data.
        let shares = cluster
            .storages
            .get(volid.split(':').next().unwrap_or_default())
            .is_none_or(|storage| !storage.is_directory() || volid.ends_with(".qcow2"));
        if guest.is_template() && shares {
            continue;
        }
        return Err(Failure::die(match guest.kind {
            Kind::Qemu => format!("Linked clone feature is not supported for '{volid}' ({option})"),
            Kind::Lxc => format!("Linked clone feature for '{volid}' is not available"),
        }));
    }
    Ok(())
}

fn begin(cluster: &mut Cluster, wanted: Wanted, source: Config) -> Result<Plan, String> {
    let new_id = wanted.new_id;
    let what = if wanted.kind == Kind::Qemu { "VM" } else { "container" };
    let mut lines = vec![format!("creating a clone of {what} {} with ID {new_id}", wanted.vmid)];
    let mut config = Config::new();
    let mut total = 0;
    let result = (|| {
        for (option, value) in &source {
            let value = match value.as_str() {
                _ if option.starts_with("unused") || option == "vmstate" => continue,
                Some(text) if is_volume_option(option) && !is_cdrom(text) => {
                    let (text, size) = copy_disk(cluster, &wanted, option, text, &mut lines)?;
                    total += if wanted.full { size } else { 0 };
                    json!(text)
                }
                Some(text) if indexed(option, "net") => json!(network(cluster, wanted.kind, option, text, true)),
                _ => value.clone(),
            };
            config.insert(option.clone(), value);
        }
        Ok(())
    })();
    if let Err(text) = result {
        super::guests::destroy(cluster, new_id, false);
        return Err(text);
    }
    identity(cluster, &wanted, &mut config);
    if wanted.full {
        lines.extend(copy_progress(total));
    }
    let seconds = if wanted.full { 10.0 } else { 2.0 };
    let (kind, node, home) = (wanted.kind, wanted.node, wanted.home);
    Ok(Plan::new(seconds, lines, move |cluster, _| {
        let guest = cluster.guest_mut(&node, kind, new_id)?;
        guest.config = config;
        guest.lock = None;
        guest.node = home;
        Ok(())
    })
    .undo(move |cluster| super::guests::destroy(cluster, new_id, false)))
}

/// The clone's copy of a disk: the option's text and the size in bytes.
fn copy_disk(
    cluster: &mut Cluster,
    wanted: &Wanted,
    option: &str,
    text: &str,
    lines: &mut Vec<String>,
) -> Result<(String, u64), String> {
    let volid = file_of(text);
    let Some(volume) = cluster.volume(&wanted.node, volid).cloned() else {
        return Err(format!("volume '{volid}' does not exist"));
    };
    let what = if wanted.kind == Kind::Qemu { "drive" } else { "mountpoint" };
    let how = if wanted.full { "full" } else { "linked" };
    lines.push(format!("create {how} clone of {what} {option} ({volid})"));
    let storage = wanted.storage.clone().unwrap_or_else(|| volume.storage().to_owned());
    let format = wanted.format.clone().or_else(|| Some(volume.format.clone()));
    let allocation = Allocation {
        storage: &storage,
        node: &wanted.node,
        vmid: wanted.new_id,
        kind: wanted.kind,
        size: volume.size,
        format: format.as_deref(),
        what: if volid.contains("cloudinit") { "cloudinit" } else { "disk" },
    };
    let copy = cluster.allocate(&allocation).map_err(super::task_error)?;
    if wanted.full {
        lines.push(made(cluster, &copy, volume.size));
        return Ok((with_volume(text, &copy), volume.size));
    }
    // Thin pools know of no base afterwards; elsewhere a linked clone names its base before its own volume.
    if cluster.storages.get(&storage).is_some_and(|storage| storage.kind == "lvmthin") {
        return Ok((with_volume(text, &copy), size_of(text).unwrap_or(0)));
    }
    let Some(mut own) = cluster.remove_volume(&wanted.node, &copy) else { return Ok((text.to_owned(), 0)) };
    let (_, name) = copy.split_once(':').unwrap_or((storage.as_str(), &copy));
    own.volid = format!("{volid}/{name}");
    let linked = own.volid.clone();
    cluster.add_volume(own, &wanted.node);
    Ok((with_volume(text, &linked), size_of(text).unwrap_or(0)))
}

/// Name, description and ids of the clone.
fn identity(cluster: &mut Cluster, wanted: &Wanted, config: &mut Config) {
    config.remove("template");
    config.remove("vmstate");
    match wanted.kind {
        Kind::Qemu => {
            let old = config.get("name").and_then(Value::as_str).map_or_else(|| wanted.vmid.to_string(), str::to_owned);
            let name = wanted.name.clone().unwrap_or_else(|| format!("Copy-of-VM-{old}"));
            config.insert("name".to_owned(), json!(name));
            for (option, prefix) in [("smbios1", "uuid="), ("vmgenid", "")] {
                let uuid = cluster.draw_uuid();
                config.insert(option.to_owned(), json!(format!("{prefix}{uuid}")));
            }
        }
        Kind::Lxc => {
            let old = config.get("hostname").and_then(Value::as_str);
            let old = old.map_or_else(|| format!("CT{}", wanted.vmid), str::to_owned);
            let name = wanted.name.clone().unwrap_or_else(|| format!("Copy-of-CT-{old}"));
            config.insert("hostname".to_owned(), json!(name));
        }
    }
    if let Some(description) = &wanted.description {
        config.insert("description".to_owned(), json!(description));
    }
}

fn template(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    cluster.wait_for_lock(vmid)?;
    let guest = cluster.guest(&node, kind, vmid).map_err(Failure::die)?;
    guest.check_lock().map_err(Failure::die)?;
    if !guest.snapshots.is_empty() {
        return Err(Failure::die(format!("unable to create template, because {} contains snapshots", kind.label())));
    }
    if guest.is_template() {
        return Err(Failure::die("you can't convert a template to a template"));
    }
    if guest.running() {
        return Err(Failure::die(match kind {
            Kind::Qemu => "you can't convert a VM to template if VM is running",
            Kind::Lxc => "you can't convert a CT to template if the CT is running",
        }));
    }
    let begin = Box::new(move |_: &mut Cluster| {
        Ok(Plan::new(2.0, Vec::new(), move |cluster, _| {
            let volumes = cluster.guest(&node, kind, vmid)?.volumes();
            for (option, volid) in volumes {
                let Some(mut volume) = cluster.remove_volume(&node, &volid) else { continue };
                if matches!(volume.content.as_str(), "images" | "rootdir") && !volid.contains("cloudinit") {
                    volume.volid = volid.replace("vm-", "base-");
                }
                let renamed = volume.volid.clone();
                cluster.add_volume(volume, &node);
                let guest = cluster.guest_mut(&node, kind, vmid)?;
                let text = guest.text(&option).map(|text| with_volume(text, &renamed));
                guest.config.extend(text.map(|text| (option, json!(text))));
            }
            cluster.guest_mut(&node, kind, vmid)?.config.insert("template".to_owned(), json!(1));
            Ok(())
        }))
    });
    let reply = guest_task(cluster, call, ["qmtemplate", "vztemplate"], begin)?;
    // Of a container the API does not tell the task.
    if kind == Kind::Qemu { Ok(reply) } else { done() }
}
