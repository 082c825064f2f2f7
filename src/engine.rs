//! The one road of every call: tool gate, decode, plan, resolve, plan gate, send, wait, present.
//!
//! Written once and by hand; no tool can go around any step, and none is known here by name. Knows nothing of MCP or of
//! the command line.

mod answers;
mod audited;
mod barred;
pub mod budget;
mod call;
pub mod clean;
mod coerce;
pub mod consent;
mod explain;
mod failure;
pub mod fences;
mod gate;
mod guards;
mod guests;
mod judge;
mod located;
mod names;
pub mod objects;
mod operator;
mod planned;
mod present;
mod progress;
mod resolve;
mod run;
mod secrets;
mod stop;
mod tail;
mod told;
mod unknown;
mod wait;
mod write;

use crate::access::{Access, SetBy};
use crate::arguments::{Fields, FileSource};
pub use crate::client::PreparedRequest as Prepared;
use crate::client::{Client, PreparedRequest};
use crate::clusters::ARGUMENT;
use crate::plan::Instead;
pub use crate::plan::Intent;
use crate::settings::{Fences, Limits, Settings};
use crate::tool::{Kind, Outcome, Surface, Verb};
use call::Call;
use consent::{Asker, Clock, Consent};
pub use failure::{Failure, FailureKind};
pub use located::{Given, prepare_with};
use secrets::Secrets;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

/// What does things on one cluster: settings, access, and one connection.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    access: Access,
    shared: Arc<Shared>,
}

/// What all callers of a cluster share, whatever each of them may do.
#[derive(Debug)]
struct Shared {
    /// May any caller send something other than GET?
    writes: bool,
    client: OnceCell<Client>,
    guests: guests::Guests,
    names: names::Names,
    consent: Consent,
    clock: Clock,
    /// What proves who we are, which no text may hold, as of a version of it; empty until it was read.
    own: Mutex<(u64, Arc<Secrets>)>,
    /// What we hold at the cluster, looked up when it is first asked for; `None` = it could not be.
    held: OnceCell<Option<crate::checkup::Held>>,
    /// Opened at the first need; the text says why it could not be.
    audit: OnceLock<Result<crate::audit::Audit, String>>,
}

/// A successful answer, or one whose end is a failure or unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// As the tool's `output_schema` promises.
    pub content: Map<String, Value>,
    /// The outcome is `failed` or `unknown`.
    pub failed: bool,
    /// For those: cause and next step.
    pub text: Option<String>,
}

impl Answer {
    /// The same answer as it may leave: none of these in it, and nothing invisible.
    fn without(mut self, secrets: &Secrets) -> Answer {
        for (field, value) in &mut self.content {
            // The words of these two are this program's, whatever somebody chose for a password.
            let word = value.as_str().unwrap_or_default();
            let own = match field.as_str() {
                "outcome" => OUTCOMES.iter().any(|outcome| outcome.as_str() == word),
                "kind" => Kind::parse(word).is_some(),
                _ => false,
            };
            if !own {
                secrets.hide_within(value);
                clean::within(value);
            }
        }
        secrets.hide_names(&mut self.content);
        clean::names(&mut self.content);
        self.text = self.text.map(|text| failure::told(&secrets.hide(text)));
        self
    }
}

/// How a call is watched while it runs.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    pub progress: Option<UnboundedSender<Progress>>,
    /// The program that calls, by its own word.
    pub client: Option<String>,
    /// Who calls, proven by a bearer token; `None` = whoever started this process.
    pub caller: Option<String>,
    /// Who calls may sit at another machine, and has no business with the files of this one.
    pub remote: bool,
    pub cancelled: CancellationToken,
    /// How a person can be asked about this call.
    pub asker: Asker,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Grows with every message.
    pub done: f64,
    /// Known when the log tells percentages.
    pub total: Option<f64>,
    pub message: String,
}

