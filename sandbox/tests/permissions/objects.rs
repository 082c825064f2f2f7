//! Users, tokens, groups, roles and entries as things of their own, and what they add up to.

use serde_json::{Value, json};

use crate::{ask, common::Bench, names, refused, token};

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
    assert_eq!(
        bench.get("/access/users/foo").await.failure(),
        (500, "value 'foo' does not look like a valid user name")
    );
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
