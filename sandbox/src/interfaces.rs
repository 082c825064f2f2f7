//! The file in which a node's network stands: as text, and what differs between two states of it.
//!
//! Knows the fields of interfaces and how the file writes them; nothing of calls and of where they are kept.

use serde_json::{Map, Value};
use similar::TextDiff;

/// The fields of an interface that stand in the file, with the word that the file has for them.
const OPTIONS: [(&str, &str); 15] = [
    ("cidr", "address"),
    ("gateway", "gateway"),
    ("bridge_ports", "bridge-ports"),
    ("bridge_stp", "bridge-stp"),
    ("bridge_fd", "bridge-fd"),
    ("bridge_vlan_aware", "bridge-vlan-aware"),
    ("bridge_vids", "bridge-vids"),
    ("slaves", "bond-slaves"),
    ("bond_mode", "bond-mode"),
    ("bond-primary", "bond-primary"),
    ("bond_xmit_hash_policy", "bond-xmit-hash-policy"),
    ("vlan-raw-device", "vlan-raw-device"),
    ("vlan-id", "vlan-id"),
    ("mtu", "mtu"),
    ("ovs_bridge", "ovs_bridge"),
];

/// The file with these interfaces, each with its name in `iface`.
pub(crate) fn text(interfaces: &[Map<String, Value>]) -> String {
    let mut file = "auto lo\niface lo inet loopback\n".to_owned();
    for fields in interfaces {
        let name = show(fields.get("iface"));
        file.push('\n');
        if fields.get("autostart").is_some_and(|value| value == 1) {
            file.push_str(&format!("auto {name}\n"));
        }
        file.push_str(&format!("iface {name} inet {}\n", show(fields.get("method"))));
        for (field, word) in OPTIONS {
            match show(fields.get(field)) {
                value if value.is_empty() && field == "bridge_ports" && fields.contains_key(field) => {
                    file.push_str("\tbridge-ports none\n");
                }
                value if value.is_empty() => {}
                value if field == "bridge_vlan_aware" => {
                    file.push_str(&format!("\t{word} {}\n", if value == "1" { "yes" } else { "no" }));
                }
                value => file.push_str(&format!("\t{word} {value}\n")),
            }
        }
        if fields.get("method6").is_some_and(|method| method == "static") {
            file.push_str(&format!("\niface {name} inet6 static\n\taddress {}\n", show(fields.get("cidr6"))));
            if let Some(gateway) = fields.get("gateway6") {
                file.push_str(&format!("\tgateway {}\n", show(Some(gateway))));
            }
        }
        for line in show(fields.get("comments")).lines() {
            file.push_str(&format!("#{line}\n"));
        }
    }
    file
}

/// What changes from the one file to the other, as a unified diff; `None` if nothing does.
pub(crate) fn changes(now: &str, then: &str) -> Option<String> {
    let diff = TextDiff::from_lines(now, then);
    let mut unified = diff.unified_diff();
    let text = unified.header("/etc/network/interfaces", "/etc/network/interfaces.new").to_string();
    (!text.is_empty()).then_some(text)
}

fn show(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