const OUTCOMES: [Outcome; 5] = [Outcome::Ok, Outcome::Warnings, Outcome::Failed, Outcome::Running, Outcome::Unknown];

/// What every answer of the sandbox says, good or bad.
const SANDBOX: &str = "From the sandbox, a make-believe cluster.";

/// What a caller over HTTP is told who names a file of the server's machine, whether it is there or not.
const NO_LOCAL_FILES: &str = "Files of the server's machine cannot be reached over HTTP. Give the content as base64 (at \
                              most 8 MiB), or let the node fetch the file by itself from a URL. Nothing was sent.";

impl Engine {
    /// Connects to nothing: certificates are read and connections opened at the first call.
    pub fn new(settings: Settings) -> Engine {
        Engine::with_clock(settings, Clock::default())
    }

    /// As [`Engine::new`], with another clock for what expires.
    pub fn with_clock(settings: Settings, clock: Clock) -> Engine {
        let consent = Consent::new(&settings, clock.clone());
        let access = settings.access();
        let shared = Shared {
            writes: access.writes(),
            client: OnceCell::new(),
            guests: guests::Guests::default(),
            names: names::Names::default(),
            consent,
            clock,
            own: Mutex::new((0, Arc::new(Secrets::none()))),
            held: OnceCell::new(),
            audit: OnceLock::new(),
        };
        Engine { settings, access, shared: Arc::new(shared) }
    }

    /// The same cluster for a caller with limits of its own: what is asked, cached, confirmed and written down is shared,
    /// and whatever the limits say, no more may be done than here.
    pub fn narrowed(&self, limits: &Limits) -> Engine {
        let access = self.access.narrowed(Access::new(limits.tier, limits.allow.clone(), limits.deny.clone()));
        let mut settings = self.settings.clone();
        settings.tier = access.tier;
        settings.allow = limits.allow.clone();
        settings.deny.extend(limits.deny.iter().cloned());
        let own = Some(limits.fences.clone()).filter(|fences| *fences != Fences::default());
        settings.fences.extend(own.map(|fences| fences.set_in(|_| SetBy::Token)));
        if let Some(toolsets) = &limits.toolsets {
            settings.toolsets = toolsets.clone();
        }
        Engine { settings, access, shared: self.shared.clone() }
    }

