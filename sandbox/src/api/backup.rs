//! Backups: making them, their defaults, what they hold, and pruning.

use proxmox_spec::Verb;
use serde_json::json;

use super::{
    Route,
    prune::{marked, parse_retention},
};
use crate::{
    answer::{Failure, Reply, ok},
    clock,
    cluster::Cluster,
    guest::{Guest, Kind, is_cdrom, is_volume_option, size_of},
    request::Call,
    tasks::{Plan, Spawn, human},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/vzdump", vzdump),
    (Verb::Get, "/nodes/{node}/vzdump/defaults", defaults),
    (Verb::Get, "/nodes/{node}/vzdump/extractconfig", extract_config),
];

/// What a backup run needs to know.
#[derive(Clone)]
struct Job {
    node: String,
    storage: String,
    compress: String,
    mode: String,
    notes: Option<String>,
    protected: bool,
    remove: bool,
    retention: Option<String>,
    command: String,
}

fn vzdump(cluster: &mut Cluster, call: &Call) -> Reply {
    let args = &call.args;
    let node = args.need("node").to_owned();
    if args.flag("all") && args.has("vmid") {
        return Err(Failure::param("all", "option conflicts with option 'vmid'"));
    }
    let ids: Vec<u32> = if let Some(pool) = args.text("pool") {
        let pool_of = cluster.pools.get(pool);
        pool_of.ok_or_else(|| Failure::die(format!("pool '{pool}' does not exist")))?.guests.clone()
    } else if args.flag("all") {
        let left_out = args.list("exclude");
        cluster.guests.keys().copied().filter(|id| !left_out.contains(&id.to_string())).collect()
    } else if args.has("vmid") {
        args.list("vmid").iter().filter_map(|id| id.parse().ok()).collect()
    } else {
        return Err(Failure::param("vmid", "property is missing"));
    };
    // Guests of other nodes are those nodes' business; unknown ids are errors of this run.
    let ids: Vec<u32> =
        ids.into_iter().filter(|id| cluster.guests.get(id).is_none_or(|guest| guest.node == node)).collect();
    // Who asks for all of something gets what he may have; a guest that is named and not allowed ends the task.
    let (ids, denied): (Vec<u32>, Vec<u32>) =
        ids.into_iter().partition(|id| call.rights.has(&format!("/vms/{id}"), &["VM.Backup"]));
    let denied = denied.first().copied().filter(|_| args.has("vmid"));
    let storage = args.text("storage").unwrap_or("local").to_owned();
    let options: Vec<String> = args
        .texts()
        .filter(|(name, _)| !matches!(*name, "vmid" | "node"))
        .map(|(name, text)| if text.contains(' ') { format!("--{name} '{text}'") } else { format!("--{name} {text}") })
        .collect();
    let named: Vec<String> = ids.iter().chain(&denied).map(u32::to_string).collect();
    let job = Job {
        compress: args.text("compress").unwrap_or("0").to_owned(),
        mode: args.text("mode").unwrap_or("snapshot").to_owned(),
        notes: args.text("notes-template").map(str::to_owned),
        protected: args.flag("protected"),
        remove: args.text("remove") != Some("0"),
        retention: args.text("prune-backups").map(str::to_owned),
        command: format!("vzdump {} --node {node} {}", named.join(" "), options.join(" ")).trim_end().to_owned(),
        node: node.clone(),
        storage,
    };
    let id = if named.len() == 1 && !args.flag("all") { named[0].clone() } else { String::new() };
    let begin = Box::new(move |cluster: &mut Cluster| match denied {
        Some(vmid) => Err(format!("Permission check failed (/vms/{vmid}, VM.Backup)")),
        None => plan(cluster, &job, &ids),
    });
    ok(cluster.spawn(Spawn { node, kind: "vzdump", id, user: call.user.clone(), holds: None, begin }))
}

