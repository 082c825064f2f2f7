//! Who may come in and who may do what: tokens, tickets, roles, propagation, pools, and the refusals word for word.

mod common;

use common::{Answer, Bench, send};
use proxmox_sandbox::Options;
use proxmox_spec::{Kind, Segment, Verb};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

/// A request of somebody else than the sandbox's own token; parameters go where the method wants them.
async fn ask(bench: &Bench, token: &str, verb: &str, path: &str, params: &[(&str, &str)]) -> Answer {
    let method = Method::from_bytes(verb.as_bytes()).expect("a method");
    let request = bench.http.request(method, bench.url(path)).header("Authorization", format!("PVEAPIToken={token}"));
    send(match verb {
        "GET" | "DELETE" => request.query(params),
        _ => request.form(params),
    })
    .await
}

/// A token of a user of its own, with these roles.
fn token(bench: &Bench, user: &str, entries: &[(&str, &str, bool)]) -> String {
    let userid = format!("{user}@pve");
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token(&userid, "test", false, entries));
    format!("{userid}!test={secret}")
}

/// A token that nobody gave anything: separate from its user, who may look at everything.
fn bare_token(bench: &Bench) -> String {
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token("auditor@pve", "bare", true, &[]));
    format!("auditor@pve!bare={secret}")
}

fn refused(text: &str) -> (u16, &str) {
    (403, text)
}

fn names<'a>(answer: &'a Answer, field: &str) -> Vec<&'a str> {
    answer.data().as_array().expect("a list").iter().filter_map(|row| row[field].as_str()).collect()
}

fn ids(answer: &Answer) -> Vec<u64> {
    answer.data().as_array().expect("a list").iter().filter_map(|row| row["vmid"].as_u64()).collect()
}

const VM_OPTIONS: &str = "(/vms/100, VM.Config.Disk|VM.Config.CDROM|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|\
                          VM.Config.HWType|VM.Config.Options|VM.Config.Cloudinit)";

