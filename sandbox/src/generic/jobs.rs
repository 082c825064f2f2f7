//! The types and ids by which tasks of methods without a handler appear in task lists.
//!
//! Knows names only. The types are those of the API's workers.

use proxmox_spec::Verb;

use crate::request::Call;

/// Verb, the end of a path template, the task's type, the parameter that is the task's id.
const NAMES: [(Verb, &str, &str, &str); 44] = [
    (Verb::Post, "/sync", "auth-realm-sync", "realm"),
    (Verb::Post, "/cluster/acme/account", "acmeregister", ""),
    (Verb::Put, "/cluster/acme/account/{name}", "acmeupdate", ""),
    (Verb::Delete, "/cluster/acme/account/{name}", "acmedeactivate", ""),
    (Verb::Post, "/bulk-action/guest/migrate", "bulk-migrate", ""),
    (Verb::Post, "/bulk-action/guest/suspend", "bulk-suspend", ""),
    (Verb::Post, "/cluster/config", "clustercreate", "clustername"),
    (Verb::Post, "/cluster/config/join", "clusterjoin", ""),
    (Verb::Put, "/cluster/sdn", "reloadnetworkall", ""),
    (Verb::Post, "/aplinfo", "download", ""),
    (Verb::Post, "/oci-registry-pull", "download", ""),
    (Verb::Post, "/apt/update", "aptupdate", ""),
    (Verb::Post, "/certificates/acme/certificate", "acmenewcert", ""),
    (Verb::Put, "/certificates/acme/certificate", "acmerenew", ""),
    (Verb::Delete, "/certificates/acme/certificate", "acmerevoke", ""),
    (Verb::Post, "/disks/directory", "dircreate", "name"),
    (Verb::Delete, "/disks/directory/{name}", "dirremove", "name"),
    (Verb::Post, "/disks/lvm", "lvmcreate", "name"),
    (Verb::Delete, "/disks/lvm/{name}", "lvmremove", "name"),
    (Verb::Post, "/disks/lvmthin", "lvmthincreate", "name"),
    (Verb::Delete, "/disks/lvmthin/{name}", "lvmthinremove", "name"),
    (Verb::Post, "/disks/zfs", "zfscreate", "name"),
    (Verb::Delete, "/disks/zfs/{name}", "zfsremove", "name"),
    (Verb::Post, "/disks/initgpt", "diskinit", ""),
    (Verb::Put, "/disks/wipedisk", "wipedisk", ""),
    (Verb::Post, "/services/{service}/start", "srvstart", "service"),
    (Verb::Post, "/services/{service}/stop", "srvstop", "service"),
    (Verb::Post, "/services/{service}/restart", "srvrestart", "service"),
    (Verb::Post, "/services/{service}/reload", "srvreload", "service"),
    (Verb::Post, "/content/{volume}", "imgcopy", ""),
    (Verb::Post, "/suspendall", "suspendall", ""),
    (Verb::Post, "/migrateall", "migrateall", ""),
    (Verb::Post, "/qemu/{vmid}/mtunnel", "qmtunnel", "vmid"),
    (Verb::Post, "/lxc/{vmid}/mtunnel", "vzmtunnel", "vmid"),
    (Verb::Post, "/qemu/{vmid}/remote_migrate", "qmigrate", "vmid"),
    (Verb::Post, "/lxc/{vmid}/remote_migrate", "vzmigrate", "vmid"),
    (Verb::Post, "/qemu/{vmid}/vncproxy", "vncproxy", "vmid"),
    (Verb::Post, "/lxc/{vmid}/vncproxy", "vncproxy", "vmid"),
    (Verb::Post, "/qemu/{vmid}/termproxy", "vncproxy", "vmid"),
    (Verb::Post, "/lxc/{vmid}/termproxy", "vncproxy", "vmid"),
    (Verb::Post, "/nodes/{node}/vncshell", "vncshell", ""),
    (Verb::Post, "/nodes/{node}/termproxy", "vncshell", ""),
    (Verb::Post, "/nodes/{node}/spiceshell", "spiceshell", ""),
    (Verb::Put, "/nodes/{node}/network", "srvreload", ""),
];

/// Type and id of the task that a call starts.
pub(super) fn name(call: &Call) -> (&'static str, String) {
    let method = call.method;
    let fits = |suffix: &str| {
        if suffix.starts_with("/cluster") { method.path == suffix } else { method.path.ends_with(suffix) }
    };
    let known = NAMES.iter().find(|(verb, suffix, ..)| *verb == method.verb && fits(suffix));
    let (kind, id) = known.map_or((method.name, "vmid"), |(_, _, kind, id)| (*kind, *id));
    (kind, call.args.need(id).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_a_method_that_starts_a_task() {
        for (verb, suffix, ..) in NAMES {
            let some =
                proxmox_spec::methods().iter().any(|method| method.verb == verb && method.path.ends_with(suffix));
            assert!(some, "{verb} {suffix}");
        }
    }
}
