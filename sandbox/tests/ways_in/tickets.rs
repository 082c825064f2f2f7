//! Tickets: given for a password or for a ticket, good for two hours, of no use without the token against forged
//! requests.

use std::time::Duration;

use proxmox_sandbox::{Options, ROOT};
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_ticket_lets_its_user_in_until_two_hours_have_passed() {
    let bench = Bench::start().await;
    let login = by_password(&bench, USER).await;
    assert!(login.ticket.starts_with("PVE:admin@pve:") && login.ticket.ends_with("=="), "{}", login.ticket);
    assert_eq!(login.get(&bench, "/version").await.status, 200);
    login.post(&bench, "/pools", &[("poolid", "one")]).await.data();
    bench.sandbox.with_cluster(|cluster| cluster.pass(HOUR + HOUR * 59 / 60));
    login.post(&bench, "/pools", &[("poolid", "two")]).await.data();
    bench.sandbox.with_cluster(|cluster| cluster.pass(HOUR / 60));
    outside(&login.get(&bench, "/version").await, NOBODY);
    outside(&login.post(&bench, "/pools", &[("poolid", "three")]).await, NOBODY);
    let as_password = log_in(&bench, &[("username", USER), ("password", &login.ticket)]).await;
    assert_eq!(as_password.failure(), WRONG, "it is too late to renew it");
}

#[tokio::test]
async fn a_good_ticket_is_a_password_for_another_one() {
    let bench = Bench::start().await;
    let first = by_password(&bench, USER).await;
    bench.sandbox.with_cluster(|cluster| cluster.pass(HOUR * 3 / 2));
    let second = Login::of(&log_in(&bench, &[("username", USER), ("password", &first.ticket)]).await);
    assert_ne!(first.ticket, second.ticket);
    bench.sandbox.with_cluster(|cluster| cluster.pass(HOUR));
    outside(&first.get(&bench, "/version").await, NOBODY);
    assert_eq!(second.get(&bench, "/version").await.status, 200);
    // The old token against forged requests is as old as the old ticket.
    let mixed = Login { ticket: second.ticket.clone(), csrf: first.csrf };
    outside(&mixed.post(&bench, "/pools", &[("poolid", "new")]).await, FORGED);
    second.post(&bench, "/pools", &[("poolid", "new")]).await.data();
    let other = log_in(&bench, &[("username", ROOT), ("password", &second.ticket)]).await;
    assert_eq!(other.failure(), WRONG, "it is nobody else's password");
    let root = by_password(&bench, ROOT).await;
    let lent = log_in(&bench, &[("username", USER), ("password", &root.ticket)]).await;
    assert_eq!(lent.data()["username"], USER, "root lends tickets of anybody");
}

#[tokio::test]
async fn every_change_needs_the_token_against_forged_requests_and_an_upload_does_not() {
    let bench = Bench::start().await;
    let login = by_password(&bench, USER).await;
    let other = by_password(&bench, ROOT).await;
    for (method, path) in
        [(Method::POST, "/pools"), (Method::PUT, "/nodes/pve1/config"), (Method::DELETE, "/pools/production")]
    {
        outside(&send(bare(&bench, method.clone(), path, &login.ticket)).await, FORGED);
        for csrf in ["", "x", "6AE6F180:x", other.csrf.as_str()] {
            let request = bare(&bench, method.clone(), path, &login.ticket).header("CSRFPreventionToken", csrf);
            outside(&send(request).await, FORGED);
        }
    }
    assert_eq!(send(bare(&bench, Method::GET, "/pools", &login.ticket)).await.status, 200);
    let file = Part::bytes(vec![0_u8; 64]).file_name("tiny.iso");
    let form = Form::new().text("content", "iso").part("filename", file);
    let upload = bare(&bench, Method::POST, "/nodes/pve1/storage/local/upload", &login.ticket).multipart(form);
    send(upload).await.upid();
    // A token needs none, and gets none asked.
    bench.post("/pools", &[("poolid", "by-token")]).await.data();
}