/// What a 9.2 answered to an auditor's token, with this cluster's guests in place of its own.
#[tokio::test]
async fn an_auditor_is_refused_in_the_servers_words() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let vm = "/nodes/pve1/qemu/100";
    let table: &[(&str, &str, &[(&str, &str)], &str)] = &[
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
    assert_eq!(get("/nodes/pve1/tasks").await.body["total"], 0);
    assert_eq!(get("/version").await.data()["release"], "9.2");
    assert_eq!(get("/access/permissions").await.data(), &json!({}));
    assert_eq!(get("/cluster/options").await.data(), &json!({ "allowed-tags": [] }));
    assert!(get("/cluster/nextid").await.data().is_string());
    assert_eq!(get("/access/roles").await.data().as_array().map(Vec::len), Some(17));
    let taken = ask(&bench, &bare, "GET", "/cluster/nextid", &[("vmid", "100")]).await;
    assert_eq!(taken.error("vmid"), "VM 100 already exists");
    let keys = |row: &Value| row.as_object().map(|row| row.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let nodes = get("/nodes").await;
    assert_eq!(keys(&nodes.data()[0]), ["id", "level", "node", "ssl_fingerprint", "status", "type"]);
    let resources = get("/cluster/resources").await;
    assert_eq!(names(&resources, "id"), ["node/pve1", "node/pve2", "node/pve3"]);
    assert_eq!(keys(&resources.data()[0]), ["cgroup-mode", "id", "level", "node", "status", "type"]);
}

#[tokio::test]
async fn authentication_fails_in_the_servers_words() {
    let bench = Bench::with(Options { auth_delay: std::time::Duration::from_millis(1), ..Options::default() }).await;
    let good = bench.sandbox.token().to_owned();
    let (id, secret) = good.split_once('=').expect("a secret");
    let with =
        async |value: String, path: &str| send(bench.http.get(bench.url(path)).header("Authorization", value)).await;
    for value in [
        format!("PVEAPIToken={id}=00000000-0000-0000-0000-000000000000"),
        format!("PVEAPIToken=root@pam!none={secret}"),
        format!("PVEAPIToken=nobody@pve!x={secret}"),
        format!("PVEAPIToken={id}:{secret}"),
        format!("PVEAPIToken=root@pam={secret}"),
        "PVEAPIToken=foo".to_owned(),
    ] {
        let answer = with(value.clone(), "/version").await;
        assert_eq!((answer.status, answer.reason.as_str()), (401, "Authentication failed!"), "{value}");
        assert_eq!(answer.text, "");
    }
    for value in [format!("pveapitoken={good}"), format!("Bearer {good}")] {
        assert_eq!(with(value, "/version").await.reason, "No ticket");
    }
    assert_eq!(with("Bearer x".to_owned(), "/nope").await.reason, "No ticket");
    assert_eq!(with(format!("PVEAPIToken {good}"), "/version").await.status, 200);
    assert_eq!(with("PVEAPIToken=foo".to_owned(), "/access/domains").await.status, 200, "nobody is asked there");
    let login =
        send(bench.http.post(bench.url("/access/ticket")).form(&[("username", "x@pve"), ("password", "y")])).await;
    assert_eq!(login.failure(), (401, "authentication failure"));
    let ticket = bench.post("/access/ticket", &[("username", "x@pve"), ("password", "y")]).await;
    assert_eq!(
        ticket.failure(),
        refused("Permission check failed (URI '/access/ticket' not available with API token, need proper ticket.\n)")
    );
}

#[tokio::test]
async fn disabled_and_expired_users_and_expired_tokens_stay_outside() {
    let bench = Bench::start().await;
    let who = token(&bench, "guest", &[]);
    let status = async || ask(&bench, &who, "GET", "/version", &[]).await.status;
    let (user, own) = ("/access/users/guest@pve", "/access/users/guest@pve/token/test");
    assert_eq!(status().await, 200);
    for (path, fields) in [(user, ("enable", "0")), (user, ("expire", "1000")), (own, ("expire", "1000"))] {
        bench.put(path, &[fields]).await.data();
        assert_eq!(status().await, 401, "{path} {fields:?}");
        bench.put(path, &[(fields.0, if fields.0 == "enable" { "1" } else { "0" })]).await.data();
        assert_eq!(status().await, 200, "{path} {fields:?}");
    }
    bench.put(own, &[("regenerate", "1")]).await.data();
    assert_eq!(status().await, 401);
    bench.delete(user).await.data();
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_user_logs_in_with_the_password_he_was_given() {
    let bench = Bench::start().await;
    bench.post("/access/users", &[("userid", "carol@pve"), ("password", "first-password")]).await.data();
    bench.put("/access/acl", &[("path", "/vms"), ("users", "carol@pve"), ("roles", "PVEVMUser")]).await.data();
    let log_in = async |password: &str| {
        send(bench.http.post(bench.url("/access/ticket")).form(&[("username", "carol@pve"), ("password", password)]))
            .await
    };
    let answer = log_in("first-password").await;
    let ticket = answer.data().clone();
    assert_eq!(ticket["cap"]["vms"]["VM.PowerMgmt"], 1);
    assert_eq!(ticket["cap"]["nodes"], json!({}));
    assert_eq!(ticket.get("clustername"), None, "that takes Sys.Audit");
    let text = |name: &str| ticket[name].as_str().expect("a text").to_owned();
    let with_ticket = |method: Method, path: &str| {
        let request = bench.http.request(method, bench.url(path));
        request
            .header("Cookie", format!("PVEAuthCookie={}", text("ticket")))
            .header("CSRFPreventionToken", text("CSRFPreventionToken"))
    };
    let change = [("userid", "carol@pve"), ("password", "second-password")];
    let unconfirmed = send(with_ticket(Method::PUT, "/access/password").form(&change)).await;
    assert_eq!(unconfirmed.error("confirmation-password"), "password is required to modify user");
    let confirmed = [change[0], change[1], ("confirmation-password", "first-password")];
    send(with_ticket(Method::PUT, "/access/password").form(&confirmed)).await.data();
    assert_eq!(log_in("first-password").await.status, 401);
    assert_eq!(log_in("second-password").await.status, 200);
    let other = [("userid", "alice@pve"), ("password", "other-password")];
    let denied = send(with_ticket(Method::PUT, "/access/password").form(&other)).await;
    assert_eq!(denied.failure(), refused("Permission check failed"));
    let start = send(with_ticket(Method::POST, "/nodes/pve1/qemu/102/status/start")).await;
    assert!(start.upid().ends_with("carol@pve:"));
}

/// Role and path, a call, and what is missing for it (nothing = it is allowed).
#[tokio::test]
async fn roles_allow_what_they_say_and_no_more() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let table: &[Row<'_>] = &[
        (&[("/vms/102", "PVEVMUser")], "POST", "/nodes/pve1/qemu/102/status/start", &[], None),
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/qemu/100/status/stop",
            &[],
            Some("(/vms/100, VM.PowerMgmt)"),
        ),
        (&[("/vms", "PVEVMUser")], "POST", "/nodes/pve2/qemu/110/status/start", &[], None),
        // Options, one by one.
        (&[("/vms", "PVEVMAdmin")], "PUT", "/nodes/pve2/qemu/110/config", &[("memory", "2048"), ("tags", "a")], None),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("memory", "2048")],
            Some("(/vms/110, VM.Config.Memory)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("cores", "2")],
            Some("(/vms/110, VM.Config.CPU)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("delete", "description")],
            Some("(/vms/110, VM.Config.Options)"),
        ),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("delete", "scsi0")],
            Some("(/vms/110, VM.Config.Disk)"),
        ),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/qemu/110/config", &[("ciuser", "me")], None),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/qemu/110/config", &[("ide2", "none,media=cdrom")], None),
        (
            &[("/vms", "PVEVMUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("ide2", "local:iso/ubuntu-22.04.iso,media=cdrom")],
            Some("(/storage/local, Datastore.AllocateSpace|Datastore.Audit)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("startup", "order=1")],
            Some("(/, Sys.Modify)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0")],
            Some("(/sdn/zones/localnetwork/vmbr0, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn/zones/localnetwork", "PVESDNUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0")],
            None,
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn/zones/localnetwork/vmbr0/5", "PVESDNUser")],
            "PUT",
            "/nodes/pve2/qemu/110/config",
            &[("net1", "virtio,bridge=vmbr0,tag=6")],
            Some("(/sdn/zones/localnetwork/vmbr0/6, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve2/qemu/110/config",
            &[("scsi1", "local-lvm:1")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/storage/local-lvm", "PVEDatastoreUser")],
            "POST",
            "/nodes/pve2/qemu/110/config",
            &[("scsi1", "local-lvm:1")],
            None,
        ),
        (&[("/vms", "PVEVMUser")], "PUT", "/nodes/pve2/lxc/202/config", &[("memory", "64")], Some(CT_OPTIONS)),
        (&[("/vms", "PVEVMAdmin")], "PUT", "/nodes/pve2/lxc/202/config", &[("memory", "64"), ("hostname", "x")], None),
        (
            &[("/vms", "PVEVMAdmin")],
            "PUT",
            "/nodes/pve2/lxc/202/config",
            &[("mp0", "local-lvm:1,mp=/x")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        // New guests.
        (&[("/vms/300", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "300"), ("memory", "512")], None),
        (&[("/vms/300", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "301")], Some("")),
        (&[("/pool/lab", "PVEVMAdmin")], "POST", "/nodes/pve1/qemu", &[("vmid", "302"), ("memory", "512")], Some("")),
        (
            &[("/pool/lab", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "302"), ("pool", "lab"), ("memory", "512")],
            None,
        ),
        (
            &[("/pool/lab", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "303"), ("pool", "none")],
            Some("(pool 'none' does not exist)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu",
            &[("vmid", "304"), ("scsi0", "local-lvm:1")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms", "PVEVMAdmin")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305")],
            Some("(/sdn/zones/localnetwork/vmbr0, SDN.Use)"),
        ),
        (
            &[("/vms", "PVEVMAdmin"), ("/sdn", "PVESDNUser")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305")],
            Some("(/storage/local-lvm, Datastore.AllocateSpace)"),
        ),
        (&[("/vms/9000", "PVETemplateUser")], "POST", "/nodes/pve1/qemu/9000/clone", &[("newid", "305")], Some("")),
        (
            &[("/vms/9000", "PVETemplateUser")],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305"), ("pool", "lab")],
            Some(""),
        ),
        (
            &[
                ("/vms/9000", "PVETemplateUser"),
                ("/pool/lab", "PVEVMAdmin"),
                ("/sdn", "PVESDNUser"),
                ("/storage", "PVEDatastoreUser"),
            ],
            "POST",
            "/nodes/pve1/qemu/9000/clone",
            &[("newid", "305"), ("pool", "lab")],
            None,
        ),
        // Backups.
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/vzdump",
            &[("vmid", "102"), ("storage", "backup-nas")],
            Some("(/storage/backup-nas, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms/102", "PVEVMUser"), ("/storage/backup-nas", "PVEDatastoreUser")],
            "POST",
            "/nodes/pve1/vzdump",
            &[("vmid", "102"), ("storage", "backup-nas")],
            None,
        ),
        (
            &[("/vms/100", "PVEVMUser")],
            "DELETE",
            "/nodes/pve1/storage/backup-nas/content/backup%2Fvzdump-qemu-100-2024_01_01-12_00_00.vma.zst",
            &[],
            Some("(/storage/backup-nas, Datastore.AllocateSpace)"),
        ),
        (
            &[("/vms/100", "PVEVMUser"), ("/storage", "PVEDatastoreUser")],
            "DELETE",
            "/nodes/pve1/storage/backup-nas/content/backup%2Fvzdump-qemu-100-2024_01_01-12_00_00.vma.zst",
            &[],
            None,
        ),
        // Many at once.
        (&[("/vms/102", "PVEVMUser")], "POST", "/cluster/bulk-action/guest/start", &[], Some("(/, VM.PowerMgmt)")),
        (&[("/vms/102", "PVEVMUser")], "POST", "/cluster/bulk-action/guest/start", &[("vms", "102")], None),
        (
            &[("/vms/102", "PVEVMUser")],
            "POST",
            "/nodes/pve1/stopall",
            &[("vms", "102,100")],
            Some("(/vms/100, VM.PowerMgmt)"),
        ),
        // Who gives members to a pool gives rights on them.
        (
            &[("/pool/lab", "PVEPoolAdmin")],
            "PUT",
            "/pools/lab",
            &[("vms", "102")],
            Some("(/vms/102, Permissions.Modify|VM.Allocate)"),
        ),
        (&[("/pool/lab", "PVEPoolAdmin"), ("/vms", "PVEVMAdmin")], "PUT", "/pools/lab", &[("vms", "102")], None),
        (
            &[("/pool/lab", "PVEPoolAdmin")],
            "PUT",
            "/access/acl",
            &[("path", "/pool/lab"), ("users", "alice@pve"), ("roles", "PVEPoolUser")],
            None,
        ),
        (
            &[("/", "PVEAdmin")],
            "PUT",
            "/access/acl",
            &[("path", "/"), ("users", "alice@pve"), ("roles", "PVEAuditor")],
            Some("(/, Permissions.Modify)"),
        ),
        // Users, through the groups they are in.
        (
            &[("/access/groups/operators", "PVEUserAdmin")],
            "PUT",
            "/access/users/alice@pve",
            &[("comment", "x"), ("groups", "operators")],
            None,
        ),
        (&[("/access/groups/operators", "PVEUserAdmin")], "GET", "/access/users/auditor@pve", &[], Some("")),
        (
            &[("/access/groups/operators", "PVEUserAdmin")],
            "PUT",
            "/access/users/alice@pve",
            &[("comment", "x")],
            Some("(/access/groups, User.Modify)"),
        ),
        // Never for a token, whatever it has.
        (
            &[("/", "Administrator")],
            "PUT",
            "/access/password",
            &[("userid", "alice@pve"), ("password", "long-enough")],
            Some("(URI '/access/password' not available with API token, need proper ticket.\n)"),
        ),
        (&[("/", "Administrator")], "POST", "/nodes/pve1/execute", &[("commands", "[]")], Some("(user != root@pam)")),
    ];
    for (place, (entries, verb, path, params, missing)) in table.iter().enumerate() {
        let entries: Vec<(&str, &str, bool)> = entries.iter().map(|(path, role)| (*path, *role, true)).collect();
        let who = token(&bench, &format!("row{place}"), &entries);
        let answer = ask(&bench, &who, verb, path, params).await;
        match missing {
            None => assert_eq!(answer.status, 200, "{entries:?} {verb} {path} {params:?}: {answer:?}"),
            Some(text) => {
                let text = format!("Permission check failed {text}");
                assert_eq!(answer.failure(), refused(text.trim_end()), "{entries:?} {verb} {path} {params:?}");
            }
        }
    }
}

const CT_OPTIONS: &str =
    "(/vms/202, VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.Options)";

#[tokio::test]
async fn an_entry_reaches_below_its_path_unless_it_says_otherwise() {
    let bench = Bench::start().await;
    let reaching = token(&bench, "reaching", &[("/vms", "PVEVMUser", true)]);
    let staying = token(&bench, "staying", &[("/vms", "PVEVMUser", false)]);
    let hole = token(&bench, "hole", &[("/", "PVEAuditor", true), ("/vms/100", "NoAccess", true)]);
    let list = async |who: &str| ids(&ask(&bench, who, "GET", "/nodes/pve1/qemu", &[]).await);
    assert_eq!(list(&reaching).await, [100, 102, 9000]);
    assert_eq!(list(&staying).await, [] as [u64; 0]);
    assert_eq!(list(&hole).await, [102, 9000]);
    let resources = ask(&bench, &hole, "GET", "/cluster/resources", &[("type", "vm")]).await;
    assert!(!ids(&resources).contains(&100) && ids(&resources).contains(&101));
    let denied = ask(&bench, &hole, "GET", "/nodes/pve1/qemu/100/config", &[]).await;
    assert_eq!(denied.failure(), refused("Permission check failed (/vms/100, VM.Audit)"));
}

#[tokio::test]
async fn a_separate_token_needs_a_role_of_its_own_and_its_users() {
    let bench = Bench::start().await;
    let start = "/nodes/pve1/qemu/102/status/start";
    let secret = bench
        .sandbox
        .with_cluster(|cluster| cluster.add_token("dave@pve", "own", true, &[("/vms", "PVEVMUser", true)]));
    let who = format!("dave@pve!own={secret}");
    let denied = ask(&bench, &who, "POST", start, &[]).await;
    assert_eq!(denied.failure(), refused("Permission check failed (/vms/102, VM.PowerMgmt)"));
    bench.sandbox.with_cluster(|cluster| cluster.grant("dave@pve", "/vms/102", "PVEVMUser", true));
    ask(&bench, &who, "POST", start, &[]).await.upid();
    // The usual way out: a token that is not separate has what its user has.
    bench.put("/access/users/dave@pve/token/own", &[("privsep", "0")]).await.data();
    assert_eq!(ids(&ask(&bench, &who, "GET", "/nodes/pve1/qemu", &[]).await), [102]);
}

#[tokio::test]
async fn members_of_a_pool_come_and_go_with_its_roles() {
    let bench = Bench::start().await;
    let who = token(&bench, "pooled", &[("/pool/production", "PVEVMUser", true)]);
    let all = async || ids(&ask(&bench, &who, "GET", "/cluster/resources", &[("type", "vm")]).await);
    assert_eq!(all().await, [100, 101]);
    bench.put("/pools/production", &[("vms", "202"), ("storage", "backup-nas")]).await.data();
    assert_eq!(all().await, [100, 101, 202]);
    bench.put("/pools/production", &[("vms", "100"), ("delete", "1")]).await.data();
    assert_eq!(all().await, [101, 202]);
    bench
        .put("/access/acl", &[("path", "/pool/production"), ("users", "pooled@pve"), ("roles", "PVEDatastoreUser")])
        .await
        .data();
    let storages = ask(&bench, &who, "GET", "/storage", &[]).await;
    assert_eq!(names(&storages, "storage"), ["backup-nas"]);
    let members = [("path", "/vms/101"), ("users", "pooled@pve"), ("roles", "NoAccess")];
    bench.put("/access/acl", &members).await.data();
    assert_eq!(all().await, [202]);
    // Through a group: alice is an operator.
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token("alice@pve", "own", false, &[]));
    let alice = format!("alice@pve!own={secret}");
    assert_eq!(ids(&ask(&bench, &alice, "GET", "/nodes/pve2/lxc", &[]).await), [202]);
}

#[tokio::test]
async fn tasks_of_others_are_told_to_who_may_look_at_the_node() {
    let bench = Bench::start().await;
    let who = token(&bench, "starter", &[("/vms/102", "PVEVMUser", true)]);
    let bare = bare_token(&bench);
    let auditor = bench.sandbox.auditor_token().to_owned();
    let own = ask(&bench, &who, "POST", "/nodes/pve1/qemu/102/status/start", &[]).await.upid();
    let foreign = bench.post("/nodes/pve1/qemu/9000/status/start", &[]).await.upid();
    let list = ask(&bench, &who, "GET", "/nodes/pve1/tasks", &[("source", "all")]).await;
    assert_eq!((names(&list, "upid"), &list.body["total"]), (vec![own.as_str()], &json!(1)));
    assert_eq!(names(&ask(&bench, &who, "GET", "/cluster/tasks", &[]).await, "upid"), [own.as_str()]);
    let task = |upid: &str, part: &str| format!("/nodes/pve1/tasks/{upid}{part}");
    assert_eq!(ask(&bench, &who, "GET", &task(&own, "/status"), &[]).await.status, 200);
    assert_eq!(ask(&bench, &who, "GET", &task(&own, "/log"), &[]).await.status, 200);
    let denied = refused("Permission check failed (/nodes/pve1, Sys.Audit)");
    for part in ["/status", "/log"] {
        assert_eq!(ask(&bench, &bare, "GET", &task(&foreign, part), &[]).await.failure(), denied);
        assert_eq!(ask(&bench, &auditor, "GET", &task(&foreign, part), &[]).await.status, 200);
    }
    let stop = ask(&bench, &auditor, "DELETE", &task(&foreign, ""), &[]).await;
    assert_eq!(stop.failure(), refused("Permission check failed (/nodes/pve1, Sys.Modify)"));
    let unknown =
        ask(&bench, &bare, "GET", &task("UPID:pve1:00000001:00000001:00000001:x:1:root@pam:", "/status"), &[]).await;
    assert_eq!(unknown.error("upid"), "no such task");
}

#[tokio::test]
async fn content_shows_what_may_be_used() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let content = async |who: &str, storage: &str| {
        let answer = ask(&bench, who, "GET", &format!("/nodes/pve1/storage/{storage}/content"), &[]).await;
        names(&answer, "volid").iter().map(|volid| (*volid).to_owned()).collect::<Vec<_>>()
    };
    // Who only looks sees installers and templates, and no disks and no backups.
    assert!(content(&auditor, "local").await.contains(&"local:iso/ubuntu-22.04.iso".to_owned()));
    assert_eq!(content(&auditor, "local-lvm").await, [] as [&str; 0]);
    assert_eq!(content(&auditor, "pbs").await, [] as [&str; 0]);
    let who = token(&bench, "owner", &[("/storage", "PVEDatastoreUser", true), ("/vms/200", "PVEVMAdmin", true)]);
    assert_eq!(content(&who, "local-lvm").await, ["local-lvm:vm-200-disk-0"]);
    assert_eq!(content(&who, "pbs").await, ["pbs:backup/ct/200/2026-10-01T02:05:00Z"]);
    let other = ask(&bench, &who, "GET", "/nodes/pve1/storage/local-lvm/content/vm-100-disk-0", &[]).await;
    assert_eq!(other.failure(), refused("Permission check failed (/vms/100, VM.Config.Disk)"));
    let snippet = ask(&bench, &who, "GET", "/nodes/pve1/storage/local/content/snippets%2Fcloud-init.yaml", &[]).await;
    assert_eq!(snippet.failure(), (500, "missing privileges to access local:snippets/cloud-init.yaml"));
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

#[tokio::test]
async fn a_backup_of_a_guest_that_may_not_be_backed_up_fails_as_a_task() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let who = token(&bench, "saver", &[("/storage", "PVEDatastoreUser", true), ("/vms/102", "PVEVMUser", true)]);
    let run = async |params: &[(&str, &str)]| {
        let answer = ask(&bench, &who, "POST", "/nodes/pve1/vzdump", params).await;
        bench.wait(&answer).await
    };
    let (status, _) = run(&[("vmid", "100"), ("storage", "backup-nas")]).await;
    assert_eq!(status, "Permission check failed (/vms/100, VM.Backup)");
    let (status, log) = run(&[("all", "1"), ("storage", "backup-nas")]).await;
    assert_eq!(status, "OK");
    let guests: Vec<&String> = log.iter().filter(|line| line.starts_with("INFO: Starting Backup")).collect();
    assert_eq!(guests, ["INFO: Starting Backup of VM 102 (qemu)"]);
}

