//! Lists that hold less for some callers: what may not be seen is left out in silence.
//!
//! Knows which privilege shows which row. Rows are those of the handlers.

use serde_json::{Map, Value};

use super::{
    inside::{is_own, may_see},
    rights::{Rights, groups_of},
};
use crate::{answer::Data, cluster::Cluster, request::Call, upid::Upid};

const STORAGE: [&str; 2] = ["Datastore.Audit", "Datastore.AllocateSpace"];
const MAPPING: [&str; 3] = ["Mapping.Modify", "Mapping.Use", "Mapping.Audit"];
const SDN: [&str; 2] = ["SDN.Audit", "SDN.Allocate"];

/// Path of the method, the path that is looked at (with fields of the row), one of the privileges.
const LISTS: [(&str, &str, &[&str]); 22] = [
    ("/nodes/{node}/qemu", "/vms/{vmid}", &["VM.Audit"]),
    ("/nodes/{node}/lxc", "/vms/{vmid}", &["VM.Audit"]),
    ("/storage", "/storage/{storage}", &STORAGE),
    ("/nodes/{node}/storage", "/storage/{storage}", &STORAGE),
    ("/pools", "/pool/{poolid}", &["Pool.Audit"]),
    ("/access/groups", "/access/groups/{groupid}", &["User.Modify", "Sys.Audit", "Group.Allocate"]),
    ("/cluster/mapping/dir", "/mapping/dir/{id}", &MAPPING),
    ("/cluster/mapping/pci", "/mapping/pci/{id}", &MAPPING),
    ("/cluster/mapping/usb", "/mapping/usb/{id}", &MAPPING),
    ("/cluster/qemu/custom-cpu-models", "/mapping/cpu/{cputype}", &MAPPING),
    ("/cluster/replication", "/vms/{guest}", &["VM.Audit"]),
    ("/nodes/{node}/replication", "/vms/{guest}", &["VM.Audit"]),
    ("/cluster/sdn/zones", "/sdn/zones/{zone}", &SDN),
    ("/cluster/sdn/vnets", "/sdn/zones/{zone}/{vnet}", &SDN),
    ("/cluster/sdn/controllers", "/sdn/controllers/{controller}", &SDN),
    ("/cluster/sdn/dns", "/sdn/dns/{dns}", &SDN),
    ("/cluster/sdn/ipams", "/sdn/ipams/{ipam}", &SDN),
    ("/cluster/sdn/fabrics/fabric", "/sdn/fabrics/{id}", &SDN),
    ("/cluster/sdn/prefix-lists", "/sdn/prefix-lists/{id}", &SDN),
    ("/cluster/sdn/route-maps", "/sdn/route-maps/{route-map-id}", &SDN),
    ("/cluster/sdn/route-maps/entries", "/sdn/route-maps/{route-map-id}", &SDN),
    ("/nodes/{node}/sdn/zones", "/sdn/zones/{zone}", &["SDN.Audit"]),
];

/// What is told of a node to those who may not look at it.
const OF_A_NODE: [&str; 7] = ["node", "status", "level", "id", "type", "cgroup-mode", "ssl_fingerprint"];

/// What is told of the cluster's options to everybody.
const OF_THE_CLUSTER: [&str; 3] = ["allowed-tags", "console", "tag-style"];

/// The answer of a method that reads, as this caller gets it.
pub(crate) fn shorten(cluster: &Cluster, call: &Call, mut data: Data) -> Data {
    let rights = &call.rights;
    if rights.are_all() || call.method.verb != proxmox_spec::Verb::Get {
        return data;
    }
    match (call.method.path, &mut data.data) {
        ("/cluster/options", Value::Object(options)) if !rights.has("/", &["Sys.Audit"]) => {
            options.retain(|name, _| OF_THE_CLUSTER.contains(&name.as_str()));
        }
        ("/nodes/{node}/vzdump/defaults", Value::Object(options))
            if !rights.has(&format!("/nodes/{}", call.args.need("node")), &["Sys.Audit"]) =>
        {
            options.retain(|name, _| !["mailto", "tmpdir", "dumpdir", "script", "ionice"].contains(&name.as_str()));
        }
        (path, Value::Array(rows)) => shorten_list(cluster, call, path, rows),
        _ => {}
    }
    data
}