fn plan(cluster: &mut Cluster, job: &Job, ids: &[u32]) -> Result<Plan, String> {
    let storage = &job.storage;
    match cluster.usable_storage(storage, &job.node) {
        Err(failure) => {
            let text = failure.message.trim_end().to_owned();
            return Err(format!(
                "could not activate storage '{storage}': {text} could not get storage information for '{storage}': {text}"
            ));
        }
        Ok(definition) if !definition.holds("backup") => {
            return Err(format!(
                "could not get storage information for '{storage}': can't use storage '{storage}' for backups - wrong content type"
            ));
        }
        Ok(_) => {}
    }
    let mut lines = vec![format!("INFO: starting new backup job: {}", job.command)];
    let mut good = Vec::new();
    let mut bad = false;
    for id in ids {
        match begin_guest(cluster, job, *id, &mut lines) {
            Ok(()) => good.push(*id),
            Err(text) => {
                bad = true;
                lines.push(format!("ERROR: Backup of VM {id} failed - {text}"));
                lines.push(format!("INFO: Failed at {}", clock::stamp(cluster.clock.seconds())));
            }
        }
    }
    let seconds = 1.0 + 12.0 * good.len() as f64;
    let locked = good.clone();
    let (job, begun) = (job.clone(), cluster.clock.seconds());
    let plan = Plan::new(seconds, lines, move |cluster, log| {
        for id in good {
            unlock(cluster, id);
            if let Err(text) = store(cluster, &job, id, begun, log) {
                bad = true;
                log.push(format!("ERROR: Backup of VM {id} failed - {text}"));
            }
        }
        if bad {
            log.push("INFO: Backup job finished with errors".to_owned());
            return Err("job errors".to_owned());
        }
        log.push("INFO: Backup job finished successfully".to_owned());
        Ok(())
    });
    Ok(plan.undo(move |cluster| locked.into_iter().for_each(|id| unlock(cluster, id))))
}

fn unlock(cluster: &mut Cluster, vmid: u32) {
    if let Some(guest) = cluster.guests.get_mut(&vmid)
        && guest.lock.as_deref() == Some("backup")
    {
        guest.lock = None;
    }
}

/// Locks a guest and writes what the run says about it.
fn begin_guest(cluster: &mut Cluster, job: &Job, vmid: u32, lines: &mut Vec<String>) -> Result<(), String> {
    let started = clock::stamp(cluster.clock.seconds());
    let archive = match cluster.guests.get(&vmid) {
        Some(guest) => {
            let (name, format) = archive_name(cluster, job, guest, cluster.clock.seconds());
            if format.starts_with("pbs-") {
                format!("INFO: creating Proxmox Backup Server archive '{name}'")
            } else {
                let path = cluster.volume_path(&format!("{}:backup/{name}", job.storage));
                format!("INFO: creating vzdump archive '{path}'")
            }
        }
        None => return Err(format!("unable to find VM '{vmid}'")),
    };
    let Some(guest) = cluster.guests.get_mut(&vmid) else { return Err(format!("unable to find VM '{vmid}'")) };
    lines.push(format!("INFO: Starting Backup of VM {vmid} ({})", guest.kind.as_str()));
    lines.push(format!("INFO: Backup started at {started}"));
    lines.push(format!("INFO: status = {}", if guest.running() { "running" } else { "stopped" }));
    guest.check_lock()?;
    guest.lock = Some("backup".to_owned());
    // What does not run is backed up as it lies.
    let mode = if guest.running() { job.mode.as_str() } else { "stop" };
    lines.push(format!("INFO: backup mode: {mode}"));
    lines.push("INFO: ionice priority: 7".to_owned());
    lines.push(format!("INFO: {} Name: {}", guest.kind.label(), guest.name()));
    let disks = disks(guest);
    let total: u64 = disks.iter().map(|(_, _, size)| size).sum();
    for (option, text, size) in &disks {
        lines.push(match guest.kind {
            Kind::Qemu => format!("INFO: include disk '{option}' '{text}' {}", human(*size)),
            Kind::Lxc => format!("INFO: including mount point {option} ('/') in backup"),
        });
    }
    lines.push(archive);
    if guest.kind == Kind::Qemu {
        for part in 0..=10_u64 {
            lines.push(format!(
                "INFO: {:>3}% ({} of {}) in {part}s, read: {}/s, write: {}/s",
                part * 10,
                human(total * part / 10),
                human(total),
                human(total / 10),
                human(total / 20)
            ));
        }
        lines.push(format!("INFO: transferred {} in 10 seconds", human(total)));
    } else {
        lines.push(format!("INFO: Total bytes written: {} ({})", total / 4, human(total / 4)));
    }
    Ok(())
}

/// Option, volume and size of everything that a backup holds.
fn disks(guest: &Guest) -> Vec<(String, String, u64)> {
    guest
        .config
        .iter()
        .filter(|(option, _)| is_volume_option(option) && !option.starts_with("unused"))
        .filter_map(|(option, value)| Some((option, value.as_str()?)))
        .filter(|(_, text)| !is_cdrom(text) && !text.contains("backup=0"))
        .map(|(option, text)| {
            (option.clone(), crate::guest::file_of(text).to_owned(), size_of(text).unwrap_or(1 << 30))
        })
        .collect()
}

