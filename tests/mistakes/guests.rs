//! Making, changing and running things in guests of both kinds.

use super::*;
use proxmox_sandbox::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test]
async fn a_command_is_a_list_of_words_and_its_end_is_waited_for() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let run = json!({"node": "pve1", "vmid": 100, "command": "echo 'two words' three"});
    let answer = ok(&engine, "proxmox_execute_vm_command", run).await;
    let (_, request) = last_write(&sandbox);
    let words: Vec<&str> =
        request.params.iter().filter(|(name, _)| name == "command").map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["echo", "two words", "three"]);
    assert_eq!((&answer["outcome"], &answer["exit_code"]), (&json!("ok"), &json!(0)), "{answer}");
    has(answer["stdout"].as_str().unwrap_or_default(), &["two words three"]);
    let piped = json!({"vmid": 100, "command": "ls | wc -l"});
    let (_, text) = fails(&engine, "exec_guest", piped).await;
    has(&text, &["[\"sh\", \"-c\", \"ls | wc -l\"]"]);
}

#[tokio::test]
async fn an_image_whose_name_would_read_as_an_option_is_refused_here() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let made = json!({"node": "pve1", "name": "odd", "iso": "local:iso/virtio=1.iso"});
    let (_, text) = fails(&engine, "create_vm", made).await;
    has(&text, &["`iso`", "must not contain `=`"]);
    nothing_written(&sandbox);
}

#[tokio::test]
async fn that_the_api_runs_no_commands_in_containers_is_said() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let run = json!({"node": "pve1", "vmid": 200, "command": "ls", "type": "lxc"});
    let (_, text) = fails(&engine, "proxmox_execute_vm_command", run).await;
    has(&text, &["container", "pct exec", "Nothing was sent"]);
    nothing_written(&sandbox);
}

#[tokio::test]
async fn the_answer_of_a_command_is_never_read_twice() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let pid = ok(&engine, "exec_guest", json!({"vmid": 100, "command": ["uname"], "wait": 0})).await["pid"].clone();
    sandbox.forget_requests();
    sandbox.on_request(|request, cluster| {
        if request.target.contains("/exec-status") {
            cluster.add_fault(Fault::CloseAfter.once());
        }
    });
    fails(&engine, "get_exec_result", json!({"vmid": 100, "pid": pid})).await;
    let reads = sandbox.requests().iter().filter(|request| request.target.contains("/exec-status")).count();
    assert_eq!(reads, 1);
}

#[tokio::test]
async fn a_clone_of_a_container_gets_a_host_name() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let clone = json!({"node": "pve2", "vmid": 202, "newid": 250, "name": "wiki-2", "type": "lxc"});
    ok(&engine, "proxmox_vm_clone", clone).await;
    let (line, request) = last_write(&sandbox);
    assert_eq!(line, "POST /nodes/pve2/lxc/202/clone");
    assert_eq!((parameter(&request, "hostname"), parameter(&request, "name")), (Some("wiki-2"), None));
}

#[tokio::test]
async fn a_snapshot_of_a_container_saves_no_memory() {
    let (sandbox, engine) = start(Tier::Operate).await;
    let snapshot = |more: Value| {
        let mut arguments = json!({"node": "pve1", "vmid": 200, "snapname": "before", "type": "lxc"});
        arguments["vmstate"] = more;
        arguments
    };
    let (_, text) = fails(&engine, "proxmox_snapshot_create", snapshot(json!(true))).await;
    has(&text, &["`vmstate`", "virtual machine"]);
    nothing_written(&sandbox);
    ok(&engine, "proxmox_snapshot_create", snapshot(Value::Null)).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "vmstate"), None);
}

#[tokio::test]
async fn suspending_to_disk_writes_to_disk() {
    let (sandbox, engine) = start(Tier::Operate).await;
    ok(&engine, "proxmox_vm_suspend", json!({"node": "pve1", "vmid": 100})).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "todisk"), Some("1"));
    ok(&engine, "suspend_guest", json!({"vmid": 101, "todisk": true, "statestorage": "backup-nas"})).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "statestorage"), Some("backup-nas"));
    let (sandbox, engine) = start(Tier::Operate).await;
    ok(&engine, "suspend_guest", json!({"vmid": 100})).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "todisk"), None);
}

