//! The privileges that exist and the built-in roles, as a 9.2 lists them.
//!
//! Knows names only; who has which role where is in the access control list.

/// Every privilege; the role `Administrator`.
pub(crate) const PRIVILEGES: [&str; 47] = [
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Replicate",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// What `PVEAdmin` does not have.
const NOT_FOR_ADMINS: [&str; 7] = [
    "Mapping.Modify",
    "Permissions.Modify",
    "Realm.Allocate",
    "Sys.AccessNetwork",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
];

const VM_USER: [&str; 10] = [
    "VM.Audit",
    "VM.Backup",
    "VM.Config.CDROM",
    "VM.Config.Cloudinit",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.PowerMgmt",
];

/// The roles that nobody can change or delete, with their privileges in order.
pub(crate) fn built_in() -> Vec<(&'static str, Vec<&'static str>)> {
    let those = |wanted: fn(&str) -> bool| PRIVILEGES.into_iter().filter(|name| wanted(name)).collect();
    vec![
        ("Administrator", PRIVILEGES.to_vec()),
        ("NoAccess", Vec::new()),
        ("PVEAdmin", those(|name| !NOT_FOR_ADMINS.contains(&name))),
        ("PVEAuditor", those(|name| name.ends_with(".Audit"))),
        ("PVEDatastoreAdmin", those(|name| name.starts_with("Datastore."))),
        ("PVEDatastoreUser", vec!["Datastore.AllocateSpace", "Datastore.Audit"]),
        ("PVEMappingAdmin", those(|name| name.starts_with("Mapping."))),
        ("PVEMappingUser", vec!["Mapping.Audit", "Mapping.Use"]),
        ("PVEPoolAdmin", those(|name| name.starts_with("Pool."))),
        ("PVEPoolUser", vec!["Pool.Audit"]),
        ("PVESDNAdmin", those(|name| name.starts_with("SDN."))),
        ("PVESDNUser", vec!["SDN.Audit", "SDN.Use"]),
        ("PVESysAdmin", vec!["Sys.Audit", "Sys.Console", "Sys.Syslog"]),
        ("PVETemplateUser", vec!["VM.Audit", "VM.Clone"]),
        ("PVEUserAdmin", vec!["Group.Allocate", "Realm.AllocateUser", "User.Modify"]),
        ("PVEVMAdmin", those(|name| name.starts_with("VM."))),
        ("PVEVMUser", VM_USER.to_vec()),
    ]
}

/// Whether this role is one of the server's own.
pub(crate) fn is_built_in(roleid: &str) -> bool {
    built_in().iter().any(|(name, _)| *name == roleid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privileges(role: &str) -> String {
        let roles = built_in();
        roles.iter().find(|(name, _)| *name == role).map(|(_, privileges)| privileges.join(",")).expect("a role")
    }

    #[test]
    fn every_privilege_of_the_facts_exists() {
        for method in proxmox_spec::methods() {
            let permissions = method.permissions;
            for name in permissions.privileges.iter().chain(permissions.privileges_in_code) {
                assert!(PRIVILEGES.contains(name), "{name} of {} {}", method.verb, method.path);
            }
        }
        assert!(PRIVILEGES.is_sorted());
    }

    #[test]
    fn the_composed_roles_are_those_that_a_server_listed() {
        assert_eq!(
            privileges("PVEAuditor"),
            "Datastore.Audit,Mapping.Audit,Pool.Audit,SDN.Audit,Sys.Audit,VM.Audit,VM.GuestAgent.Audit"
        );
        assert_eq!(
            privileges("PVEAdmin"),
            "Datastore.Allocate,Datastore.AllocateSpace,Datastore.AllocateTemplate,Datastore.Audit,Group.Allocate,\
             Mapping.Audit,Mapping.Use,Pool.Allocate,Pool.Audit,Realm.AllocateUser,SDN.Allocate,SDN.Audit,SDN.Use,\
             Sys.Audit,Sys.Console,Sys.Syslog,User.Modify,VM.Allocate,VM.Audit,VM.Backup,VM.Clone,VM.Config.CDROM,\
             VM.Config.CPU,VM.Config.Cloudinit,VM.Config.Disk,VM.Config.HWType,VM.Config.Memory,VM.Config.Network,\
             VM.Config.Options,VM.Console,VM.GuestAgent.Audit,VM.GuestAgent.FileRead,VM.GuestAgent.FileSystemMgmt,\
             VM.GuestAgent.FileWrite,VM.GuestAgent.Unrestricted,VM.Migrate,VM.PowerMgmt,VM.Replicate,VM.Snapshot,\
             VM.Snapshot.Rollback"
        );
        assert_eq!(privileges("PVESDNAdmin"), "SDN.Allocate,SDN.Audit,SDN.Use");
        assert_eq!(privileges("PVEMappingAdmin"), "Mapping.Audit,Mapping.Modify,Mapping.Use");
        assert!(
            privileges("PVEVMUser").starts_with("VM.Audit,VM.Backup,VM.Config.CDROM,VM.Config.Cloudinit,VM.Console")
        );
        assert_eq!(built_in().len(), 17);
    }
}