/// The archive is there, old ones are pruned.
fn store(cluster: &mut Cluster, job: &Job, vmid: u32, begun: i64, log: &mut Vec<String>) -> Result<(), String> {
    let guest = cluster.guests.get(&vmid).ok_or_else(|| format!("unable to find VM '{vmid}'"))?.clone();
    let size = disks(&guest).iter().map(|(_, _, size)| size).sum::<u64>() / 4;
    let (name, format) = archive_name(cluster, job, &guest, begun);
    let notes = job.notes.as_ref().map(|template| notes(template, &guest));
    let volume = Volume {
        volid: format!("{}:backup/{name}", job.storage),
        node: None,
        content: "backup".to_owned(),
        format,
        size,
        vmid: Some(vmid),
        created: begun,
        notes: notes.clone(),
        protected: job.protected,
        backup_of: Some((guest.kind, guest.config.clone())),
    };
    if let Some(text) = cluster.no_space(&volume.volid) {
        return Err(text);
    }
    log.push(format!("INFO: archive file size: {}", human(size)));
    if notes.is_some() {
        log.push("INFO: adding notes to backup".to_owned());
    }
    cluster.add_volume(volume, &job.node);
    if job.remove {
        let retention = job.retention.clone().or_else(|| {
            cluster.storages.get(&job.storage).and_then(|storage| storage.options.get("prune-backups").cloned())
        });
        let keep = retention.as_deref().map(parse_retention).unwrap_or_default();
        let doomed: Vec<String> = marked(cluster, &job.node, &job.storage, &keep, Some(guest.kind), Some(vmid))
            .into_iter()
            .filter(|(_, mark)| *mark == "remove")
            .map(|(volume, _)| volume.volid)
            .collect();
        log.push(format!("INFO: prune older backups with retention: {}", retention.as_deref().unwrap_or("keep-all=1")));
        for volid in &doomed {
            log.push(format!("INFO: removing backup '{volid}'"));
            cluster.remove_volume(&job.node, volid);
        }
        log.push(format!("INFO: pruned {} backup(s)", doomed.len()));
    }
    let now = cluster.clock.seconds();
    log.push(format!("INFO: Finished Backup of VM {vmid} ({})", clock::span(now - begun)));
    log.push(format!("INFO: Backup finished at {}", clock::stamp(now)));
    Ok(())
}

/// File name and format of a new archive.
fn archive_name(cluster: &Cluster, job: &Job, guest: &Guest, begun: i64) -> (String, String) {
    if cluster.storages.get(&job.storage).is_some_and(|storage| storage.kind == "pbs") {
        let group = if guest.kind == Kind::Qemu { "vm" } else { "ct" };
        return (format!("{group}/{}/{}", guest.vmid, clock::iso_stamp(begun)), format!("pbs-{group}"));
    }
    let base = if guest.kind == Kind::Qemu { "vma" } else { "tar" };
    let end = match job.compress.as_str() {
        "zstd" => ".zst",
        "gzip" => ".gz",
        "lzo" | "1" => ".lzo",
        _ => "",
    };
    let format = format!("{base}{end}");
    let stamp = clock::file_stamp(begun);
    (format!("vzdump-{}-{}-{stamp}.{format}", guest.kind.as_str(), guest.vmid), format)
}

/// The notes that a template gives for a guest.
fn notes(template: &str, guest: &Guest) -> String {
    template
        .replace("{{guestname}}", &guest.name())
        .replace("{{vmid}}", &guest.vmid.to_string())
        .replace("{{node}}", &guest.node)
        .replace("{{cluster}}", "sandbox")
        .replace("\\n", "\n")
        .replace("\\\\", "\\")
}

fn defaults(cluster: &mut Cluster, call: &Call) -> Reply {
    let storage = call.args.text("storage").unwrap_or("local");
    let definition = cluster.storage(storage)?;
    let retention = definition.options.get("prune-backups").map_or("keep-all=1", String::as_str);
    ok(json!({
        "storage": storage, "prune-backups": retention, "dumpdir": format!("{}/dump", definition.path(storage)),
        "mode": "snapshot", "compress": "0", "remove": 1, "all": 0, "stop": 0, "quiet": 0, "bwlimit": 0, "ionice": 7,
        "lockwait": 180, "stopwait": 10, "pigz": 0, "zstd": 1, "stdexcludes": 1, "notification-mode": "auto",
        "mailnotification": "always", "fleecing": { "enabled": 0 },
        "performance": { "max-workers": 16, "pbs-entries-max": 1_048_576 },
    }))
}

fn extract_config(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, volid) = (call.args.need("node"), call.args.need("volume"));
    let Some(Volume { backup_of: Some((_, config)), .. }) = cluster.volume(node, volid) else {
        return Err(Failure::die(format!("volume '{volid}' does not exist")));
    };
    let text = config.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}: {}\n", value.trim_end())
    });
    ok(text.collect::<String>())
}
