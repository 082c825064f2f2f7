//! Confirmations that come too late, on an engine whose clock the test holds.

use crate::common::PATIENCE;
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::consent::{Ask, Asker, Brought, Clock, Question, Said};
use proxmox_mcp::engine::{Answer, Engine, Failure, FailureKind, Intent, Watch};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

struct Held {
    sandbox: Sandbox,
    engine: Engine,
    now: Arc<AtomicU64>,
}

async fn held(ttl: u64) -> Held {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let flags = Flags::default();
    let settings = Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), &flags);
    let settings = Settings {
        tier: Tier::Admin,
        confirm: Confirm::Ask,
        confirm_ttl: Duration::from_secs(ttl),
        state_dir: None,
        ..settings.expect("complete")
    };
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = Clock::new({
        let now = now.clone();
        move || SystemTime::UNIX_EPOCH + Duration::from_secs(now.load(Ordering::Relaxed))
    });
    Held { sandbox, engine: Engine::with_clock(settings, clock), now }
}

impl Held {
    async fn call(&self, intent: Intent, tool: &str, arguments: Value, asker: Asker) -> Result<Answer, Failure> {
        let surface = catalogue::surface(tool).expect("a tool");
        let watch = Watch { asker, ..Watch::default() };
        self.engine.call_to(intent, surface, arguments.as_object(), watch).await
    }

    fn later(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    fn writes(&self) -> usize {
        self.sandbox.requests().iter().filter(|request| request.verb != "GET").count()
    }
}

fn seal(failure: &Failure) -> String {
    let text = failure.to_string();
    let (_, rest) = text.split_once("the seal ").expect("a seal");
    rest.split_once(". ").map(|(seal, _)| seal.to_owned()).expect("the end of it")
}

#[tokio::test]
async fn a_seal_expires() {
    let held = held(600).await;
    let stop = || json!({"vmid": 100});
    let first = held.call(Intent::Run, "stop_guest", stop(), Asker::Nobody).await.expect_err("not confirmed");
    assert_eq!(first.kind(), FailureKind::Unconfirmed);
    held.later(600);
    let sealed = Intent::Sealed(seal(&first));
    let late = held.call(sealed, "stop_guest", stop(), Asker::Nobody).await.expect_err("too late");
    assert!(late.to_string().contains("it has expired") && late.kind() == FailureKind::Unconfirmed, "{late}");
    assert_eq!(held.writes(), 0);
    let second = held.call(Intent::Run, "stop_guest", stop(), Asker::Nobody).await.expect_err("not confirmed");
    held.later(599);
    let sealed = Intent::Sealed(seal(&second));
    held.call(sealed, "stop_guest", stop(), Asker::Nobody).await.expect("in time");
    assert_eq!(held.writes(), 1);
}

#[tokio::test]
async fn an_answer_to_an_old_question_is_asked_for_again() {
    let held = held(600).await;
    let delete = || json!({"vmid": 110});
    let first = held.call(Intent::Run, "delete_guest", delete(), Asker::Again(None)).await.expect_err("a question");
    let asking = first.question().expect("a question").clone();
    held.later(600);
    let brought = |state: &str| Some(Brought { said: Said::Typed("110".to_owned()), state: state.to_owned() });
    let late = held.call(Intent::Run, "delete_guest", delete(), Asker::Again(brought(&asking.state))).await;
    let late = late.expect_err("too late");
    let again = late.question().expect("a question");
    assert!(again.question.text.contains("it has expired"), "{}", again.question.text);
    assert_eq!(held.writes(), 0);
    held.later(599);
    let good = held.call(Intent::Run, "delete_guest", delete(), Asker::Again(brought(&again.state))).await;
    good.expect("in time");
    assert_eq!(held.writes(), 1);
}

/// Somebody who was asked and went home.
struct Silent;

impl Ask for Silent {
    fn ask<'a>(&'a self, _: &'a Question) -> Pin<Box<dyn Future<Output = Said> + Send + 'a>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let held = held(1).await;
    let asked = held.call(Intent::Run, "delete_guest", json!({"vmid": 110}), Asker::Now(Arc::new(Silent)));
    let ended = tokio::time::timeout(PATIENCE, asked).await.expect("it ends").expect_err("nobody answered");
    assert!(ended.to_string().contains("nobody answered within 1 second"), "{ended}");
    assert_eq!(held.writes(), 0);
}

#[tokio::test]
async fn without_a_folder_nothing_waits() {
    let held = held(600).await;
    let ended = held.call(Intent::Run, "delete_guest", json!({"vmid": 110}), Asker::Nobody).await;
    let text = ended.expect_err("no folder").to_string();
    assert!(text.contains("--state-dir") && text.contains("Nothing was sent"), "{text}");
}