#[tokio::test]
async fn every_disk_of_both_kinds_can_grow_in_any_notation() {
    let (sandbox, engine) = start(Tier::Configure).await;
    for (disk, size, sent) in [("rootfs", "+2G", "+2G"), ("rootfs", "16 GiB", "16G"), ("rootfs", "16.5G", "16896M")] {
        let resize = json!({"node": "pve1", "vmid": 200, "disk": disk, "size": size, "type": "lxc"});
        ok(&engine, "proxmox_disk_resize", resize).await;
        let (line, request) = last_write(&sandbox);
        assert_eq!(line, "PUT /nodes/pve1/lxc/200/resize");
        assert_eq!((parameter(&request, "disk"), parameter(&request, "size")), (Some(disk), Some(sent)));
    }
    // Whether the guest has such a disk is for the cluster to say.
    for (vmid, disk) in [(200, "mp3"), (100, "efidisk0"), (100, "tpmstate0")] {
        let answer = call(&engine, "resize_disk", json!({"vmid": vmid, "disk": disk, "size": "+1G"})).await;
        assert!(answer.map_or(true, |answer| answer.failed));
        assert_eq!(parameter(&last_write(&sandbox).1, "disk"), Some(disk));
    }
}

#[tokio::test]
async fn containers_migrate_too() {
    let (sandbox, engine) = start(Tier::Operate).await;
    ok(
        &engine,
        "proxmox_vm_migrate",
        json!({"node": "pve3", "vmid": 201, "target": "pve2", "target_storage": "local-lvm"}),
    )
    .await;
    let (line, request) = last_write(&sandbox);
    assert_eq!(line, "POST /nodes/pve3/lxc/201/migrate");
    assert_eq!((parameter(&request, "restart"), parameter(&request, "online")), (Some("1"), None));
    assert_eq!(parameter(&request, "target-storage"), Some("local-lvm"));
    ok(&engine, "migrate_guest", json!({"vmid": 101, "target": "pve1", "target_storage": "backup-nas"})).await;
    let (_, request) = last_write(&sandbox);
    assert_eq!((parameter(&request, "online"), parameter(&request, "restart")), (Some("1"), None));
    assert_eq!(parameter(&request, "targetstorage"), Some("backup-nas"));
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_migration_is_shown_in_full() {
    let (_sandbox, engine) = start(Tier::Read).await;
    let answer = ok(&engine, "proxmox_vm_migrate_check", json!({"node": "pve1", "vmid": 100, "target": "pve2"})).await;
    let disk = &answer["local_disks"][0];
    assert!(disk["volid"].as_str().is_some_and(|volid| volid.contains("vm-100-disk-0")), "{answer}");
    let answer = ok(&engine, "migrate_check", json!({"vmid": 201})).await;
    assert_eq!(answer["kind"], "lxc", "{answer}");
}

#[tokio::test]
async fn a_new_firewall_rule_acts() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let rule =
        json!({"node": "pve1", "vmid": 100, "action": "ACCEPT", "ruleType": "in", "proto": "tcp", "dport": "8443"});
    ok(&engine, "proxmox_firewall_rule_create", rule).await;
    assert_eq!(parameter(&last_write(&sandbox).1, "enable"), Some("1"));
    let rules = ok(&engine, "list_firewall_rules", json!({"vmid": 100})).await;
    assert_eq!((&rules["rules"][0]["dport"], &rules["rules"][0]["enable"]), (&json!("8443"), &json!(1)), "{rules}");
    let off = json!({"vmid": 200, "action": "DROP", "rule_type": "out", "macro": "SSH", "enable": "false"});
    ok(&engine, "create_firewall_rule", off).await;
    let (_, request) = last_write(&sandbox);
    assert_eq!((parameter(&request, "enable"), parameter(&request, "macro")), (Some("0"), Some("SSH")));
}

