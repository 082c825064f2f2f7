//! What runs on a node: services, packages, templates to download, subscription, certificates, logs.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::{Route, cluster::VERSION};
use crate::{
    answer::{Failure, Reply, done, ok},
    clock,
    cluster::Cluster,
    request::Call,
    tasks::{Plan, Spawn},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/services/{service}/start", start),
    (Verb::Post, "/nodes/{node}/services/{service}/restart", start),
    (Verb::Post, "/nodes/{node}/services/{service}/reload", start),
    (Verb::Post, "/nodes/{node}/services/{service}/stop", stop),
    (Verb::Get, "/nodes/{node}/apt/versions", versions),
    (Verb::Get, "/nodes/{node}/apt/update", updates),
    (Verb::Get, "/nodes/{node}/apt/changelog", changelog),
    (Verb::Post, "/nodes/{node}/aplinfo", download),
    (Verb::Get, "/nodes/{node}/subscription", subscription),
    (Verb::Put, "/nodes/{node}/subscription", set_subscription),
    (Verb::Delete, "/nodes/{node}/subscription", delete_subscription),
    (Verb::Post, "/nodes/{node}/subscription", check_subscription),
    (Verb::Get, "/nodes/{node}/report", report),
    (Verb::Get, "/nodes/{node}/journal", journal),
    (Verb::Get, "/nodes/{node}/hosts", hosts),
    (Verb::Post, "/nodes/{node}/hosts", set_hosts),
    (Verb::Post, "/nodes/{node}/wakeonlan", wake),
    (Verb::Get, "/nodes/{node}/query-oci-repo-tags", tags),
];

/// The services that the API knows, whether a node has each, with what it is.
const SERVICES: [(&str, bool, &str); 23] = [
    ("chrony", true, "chrony, an NTP client/server"),
    ("corosync", true, "Corosync Cluster Engine"),
    ("cron", true, "Regular background program processing daemon"),
    ("ksmtuned", true, "Kernel Samepage Merging (KSM) Tuning Daemon"),
    ("lxcfs", true, "FUSE filesystem for LXC"),
    ("postfix", true, "Postfix Mail Transport Agent"),
    ("proxmox-firewall", true, "Proxmox nftables firewall"),
    ("pve-cluster", true, "The Proxmox VE cluster filesystem"),
    ("pve-firewall", true, "Proxmox VE firewall"),
    ("pve-ha-crm", true, "PVE Cluster HA Resource Manager Daemon"),
    ("pve-ha-lrm", true, "PVE Local HA Resource Manager Daemon"),
    ("pve-lxc-syscalld", true, "Proxmox VE LXC Syscall Daemon"),
    ("pvedaemon", true, "PVE API Daemon"),
    ("pvefw-logger", true, "Proxmox VE firewall logger"),
    ("pveproxy", true, "PVE API Proxy Server"),
    ("pvescheduler", true, "Proxmox VE scheduler"),
    ("pvestatd", true, "PVE Status Daemon"),
    ("qmeventd", true, "PVE Qemu Event Daemon"),
    ("spiceproxy", true, "PVE SPICE Proxy Server"),
    ("sshd", true, "OpenBSD Secure Shell server"),
    ("syslog", false, "syslog.service"),
    ("systemd-journald", true, "Journal Service"),
    ("systemd-timesyncd", false, "systemd-timesyncd.service"),
];

/// A service that is not enabled but started by others.
const STATIC: &str = "systemd-journald";

/// The services of a node at the start.
pub(crate) fn seed(cluster: &mut Cluster, node: &str) {
    let services = format!("/nodes/{node}/services");
    for (service, there, text) in SERVICES {
        let (state, active, unit) = match there {
            true if service == STATIC => ("running", "active", "static"),
            true => ("running", "active", "enabled"),
            false => ("dead", "inactive", "not-found"),
        };
        let fields =
            json!({ "name": service, "desc": text, "state": state, "active-state": active, "unit-state": unit });
        cluster.store.put(&format!("{services}/{service}/state"), &services, "service", service, fields);
    }
}

/// Starts a task on the node that does this in the end.
fn task(
    cluster: &mut Cluster,
    call: &Call,
    kind: &'static str,
    id: &str,
    effect: impl FnOnce(&mut Cluster) -> Result<(), String> + Send + 'static,
) -> Reply {
    let begin = Box::new(|_: &mut Cluster| Ok(Plan::new(2.0, Vec::new(), move |cluster, _| effect(cluster))));
    let (node, user) = (call.args.need("node").to_owned(), call.user.clone());
    ok(cluster.spawn(Spawn { node, kind, id: id.to_owned(), user, holds: None, begin }))
}

