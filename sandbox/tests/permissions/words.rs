//! Refusals in the words of a 9.2, call by call.

use std::collections::BTreeSet;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{
    ask, bare_token,
    common::{Bench, send},
    ids, names, refused, token,
};

const VM_OPTIONS: &str = "(/vms/100, VM.Config.Disk|VM.Config.CDROM|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|\
                          VM.Config.HWType|VM.Config.Options|VM.Config.Cloudinit)";

/// Method, path, parameters, and what stands in the parentheses.
type Refusal<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

/// What a 9.2 answered to an auditor's token, with this cluster's guests in place of its own.
#[tokio::test]
async fn an_auditor_is_refused_in_the_servers_words() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let vm = "/nodes/pve1/qemu/100";
    let table: &[Refusal<'_>] = &[
        ("POST", "/nodes/pve1/qemu", &[("vmid", "2090")], ""),
        ("POST", &format!("{vm}/status/start"), &[], "(/vms/100, VM.PowerMgmt)"),
        ("POST", &format!("{vm}/status/start"), &[("foo", "1")], "(/vms/100, VM.PowerMgmt)"),
        ("POST", "/pools", &[], "(/pool/-, Pool.Allocate)"),
        ("POST", "/nodes/pve1/qemu/2999/status/start", &[], "(/vms/2999, VM.PowerMgmt)"),
        ("PUT", &format!("{vm}/config"), &[("memory", "128")], VM_OPTIONS),
        ("PUT", &format!("{vm}/config"), &[("net0", "virtio,bridge=vmbr0")], VM_OPTIONS),
        ("POST", &format!("{vm}/config"), &[("scsi1", "local-lvm:1")], VM_OPTIONS),
        ("PUT", &format!("{vm}/config"), &[("description", "x")], VM_OPTIONS),
        ("POST", &format!("{vm}/snapshot"), &[("snapname", "ss")], "(/vms/100, VM.Snapshot)"),
        ("POST", &format!("{vm}/snapshot/ss/rollback"), &[], "(/vms/100, VM.Snapshot|VM.Snapshot.Rollback)"),
        ("POST", &format!("{vm}/clone"), &[("newid", "2091")], "(/vms/100, VM.Clone)"),
        ("PUT", &format!("{vm}/resize"), &[("disk", "scsi0"), ("size", "+1G")], "(/vms/100, VM.Config.Disk)"),
        ("DELETE", vm, &[], "(/vms/100, VM.Allocate)"),
        ("POST", &format!("{vm}/agent/exec"), &[("command", "id")], "(/vms/100, VM.GuestAgent.Unrestricted)"),
        ("POST", &format!("{vm}/vncproxy"), &[], "(/vms/100, VM.Console)"),
        ("POST", &format!("{vm}/monitor"), &[("command", "quit")], "(/, Sys.Modify)"),
        (
            "POST",
            "/nodes/pve1/lxc",
            &[("vmid", "2190"), ("ostemplate", "local:vztmpl/debian-12-standard_12.0-1_amd64.tar.zst")],
            "",
        ),
        ("POST", "/nodes/pve1/vzdump", &[("vmid", "100")], "(/storage/local, Datastore.AllocateSpace)"),
        (
            "POST",
            "/storage",
            &[("storage", "obsdir"), ("type", "dir"), ("path", "/var/lib/obs")],
            "(/storage, Datastore.Allocate)",
        ),
        ("DELETE", "/nodes/pve1/storage/local/content/iso%2Fx.iso", &[], "(/storage/local, Datastore.Allocate)"),
        (
            "POST",
            "/nodes/pve1/storage/local/download-url",
            &[("content", "iso"), ("filename", "x.iso"), ("url", "http://127.0.0.1/x.iso")],
            "(/storage/local, Datastore.AllocateTemplate)",
        ),
        ("POST", "/access/users", &[("userid", "obs2@pve")], "(/access/realm/pve, Realm.AllocateUser)"),
        ("DELETE", "/access/users/root@pam", &[], "(/access/realm/pam, Realm.AllocateUser)"),
        (
            "PUT",
            "/access/acl",
            &[("path", "/"), ("users", "auditor@pve"), ("roles", "Administrator")],
            "(/, Permissions.Modify)",
        ),
        ("POST", "/access/roles", &[("roleid", "obsrole")], "(/access, Sys.Modify)"),
        ("POST", "/pools", &[("poolid", "obspool0")], "(/pool/obspool0, Pool.Allocate)"),
        ("POST", "/cluster/firewall/rules", &[("action", "ACCEPT"), ("type", "in")], "(/, Sys.Modify)"),
        ("PUT", &format!("{vm}/firewall/options"), &[("enable", "1")], "(/vms/100, VM.Config.Network)"),
        ("POST", "/nodes/pve1/status", &[("command", "reboot")], "(/nodes/pve1, Sys.PowerMgmt)"),
        ("POST", "/nodes/pve1/network", &[("iface", "vmbr9"), ("type", "bridge")], "(/nodes/pve1, Sys.Modify)"),
        ("POST", "/nodes/pve1/vncshell", &[], "(/nodes/pve1, Sys.Console)"),
        ("POST", "/cluster/backup", &[("all", "1"), ("storage", "local"), ("schedule", "daily")], "(/, Sys.Modify)"),
        ("POST", "/cluster/ha/resources", &[("sid", "vm:100")], "(/, Sys.Console)"),
        ("POST", "/cluster/sdn/zones", &[("zone", "obsz"), ("type", "simple")], "(/sdn/zones, SDN.Allocate)"),
        ("PUT", "/cluster/options", &[("description", "x")], "(/, Sys.Modify)"),
        (
            "POST",
            "/cluster/mapping/dir",
            &[("id", "obsmap"), ("map", "node=pve1,path=/var/lib/vz")],
            "(/mapping/dir, Mapping.Modify)",
        ),
    ];
    for (verb, path, params, text) in table {
        let text = format!("Permission check failed {text}");
        let answer = ask(&bench, &auditor, verb, path, params).await;
        assert_eq!(answer.failure(), refused(text.trim_end()), "{verb} {path} {params:?}");
        assert_eq!(answer.reason, text.trim_end(), "{verb} {path}");
        assert_eq!(answer.body["data"], Value::Null);
    }
    // Looking into the monitor is what an auditor may do.
    let looks = ask(&bench, &auditor, "POST", &format!("{vm}/monitor"), &[("command", "info status")]).await;
    assert_eq!(looks.status, 200, "{looks:?}");
    // In the other format the refusal is a success with a text for a status.
    let extjs = bench.url("/pools").replace("/json/", "/extjs/");
    let header = format!("PVEAPIToken={auditor}");
    let answer = send(bench.http.post(extjs).header("Authorization", header).form(&[("poolid", "x")])).await;
    let text = "Permission check failed (/pool/x, Pool.Allocate)\n";
    assert_eq!(answer.body, json!({ "data": null, "status": "403", "success": 0, "message": text }));
}

