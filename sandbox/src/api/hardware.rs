//! What is built into a node: disks and what is made of them, and cards.
//!
//! A disk is free until something is made of it, and free again when that is removed with its disks or wiped.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    request::Call,
    tasks::{Plan, Spawn},
    volumes::Storage,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/disks/list", disks),
    (Verb::Get, "/nodes/{node}/disks/smart", smart),
    (Verb::Post, "/nodes/{node}/disks/initgpt", initialize),
    (Verb::Put, "/nodes/{node}/disks/wipedisk", wipe),
    (Verb::Get, "/nodes/{node}/disks/directory", list),
    (Verb::Post, "/nodes/{node}/disks/directory", create_directory),
    (Verb::Delete, "/nodes/{node}/disks/directory/{name}", remove),
    (Verb::Get, "/nodes/{node}/disks/lvm", groups),
    (Verb::Post, "/nodes/{node}/disks/lvm", create_group),
    (Verb::Delete, "/nodes/{node}/disks/lvm/{name}", remove),
    (Verb::Get, "/nodes/{node}/disks/lvmthin", list),
    (Verb::Post, "/nodes/{node}/disks/lvmthin", create_thin_pool),
    (Verb::Delete, "/nodes/{node}/disks/lvmthin/{name}", remove),
    (Verb::Get, "/nodes/{node}/disks/zfs", list),
    (Verb::Post, "/nodes/{node}/disks/zfs", create_pool),
    (Verb::Get, "/nodes/{node}/disks/zfs/{name}", pool),
    (Verb::Delete, "/nodes/{node}/disks/zfs/{name}", remove),
    (Verb::Get, "/nodes/{node}/scan/lvm", scan_groups),
    (Verb::Get, "/nodes/{node}/scan/lvmthin", scan_thin_pools),
    (Verb::Get, "/nodes/{node}/scan/zfs", scan_pools),
];

/// The size of every disk, in bytes.
const SIZE: u64 = 960_197_124_096;

type Fields = Map<String, Value>;

/// What is in every node at the start: a disk with the system and the guests, and a free one.
pub(crate) fn seed(cluster: &mut Cluster, node: &str, number: u32) {
    let list = format!("/nodes/{node}/disks/list");
    for (letter, used) in [("a", Some("LVM")), ("b", None)] {
        let disk = json!({
            "devpath": format!("/dev/sd{letter}"), "size": SIZE, "model": "Sandbox SSD", "vendor": "ATA",
            "serial": format!("SBX{number:03}{}", letter.to_uppercase()), "type": "ssd", "health": "PASSED", "gpt": u8::from(used.is_some()),
            "wearout": 98, "rpm": 0, "wwn": format!("0x5002538e0000{number:03}{letter}"), "mounted": 0, "osdid": -1, "osdid-list": [],
            "by_id_link": format!("/dev/disk/by-id/ata-Sandbox_SSD_SBX{number:03}{}", letter.to_uppercase()), "used": used,
        });
        cluster.store.put(&format!("{list}/sd{letter}"), &list, "", "", disk);
    }
    let of =
        |kind: &str, name: &str| (format!("/nodes/{node}/disks/{kind}/{name}"), format!("/nodes/{node}/disks/{kind}"));
    let (path, parent) = of("lvm", "pve");
    let group =
        json!({ "name": "pve", "size": SIZE, "free": 17_179_869_184_u64, "disk": "/dev/sda3", "disks": ["/dev/sda"] });
    cluster.store.put(&path, &parent, "", "", group);
    let (path, parent) = of("lvmthin", "data");
    cluster.store.put(&path, &parent, "", "", thin_pool("data", "pve", 858_993_459_200));
}

fn thin_pool(name: &str, group: &str, size: u64) -> Value {
    json!({
        "lv": name, "vg": group, "lv_size": size, "used": size / 10, "metadata_size": 8_589_934_592_u64,
        "metadata_used": 85_899_345,
    })
}

fn place(call: &Call, rest: &str) -> String {
    format!("/nodes/{}/disks/{rest}", call.args.need("node"))
}

fn rows(cluster: &Cluster, path: &str) -> Value {
    let hidden = |mut fields: Fields| {
        fields.remove("disks");
        Value::Object(fields)
    };
    cluster.store.list(path).into_iter().map(hidden).collect()
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    ok(rows(cluster, &call.path))
}

