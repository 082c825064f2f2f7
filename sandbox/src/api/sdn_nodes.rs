//! Software-defined networks as nodes see them, and the addresses that are given out in them.

use proxmox_spec::Verb;
use serde_json::{Map, Value, json};

use super::{
    Route,
    sdn::{RUNNING, VNETS, ZONES},
};
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/sdn/ipams/{ipam}/status", addresses),
    (Verb::Post, "/cluster/sdn/vnets/{vnet}/ips", set_address),
    (Verb::Put, "/cluster/sdn/vnets/{vnet}/ips", set_address),
    (Verb::Delete, "/cluster/sdn/vnets/{vnet}/ips", delete_address),
    (Verb::Get, "/nodes/{node}/sdn/zones", node_zones),
    (Verb::Get, "/nodes/{node}/sdn/zones/{zone}/content", zone_content),
    (Verb::Get, "/nodes/{node}/sdn/zones/{zone}/bridges", zone_bridges),
];

const ADDRESSES: &str = "/addresses";

type Fields = Map<String, Value>;

fn addresses(cluster: &mut Cluster, call: &Call) -> Reply {
    if !cluster.store.has(call.path.trim_end_matches("/status")) {
        return Err(Failure::die(format!("sdn '{}' does not exist", call.args.need("ipam"))));
    }
    let rows = cluster.store.list(ADDRESSES).into_iter().map(Value::Object);
    ok(if call.args.need("ipam") == "pve" { rows.collect() } else { json!([]) })
}

fn address_path(call: &Call) -> String {
    format!("{ADDRESSES}/{}/{}", call.args.need("zone"), call.args.need("ip"))
}

fn set_address(cluster: &mut Cluster, call: &Call) -> Reply {
    let (vnet, zone) = (call.args.need("vnet"), call.args.need("zone"));
    if cluster.store.get(&format!("{VNETS}/{vnet}")).is_none_or(|fields| fields["zone"] != zone) {
        return Err(Failure::die(format!("vnet '{vnet}' does not exist in zone '{zone}'")));
    }
    let mut fields = generic::fields_of(call);
    fields.insert("vnet".to_owned(), json!(vnet));
    cluster.store.put(&address_path(call), ADDRESSES, "", "", Value::Object(fields));
    done()
}

fn delete_address(cluster: &mut Cluster, call: &Call) -> Reply {
    cluster.store.remove(&address_path(call));
    done()
}

fn node_zones(cluster: &mut Cluster, _: &Call) -> Reply {
    let mut rows = vec![json!({ "zone": "localnetwork", "status": "available" })];
    let zones = cluster.store.list(&format!("{RUNNING}{ZONES}"));
    rows.extend(zones.iter().map(|zone| json!({ "zone": zone["zone"], "status": "available" })));
    ok(Value::Array(rows))
}

/// The bridges that a zone brings to a node; the local network's are the node's own.
fn bridges(cluster: &Cluster, call: &Call) -> Result<Vec<String>, Failure> {
    let (node, zone) = (call.args.need("node"), call.args.need("zone"));
    let name = |fields: &Fields, key: &str| fields[key].as_str().unwrap_or_default().to_owned();
    if zone == "localnetwork" {
        let all = cluster.store.list(&format!("/nodes/{node}/network"));
        return Ok(all
            .iter()
            .filter(|fields| fields["type"] == "bridge")
            .map(|fields| name(fields, "iface"))
            .collect());
    }
    if !cluster.store.has(&format!("{RUNNING}{ZONES}/{zone}")) {
        return Err(Failure::die(format!("sdn '{zone}' does not exist")));
    }
    let vnets = cluster.store.list(&format!("{RUNNING}{VNETS}"));
    Ok(vnets.iter().filter(|vnet| vnet["zone"] == zone).map(|vnet| name(vnet, "vnet")).collect())
}

fn zone_content(cluster: &mut Cluster, call: &Call) -> Reply {
    let rows = bridges(cluster, call)?;
    ok(rows.into_iter().map(|vnet| json!({ "vnet": vnet, "status": "available" })).collect::<Value>())
}

/// The bridges with the guests that are plugged into them.
fn zone_bridges(cluster: &mut Cluster, call: &Call) -> Reply {
    let node = call.args.need("node");
    let rows = bridges(cluster, call)?.into_iter().map(|bridge| {
        let mut ports = Vec::new();
        for guest in cluster.guests.values().filter(|guest| guest.node == node && guest.running()) {
            for (option, value) in &guest.config {
                let on_bridge =
                    value.as_str().is_some_and(|text| text.split(',').any(|part| part == format!("bridge={bridge}")));
                if let Some(index) = option.strip_prefix("net").filter(|_| on_bridge) {
                    let name =
                        format!("{}{}i{index}", if guest.kind.as_str() == "qemu" { "tap" } else { "veth" }, guest.vmid);
                    ports.push(json!({ "name": name, "vmid": guest.vmid, "index": option }));
                }
            }
        }
        json!({ "name": bridge, "vlan_filtering": "0", "ports": ports })
    });
    ok(Value::Array(rows.collect()))
}
