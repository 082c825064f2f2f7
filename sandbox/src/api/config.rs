//! A guest's configuration: reading, changing at once or in a task, pending changes, unlinking disks.

use std::collections::BTreeMap;

use proxmox_spec::Verb;
use serde_json::json;

use super::{Route, create::check_devices, guest_task, must_exist, target, task_error, values::normal};
use crate::{
    answer::{Failure, Reply, done},
    auth,
    cluster::Cluster,
    disks,
    guest::{Config, Guest, Kind, file_of, indexed, is_cdrom, is_disk, is_volume_option},
    request::Call,
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/config", put),
    (Verb::Put, "/nodes/{node}/lxc/{vmid}/config", put),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/config", post),
    (Verb::Put, "/nodes/{node}/qemu/{vmid}/unlink", unlink),
];

/// Options of a running virtual machine that change at once; all others wait for a stop.
const LIVE: [&str; 11] = [
    "name",
    "description",
    "tags",
    "onboot",
    "startup",
    "protection",
    "hookscript",
    "shares",
    "boot",
    "vmstatestorage",
    "lock",
];

/// Options of a running container that wait for a stop; all others change at once.
const LATE: [&str; 7] = ["arch", "ostype", "tty", "console", "cmode", "features", "entrypoint"];

/// What a change asks for, checked as far as the texts alone go.
struct Change {
    set: BTreeMap<String, String>,
    delete: Vec<String>,
    revert: Vec<String>,
    digest: Option<String>,
    /// Destroy volumes where a detach would keep them.
    destroy: bool,
    /// By root@pam with a password.
    by_root: bool,
    /// The lock is passed over.
    skip_lock: bool,
}

fn put(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let change = wanted(call, kind)?;
    cluster.wait_for_lock(vmid)?;
    check(cluster, &node, kind, vmid, &change)?;
    apply(cluster, &node, kind, vmid, &change, &mut Vec::new())?;
    done()
}

fn post(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let change = wanted(call, kind)?;
    check(cluster, &node, kind, vmid, &change)?;
    let options: Vec<String> = change
        .set
        .iter()
        .map(|(name, text)| format!("-{name} {}", if name == "cipassword" { "<hidden>" } else { text }))
        .chain((!change.delete.is_empty()).then(|| format!("-delete {}", change.delete.join(","))))
        .collect();
    let first = format!("update VM {vmid}: {}", options.join(" "));
    let denied = auth::vm_drives(cluster, call).err().map(task_error);
    let begin = Box::new(move |_: &mut Cluster| {
        if let Some(text) = denied {
            return Err(text);
        }
        Ok(Plan::new(1.0, vec![first], move |cluster, log| {
            check(cluster, &node, kind, vmid, &change).map_err(task_error)?;
            apply(cluster, &node, kind, vmid, &change, log).map_err(task_error)
        }))
    });
    guest_task(cluster, call, ["qmconfig", "qmconfig"], begin)
}

fn unlink(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let change = Change {
        set: BTreeMap::new(),
        delete: call.args.list("idlist"),
        revert: Vec::new(),
        digest: None,
        destroy: call.args.flag("force"),
        by_root: call.rights.of_root(),
        skip_lock: call.args.flag("skiplock"),
    };
    if let Some(name) = change.delete.iter().find(|name| !kind.has_option(name)) {
        return Err(Failure::param("delete", format!("unknown option '{name}'")));
    }
    cluster.wait_for_lock(vmid)?;
    check(cluster, &node, kind, vmid, &change)?;
    apply(cluster, &node, kind, vmid, &change, &mut Vec::new())?;
    done()
}

/// Reads the call; errors are those that need no guest.
fn wanted(call: &Call, kind: Kind) -> Result<Change, Failure> {
    let set: BTreeMap<String, String> = call
        .args
        .texts()
        .filter(|(name, _)| kind.has_option(name))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let (delete, revert) = (call.args.list("delete"), call.args.list("revert"));
    for name in &delete {
        if name == "lock" && kind == Kind::Qemu && !call.rights.of_root() {
            return Err(Failure::die("only root can set 'lock' config"));
        }
        if !kind.has_option(name) && !indexed(name, "unused") {
            return Err(Failure::param("delete", format!("unknown option '{name}'")));
        }
        if set.contains_key(name) {
            let text = format!("you can't use '-{name}' and -delete {name}' at the same time");
            return Err(Failure::param("delete", text));
        }
    }
    if let Some(name) = revert.iter().find(|name| !kind.has_option(name)) {
        return Err(Failure::param("revert", format!("unknown option '{name}'")));
    }
    if set.is_empty() && delete.is_empty() && revert.is_empty() {
        return Err(Failure::die("no options specified"));
    }
    let digest = call.args.text("digest").map(str::to_owned);
    let by_root = call.rights.of_root();
    Ok(Change {
        set,
        delete,
        revert,
        digest,
        destroy: call.args.flag("force"),
        by_root,
        skip_lock: call.args.flag("skiplock"),
    })
}