#[tokio::test]
async fn a_firewall_rule_is_deleted_with_the_digest_that_was_read() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let rules = ok(&engine, "list_firewall_rules", json!({"vmid": 100})).await;
    let answer = ok(&engine, "proxmox_firewall_rule_delete", json!({"node": "pve1", "vmid": 100, "pos": 0})).await;
    let (_, request) = last_write(&sandbox);
    assert_eq!(parameter(&request, "digest"), rules["rules"][0]["digest"].as_str());
    assert_eq!(answer["deleted"]["action"], rules["rules"][0]["action"], "{answer}");
}

#[tokio::test]
async fn making_a_guest_never_overwrites_one() {
    let (sandbox, engine) = start(Tier::Admin).await;
    let template = "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst";
    for (tool, options) in [
        ("create_vm", json!({"archive": "backup-nas:backup/x.vma.zst"})),
        ("create_vm", json!({"force": true})),
        ("create_container", json!({"restore": true})),
        ("create_container", json!({"force": 1})),
    ] {
        let mut arguments = json!({"node": "pve1", "vmid": 100, "options": options});
        if tool == "create_container" {
            arguments["ostemplate"] = json!(template);
            arguments["storage"] = json!("local-lvm");
        }
        let (kind, text) = fails(&engine, tool, arguments).await;
        assert_eq!(kind, FailureKind::BadArguments, "{text}");
        has(&text, &["restore_backup"]);
    }
    nothing_written(&sandbox);
}

#[tokio::test]
async fn a_disk_without_a_storage_is_spoken_of() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let (_, text) = fails(&engine, "create_vm", json!({"node": "pve1", "diskSize": "50G"})).await;
    has(&text, &["`diskSize`", "`storage`"]);
    nothing_written(&sandbox);
    let answer = ok(&engine, "create_vm", json!({"node": "pve1"})).await;
    has(&answer["notes"].to_string(), &["no disk", "storage"]);
    assert_eq!(parameter(&last_write(&sandbox).1, "scsi0"), None);
}

#[tokio::test]
async fn disk_sizes_are_sent_as_the_plain_number_that_the_api_wants() {
    let (sandbox, engine) = start(Tier::Configure).await;
    for (size, sent) in
        [("50G", "local-lvm:50"), ("50 GiB", "local-lvm:50"), ("50", "local-lvm:50"), ("1.5T", "local-lvm:1536")]
    {
        ok(&engine, "create_vm", json!({"node": "pve1", "storage": "local-lvm", "diskSize": size})).await;
        assert_eq!(parameter(&last_write(&sandbox).1, "scsi0"), Some(sent), "{size}");
    }
}

#[tokio::test]
async fn a_new_container_is_unprivileged_and_its_keys_arrive_under_the_apis_name() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8Pq3vM0kq0Y2l1uY8b7nB1n6m3yqK7m1QH2cQm5l7x admin@example";
    let template = "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst";
    let arguments = json!({"node": "pve1", "ostemplate": template, "storage": "local-lvm", "ssh_public_keys": key});
    ok(&engine, "create_container", arguments).await;
    let (_, request) = last_write(&sandbox);
    assert_eq!(parameter(&request, "ssh-public-keys"), Some(key));
    assert_eq!((parameter(&request, "unprivileged"), parameter(&request, "rootfs")), (Some("1"), Some("local-lvm:4")));
}

#[tokio::test]
async fn an_id_taken_meanwhile_is_asked_for_once_more_and_never_exchanged_for_the_callers() {
    let (sandbox, engine) = start(Tier::Configure).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    sandbox.on_request(move |request, cluster| {
        if request.verb == "POST" && request.target.ends_with("/clone") {
            seen.fetch_add(1, Ordering::SeqCst);
            if let Some(Ok(id)) = parameter(request, "newid").map(str::parse) {
                cluster.take_id(id);
            }
        }
    });
    // Somebody is faster each time: the second refusal is the answer.
    let (_, text) = fails(&engine, "clone_guest", json!({"vmid": 100})).await;
    has(&text, &["already exists"]);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    fails(&engine, "clone_vm", json!({"node": "pve1", "vmid": 100, "newid": 300})).await;
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}