fn set_service(cluster: &mut Cluster, call: &Call, kind: &'static str, state: [&'static str; 2]) -> Reply {
    let service = call.args.need("service").to_owned();
    let path = format!("/nodes/{}/services/{service}/state", call.args.need("node"));
    let id = service.clone();
    task(cluster, call, kind, &id, move |cluster| {
        let there = |unit: Option<&Value>| unit.is_some_and(|unit| unit != "not-found");
        match cluster.store.get_mut(&path).filter(|fields| there(fields.get("unit-state"))) {
            Some(fields) => {
                fields.insert("state".to_owned(), json!(state[0]));
                fields.insert("active-state".to_owned(), json!(state[1]));
                Ok(())
            }
            None => Err(format!("command 'systemctl start {service}' failed: exit code 5")),
        }
    })
}

fn start(cluster: &mut Cluster, call: &Call) -> Reply {
    let kind = match call.path.rsplit('/').next() {
        Some("restart") => "srvrestart",
        Some("reload") => "srvreload",
        _ => "srvstart",
    };
    set_service(cluster, call, kind, ["running", "active"])
}

fn stop(cluster: &mut Cluster, call: &Call) -> Reply {
    if ["pvedaemon", "pveproxy", "pve-cluster"].contains(&call.args.need("service")) {
        let service = call.args.need("service");
        return Err(Failure::die(format!("{service} service cannot be stopped, would make the API unavailable")));
    }
    set_service(cluster, call, "srvstop", ["dead", "inactive"])
}

fn package(name: &str, section: &str, version: &str, old: Option<&str>, origin: &str) -> Value {
    let mut row = json!({
        "Package": name, "Version": version, "Section": section, "Origin": origin, "Arch": "amd64", "Priority": "optional",
        "Title": name, "Description": format!("{name} of the sandbox"),
    });
    if let Some(old) = old {
        row["OldVersion"] = json!(old);
    }
    row
}

fn versions(_: &mut Cluster, _: &Call) -> Reply {
    let installed = [
        ("proxmox-ve", "9.2.0"),
        ("pve-manager", VERSION),
        ("pve-qemu-kvm", "10.1.2-7"),
        ("qemu-server", "9.1.4"),
        ("pve-container", "6.1.2"),
        ("libpve-storage-perl", "9.1.1"),
    ];
    let mut rows: Vec<Value> =
        installed.iter().map(|(name, version)| package(name, "admin", version, Some(version), "Proxmox")).collect();
    for row in &mut rows {
        row["CurrentState"] = json!("Installed");
        match row["Package"].as_str() {
            Some("proxmox-ve") => row["RunningKernel"] = json!(super::nodes::KERNEL),
            Some("pve-manager") => row["ManagerVersion"] = json!(format!("{VERSION}/14a22df35955d97d")),
            _ => {}
        }
    }
    let mut absent = package("ceph", "admin", "19.2.3-pve2", None, "Proxmox");
    absent["CurrentState"] = json!("NotInstalled");
    rows.push(absent);
    ok(Value::Array(rows))
}

fn updates(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!([
        package("libssl3t64", "libs", "3.5.4-1~deb13u2", Some("3.5.4-1~deb13u1"), "Debian"),
        package("qemu-server", "admin", "9.1.5", Some("9.1.4"), "Proxmox"),
    ]))
}

fn changelog(_: &mut Cluster, call: &Call) -> Reply {
    let (name, version) = (call.args.need("name"), call.args.text("version").unwrap_or("9.1.5"));
    ok(format!(
        "{name} ({version}) trixie; urgency=medium\n\n  * a change of the sandbox\n\n -- Sandbox <root@example.org>\n"
    ))
}

fn download(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, template) = (call.args.need("node").to_owned(), call.args.need("template").to_owned());
    let known = cluster.store.list(&format!("/nodes/{node}/aplinfo"));
    if !known.iter().any(|row| row["template"] == template.as_str()) {
        return Err(Failure::param("template", "no such template"));
    }
    let storage = call.args.need("storage").to_owned();
    if !cluster.usable_storage(&storage, &node)?.holds("vztmpl") {
        return Err(Failure::die(format!("storage '{storage}' does not support templates")));
    }
    let now = cluster.clock.seconds();
    let id = template.clone();
    task(cluster, call, "download", &id, move |cluster| {
        let volid = format!("{storage}:vztmpl/{template}");
        let volume = Volume {
            volid,
            node: None,
            content: "vztmpl".to_owned(),
            format: "tzst".to_owned(),
            size: 128 << 20,
            vmid: None,
            created: now,
            notes: None,
            protected: false,
            backup_of: None,
        };
        cluster.add_volume(volume, &node);
        Ok(())
    })
}

