//! Whether a call may be sent as far as a person is concerned: who is asked, what is shown, and what counts as yes.
//!
//! Stands between the judged call and its sending. Whoever agrees, agrees to the call as it was shown: when something
//! moved meanwhile, it is asked again. Knows modes, seals and waiting calls; must not know how a client or a terminal
//! puts a question, and no tool by name.

mod ask;
mod bound;
mod clock;
mod seal;
mod way;
mod words;

pub use ask::{Ask, Asker, Asking, Brought, Question, Said, Wants};
pub use clock::Clock;

use super::call::Call;
use super::failure::{Failure, FailureKind};
use super::judge::{Judged, judge};
use super::{Progress, planned};
use crate::approvals::{self, Approvals, Draft, NotTaken};
use crate::arguments::FileSource;
use crate::plan::{Intent, Plan};
use crate::settings::{Confirm, Settings};
use bound::Bound;
use seal::{Purpose, Seals};
use std::sync::OnceLock;
use std::time::Duration;
use way::{Way, way};

/// How often it is asked when what it is about keeps moving.
const ROUNDS: u8 = 3;
/// How often whoever waits hears that a person is being asked.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Where the progress of asking never gets: the task's own counting begins there.
const TASK_BEGINS: f64 = 0.01;

/// What a server keeps for confirmations.
#[derive(Debug)]
pub struct Consent {
    mode: Confirm,
    /// Seconds.
    ttl: u64,
    seals: OnceLock<Seals>,
    approvals: Option<Approvals>,
    clock: Clock,
}

/// How a call came to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// It interrupts and destroys nothing.
    NotNeeded,
    /// The operator switched asking off.
    SwitchedOff,
    /// A person was asked and said yes.
    Asked,
    /// A second call brought the seal of the first one.
    Sealed,
    /// A person approved it in a terminal, under this code.
    Approved(String),
    /// The operator lets a cancelled call stop what it started.
    Cancelled,
}

impl Agreed {
    /// One word, for records.
    pub fn as_str(&self) -> &'static str {
        match self {
            Agreed::NotNeeded => "not needed",
            Agreed::SwitchedOff => "off",
            Agreed::Asked => "asked",
            Agreed::Sealed => "seal",
            Agreed::Approved(_) => "approved",
            Agreed::Cancelled => "cancelled",
        }
    }
}

impl Consent {
    pub fn new(settings: &Settings, clock: Clock) -> Consent {
        Consent {
            mode: settings.confirm,
            ttl: settings.confirm_ttl.as_secs(),
            seals: OnceLock::new(),
            approvals: settings.state_dir.as_deref().map(Approvals::below),
            clock,
        }
    }

    fn seals(&self) -> Result<&Seals, Failure> {
        if let Some(seals) = self.seals.get() {
            return Ok(seals);
        }
        let seals = Seals::new().map_err(|error| no_random(&error.to_string()))?;
        Ok(self.seals.get_or_init(|| seals))
    }

    fn seal(&self, purpose: Purpose, bound: &Bound, round: u8) -> Result<String, Failure> {
        let end = self.clock.now().saturating_add(self.ttl);
        self.seals()?.seal(purpose, bound, round, end).map_err(|error| no_random(&error.to_string()))
    }
}

fn no_random(error: &str) -> Failure {
    let says = format!("The system gives no random numbers ({error}), so nothing can be confirmed. Nothing was sent.");
    Failure::new(FailureKind::Local, says)
}

