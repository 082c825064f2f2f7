//! What a role on a path allows, and what is missing where it does not.

use proxmox_sandbox::Options;

use crate::{ask, common::Bench, refused, token};

const CT_OPTIONS: &str =
    "(/vms/202, VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.Options)";

/// Role and path, a call, and what is missing for it (nothing = it is allowed).
#[tokio::test]
async fn roles_allow_what_they_say_and_no_more() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let table: &[Row<'_>] = &[
        (&[("/vms/102", "PVEVMUser")], "POST", "/nodes/pve1/qemu/102/status/start", &[], None),
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/qemu/100/status/stop",
            &[],
            Some("(/vms/100, VM.PowerMgmt)"),
        ),
        (&[("/vms", "PVEVMUser")], "POST", "/nodes/pve2/qemu/110/status/start", &[], None),
        // Options, one by one.
        (&[("/vms", "PVEVMAdmin")], "PUT", "/nodes/pve2/qemu/110/config", &[("memory", "2048"), ("tags", "a")], None),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("memory", "2048")],
            Some("(/vms/110, VM.Config.Memory)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("cores", "2")],
            Some("(/vms/110, VM.Config.CPU)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("delete", "description")],
            Some("(/vms/110, VM.Config.Options)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("delete", "scsi0")],
            Some("(/vms/110, VM.Config.Disk)"),
        ),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/qemu/110/config", &[("ciuser", "me")], None),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/qemu/110/config", &[("ide2", "none,media=cdrom")], None),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("ide2", "local:iso/ubuntu-22.04.iso,media=cdrom")],
            Some("(/storage/local, Datastore.AllocateSpace|Datastore.Audit)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("startup", "order=1")],
            Some("(/, Sys.Modify)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0")],
            Some("(/sdn/zones/localnetwork/vmbr0, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn/zones/localnetwork", "PVESDNUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0")],
            None,
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn/zones/localnetwork/vmbr0/5", "PVESDNUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0,tag=6")],
            Some("(/sdn/zones/localnetwork/vmbr0/6, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve2/qemu/110/config",
            &[("scsi1", "local-lvm:1")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/storage/local-lvm", "PVEDatastoreUser")],
            "POST",
            "/nodes/pve2/qemu/110/config",
            &[("scsi1", "local-lvm:1")],
            None,
        ),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/lxc/202/config", &[("memory", "64")], Some(CT_OPTIONS)),
        (&[("/vms", "PVEVMAdmin")], "PUT", "/nodes/pve2/lxc/202/config", &[("memory", "64"), ("hostname", "x")], None),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/lxc/202/config",
            &[("mp0", "local-lvm:1,mp=/x")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        // New guests.
        (&[("/vms/300", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "300"), ("memory", "512")], None),
        (&[("/vms/300", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "301")], Some("")),
        (&[("/pool/lab", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "302"), ("memory", "512")], Some("")),
        (
            &[("/pool/lab", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "302"), ("pool", "lab"), ("memory", "512")],
            None,
        ),
        (
            &[("/pool/lab", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "303"), ("pool", "none")],
            Some("(pool 'none' does not exist)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "304"), ("scsi0", "local-lvm:1")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305")],
            Some("(/sdn/zones/localnetwork/vmbr0, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn", "PVESDNUser")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (&[("/vms/9000", "PVETemplateUser")], "POST", "/nodes/pve1/qemu/9000/clone", &[("newid", "305")], Some("")),
        (
            &[("/vms/9000", "PVETemplateUser")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305"), ("pool", "lab")],
            Some(""),
        ),
        (
            &[
                ("/vms/9000", "PVETemplateUser"),
                ("/pool/lab", "PVEVMAdmin"),
                ("/sdn", "PVESDNUser"),
                ("/storage", "PVEDatastoreUser"),
            ],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305"), ("pool", "lab")],
            None,
        ),
        // Backups.
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/vzdump",
            &[("vmid", "102"), ("storage", "backup-nas")],
            Some("(/storage/backup-nas, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms/102", "PVEVMUser"), ("/storage/backup-nas", "PVEDatastoreUser")],
            "POST",
            "/nodes/pve1/vzdump",
            &[("vmid", "102"), ("storage", "backup-nas")],
            None,
        ),
        (
            &[("/vms/100", "PVEVMUser")],
            "DELETE",
            "/nodes/pve1/storage/backup-nas/content/backup%2Fvzdump-qemu-100-2024_01_01-12_00_00.vma.zst",
            &[],
            Some("(/storage/backup-nas, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms/100", "PVEVMUser"), ("/storage", "PVEDatastoreUser")],
            "DELETE",
            "/nodes/pve1/storage/backup-nas/content/backup%2Fvzdump-qemu-100-2024_01_01-12_00_00.vma.zst",
            &[],
            None,
        ),
        // Many at once.
        (&[("/vms/102", "PVEVMUser")], "POST", "/cluster/bulk-action/guest/start", &[], Some("(/, VM.PowerMgmt)")),
        (&[("/vms/102", "PVEVMUser")], "POST", "/cluster/bulk-action/guest/start", &[("vms", "102")], None),
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/stopall",
            &[("vms", "102,100")],
            Some("(/vms/100, VM.PowerMgmt)"),
        ),
        // Who gives members to a pool gives rights on them.
        (
            &[("/pool/lab", "PVEPoolAdmin")],
            "PUT",
            "/pools/lab",
            &[("vms", "102")],
            Some("(/vms/102, Permissions.Modify|VM.Allocate)"),
        ),
        (&[("/pool/lab", "PVEPoolAdmin"), ("/vms", "PVEVMAdmin")], "PUT", "/pools/lab", &[("vms", "102")], None),
        (
            &[("/pool/lab", "PVEPoolAdmin")],
            "PUT",
            "/access/acl",
            &[("path", "/pool/lab"), ("users", "alice@pve"), ("roles", "PVEPoolUser")],
            None,
        ),
        (
            &[("/", "PVEAdmin")],
            "PUT",
            "/access/acl",
            &[("path", "/"), ("users", "alice@pve"), ("roles", "PVEAuditor")],
            Some("(/, Permissions.Modify)"),
        ),
        // Users, through the groups they are in.
        (
            &[("/access/groups/operators", "PVEUserAdmin")],
            "PUT",
            "/access/users/alice@pve",
            &[("comment", "x"), ("groups", "operators")],
            None,
        ),
        (&[("/access/groups/operators", "PVEUserAdmin")], "GET", "/access/users/auditor@pve", &[], Some("")),
        (
            &[("/access/groups/operators", "PVEUserAdmin")],
            "PUT",
            "/access/users/alice@pve",
            &[("comment", "x")],
            Some("(/access/groups, User.Modify)"),
        ),
        // Never for a token, whatever it has.
        (
            &[("/", "Administrator")],
            "PUT",
            "/access/password",
            &[("userid", "alice@pve"), ("password", "long-enough")],
            Some("(URI '/access/password' not available with API token, need proper ticket.\n)"),
        ),
        (&[("/", "Administrator")], "POST", "/nodes/pve1/execute", &[("commands", "[]")], Some("(user != root@pam)")),
    ];
    for (place, (entries, verb, path, params, missing)) in table.iter().enumerate() {
        let entries: Vec<(&str, &str, bool)> = entries.iter().map(|(path, role)| (*path, *role, true)).collect();
        let who = token(&bench, &format!("row{place}"), &entries);
        let answer = ask(&bench, &who, verb, path, params).await;
        match missing {
            None => assert_eq!(answer.status, 200, "{entries:?} {verb} {path} {params:?}: {answer:?}"),
            Some(text) => {
                let text = format!("Permission check failed {text}");
                assert_eq!(answer.failure(), refused(text.trim_end()), "{entries:?} {verb} {path} {params:?}");
            }
        }
    }
}

