//! Cards and sockets of a node, and what it finds when it looks for storages on other machines.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/hardware/pci", pci),
    (Verb::Get, "/nodes/{node}/hardware/pci/{pci-id-or-mapping}", device),
    (Verb::Get, "/nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev", mediated),
    (Verb::Get, "/nodes/{node}/hardware/usb", usb),
    (Verb::Get, "/nodes/{node}/scan/nfs", nfs),
    (Verb::Get, "/nodes/{node}/scan/cifs", cifs),
    (Verb::Get, "/nodes/{node}/scan/iscsi", iscsi),
    (Verb::Get, "/nodes/{node}/scan/pbs", pbs),
    (Verb::Get, "/nodes/{node}/capabilities/qemu/migration", migration),
    (Verb::Get, "/nodes/{node}/capabilities/qemu/cpu-flags", flags),
    (Verb::Get, "/cluster/qemu/cpu-flags", flags),
];

/// Address, class, vendor and device with their names, IOMMU group, mediated devices.
type Card = (&'static str, &'static str, (&'static str, &'static str), (&'static str, &'static str), i32, bool);

const CARDS: [Card; 4] = [
    ("0000:00:02.0", "0x030000", ("0x8086", "Intel Corporation"), ("0x4680", "UHD Graphics 770"), 0, true),
    ("0000:00:17.0", "0x010601", ("0x8086", "Intel Corporation"), ("0x7ae2", "SATA Controller"), 7, false),
    (
        "0000:01:00.0",
        "0x020000",
        ("0x8086", "Intel Corporation"),
        ("0x1533", "I210 Gigabit Network Connection"),
        14,
        false,
    ),
    (
        "0000:02:00.0",
        "0x020000",
        ("0x8086", "Intel Corporation"),
        ("0x1533", "I210 Gigabit Network Connection"),
        15,
        false,
    ),
];

/// The servers that answer when a node looks for storages.
const NAS: &str = "192.0.2.5";
const BACKUP_SERVER: &str = "192.0.2.6";

fn pci(cluster: &mut Cluster, call: &Call) -> Reply {
    if !is_machine(cluster, call) {
        return ok(json!([]));
    }
    let hidden = match call.args.text("pci-class-blacklist") {
        Some(list) => crate::request::split_list(list),
        None => ["05", "06", "0b"].map(str::to_owned).to_vec(),
    };
    let verbose = call.args.text("verbose") != Some("0");
    let shown =
        CARDS.iter().filter(|card| !hidden.iter().any(|class| card.1.trim_start_matches("0x").starts_with(class)));
    let rows = shown.map(|(id, class, vendor, device, group, mediated)| {
        let mut row = json!({ "id": id, "class": class, "vendor": vendor.0, "device": device.0, "iommugroup": group });
        if verbose {
            row["vendor_name"] = json!(vendor.1);
            row["device_name"] = json!(device.1);
            row["subsystem_vendor"] = json!("0x1849");
            row["subsystem_device"] = json!("0x4680");
        }
        if *mediated {
            row["mdev"] = json!(1);
        }
        row
    });
    ok(Value::Array(rows.collect()))
}

/// The card that a call names, by address with or without domain, or by a mapping of the node.
fn card(cluster: &Cluster, call: &Call) -> Result<&'static Card, Failure> {
    let name = call.args.need("pci-id-or-mapping");
    let mapping = cluster.store.get(&format!("/cluster/mapping/pci/{name}"));
    let mapped = mapping.and_then(|mapping| mapping.get("map")).and_then(Value::as_array).and_then(|lines| {
        let node = format!("node={}", call.args.need("node"));
        let here = lines.iter().filter_map(Value::as_str).find(|line| line.split(',').any(|part| part == node))?;
        here.split(',')
            .find_map(|part| part.strip_prefix("path="))
            .map(|path| path.split(';').next().unwrap_or(path).to_owned())
    });
    let address = mapped.as_deref().unwrap_or(name);
    let found = CARDS.iter().find(|card| card.0 == address || card.0.trim_start_matches("0000:") == address);
    found.ok_or_else(|| Failure::die(format!("pci device '{name}' not found")))
}

fn device(cluster: &mut Cluster, call: &Call) -> Reply {
    card(cluster, call)?;
    ok(json!([{ "method": "mdev" }]))
}

fn mediated(cluster: &mut Cluster, call: &Call) -> Reply {
    let card = card(cluster, call)?;
    if !card.5 {
        return ok(json!([]));
    }
    ok(json!([
        { "type": "i915-GVTg_V5_4", "available": 1, "description": "low_gm_size: 128MB, high_gm_size: 512MB, fence: 4" },
    ]))
}

/// A node without disks of its own is a guest of something else, and has no cards either.
fn is_machine(cluster: &Cluster, call: &Call) -> bool {
    cluster.store.has(&format!("/nodes/{}/disks/list/sda", call.args.need("node")))
}

fn usb(cluster: &mut Cluster, call: &Call) -> Reply {
    if !is_machine(cluster, call) {
        return ok(json!([]));
    }
    ok(json!([
        {
            "busnum": 1, "devnum": 1, "level": 0, "port": 0, "class": 9, "speed": "480", "vendid": "1d6b", "prodid": "0002",
            "product": "xHCI Host Controller", "manufacturer": "Linux", "serial": "0000:00:14.0",
        },
        {
            "busnum": 1, "devnum": 2, "level": 1, "port": 3, "class": 0, "speed": "12", "vendid": "0bda", "prodid": "0307",
            "product": "USB Token", "manufacturer": "Sandbox", "usbpath": "1-4",
        },
    ]))
}

fn migration(_: &mut Cluster, _: &Call) -> Reply {
    ok(json!({ "has-dbus-vmstate": true }))
}

fn flags(cluster: &mut Cluster, _: &Call) -> Reply {
    let nodes: Vec<&String> = cluster.nodes.keys().collect();
    let known =
        [("aes", "AES instructions"), ("pcid", "Process context identifiers"), ("spec-ctrl", "Mitigation of Spectre")];
    ok(known
        .iter()
        .map(|(name, text)| json!({ "name": name, "description": text, "supported-on": nodes }))
        .collect::<Value>())
}

fn nfs(_: &mut Cluster, call: &Call) -> Reply {
    if call.args.need("server") != NAS {
        return Err(Failure::die(format!("clnt_create: RPC: Unable to receive: {}", call.args.need("server"))));
    }
    ok(json!([{ "path": "/export/proxmox", "options": "192.0.2.0/24" }]))
}

fn cifs(_: &mut Cluster, call: &Call) -> Reply {
    if call.args.need("server") != NAS {
        return Err(Failure::die("do_connect: Connection failed (Error NT_STATUS_HOST_UNREACHABLE)"));
    }
    ok(json!([{ "share": "proxmox", "description": "Backups and images" }]))
}

fn iscsi(_: &mut Cluster, call: &Call) -> Reply {
    let portal = call.args.need("portal");
    if portal.split(':').next() != Some(NAS) {
        return Err(Failure::die(format!("iscsiadm: cannot make connection to {portal}: No route to host")));
    }
    ok(json!([{ "portal": format!("{NAS}:3260"), "target": "iqn.2001-01.org.example:proxmox" }]))
}

fn pbs(_: &mut Cluster, call: &Call) -> Reply {
    if call.args.need("server") != BACKUP_SERVER {
        return Err(Failure::die(format!("500 Can't connect to {}:8007 (No route to host)", call.args.need("server"))));
    }
    ok(json!([{ "store": "main", "comment": "Backups of the cluster" }]))
}
