//! Power: start, stop, shutdown, reboot, reset, suspend, resume, where the two kinds differ in almost everything.

use proxmox_spec::Verb;
use serde_json::json;

use super::{Route, guest_task, must_exist, target};
use crate::{
    answer::{Failure, Reply},
    cluster::Cluster,
    disks::bridge,
    guest::{Guest, Kind, Power, file_of, indexed, is_cdrom, is_volume_option},
    request::Call,
    tasks::Plan,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/start", start),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/start", start),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/stop", stop),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/stop", stop),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/shutdown", shutdown),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/shutdown", shutdown),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/reboot", reboot),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/reboot", reboot),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/suspend", suspend),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/suspend", suspend),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/resume", resume),
    (Verb::Post, "/nodes/{node}/lxc/{vmid}/status/resume", resume),
    (Verb::Post, "/nodes/{node}/qemu/{vmid}/status/reset", reset),
];

/// The bridges that every node has.
const BRIDGES: [&str; 2] = ["vmbr0", "vmbr1"];

/// How long a guest may take to shut down, in seconds, unless the call says otherwise.
const SHUTDOWN_TIMEOUT: i64 = 60;

/// What a start meets before anything happens: everything that makes it fail.
pub(super) fn check_start(cluster: &Cluster, guest: &Guest) -> Result<(), String> {
    let (vmid, label) = (guest.vmid, guest.kind.label());
    if guest.is_template() {
        return Err(match guest.kind {
            Kind::Qemu => "you can't start a vm if it's a template".to_owned(),
            Kind::Lxc => "you can't start a CT if it's a template".to_owned(),
        });
    }
    if guest.lock.as_deref() != Some("suspended") {
        guest.check_lock()?;
    }
    if guest.running() {
        return Err(format!("{label} {vmid} already running"));
    }
    let config = guest.future_config();
    for (option, value) in &config {
        let Some(text) = value.as_str() else { continue };
        if indexed(option, "net")
            && let Some(bridge) = bridge(text).filter(|bridge| !BRIDGES.contains(bridge))
        {
            return Err(format!("bridge '{bridge}' does not exist"));
        }
        let volume = is_volume_option(option) && !option.starts_with("unused") && file_of(text).contains(':');
        if volume && cluster.volume(&guest.node, file_of(text)).is_none() {
            let place = cluster.volume_path(file_of(text));
            return Err(if is_cdrom(text) {
                format!("volume '{}' does not exist", file_of(text))
            } else {
                format!("no such volume '{}' ({place})", file_of(text))
            });
        }
    }
    Ok(())
}

