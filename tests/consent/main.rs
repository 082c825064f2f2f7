//! A person is asked: what an assistant can get done with one, without one, and by going around one. The built binary
//! over pipes, in both eras, for clients that can ask and for clients that cannot, against the embedded cluster.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/terminal.rs"]
mod terminal;

mod approved;
#[allow(dead_code)]
#[path = "../scenarios/backend.rs"]
mod backend;
mod cluster;
mod elicited;
mod expired;
mod meanwhile;
mod modes;
#[allow(dead_code)]
#[path = "../scenarios/script.rs"]
mod script;
mod sealed;
mod simulator;
mod talk;
#[cfg(target_os = "linux")]
use common::Era;
use serde_json::{Value, json};

/// A backup of a machine, which can be restored over another one.
const ARCHIVE: &str = "backup-nas:backup/vzdump-qemu-100-2026_10_31-02_00_00.vma.zst";

/// Calls that destroy: tool, arguments, what a person has to type, and the beginning of what is sent.
fn destroying() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    vec![
        ("delete_guest", json!({"vmid": 110}), "110", "DELETE /api2/json/nodes/pve2/qemu/110"),
        (
            "rollback_snapshot",
            json!({"vmid": 100, "snapname": "clean"}),
            "100",
            "POST /api2/json/nodes/pve1/qemu/100/snapshot/clean/rollback",
        ),
        (
            "restore_backup",
            json!({"node": "pve1", "volid": ARCHIVE, "vmid": 102, "force": true}),
            "102",
            "POST /api2/json/nodes/pve1/qemu",
        ),
        (
            "update_guest_config",
            json!({"vmid": 102, "delete": ["scsi0"]}),
            "102",
            "POST /api2/json/nodes/pve1/qemu/102/config",
        ),
    ]
}

/// A call that interrupts, and the beginning of what is sent.
fn interrupting() -> (&'static str, Value, &'static str) {
    ("stop_guest", json!({"vmid": 100}), "POST /api2/json/nodes/pve1/qemu/100/status/stop")
}

fn eras() -> [Era; 2] {
    Era::BOTH
}