fn shorten_list(cluster: &Cluster, call: &Call, path: &str, rows: &mut Vec<Value>) {
    let rights = &call.rights;
    match path {
        "/nodes" => rows.iter_mut().for_each(|row| blank_node(rights, row)),
        "/cluster/resources" => {
            rows.retain(|row| shows_resource(rights, row));
            rows.iter_mut().filter(|row| row["type"] == "node").for_each(|row| blank_node(rights, row));
        }
        "/cluster/tasks" => {
            let all = rights.has("/", &["Sys.Audit"]);
            rows.retain(|row| all || Upid::parse(&text(row, "upid")).is_some_and(|upid| is_own(rights, &upid)));
        }
        "/nodes/{node}/storage/{storage}/content" => rows.retain(|row| may_see(cluster, call, &text(row, "volid"))),
        "/cluster/log" => {
            let all = rights.has("/", &["Sys.Syslog"]);
            rows.retain(|row| all || text(row, "user") == rights.who());
        }
        "/access/users" | "/access/tfa" => {
            const SEE: [&str; 2] = ["User.Modify", "Sys.Audit"];
            let all = rights.any("/access/groups", &SEE);
            let through = |userid: &str| {
                groups_of(cluster, userid).iter().any(|group| rights.any(&format!("/access/groups/{group}"), &SEE))
            };
            rows.retain(|row| {
                let userid = text(row, "userid");
                all || userid == rights.who() || through(&userid)
            });
        }
        "/access/acl" => {
            let all = rights.has("/access", &["Sys.Audit"]);
            rows.retain(|row| all || rights.check_modify(&text(row, "path")).is_ok());
        }
        _ => {
            let Some((_, template, wanted)) = LISTS.iter().find(|(of, ..)| *of == path) else { return };
            rows.retain(|row| row.as_object().is_some_and(|row| rights.any(&fill(template, row), wanted)));
        }
    }
}

/// Tasks of others show to those who may look at the node.
pub(crate) fn shows_task(rights: &Rights, node: &str, upid: &Upid) -> bool {
    rights.are_all() || is_own(rights, upid) || rights.has(&format!("/nodes/{node}"), &["Sys.Audit"])
}

fn shows_resource(rights: &Rights, row: &Value) -> bool {
    match row["type"].as_str() {
        Some("qemu" | "lxc") => rights.has(&format!("/vms/{}", text(row, "vmid")), &["VM.Audit"]),
        Some("storage") => rights.any(&format!("/storage/{}", text(row, "storage")), &STORAGE),
        Some("pool") => rights.has(&format!("/pool/{}", text(row, "pool")), &["Pool.Audit"]),
        Some("sdn") => rights.any(&format!("/sdn/zones/{}", text(row, "sdn")), &SDN),
        _ => true,
    }
}

/// A node shows as a name and a state to those who may not look at it.
fn blank_node(rights: &Rights, row: &mut Value) {
    if rights.has(&format!("/nodes/{}", text(row, "node")), &["Sys.Audit"]) {
        return;
    }
    if let Value::Object(fields) = row {
        fields.retain(|name, _| OF_A_NODE.contains(&name.as_str()));
    }
}

fn text(row: &Value, name: &str) -> String {
    row.get(name).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The path of a template, with the fields of a row.
fn fill(template: &str, row: &Map<String, Value>) -> String {
    let parts = template.split('/').map(|part| match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => row.get(name).map_or_else(|| "-".to_owned(), plain),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether the list of this path has a line in the table.
#[cfg(test)]
pub(super) fn is_shortened(path: &str) -> bool {
    LISTS.iter().any(|(of, ..)| *of == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_one_of_the_facts() {
        for (path, ..) in LISTS {
            let method = proxmox_spec::find(proxmox_spec::Verb::Get, path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(method.permissions.user, Some("all"), "{path}");
        }
    }
}
