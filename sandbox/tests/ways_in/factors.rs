//! Second factors: codes from an app and codes on paper, for logging in and in the API.

use proxmox_sandbox::{Options, ROOT};
use serde_json::{Value, json};

use super::*;

/// What RFC 6238 uses.
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

async fn bench() -> Bench {
    let recovery_codes = vec!["first-code".to_owned(), "second-code".to_owned()];
    Bench::with(Options { totp_seed: Some(SEED.to_owned()), recovery_codes, ..Options::default() }).await
}

/// The ticket of a login that waits for its second factor.
async fn half(bench: &Bench) -> String {
    let answer = log_in(bench, &[("username", USER), ("password", bench.sandbox.password())]).await;
    assert_eq!((&answer.data()["NeedTFA"], answer.data().get("cap")), (&json!(1), None));
    answer.data()["ticket"].as_str().expect("a ticket").to_owned()
}

async fn answer(bench: &Bench, user: &str, half: &str, code: &str) -> Answer {
    log_in(bench, &[("username", user), ("tfa-challenge", half), ("password", code)]).await
}

fn code(bench: &Bench, user: &str) -> String {
    format!("totp:{}", bench.sandbox.with_cluster(|cluster| cluster.totp_code(user)).expect("a code"))
}

#[tokio::test]
async fn a_code_from_the_app_completes_the_login_and_is_good_once() {
    let bench = bench().await;
    let half = half(&bench).await;
    assert!(half.starts_with("PVE:!tfa!{"), "{half}");
    assert!(half.contains("\"totp\"%3Atrue") && half.contains("\"recovery\"%3A[0,1]"), "{half}");
    let code = code(&bench, USER);
    let login = Login::of(&answer(&bench, USER, &half, &code).await);
    login.post(&bench, "/pools", &[("poolid", "new")]).await.data();
    assert_eq!(answer(&bench, USER, &half, &code).await.failure(), WRONG, "somebody may have seen it");
    bench.sandbox.apply(format!("codes-again={USER}").parse().expect("a state")).expect("it fits");
    Login::of(&answer(&bench, USER, &half, &code).await);
    // A whole ticket needs no second factor for its renewal.
    let renewed = log_in(&bench, &[("username", USER), ("password", &login.ticket)]).await;
    assert_eq!(renewed.data().get("NeedTFA"), None);
}

#[tokio::test]
async fn both_factors_may_come_at_once() {
    let bench = bench().await;
    let code = code(&bench, USER);
    let form = [("username", USER), ("password", bench.sandbox.password()), ("otp", code.as_str())];
    Login::of(&log_in(&bench, &form).await);
    assert_eq!(log_in(&bench, &form).await.failure(), WRONG);
}

#[tokio::test]
async fn half_a_ticket_opens_nothing_and_is_one_users() {
    let bench = bench().await;
    let half = half(&bench).await;
    outside(&send(bare(&bench, Method::GET, "/version", &half)).await, NOBODY);
    let as_password = log_in(&bench, &[("username", USER), ("password", &half)]).await;
    assert_eq!(as_password.failure(), WRONG);
    bench.sandbox.with_cluster(|cluster| cluster.add_totp(ROOT, SEED)).expect("base32");
    let code = code(&bench, ROOT);
    assert_eq!(answer(&bench, ROOT, &half, &code).await.failure(), WRONG);
    for challenge in ["", "PVE:!tfa!{}:6AE6F180::x", bench.sandbox.password()] {
        assert_eq!(answer(&bench, ROOT, challenge, &code).await.failure(), WRONG, "{challenge}");
    }
    let both = [("username", USER), ("tfa-challenge", &half), ("password", "recovery:first-code"), ("otp", "x")];
    assert_eq!(log_in(&bench, &both).await.failure(), WRONG);
    bench.sandbox.with_cluster(|cluster| cluster.pass(std::time::Duration::from_secs(7_200)));
    assert_eq!(answer(&bench, USER, &half, "recovery:first-code").await.failure(), WRONG, "it has expired");
}

