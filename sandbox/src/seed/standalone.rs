//! One node as it stands after its installation: no cluster, no guests, no shared storage.

use serde_json::json;

use super::{GIB, datacenter, files, storage};
use crate::cluster::{Cluster, Node};

pub(super) fn build(cluster: &mut Cluster) {
    cluster.standalone = true;
    cluster.nodes.insert("pve1".to_owned(), Node { online: true, number: 1, processors: 16, memory: 64 * GIB });
    let content = "backup,images,iso,rootdir,snippets,vztmpl";
    let local = storage("dir", content, false, 240 * GIB, &[("path", "/var/lib/vz"), ("prune-backups", "keep-all=1")]);
    cluster.storages.insert("local".to_owned(), local);
    files(cluster);
    datacenter::access(cluster);
    datacenter::datacenter(cluster);
    crate::api::furnish(cluster);
    for of_clusters in ["/cluster/backup/nightly", "/cluster/config/nodes/pve1", "/cluster/config/totem"] {
        cluster.store.remove(of_clusters);
    }
    for userid in ["admin@pve", "auditor@pve"] {
        if let Some(user) = cluster.store.get_mut(&format!("/access/users/{userid}")) {
            user.remove("comment");
        }
    }
    for other in ["/access/users/alice@pve", "/access/groups/operators"] {
        cluster.store.remove(other);
    }
    cluster.store.remove("/access/acl/pool/production#group:operators:PVEVMUser");
    cluster.store.remove("/cluster/firewall/aliases/management");
    cluster.store.set("/cluster/options", json!({ "mac_prefix": "BC:24:11", "allowed-tags": [] }));
    cluster.store.set("/nodes/pve1/dns", json!({ "dns1": "192.0.2.53" }));
    if let Some(token) = cluster.store.get_mut("/access/users/root@pam/token/mcp") {
        token.remove("comment");
    }
    network(cluster);
}

/// One card, and the bridge on it.
fn network(cluster: &mut Cluster) {
    let list = "/nodes/pve1/network";
    for usual in ["eno1", "eno2", "vmbr1"] {
        cluster.store.remove(&format!("{list}/{usual}"));
    }
    let card = json!({
        "type": "eth", "active": 1, "exists": 1, "method": "manual", "method6": "manual", "families": ["inet"],
        "priority": 3,
    });
    cluster.store.put(&format!("{list}/eth0"), list, "iface", "eth0", card);
    if let Some(bridge) = cluster.store.get_mut(&format!("{list}/vmbr0")) {
        bridge.remove("comments");
        for (name, value) in [("bridge_ports", "eth0"), ("address", "192.0.2.2"), ("cidr", "192.0.2.2/24")] {
            bridge.insert(name.to_owned(), json!(value));
        }
    }
}