fn disks(cluster: &mut Cluster, call: &Call) -> Reply {
    let free = |row: &Fields| !row.contains_key("used");
    let wanted = call.args.text("type");
    let mut shown = Vec::new();
    for row in cluster.store.list(&call.path).into_iter().filter(|row| wanted.is_none() || free(row)) {
        let (path, used) = (row["devpath"].as_str().unwrap_or_default().to_owned(), !free(&row));
        shown.push(Value::Object(row));
        if used && path == "/dev/sda" && call.args.flag("include-partitions") {
            for (part, size, holds) in
                [(1, 1_031_168_u64, "BIOS boot"), (2, 1 << 30, "EFI"), (3, SIZE - (1 << 30) - 1_031_168, "LVM")]
            {
                shown.push(json!({
                    "devpath": format!("{path}{part}"), "parent": path, "size": size, "used": holds, "type": "partition",
                    "gpt": 1, "mounted": 0, "osdid": -1, "osdid-list": [],
                }));
            }
        }
    }
    ok(Value::Array(shown))
}

/// The path in the store of a disk by its device file.
fn disk_path(cluster: &Cluster, call: &Call, device: &str) -> Result<String, Failure> {
    let path = place(call, &format!("list/{}", device.trim_start_matches("/dev/")));
    if cluster.store.has(&path) { Ok(path) } else { Err(Failure::die("not a valid block device")) }
}

/// The paths of disks that nothing uses.
fn free_disks(cluster: &Cluster, call: &Call, devices: &[String]) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    for device in devices {
        let path = disk_path(cluster, call, device)?;
        if cluster.store.get(&path).is_some_and(|disk| disk.contains_key("used")) {
            return Err(Failure::die(format!("device '{device}' is already in use")));
        }
        paths.push(path);
    }
    Ok(paths)
}

fn smart(cluster: &mut Cluster, call: &Call) -> Reply {
    disk_path(cluster, call, call.args.need("disk"))?;
    if call.args.flag("healthonly") {
        return ok(json!({ "health": "PASSED" }));
    }
    let attribute = |id: &str, name: &str, value: &str, raw: &str| {
        json!({
            "id": id, "name": name, "flags": "-O--CK", "value": value, "normalized": value.parse::<u32>().unwrap_or(100), "worst": value,
            "threshold": "0", "raw": raw, "fail": "-",
        })
    };
    ok(json!({
        "health": "PASSED", "type": "ata",
        "attributes": [
            attribute("  5", "Reallocated_Sector_Ct", "100", "0"),
            attribute("  9", "Power_On_Hours", "97", "14210"),
            attribute("177", "Wear_Leveling_Count", "98", "31"),
            attribute("194", "Temperature_Celsius", "70", "30"),
        ],
    }))
}

/// Starts a task on the node that does this in the end.
fn task(
    cluster: &mut Cluster,
    call: &Call,
    kind: &'static str,
    id: &str,
    effect: impl FnOnce(&mut Cluster) + Send + 'static,
) -> Reply {
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(3.0, Vec::new(), move |cluster, _| {
            effect(cluster);
            Ok(())
        }))
    });
    let (node, user) = (call.args.need("node").to_owned(), call.user.clone());
    ok(cluster.spawn(Spawn { node, kind, id: id.to_owned(), user, holds: None, begin }))
}

/// Says of a disk what it is used for; `None` frees it.
fn mark(cluster: &mut Cluster, path: &str, used: Option<&str>) {
    if let Some(disk) = cluster.store.get_mut(path) {
        match used {
            Some(used) => disk.insert("used".to_owned(), json!(used)),
            None => disk.remove("used"),
        };
        disk.insert("gpt".to_owned(), json!(u8::from(used.is_some())));
    }
}

fn initialize(cluster: &mut Cluster, call: &Call) -> Reply {
    let device = call.args.need("disk");
    let path = free_disks(cluster, call, &[device.to_owned()])?.remove(0);
    task(cluster, call, "diskinit", &device.replace("/dev/", ""), move |cluster| {
        if let Some(disk) = cluster.store.get_mut(&path) {
            disk.insert("gpt".to_owned(), json!(1));
        }
    })
}

