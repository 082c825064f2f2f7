//! What requests name, for a wide sample, and what every call of the API that is not a GET reaches.

use super::named::{Every, Named};
use super::{Objects, Subject};
use crate::client::PreparedRequest;
use crate::tool::Kind;
use proxmox_spec::{Extent, Method, Names, Param, Segment, Verb};
use std::collections::BTreeSet;
use std::fmt::Write;

fn named(verb: Verb, path: &str, params: &[(&'static str, &str)]) -> Named {
    let mut request = PreparedRequest::plain(verb, path);
    for (name, value) in params {
        request = request.with(name, *value);
    }
    Named::of(&request)
}

/// In one line: `100 101 every(node pve1) except(102) node(pve1) storage(local) volume(…) pool(…) UNLISTED: …`.
fn line(named: &Named) -> String {
    let mut parts: Vec<String> = named.guests.iter().map(u32::to_string).collect();
    parts.extend(named.every.iter().map(|every| match every {
        Every::Cluster => "every(cluster)".to_owned(),
        Every::Node(node) => format!("every(node {node})"),
        Every::Pool(pool) => format!("every(pool {pool})"),
    }));
    let mut list = |word: &str, values: Vec<String>| {
        if !values.is_empty() {
            parts.push(format!("{word}({})", values.join(" ")));
        }
    };
    list("new", named.fresh.iter().map(u32::to_string).collect());
    list("except", named.excluded.iter().map(u32::to_string).collect());
    list("node", named.nodes.iter().cloned().collect());
    list("storage", named.storages.iter().cloned().collect());
    list("volume", named.volumes.keys().cloned().collect());
    list("pool", named.pools.iter().cloned().collect());
    if let Some(method) = named.pending {
        parts.push(format!("stored({} {})", method.verb, method.path));
    }
    if let Some(why) = &named.unlisted {
        parts.push(format!("UNLISTED: {why}"));
    }
    parts.join(" ")
}

#[track_caller]
fn names(verb: Verb, path: &str, params: &[(&'static str, &str)], expected: &str) {
    assert_eq!(line(&named(verb, path, params)), expected, "{verb} {path} {params:?}");
}

#[test]
fn guests_are_found_in_ids_of_every_form() {
    use Verb::*;
    names(Post, "/nodes/pve1/qemu/100/status/stop", &[], "100 node(pve1)");
    names(Delete, "/nodes/pve1/lxc/200", &[("purge", "1")], "200 node(pve1)");
    names(Put, "/cluster/ha/resources/vm:100", &[("state", "stopped")], "100");
    names(Post, "/cluster/ha/resources/ct:200/relocate", &[("node", "pve2")], "200 node(pve2)");
    names(
        Post,
        "/cluster/ha/rules",
        &[("resources", "vm:100,ct:200"), ("nodes", "pve1:2,pve2"), ("rule", "r"), ("type", "node-affinity")],
        "100 200 node(pve1 pve2)",
    );
    names(Delete, "/cluster/replication/100-0", &[], "100 stored(POST /cluster/replication)");
    names(Post, "/nodes/pve1/replication/100-0/schedule_now", &[], "100 node(pve1)");
    names(Post, "/cluster/bulk-action/guest/shutdown", &[("vms", "100")], "100");
    names(Post, "/nodes/pve1/qemu/100/move_disk", &[("disk", "scsi0"), ("target-vmid", "101")], "100 101 node(pve1)");
    names(Put, "/pools", &[("poolid", "prod"), ("vms", "100;101 102")], "100 101 102 pool(prod)");
    names(
        Post,
        "/nodes/pve1/qemu/100/clone",
        &[("newid", "900"), ("target", "pve2"), ("pool", "prod")],
        "100 900 new(900) node(pve1 pve2) pool(prod)",
    );
}

#[test]
fn volumes_name_their_storage_and_their_owner() {
    use Verb::*;
    let put = |name: &'static str, value: &str| line(&named(Put, "/nodes/pve1/qemu/100/config", &[(name, value)]));
    assert_eq!(
        put("scsi1", "local-lvm:vm-101-disk-0"),
        "100 101 node(pve1) storage(local-lvm) volume(local-lvm:vm-101-disk-0)"
    );
    assert_eq!(
        put("scsi1", "discard=on,file=local-lvm:vm-101-disk-0,size=1G"),
        put("scsi1", "local-lvm:vm-101-disk-0")
    );
    assert_eq!(put("scsi1", "volume=local-lvm:vm-101-disk-0"), put("scsi1", "local-lvm:vm-101-disk-0"));
    assert_eq!(put("unused0", "local-lvm:vm-101-disk-0"), put("scsi1", "local-lvm:vm-101-disk-0"));
    assert_eq!(
        put("scsi1", "local:101/vm-101-disk-0.qcow2"),
        "100 101 node(pve1) storage(local) volume(local:101/vm-101-disk-0.qcow2)"
    );
    assert_eq!(
        put("scsi1", "local-lvm:base-900-disk-0/vm-101-disk-0"),
        "100 101 node(pve1) storage(local-lvm) volume(local-lvm:base-900-disk-0/vm-101-disk-0)"
    );
    assert_eq!(
        put("scsi1", "local-lvm:0,import-from=ceph:vm-102-disk-0"),
        "100 102 node(pve1) storage(ceph local-lvm) volume(ceph:vm-102-disk-0)"
    );
    assert_eq!(put("cdrom", "local-lvm:vm-101-disk-0,media=cdrom"), put("scsi1", "local-lvm:vm-101-disk-0"));
    assert_eq!(put("scsi1", "local-lvm:32"), "100 node(pve1) storage(local-lvm)");
    assert_eq!(
        put("ide2", "local:iso/vm-101-tools.iso,media=cdrom"),
        "100 node(pve1) storage(local) volume(local:iso/vm-101-tools.iso)"
    );
    assert_eq!(put("ide2", "none,media=cdrom"), "100 node(pve1)");
    assert_eq!(put("cicustom", "user=snip:snippets/u.yml"), "100 node(pve1) storage(snip) volume(snip:snippets/u.yml)");
    assert!(put("scsi1", "/dev/sdb").contains("UNLISTED: its parameter `scsi1.file` is a path of the host"));
    assert!(put("scsi1", "iscsi:0.0.1.lun").contains("UNLISTED: the name of the volume"));
    assert!(put("args", "-drive x").contains("UNLISTED"));
    assert!(put("serial0", "/dev/ttyS0").contains("UNLISTED"));
    assert_eq!(put("serial0", "socket"), "100 node(pve1)");
    assert_eq!(put("usb0", "spice"), "100 node(pve1)");
    assert_eq!(put("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr0"), "100 node(pve1)");
    assert_eq!(
        put("no-such", "1"),
        "100 node(pve1) UNLISTED: the facts about the API do not know its parameter `no-such`"
    );
    let content = "/nodes/pve1/storage/local/content";
    names(
        Delete,
        &format!("{content}/vm-101-disk-0"),
        &[],
        "101 node(pve1) storage(local) volume(local:vm-101-disk-0)",
    );
    names(
        Delete,
        &format!("{content}/local:backup/vzdump-qemu-101-2026_01_02-03_04_05.vma.zst"),
        &[],
        "101 node(pve1) storage(local) volume(local:backup/vzdump-qemu-101-2026_01_02-03_04_05.vma.zst)",
    );
    names(
        Delete,
        "/nodes/pve1/storage/pbs/content/pbs:backup/ct/200/2026-01-02T03:04:05Z",
        &[],
        "200 node(pve1) storage(pbs) volume(pbs:backup/ct/200/2026-01-02T03:04:05Z)",
    );
    names(
        Post,
        "/nodes/pve1/lxc",
        &[
            ("vmid", "300"),
            ("ostemplate", "local:vztmpl/debian.tar.zst"),
            ("rootfs", "zfs:8"),
            ("mp0", "zfs:subvol-200-disk-1,mp=/data"),
        ],
        "200 300 new(300) node(pve1) storage(local zfs) volume(local:vztmpl/debian.tar.zst zfs:subvol-200-disk-1)",
    );
    assert!(line(&named(Put, "/nodes/pve1/lxc/200/config", &[("mp0", "/srv,mp=/srv")])).contains("UNLISTED"));
    names(
        Post,
        "/nodes/pve1/qemu",
        &[("vmid", "300"), ("archive", "pbs:backup/vm/100/2026-01-02T03:04:05Z")],
        "100 300 new(300) node(pve1) storage(pbs) volume(pbs:backup/vm/100/2026-01-02T03:04:05Z)",
    );
    names(
        Post,
        "/nodes/pve1/qemu/100/migrate",
        &[("target", "pve2"), ("targetstorage", "local-lvm:ceph,1")],
        "100 node(pve1 pve2) storage(ceph local-lvm)",
    );
}

#[test]
fn tasks_name_their_node_and_guest() {
    let stop = |upid: &str| line(&named(Verb::Delete, &format!("/nodes/pve1/tasks/{upid}"), &[]));
    assert_eq!(stop("UPID:pve2:0000C123:00112233:65A1B2C3:qmigrate:101:root@pam:"), "101 node(pve1 pve2)");
    assert!(stop("UPID:pve1:0000C123:00112233:65A1B2C3:vzdump::root@pam:").contains("UNLISTED"));
    assert!(stop("UPID:pve1:0000C123:00112233:65A1B2C3:aptupdate::root@pam:").contains("UNLISTED"));
}

#[test]
fn a_list_that_is_left_out_means_all() {
    use Verb::*;
    names(Post, "/nodes/pve1/stopall", &[], "every(node pve1) node(pve1)");
    names(Post, "/nodes/pve1/stopall", &[("vms", "")], "every(node pve1) node(pve1)");
    names(Post, "/nodes/pve1/stopall", &[("vms", "100,101")], "100 101 node(pve1)");
    names(Post, "/nodes/pve1/migrateall", &[("target", "pve2")], "every(node pve1) node(pve1 pve2)");
    names(Post, "/cluster/bulk-action/guest/start", &[], "every(cluster)");
    let vzdump = |params: &[(&'static str, &str)]| line(&named(Post, "/nodes/pve1/vzdump", params));
    assert_eq!(vzdump(&[("storage", "nas")]), "every(node pve1) node(pve1) storage(nas)");
    assert_eq!(vzdump(&[("all", "1"), ("exclude", "100")]), "every(node pve1) except(100) node(pve1)");
    assert_eq!(vzdump(&[("exclude", "100,101")]), "every(node pve1) except(100 101) node(pve1)");
    assert_eq!(vzdump(&[("vmid", "100"), ("fleecing", "enabled=1,storage=ceph")]), "100 node(pve1) storage(ceph)");
    assert_eq!(vzdump(&[("vmid", "100"), ("all", "1")]), "100 every(node pve1) node(pve1)");
    assert_eq!(vzdump(&[("pool", "prod")]), "every(pool prod) node(pve1) pool(prod)");
    assert_eq!(
        vzdump(&[("vmid", "100"), ("script", "/x/y")]),
        "100 node(pve1) UNLISTED: its parameter `script` reaches further than can be told"
    );
    names(Post, "/cluster/backup", &[("storage", "nas"), ("schedule", "daily")], "every(cluster) storage(nas)");
    names(Post, "/cluster/backup", &[("all", "1"), ("node", "pve2")], "every(node pve2) node(pve2)");
    let prune = "/nodes/pve1/storage/nas/prunebackups";
    names(Delete, prune, &[("vmid", "100")], "100 node(pve1) storage(nas)");
    assert!(line(&named(Delete, prune, &[])).contains("UNLISTED: Without a guest's id"));
}

#[test]
fn hosts_reach_their_guests_and_the_rest_cannot_be_listed() {
    use Verb::*;
    names(Post, "/nodes/pve1/status", &[("command", "reboot")], "every(node pve1) node(pve1)");
    names(Put, "/nodes/pve1/network", &[], "every(node pve1) node(pve1)");
    for path in ["/access/acl", "/cluster/options", "/storage/local"] {
        assert!(line(&named(Put, path, &[])).contains("UNLISTED"), "{path}");
    }
    assert!(line(&named(Post, "/nodes/pve1/execute", &[("commands", "[]")])).contains("UNLISTED"));
    assert!(line(&named(Post, "/nodes/pve1/qemu/100/monitor", &[("command", "info")])).contains("UNLISTED"));
    assert!(line(&named(Post, "/nodes/localhost/qemu/100/status/stop", &[])).contains("UNLISTED: `localhost`"));
    assert!(line(&named(Post, "/no/such/call", &[])).contains("UNLISTED"));
}

#[test]
fn a_stored_job_counts_as_it_is_and_as_it_will_be() {
    let stored =
        serde_json::json!({"id": "nightly", "vmid": "100,101", "storage": "nas", "enabled": 1, "type": "vzdump"});
    let after = |verb, params: &[(&'static str, &str)]| {
        let mut request = PreparedRequest::plain(verb, "/cluster/backup/nightly");
        for (name, value) in params {
            request = request.with(name, *value);
        }
        let mut named = Named::of(&request);
        named.stored(&request, stored.as_object().expect("an object"));
        line(&named)
    };
    assert_eq!(after(Verb::Delete, &[]), "100 101 storage(nas)");
    assert_eq!(after(Verb::Put, &[("comment", "x")]), "100 101 storage(nas)");
    assert_eq!(after(Verb::Put, &[("vmid", "102"), ("storage", "ceph")]), "100 101 102 storage(ceph nas)");
    assert_eq!(after(Verb::Put, &[("delete", "vmid"), ("all", "1")]), "100 101 every(cluster) storage(nas)");
    assert_eq!(after(Verb::Put, &[("delete", "vmid")]), "100 101 every(cluster) storage(nas)");
    assert_eq!(
        after(Verb::Put, &[("delete", "vmid"), ("pool", "prod")]),
        "100 101 every(pool prod) storage(nas) pool(prod)"
    );
}

#[test]
fn a_fingerprint_changes_with_what_is_shown() {
    let guest = Subject {
        vmid: 100,
        kind: Some(Kind::Qemu),
        node: "pve1".to_owned(),
        name: "web".to_owned(),
        status: "running".to_owned(),
        ..Subject::default()
    };
    let of = |change: fn(&mut Subject)| {
        let mut guest = guest.clone();
        change(&mut guest);
        Objects { guests: vec![guest], ..Objects::default() }.fingerprint()
    };
    let same = of(|_| {});
    assert_eq!(same, of(|_| {}));
    let changes: [fn(&mut Subject); 11] = [
        |guest| guest.kind = None,
        |guest| guest.kind = Some(Kind::Lxc),
        |guest| guest.node = "pve2".to_owned(),
        |guest| guest.name = "db".to_owned(),
        |guest| guest.status = "stopped".to_owned(),
        |guest| guest.lock = Some("backup".to_owned()),
        |guest| guest.tags = vec!["prod".to_owned()],
        |guest| guest.pool = Some("prod".to_owned()),
        |guest| guest.protection = true,
        |guest| guest.digest = Some("abc".to_owned()),
        |guest| guest.snapshots = Some(vec!["before".to_owned()]),
    ];
    let prints: BTreeSet<String> = changes.into_iter().map(of).chain([same]).collect();
    assert_eq!(prints.len(), 12);
}

/// A value for each sort of name, so that it can be found again.
fn sample(names: Names) -> &'static str {
    match names {
        Names::Guest => "101",
        Names::New => "900",
        Names::Excluded => "102",
        Names::Node => "pve2",
        Names::Storage => "there",
        Names::Volume | Names::Source => "there:vm-103-disk-0",
        Names::Pool | Names::Members => "prod",
        Names::Task => "UPID:pve2:0000C123:00112233:65A1B2C3:qmstart:104:root@pam:",
        Names::Device => "/dev/x",
        Names::Anything => "x",
        Names::Nothing => "y",
    }
}

fn collect(param: &'static Param, path: &str, found: &mut Vec<(String, Names)>) {
    if let Some(names) = param.names {
        found.push((path.to_owned(), names));
    }
    for key in param.keys {
        collect(key, &format!("{path}.{}", key.name), found);
    }
    if let Some(item) = param.items {
        collect(item, path, found);
    }
}

/// The path with a value in each place.
fn filled(method: &Method) -> String {
    let value = |name: &str| match name {
        "node" => "pve1".to_owned(),
        "vmid" => "100".to_owned(),
        "storage" => "here".to_owned(),
        "sid" => "vm:100".to_owned(),
        "id" if method.path.contains("replication") => "100-0".to_owned(),
        "upid" => sample(Names::Task).to_owned(),
        "volume" => "here:vm-100-disk-0".to_owned(),
        "poolid" => "prod".to_owned(),
        name => format!("a-{name}"),
    };
    let parts = method.segments.iter().map(|segment| match segment {
        Segment::Literal(text) => (*text).to_owned(),
        Segment::Param(name) | Segment::Remainder(name) => value(name),
    });
    parts.fold(String::new(), |path, part| path + "/" + &part)
}

/// Each call of the API that changes something: what it reaches when nothing but its path is said, and which of its
/// parameters reach further. A new call of the API, or a new parameter that names something, shows up here.
#[test]
fn what_every_call_reaches() {
    let mut text = String::new();
    let mut count = 0;
    for method in proxmox_spec::methods().iter().filter(|method| method.verb != Verb::Get) {
        let reach = method.reach.expect("the build gives every call that is not a GET a line");
        count += 1;
        let bare = named(method.verb, &filled(method), &[]);
        let _ = write!(text, "{} {}: {}", method.verb, method.path, line(&bare));
        if reach.disks {
            text.push_str(" +disks");
        }
        if reach.moves {
            text.push_str(" +together");
        }
        let mut found = Vec::new();
        for param in method.params.iter().filter(|param| !param.in_path) {
            collect(param, param.name, &mut found);
        }
        if reach.extent != Extent::Unlisted && !found.is_empty() {
            let found: BTreeSet<String> = found.iter().map(|(name, names)| format!("{name}={names:?}")).collect();
            let _ = write!(text, " | {}", found.into_iter().collect::<Vec<_>>().join(" "));
        }
        text.push('\n');
    }
    assert!(count > 300, "{count}");
    insta::assert_snapshot!("reach", text);
}

/// Whatever names something is found, wherever it stands: no parameter of any call is passed over.
#[test]
fn every_parameter_that_names_something_is_found() {
    for method in proxmox_spec::methods().iter().filter(|method| method.verb != Verb::Get) {
        let mut found = Vec::new();
        for param in method.params.iter().filter(|param| !param.in_path) {
            collect(param, param.name, &mut found);
        }
        for (path, names) in found {
            let (name, key) = path.split_once('.').map_or((path.as_str(), None), |(name, key)| (name, Some(key)));
            let wire = name.replace("[n]", "1");
            let value = key.map_or(sample(names).to_owned(), |key| format!("{key}={}", sample(names)));
            let mut request = PreparedRequest::plain(method.verb, &filled(method));
            request.params.push(crate::client::PreparedParam {
                name: wire.into(),
                values: vec![value],
                argument: "",
                secret: false,
            });
            let named = Named::of(&request);
            let there = match names {
                Names::Guest => named.guests.contains(&101),
                Names::New => named.fresh.contains(&900),
                Names::Excluded => named.excluded.contains(&102),
                Names::Node => named.nodes.contains("pve2"),
                Names::Storage => named.storages.contains("there"),
                Names::Volume | Names::Source => {
                    named.guests.contains(&103) && named.volumes.contains_key("there:vm-103-disk-0")
                }
                Names::Pool | Names::Members => named.pools.contains("prod"),
                Names::Task => named.guests.contains(&104),
                Names::Device | Names::Anything => named.unlisted.is_some(),
                Names::Nothing => true,
            };
            assert!(there, "{} {} {path}: {}", method.verb, method.path, line(&named));
        }
    }
}
