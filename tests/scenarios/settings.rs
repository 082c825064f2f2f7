//! Disks grow, options change, and what somebody else changed is not overwritten.

use crate::script::{Scenario, scenario, step};
use serde_json::json;

pub fn disks_grow() -> Scenario {
    let resize = |vmid: u32, disk: &str, size: &str| json!({"vmid": vmid, "disk": disk, "size": size});
    scenario(
        "disks grow",
        vec![
            step("by so much", "resize_disk", resize(102, "scsi0", "+10G")).done(),
            step("grown", "get_guest_config", json!({"vmid": 102})).answers(json!({"scsi0": "~size=74G"})),
            step("to so much", "resize_disk", resize(102, "scsi0", "80 GiB")).done(),
            step("grown again", "get_guest_config", json!({"vmid": 102})).answers(json!({"scsi0": "~size=80G"})),
            step("the volume", "get_storage_content", json!({"node": "pve1", "storage": "local-lvm", "vmid": 102}))
                .answers(json!({"volumes": [{"volid": "local-lvm:vm-102-disk-0", "size": 85_899_345_920_u64}]})),
            step("shrink", "resize_disk", resize(102, "scsi0", "10G")).fails(&["shrinking disks is not supported"]),
            step("no such disk", "resize_disk", resize(102, "scsi9", "+1G")).fails(&["disk 'scsi9' does not exist"]),
            step("no such name", "resize_disk", resize(102, "floppy0", "+1G")).fails(&["disk"]),
            step("no size", "resize_disk", resize(102, "scsi0", "much")).fails(&["size"]),
            step("less than nothing", "resize_disk", resize(102, "scsi0", "-1G")).fails(&["size"]),
            step("of an unknown guest", "resize_disk", resize(999, "scsi0", "+1G")).fails(&["999"]),
            step("container", "resize_disk", resize(202, "rootfs", "+4G")).done(),
            step("its disk", "get_guest_config", json!({"vmid": 202})).answers(json!({"rootfs": "~size=20G"})),
            step("shrink a container", "resize_disk", resize(202, "rootfs", "1G"))
                .fails(&["unable to shrink disk size"]),
            step("no such mount point", "resize_disk", resize(202, "mp7", "+1G")).fails(&["mp7"]),
        ],
    )
}

pub fn options_change() -> Scenario {
    let change = |vmid: u32, config: serde_json::Value| json!({"vmid": vmid, "config": config});
    let wrong = "0123456789abcdef0123456789abcdef01234567";
    scenario(
        "options change",
        vec![
            step("read", "get_guest_config", json!({"vmid": 102})).keeps("digest", "/digest"),
            step(
                "set",
                "update_guest_config",
                json!({
                "vmid": 102, "config": {"memory": 2048, "description": "Builds\nthings"}, "digest": "$digest"}),
            )
            .done(),
            step("has it", "get_guest_config", json!({"vmid": 102}))
                .answers(json!({"memory": "2048", "description": "Builds\nthings"})),
            step(
                "the old digest",
                "update_guest_config",
                json!({
                "vmid": 102, "config": {"memory": 4096}, "digest": "$digest"}),
            )
            .fails(&["checksum mismatch (file change by other user?)"]),
            step("not changed", "get_guest_config", json!({"vmid": 102})).answers(json!({"memory": "2048"})),
            step("take away", "update_guest_config", json!({"vmid": 102, "delete": ["description"]})).done(),
            step("has it no more", "update_guest_config", json!({"vmid": 102, "delete": ["description"]})).done(),
            step("an unknown option", "update_guest_config", change(102, json!({"colour": "red"}))).fails(&["colour"]),
            step("take away an unknown", "update_guest_config", json!({"vmid": 102, "delete": ["colour"]}))
                .fails(&["colour"]),
            step("a wrong type", "update_guest_config", change(102, json!({"cores": "many"}))).fails(&["cores"]),
            step("too few", "update_guest_config", change(102, json!({"cores": 0}))).fails(&["cores"]),
            step("nothing at all", "update_guest_config", json!({"vmid": 102})).fails(&["config"]),
            step("a disk without a storage", "update_guest_config", change(102, json!({"scsi1": "nowhere:1"})))
                .fails(&["storage 'nowhere' does not exist"]),
            step("a disk", "update_guest_config", change(102, json!({"scsi1": "local-lvm:1"}))).done(),
            step("has the disk", "get_guest_config", json!({"vmid": 102}))
                .answers(json!({"scsi1": "~local-lvm:vm-102-disk-1"})),
            step("detach it", "update_guest_config", json!({"vmid": 102, "delete": ["scsi1"]})).done(),
            step("unused", "get_guest_config", json!({"vmid": 102}))
                .answers(json!({"unused0": "~local-lvm:vm-102-disk-1"})),
            step("root's own", "update_guest_config", change(102, json!({"args": "-no-hpet"})))
                .fails(&["config.args", "only root@pam"]),
            step("while it runs", "update_guest_config", change(100, json!({"memory": 6144}))).done(),
            step("to come", "get_guest_config", json!({"vmid": 100})).answers(json!({"memory": "6144"})),
            step("at present", "get_guest_config", json!({"vmid": 100, "current": true}))
                .answers(json!({"memory": "4096"})),
            step("container", "update_guest_config", change(202, json!({"memory": 4096, "tags": "b;a"}))).done(),
            step("the container has it", "get_guest_config", json!({"vmid": 202}))
                .answers(json!({"memory": 4096, "tags": "a;b"})),
            step(
                "a wrong digest",
                "update_guest_config",
                json!({"vmid": 202, "config": {"memory": 512}, "digest": wrong}),
            )
            .fails(&["detected modified configuration - file changed by other user?"]),
            step("its root disk", "update_guest_config", json!({"vmid": 202, "delete": ["rootfs"]})).fails(&["rootfs"]),
        ],
    )
}
