//! The cluster as it stands at the start: always the same.
//!
//! Knows names and numbers only; everything that happens later is elsewhere.

mod datacenter;
mod scale;
mod standalone;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Layout, Options,
    clock::START,
    cluster::{Cluster, Node, Pool},
    guest::{Config, Kind, Power, Snapshot},
    volumes::{Storage, Volume},
};

/// The token that a sandbox gives out: root's own, without privilege separation.
pub(crate) const TOKEN: &str = "root@pam!mcp";

/// The token that may look at everything, and its user.
pub(crate) const AUDITOR_TOKEN: &str = "auditor@pve!readonly";
const AUDITOR: &str = "auditor@pve";

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Seconds since 1970 at the start.
const NOW: i64 = START / 1_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Builds the cluster.
pub(crate) fn cluster(options: &Options) -> Cluster {
    let mut cluster = Cluster::empty(options.seed, options.task_time.max(0.0));
    if options.layout == Layout::Standalone {
        standalone::build(&mut cluster);
        crate::api::furnish(&mut cluster);
        return cluster;
    }
    for number in 1..=u32::from(options.nodes) {
        let node = Node { online: true, number, processors: 16, memory: 64 * GIB };
        cluster.nodes.insert(format!("pve{number}"), node);
    }
    storages(&mut cluster);
    guests(&mut cluster);
    files(&mut cluster);
    backups(&mut cluster);
    snapshots(&mut cluster);
    datacenter::firewalls(&mut cluster);
    datacenter::access(&mut cluster);
    datacenter::datacenter(&mut cluster);
    datacenter::history(&mut cluster);
    scale::populate(&mut cluster, options);
    crate::api::furnish(&mut cluster);
    crate::api::build_in(&mut cluster);
    cluster
}

fn storages(cluster: &mut Cluster) {
    let mut add = |id: &str, kind: &str, content: &str, shared: bool, size: u64, options: &[(&str, &str)]| {
        cluster.storages.insert(id.to_owned(), storage(kind, content, shared, size, options));
    };
    add(
        "local",
        "dir",
        "backup,import,iso,snippets,vztmpl",
        false,
        240 * GIB,
        &[("path", "/var/lib/vz"), ("prune-backups", "keep-all=1")],
    );
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

fn storage(kind: &str, content: &str, shared: bool, size: u64, options: &[(&str, &str)]) -> Storage {
    Storage {
        kind: kind.to_owned(),
        content: crate::request::split_list(content),
        shared,
        disabled: false,
        nodes: Vec::new(),
        size,
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
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

impl Start<'_> {
    fn add(&self, cluster: &mut Cluster) {
        let config = config(cluster, self);
        let (_, volid, gib) = self.disk;
        let content = if self.kind == Kind::Qemu { "images" } else { "rootdir" };
        volume(cluster, self.node, volid, content, gib * GIB, |volume| {
            volume.vmid = Some(self.vmid);
            volume.format = if volid.ends_with(".qcow2") { "qcow2" } else { "raw" }.to_owned();
        });
        let started = START - 5 * DAY * 1_000 - i64::from(self.vmid) * 60_000;
        let guest = cluster.add_guest(self.vmid, self.kind, self.node);
        guest.config = config;
        if self.running {
            guest.power = Power::Running;
            guest.started = started;
            guest.pid = 0x1_0000 + self.vmid;
        }
    }
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
        start.add(cluster);
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
    let nodes: Vec<String> = cluster.nodes.keys().cloned().collect();
    for node in &nodes {
        for (volid, content, format, size) in files {
            volume(cluster, node, volid, content, size, |volume| volume.format = format.to_owned());
        }
    }
    volume(cluster, "pve1", "local:snippets/cloud-init.yaml", "snippets", 512, |volume| {
        volume.format = "snippet".to_owned()
    });
    if cluster.standalone {
        return;
    }
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
