//! The cluster as it stands at the start: always the same.
//!
//! Knows names and numbers only; everything that happens later is elsewhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Options, USER,
    clock::START,
    cluster::{Cluster, Node, Pool},
    firewall::Firewall,
    guest::{Config, Kind, Power, Snapshot},
    tasks::Task,
    upid::Upid,
    volumes::{Storage, Volume},
};

/// The token that a sandbox gives out: root's own, without privilege separation.
pub(crate) const TOKEN: &str = "root@pam!mcp";

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Seconds since 1970 at the start.
const NOW: i64 = START / 1_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Builds the cluster.
pub(crate) fn cluster(options: &Options) -> Cluster {
    let mut cluster = Cluster::empty(options.seed, options.task_time.max(0.0));
    for (number, name) in (1..).zip(["pve1", "pve2", "pve3"]) {
        cluster.nodes.insert(name.to_owned(), Node { online: true, number, processors: 16, memory: 64 * GIB });
    }
    storages(&mut cluster);
    guests(&mut cluster);
    files(&mut cluster);
    backups(&mut cluster);
    snapshots(&mut cluster);
    firewalls(&mut cluster);
    access(&mut cluster);
    datacenter(&mut cluster);
    history(&mut cluster);
    cluster
}

fn storages(cluster: &mut Cluster) {
    let mut add = |id: &str, kind: &str, content: &str, shared: bool, size: u64, options: &[(&str, &str)]| {
        let storage = Storage {
            kind: kind.to_owned(),
            content: crate::request::split_list(content),
            shared,
            disabled: false,
            nodes: Vec::new(),
            size,
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        cluster.storages.insert(id.to_owned(), storage);
    };
    add("local", "dir", "backup,import,iso,snippets,vztmpl", false, 240 * GIB, &[("path", "/var/lib/vz")]);
    add("local-lvm", "lvmthin", "images,rootdir", false, 800 * GIB, &[("thinpool", "data"), ("vgname", "pve")]);
    add(
        "backup-nas",
        "nfs",
        "backup,images,iso,rootdir,vztmpl",
        true,
        8_192 * GIB,
        &[
            ("export", "/export/proxmox"),
            ("path", "/mnt/pve/backup-nas"),
            ("prune-backups", "keep-daily=7,keep-last=3"),
            ("server", "192.0.2.5"),
        ],
    );
    add(
        "pbs",
        "pbs",
        "backup",
        true,
        16_384 * GIB,
        &[("datastore", "main"), ("prune-backups", "keep-all=1"), ("server", "192.0.2.6"), ("username", "pve@pbs")],
    );
}

/// A guest of the start.
struct Start<'a> {
    vmid: u32,
    kind: Kind,
    node: &'a str,
    running: bool,
    disk: (&'a str, &'a str, u64),
    options: Value,
}