/// What holds a volume group or a pool cannot be wiped.
fn wipe(cluster: &mut Cluster, call: &Call) -> Reply {
    let device = call.args.need("disk");
    let path = disk_path(cluster, call, device)?;
    for kind in ["lvm", "lvmthin", "zfs", "directory"] {
        if cluster.store.list(&place(call, kind)).iter().any(|made| made_of(made, device)) {
            return Err(Failure::die(format!("error wiping '{device}': disk/partition '{device}' has a holder")));
        }
    }
    task(cluster, call, "wipedisk", &device.replace("/dev/", ""), move |cluster| mark(cluster, &path, None))
}

fn made_of(made: &Fields, device: &str) -> bool {
    made.get("disks").and_then(Value::as_array).is_some_and(|disks| disks.iter().any(|disk| disk == device))
}

/// What is to be made of disks.
struct Made<'a> {
    /// The folder below `disks`: `directory`, `lvm`, `lvmthin`, `zfs`.
    folder: &'a str,
    task: &'static str,
    /// What the disks are used for from then on.
    used: &'static str,
    /// The type and options of a storage on it.
    storage: (&'static str, Vec<(&'static str, String)>),
    content: &'static str,
}

fn make(cluster: &mut Cluster, call: &Call, made: Made<'_>, devices: Vec<String>, mut fields: Value) -> Reply {
    let name = call.args.need("name").to_owned();
    let (path, parent) = (place(call, &format!("{}/{name}", made.folder)), place(call, made.folder));
    if cluster.store.has(&path) {
        return Err(Failure::die(format!("{} '{name}' already exists", made.folder)));
    }
    let with_storage = call.args.flag("add_storage");
    if with_storage && cluster.storages.contains_key(&name) {
        return Err(Failure::die(format!("storage ID '{name}' already defined")));
    }
    let disks = free_disks(cluster, call, &devices)?;
    fields["disks"] = json!(devices);
    let node = call.args.need("node").to_owned();
    let (kind, options) = made.storage;
    let options = options.into_iter().map(|(option, value)| (option.to_owned(), value)).collect();
    let (used, content) = (made.used, made.content);
    let id = name.clone();
    task(cluster, call, made.task, &id, move |cluster| {
        disks.iter().for_each(|disk| mark(cluster, disk, Some(used)));
        cluster.store.put(&path, &parent, "", "", fields);
        if with_storage {
            let content = crate::request::split_list(content);
            let kind = kind.to_owned();
            let nodes = vec![node];
            cluster
                .storages
                .insert(name, Storage { kind, content, shared: false, disabled: false, nodes, size: SIZE, options });
        }
    })
}

fn create_directory(cluster: &mut Cluster, call: &Call) -> Reply {
    let (name, device) = (call.args.need("name"), call.args.need("device"));
    let path = format!("/mnt/pve/{name}");
    let fields = json!({
        "device": format!("{device}1"), "path": path, "type": call.args.text("filesystem").unwrap_or("ext4"), "options": "defaults",
        "unitfile": format!("/etc/systemd/system/mnt-pve-{name}.mount"),
    });
    let made = Made {
        folder: "directory",
        task: "dircreate",
        used: "ext4",
        storage: ("dir", vec![("path", path)]),
        content: "images,rootdir,vztmpl,iso,backup,snippets",
    };
    make(cluster, call, made, vec![device.to_owned()], fields)
}

fn create_group(cluster: &mut Cluster, call: &Call) -> Reply {
    let (name, device) = (call.args.need("name"), call.args.need("device"));
    let fields = json!({ "name": name, "size": SIZE, "free": SIZE, "disk": device });
    let made = Made {
        folder: "lvm",
        task: "lvmcreate",
        used: "LVM",
        storage: ("lvm", vec![("vgname", name.to_owned())]),
        content: "images,rootdir",
    };
    make(cluster, call, made, vec![device.to_owned()], fields)
}

fn create_thin_pool(cluster: &mut Cluster, call: &Call) -> Reply {
    let (name, device) = (call.args.need("name"), call.args.need("device"));
    let made = Made {
        folder: "lvmthin",
        task: "lvmthincreate",
        used: "LVM",
        storage: ("lvmthin", vec![("vgname", name.to_owned()), ("thinpool", name.to_owned())]),
        content: "images,rootdir",
    };
    make(cluster, call, made, vec![device.to_owned()], thin_pool(name, name, SIZE))
}

