//! A login with user and password: the ticket that proves it, its renewal, and when to leave the API alone.
//!
//! Knows POST /access/ticket and nothing of what is done with a ticket. Every call asks here for the ticket in force;
//! one login is under way at a time, however many calls wait for it. A password that was refused is not sent again
//! before a pause is over: accounts get locked. Why it is so: docs/decisions/0019-tickets.md.

mod age;
mod codes;
mod known;
mod second;

use super::reply::{self, Arrived};
use super::trouble::Trouble;
use crate::engine::consent::Clock;
use crate::secret::Secret;
use age::Moment;
use futures_util::future::BoxFuture;
pub use known::Known;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// A ticket is good for two hours (pve-access-control, `$ticket_lifetime`). At this age it is exchanged for a new one.
const RENEWED: Duration = Duration::from_secs(90 * 60);
/// From this age on nobody is asked to take it, not even for a new one.
const SPENT: Duration = Duration::from_secs(118 * 60);
/// How long a password is left alone that was refused once, twice, and more often.
const PAUSES: [Duration; 3] = [Duration::from_secs(5 * 60), Duration::from_secs(15 * 60), Duration::from_secs(60 * 60)];

/// The API percent-decodes the cookie and ends it at `;`. Everything else stays as it is: that is taken as well (recorded
/// as `ticket.raw-unencoded-cookie`), and not everybody in between decodes.
const IN_COOKIE: &AsciiSet = &CONTROLS.add(b'%').add(b';').add(b' ').add(b'"').add(b',').add(b'\\');

/// What a login is asked with: the fields of the form.
pub type Form = Vec<(&'static str, SecretString)>;

/// Who carries a login to the API.
pub trait Post: Sync {
    /// Sends the form to POST /access/ticket, to whichever endpoint answers.
    fn post<'a>(&'a self, form: &'a Form) -> BoxFuture<'a, Result<Arrived, Trouble>>;
}

/// The login of one user.
#[derive(Debug)]
pub struct Login {
    user: String,
    password: Secret,
    totp_seed: Option<Secret>,
    clock: Clock,
    known: Arc<Known>,
    held: RwLock<Option<Arc<Ticket>>>,
    turn: Mutex<Turn>,
}

/// What only the one who logs in knows.
#[derive(Debug, Default)]
struct Turn {
    refused: Option<Refused>,
    /// The step of the one-time code that was sent last; each is good once.
    sent: Option<u64>,
}

#[derive(Debug)]
struct Refused {
    since: Moment,
    times: usize,
    says: String,
}

impl Refused {
    fn pause(&self) -> Duration {
        PAUSES.get(self.times.saturating_sub(1)).or(PAUSES.last()).copied().unwrap_or_default()
    }
}

/// What proves a login.
pub struct Ticket {
    pub cookie: HeaderValue,
    pub csrf: HeaderValue,
    text: SecretString,
    made: Moment,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("made", &self.made).finish_non_exhaustive()
    }
}

impl Login {
    pub fn new(user: &str, password: &Secret, totp_seed: Option<&Secret>, clock: Clock, known: Arc<Known>) -> Login {
        Login {
            user: user.to_owned(),
            password: password.clone(),
            totp_seed: totp_seed.cloned(),
            clock,
            known,
            held: RwLock::default(),
            turn: Mutex::default(),
        }
    }

    /// The ticket in force; logs in, or renews it, where that is due.
    ///
    /// # Errors
    /// [`Trouble::Login`]: refused, or a second factor is missing. Otherwise what kept the API from answering, which
    /// never means that something else than the login may have been sent.
    pub async fn ticket(&self, api: &dyn Post) -> Result<Arc<Ticket>, Trouble> {
        if let Some(ticket) = self.held().filter(|ticket| self.age(ticket) < RENEWED) {
            return Ok(ticket);
        }
        let mut turn = self.turn.lock().await;
        // Somebody else may have done it meanwhile.
        if let Some(held) = self.held() {
            let age = self.age(&held);
            if age < RENEWED {
                return Ok(held);
            }
            if age < SPENT {
                match self.renewed(api, &held).await {
                    Ok(ticket) => return Ok(ticket),
                    // It is not taken any more: from the beginning.
                    Err(Trouble::Login { .. } | Trouble::Rejected(_)) => {}
                    Err(trouble) => {
                        tracing::warn!(
                            trouble = trouble.brief(),
                            "the ticket could not be renewed; the old one is still good"
                        );
                        return Ok(held);
                    }
                }
            }
        }
        self.anew(&mut turn, api).await
    }