fn guests(cluster: &mut Cluster) {
    let vm = Kind::Qemu;
    let ct = Kind::Lxc;
    let scsi = |name| ("scsi0", name, 32);
    let all = [
        Start {
            vmid: 100,
            kind: vm,
            node: "pve1",
            running: true,
            disk: scsi("local-lvm:vm-100-disk-0"),
            options: json!({
                "name": "web-server", "memory": "4096", "cores": 4, "agent": "1", "tags": "prod;web", "onboot": 1,
                "description": "Public web server",
            }),
        },
        Start {
            vmid: 101,
            kind: vm,
            node: "pve2",
            running: true,
            disk: ("scsi0", "backup-nas:101/vm-101-disk-0.qcow2", 100),
            options: json!({
                "name": "db-server", "memory": "16384", "cores": 8, "agent": "1", "tags": "db;prod", "onboot": 1,
            }),
        },
        Start {
            vmid: 102,
            kind: vm,
            node: "pve1",
            running: false,
            disk: ("scsi0", "local-lvm:vm-102-disk-0", 64),
            options: json!({ "name": "build-runner", "memory": "8192", "cores": 8, "agent": "1" }),
        },
        Start {
            vmid: 110,
            kind: vm,
            node: "pve2",
            running: false,
            disk: ("scsi0", "local-lvm:vm-110-disk-0", 8),
            options: json!({ "name": "test", "memory": "1024", "cores": 1 }),
        },
        Start {
            vmid: 9000,
            kind: vm,
            node: "pve1",
            running: false,
            disk: ("scsi0", "local-lvm:base-9000-disk-0", 10),
            options: json!({ "name": "debian-12-template", "memory": "2048", "cores": 2, "agent": "1", "template": 1 }),
        },
        Start {
            vmid: 200,
            kind: ct,
            node: "pve1",
            running: true,
            disk: ("rootfs", "local-lvm:vm-200-disk-0", 8),
            options: json!({ "hostname": "dns", "memory": 512, "cores": 1, "swap": 512, "onboot": 1, "tags": "infra" }),
        },
        Start {
            vmid: 201,
            kind: ct,
            node: "pve3",
            running: true,
            disk: ("rootfs", "local-lvm:vm-201-disk-0", 8),
            options: json!({ "hostname": "proxy", "memory": 1024, "cores": 2, "swap": 512, "tags": "infra;web" }),
        },
        Start {
            vmid: 202,
            kind: ct,
            node: "pve2",
            running: false,
            disk: ("rootfs", "local-lvm:vm-202-disk-0", 16),
            options: json!({ "hostname": "wiki", "memory": 2048, "cores": 2, "swap": 512 }),
        },
        Start {
            vmid: 210,
            kind: ct,
            node: "pve3",
            running: false,
            disk: ("rootfs", "local-lvm:vm-210-disk-0", 4),
            options: json!({ "hostname": "test", "memory": 256, "cores": 1, "swap": 0 }),
        },
    ];
    for start in all {
        let config = config(cluster, &start);
        let (_, volid, gib) = start.disk;
        volume(cluster, start.node, volid, if start.kind == vm { "images" } else { "rootdir" }, gib * GIB, |volume| {
            volume.vmid = Some(start.vmid);
            volume.format = if volid.ends_with(".qcow2") { "qcow2" } else { "raw" }.to_owned();
        });
        let started = START - 5 * DAY * 1_000 - i64::from(start.vmid) * 60_000;
        let guest = cluster.add_guest(start.vmid, start.kind, start.node);
        guest.config = config;
        if start.running {
            guest.power = Power::Running;
            guest.started = started;
            guest.pid = 0x1_0000 + start.vmid;
        }
    }
    let members =
        [("production", "Everything that customers see", vec![100, 101]), ("lab", "For trying things out", vec![110])];
    for (id, comment, guests) in members {
        let pool = Pool { comment: Some(comment.to_owned()), guests, storages: Vec::new() };
        cluster.pools.insert(id.to_owned(), pool);
    }
}

fn config(cluster: &mut Cluster, start: &Start<'_>) -> Config {
    let mut config: Config = BTreeMap::new();
    if let Value::Object(options) = &start.options {
        config.extend(options.clone());
    }
    let (option, volid, gib) = start.disk;
    let mac = cluster.draw_mac();
    match start.kind {
        Kind::Qemu => {
            let uuid = cluster.draw_uuid();
            let generation = cluster.draw_uuid();
            let more = json!({
                "boot": "order=scsi0;net0", "ostype": "l26", "scsihw": "virtio-scsi-single", "sockets": 1,
                "net0": format!("virtio={mac},bridge=vmbr0,firewall=1"), "smbios1": format!("uuid={uuid}"),
                "vmgenid": generation, "meta": "creation-qemu=10.0.2,ctime=1785000000",
            });
            if let Value::Object(more) = more {
                config.extend(more);
            }
            config.insert(option.to_owned(), json!(format!("{volid},iothread=1,size={gib}G")));
        }
        Kind::Lxc => {
            let more = json!({
                "arch": "amd64", "ostype": "debian", "unprivileged": 1,
                "net0": format!("name=eth0,bridge=vmbr0,firewall=1,hwaddr={mac},ip=dhcp,type=veth"),
            });
            if let Value::Object(more) = more {
                config.extend(more);
            }
            config.insert(option.to_owned(), json!(format!("{volid},size={gib}G")));
        }
    }
    config
}

fn volume(cluster: &mut Cluster, node: &str, volid: &str, content: &str, size: u64, with: impl FnOnce(&mut Volume)) {
    let mut volume = Volume {
        volid: volid.to_owned(),
        node: None,
        content: content.to_owned(),
        format: "raw".to_owned(),
        size,
        vmid: None,
        created: NOW - 30 * DAY,
        notes: None,
        protected: false,
        backup_of: None,
    };
    with(&mut volume);
    cluster.add_volume(volume, node);
}

