//! Second factors: codes from an app and codes on paper, what they accept, and when a user is locked out.
//!
//! Knows codes, counts and instants, and nothing of requests. Codes from an app are the one thing in the sandbox that
//! goes by the real clock, because whoever computes them does.
//! Source: proxmox-rs `proxmox-tfa`.

mod totp;

use std::time::SystemTime;

use serde_json::{Map, Value, json};

pub(crate) use totp::Totp;

/// So many wrong codes from an app, and none is taken any more until a code on paper was used or somebody unlocks.
const TOTP_FAILURES: u32 = 8;
/// So many wrong codes of any kind, and nothing is taken for a while.
const FAILURES: u32 = 100;
/// Seconds of that while.
const LOCKED_FOR: i64 = 12 * 3_600;
/// The id of the codes on paper.
pub(crate) const RECOVERY: &str = "recovery";

/// The present by both clocks.
pub(crate) struct Instants {
    /// Seconds since 1970 by the cluster's clock.
    pub cluster: i64,
    pub real: SystemTime,
}

/// What a user has beside a password.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factors {
    apps: Vec<App>,
    paper: Option<Paper>,
    totp_failures: u32,
    failures: u32,
    totp_locked: bool,
    /// Seconds since 1970 by the cluster's clock; 0 = not at all.
    locked_until: i64,
}

/// An app that computes codes.
#[derive(Debug, Clone)]
struct App {
    id: String,
    description: String,
    created: i64,
    enabled: bool,
    totp: Totp,
    /// The step of the last code that was taken: that one and all before it are used up.
    used: Option<u64>,
}

/// Codes on paper, each good once.
#[derive(Debug, Clone)]
struct Paper {
    codes: Vec<Option<String>>,
    created: i64,
}

impl Factors {
    pub(crate) fn add_app(&mut self, id: String, description: &str, created: i64, totp: Totp) {
        self.apps.push(App { id, description: description.to_owned(), created, enabled: true, totp, used: None });
    }

    /// Replaces the codes on paper.
    pub(crate) fn set_paper(&mut self, codes: &[String], created: i64) {
        self.paper = Some(Paper { codes: codes.iter().cloned().map(Some).collect(), created });
    }

    pub(crate) fn has_paper(&self) -> bool {
        self.paper.is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.paper.is_none()
    }

    /// What a login has to be completed with, as JSON; none where a password is enough.
    pub(crate) fn challenge(&self) -> Option<String> {
        let mut challenge = Map::new();
        if self.apps.iter().any(|app| app.enabled) {
            challenge.insert("totp".to_owned(), json!(true));
        }
        if let Some(paper) = &self.paper {
            let left = paper.codes.iter().enumerate().filter(|(_, code)| code.is_some());
            challenge.insert(RECOVERY.to_owned(), left.map(|(place, _)| json!(place)).collect());
        }
        (!challenge.is_empty()).then(|| Value::Object(challenge).to_string())
    }

    /// Whether `totp:123456` or `recovery:CODE` is right; a code that was right is used up, a wrong one is counted.
    pub(crate) fn verify(&mut self, given: &str, now: &Instants) -> bool {
        let Some((kind, code)) = given.split_once(':') else { return false };
        let by_app = match kind {
            "totp" => true,
            RECOVERY => false,
            _ => return false,
        };
        if self.is_locked(now.cluster) || (by_app && self.totp_locked) {
            return false;
        }
        let right = if by_app { self.take_app(code, now.real) } else { self.take_paper(code) };
        if right {
            self.failures = 0;
            self.totp_failures = 0;
            if !by_app {
                self.totp_locked = false;
                self.locked_until = 0;
            }
            return true;
        }
        self.failures += 1;
        if self.failures >= FAILURES {
            self.locked_until = now.cluster + LOCKED_FOR;
        }
        if by_app {
            self.totp_failures += 1;
            self.totp_locked = self.totp_failures >= TOTP_FAILURES;
        }
        false
    }

    fn take_app(&mut self, code: &str, now: SystemTime) -> bool {
        for app in self.apps.iter_mut().filter(|app| app.enabled) {
            if let Some(step) = app.totp.step_of(code, now) {
                // A code that somebody has seen over a shoulder is worth nothing.
                let fresh = app.used.is_none_or(|used| step > used);
                if fresh {
                    app.used = Some(step);
                }
                return fresh;
            }
        }
        false
    }

    fn take_paper(&mut self, code: &str) -> bool {
        let codes = self.paper.iter_mut().flat_map(|paper| &mut paper.codes);
        let found = codes.into_iter().find(|one| one.as_deref() == Some(code));
        found.is_some_and(|one| one.take().is_some())
    }

    /// A code that is good now, will be for a while, and is not used up; none after two within half a minute, or
    /// without an app.
    pub(crate) fn next_code(&self, now: SystemTime) -> Option<String> {
        let app = self.apps.iter().find(|app| app.enabled)?;
        // The code of the step before could be too old by the time it is used.
        let step = app.totp.steps(now).skip(1).find(|step| app.used.is_none_or(|used| *step > used))?;
        Some(app.totp.code(step))
    }

    /// Codes from apps are good a second time.
    pub(crate) fn forget_used(&mut self) {
        self.apps.iter_mut().for_each(|app| app.used = None);
    }

    pub(crate) fn is_locked(&self, now: i64) -> bool {
        now < self.locked_until
    }

