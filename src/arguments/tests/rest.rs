//! Other parameters of a call, checked against the facts.

use super::statics::*;
use crate::plan::Value as Wire;
use serde_json::{Value, json};

/// Name and text of every parameter.
fn pairs(config: Value) -> Result<Vec<(String, String)>, String> {
    let rest = read(json!({ "config": config }), |f| f.rest(argument("config"), &ONLY_QEMU))?;
    let text = |value: Wire| match value {
        Wire::Text(text) => text,
        other => format!("{other:?}"),
    };
    Ok(rest.map(|rest| rest.pairs).unwrap_or_default().into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn pair(config: Value) -> (String, String) {
    let mut found = pairs(config).unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn parameters_in_any_spelling_get_their_wire_names() {
    let cases = [
        ("sockets", json!(2), ("sockets", "2")),
        ("Sockets", json!("2"), ("sockets", "2")),
        ("allow_ksm", json!("yes"), ("allow-ksm", "1")),
        ("allowKsm", json!(false), ("allow-ksm", "0")),
        ("NET31", json!("virtio=BC:24:11:00:00:01"), ("net31", "virtio=BC:24:11:00:00:01")),
        ("ipConfig0", json!({ "ip": "dhcp" }), ("ipconfig0", "ip=dhcp")),
        ("cpulimit", json!(0.5), ("cpulimit", "0.5")),
        ("agent", json!(true), ("agent", "1")),
        ("agent", json!({ "enabled": true, "type": "virtio" }), ("agent", "1,type=virtio")),
        ("tags", json!(["a", "b"]), ("tags", "a,b")),
        ("delete", json!(["net1", "ide2"]), ("delete", "net1,ide2")),
        ("sshkeys", json!("ssh-rsa A b@c"), ("sshkeys", "ssh-rsa%20A%20b%40c")),
        ("description", json!("{not json"), ("description", "{not json")),
    ];
    for (name, value, (wire, text)) in cases {
        assert_eq!(pair(json!({ name: value })), (wire.to_owned(), text.to_owned()));
    }
}

#[test]
fn an_object_may_come_as_json_text() {
    assert_eq!(pair(json!("{\"sockets\": 2}")), ("sockets".to_owned(), "2".to_owned()));
    assert_eq!(pairs(json!({})), Ok(vec![]));
    assert!(pairs(json!("sockets=2")).unwrap_err().contains("`config`: is not an object"));
    assert!(pairs(json!(["sockets"])).is_err());
}

#[test]
fn every_problem_is_told_under_its_own_name() {
    let bad = pairs(json!({
        "sokcets": 2,
        "net0": { "model": "virtoi", "brigde": "vmbr0" },
        "net99": "virtio=BC:24:11:00:00:01",
        "memory": [1],
        "onboot": "maybe",
        "bios": "uefi",
        "vmid": 100,
        "skiplock": true,
        "cores": 4,
        "unused0": "x",
        "ide2": null,
        "numa": 1,
        "NUMA": 0,
    }))
    .unwrap_err();
    let wanted = [
        "`config.sokcets`: is not a parameter of POST /nodes/{node}/qemu/{vmid}/config. Did you mean `sockets`?",
        "`config.net0.model`: is not one of the possible values (got \"virtoi\").",
        "`config.net0.brigde`: is no sub-key of this property.",
        "`config.net99`: has an index that the API does not have; `net0` to `net31` exist.",
        "`config.memory`: ",
        "`config.onboot`: type check ('boolean') failed - got 'maybe' (got \"maybe\"). Expected true or false.",
        "`config.bios`: is not one of the possible values (got \"uefi\"). Expected one of seabios, ovmf.",
        "`config.vmid`: names what the call is for; it has an argument of its own.",
        "`config.skiplock`: only root@pam itself",
        "`config.cores`: it is the argument `cores`.",
        "`config.unused0`: use delete_disk.",
        "`config.ide2`: null sets nothing; to reset it write \"delete\": \"ide2\".",
        "`config.NUMA`: `numa` is given twice; give it once.",
    ];
    for wanted in wanted {
        assert!(bad.contains(&format!("\n- {wanted}")), "{wanted}\nis not in\n{bad}");
    }
}

#[test]
fn an_indexed_name_has_a_near_name_too() {
    let bad = pairs(json!({ "nett1": "virtio" })).unwrap_err();
    assert!(bad.contains("Did you mean `net1`?"), "{bad}");
}

#[test]
fn a_secret_parameter_is_never_repeated() {
    let bad = pairs(json!({ "cipassword": ["hunter2"] })).unwrap_err();
    assert!(bad.contains("`config.cipassword`") && !bad.contains("hunter2"), "{bad}");
}

#[test]
fn with_two_kinds_it_is_told_which_method_lacks_what() {
    let given =
        json!({ "config": { "onboot": 1, "sockets": 2, "swap": 512, "net0": { "name": "eth0", "bridge": "vmbr0" } } });
    let rest = read(given, |f| f.rest(argument("config"), &BOTH)).unwrap().unwrap();
    let names: Vec<&str> = rest.pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["onboot", "sockets", "swap", "net0"]);
    let lacking: Vec<(&str, usize)> = rest.lacking.iter().map(|(name, index)| (name.as_str(), *index)).collect();
    // A network card with a name is one of a container.
    assert_eq!(lacking, [("sockets", 1), ("swap", 0), ("net0", 0)]);
    let bad = read(json!({ "config": { "swapp": 1 } }), |f| f.rest(argument("config"), &BOTH)).unwrap_err();
    assert!(bad.contains("Did you mean `swap`?"), "{bad}");
}

#[test]
fn without_facts_the_argument_s_own_counts() {
    let rest = read(json!({ "config": { "sockets": 2 } }), |f| f.rest(argument("config"), &[])).unwrap().unwrap();
    assert_eq!((rest.pairs.len(), rest.lacking.len()), (1, 0));
}