fn files(cluster: &mut Cluster) {
    let files = [
        ("local:iso/debian-12.7.0-amd64-netinst.iso", "iso", "iso", 631 * MIB),
        ("local:iso/ubuntu-22.04.iso", "iso", "iso", 2_048 * MIB),
        ("local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst", "vztmpl", "tzst", 120 * MIB),
        ("local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst", "vztmpl", "tzst", 124 * MIB),
        ("local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst", "vztmpl", "tzst", 135 * MIB),
    ];
    for node in ["pve1", "pve2", "pve3"] {
        for (volid, content, format, size) in files {
            volume(cluster, node, volid, content, size, |volume| volume.format = format.to_owned());
        }
    }
    volume(cluster, "pve1", "local:snippets/cloud-init.yaml", "snippets", 512, |volume| {
        volume.format = "snippet".to_owned()
    });
    volume(cluster, "pve1", "backup-nas:iso/virtio-win-0.1.266.iso", "iso", 700 * MIB, |volume| {
        volume.format = "iso".to_owned();
    });
}

fn backups(cluster: &mut Cluster) {
    let archives = [
        ("backup-nas:backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst", 100, "vma.zst", 1_704_110_400),
        ("backup-nas:backup/vzdump-lxc-200-2024_01_01-12_10_00.tar.zst", 200, "tar.zst", 1_704_111_000),
        ("backup-nas:backup/vzdump-qemu-100-2026_10_31-02_00_00.vma.zst", 100, "vma.zst", 1_793_412_000),
        ("backup-nas:backup/vzdump-qemu-101-2026_10_31-02_10_00.vma.zst", 101, "vma.zst", 1_793_412_600),
        ("backup-nas:backup/vzdump-lxc-202-2026_10_31-02_30_00.tar.zst", 202, "tar.zst", 1_793_413_800),
        // Only the listing tells what is in this one.
        ("backup-nas:backup/wiki-before-upgrade.tar.zst", 202, "tar.zst", 1_793_000_000),
        ("pbs:backup/vm/100/2026-10-01T02:00:00Z", 100, "pbs-vm", 1_790_820_000),
        ("pbs:backup/vm/100/2026-10-31T02:00:00Z", 100, "pbs-vm", 1_793_412_000),
        ("pbs:backup/ct/200/2026-10-01T02:05:00Z", 200, "pbs-ct", 1_790_820_300),
    ];
    for (volid, vmid, format, created) in archives {
        let Some((kind, config)) = cluster.guests.get(&vmid).map(|guest| (guest.kind, guest.config.clone())) else {
            continue;
        };
        let name = cluster.guests.get(&vmid).map(|guest| guest.name());
        volume(cluster, "pve1", volid, "backup", 3 * GIB + u64::from(vmid) * MIB, |volume| {
            volume.vmid = Some(vmid);
            volume.format = format.to_owned();
            volume.created = created;
            volume.notes = name;
            volume.protected = volid.ends_with("wiki-before-upgrade.tar.zst");
            volume.backup_of = Some((kind, config));
        });
    }
}

fn snapshots(cluster: &mut Cluster) {
    let all = [
        (100, "before-upgrade", "Before the upgrade of the web server", None, NOW - 3 * DAY),
        (100, "clean", "", Some("before-upgrade"), NOW - DAY),
        (200, "initial", "First working state", None, NOW - 20 * DAY),
    ];
    for (vmid, name, description, parent, time) in all {
        if let Some(guest) = cluster.guests.get_mut(&vmid) {
            guest.snapshots.push(Snapshot {
                name: name.to_owned(),
                description: description.to_owned(),
                parent: parent.map(str::to_owned),
                time,
                memory: false,
                config: guest.config.clone(),
            });
            guest.parent = Some(name.to_owned());
        }
    }
}

