//! From path and parameters to a request, without a network; and every reason why there is none.

use crate::calls::has;
use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::{Given, prepare_with};
use proxmox_mcp::plan::Plan;
use proxmox_mcp::tool::{Effect, Tier};
use serde_json::{Value, json};

fn plan(arguments: &Value) -> Result<Plan, String> {
    let surface = catalogue::surface("call_api").expect("the tool is there");
    let mut fields = Fields::new(surface, arguments.as_object());
    (surface.tool.plan)(&mut fields).map_err(|bad| bad.to_string())
}

#[track_caller]
fn sends(method: &str, path: &str, params: Value) -> String {
    let plan = plan(&json!({"method": method, "path": path, "params": params})).unwrap_or_else(|bad| panic!("{bad}"));
    let requests = prepare_with(&plan, &Given::default()).unwrap_or_else(|failure| panic!("{failure}"));
    requests.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn refused(method: &str, path: &str, params: Value) -> String {
    match plan(&json!({"method": method, "path": path, "params": params})) {
        Ok(plan) => panic!("{method} {path} was planned: {plan:?}"),
        Err(bad) => bad,
    }
}

#[test]
fn a_path_may_be_written_in_any_honest_way() {
    let wanted = "GET /nodes/pve1/qemu/100/config current=1";
    for path in [
        "/nodes/pve1/qemu/100/config",
        "nodes/pve1/qemu/100/config/",
        "/api2/json/nodes/pve1/qemu/100/config",
        "https://pve1:8006/api2/json/nodes/pve1/qemu/100/config",
    ] {
        assert_eq!(sends("GET", path, json!({"current": true})), wanted);
    }
    let given = json!({"node": "pve1", "vmid": 100, "current": 1});
    assert_eq!(sends("GET", "/nodes/{node}/qemu/{vmid}/config", given.clone()), wanted);
    assert_eq!(sends("GET", "/nodes/pve1/qemu/100/config", given), wanted);
    let other_names = json!({"id": 100, "host": "pve1", "current": 1});
    assert_eq!(sends("GET", "/nodes/{host}/qemu/{id}/config", other_names), wanted);
}

#[test]
fn the_end_of_a_path_takes_slashes_only_where_the_api_does() {
    assert_eq!(
        sends("DELETE", "/nodes/pve1/storage/local/content/local:iso/debian.iso", json!({})),
        "DELETE /nodes/pve1/storage/local/content/local:iso/debian.iso"
    );
    let volume = json!({"volume": "local:iso/debian.iso"});
    assert_eq!(
        sends("DELETE", "/nodes/pve1/storage/local/content/{volume}", volume),
        "DELETE /nodes/pve1/storage/local/content/local:iso/debian.iso"
    );
    let slashes = json!({"node": "pve1/qemu/100"});
    has(&refused("GET", "/nodes/{node}/status", slashes), &["node"]);
}

#[test]
fn no_value_leads_to_another_path() {
    for vmid in ["..", "100/../101", "100%2f..%2f101", "%2e%2e", "100\u{0}", ""] {
        let params = json!({"node": "pve1", "vmid": vmid});
        has(&refused("GET", "/nodes/{node}/qemu/{vmid}/config", params), &["vmid"]);
    }
    for path in ["/nodes/pve1/../../access/users", "/nodes/%2e%2e/status", "/nodes/pve1/qemu/%2e%2e/config"] {
        refused("GET", path, json!({}));
    }
    has(&refused("GET", "/nodes/pve1/qemu/100/config?current=1", json!({})), &["query", "`params`"]);
    has(
        &refused("GET", "/nodes/pve1/qemu/100/config", json!({"vmid": 101})),
        &["`100`", "something else", "give it once"],
    );
}

#[test]
fn parameters_are_what_the_facts_say() {
    assert_eq!(
        sends(
            "PUT",
            "/nodes/pve1/qemu/100/config",
            json!({"cores": "4", "onboot": true, "net0": {"model": "virtio", "bridge": "vmbr0"}, "tags": ["a", "b"]})
        ),
        "PUT /nodes/pve1/qemu/100/config cores=4 onboot=1 net0=virtio,bridge=vmbr0 tags=a,b"
    );
    let near = refused("PUT", "/nodes/pve1/qemu/100/config", json!({"corse": 4}));
    has(&near, &["params.corse", "is not a parameter of PUT /nodes/{node}/qemu/{vmid}/config", "`cores`"]);
    has(&refused("PUT", "/nodes/pve1/qemu/100/config", json!({"cores": 0})), &["params.cores", "minimum"]);
    has(&refused("PUT", "/nodes/pve1/qemu/100/config", json!({"bios": "coreboot"})), &["seabios, ovmf"]);
    has(&refused("PUT", "/nodes/pve1/qemu/100/config", json!({"args": "-s"})), &["root@pam", "no API token"]);
    has(&refused("PUT", "/nodes/pve1/qemu/100/config", json!({"cores": null})), &["\"delete\": \"cores\""]);
    let all = refused("POST", "/nodes/pve1/qemu/100/snapshot", json!({"snapnam": "x", "vmstate": "perhaps"}));
    has(&all, &["params.snapnam", "`snapname`", "params.vmstate"]);
    has(&refused("POST", "/nodes/pve1/qemu/100/snapshot", json!({})), &["params.snapname", "missing and required"]);
    has(&refused("GET", "/nodes/pve1/qemu/abc/config", json!({})), &["`vmid`"]);
}

#[test]
fn what_does_not_exist_is_told_with_what_does() {
    has(&refused("GET", "/nodes/pve1/qemus/100/config", json!({})), &["/nodes/{node}/qemu/{vmid}/config"]);
    has(&refused("DELETE", "/nodes/pve1/qemu/100/config", json!({})), &["has no DELETE", "GET, POST, PUT"]);
    has(&refused("PATCH", "/version", json!({})), &["GET, POST, PUT, DELETE"]);
}

#[test]
fn what_cannot_go_this_way_is_refused_with_the_reason() {
    let upload = refused("POST", "/nodes/pve1/storage/local/upload", json!({"content": "iso", "filename": "a.iso"}));
    has(&upload, &["takes a file", "`upload_file`"]);
    let file = json!({"volume": "pbs:x", "filepath": "/"});
    has(&refused("GET", "/nodes/pve1/storage/pbs/file-restore/download", file), &["answers with a file"]);
    has(&refused("POST", "/nodes/pve1/qemu/100/vncproxy", json!({})), &["console"]);
    has(&refused("POST", "/access/users/a@pve/token/ci", json!({})), &["credential", "pvesh"]);
}

#[test]
fn a_secret_is_never_repeated() {
    let path = "/nodes/pve1/qemu/100/config";
    let sent = sends("PUT", path, json!({"cipassword": "hunter2"}));
    assert!(sent.contains("cipassword=***") && !sent.contains("hunter2"), "{sent}");
    for params in [json!({"cipassword": ["hunter2", "hunter2"]}), json!({"cipassword": {"a": "hunter2"}})] {
        let bad = refused("PUT", path, params);
        assert!(bad.contains("cipassword") && !bad.contains("hunter2"), "{bad}");
    }
}

#[test]
fn every_call_brings_its_verdict() {
    let needs = |method: &str, path: &str, params: Value| {
        let plan = plan(&json!({"method": method, "path": path, "params": params})).expect("a plan");
        plan.raises.iter().map(|raise| (raise.tier, raise.effect)).max()
    };
    assert_eq!(needs("GET", "/cluster/resources", json!({})), Some((Tier::Read, Effect::None)));
    assert_eq!(needs("GET", "/access/users/a@pve", json!({})), Some((Tier::Admin, Effect::None)));
    assert_eq!(needs("POST", "/nodes/pve1/qemu/100/status/start", json!({})), Some((Tier::Operate, Effect::Changes)));
    assert_eq!(needs("DELETE", "/pools/p", json!({})), Some((Tier::Admin, Effect::Destroys)));
}
