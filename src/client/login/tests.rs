//! Logins against an API that a test plays: what is sent, how often, and when.

use super::*;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers in turn, and what was sent for them: `password` fields, and whether a challenge was with it.
struct Api {
    answers: std::sync::Mutex<VecDeque<Result<Arrived, Trouble>>>,
    sent: std::sync::Mutex<Vec<String>>,
}

impl Api {
    fn new(answers: impl IntoIterator<Item = Result<Arrived, Trouble>>) -> Api {
        Api { answers: std::sync::Mutex::new(answers.into_iter().collect()), sent: std::sync::Mutex::default() }
    }

    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.sent.lock().expect("no panic"))
    }
}

impl Post for Api {
    fn post<'a>(&'a self, form: &'a Form) -> BoxFuture<'a, Result<Arrived, Trouble>> {
        Box::pin(async move {
            let field =
                |name: &str| form.iter().find(|(known, _)| *known == name).map(|(_, text)| text.expose_secret());
            let challenge = field("tfa-challenge").map(|text| format!(" for {text}")).unwrap_or_default();
            self.sent.lock().expect("no panic").push(format!("{}{challenge}", field("password").expect("sent")));
            // Whoever else asks at the same time gets a chance to.
            tokio::task::yield_now().await;
            self.answers.lock().expect("no panic").pop_front().expect("nothing else is asked")
        })
    }
}

fn good(ticket: &str) -> Result<Arrived, Trouble> {
    let data = json!({"data": {"ticket": ticket, "CSRFPreventionToken": format!("csrf of {ticket}")}});
    Ok(Arrived::ok(&data.to_string()))
}

fn half() -> Result<Arrived, Trouble> {
    let data = json!({"data": {"ticket": "PVE:!tfa!x", "CSRFPreventionToken": "none", "NeedTFA": 1}});
    Ok(Arrived::ok(&data.to_string()))
}

fn refusal() -> Result<Arrived, Trouble> {
    let body = json!({"data": null, "message": "authentication failure\n"}).to_string();
    Ok(Arrived { status: 401, reason: "authentication failure".to_owned(), ..Arrived::ok(&body) })
}