#[tokio::test]
async fn effective_permissions_are_told_as_they_are_evaluated() {
    let bench = Bench::start().await;
    let auditor = bench.sandbox.auditor_token().to_owned();
    let audit = json!({
        "Mapping.Audit": 1, "SDN.Audit": 1, "Pool.Audit": 1, "Sys.Audit": 1, "VM.Audit": 1, "Datastore.Audit": 1,
        "VM.GuestAgent.Audit": 1,
    });
    let at = ask(&bench, &auditor, "GET", "/access/permissions", &[("path", "/vms/2000")]).await;
    assert_eq!(at.data(), &json!({ "/vms/2000": audit }));
    let of_user = bench.get("/access/permissions?userid=auditor@pve&path=/").await;
    assert_eq!(of_user.data(), &json!({ "/": audit }));
    let bad = bench.get("/access/permissions?path=/foo/bar").await;
    assert_eq!(bad.data()["/foo/bar"].as_object().map(serde_json::Map::len), Some(47));
    let who = token(&bench, "few", &[("/vms/102", "PVETemplateUser", false), ("/pool/lab", "PVEPoolUser", true)]);
    let own = ask(&bench, &who, "GET", "/access/permissions", &[]).await;
    let expected = json!({
        "/vms/102": { "VM.Audit": 0, "VM.Clone": 0 }, "/pool/lab": { "Pool.Audit": 1 }, "/vms/110": { "Pool.Audit": 0 },
    });
    assert_eq!(own.data(), &expected);
    let other = ask(&bench, &who, "GET", "/access/permissions", &[("userid", "auditor@pve")]).await;
    assert_eq!(other.failure(), refused("Permission check failed (/access, Sys.Audit)"));
}