#[tokio::test]
async fn a_ticket_is_taken_from_the_cookie_and_from_authorization() {
    let bench = Bench::start().await;
    let login = by_password(&bench, USER).await;
    let token = format!("PVEAPIToken={}", bench.sandbox.token());
    let ask = |headers: &[(&'static str, String)]| {
        let request = bench.http.get(bench.url("/access/permissions"));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    };
    let encoded = utf8_percent_encode(&login.ticket, NON_ALPHANUMERIC).to_string();
    for headers in [
        vec![("Cookie", format!("PVEAuthCookie={}", login.ticket))],
        vec![("Cookie", format!("a=b; PVEAuthCookie={encoded}; c=d"))],
        vec![("Authorization", format!("PVEAuthCookie={encoded}"))],
        vec![("Cookie", format!("PVEAuthCookie={encoded}")), ("Authorization", "PVEAPIToken=a@b!c=d".to_owned())],
    ] {
        assert_eq!(send(ask(&headers)).await.status, 200, "{headers:?}");
    }
    let forged = [("Cookie", format!("PVEAuthCookie={}", encoded.replace("admin", "root"))), ("Authorization", token)];
    outside(&send(ask(&forged)).await, NOBODY);
}

#[tokio::test]
async fn a_ticket_of_another_cluster_or_before_a_new_key_is_refused() {
    let (bench, other) = (Bench::start().await, Bench::start().await);
    let foreign = by_password(&other, USER).await;
    outside(&foreign.get(&bench, "/version").await, NOBODY);
    let login = by_password(&bench, USER).await;
    bench.sandbox.apply("new-key".parse().expect("a state")).expect("it fits");
    outside(&login.get(&bench, "/version").await, NOBODY);
    assert_eq!(by_password(&bench, USER).await.get(&bench, "/version").await.status, 200);
}

#[tokio::test]
async fn the_realm_stands_with_the_name_or_apart_and_mistakes_all_look_alike() {
    let bench = Bench::start().await;
    let password = bench.sandbox.password();
    let apart = log_in(&bench, &[("username", "admin"), ("realm", "pve"), ("password", password)]).await;
    assert_eq!((&apart.data()["username"], &apart.data()["clustername"]), (&json!(USER), &json!("sandbox")));
    for form in [
        &[("username", "admin"), ("password", password)][..],
        &[("username", "admin@pam"), ("password", password)],
        &[("username", USER), ("realm", "pve"), ("password", password)],
        &[("username", "nobody@pve"), ("password", password)],
        &[("username", USER), ("password", "")],
        &[("username", "auditor@pve"), ("password", password)],
        &[("username", USER), ("password", password), ("otp", "totp:123456")],
    ] {
        assert_eq!(log_in(&bench, form).await.failure(), WRONG, "{form:?}");
    }
    let verified = |privileges: &'static str| {
        let form = [("username", USER), ("password", password), ("path", "/vms"), ("privs", privileges)];
        let request = bench.http.post(bench.url("/access/ticket")).form(&form);
        send(request)
    };
    let answer = verified("VM.Audit").await;
    assert_eq!((answer.data()["username"].as_str(), answer.data().get("ticket")), (Some(USER), None));
    assert_eq!(verified("VM.Fly").await.failure(), WRONG);
}

#[tokio::test]
async fn a_ticket_may_what_its_user_may_and_roots_may_what_no_token_may() {
    let bench = Bench::start().await;
    let (admin, root) = (by_password(&bench, USER).await, by_password(&bench, ROOT).await);
    let commands = [("commands", "[]")];
    let refused = (403, "Permission check failed (user != root@pam)");
    assert_eq!(admin.post(&bench, "/nodes/pve1/execute", &commands).await.failure(), refused);
    assert_eq!(bench.post("/nodes/pve1/execute", &commands).await.failure(), refused);
    root.post(&bench, "/nodes/pve1/execute", &commands).await.data();
    let options = [("args", "-no-hpet")];
    assert_eq!(bench.put("/nodes/pve1/qemu/102/config", &options).await.status, 500);
    root.put(&bench, "/nodes/pve1/qemu/102/config", &options).await.data();
    // What root alone can do for a guest with a lock that nobody holds any more.
    bench.sandbox.with_cluster(|cluster| cluster.set_lock(102, Some("backup")));
    let locked = root.put(&bench, "/nodes/pve1/qemu/102/config", &options).await;
    assert_eq!(locked.failure(), (500, "VM is locked (backup)"));
    let unlock = [("delete", "lock"), ("skiplock", "1")];
    assert_eq!(admin.put(&bench, "/nodes/pve1/qemu/102/config", &unlock).await.status, 400);
    root.put(&bench, "/nodes/pve1/qemu/102/config", &unlock).await.data();
    root.put(&bench, "/nodes/pve1/qemu/102/config", &options).await.data();
    let change = [("userid", "alice@pve"), ("password", "a-new-password")];
    assert_eq!(bench.put("/access/password", &change).await.status, 403);
    root.put(&bench, "/access/password", &change).await.data();
    Login::of(&log_in(&bench, &[("username", "alice@pve"), ("password", "a-new-password")]).await);
    // Whoever is disabled is outside at once.
    root.put(&bench, "/access/users/admin@pve", &[("enable", "0")]).await.data();
    outside(&admin.get(&bench, "/version").await, NOBODY);
}

#[tokio::test]
async fn logging_in_works_without_quorum() {
    let bench = Bench::with(Options { password: Some("of-the-test".to_owned()), ..Options::default() }).await;
    bench.sandbox.with_cluster(|cluster| cluster.set_quorate(false));
    let login = Login::of(&log_in(&bench, &[("username", ROOT), ("password", "of-the-test")]).await);
    let refused = login.post(&bench, "/pools", &[("poolid", "new")]).await;
    assert_eq!(refused.failure(), (500, "cluster not ready - no quorum?"));
}