/// Everything that makes the API refuse the whole change.
fn check(cluster: &Cluster, node: &str, kind: Kind, vmid: u32, change: &Change) -> Result<(), Failure> {
    let guest = cluster.guest(node, kind, vmid).map_err(Failure::die)?;
    if change.digest.as_ref().is_some_and(|digest| *digest != guest.digest()) {
        return Err(Failure::die(match kind {
            Kind::Qemu => "checksum mismatch (file change by other user?)",
            Kind::Lxc => "detected modified configuration - file changed by other user? Try again.",
        }));
    }
    if !change.skip_lock {
        guest.check_lock().map_err(Failure::die)?;
    }
    check_devices(cluster, node, kind, &change.set, change.by_root)?;
    if kind == Kind::Lxc {
        for name in &change.delete {
            if matches!(name.as_str(), "rootfs" | "arch" | "ostype") {
                return Err(Failure::die(format!("unable to delete required option '{name}'")));
            }
        }
        if let Some(name) = change.set.keys().chain(&change.delete).find(|name| *name == "unprivileged") {
            return Err(Failure::die(format!("unable to modify read-only option: '{name}'")));
        }
        let features = change.set.contains_key("features") || change.delete.iter().any(|name| name == "features");
        if features && !change.by_root && guest.config.get("unprivileged") != Some(&json!(1)) {
            return Err(Failure::forbidden(
                "changing feature flags for privileged container is only allowed for root@pam",
            ));
        }
    }
    let protected = guest.config.get("protection") == Some(&json!(1));
    for name in &change.delete {
        if protected && is_volume_option(name) && guest.text(name).is_some_and(|text| !is_cdrom(text)) {
            return Err(Failure::die(format!("can't remove drive '{name}' - protection mode enabled")));
        }
        if let Some(volid) = guest.text(name).filter(|_| indexed(name, "unused"))
            && guest.snapshots.iter().any(|snapshot| holds(&snapshot.config, volid))
        {
            return Err(Failure::die(format!("unable to delete '{volid}' - volume is still in use (snapshot?)")));
        }
    }
    Ok(())
}

fn holds(config: &Config, volid: &str) -> bool {
    crate::guest::volumes_of(config).iter().any(|(_, held)| held == volid)
}

/// Makes the change. What a running guest cannot take over at once stays pending.
fn apply(
    cluster: &mut Cluster,
    node: &str,
    kind: Kind,
    vmid: u32,
    change: &Change,
    log: &mut Vec<String>,
) -> Result<(), Failure> {
    for name in &change.revert {
        cluster.guest_mut(node, kind, vmid).map_err(Failure::die)?.pending.remove(name);
    }
    let mut stuck = BTreeMap::new();
    for name in &change.delete {
        if let Some(text) = remove(cluster, node, kind, vmid, name, change.destroy)? {
            stuck.insert(name.clone(), text);
        }
    }
    for (name, text) in &change.set {
        let value = if is_volume_option(name) && !name.starts_with("unused") {
            let mut lines = Vec::new();
            let text = disks::realize(cluster, node, kind, vmid, name, text, &mut lines)?;
            log.append(&mut lines);
            detach_other(cluster, node, kind, vmid, name, &text)?;
            json!(text)
        } else if indexed(name, "net") {
            json!(disks::network(cluster, kind, name, text, false))
        } else {
            normal(kind, name, text)
        };
        let guest = cluster.guest_mut(node, kind, vmid).map_err(Failure::die)?;
        if name == "description" && kind == Kind::Qemu && text.is_empty() {
            // The file has no line for an empty description.
            guest.config.remove(name);
        } else if name == "lock" {
            guest.lock = value.as_str().map(str::to_owned);
        } else if at_once(guest, name) {
            guest.pending.remove(name);
            guest.config.insert(name.clone(), value);
        } else if guest.config.get(name) == Some(&value) {
            guest.pending.remove(name);
        } else {
            guest.pending.insert(name.clone(), Some(value));
        }
    }
    if stuck.is_empty() { Ok(()) } else { Err(Failure::params(stuck)) }
}

