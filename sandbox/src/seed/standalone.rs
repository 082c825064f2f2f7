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
    for unused in ["/nodes/pve1/network/vmbr1", "/nodes/pve1/network/eno2", "/cluster/firewall/aliases/management"] {
        cluster.store.remove(unused);
    }
    cluster.store.set("/cluster/options", json!({ "mac_prefix": "BC:24:11", "allowed-tags": [] }));
    cluster.store.set("/nodes/pve1/dns", json!({ "dns1": "192.0.2.53" }));
    if let Some(bridge) = cluster.store.get_mut("/nodes/pve1/network/vmbr0") {
        bridge.remove("comments");
    }
}