#[tokio::test]
async fn parameters_are_looked_at_before_what_methods_check_themselves_and_after_what_the_path_demands() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let missing = ask(&bench, &auditor, "POST", "/nodes/pve1/qemu", &[]).await;
    assert_eq!(missing.error("vmid"), "property is missing and it is not optional");
    let unknown = ask(&bench, &auditor, "POST", "/nodes/pve1/qemu", &[("vmid", "2090"), ("foo", "1")]).await;
    assert!(unknown.error("foo").starts_with("property is not defined in schema"));
    // Whatever stands in a path that cannot be is named by nothing, even for a token with all rights.
    let odd = bench.post("/pools", &[("poolid", "obs pool")]).await;
    assert_eq!(odd.failure(), refused("Permission check failed (, Pool.Allocate)"));
    let looks = ask(&bench, &auditor, "GET", "/nodes/pve1/qemu/100/config", &[]).await;
    assert_eq!(looks.data()["name"], "web-server");
    assert_eq!(ids(&ask(&bench, &auditor, "GET", "/nodes/pve1/qemu", &[]).await), [100, 102, 9000]);
}

/// What a 9.2 answered to a token that nobody gave anything: it can be let in and see nearly nothing.
#[tokio::test]
async fn a_separate_token_without_roles_sees_nothing_although_its_user_sees_all() {
    let bench = Bench::start().await;
    let bare = bare_token(&bench);
    let get = async |path: &str| ask(&bench, &bare, "GET", path, &[]).await;
    for (path, text) in [
        ("/nodes/pve1/qemu/100/config", "(/vms/100, VM.Audit)"),
        ("/nodes/pve1/qemu/100/status/current", "(/vms/100, VM.Audit)"),
        ("/nodes/pve1/qemu/2999/config", "(/vms/2999, VM.Audit)"),
        ("/nodes/pve1/status", "(/nodes/pve1, Sys.Audit)"),
        ("/nodes/obsnone/status", "(/nodes/obsnone, Sys.Audit)"),
        ("/nodes/pve1/storage/local/content", "(/storage/local, Datastore.Audit|Datastore.AllocateSpace)"),
        ("/cluster/firewall/rules", "(/, Sys.Audit)"),
        ("/cluster/status", "(/, Sys.Audit)"),
    ] {
        assert_eq!(get(path).await.failure(), refused(&format!("Permission check failed {text}")), "{path}");
    }
    for path in [
        "/nodes/pve1/qemu",
        "/nodes/pve1/lxc",
        "/nodes/pve1/tasks",
        "/nodes/pve1/storage",
        "/cluster/tasks",
        "/storage",
        "/access/users",
        "/access/groups",
        "/access/acl",
        "/pools",
    ] {
        assert_eq!(get(path).await.data(), &json!([]), "{path}");
    }
    assert_eq!(get("/nodes/pve1/tasks").await.body["total"].as_u64().unwrap_or(0), 0);
    assert_eq!(get("/version").await.data()["release"], "9.2");
    assert_eq!(get("/access/permissions").await.data(), &json!({}));
    assert_eq!(get("/cluster/options").await.data(), &json!({ "allowed-tags": [] }));
    assert!(get("/cluster/nextid").await.data().is_string());
    assert_eq!(get("/access/roles").await.data().as_array().map(Vec::len), Some(17));
    let taken = ask(&bench, &bare, "GET", "/cluster/nextid", &[("vmid", "100")]).await;
    assert_eq!(taken.error("vmid"), "VM 100 already exists");
    let keys = |row: &Value| {
        row.as_object()
            .map(|row| row.keys().cloned().collect::<BTreeSet<_>>())
            .unwrap_or_default()
            .into_iter()
            .collect::<Vec<_>>()
    };
    let nodes = get("/nodes").await;
    assert_eq!(keys(&nodes.data()[0]), ["id", "level", "node", "ssl_fingerprint", "status", "type"]);
    let resources = get("/cluster/resources").await;
    assert_eq!(names(&resources, "id"), ["node/pve1", "node/pve2", "node/pve3"]);
    assert_eq!(keys(&resources.data()[0]), ["cgroup-mode", "id", "level", "node", "status", "type"]);
}

#[tokio::test]
async fn an_unwanted_upload_is_refused_with_an_empty_body() {
    let bench = Bench::start().await;
    let path = "/nodes/pve1/storage/local/upload";
    let form = || Form::new().text("content", "iso").part("filename", Part::bytes(vec![0; 300]).file_name("x.iso"));
    let as_who = |token: &str| {
        bench.http.post(bench.url(path)).header("Authorization", format!("PVEAPIToken={token}")).multipart(form())
    };
    let denied = send(as_who(bench.sandbox.auditor_token())).await;
    assert_eq!((denied.status, denied.text.as_str()), (403, ""));
    assert_eq!(denied.reason, "Permission check failed (/storage/local, Datastore.AllocateTemplate)");
    let who = token(&bench, "uploader", &[("/storage/local", "PVEDatastoreAdmin", true)]);
    send(as_who(&who)).await.upid();
}
