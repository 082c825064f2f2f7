//! Who is let in: tokens, passwords, tickets.

use proxmox_sandbox::Options;
use reqwest::Method;
use serde_json::json;

use crate::{
    ask,
    common::{Bench, send},
    refused, token,
};

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