/// Whether a change of this option takes effect without a stop.
fn at_once(guest: &Guest, option: &str) -> bool {
    if !guest.running() {
        return true;
    }
    match guest.kind {
        Kind::Qemu => LIVE.contains(&option) || is_disk(option) || indexed(option, "net") || indexed(option, "unused"),
        Kind::Lxc => !LATE.contains(&option),
    }
}

/// Takes an option away; answers the problem when a running guest does not let go.
fn remove(
    cluster: &mut Cluster,
    node: &str,
    kind: Kind,
    vmid: u32,
    option: &str,
    destroy: bool,
) -> Result<Option<String>, Failure> {
    let guest = cluster.guest_mut(node, kind, vmid).map_err(Failure::die)?;
    if option == "lock" {
        guest.lock = None;
        return Ok(None);
    }
    guest.pending.remove(option);
    let Some(value) = guest.config.get(option).cloned() else { return Ok(None) };
    let text = value.as_str().unwrap_or_default().to_owned();
    let running = guest.running();
    if running && is_disk(option) && guest.text("boot").is_some_and(|boot| boots_from(boot, option)) {
        guest.pending.insert(option.to_owned(), None);
        let boot = without_device(guest.text("boot").unwrap_or_default(), option);
        guest.pending.insert("boot".to_owned(), Some(json!(boot)));
        return Ok(Some(format!("hotplug problem - can't unplug bootdisk '{option}'\n")));
    }
    if running && kind == Kind::Qemu && guest.deaf && (is_disk(option) || indexed(option, "net")) {
        guest.pending.insert(option.to_owned(), None);
        let text = format!("hotplug problem - error on hot-unplugging device '{option}' - still busy in guest?\n");
        return Ok(Some(text));
    }
    if running && kind == Kind::Lxc && indexed(option, "mp") {
        guest.pending.insert(option.to_owned(), None);
        return Ok(None);
    }
    if !at_once(guest, option) {
        guest.pending.insert(option.to_owned(), None);
        return Ok(None);
    }
    guest.config.remove(option);
    if let Some(boot) = guest.text("boot").filter(|boot| boots_from(boot, option)).map(str::to_owned) {
        guest.config.insert("boot".to_owned(), json!(without_device(&boot, option)));
    }
    let volid = file_of(&text).to_owned();
    if !is_volume_option(option) || !volid.contains(':') {
        return Ok(None);
    }
    let gone = indexed(option, "unused") || destroy || volid.contains("cloudinit");
    if gone {
        cluster.remove_volume(node, &volid);
    } else if !is_cdrom(&text) {
        add_unused(guest, &volid);
    }
    Ok(None)
}

/// Keeps a volume as `unusedN`.
pub(super) fn add_unused(guest: &mut Guest, volid: &str) {
    if guest.config.iter().any(|(name, value)| indexed(name, "unused") && value.as_str() == Some(volid)) {
        return;
    }
    let free = (0..256).map(|number| format!("unused{number}")).find(|name| !guest.config.contains_key(name));
    if let Some(name) = free {
        guest.config.insert(name, json!(volid));
    }
}

/// A disk that takes the place of another one, or that was unused until now.
fn detach_other(
    cluster: &mut Cluster,
    node: &str,
    kind: Kind,
    vmid: u32,
    option: &str,
    text: &str,
) -> Result<(), Failure> {
    let guest = cluster.guest_mut(node, kind, vmid).map_err(Failure::die)?;
    let new = file_of(text).to_owned();
    guest.config.retain(|name, value| !(indexed(name, "unused") && value.as_str() == Some(&new)));
    let old = guest.text(option).map(|text| (file_of(text).to_owned(), is_cdrom(text)));
    if let Some((old, cdrom)) = old
        && old.contains(':')
        && old != new
        && !cdrom
    {
        add_unused(guest, &old);
    }
    Ok(())
}

fn boots_from(boot: &str, device: &str) -> bool {
    boot.strip_prefix("order=").is_some_and(|order| order.split(';').any(|name| name == device))
}

fn without_device(boot: &str, device: &str) -> String {
    let order = boot.strip_prefix("order=").unwrap_or_default();
    let rest: Vec<&str> = order.split(';').filter(|name| *name != device).collect();
    if rest.is_empty() { " ".to_owned() } else { format!("order={}", rest.join(";")) }
}