    /// Whether there was anything to unlock.
    pub(crate) fn unlock(&mut self, now: i64) -> bool {
        let was = self.totp_locked || self.is_locked(now);
        (self.totp_failures, self.failures, self.totp_locked, self.locked_until) = (0, 0, false, 0);
        was
    }

    /// The kinds that there are, each once and in order.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let paper = self.paper.as_ref().map(|_| RECOVERY);
        paper.into_iter().chain((!self.apps.is_empty()).then_some("totp")).collect()
    }

    /// Every factor as the API tells it.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let paper = self
            .paper
            .iter()
            .map(|paper| json!({ "type": RECOVERY, "id": RECOVERY, "description": "", "created": paper.created }));
        let apps = self.apps.iter().map(|app| {
            let mut entry = json!({
                "type": "totp", "id": app.id, "description": app.description, "created": app.created,
            });
            if !app.enabled {
                entry["enable"] = json!(0);
            }
            entry
        });
        paper.chain(apps).collect()
    }

    /// What the list of all users tells of this one.
    pub(crate) fn row(&self, userid: &str, now: i64) -> Value {
        let mut row = json!({ "userid": userid, "entries": self.entries() });
        if self.totp_locked {
            row["totp-locked"] = json!(1);
        }
        if self.is_locked(now) {
            row["tfa-locked-until"] = json!(self.locked_until);
        }
        row
    }

    /// Changes what is told of an app, and whether it counts; false if there is none of that id.
    pub(crate) fn change_app(&mut self, id: &str, description: Option<&str>, enabled: Option<bool>) -> bool {
        let Some(app) = self.apps.iter_mut().find(|app| app.id == id) else { return false };
        if let Some(description) = description {
            app.description = description.to_owned();
        }
        app.enabled = enabled.unwrap_or(app.enabled);
        true
    }

    /// False if there is none of that id.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        if id == RECOVERY {
            return self.paper.take().is_some();
        }
        let before = self.apps.len();
        self.apps.retain(|app| app.id != id);
        self.apps.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: u64) -> Instants {
        Instants { cluster: 0, real: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    fn factors() -> Factors {
        let mut factors = Factors::default();
        factors.add_app("1".to_owned(), "phone", 0, Totp::of_seed(SEED).expect("a seed"));
        factors.set_paper(&["one".to_owned(), "two".to_owned()], 0);
        factors
    }

    #[test]
    fn a_code_and_its_neighbours_are_good_and_each_only_once() {
        let mut factors = factors();
        // 005924 is the code of the step that begins at 1234567890.
        for (seconds, good) in [(1_234_567_890 - 31, false), (1_234_567_890 - 30, true), (1_234_567_890, false)] {
            assert_eq!(factors.verify("totp:005924", &at(seconds)), good, "{seconds}");
        }
        factors.forget_used();
        assert!(factors.verify("totp:005924", &at(1_234_567_949)));
        factors.forget_used();
        assert!(!factors.verify("totp:005924", &at(1_234_567_950)));
    }

    #[test]
    fn the_next_code_is_one_that_is_not_used_up() {
        let (mut factors, now) = (factors(), at(1_234_567_890));
        for _ in 0..2 {
            let code = factors.next_code(now.real).expect("a code");
            assert!(factors.verify(&format!("totp:{code}"), &now), "{code}");
        }
        assert_eq!(factors.next_code(now.real), None);
    }

    #[test]
    fn a_code_on_paper_is_good_once() {
        let mut factors = factors();
        let challenge = |factors: &Factors| factors.challenge().and_then(|text| text.parse::<serde_json::Value>().ok());
        assert_eq!(challenge(&factors), Some(serde_json::json!({"recovery": [0, 1], "totp": true})));
        assert!(factors.verify("recovery:one", &at(0)));
        assert!(!factors.verify("recovery:one", &at(0)));
        assert_eq!(challenge(&factors), Some(serde_json::json!({"recovery": [1], "totp": true})));
    }

    #[test]
    fn eight_wrong_codes_lock_the_app_until_a_code_on_paper() {
        let (mut factors, now) = (factors(), at(1_234_567_890));
        let wrong = |factors: &mut Factors, times| (0..times).for_each(|_| assert!(!factors.verify("totp:1", &now)));
        wrong(&mut factors, 7);
        assert!(factors.verify("totp:005924", &now));
        wrong(&mut factors, 8);
        factors.forget_used();
        assert!(!factors.verify("totp:005924", &now));
        assert_eq!(factors.row("u@pve", 0)["totp-locked"], 1);
        assert!(factors.verify("recovery:one", &now));
        assert!(factors.verify("totp:005924", &now));
    }

    #[test]
    fn a_hundred_wrong_codes_lock_everything_for_twelve_hours() {
        let mut factors = factors();
        (0..100).for_each(|_| assert!(!factors.verify("recovery:none", &at(0))));
        assert!(!factors.verify("recovery:one", &at(0)));
        assert_eq!(factors.row("u@pve", 0)["tfa-locked-until"], LOCKED_FOR);
        assert!(factors.verify("recovery:one", &Instants { cluster: LOCKED_FOR, ..at(0) }));
    }

    #[test]
    fn what_is_no_code_counts_as_nothing() {
        let mut factors = factors();
        for text in ["", "005924", "totp", "webauthn:{}", "yubico:x"] {
            assert!(!factors.verify(text, &at(1_234_567_890)), "{text}");
        }
        assert_eq!(factors.failures, 0);
    }
}