#[tokio::test]
async fn a_code_on_paper_is_good_once() {
    let bench = bench().await;
    let first = half(&bench).await;
    Login::of(&answer(&bench, USER, &first, "recovery:second-code").await);
    assert_eq!(answer(&bench, USER, &first, "recovery:second-code").await.failure(), WRONG);
    assert_eq!(answer(&bench, USER, &first, "second-code").await.failure(), WRONG);
    let half = half(&bench).await;
    assert!(half.contains("\"recovery\"%3A[0]"), "{half}");
    Login::of(&answer(&bench, USER, &half, "recovery:first-code").await);
}

#[tokio::test]
async fn wrong_codes_lock_the_app_until_a_code_on_paper_or_an_administrator() {
    let bench = bench().await;
    let half = half(&bench).await;
    let lock = async || {
        for _ in 0..8 {
            assert_eq!(answer(&bench, USER, &half, "totp:12345").await.failure(), WRONG);
        }
        let right = code(&bench, USER);
        assert_eq!(answer(&bench, USER, &half, &right).await.failure(), WRONG, "locked");
    };
    lock().await;
    assert_eq!(bench.get("/access/tfa").await.data()[0]["totp-locked"], 1);
    Login::of(&answer(&bench, USER, &half, "recovery:first-code").await);
    let right = code(&bench, USER);
    Login::of(&answer(&bench, USER, &half, &right).await);
    lock().await;
    assert_eq!(*bench.put("/access/users/admin@pve/unlock-tfa", &[]).await.data(), json!(1));
    assert_eq!(*bench.put("/access/users/admin@pve/unlock-tfa", &[]).await.data(), json!(0));
    let right = code(&bench, USER);
    Login::of(&answer(&bench, USER, &half, &right).await);
}

#[tokio::test]
async fn factors_are_added_told_changed_and_removed_by_their_user() {
    let bench = Bench::start().await;
    let password = bench.sandbox.password();
    let login = by_password(&bench, USER).await;
    let own = "/access/tfa/admin@pve";
    assert_eq!(*login.get(&bench, own).await.data(), json!([]));
    // What the code has to be is found out by an app of the same seed.
    bench.sandbox.with_cluster(|cluster| cluster.add_totp("alice@pve", SEED)).expect("base32");
    let value = bench.sandbox.with_cluster(|cluster| cluster.totp_code("alice@pve")).expect("a code");
    let address = format!("otpauth://totp/sandbox:admin%40pve?secret={SEED}&issuer=sandbox&digits=6&period=30");
    let whole = [
        ("type", "totp"),
        ("description", "my phone"),
        ("totp", address.as_str()),
        ("value", value.as_str()),
        ("password", password),
    ];
    let without = |name: &str| whole.iter().copied().filter(|(one, _)| *one != name).collect::<Vec<_>>();
    assert_eq!(
        login.post(&bench, own, &without("password")).await.error("password"),
        "password is required to modify user"
    );
    for (name, text) in [
        ("description", "'description' is required for new entries"),
        ("value", "'totp' type requires both 'totp' and 'value' parameters"),
        ("totp", "'totp' type requires both 'totp' and 'value' parameters"),
    ] {
        assert_eq!(login.post(&bench, own, &without(name)).await.failure(), (500, text));
    }
    let mut wrong = without("value");
    wrong.push(("value", "12345"));
    assert_eq!(login.post(&bench, own, &wrong).await.failure(), (500, "failed to verify TOTP challenge"));
    let mut doubtful = without("password");
    doubtful.push(("password", "wrong-password"));
    assert_eq!(login.post(&bench, own, &doubtful).await.failure(), WRONG);
    let added = login.post(&bench, own, &whole).await;
    let id = added.data()["id"].as_str().expect("an id").to_owned();
    let told = login.get(&bench, &format!("{own}/{id}")).await;
    assert_eq!((&told.data()["type"], &told.data()["description"]), (&json!("totp"), &json!("my phone")));
    assert_eq!(login.get(&bench, "/access/users/admin@pve/tfa").await.data()["user"], "oath");
    assert_eq!(login.get(&bench, "/access/users/admin@pve").await.data()["keys"], "x");
    half(&bench).await;

    let on_paper = [("type", "recovery"), ("password", password)];
    let codes = login.post(&bench, own, &on_paper).await.data()["recovery"].clone();
    assert_eq!(codes.as_array().map(Vec::len), Some(10));
    assert_eq!(login.post(&bench, own, &on_paper).await.failure(), (500, "user already has recovery keys"));
    let kinds = login.get(&bench, "/access/users/admin@pve/tfa?multiple=1").await;
    assert_eq!(kinds.data()["types"], json!(["recovery", "totp"]));

    let one = format!("{own}/{id}");
    login.put(&bench, &one, &[("enable", "0"), ("description", "old phone"), ("password", password)]).await.data();
    let told = login.get(&bench, &one).await;
    assert_eq!((&told.data()["enable"], &told.data()["description"]), (&json!(0), &json!("old phone")));
    let waiting = half(&bench).await;
    assert!(!waiting.contains("totp"), "{waiting}");
    let paper = format!("recovery:{}", codes[3].as_str().expect("a code"));
    Login::of(&answer(&bench, USER, &waiting, &paper).await);

    let delete = async |id: &str| {
        send(login.request(&bench, Method::DELETE, &format!("{own}/{id}")).query(&[("password", password)])).await
    };
    delete(&id).await.data();
    delete("recovery").await.data();
    assert_eq!(delete("recovery").await.failure(), (500, "no such entry"));
    assert_eq!(login.get(&bench, &format!("{own}/recovery")).await.failure(), (404, "No such tfa entry 'recovery'"));
    assert_eq!(login.get(&bench, "/access/users/admin@pve").await.data().get("keys"), None);
    by_password(&bench, USER).await;
}