    /// The API does not take this ticket: nobody else is to use it.
    pub fn refused(&self, ticket: &Arc<Ticket>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, ticket)) {
            *held = None;
        }
    }

    fn held(&self) -> Option<Arc<Ticket>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn age(&self, ticket: &Ticket) -> Duration {
        ticket.made.age(&self.clock)
    }

    fn form(&self, password: SecretString) -> Form {
        vec![("username", SecretString::from(self.user.clone())), ("password", password)]
    }

    /// A new ticket for an old one, which is taken as the password.
    async fn renewed(&self, api: &dyn Post, old: &Ticket) -> Result<Arc<Ticket>, Trouble> {
        let made = Moment::now(&self.clock);
        let data = read(api.post(&self.form(old.text.clone())).await?)?;
        let ticket = self.keep(&data, made)?;
        tracing::debug!("the ticket was renewed");
        Ok(ticket)
    }

    async fn anew(&self, turn: &mut Turn, api: &dyn Post) -> Result<Arc<Ticket>, Trouble> {
        if let Some(refused) = &turn.refused {
            let left = refused.pause().saturating_sub(refused.since.age(&self.clock));
            if !left.is_zero() {
                return Err(Trouble::login(format!(
                    "{} To keep the account from being locked, no login is tried before {} have passed; a restart with \
                     other settings does not wait.",
                    refused.says,
                    shown(left)
                )));
            }
        }
        let password = self.password.reveal().await.map_err(|error| Trouble::Setup(error.to_string()))?;
        self.known.keep(password.expose_secret());
        let made = Moment::now(&self.clock);
        let first = read(api.post(&self.form(password.clone())).await?);
        let data = match first {
            Ok(data) if is_true(&data["NeedTFA"]) => match self.second(turn, api, &data).await {
                Ok(data) => data,
                Err(second::Failed::Refused(says)) => return Err(self.leave_alone(turn, says)),
                Err(second::Failed::Trouble(trouble)) => return Err(trouble),
            },
            Ok(data) => data,
            Err(Trouble::Rejected(rejection)) if (400..500).contains(&rejection.status) => {
                let says = format!(
                    "Proxmox VE does not accept user and password ({}). Check the user (now `{}`, with its realm) and the \
                     password ({}, not shown): does the same log in on the web page, and is the user enabled and not \
                     expired?",
                    rejection.message,
                    self.user,
                    self.password.said_in("PROXMOX_PASSWORD")
                );
                return Err(self.leave_alone(turn, says));
            }
            Err(trouble) => return Err(trouble),
        };
        let ticket = self.keep(&data, made)?;
        turn.refused = None;
        tracing::info!(user = self.user, "logged in");
        Ok(ticket)
    }

    /// Remembers a refusal, and puts it in words.
    fn leave_alone(&self, turn: &mut Turn, says: String) -> Trouble {
        let times = turn.refused.as_ref().map_or(0, |refused| refused.times) + 1;
        let refused = Refused { since: Moment::now(&self.clock), times, says };
        let text = format!(
            "{} The same is not tried again by this process for {}, so that the account is not locked.",
            refused.says,
            shown(refused.pause())
        );
        turn.refused = Some(refused);
        Trouble::login(text)
    }

    /// Makes a ticket of a complete answer, and keeps it.
    fn keep(&self, data: &Value, made: Moment) -> Result<Arc<Ticket>, Trouble> {
        if is_true(&data["NeedTFA"]) {
            return Err(Trouble::login("The API asks for another factor than the ones that were given.".to_owned()));
        }
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(ticket), Some(csrf)) = (text("ticket"), text("CSRFPreventionToken")) else {
            return Err(Trouble::login(
                "The answer to the login holds no ticket. Is it Proxmox VE that answers there?".to_owned(),
            ));
        };
        self.known.keep_passing(ticket);
        self.known.keep_passing(csrf);
        let encoded = utf8_percent_encode(ticket, IN_COOKIE);
        let sensitive = |text: &str| {
            let strange = |_| Trouble::login("The answer to the login holds characters that no ticket has.".to_owned());
            let mut value = HeaderValue::from_str(text).map_err(strange)?;
            value.set_sensitive(true);
            Ok::<_, Trouble>(value)
        };
        let ticket = Arc::new(Ticket {
            cookie: sensitive(&format!("PVEAuthCookie={encoded}"))?,
            csrf: sensitive(csrf)?,
            text: SecretString::from(ticket.to_owned()),
            made,
        });
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(ticket.clone());
        Ok(ticket)
    }
}

/// Is this the refusal of a ticket or of its CSRF token, and not of what was asked? Both come before anything is done.
pub fn is_stale(arrived: &Arrived) -> bool {
    let reason = arrived.reason.to_lowercase();
    let told = ["no ticket", "authentication failed", "invalid pve ticket", "invalid csrf token"];
    arrived.status == 401 && (arrived.body.is_empty() || told.iter().any(|part| reason.contains(part)))
}

/// The data of the answer to a login. What is unreadable says nothing of what it held: it may be a ticket.
fn read(arrived: Arrived) -> Result<Value, Trouble> {
    match reply::read(arrived) {
        Ok(reply) => Ok(reply.data),
        Err(Trouble::Rejected(rejection)) => Err(Trouble::Rejected(rejection)),
        Err(_) => Err(Trouble::login(
            "What came back for the login is not what the API answers. Does PROXMOX_HOST name a Proxmox VE node?"
                .to_owned(),
        )),
    }
}

/// 1, true or "1".
fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_u64() == Some(1) || value.as_str() == Some("1")
}

/// `90 s`, `5 min`.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

#[cfg(test)]
mod tests;