fn start(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    if kind == Kind::Lxc && cluster.guest(&node, kind, vmid).is_ok_and(Guest::running) {
        return Err(Failure::die(format!("CT {vmid} already running")));
    }
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        check_start(cluster, guest)?;
        let suspended = guest.lock.as_deref() == Some("suspended");
        let physical =
            guest.config.iter().any(|(_, value)| value.as_str().is_some_and(|text| text.starts_with("cdrom")));
        let mut lines = Vec::new();
        if suspended {
            lines.push("Resuming suspended VM".to_owned());
        }
        if physical {
            lines.push("WARN: no physical CD-ROM available, ignoring".to_owned());
        }
        Ok(Plan::new(3.0, lines, move |cluster, _| {
            if suspended {
                wake(cluster, vmid);
            }
            cluster.set_power(vmid, Power::Running);
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmstart", "vzstart"], begin)
}

/// The state of a suspended machine is used up.
fn wake(cluster: &mut Cluster, vmid: u32) {
    let Some(guest) = cluster.guests.get_mut(&vmid) else { return };
    guest.lock = None;
    let node = guest.node.clone();
    if let Some(volid) = guest.config.remove("vmstate").and_then(|value| value.as_str().map(str::to_owned)) {
        cluster.remove_volume(&node, &volid);
    }
}

fn stop(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    if kind == Kind::Lxc {
        must_run(cluster, call, "CT")?;
    }
    let mut lines = Vec::new();
    if call.args.flag("overrule-shutdown") {
        let shutdowns = cluster.running_tasks(if kind == Kind::Qemu { "qmshutdown" } else { "vzshutdown" }, vmid);
        let names: Vec<String> = shutdowns.iter().map(|index| cluster.tasks[*index].upid.to_string()).collect();
        if !names.is_empty() {
            lines.push(format!("overruled qmshutdown tasks: {}", names.join(", ")));
        }
        for index in shutdowns {
            cluster.interrupt(index, "received interrupt");
        }
    }
    let begin = Box::new(move |cluster: &mut Cluster| {
        let found = cluster.guest(&node, kind, vmid);
        let guest = found
            .map_err(|_| format!("unable to find configuration file for {} {vmid} on node '{node}'", kind.label()))?;
        if !guest.running() {
            return Ok(Plan::nothing());
        }
        guest.check_lock()?;
        Ok(Plan::new(2.0, lines, move |cluster, _| {
            cluster.set_power(vmid, Power::Stopped);
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmstop", "vzstop"], begin)
}

fn shutdown(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    if kind == Kind::Lxc {
        must_run(cluster, call, "CT")?;
    }
    let timeout = call.args.number("timeout").unwrap_or(SHUTDOWN_TIMEOUT);
    let force = call.args.flag("forceStop");
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        if !guest.running() {
            return Ok(Plan::nothing());
        }
        guest.check_lock()?;
        Ok(down(guest, timeout, force, Power::Stopped))
    });
    guest_task(cluster, call, ["qmshutdown", "vzshutdown"], begin)
}

/// A request to the guest's operating system; one that does not listen keeps running until the timeout.
fn down(guest: &Guest, timeout: i64, force: bool, then: Power) -> Plan {
    let (vmid, kind) = (guest.vmid, guest.kind);
    let listens = !guest.deaf && guest.power == Power::Running;
    let seconds = if listens { timeout.min(5) } else { timeout } as f64;
    let line = "VM still running - terminating now with SIGTERM".to_owned();
    let lines = if listens || !force { Vec::new() } else { vec![line] };
    Plan::new(seconds, lines, move |cluster, _| {
        if !listens && !force {
            return Err(match kind {
                Kind::Qemu => "VM quit/powerdown failed - got timeout".to_owned(),
                Kind::Lxc => "command 'lxc-stop' failed: received timeout".to_owned(),
            });
        }
        cluster.set_power(vmid, Power::Stopped);
        cluster.set_power(vmid, then);
        Ok(())
    })
}

fn reboot(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    // Of a container, too, the API says "VM" here.
    must_run(cluster, call, "VM")?;
    let (node, kind, vmid) = target(call);
    let timeout = call.args.number("timeout").unwrap_or(SHUTDOWN_TIMEOUT);
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        guest.check_lock()?;
        Ok(down(guest, timeout, false, Power::Running))
    });
    guest_task(cluster, call, ["qmreboot", "vzreboot"], begin)
}

fn reset(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    must_run(cluster, call, "VM")?;
    let (node, kind, vmid) = target(call);
    let begin = Box::new(move |cluster: &mut Cluster| {
        cluster.guest(&node, kind, vmid)?.check_lock()?;
        Ok(Plan::new(0.0, Vec::new(), |_, _| Ok(())))
    });
    guest_task(cluster, call, ["qmreset", "qmreset"], begin)
}

fn suspend(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    must_run(cluster, call, kind.label())?;
    if kind == Kind::Lxc {
        let begin = Box::new(move |_: &mut Cluster| {
            let line = "lxc-checkpoint: execing criu failed, is it installed?".to_owned();
            Ok(Plan::new(1.0, vec![line], move |_, _| {
                Err(format!("command 'lxc-checkpoint -n {vmid} -s -D /var/lib/vz/dump' failed: exit code 1"))
            }))
        });
        return guest_task(cluster, call, ["vzsuspend", "vzsuspend"], begin);
    }
    if call.args.flag("todisk") {
        return hibernate(cluster, call);
    }
    let begin = Box::new(move |cluster: &mut Cluster| {
        cluster.guest(&node, kind, vmid)?.check_lock()?;
        Ok(Plan::new(0.0, Vec::new(), move |cluster, _| {
            cluster.set_power(vmid, Power::Paused);
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmpause", "qmpause"], begin)
}

fn hibernate(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, kind, vmid) = target(call);
    let storage = call.args.text("statestorage").unwrap_or("local-lvm").to_owned();
    cluster.usable_storage(&storage, &node)?;
    let begin = Box::new(move |cluster: &mut Cluster| {
        let guest = cluster.guest(&node, kind, vmid)?;
        guest.check_lock()?;
        let size = guest.memory();
        let lines = vec![
            format!("State is using target storage '{storage}'"),
            format!("Logical volume \"vm-{vmid}-state-suspend\" created."),
            "reached 100.00% of the state in 4s".to_owned(),
            "State saved, quitting".to_owned(),
        ];
        let plan = Plan::new(6.0, lines, move |cluster, _| {
            let wanted = crate::volumes::Allocation {
                storage: &storage,
                node: &node,
                vmid,
                kind,
                size,
                format: None,
                what: "state-suspend",
            };
            let volid = cluster.allocate(&wanted).map_err(super::task_error)?;
            cluster.set_power(vmid, Power::Stopped);
            let guest = cluster.guest_mut(&node, kind, vmid)?;
            guest.config.insert("vmstate".to_owned(), json!(volid));
            guest.lock = Some("suspended".to_owned());
            Ok(())
        });
        Ok(plan.locked(vmid, "suspending"))
    });
    guest_task(cluster, call, ["qmsuspend", "qmsuspend"], begin)
}

fn resume(cluster: &mut Cluster, call: &Call) -> Reply {
    must_exist(cluster, call)?;
    let (node, kind, vmid) = target(call);
    let suspended = cluster.guest(&node, kind, vmid).is_ok_and(|guest| guest.lock.as_deref() == Some("suspended"));
    if suspended {
        let begin = Box::new(move |_: &mut Cluster| {
            Ok(Plan::new(4.0, vec!["Resuming suspended VM".to_owned()], move |cluster, _| {
                wake(cluster, vmid);
                cluster.set_power(vmid, Power::Running);
                Ok(())
            }))
        });
        return guest_task(cluster, call, ["qmresume", "vzresume"], begin);
    }
    must_run(cluster, call, kind.label())?;
    let begin = Box::new(move |_: &mut Cluster| {
        Ok(Plan::new(0.0, Vec::new(), move |cluster, _| {
            cluster.set_power(vmid, Power::Running);
            Ok(())
        }))
    });
    guest_task(cluster, call, ["qmresume", "vzresume"], begin)
}

/// 500 at once for a guest that does not run.
fn must_run(cluster: &Cluster, call: &Call, label: &str) -> Result<(), Failure> {
    let (node, kind, vmid) = target(call);
    match cluster.guest(&node, kind, vmid).map_err(Failure::die)?.running() {
        true => Ok(()),
        false => Err(Failure::die(format!("{label} {vmid} not running"))),
    }
}
