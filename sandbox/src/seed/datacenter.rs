//! What is not guests and storages: firewalls, users, the nodes' own settings, jobs, and the tasks of the past days.

use serde_json::{Value, json};

use super::{AUDITOR, AUDITOR_TOKEN, HOUR, NOW};
use crate::{USER, auth::built_in, cluster::Cluster, firewall::Firewall, tasks::Task, upid::Upid};

pub(super) fn firewalls(cluster: &mut Cluster) {
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

pub(super) fn access(cluster: &mut Cluster) {
    let store = &mut cluster.store;
    let users = [
        ("root@pam", "pam", None),
        (USER, "pve", Some("Administrator")),
        ("alice@pve", "pve", Some("Operations")),
        (AUDITOR, "pve", Some("Looks at everything, changes nothing")),
    ];
    for (userid, realm, comment) in users {
        let fields = json!({ "enable": 1, "expire": 0, "realm-type": realm, "comment": comment });
        store.put(&format!("/access/users/{userid}"), "/access/users", "userid", userid, fields);
    }
    let token = json!({ "privsep": 0, "expire": 0, "comment": "This sandbox" });
    store.put("/access/users/root@pam/token/mcp", "/access/users/root@pam/token", "tokenid", "mcp", token);
    if let Some((userid, tokenid)) = AUDITOR_TOKEN.split_once('!') {
        let tokens = format!("/access/users/{userid}/token");
        store.put(&format!("{tokens}/{tokenid}"), &tokens, "tokenid", tokenid, json!({ "privsep": 0, "expire": 0 }));
    }
    let group = json!({ "comment": "Operators" });
    if let Some(alice) = store.get_mut("/access/users/alice@pve") {
        alice.insert("groups".to_owned(), json!("operators"));
    }
    store.put("/access/groups/operators", "/access/groups", "groupid", "operators", group);
    for (realm, kind, comment) in
        [("pam", "pam", "Linux PAM standard authentication"), ("pve", "pve", "Proxmox VE authentication server")]
    {
        let fields = json!({ "type": kind, "comment": comment });
        store.put(&format!("/access/domains/{realm}"), "/access/domains", "realm", realm, fields);
    }
    for (roleid, privileges) in built_in() {
        let fields = json!({ "special": 1, "privs": privileges.join(",") });
        store.put(&format!("/access/roles/{roleid}"), "/access/roles", "roleid", roleid, fields);
    }
    let acl = [
        ("/", "user", USER, "Administrator"),
        ("/", "user", AUDITOR, "PVEAuditor"),
        ("/pool/production", "group", "operators", "PVEVMUser"),
    ];
    for (path, kind, id, role) in acl {
        let fields = json!({ "path": path, "type": kind, "roleid": role, "propagate": 1 });
        store.put(&format!("/access/acl{path}#{kind}:{id}:{role}"), "/access/acl", "ugid", id, fields);
    }
}

pub(super) fn datacenter(cluster: &mut Cluster) {
    let nodes: Vec<(u32, String)> = cluster.nodes.iter().map(|(name, node)| (node.number, name.clone())).collect();
    let store = &mut cluster.store;
    let job = json!({
        "type": "vzdump", "schedule": "02:00", "storage": "backup-nas", "vmid": "100,101,202", "enabled": 1,
        "mode": "snapshot", "compress": "zstd", "notes-template": "{{guestname}}", "next-run": NOW + 18 * HOUR,
        "prune-backups": { "keep-daily": "7", "keep-last": "3" },
    });
    store.put("/cluster/backup/nightly", "/cluster/backup", "id", "nightly", job);
    store.set(
        "/cluster/options",
        json!({ "mac_prefix": "BC:24:11", "keyboard": "en-us", "allowed-tags": [], "description": "" }),
    );
    let member = |number: u32| json!({ "nodeid": number.to_string(), "quorum_votes": "1", "ring0_addr": format!("192.0.2.{}", 10 + number) });
    for (number, name) in &nodes {
        let mut fields = member(*number);
        fields["name"] = json!(name);
        store.put(&format!("/cluster/config/nodes/{name}"), "/cluster/config/nodes", "node", name, fields);
        let node = format!("/nodes/{name}");
        store.set(&format!("{node}/dns"), json!({ "dns1": "192.0.2.53", "search": "example.org" }));
        let bridge = |port: &str, address: Option<String>| {
            json!({
                "type": "bridge", "active": 1, "autostart": 1, "bridge_ports": port, "bridge_stp": "off", "bridge_fd": "0",
                "method": if address.is_some() { "static" } else { "manual" }, "method6": "manual",
                "families": ["inet"], "priority": 4, "address": address, "netmask": address.as_ref().map(|_| "24"),
                "cidr": address.as_ref().map(|text| format!("{text}/24")),
                "gateway": address.as_ref().map(|_| "192.0.2.1"),
            })
        };
        let network = format!("{node}/network");
        let first = bridge("eno1", Some(format!("192.0.2.{}", 10 + number)));
        store.put(&format!("{network}/vmbr0"), &network, "iface", "vmbr0", first);
        store.put(&format!("{network}/vmbr1"), &network, "iface", "vmbr1", bridge("eno2", None));
        for card in ["eno1", "eno2"] {
            let fields = json!({
                "type": "eth", "active": 1, "exists": 1, "method": "manual", "method6": "manual", "families": ["inet"],
                "priority": 3,
            });
            store.put(&format!("{network}/{card}"), &network, "iface", card, fields);
        }
        let capabilities = format!("{node}/capabilities/qemu");
        for (model, vendor) in [("host", "default"), ("x86-64-v2-AES", "default"), ("EPYC", "AuthenticAMD")] {
            let list = format!("{capabilities}/cpu");
            store.put(&format!("{list}/{model}"), &list, "name", model, json!({ "custom": 0, "vendor": vendor }));
        }
        for (id, kind) in [("pc-i440fx-10.0", "i440fx"), ("pc-q35-10.0", "q35")] {
            let list = format!("{capabilities}/machines");
            store.put(&format!("{list}/{id}"), &list, "id", id, json!({ "type": kind, "version": "10.0" }));
        }
        let templates = format!("{node}/aplinfo");
        for (template, os, version) in [
            ("debian-13-standard_13.1-2_amd64.tar.zst", "debian-13", "13.1-2"),
            ("ubuntu-24.04-standard_24.04-2_amd64.tar.zst", "ubuntu-24.04", "24.04-2"),
        ] {
            let fields = json!({
                "os": os, "version": version, "section": "system", "type": "lxc", "architecture": "amd64",
                "package": format!("{os}-standard"), "headline": format!("{os} (standard)"), "source": "sandbox",
            });
            store.put(&format!("{templates}/{template}"), &templates, "template", template, fields);
        }
    }
    store.set(
        "/cluster/config/totem",
        json!({
            "cluster_name": "sandbox", "config_version": "3", "ip_version": "ipv4-6", "link_mode": "passive",
            "secauth": "on", "version": "2", "interface": { "0": { "linknumber": "0" } },
        }),
    );
    for (path, key, id, kind) in
        [("/cluster/sdn/ipams", "ipam", "pve", "pve"), ("/cluster/acme/plugins", "plugin", "standalone", "standalone")]
    {
        store.put_builtin(&format!("{path}/{id}"), path, key, id, json!({ "type": kind }));
    }
    let alias = json!({ "cidr": "192.0.2.0/24", "ipversion": 4, "comment": "Management network" });
    store.put("/cluster/firewall/aliases/management", "/cluster/firewall/aliases", "name", "management", alias);
}

pub(super) fn history(cluster: &mut Cluster) {
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