    /// The same engine, one of several or the only one of its caller.
    pub(crate) fn among(mut self, several: bool) -> Engine {
        self.settings.among_several = several;
        self
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What may be called.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Calls a tool under one of its names.
    ///
    /// # Errors
    /// [`Failure`]: nothing was done, and why; or a read brought nothing.
    pub async fn call(
        &self,
        surface: &'static Surface,
        given: Option<&Map<String, Value>>,
        watch: Watch,
    ) -> Result<Answer, Failure> {
        self.call_to(Intent::Run, surface, given, watch).await
    }

    /// Calls a tool: to do it, to see what it would do, or to do what was shown.
    ///
    /// # Errors
    /// As [`Engine::call`].
    pub async fn call_to(
        &self,
        intent: Intent,
        surface: &'static Surface,
        given: Option<&Map<String, Value>>,
        watch: Watch,
    ) -> Result<Answer, Failure> {
        // Boxed: everything that carries a call would be as large as all of its steps, and is moved many times.
        let ended = match Box::pin(self.answer(surface, given, watch, intent)).await {
            Ok(mut answer) if self.settings.sandbox => {
                answer.text = answer.text.map(|text| format!("{text}\n{SANDBOX}"));
                note(&mut answer.content, SANDBOX.to_owned());
                Ok(answer)
            }
            Err(failure) if self.settings.sandbox => Err(failure.noting(SANDBOX)),
            other => other,
        };
        let ended = self.naming(ended);
        // Last, so that nothing is added to what was measured.
        let most = self.settings.budget;
        ended.map(|answer| budget::answer(answer, surface, most)).map_err(|failure| failure.within(most))
    }

    /// Where there are several clusters, an answer says which one it is from.
    fn naming(&self, ended: Result<Answer, Failure>) -> Result<Answer, Failure> {
        if !self.settings.among_several {
            return ended;
        }
        let name = &self.settings.name;
        match ended {
            Ok(mut answer) => {
                answer.content.insert(ARGUMENT.to_owned(), json!(name));
                answer.text = answer.text.map(|text| format!("{text}\nCluster `{name}`."));
                Ok(answer)
            }
            Err(failure) => {
                let own = match failure.kind() {
                    FailureKind::Refused | FailureKind::Fenced => ": its limits are its own, in the config file",
                    _ => "",
                };
                Err(failure.noting(&format!("Cluster `{name}`{own}.")))
            }
        }
    }

    async fn answer(
        &self,
        surface: &'static Surface,
        given: Option<&Map<String, Value>>,
        watch: Watch,
        intent: Intent,
    ) -> Result<Answer, Failure> {
        let mut fields = Fields::new(surface, given);
        if let Err(refusal) = self.access.check(surface) {
            let failure = Failure::from(refusal);
            // Pure, and tells what of the arguments is secret.
            let plan = (surface.tool.plan)(&mut fields).ok();
            audited::refused(self, surface, given, &watch, plan.as_ref(), &failure);
            return Err(failure);
        }
        let mut plan = (surface.tool.plan)(&mut fields)?;
        match plan.instead.take() {
            Some(Instead::Answer(content)) => return Ok(Answer { content, failed: false, text: None }),
            // The other tool's own gates look at its call.
            Some(Instead::Call { surface, arguments, intent }) => {
                return Box::pin(self.answer(surface, Some(&arguments), watch, intent)).await;
            }
            None => {}
        }
        let mut notes = fields.take_notes();
        notes.extend(plan.notes.iter().cloned());
        if let (true, Some(FileSource::Path(_))) = (watch.remote, &plan.file) {
            return Err(Failure::new(FailureKind::BadArguments, NO_LOCAL_FILES));
        }
        let client = self.client().await?;
        let call = Call { engine: self, client, surface, given, intent, watch: &watch, secrets: Mutex::default() };
        let ended = run::run(&call, &plan, notes).await;
        // Nobody on the way may have a secret repeated, not even a proxy that echoes what it was sent.
        match ended {
            Ok(answer) => Ok(answer.without(&call.secrets())),
            Err(failure) => {
                if failure.kind().is_refusal() {
                    audited::refused(self, surface, given, &watch, Some(&plan), &failure);
                }
                Err(failure.without(&call.secrets()))
            }
        }
    }

    async fn client(&self) -> Result<&Client, Failure> {
        let made = || Client::new(&self.settings, self.shared.writes, self.shared.clock.clone());
        self.shared.client.get_or_try_init(made).await.map_err(|trouble| {
            let request = PreparedRequest::plain(Verb::Get, "/version");
            explain::connection(&self.settings, &request, &trouble)
        })
    }

    /// What proves who we are, as far as it was read, as something that no text may hold.
    fn own_secrets(&self) -> Arc<Secrets> {
        // Nothing can repeat what was never sent.
        let version = self.shared.client.get().map_or(0, Client::secrets_version);
        let mut own = self.shared.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.0 != version {
            *own = (version, Arc::new(Secrets::new(self.known_secrets())));
        }
        own.1.clone()
    }

    /// The texts that prove who we are, as far as they were read.
    fn known_secrets(&self) -> Vec<String> {
        let known = self.shared.client.get().map(Client::secrets).unwrap_or_default();
        self.settings.auth.known_secrets().chain(known).collect()
    }
}

/// Adds to the answer's notes.
fn note(content: &mut Map<String, Value>, text: String) {
    match content.get_mut("notes") {
        Some(Value::Array(notes)) => notes.push(json!(text)),
        _ => {
            content.insert("notes".to_owned(), json!([text]));
        }
    }
}