fn create_pool(cluster: &mut Cluster, call: &Call) -> Reply {
    let (name, level) = (call.args.need("name"), call.args.need("raidlevel"));
    let devices = call.args.list("devices");
    let (least, copies) = match level {
        "single" => (1, 1),
        "mirror" => (2, 2),
        "raid10" => (4, 2),
        "raidz" => (3, 1),
        "raidz2" => (4, 1),
        "raidz3" => (5, 1),
        _ => (2, 1),
    };
    if devices.len() < least {
        return Err(Failure::die(format!("{level} needs at least {least} disks")));
    }
    let size = SIZE * devices.len() as u64 / copies;
    let fields = json!({
        "name": name, "size": size, "free": size - (1 << 20), "alloc": 1 << 20, "frag": 0, "dedup": 1.0,
        "health": "ONLINE", "level": level,
    });
    let made = Made {
        folder: "zfs",
        task: "zfscreate",
        used: "ZFS",
        storage: ("zfspool", vec![("pool", name.to_owned())]),
        content: "images,rootdir",
    };
    make(cluster, call, made, devices, fields)
}

/// The disks are freed only on demand, and so is the storage taken away.
fn remove(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name").to_owned();
    let Some(made) = cluster.store.get(&call.path).cloned() else {
        return Err(Failure::die(format!("'{name}' does not exist")));
    };
    let kind = match call.path.split('/').nth(4) {
        Some("directory") => "dirremove",
        Some("lvm") => "lvmremove",
        Some("lvmthin") => "lvmthinremove",
        _ => "zfsremove",
    };
    let path = call.path.clone();
    let devices = made.get("disks").and_then(Value::as_array).cloned().unwrap_or_default();
    let names = devices.iter().filter_map(Value::as_str);
    let disks: Vec<String> =
        names.map(|device| place(call, &format!("list/{}", device.trim_start_matches("/dev/")))).collect();
    let (clean, config) = (call.args.flag("cleanup-disks"), call.args.flag("cleanup-config"));
    let id = name.clone();
    task(cluster, call, kind, &id, move |cluster| {
        cluster.store.remove(&path);
        if clean {
            disks.iter().for_each(|disk| mark(cluster, disk, None));
        }
        if config {
            cluster.storages.remove(&name);
        }
    })
}

fn groups(cluster: &mut Cluster, call: &Call) -> Reply {
    let groups = cluster.store.list(&call.path).into_iter().map(|group| {
        let disk = json!({ "name": group["disk"], "size": group["size"], "free": group["free"], "leaf": 1 });
        json!({ "name": group["name"], "size": group["size"], "free": group["free"], "leaf": 0, "children": [disk] })
    });
    ok(json!({ "leaf": 0, "children": groups.collect::<Value>() }))
}

fn pool(cluster: &mut Cluster, call: &Call) -> Reply {
    let name = call.args.need("name");
    let Some(pool) = cluster.store.get(&call.path) else {
        return Err(Failure::die(format!("pool '{name}' does not exist")));
    };
    let device =
        |name: &Value| json!({ "name": name, "state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": "" });
    let disks: Vec<Value> = pool["disks"].as_array().into_iter().flatten().map(device).collect();
    ok(json!({
        "name": name, "state": "ONLINE", "scan": "none requested", "errors": "No known data errors",
        "children": [{ "name": name, "state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": "", "children": disks }],
    }))
}

fn scan_groups(cluster: &mut Cluster, call: &Call) -> Reply {
    let groups = cluster.store.list(&place(call, "lvm"));
    ok(groups.iter().map(|group| json!({ "vg": group["name"] })).collect::<Value>())
}

fn scan_thin_pools(cluster: &mut Cluster, call: &Call) -> Reply {
    let pools = cluster.store.list(&place(call, "lvmthin"));
    let group = call.args.need("vg");
    ok(pools.iter().filter(|pool| pool["vg"] == group).map(|pool| json!({ "lv": pool["lv"] })).collect::<Value>())
}

fn scan_pools(cluster: &mut Cluster, call: &Call) -> Reply {
    let pools = cluster.store.list(&place(call, "zfs"));
    ok(pools.iter().map(|pool| json!({ "pool": pool["name"] })).collect::<Value>())
}