/// Leave to send the call: as it was judged, or as it was judged again after somebody was asked.
///
/// # Errors
/// Nobody agreed, or somebody has to be asked first; the failure says what to do, or carries the question. Or what was
/// judged again is refused now. Nothing but GET was sent.
pub async fn agreed<'p>(
    call: &Call<'_>,
    plan: &'p Plan,
    mut judged: Judged<'p>,
) -> Result<(Judged<'p>, Agreed), Failure> {
    let consent = &call.engine.shared.consent;
    let asker = &call.watch.asker;
    let mut reachable = matches!(asker, Asker::Now(_) | Asker::Again(_));
    let (mut round, mut signs, mut moved) = (0, 0, false);
    loop {
        let way = way(consent.mode, judged.need.effect, judged.guarded().is_some(), reachable);
        match way {
            Way::NotNeeded => return Ok((judged, Agreed::NotNeeded)),
            Way::SwitchedOff => return Ok((judged, Agreed::SwitchedOff)),
            _ => {}
        }
        let bound = bound(call, plan, &judged);
        if let Intent::Sealed(seal) = &call.intent
            && round == 0
        {
            match brought(call, way, seal, &bound)? {
                Counts::Yes(agreed) => return Ok((judged, agreed)),
                Counts::Moved => moved = true,
                Counts::No => {}
            }
        }
        match (way, asker) {
            (Way::Ask, Asker::Now(person)) => {
                let question = words::question(call, &judged, moved.then_some(words::MOVED)).await;
                let said = wait(call, person.as_ref(), &question, &mut signs).await?;
                if let Said::Unasked(why) = &said {
                    tracing::warn!(why, "the client could not ask");
                    reachable = false;
                    continue;
                }
                if !question.wants.fits(&said) {
                    return Err(words::not_agreed(call, &question.wants, &said));
                }
                // What was shown is what runs: everything is read once more, right before it is sent.
                call.engine.shared.guests.forget();
                let now = judge(call, plan).await?;
                if self::bound(call, plan, &now) == bound {
                    return Ok((now, Agreed::Asked));
                }
                judged = now;
                moved = true;
                round += 1;
                if round >= ROUNDS {
                    return Err(words::keeps_moving(call));
                }
            }
            (Way::Ask, Asker::Again(brought)) => {
                asked_before(call, &judged, &bound, brought.as_ref()).await?;
                return Ok((judged, Agreed::Asked));
            }
            (Way::Seal, _) => return Err(sealed(call, &judged, &bound, moved).await?),
            (Way::Approve, _) => return Err(waiting(call, &judged, &bound, moved).await?),
            _ => return Err(words::refused(call, &judged).await),
        }
    }
}

/// What the answer to a call is bound to.
fn bound(call: &Call<'_>, plan: &Plan, judged: &Judged<'_>) -> Bound {
    let settings = call.engine.settings();
    // The sandbox is another one at every start, and knows no other tokens.
    let origin = if settings.sandbox { "sandbox".to_owned() } else { settings.origin() };
    let owner = settings.auth.id();
    let arguments = bound::canonical(call.given);
    let caller = call.watch.caller.as_deref().unwrap_or_default();
    let parts = ["call", &origin, &owner, caller, call.surface.name, &arguments];
    let mut state = judged.state();
    if let (Some(FileSource::Path(path)), Some(folder)) = (&plan.file, &settings.upload_dir) {
        // A file of this machine is not read twice, but one that was written meanwhile is another one.
        let file = std::fs::metadata(folder.join(path)).map(|file| (file.len(), file.modified().ok()));
        state.push(format!("{file:?}"));
    }
    Bound { call: bound::joined(parts), state: bound::joined(state.iter().map(String::as_str)) }
}

/// What a seal or code does for the call that it came with.
enum Counts {
    Yes(Agreed),
    /// It was given for another state: the new one is shown.
    Moved,
    /// It is none that counts here, and there is another way.
    No,
}

/// A seal or code that came with the call.
fn brought(call: &Call<'_>, way: Way, seal: &str, bound: &Bound) -> Result<Counts, Failure> {
    let consent = &call.engine.shared.consent;
    let now = consent.clock.now();
    if let Some(code) = approvals::normal(seal) {
        let Some(approvals) = &consent.approvals else { return Err(words::no_folder(call)) };
        return match approvals.take(&code, &bound.call, &bound.state, way == Way::Seal, now) {
            Ok(one) if one.approved => Ok(Counts::Yes(Agreed::Approved(one.code))),
            Ok(_) => Ok(Counts::Yes(Agreed::Sealed)),
            Err(NotTaken::Moved) => Ok(Counts::Moved),
            Err(_) if way == Way::Ask => Ok(Counts::No),
            Err(why) => Err(words::not_taken(call, &code, &why)),
        };
    }
    if way != Way::Seal {
        return Ok(Counts::No);
    }
    match consent.seals()?.redeem(Purpose::Confirms, seal, bound, now) {
        Ok(opened) if opened.same_state => Ok(Counts::Yes(Agreed::Sealed)),
        Ok(_) => Ok(Counts::Moved),
        Err(why) => Err(words::bad_seal(call, &why)),
    }
}

