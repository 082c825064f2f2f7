//! New guests: what a create call checks at once, and what its task makes. Restores are in `restore`.

use std::collections::BTreeMap;

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, restore, task_error, values::normal};
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    disks::{self, arbitrary_path},
    guest::{Config, Kind, Power, indexed, is_cdrom, is_volume_option},
    request::Call,
    tasks::{Plan, Spawn},
};

pub(super) const ROUTES: &[Route] =
    &[(Verb::Post, "/nodes/{node}/qemu", create_vm), (Verb::Post, "/nodes/{node}/lxc", create_ct)];

/// Parameters of the create calls that are not options of the guest.
const NOT_OPTIONS: [&str; 18] = [
    "vmid",
    "node",
    "archive",
    "ostemplate",
    "restore",
    "force",
    "unique",
    "start",
    "pool",
    "storage",
    "bwlimit",
    "live-restore",
    "password",
    "ssh-public-keys",
    "ignore-unpack-errors",
    "import-working-storage",
    "ha-managed",
    "entrypoint",
];

/// The options that a create call gives, before disks and cards are made.
pub(super) fn given_options(call: &Call) -> BTreeMap<String, String> {
    call.args
        .texts()
        .filter(|(name, _)| !NOT_OPTIONS.contains(name))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

fn create_vm(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, vmid) = (call.args.need("node").to_owned(), call.args.vmid());
    cluster.check_pool(call.args.text("pool"))?;
    check_keys(call.args.text("sshkeys").map(crate::request::decode).as_deref())?;
    if call.args.has("archive") {
        return restore::restore_vm(cluster, call);
    }
    for name in ["force", "unique", "live-restore", "bwlimit"] {
        if call.args.has(name) {
            return Err(Failure::param("archive", format!("missing property required by '{name}'")));
        }
    }
    if let Some(taken) = cluster.id_taken(vmid) {
        return Err(Failure::die(format!("unable to create VM {vmid} - {taken}")));
    }
    let options = given_options(call);
    check_devices(cluster, &node, Kind::Qemu, &options, call.rights.of_root())?;
    let guest = cluster.add_guest(vmid, Kind::Qemu, &node);
    guest.lock = Some("create".to_owned());
    let task = NewGuest { node, kind: Kind::Qemu, vmid, options, start: call.args.flag("start") };
    make(cluster, call, task, "qmcreate", Vec::new())
}