/// The key of a node's subscription, if it has one.
fn subscription(cluster: &mut Cluster, call: &Call) -> Reply {
    let url = "https://www.proxmox.com/proxmox-ve/pricing";
    let server =
        crate::generic::digest(&serde_json::Map::from_iter([("node".to_owned(), json!(call.args.need("node")))]));
    let server = server[..32].to_uppercase();
    let Some(stored) = cluster.store.get(&call.path) else {
        return ok(
            json!({ "status": "notfound", "message": "There is no subscription key", "serverid": server, "url": url }),
        );
    };
    ok(json!({
        "status": "active", "key": stored["key"], "serverid": server, "level": stored["level"], "sockets": stored["sockets"],
        "productname": "Proxmox VE Subscription", "regdate": "2026-01-01 00:00:00", "nextduedate": "2027-01-01",
        "checktime": cluster.clock.seconds(), "url": url,
    }))
}

/// `pve2c-0123456789`: the number of sockets and the level.
fn set_subscription(cluster: &mut Cluster, call: &Call) -> Reply {
    let key = call.args.need("key").trim().to_owned();
    let sockets: u32 = key.get(3..4).and_then(|digit| digit.parse().ok()).unwrap_or(1);
    let level = key.get(4..5).unwrap_or("c").to_owned();
    cluster.store.set(&call.path, json!({ "key": key, "level": level, "sockets": sockets }));
    done()
}

fn delete_subscription(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.remove(&call.path);
    done()
}

fn check_subscription(_: &mut Cluster, _: &Call) -> Reply {
    done()
}

fn report(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let mut text =
        format!("==== general system info ====\n\n# hostname\n{node}\n\n# pveversion\npve-manager/{VERSION}\n");
    text.push_str("\n==== info about storage ====\n\n# cat /etc/pve/storage.cfg\n");
    for (id, storage) in &cluster.storages {
        text.push_str(&format!("{}: {id}\n", storage.kind));
    }
    text.push_str("\n==== info about virtual guests ====\n\n# qm list\n");
    for guest in cluster.guests.values().filter(|guest| guest.node == node) {
        text.push_str(&format!("{} {}\n", guest.vmid, guest.name()));
    }
    ok(text)
}

/// The lines stand between two cursors, as the journal gives them.
fn journal(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let now = cluster.clock.seconds();
    let mut lines = vec![
        format!("Nov 01 07:59:58 {node} systemd[1]: Started pveproxy.service - PVE API Proxy Server."),
        format!("Nov 01 08:00:00 {node} pmxcfs[1021]: [status] notice: received log"),
        format!("Nov 01 08:00:00 {node} pvestatd[1104]: status update time (0.412 seconds)"),
    ];
    let start = clock::START / 1_000;
    if call.args.number("since").is_some_and(|since| since > start)
        || call.args.number("until").is_some_and(|until| until < start)
    {
        lines.clear();
    }
    if let Some(last) = call.args.number("lastentries").and_then(|last| usize::try_from(last).ok()) {
        lines.drain(..lines.len().saturating_sub(last));
    }
    let mut all = vec![format!("s=sandbox;i=1;t={start:x}")];
    all.extend(lines);
    all.push(format!("s=sandbox;i=9;t={now:x}"));
    ok(json!(all))
}

fn hosts(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let number = cluster.nodes.get(node).map_or(1, |node| node.number);
    let written = cluster.store.get(&call.path).and_then(|fields| fields.get("data")).and_then(Value::as_str);
    let data = written.map_or_else(
        || format!("127.0.0.1 localhost.localdomain localhost\n192.0.2.{} {node}.example.org {node}\n", 10 + number),
        str::to_owned,
    );
    let fields = serde_json::Map::from_iter([("data".to_owned(), json!(data))]);
    ok(json!({ "data": data, "digest": crate::generic::digest(&fields) }))
}

fn set_hosts(cluster: &mut Cluster, call: &Call) -> Reply {
    let now = hosts(cluster, call)?;
    if call.args.text("digest").is_some_and(|given| now.data["digest"] != given) {
        return Err(Failure::die("detected modified configuration - file changed by other user? Try again."));
    }
    cluster.store.set(&call.path, json!({ "data": call.args.need("data") }));
    done()
}

/// The node that answers cannot wake itself; another one is on after that.
fn wake(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let Some(number) = cluster.nodes.get(node).map(|node| node.number) else {
        return Err(Failure::die(format!("no such cluster node '{node}'")));
    };
    if number == 1 {
        return Err(Failure::die(format!("'{node}' is local node, cannot wake my self!")));
    }
    let written = cluster.store.get(&format!("/nodes/{node}/config")).and_then(|config| config.get("wakeonlan"));
    let Some(wakeonlan) = written.and_then(Value::as_str).map(str::to_owned) else {
        return Err(Failure::die(format!("No wake on LAN MAC address defined for '{node}'!")));
    };
    let mac = wakeonlan.split(',').next().unwrap_or_default().trim_start_matches("mac=").to_owned();
    cluster.set_node_online(node, true);
    ok(mac)
}

fn tags(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!(["latest", "13", "13.1"]))
}