/// A login whose clock a test turns.
fn login(seed: Option<&str>) -> (Login, Arc<AtomicU64>, Arc<Known>) {
    let seconds = Arc::new(AtomicU64::new(1_800_000_000));
    let time = seconds.clone();
    let clock = Clock::new(move || std::time::UNIX_EPOCH + Duration::from_secs(time.load(Ordering::SeqCst)));
    let known = Arc::new(Known::default());
    let secret = |text: &str| Secret::given(SecretString::from(text.to_owned()));
    let seed = seed.map(secret);
    (Login::new("a@pve", &secret("hunter2"), seed.as_ref(), clock, known.clone()), seconds, known)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn says(ended: Result<Arc<Ticket>, Trouble>) -> String {
    match ended {
        Err(Trouble::Login { says }) => says,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_calls_at_once_log_in_once() {
    let (login, _, _) = login(None);
    let api = Api::new([good("one")]);
    let all = futures_util::future::join_all((0..20).map(|_| login.ticket(&api))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(api.sent(), ["hunter2"]);
}

#[tokio::test]
async fn a_ticket_is_renewed_with_itself_before_it_ends() {
    let (login, seconds, known) = login(None);
    // Minutes that pass; what is sent then; what is the ticket afterwards.
    let steps: [(u64, &[&str], &str); 6] = [
        (0, &["hunter2"], "one"),
        (89, &[], "one"),
        (2, &["one"], "two"),
        (95, &["two"], "three"),
        // The renewal is refused.
        (91, &["three", "hunter2"], "four"),
        // Too old for one.
        (119, &["hunter2"], "five"),
    ];
    let api = Api::new([good("one"), good("two"), good("three"), refusal(), good("four"), good("five")]);
    for (minutes, sent, ticket) in steps {
        seconds.fetch_add(minutes * 60, Ordering::SeqCst);
        let got = login.ticket(&api).await.expect("a ticket");
        assert_eq!((api.sent().as_slice(), got.text.expose_secret()), (strings(sent).as_slice(), ticket));
    }
    assert!(known.texts().iter().any(|text| text == "csrf of three"));
    // Put back, the clock tells nothing of the age.
    seconds.fetch_sub(3600, Ordering::SeqCst);
    let api = Api::new([good("six")]);
    assert_eq!(login.ticket(&api).await.expect("a ticket").text.expose_secret(), "six");
}

#[tokio::test]
async fn a_renewal_without_an_answer_leaves_the_ticket_that_is_still_good() {
    let (login, seconds, _) = login(None);
    let api = Api::new([good("one"), Err(Trouble::Timeout(1)), good("two")]);
    login.ticket(&api).await.expect("a ticket");
    seconds.fetch_add(100 * 60, Ordering::SeqCst);
    assert_eq!(login.ticket(&api).await.expect("the old one").text.expose_secret(), "one");
    assert_eq!(login.ticket(&api).await.expect("the new one").text.expose_secret(), "two");
}

#[tokio::test]
async fn a_ticket_that_was_refused_is_replaced_once() {
    let (login, _, _) = login(None);
    let api = Api::new([good("one"), good("two")]);
    let one = login.ticket(&api).await.expect("a ticket");
    login.refused(&one);
    let two = login.ticket(&api).await.expect("a ticket");
    // A call that was slower says the same of the old one.
    login.refused(&one);
    assert!(Arc::ptr_eq(&two, &login.ticket(&api).await.expect("a ticket")));
    assert_eq!(api.sent(), ["hunter2", "hunter2"]);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_until_a_pause_is_over() {
    let (login, seconds, _) = login(None);
    let api = Api::new([refusal(), refusal(), good("one")]);
    let text = says(login.ticket(&api).await);
    for part in ["authentication failure", "PROXMOX_PASSWORD", "`a@pve`", "5 min"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("hunter2"));
    for _ in 0..5 {
        let text = says(login.ticket(&api).await);
        assert!(text.contains("no login is tried"), "{text}");
    }
    assert_eq!(api.sent().len(), 1);
    seconds.fetch_add(5 * 60, Ordering::SeqCst);
    assert!(says(login.ticket(&api).await).contains("15 min"));
    seconds.fetch_add(14 * 60, Ordering::SeqCst);
    assert!(says(login.ticket(&api).await).contains("60 s"));
    seconds.fetch_add(60, Ordering::SeqCst);
    login.ticket(&api).await.expect("right again");
    assert_eq!(api.sent().len(), 2);
}

#[tokio::test]
async fn a_server_that_cannot_answer_refuses_nothing() {
    let (login, _, _) = login(None);
    let broken = || Ok(Arrived { status: 500, reason: "no".to_owned(), ..Arrived::ok("") });
    let api = Api::new([broken(), Err(Trouble::Broken("x".to_owned())), Ok(Arrived::ok("PVE:secret")), good("one")]);
    assert!(matches!(login.ticket(&api).await, Err(Trouble::Rejected(_))));
    assert!(matches!(login.ticket(&api).await, Err(Trouble::Broken(_))));
    assert!(!says(login.ticket(&api).await).contains("secret"));
    login.ticket(&api).await.expect("a ticket");
}

#[tokio::test]
async fn half_a_ticket_is_never_used() {
    let (login, seconds, _) = login(None);
    let api = Api::new([good("one"), half(), good("two")]);
    login.ticket(&api).await.expect("a ticket");
    seconds.fetch_add(100 * 60, Ordering::SeqCst);
    // The renewal brings half a ticket: from the beginning.
    assert_eq!(login.ticket(&api).await.expect("a whole one").text.expose_secret(), "two");
}

const SEED: &str = "JBSWY3DPEHPK3PXP";

#[tokio::test]
async fn a_seed_answers_for_the_second_factor_and_no_code_is_sent_twice() {
    let (login, seconds, _) = login(Some(SEED));
    let code = |step: u64| {
        let seed = codes::Seed::parse(SEED).expect("a seed");
        format!("totp:{} for PVE:!tfa!x", seed.code(1_800_000_000 / codes::STEP + step))
    };
    let api = Api::new([half(), good("one"), half(), refusal(), good("two")]);
    let one = login.ticket(&api).await.expect("a ticket");
    assert_eq!(api.sent(), ["hunter2".to_owned(), code(0)]);
    login.refused(&one);
    // Still within the same 30 seconds: that code is spent, the next one is taken early, and the one after it has come.
    tokio::time::pause();
    let two = login.ticket(&api).await.expect("a ticket");
    assert_eq!(api.sent(), ["hunter2".to_owned(), code(1), code(2)]);
    login.refused(&two);
    seconds.fetch_add(3600, Ordering::SeqCst);
    let api = Api::new([half(), refusal(), refusal()]);
    let text = says(login.ticket(&api).await);
    assert!(text.contains("one-time codes") && text.contains("clock") && text.contains("5 min"), "{text}");
    assert!(!text.contains(SEED));
    assert_eq!(api.sent().len(), 3);
    says(login.ticket(&api).await);
    assert_eq!(api.sent().len(), 0);
}

#[tokio::test]
async fn without_seed_and_terminal_the_way_out_is_told() {
    let (login, _, _) = login(None);
    let api = Api::new([half()]);
    let text = says(login.ticket(&api).await);
    // Whoever runs the tests may sit at a terminal; then there is no answer.
    assert!(text.contains("PROXMOX_TOTP_SEED") || text.contains("No code"), "{text}");
}
