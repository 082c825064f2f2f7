//! What methods check in their own code, after the parameters: privileges that depend on values and on what exists.
//!
//! Knows which method has such a check; the checks stand in files by area. A check that meets something that does not
//! exist lets the call pass: the handler has the words for that.

mod config;
mod create;
mod guests;
mod others;
mod volumes;

use proxmox_spec::Verb::{self, Delete, Get, Post, Put};

pub(crate) use config::vm_drives;
pub(super) use others::is_own;
pub(super) use volumes::may_see;

use crate::{answer::Failure, cluster::Cluster, request::Call};

type Inside = fn(&Cluster, &Call) -> Result<(), Failure>;

const CHECKS: &[(Verb, &str, Inside)] = &[
    (Post, "/nodes/{node}/qemu", create::vm),
    (Post, "/nodes/{node}/lxc", create::container),
    (Post, "/nodes/{node}/qemu/{vmid}/clone", create::clone),
    (Post, "/nodes/{node}/lxc/{vmid}/clone", create::clone),
    (Post, "/nodes/{node}/qemu/{vmid}/config", config::vm),
    (Put, "/nodes/{node}/qemu/{vmid}/config", config::vm),
    (Put, "/nodes/{node}/lxc/{vmid}/config", config::container),
    (Post, "/nodes/{node}/qemu/{vmid}/move_disk", guests::move_disk),
    (Post, "/nodes/{node}/lxc/{vmid}/move_volume", guests::move_disk),
    (Post, "/nodes/{node}/qemu/{vmid}/monitor", guests::monitor),
    (Post, "/nodes/{node}/qemu/{vmid}/status/suspend", guests::suspend),
    (Post, "/cluster/bulk-action/guest/start", guests::bulk_power),
    (Post, "/cluster/bulk-action/guest/shutdown", guests::bulk_power),
    (Post, "/cluster/bulk-action/guest/suspend", guests::bulk_power),
    (Post, "/cluster/bulk-action/guest/migrate", guests::bulk_migrate),
    (Post, "/nodes/{node}/startall", guests::node_power),
    (Post, "/nodes/{node}/stopall", guests::node_power),
    (Post, "/nodes/{node}/suspendall", guests::node_power),
    (Post, "/nodes/{node}/migrateall", guests::node_migrate),
    (Post, "/nodes/{node}/vzdump", volumes::back_up),
    (Get, "/nodes/{node}/vzdump/defaults", volumes::backup_defaults),
    (Get, "/nodes/{node}/vzdump/extractconfig", volumes::extract),
    (Post, "/cluster/backup", volumes::backup_job),
    (Put, "/cluster/backup/{id}", volumes::backup_job),
    (Get, "/nodes/{node}/storage/{storage}/content/{volume}", volumes::read),
    (Put, "/nodes/{node}/storage/{storage}/content/{volume}", volumes::annotate),
    (Delete, "/nodes/{node}/storage/{storage}/content/{volume}", volumes::delete),
    (Get, "/nodes/{node}/storage/{storage}/import-metadata", volumes::read),
    (Get, "/nodes/{node}/storage/{storage}/file-restore/list", volumes::read),
    (Get, "/nodes/{node}/storage/{storage}/file-restore/download", volumes::read),
    (Delete, "/nodes/{node}/storage/{storage}/prunebackups", volumes::prune),
    (Get, "/nodes/{node}/tasks/{upid}/status", others::task_status),
    (Get, "/nodes/{node}/tasks/{upid}/log", others::task_log),
    (Delete, "/nodes/{node}/tasks/{upid}", others::task_stop),
    (Get, "/pools", others::read_pool),
    (Put, "/pools", others::change_pool),
    (Put, "/pools/{poolid}", others::change_pool),
    (Post, "/cluster/replication", others::replicate),
    (Put, "/cluster/replication/{id}", others::replicate),
    (Delete, "/cluster/replication/{id}", others::replicate),
    (Post, "/nodes/{node}/replication/{id}/schedule_now", others::replicate),
    (Get, "/cluster/replication/{id}", others::read_replication),
    (Get, "/nodes/{node}/replication/{id}/status", others::read_replication),
    (Get, "/nodes/{node}/replication/{id}/log", others::replication_log),
    (Get, "/nodes/{node}/capabilities/qemu/cpu", others::nothing),
    (Post, "/nodes/{node}/disks/directory", others::adds_storage),
    (Post, "/nodes/{node}/disks/lvm", others::adds_storage),
    (Post, "/nodes/{node}/disks/lvmthin", others::adds_storage),
    (Post, "/nodes/{node}/disks/zfs", others::adds_storage),
    (Delete, "/nodes/{node}/disks/directory/{name}", others::drops_storage),
    (Delete, "/nodes/{node}/disks/lvm/{name}", others::drops_storage),
    (Delete, "/nodes/{node}/disks/lvmthin/{name}", others::drops_storage),
    (Delete, "/nodes/{node}/disks/zfs/{name}", others::drops_storage),
];

/// Whether the caller has what the method's own code demands for these parameters.
pub(crate) fn examine(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    if call.rights.are_all() {
        return Ok(());
    }
    let method = call.method;
    if method.path.contains("/sdn/vnets/{vnet}") {
        return others::vnet(cluster, call);
    }
    match CHECKS.iter().find(|(verb, path, _)| (*verb, *path) == (method.verb, method.path)) {
        Some((_, _, check)) => check(cluster, call),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked by their handlers, shortened by `views`, or open to everybody.
    const ELSEWHERE: [&str; 16] = [
        "GET /access/acl",
        "GET /access/domains",
        "POST /access/domains/{realm}/sync",
        "PUT /access/password",
        "GET /access/permissions",
        "GET /access/tfa",
        "POST /access/ticket",
        "GET /access/users",
        "POST /access/users",
        "POST /access/vncticket",
        "POST /cluster/jobs/realm-sync/{id}",
        "PUT /cluster/jobs/realm-sync/{id}",
        "GET /cluster/log",
        "GET /nodes/{node}/storage/{storage}/content",
        "GET /nodes/{node}/tasks",
        "DELETE /pools",
    ];

    #[test]
    fn every_check_belongs_to_a_method() {
        for (verb, path, _) in CHECKS {
            assert!(proxmox_spec::find(*verb, path).is_some(), "{verb} {path}");
        }
    }

    /// What a sandbox cannot do has nothing to check: migration tunnels, consoles, the SDN's own objects in detail.
    #[test]
    fn every_method_that_checks_in_its_code_is_known_here() {
        let without =
            ["mtunnel", "vncwebsocket", "/sdn/fabrics/", "/sdn/ipams/{ipam}/status", "download-url", "/template"];
        let missing: Vec<String> = proxmox_spec::methods()
            .iter()
            .filter(|method| method.permissions.in_code && !method.path.contains("/sdn/vnets/{vnet}"))
            .filter(|method| !CHECKS.iter().any(|(verb, path, _)| (*verb, *path) == (method.verb, method.path)))
            .map(|method| format!("{} {}", method.verb, method.path))
            .filter(|name| !ELSEWHERE.contains(&name.as_str()) && !without.iter().any(|part| name.contains(part)))
            .filter(|name| !name.strip_prefix("GET ").is_some_and(crate::auth::views::is_shortened))
            .collect();
        assert_eq!(missing, ["DELETE /pools/{poolid}"]);
    }
}
