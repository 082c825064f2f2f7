//! What a setup does: a user, a role, its place in the list, and a token, made by root with a password.

use proxmox_sandbox::ROOT;
use serde_json::json;

use super::*;

/// A request by a token that was just made.
async fn by_token(bench: &Bench, token: &str, path: &str) -> Answer {
    let value = format!("PVEAPIToken={token}");
    send(bench.http.get(bench.url(path)).header("Authorization", value)).await
}

#[tokio::test]
async fn root_makes_a_user_a_role_and_a_token_that_works() {
    let bench = Bench::start().await;
    let root = by_password(&bench, ROOT).await;
    let privileges = [("roleid", "McpRead"), ("privs", "VM.Audit,Sys.Audit,Datastore.Audit")];
    root.post(&bench, "/access/roles", &privileges).await.data();
    let again = root.post(&bench, "/access/roles", &privileges).await;
    assert_eq!(again.failure(), (500, "create role failed: role 'McpRead' already exists"));
    let user = [("userid", "mcp@pve"), ("comment", "For the server"), ("password", "a-long-password")];
    root.post(&bench, "/access/users", &user).await.data();
    let again = root.post(&bench, "/access/users", &user).await;
    assert_eq!(again.failure(), (500, "create user failed: user 'mcp@pve' already exists"));
    let entry = [("path", "/"), ("roles", "McpRead"), ("users", "mcp@pve"), ("propagate", "1")];
    root.put(&bench, "/access/acl", &entry).await.data();
    let made = root.post(&bench, "/access/users/mcp@pve/token/server", &[("privsep", "0")]).await;
    let data = made.data();
    assert_eq!((&data["full-tokenid"], &data["info"]["privsep"]), (&json!("mcp@pve!server"), &json!("0")));
    let token = format!("mcp@pve!server={}", data["value"].as_str().expect("a secret"));
    assert_eq!(by_token(&bench, &token, "/nodes/pve1/status").await.status, 200);
    let again = root.post(&bench, "/access/users/mcp@pve/token/server", &[]).await;
    assert_eq!(again.error("tokenid"), "Token already exists.");
    Login::of(&log_in(&bench, &[("username", "mcp@pve"), ("password", "a-long-password")]).await);
    // And all of it can be taken back.
    for path in ["/access/users/mcp@pve/token/server", "/access/users/mcp@pve", "/access/roles/McpRead"] {
        root.delete(&bench, path).await.data();
    }
    outside(&by_token(&bench, &token, "/version").await, NOBODY);
    assert!(!root.get(&bench, "/access/acl").await.text.contains("McpRead"));
}

#[tokio::test]
async fn a_separate_token_has_what_it_and_its_user_both_have() {
    let bench = Bench::start().await;
    let root = by_password(&bench, ROOT).await;
    root.post(&bench, "/access/users", &[("userid", "mcp@pve")]).await.data();
    let made = root.post(&bench, "/access/users/mcp@pve/token/apart", &[]).await;
    assert_eq!(made.data()["info"]["privsep"], 1);
    let token = format!("mcp@pve!apart={}", made.data()["value"].as_str().expect("a secret"));
    let permissions = async |path: &str| {
        let path = if path.is_empty() { String::new() } else { format!("?path={path}") };
        by_token(&bench, &token, &format!("/access/permissions{path}")).await.data().clone()
    };
    let grant = async |kind: &str, id: &str, path: &str, role: &str| {
        root.put(&bench, "/access/acl", &[("path", path), ("roles", role), (kind, id)]).await.data();
    };
    assert_eq!(permissions("").await, json!({}));
    // The trap: only the token has something, or only its user.
    grant("tokens", "mcp@pve!apart", "/vms", "PVETemplateUser").await;
    assert_eq!(permissions("").await, json!({}));
    assert_eq!(permissions("/vms/100").await, json!({ "/vms/100": {} }));
    grant("users", "mcp@pve", "/vms/100", "PVEVMUser").await;
    assert_eq!(permissions("/vms/100").await, json!({ "/vms/100": { "VM.Audit": 1 } }));
    assert_eq!(permissions("").await, json!({ "/vms/100": { "VM.Audit": 1 } }));
    assert_eq!(permissions("/vms/101").await, json!({ "/vms/101": {} }));
    // Root and the user himself see it, too; another user does not.
    for userid in ["mcp@pve!apart", "mcp@pve"] {
        let told = root.get(&bench, &format!("/access/permissions?userid={userid}&path=/vms/100")).await;
        assert_eq!(told.data()["/vms/100"]["VM.Audit"], 1, "{userid}");
    }
    let denied = by_token(&bench, &token, "/access/permissions?userid=root@pam").await;
    assert_eq!(denied.failure(), (403, "Permission check failed (/access, Sys.Audit)"));
}

#[tokio::test]
async fn what_cannot_be_made_is_said() {
    let bench = Bench::start().await;
    let root = by_password(&bench, ROOT).await;
    let role = root.post(&bench, "/access/roles", &[("roleid", "Mine"), ("privs", "VM.Audit,VM.Fly")]).await;
    assert_eq!(role.error("privs").trim_end(), "invalid format - invalid privilege 'VM.Fly'");
    assert_eq!(root.post(&bench, "/access/roles", &[("roleid", "PVEMine")]).await.status, 400);
    let acl = [("path", "/vms"), ("roles", "Nothing"), ("users", USER)];
    let unknown = root.put(&bench, "/access/acl", &acl).await;
    assert_eq!(unknown.failure(), (500, "ACL update failed: role 'Nothing' does not exist"));
    let short = root.post(&bench, "/access/users", &[("userid", "a@pve"), ("password", "short")]).await;
    assert_eq!(short.status, 400);
    // An administrator who is not root may do all of it but give himself more.
    let admin = by_password(&bench, USER).await;
    admin.post(&bench, "/access/users", &[("userid", "b@pve"), ("password", "long-enough")]).await.data();
    admin.post(&bench, "/access/users/b@pve/token/two", &[]).await.data();
    admin.put(&bench, "/access/acl", &[("path", "/vms"), ("roles", "PVEVMUser"), ("users", "b@pve")]).await.data();
}
