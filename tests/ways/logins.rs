//! User and password: what a ticket opens, when it is renewed, and when nobody is asked any more.

use super::*;
use calls::{fails, has, ok};
use proxmox_mcp::engine::FailureKind;
use serde_json::json;

#[tokio::test]
async fn a_password_opens_reads_and_writes() {
    let sandbox = sandbox().await;
    let engine = with_password(&sandbox, USER);
    ok(&engine, "list_guests", json!({})).await;
    ok(&engine, "start_guest", json!({"vmid": 102})).await;
    assert_eq!(logins(&sandbox), 1);
    let all = sandbox.requests();
    assert!(all.iter().all(|seen| seen.status == 200), "{all:?}");
}

#[tokio::test]
async fn an_upload_goes_with_a_ticket_and_again_with_a_new_one() {
    let sandbox = sandbox().await;
    let engine = with_password(&sandbox, USER);
    ok(&engine, "get_version", json!({})).await;
    sandbox.with_cluster(|cluster| cluster.pass(Duration::from_secs(3 * 3600)));
    let file =
        json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "a.iso", "content": "AAAA"});
    ok(&engine, "upload_file", file).await;
    assert_eq!(logins(&sandbox), 2);
}

#[tokio::test]
async fn a_ticket_that_has_expired_is_replaced_and_the_call_is_made_once() {
    let sandbox = sandbox().await;
    let engine = with_password(&sandbox, USER);
    ok(&engine, "get_version", json!({})).await;
    for spoil in [
        |cluster: &mut proxmox_sandbox::Cluster| cluster.pass(Duration::from_secs(3 * 3600)),
        |cluster: &mut proxmox_sandbox::Cluster| cluster.change_key(),
    ] {
        for (tool, arguments, line) in [
            ("get_version", json!({}), "GET /version"),
            ("create_snapshot", json!({"vmid": 102, "snapname": "before"}), "POST /nodes/pve1/qemu/102/snapshot"),
        ] {
            sandbox.with_cluster(spoil);
            sandbox.forget_requests();
            ok(&engine, tool, arguments).await;
            let (verb, path) = line.split_once(' ').expect("two words");
            let fits = |seen: &&proxmox_sandbox::Received| seen.verb == verb && seen.target.contains(path);
            let all = sandbox.requests();
            let done: Vec<u16> = all.iter().filter(fits).map(|seen| seen.status).collect();
            assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{:?}", arrived(&sandbox));
            assert_eq!(logins(&sandbox), 1, "{:?}", arrived(&sandbox));
            if tool == "create_snapshot" {
                ok(&engine, "delete_snapshot", json!({"vmid": 102, "snapname": "before"})).await;
            }
        }
    }
}

#[tokio::test]
async fn many_calls_with_an_expired_ticket_log_in_once() {
    let sandbox = sandbox().await;
    let engine = with_password(&sandbox, USER);
    ok(&engine, "get_version", json!({})).await;
    sandbox.with_cluster(|cluster| cluster.pass(Duration::from_secs(3 * 3600)));
    sandbox.forget_requests();
    futures_util::future::join_all((0..12).map(|_| ok(&engine, "get_version", json!({})))).await;
    assert_eq!(logins(&sandbox), 1, "{:?}", arrived(&sandbox));
}