/// Who may back a guest up may put its backup back over it, and may not make another guest of it.
#[tokio::test]
async fn a_backup_may_be_put_back_by_who_may_make_it() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let entries = [("/vms/100", "PVEVMUser", true), ("/storage", "PVEDatastoreUser", true)];
    let who = token(&bench, "restorer", &entries);
    let archive = ("archive", "backup-nas:backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst");
    let restore = async |form: &[(&str, &str)]| ask(&bench, &who, "POST", "/nodes/pve1/qemu", form).await;
    bench.task("/nodes/pve1/qemu/100/status/stop", &[]).await;
    let other = restore(&[("vmid", "310"), archive]).await;
    assert_eq!(other.failure(), refused("Permission check failed"));
    let unforced = restore(&[("vmid", "100"), archive]).await;
    assert_eq!(unforced.failure(), refused("Permission check failed"));
    let foreign =
        [("vmid", "100"), ("archive", "backup-nas:backup/vzdump-qemu-101-2026_10_31-02_10_00.vma.zst"), ("force", "1")];
    assert_eq!(restore(&foreign).await.failure(), refused("Permission check failed (/vms/101, VM.Backup)"));
    let answer = restore(&[("vmid", "100"), archive, ("force", "1")]).await;
    assert_eq!(bench.wait(&answer).await.0, "OK");
}