#[tokio::test]
async fn only_root_touches_roots_factors_and_no_token_touches_any() {
    let bench = bench().await;
    bench.sandbox.with_cluster(|cluster| cluster.set_password("alice@pve", "of-alice"));
    bench.sandbox.with_cluster(|cluster| cluster.grant("alice@pve", "/", "Administrator", true));
    let alice = Login::of(&log_in(&bench, &[("username", "alice@pve"), ("password", "of-alice")]).await);
    let paper = [("type", "recovery"), ("password", "of-alice")];
    let root = alice.post(&bench, "/access/tfa/root@pam", &paper).await;
    assert_eq!(root.failure(), (403, "Permission check failed"));
    let by_token = bench.post("/access/tfa/root@pam", &paper).await;
    assert_eq!(by_token.status, 403);
    let by_root = by_password(&bench, ROOT).await;
    by_root.delete(&bench, "/access/tfa/admin@pve/recovery").await.data();
    // A list is shortened to those whom one may see.
    let users = |answer: &Answer| -> Vec<Value> {
        answer.data().as_array().expect("rows").iter().map(|row| row["userid"].clone()).collect()
    };
    assert_eq!(users(&alice.get(&bench, "/access/tfa").await), [USER]);
    bench.sandbox.with_cluster(|cluster| cluster.set_password("bob@pve", "of-bob-the-builder"));
    by_root.post(&bench, "/access/users", &[("userid", "bob@pve"), ("password", "of-bob-the-builder")]).await.data();
    let bob = Login::of(&log_in(&bench, &[("username", "bob@pve"), ("password", "of-bob-the-builder")]).await);
    assert_eq!(users(&bob.get(&bench, "/access/tfa").await), Vec::<Value>::new());
    // With the user go his factors.
    by_root.delete(&bench, "/access/users/admin@pve").await.data();
    assert_eq!(users(&bench.get("/access/tfa").await), Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_no_seed_or_no_code_ends_the_start() {
    for options in [
        Options { totp_seed: Some("not base32!".to_owned()), ..Options::default() },
        Options { recovery_codes: vec![String::new()], ..Options::default() },
        Options { password: Some("two\nlines".to_owned()), ..Options::default() },
    ] {
        assert!(proxmox_sandbox::Sandbox::start(options.clone()).await.is_err(), "{options:?}");
    }
}