fn firewalls(cluster: &mut Cluster) {
    let rule = |value: Value| value.as_object().cloned().unwrap_or_default();
    let web = Firewall {
        rules: vec![
            rule(
                json!({ "type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "443", "enable": 1, "comment": "HTTPS" }),
            ),
            rule(json!({ "type": "in", "action": "ACCEPT", "macro": "SSH", "source": "192.0.2.0/24", "enable": 1 })),
            rule(json!({ "type": "in", "action": "DROP", "proto": "tcp", "dport": "25", "enable": 0, "log": "info" })),
        ],
        options: rule(json!({ "enable": 1, "policy_in": "DROP" })),
    };
    let dns = Firewall {
        rules: vec![rule(json!({ "type": "in", "action": "ACCEPT", "macro": "DNS", "enable": 1 }))],
        options: rule(json!({ "enable": 1 })),
    };
    let all = Firewall {
        rules: vec![rule(json!({ "type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "8006", "enable": 1 }))],
        options: rule(json!({ "enable": 1 })),
    };
    cluster.firewalls.insert("/nodes/pve1/qemu/100".to_owned(), web);
    cluster.firewalls.insert("/nodes/pve1/lxc/200".to_owned(), dns);
    cluster.firewalls.insert("/cluster".to_owned(), all);
}

fn access(cluster: &mut Cluster) {
    let store = &mut cluster.store;
    let users =
        [("root@pam", "pam", None), (USER, "pve", Some("Administrator")), ("alice@pve", "pve", Some("Operations"))];
    for (userid, realm, comment) in users {
        let fields = json!({ "enable": 1, "expire": 0, "realm-type": realm, "comment": comment });
        store.put(&format!("/access/users/{userid}"), "/access/users", "userid", userid, fields);
    }
    let token = json!({ "privsep": 0, "expire": 0, "comment": "This sandbox" });
    store.put("/access/users/root@pam/token/mcp", "/access/users/root@pam/token", "tokenid", "mcp", token);
    let group = json!({ "comment": "Operators", "users": "alice@pve" });
    store.put("/access/groups/operators", "/access/groups", "groupid", "operators", group);
    for (realm, kind, comment) in
        [("pam", "pam", "Linux PAM standard authentication"), ("pve", "pve", "Proxmox VE authentication server")]
    {
        let fields = json!({ "type": kind, "comment": comment });
        store.put(&format!("/access/domains/{realm}"), "/access/domains", "realm", realm, fields);
    }
    let every: std::collections::BTreeSet<&str> =
        proxmox_spec::methods().iter().flat_map(|method| method.permissions.privileges.iter().copied()).collect();
    let starting = |prefix: &str| every.iter().copied().filter(|name| name.starts_with(prefix)).collect::<Vec<_>>();
    let roles = [
        ("Administrator", every.iter().copied().collect::<Vec<_>>()),
        ("NoAccess", Vec::new()),
        ("PVEAuditor", every.iter().copied().filter(|name| name.ends_with(".Audit")).collect()),
        ("PVEDatastoreAdmin", starting("Datastore.")),
        ("PVEVMAdmin", starting("VM.")),
        ("PVEVMUser", vec!["VM.Audit", "VM.Backup", "VM.Config.CDROM", "VM.Console", "VM.PowerMgmt"]),
    ];
    for (roleid, privileges) in roles {
        let fields = json!({ "special": 1, "privs": privileges.join(",") });
        store.put(&format!("/access/roles/{roleid}"), "/access/roles", "roleid", roleid, fields);
    }
    for (path, kind, id, role) in
        [("/", "user", USER, "Administrator"), ("/pool/production", "group", "operators", "PVEVMUser")]
    {
        let fields = json!({ "path": path, "type": kind, "roleid": role, "propagate": 1 });
        store.put(&format!("/access/acl{path}#{kind}:{id}:{role}"), "/access/acl", "ugid", id, fields);
    }
}

fn datacenter(cluster: &mut Cluster) {
    let store = &mut cluster.store;
    let job = json!({
        "type": "vzdump", "schedule": "02:00", "storage": "backup-nas", "vmid": "100,101,202", "enabled": 1,
        "mode": "snapshot", "compress": "zstd", "notes-template": "{{guestname}}", "next-run": NOW + 18 * HOUR,
        "prune-backups": { "keep-daily": "7", "keep-last": "3" },
    });
    store.put("/cluster/backup/nightly", "/cluster/backup", "id", "nightly", job);
    store.set("/cluster/options", json!({ "mac_prefix": "BC:24:11", "keyboard": "en-us", "allowed-tags": [] }));
    let member = |number: u32| json!({ "nodeid": number.to_string(), "quorum_votes": "1", "ring0_addr": format!("192.0.2.{}", 10 + number) });
    for (number, name) in (1..).zip(["pve1", "pve2", "pve3"]) {
        let mut fields = member(number);
        fields["name"] = json!(name);
        store.put(&format!("/cluster/config/nodes/{name}"), "/cluster/config/nodes", "node", name, fields);
        let node = format!("/nodes/{name}");
        store.set(&format!("{node}/dns"), json!({ "dns1": "192.0.2.53", "search": "example.org" }));
        let bridge = |iface: &str, port: &str, address: Option<String>| {
            json!({
                "type": "bridge", "active": 1, "autostart": 1, "bridge_ports": port, "bridge_stp": "off", "bridge_fd": "0",
                "method": if address.is_some() { "static" } else { "manual" }, "method6": "manual",
                "families": ["inet"], "priority": 4, "address": address, "netmask": address.as_ref().map(|_| "24"),
                "cidr": address.as_ref().map(|text| format!("{text}/24")), "comments": format!("{iface}\n"),
                "gateway": address.as_ref().map(|_| "192.0.2.1"),
            })
        };
        let network = format!("{node}/network");
        let first = bridge("vmbr0", "eno1", Some(format!("192.0.2.{}", 10 + number)));
        store.put(&format!("{network}/vmbr0"), &network, "iface", "vmbr0", first);
        store.put(&format!("{network}/vmbr1"), &network, "iface", "vmbr1", bridge("vmbr1", "eno2", None));
        for card in ["eno1", "eno2"] {
            let fields = json!({
                "type": "eth", "active": 1, "exists": 1, "method": "manual", "method6": "manual", "families": ["inet"],
                "priority": 3,
            });
            store.put(&format!("{network}/{card}"), &network, "iface", card, fields);
        }
        let services = format!("{node}/services");
        for service in ["corosync", "cron", "pve-cluster", "pve-firewall", "pvedaemon", "pveproxy", "sshd"] {
            let fields = json!({
                "name": service, "desc": format!("{service} service"), "state": "running", "active-state": "active",
                "unit-state": "enabled",
            });
            store.put(&format!("{services}/{service}/state"), &services, "service", service, fields);
        }
        store.set(
            &format!("{node}/subscription"),
            json!({
                "status": "notfound", "message": "There is no subscription key", "serverid": "0".repeat(32),
                "url": "https://www.proxmox.com/proxmox-ve/pricing",
            }),
        );
        let disks = format!("{node}/disks/list");
        let disk = json!({
            "size": 960_197_124_096_u64, "model": "Sandbox SSD", "vendor": "ATA", "serial": format!("SBX{number:04}"),
            "type": "ssd", "health": "PASSED", "used": "LVM", "gpt": 1, "wearout": 98, "rpm": 0, "wwn": "unknown",
        });
        store.put(&format!("{disks}/sda"), &disks, "devpath", "/dev/sda", disk);
    }
    let mail = json!({ "comment": "Mails to root", "mailto-user": ["root@pam"], "origin": "builtin" });
    let sendmail = "/cluster/notifications/endpoints/sendmail";
    store.put(&format!("{sendmail}/mail-to-root"), sendmail, "name", "mail-to-root", mail);
    let alias = json!({ "cidr": "192.0.2.0/24", "ipversion": 4, "comment": "Management network" });
    store.put("/cluster/firewall/aliases/management", "/cluster/firewall/aliases", "name", "management", alias);
}

fn history(cluster: &mut Cluster) {
    let warning = "WARN: no physical CD-ROM available, ignoring";
    let past = [
        ("pve1", "vzdump", "100", 30 * HOUR, 95, "INFO: Finished Backup of VM 100 (00:01:35)", "OK"),
        ("pve2", "vzdump", "101", 29 * HOUR, 310, "INFO: Finished Backup of VM 101 (00:05:10)", "OK"),
        ("pve1", "qmstart", "100", 26 * HOUR, 3, warning, "WARNINGS: 1"),
        ("pve3", "vzstart", "201", 25 * HOUR, 2, "", "OK"),
        (
            "pve2",
            "vzdump",
            "202",
            6 * HOUR,
            4,
            "ERROR: Backup of VM 202 failed - no space left on device",
            "job errors",
        ),
        ("pve1", "aptupdate", "", 3 * HOUR, 20, "Reading package lists...", "OK"),
    ];
    for (place, (node, kind, id, ago, seconds, line, status)) in (0_u32..).zip(past) {
        let start = NOW - ago;
        let upid = Upid {
            node: node.to_owned(),
            pid: 0x1000 + place * 16,
            pstart: u64::try_from(start - crate::clock::BOOT / 1_000).unwrap_or_default() * 100,
            start,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: "root@pam".to_owned(),
        };
        let last = match status {
            "OK" => "TASK OK".to_owned(),
            status if status.starts_with("WARNINGS") => format!("TASK {status}"),
            status => format!("TASK ERROR: {status}"),
        };
        let log = [line.to_owned(), last].into_iter().filter(|line| !line.is_empty()).collect();
        cluster.tasks.push(Task::past(upid, seconds, log, status));
    }
}