#[tokio::test]
async fn a_ticket_is_renewed_before_it_expires() {
    let sandbox = sandbox().await;
    let (clock, ahead) = turned();
    let flags = Flags { user: Some(USER.to_owned()), ..flags(&sandbox) };
    let engine = clocked(&flags, &[("PROXMOX_PASSWORD", PASSWORD)], clock);
    ok(&engine, "get_version", json!({})).await;
    // Nobody has the password any more: only the ticket itself can be renewed with.
    sandbox.with_cluster(|cluster| cluster.set_password(USER, "changed meanwhile"));
    for _ in 0..4 {
        ahead.fetch_add(95 * 60, Ordering::SeqCst);
        sandbox.with_cluster(|cluster| cluster.pass(Duration::from_secs(95 * 60)));
        sandbox.forget_requests();
        ok(&engine, "get_version", json!({})).await;
        assert_eq!(arrived(&sandbox), ["POST /access/ticket", "GET /version"]);
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let sandbox = sandbox().await;
    let flags = Flags { user: Some(USER.to_owned()), ..flags(&sandbox) };
    let engine = engine(&flags, &[("PROXMOX_PASSWORD", "battery staple")]);
    let (kind, text) = fails(&engine, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Unauthenticated);
    has(&text, &["authentication failure", "PROXMOX_PASSWORD", USER, "not locked"]);
    for _ in 0..3 {
        let (kind, text) = fails(&engine, "start_guest", json!({"vmid": 102})).await;
        assert_eq!(kind, FailureKind::Unauthenticated);
        has(&text, &["no login is tried"]);
        assert!(!text.contains("battery"), "{text}");
    }
    assert_eq!(arrived(&sandbox), ["POST /access/ticket"]);
}

#[tokio::test]
async fn a_seed_answers_for_the_second_factor() {
    let sandbox = Sandbox::start(Options { totp_seed: Some(SEED.to_owned()), ..options() }).await.expect("loopback");
    let flags = Flags { user: Some(USER.to_owned()), ..flags(&sandbox) };
    let set = [("PROXMOX_PASSWORD", PASSWORD), ("PROXMOX_TOTP_SEED", SEED)];
    let one = engine(&flags, &set);
    ok(&one, "get_version", json!({})).await;
    assert_eq!(logins(&sandbox), 2);
    // Somebody else used the present code: the next one is taken early.
    sandbox.forget_requests();
    ok(&engine(&flags, &set), "get_version", json!({})).await;
    // Unless half a minute began in between.
    assert!(logins(&sandbox) <= 3, "{:?}", arrived(&sandbox));
    let other = [("PROXMOX_PASSWORD", PASSWORD), ("PROXMOX_TOTP_SEED", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")];
    sandbox.forget_requests();
    let other = engine(&flags, &other);
    let (kind, text) = fails(&other, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Unauthenticated);
    has(&text, &["PROXMOX_TOTP_SEED", "clock", "not tried again"]);
    fails(&other, "get_version", json!({})).await;
    assert_eq!(logins(&sandbox), 3, "no endless tries");
    let broken = engine(&flags, &[("PROXMOX_PASSWORD", PASSWORD), ("PROXMOX_TOTP_SEED", "not base 32!")]);
    let (kind, text) = fails(&broken, "get_version", json!({})).await;
    assert_eq!(kind, FailureKind::Local);
    has(&text, &["PROXMOX_TOTP_SEED", "base32"]);
    assert!(!text.contains("not base 32!"), "{text}");
}

#[tokio::test]
async fn what_takes_no_token_is_known_before_it_is_tried_and_open_to_a_login() {
    let sandbox = sandbox().await;
    let password = json!({"method": "PUT", "path": "/access/password",
        "params": {"userid": "alice@pve", "password": "new password 1"}});
    let (kind, text) = fails(&with_token(&sandbox), "call_api", password).await;
    assert_eq!(kind, FailureKind::Forbidden);
    has(&text, &["PUT /access/password", "takes no API token", "PROXMOX_PASSWORD_FILE", "Nothing was sent"]);
    assert!(!arrived(&sandbox).contains(&"PUT /access/password".to_owned()));
    let root_only = proxmox_spec::methods().iter().find(|method| {
        let plain = method.verb == proxmox_spec::Verb::Get && method.kind == proxmox_spec::Kind::Plain;
        method.permissions.root_only && plain && method.params.iter().all(|param| param.optional)
    });
    if let Some(method) = root_only {
        let call = json!({"method": "GET", "path": method.path});
        let (kind, text) = fails(&with_token(&sandbox), "call_api", call.clone()).await;
        assert_eq!(kind, FailureKind::Forbidden, "{text}");
        has(&text, &["root@pam", "no API token ever"]);
        let (kind, text) = fails(&with_password(&sandbox, USER), "call_api", call.clone()).await;
        assert_eq!(kind, FailureKind::Forbidden, "{text}");
        has(&text, &["root@pam itself", USER]);
        ok(&with_password(&sandbox, ROOT), "call_api", call).await;
    }
}

#[tokio::test]
async fn what_a_user_lacks_is_given_to_the_user() {
    let sandbox = sandbox().await;
    sandbox.with_cluster(|cluster| {
        cluster.add_token("carol@pve", "unused", false, &[("/", "PVEAuditor", true)]);
        cluster.set_password("carol@pve", PASSWORD);
    });
    let (kind, text) = fails(&with_password(&sandbox, "carol@pve"), "start_guest", json!({"vmid": 102})).await;
    assert_eq!(kind, FailureKind::Forbidden);
    has(&text, &["The user `carol@pve` lacks VM.PowerMgmt on /vms/102", "--users"]);
    assert!(!text.contains("token"), "{text}");
}