fn create_ct(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, vmid) = (call.args.need("node").to_owned(), call.args.vmid());
    cluster.check_pool(call.args.text("pool"))?;
    check_keys(call.args.text("ssh-public-keys"))?;
    let unprivileged = call.args.flag("unprivileged");
    let by_root = call.rights.of_root();
    if call.args.has("features") && !unprivileged && !call.args.flag("restore") && !by_root {
        return Err(Failure::forbidden("changing feature flags for privileged container is only allowed for root@pam"));
    }
    if call.args.flag("restore") {
        return restore::restore_ct(cluster, call);
    }
    if let Some(taken) = cluster.id_taken(vmid) {
        return Err(Failure::die(taken));
    }
    let template = call.args.need("ostemplate").to_owned();
    check_source(cluster, &node, &template, "vztmpl")?;
    let mut options = given_options(call);
    let storage = call.args.text("storage").unwrap_or("local");
    if !options.contains_key("rootfs") {
        if !cluster.usable_storage(storage, &node)?.holds("rootdir") {
            let text = format!("storage '{storage}' does not support container directories");
            return Err(Failure::param("storage", text));
        }
        options.insert("rootfs".to_owned(), format!("{storage}:4"));
    }
    check_devices(cluster, &node, Kind::Lxc, &options, call.rights.of_root())?;
    let ostype = ["debian", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo"]
        .into_iter()
        .find(|name| template.contains(name))
        .unwrap_or("unmanaged");
    for (name, value) in [("arch", "amd64"), ("ostype", ostype), ("memory", "512"), ("swap", "512")] {
        options.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let guest = cluster.add_guest(vmid, Kind::Lxc, &node);
    guest.lock = Some("create".to_owned());
    let log = vec![format!("extracting archive '{}'", cluster.volume_path(&template))];
    let size = cluster.volume(&node, &template).map(|volume| volume.size);
    let cramped = size.is_some_and(|size| room(cluster, &node, &options).is_some_and(|room| room < 2 * size));
    let task = NewGuest { node, kind: Kind::Lxc, vmid, options, start: call.args.flag("start") };
    if cramped {
        let packed = if template.ends_with(".zst") { "--zstd" } else { "-z" };
        let text = format!(
            "unable to create CT {vmid} - command 'tar xpf - {packed} --totals --one-file-system -p --sparse \
             --numeric-owner --acls --xattrs '--xattrs-include=user.*' '--xattrs-include=security.capability' \
             '--warning=no-file-ignored' '--warning=no-xattr-write' -C /var/lib/lxc/{vmid}/rootfs --skip-old-files \
             --anchored --exclude './dev/*'' failed: exit code 2"
        );
        return fail(cluster, call, task, "vzcreate", text);
    }
    if size.is_some() {
        return make(cluster, call, task, "vzcreate", log);
    }
    fail(cluster, call, task, "vzcreate", format!("unable to create CT {vmid} - volume '{template}' does not exist"))
}

/// The bytes of a new root file system.
fn room(cluster: &Cluster, node: &str, options: &BTreeMap<String, String>) -> Option<u64> {
    match disks::wanted(cluster, node, Kind::Lxc, options.get("rootfs")?) {
        Ok(disks::Wanted::New { size, .. }) => Some(size),
        _ => None,
    }
}

/// The template or archive is a volume of the right kind, or the API refuses at once.
pub(super) fn check_source(cluster: &Cluster, node: &str, volid: &str, content: &str) -> Result<(), Failure> {
    let Some((storage, name)) = volid.split_once(':') else { return Err(arbitrary_path()) };
    cluster.usable_storage(storage, node)?;
    if name.split('/').next() != Some(content) {
        return Err(Failure::die(format!("unable to use volume {volid} - content type needs to be '{content}'")));
    }
    Ok(())
}

/// Every drive, mount point and path that the API refuses at once; `by_root` = to root@pam with a password.
pub(super) fn check_devices(
    cluster: &Cluster,
    node: &str,
    kind: Kind,
    options: &BTreeMap<String, String>,
    by_root: bool,
) -> Result<(), Failure> {
    for (option, text) in options {
        super::values::check_script(cluster, node, option, text)?;
        if !by_root {
            super::values::check_root_only(kind, option, text)?;
        }
        super::values::check_processor(kind, option, text)?;
        if !is_volume_option(option) || option.starts_with("unused") {
            continue;
        }
        if let Some(source) = text.split(',').find_map(|part| part.strip_prefix("import-from=")) {
            let content = source.split_once(':').and_then(|(_, name)| name.split('/').next()).unwrap_or_default();
            if matches!(content, "iso" | "vztmpl" | "backup" | "snippets") {
                let text = format!("{source} has wrong type '{content}' - needs to be 'images' or 'import'");
                return Err(Failure::param(option, text));
            }
        }
        disks::wanted(cluster, node, kind, text)?;
    }
    Ok(())
}

/// The SSH keys have to look like keys.
fn check_keys(keys: Option<&str>) -> Result<(), Failure> {
    let good = |line: &str| {
        line.trim().is_empty() || line.starts_with('#') || line.contains("ssh-") || line.contains("ecdsa-")
    };
    match keys {
        Some(keys) if !keys.lines().all(good) => Err(Failure::die("SSH public key validation error")),
        _ => Ok(()),
    }
}

/// A guest to make.
pub(super) struct NewGuest {
    pub node: String,
    pub kind: Kind,
    pub vmid: u32,
    pub options: BTreeMap<String, String>,
    pub start: bool,
}

/// Starts the task that makes a guest.
fn make(cluster: &mut Cluster, call: &Call, new: NewGuest, task: &'static str, mut lines: Vec<String>) -> Reply {
    join_pool(cluster, call.args.text("pool"), new.vmid);
    let vmid = new.vmid;
    let spawn = Spawn {
        node: new.node.clone(),
        kind: task,
        id: vmid.to_string(),
        user: call.user.clone(),
        holds: Some(vmid),
        begin: Box::new(move |cluster: &mut Cluster| {
            let (node, kind, start) = (new.node.clone(), new.kind, new.start);
            let failed = |cluster: &mut Cluster, text: String| {
                super::guests::destroy(cluster, vmid, false);
                format!("unable to create {} {vmid} - {text}", kind.label())
            };
            let mut made = Vec::new();
            let config = match build(cluster, &new, &mut made) {
                Ok(config) => config,
                Err(failure) => return Err(failed(cluster, task_error(failure))),
            };
            made.append(&mut lines);
            if start && kind == Kind::Qemu {
                made.push("Execute autostart".to_owned());
            }
            let seconds = if kind == Kind::Qemu { 2.0 } else { 5.0 };
            Ok(Plan::new(seconds, made, move |cluster, _| {
                let guest = cluster.guest_mut(&node, kind, vmid)?;
                guest.config = config;
                guest.lock = None;
                if start {
                    cluster.set_power(vmid, Power::Running);
                }
                Ok(())
            })
            .undo(move |cluster| super::guests::destroy(cluster, vmid, false)))
        }),
    };
    ok(cluster.spawn(spawn))
}

/// Starts a task that takes the new guest away again.
fn fail(cluster: &mut Cluster, call: &Call, new: NewGuest, task: &'static str, text: String) -> Reply {
    let vmid = new.vmid;
    let begin = Box::new(move |_: &mut Cluster| {
        Ok(Plan::new(1.0, Vec::new(), move |_, _| Err(text))
            .undo(move |cluster| super::guests::destroy(cluster, vmid, false)))
    });
    let id = vmid.to_string();
    ok(cluster.spawn(Spawn { node: new.node, kind: task, id, user: call.user.clone(), holds: Some(vmid), begin }))
}

/// The new guest becomes a member of the pool.
pub(super) fn join_pool(cluster: &mut Cluster, pool: Option<&str>, vmid: u32) {
    if let Some(pool) = pool.and_then(|id| cluster.pools.get_mut(id)) {
        pool.guests.push(vmid);
        pool.guests.sort_unstable();
    }
}

/// Makes disks and cards, and the configuration around them.
pub(super) fn build(cluster: &mut Cluster, new: &NewGuest, log: &mut Vec<String>) -> Result<Config, Failure> {
    let NewGuest { node, kind, vmid, options, .. } = new;
    let mut config = Config::new();
    // A privileged container is one of which nothing is said.
    for (option, text) in options.iter().filter(|(option, text)| *option != "unprivileged" || *text != "0") {
        let value = if is_volume_option(option) && !option.starts_with("unused") {
            let mut lines = Vec::new();
            let text = disks::realize(cluster, node, *kind, *vmid, option, text, &mut lines)?;
            log.append(&mut lines);
            json!(text)
        } else if indexed(option, "net") {
            json!(disks::network(cluster, *kind, option, text, false))
        } else {
            normal(*kind, option, text)
        };
        config.insert(option.clone(), value);
    }
    if *kind == Kind::Qemu {
        let boot = boot_order(&config);
        config.entry("boot".to_owned()).or_insert(json!(boot));
        let created = cluster.clock.seconds();
        config.insert("meta".to_owned(), json!(format!("creation-qemu=10.0.2,ctime={created}")));
        if !config.contains_key("smbios1") {
            let uuid = cluster.draw_uuid();
            config.insert("smbios1".to_owned(), json!(format!("uuid={uuid}")));
        }
        let generation = cluster.draw_uuid();
        config.insert("vmgenid".to_owned(), json!(generation));
    }
    Ok(config)
}

/// The default order: the first disk, the first CD drive, the first card; one space when there is nothing.
pub(super) fn boot_order(config: &Config) -> String {
    let text = |option: &str| config.get(option).and_then(Value::as_str);
    let drives = || {
        ["ide", "scsi", "virtio", "sata"].iter().flat_map(|base| (0..31).map(move |number| format!("{base}{number}")))
    };
    let disk = drives().find(|name| text(name).is_some_and(|value| !is_cdrom(value)));
    let cdrom = drives().find(|name| text(name).is_some_and(|value| is_cdrom(value) && !value.starts_with("none")));
    let card = (0..32).map(|number| format!("net{number}")).find(|name| text(name).is_some());
    let order: Vec<String> = [disk, cdrom, card].into_iter().flatten().collect();
    if order.is_empty() { " ".to_owned() } else { format!("order={}", order.join(";")) }
}