/// The call came again with an answer, or comes for the first time.
async fn asked_before(
    call: &Call<'_>,
    judged: &Judged<'_>,
    bound: &Bound,
    brought: Option<&Brought>,
) -> Result<(), Failure> {
    let consent = &call.engine.shared.consent;
    let mut round = 0;
    let mut why = None;
    if let Some(brought) = brought {
        let opened = consent.seals()?.redeem(Purpose::Asked, &brought.state, bound, consent.clock.now());
        if matches!(brought.said, Said::Declined | Said::Dismissed) {
            return Err(words::not_agreed(call, &words::wants(judged), &brought.said));
        }
        match opened {
            Ok(opened) if opened.same_state => {
                let wants = words::wants(judged);
                return match wants.fits(&brought.said) {
                    true => Ok(()),
                    false => Err(words::not_agreed(call, &wants, &brought.said)),
                };
            }
            Ok(opened) => {
                round = opened.round + 1;
                why = Some(words::MOVED.to_owned());
            }
            Err(bad) => why = Some(format!("You are asked again, because the last answer does not count: {bad}.")),
        }
    }
    if round >= ROUNDS {
        return Err(words::keeps_moving(call));
    }
    let question = words::question(call, judged, why.as_deref()).await;
    let state = consent.seal(Purpose::Asked, bound, round)?;
    Err(words::unconfirmed(call, "a person has to be asked first").asking(Asking { question, state }))
}

/// Puts the question and waits, telling whoever waits that it is still being asked.
async fn wait(call: &Call<'_>, person: &dyn Ask, question: &Question, count: &mut u32) -> Result<Said, Failure> {
    let consent = &call.engine.shared.consent;
    let mut answer = person.ask(question);
    let end = tokio::time::sleep(Duration::from_secs(consent.ttl));
    tokio::pin!(end);
    let mut signs = tokio::time::interval(SIGN_OF_LIFE);
    loop {
        tokio::select! {
            biased;
            () = call.watch.cancelled.cancelled() => {
                return Err(Failure::new(FailureKind::Cancelled, "The call was cancelled while a person was asked. Nothing was sent."));
            }
            said = &mut answer => return Ok(said),
            () = &mut end => return Err(words::nobody_answered(call, consent.ttl)),
            _ = signs.tick() => {
                *count = count.saturating_add(1);
                if let Some(listener) = call.watch.progress.as_ref().filter(|_| !person.is_on_screen()) {
                    let message = "waiting for a person to confirm".to_owned();
                    let done = TASK_BEGINS * (1.0 - 1.0 / f64::from(*count + 1));
                    // Nobody listens any more: then nobody is told.
                    let _ = listener.send(Progress { done, total: None, message });
                }
            }
        }
    }
}

/// The plan, and the seal with which the next call confirms it.
async fn sealed(call: &Call<'_>, judged: &Judged<'_>, bound: &Bound, moved: bool) -> Result<Failure, Failure> {
    let consent = &call.engine.shared.consent;
    let plan = planned::lines(&planned::shown(call, judged).await).join("\n");
    let seal = match call.watch.asker {
        Asker::Apart => put(call, judged, bound, &plan, false)?,
        _ => consent.seal(Purpose::Confirms, bound, 0)?,
    };
    Ok(words::with_seal(call, &plan, &seal, consent.ttl, moved))
}

/// The plan, and the code under which a person approves it.
async fn waiting(call: &Call<'_>, judged: &Judged<'_>, bound: &Bound, moved: bool) -> Result<Failure, Failure> {
    let plan = planned::lines(&planned::shown(call, judged).await).join("\n");
    let code = put(call, judged, bound, &plan, true)?;
    Ok(words::with_code(call, &plan, &code, call.engine.shared.consent.ttl, moved))
}

/// Puts the call down, for a person or for the next process.
fn put(call: &Call<'_>, judged: &Judged<'_>, bound: &Bound, plan: &str, person: bool) -> Result<String, Failure> {
    let consent = &call.engine.shared.consent;
    let Some(approvals) = &consent.approvals else { return Err(words::no_folder(call)) };
    let now = consent.clock.now();
    let words = match words::wants(judged) {
        Wants::Typed(words) => words,
        Wants::Yes => vec!["yes".to_owned()],
    };
    let mut title = words::title(call);
    // Whoever approves it may know one caller and not another.
    let caller = call.watch.caller.as_deref();
    if let Some(caller) = caller {
        title.push_str(&format!(", for the caller `{caller}`"));
    }
    let plan = call.secrets().hide(plan.to_owned());
    let end = now.saturating_add(consent.ttl);
    let draft = Draft {
        title: &title,
        caller,
        plan: &plan,
        words: &words,
        person,
        call: &bound.call,
        state: &bound.state,
        end,
    };
    match approvals.put(&draft, now) {
        Ok(one) => Ok(one.code),
        Err(error) => Err(words::cannot_wait(call, &error)),
    }
}