#[tokio::test]
async fn users_groups_and_roles_are_kept_as_a_server_keeps_them() {
    let bench = Bench::start().await;
    bench.post("/access/users", &[("userid", "obs2@pve"), ("password", "obs-pass-1"), ("comment", "c")]).await.data();
    let taken = bench.post("/access/users", &[("userid", "obs2@pve")]).await;
    assert_eq!(taken.failure(), (500, "create user failed: user 'obs2@pve' already exists"));
    let nameless = bench.post("/access/users", &[("userid", "obs3")]).await;
    assert_eq!(nameless.failure(), (500, "value 'obs3' does not look like a valid user name"));
    bench.post("/access/users", &[("userid", "obs3@obsnone")]).await.data();
    let grouped = bench.post("/access/users", &[("userid", "obs4@pve"), ("groups", "obsnone")]).await;
    assert_eq!(grouped.failure(), (500, "create user failed: no such group 'obsnone'"));
    bench
        .put("/access/users/obs2@pve", &[("comment", "changed"), ("enable", "0"), ("groups", "operators")])
        .await
        .data();
    let shown = bench.get("/access/users/obs2@pve").await;
    let expected = json!({ "comment": "changed", "enable": 0, "expire": 0, "groups": ["operators"], "tokens": null });
    assert_eq!(shown.data(), &expected);
    assert_eq!(
        bench.put("/access/users/none@pve", &[("comment", "x")]).await.failure(),
        (500, "no such user ('none@pve')")
    );
    let members = bench.get("/access/groups/operators").await;
    assert_eq!(members.data()["members"], json!(["alice@pve", "obs2@pve"]));
    let listed = bench.get("/access/users?full=1").await;
    let row = |id: &str| listed.data().as_array().and_then(|rows| rows.iter().find(|row| row["userid"] == id)).cloned();
    let row = row("obs2@pve").expect("listed");
    assert_eq!(
        (&row["groups"], &row["tokens"], &row["realm-type"]),
        (&json!("operators"), &Value::Null, &json!("pve"))
    );
    assert_eq!(names(&bench.get("/access/users?enabled=0").await, "userid"), ["obs2@pve"]);

    bench.post("/access/users/obs2@pve/token/t1", &[]).await.data();
    let clash = bench.post("/access/users/obs2@pve/token/t1", &[]).await;
    assert_eq!(clash.error("tokenid"), "Token already exists.");
    let unknown = bench.post("/access/users/none@pve/token/t1", &[]).await;
    assert_eq!(unknown.failure(), refused("Permission check failed"));

    let role = async |id: &str, privs: &str| bench.post("/access/roles", &[("roleid", id), ("privs", privs)]).await;
    role("obsrole", "VM.Audit,VM.PowerMgmt").await.data();
    assert_eq!(role("obsrole", "").await.failure(), (500, "create role failed: role 'obsrole' already exists"));
    assert_eq!(role("obsrole2", "VM.Foo").await.error("privs"), "invalid format - invalid privilege 'VM.Foo'\n");
    assert_eq!(
        role("PVEobs", "VM.Audit").await.error("roleid"),
        "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"
    );
    bench.put("/access/roles/obsrole", &[("privs", "VM.Console"), ("append", "1")]).await.data();
    let expected = json!({ "VM.PowerMgmt": 1, "VM.Audit": 1, "VM.Console": 1 });
    assert_eq!(bench.get("/access/roles/obsrole").await.data(), &expected);
    let fixed = bench.delete("/access/roles/PVEAdmin").await;
    assert_eq!(fixed.failure(), (500, "auto-generated role 'PVEAdmin' cannot be deleted"));

    let acl = async |path: &str, more: &[(&str, &str)]| {
        let form = [&[("path", path), ("roles", "obsrole")], more].concat();
        bench.put("/access/acl", &form).await
    };
    acl("//vms/100/", &[("users", "obs2@pve"), ("tokens", "obs2@pve!t1"), ("propagate", "0")]).await.data();
    acl("/vms/100", &[("users", "none@pve")]).await;
    assert_eq!(acl("/foo", &[("users", "obs2@pve")]).await.error("path"), "invalid ACL path '/foo'");
    assert_eq!(
        acl("/", &[("users", "none@pve")]).await.failure(),
        (500, "ACL update failed: user 'none@pve' does not exist")
    );
    assert_eq!(
        acl("/", &[("tokens", "obs2@pve!nope")]).await.failure(),
        (500, "ACL update failed: no such token 'nope' for user 'obs2@pve'")
    );
    assert!(acl("/", &[]).await.error("users").starts_with("either 'users', 'groups' or 'tokens'"));
    let entries = async || {
        let all = bench.get("/access/acl").await;
        let rows = all.data().as_array().expect("a list").clone();
        rows.into_iter().filter(|row| row["roleid"] == "obsrole").map(|row| row["ugid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(entries().await, ["obs2@pve!t1", "obs2@pve"]);
    bench.delete("/access/users/obs2@pve/token/t1").await.data();
    assert_eq!(entries().await, ["obs2@pve"]);
    bench.delete("/access/users/obs2@pve").await.data();
    assert_eq!(entries().await, [] as [&str; 0]);
    acl("/vms/102", &[("groups", "operators")]).await.data();
    bench.delete("/access/roles/obsrole").await.data();
    assert_eq!(entries().await, [] as [&str; 0]);
    let gone = bench.delete("/access/roles/obsrole").await;
    assert_eq!(gone.failure(), (500, "delete role failed: role 'obsrole' does not exist"));
}

/// A real path for a template of the facts.
fn path_of(segments: &[Segment]) -> String {
    let container = segments.contains(&Segment::Literal("lxc"));
    let parts = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => *text,
        Segment::Param(name) | Segment::Remainder(name) => match *name {
            "node" => "pve1",
            "vmid" if container => "200",
            "vmid" => "102",
            "storage" => "local",
            "userid" => "alice@pve",
            "poolid" => "lab",
            "volume" => "iso/ubuntu-22.04.iso",
            "upid" => "UPID:pve1:00000001:00000001:00000001:x:1:root@pam:",
            "pos" => "0",
            "id" if segments.contains(&Segment::Literal("replication")) => "102-0",
            _ => "x1",
        },
    });
    parts.map(|part| format!("/{part}")).collect()
}

/// Every method of the facts is asked by somebody with nothing, by an auditor and by somebody with everything.
#[tokio::test]
async fn every_method_says_yes_or_no_and_says_it_again() {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    let nothing = bare_token(&bench);
    let auditor = bench.sandbox.auditor_token().to_owned();
    let all = token(&bench, "all", &[("/", "Administrator", true)]);
    let mut counts = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for (name, who) in [("nothing", &nothing), ("auditor", &auditor), ("all", &all)] {
        for method in proxmox_spec::methods() {
            if name == "all" && method.kind == Kind::Upload {
                continue;
            }
            let (verb, path) = (method.verb.as_str(), path_of(method.segments));
            let what = format!("{name}: {verb} {path}");
            let answer = ask(&bench, who, verb, &path, &[]).await;
            let permissions = method.permissions;
            let denied = answer.status == 403;
            *counts.entry((name, if denied { "no" } else { "yes" })).or_default() += 1;
            assert!(denied || matches!(answer.status, 200 | 400 | 404 | 424 | 500 | 501), "{what}: {answer:?}");
            if denied {
                let text = if method.kind == Kind::Upload { answer.reason.as_str() } else { answer.failure().1 };
                assert!(text == "Permission check failed" || well_formed(text), "{what}: {text}");
            }
            let never = permissions.root_only || !method.allow_token;
            match name {
                _ if never => assert!(denied, "{what}: {answer:?}"),
                "nothing" if permissions.user.is_none() => {
                    // Both speak of the user before they speak of rights.
                    assert!(denied || answer.failure().1.contains("user name"), "{what}: {answer:?}");
                }
                "auditor" if permissions.user.is_none() && method.verb != Verb::Get => {
                    // Some writes change nothing: testing a notification, asking the monitor.
                    let looks = permissions.privileges.iter().any(|name| name.ends_with(".Audit"));
                    assert!(looks || denied || answer.failure().1.contains("user name"), "{what}: {answer:?}");
                }
                "all" => assert!(!denied, "{what}: {answer:?}"),
                _ => {}
            }
            if name != "all" {
                let again = ask(&bench, who, verb, &path, &[]).await;
                assert_eq!((again.status, &again.reason), (answer.status, &answer.reason), "{what}");
            }
        }
    }
    let count = |name: &'static str, what: &'static str| counts.get(&(name, what)).copied().unwrap_or(0);
    assert!(count("auditor", "yes") > count("nothing", "yes"), "{counts:?}");
    assert!(count("all", "yes") > count("auditor", "yes"), "{counts:?}");
}

/// `Permission check failed (…)`, with something in the parentheses.
fn well_formed(text: &str) -> bool {
    let inner = text.strip_prefix("Permission check failed (").and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| !inner.is_empty())
}
