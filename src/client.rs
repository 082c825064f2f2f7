//! The connection to the API: one request in, one complete answer or one well-told trouble out.
//!
//! Knows TLS, endpoints, logins, encoding, time-outs, retries and the limit of requests in flight. Knows nothing of tools, and holds the
//! second fence: nothing but GET leaves without a [`Permit`], and none at all if no call of this server may write.

mod endpoints;
mod listing;
mod login;
pub mod probe;
mod reply;
mod request;
mod tls;
mod trouble;
mod upload;

use crate::access::Permit;
use crate::arguments::FileSource;
use crate::engine::consent::Clock;
use crate::settings::{Auth, Settings};
use crate::tool::Verb;
use endpoints::{Endpoints, Place};
use futures_util::future::BoxFuture;
pub use listing::{Listing, Row};
use login::{Form, Known, Login, Post, Ticket};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
pub use probe::probe;
use reply::Arrived;
pub use reply::Reply;
pub use request::{PreparedParam, PreparedRequest};
use reqwest::RequestBuilder;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
pub use tls::hex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
pub use trouble::{Rejection, Trouble};

/// Requests in flight. A node has three workers, each of which holds many connections; a client that asks for more than
/// this at once waits here, where it can be told so, and not there.
const IN_FLIGHT: usize = 32;
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// Room that is made for an answer before it has come, in bytes.
const TRUSTED: usize = 4 * 1024 * 1024;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes per second that an upload is trusted to make at least.
const SLOWEST_UPLOAD: u64 = 512 * 1024;
/// The server percent-decodes the token and ends it at `;`.
const IN_TOKEN: &AsciiSet = &CONTROLS.add(b'%').add(b';').add(b' ').add(b'"');

/// How often a read may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// As configured, after connection errors and 595 to 599.
    Freely,
    /// Only if no byte left: the answer can be read once.
    Never,
}

/// A connection to one cluster. No connection is opened before the first request.
#[derive(Debug)]
pub struct Client {
    endpoints: Endpoints,
    proof: Proof,
    known: Arc<Known>,
    slots: Semaphore,
    timeout: Duration,
    tries: u32,
    pause: Duration,
    writes: bool,
    upload_dir: Option<PathBuf>,
}

/// How we prove who we are.
#[derive(Debug)]
enum Proof {
    /// The header of an API token.
    Token(HeaderValue),
    Login(Box<Login>),
}

/// What may leave.
#[derive(Clone, Copy)]
enum Leave<'a> {
    Read,
    Write(&'a Permit, Option<&'a FileSource>),
}

/// The header with which a ticket proves that a request comes from us (CSRF).
const CSRF: &str = "CSRFPreventionToken";
/// Where a login goes.
const TICKET: &str = "/access/ticket";
const FORM: &str = "application/x-www-form-urlencoded";

impl Client {
    /// `writes`: may any call of this server send something other than GET?
    ///
    /// # Errors
    /// [`Trouble::Setup`]: the CA file or the system's roots cannot be read, or the token's source does not give it.
    pub async fn new(settings: &Settings, writes: bool, clock: Clock) -> Result<Client, Trouble> {
        let known = Arc::new(Known::default());
        let endpoints = Endpoints::new(settings)?;
        let proof = match &settings.auth {
            Auth::Token { user, name, secret } => {
                let secret = secret.reveal().await.map_err(|error| Trouble::Setup(error.to_string()))?;
                let secret = secret.expose_secret().trim();
                if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let says = "the secret of the API token holds a character that no token has (it is not shown): \
                                does its source give the secret alone?";
                    return Err(Trouble::Setup(says.to_owned()));
                }
                known.keep(secret);
                let [user, secret] = [user.as_str(), secret].map(|text| utf8_percent_encode(text, IN_TOKEN));
                let mut header = HeaderValue::from_str(&format!("PVEAPIToken={user}!{name}={secret}"))
                    .map_err(|_| Trouble::Setup("user or token hold characters that no header can carry".to_owned()))?;
                header.set_sensitive(true);
                Proof::Token(header)
            }
            Auth::Password { user, password, totp_seed } => {
                Proof::Login(Box::new(Login::new(user, password, totp_seed.as_ref(), clock, known.clone())))
            }
        };
        Ok(Client {
            endpoints,
            proof,
            known,
            slots: Semaphore::new(IN_FLIGHT),
            timeout: settings.timeout,
            tries: settings.retries.max(1),
            pause: settings.retry_delay,
            writes,
            upload_dir: settings.upload_dir.clone(),
        })
    }

    /// The endpoint that requests go to at present, as `https://host:port`.
    pub fn origin(&self) -> &str {
        self.endpoints.kept().origin()
    }

    /// What proves who we are, as far as it is known; no text may hold any of it.
    pub fn secrets(&self) -> Vec<String> {
        self.known.texts()
    }

    /// Changes whenever [`Client::secrets`] does.
    pub fn secrets_version(&self) -> u64 {
        self.known.version()
    }

    /// Sends a read; repeats it after connection errors and 595 to 599, with growing random pauses.
    ///
    /// # Errors
    /// See [`Trouble`]; [`Trouble::Fenced`] if it is no GET.
    pub async fn get(
        &self,
        request: &PreparedRequest,
        repeat: Repeat,
        stop: &CancellationToken,
    ) -> Result<Reply, Trouble> {
        self.fetch(request, repeat, stop, reply::read).await
    }

    /// As [`Client::get`], for an answer that is a list: its rows are read later, one by one.
    ///
    /// # Errors
    /// As [`Client::get`]; [`Trouble::Unreadable`] if it is no list.
    pub async fn list(
        &self,
        request: &PreparedRequest,
        repeat: Repeat,
        stop: &CancellationToken,
    ) -> Result<Listing, Trouble> {
        self.fetch(request, repeat, stop, Listing::read).await
    }

    async fn fetch<T>(
        &self,
        request: &PreparedRequest,
        repeat: Repeat,
        stop: &CancellationToken,
        read: fn(Arrived) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if request.verb != Verb::Get {
            return Err(Trouble::Fenced(format!("{} is no read and cannot be sent as one", request.verb)));
        }
        let whole = self.repeat(repeat, || async move { read(self.exchange(request, Leave::Read, stop).await?) });
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(Trouble::Cancelled),
            answer = whole => answer,
        }
    }

    /// Sends what the plan gate gave leave for; repeats it only if no byte left. Once it is on its way it is not
    /// given up: whether it was carried out is worth knowing even to somebody who cancelled.
    ///
    /// # Errors
    /// See [`Trouble`]; [`Trouble::Fenced`] if the leave is for another method.
    pub async fn send(
        &self,
        request: &PreparedRequest,
        permit: &Permit,
        file: Option<&FileSource>,
        stop: &CancellationToken,
    ) -> Result<Reply, Trouble> {
        let mut tried = 0;
        loop {
            if stop.is_cancelled() {
                return Err(Trouble::Cancelled);
            }
            let answer = self.exchange(request, Leave::Write(permit, file), stop).await.and_then(reply::read);
            tried += 1;
            match answer {
                Err(trouble) if trouble.nothing_left() && tried < self.tries => self.rest(tried, &trouble, stop).await,
                answer => return answer,
            }
        }
    }

    async fn repeat<T, F>(&self, repeat: Repeat, send: impl Fn() -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut tried = 0;
        loop {
            let answer = send().await;
            tried += 1;
            match answer {
                Err(trouble)
                    if tried < self.tries
                        && (trouble.nothing_left() || (repeat == Repeat::Freely && trouble.passing())) =>
                {
                    self.rest(tried, &trouble, &CancellationToken::new()).await;
                }
                answer => return answer,
            }
        }
    }

    /// Full jitter: anything from nothing to the doubled pause, so that many clients do not come back together.
    async fn rest(&self, tried: u32, trouble: &Trouble, stop: &CancellationToken) {
        let most = self.pause.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
        let pause = most.mul_f64(fastrand::f64());
        tracing::debug!(trouble = trouble.brief(), tried, ?pause, "trying again");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Nothing has left yet, so whoever goes away while waiting gets nothing sent.
    async fn slot(&self, stop: &CancellationToken) -> Result<SemaphorePermit<'_>, Trouble> {
        if let Ok(slot) = self.slots.try_acquire() {
            return Ok(slot);
        }
        tracing::info!(limit = IN_FLIGHT, "waiting for one of the requests in flight to end");
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(Trouble::Cancelled),
            slot = tokio::time::timeout(self.timeout, self.slots.acquire()) => match slot {
                Ok(Ok(slot)) => Ok(slot),
                _ => Err(Trouble::Busy(IN_FLIGHT)),
            },
        }
    }

    /// One request, one answer. The only place where a request leaves this process.
    async fn exchange(
        &self,
        request: &PreparedRequest,
        leave: Leave<'_>,
        stop: &CancellationToken,
    ) -> Result<Arrived, Trouble> {
        let free = match leave {
            Leave::Read => request.verb == Verb::Get,
            Leave::Write(permit, _) => permit.verb() == request.verb && (self.writes || request.verb == Verb::Get),
        };
        if !free {
            let says = format!("{} may not leave: this server runs at a tier that only reads", request.verb);
            return Err(Trouble::Fenced(says));
        }
        let Proof::Login(login) = &self.proof else { return self.round(request, leave, None, stop).await };
        let mut anew = true;
        loop {
            let ticket = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Trouble::Cancelled),
                ticket = login.ticket(self) => ticket.map_err(Trouble::before_sending)?,
            };
            let arrived = self.round(request, leave, Some(&ticket), stop).await?;
            // Whoever may call is looked at before anything is done, so the same may be said once more.
            if !(anew && login::is_stale(&arrived)) {
                return Ok(arrived);
            }
            anew = false;
            login.refused(&ticket);
        }
    }

    /// The request to the first endpoint that can be connected to.
    async fn round(
        &self,
        request: &PreparedRequest,
        leave: Leave<'_>,
        ticket: Option<&Ticket>,
        stop: &CancellationToken,
    ) -> Result<Arrived, Trouble> {
        let _slot = self.slot(stop).await?;
        tracing::debug!(%request, "sending");
        let mut tour = self.endpoints.tour();
        while let Some(at) = tour.next() {
            if stop.is_cancelled() {
                return Err(Trouble::Cancelled);
            }
            let came = match self.built(at.1, request, leave, ticket).await {
                Ok((builder, timeout)) => self.answer(at.1, builder, timeout).await,
                Err(trouble) => Err(trouble),
            };
            if let Some(end) = tour.took(at, came) {
                return end;
            }
        }
        Err(tour.end())
    }

    /// The request as it goes to this endpoint, and how long it may take. A streamed file can be sent once, so it is
    /// opened for every try.
    async fn built(
        &self,
        place: &Place,
        request: &PreparedRequest,
        leave: Leave<'_>,
        ticket: Option<&Ticket>,
    ) -> Result<(RequestBuilder, Duration), Trouble> {
        let method = match request.verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
            Verb::Delete => reqwest::Method::DELETE,
        };
        let in_query = matches!(request.verb, Verb::Get | Verb::Delete);
        let params = request.encoded_params();
        let mut url = place.url(request.encoded_path());
        if in_query && !params.is_empty() {
            // Percent-encoded already, and so is the path.
            url.set_query(Some(&params));
        }
        let mut builder = place.http().request(method, url);
        builder = match (&self.proof, ticket) {
            (Proof::Token(header), _) => builder.header(AUTHORIZATION, header.clone()),
            (Proof::Login(_), Some(ticket)) => builder.header(COOKIE, ticket.cookie.clone()),
            (Proof::Login(_), None) => builder,
        };
        if let Some(ticket) = ticket.filter(|_| request.verb != Verb::Get) {
            builder = builder.header(CSRF, ticket.csrf.clone());
        }
        let mut timeout = self.timeout;
        match leave {
            Leave::Write(_, Some(file)) => {
                let upload = upload::prepare(request, file, self.upload_dir.as_deref()).await?;
                timeout += Duration::from_secs(upload.size / SLOWEST_UPLOAD);
                builder = builder.multipart(upload.form);
            }
            _ if !in_query => {
                // The API wants a length even where there is nothing, and knows no chunks.
                builder = builder.header(CONTENT_TYPE, FORM).header(CONTENT_LENGTH, params.len()).body(params);
            }
            _ => {}
        }
        Ok((builder, timeout))
    }

    /// Sends, and reads the whole answer.
    async fn answer(&self, place: &Place, builder: RequestBuilder, timeout: Duration) -> Result<Arrived, Trouble> {
        let told = |error: reqwest::Error| {
            let timeouts = (place.connect_timeout(), timeout);
            Trouble::from_reqwest(&error.without_url(), timeouts, place.turned_down())
        };
        let mut response = builder.timeout(timeout).send().await.map_err(told)?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            return Err(Trouble::Redirect(self::place(to)));
        }
        let reason = reason(&response);
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        // What the server says of the length is trusted up to a limit only.
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(TRUSTED));
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > LONGEST {
                let most = LONGEST / (1024 * 1024);
                return Err(Trouble::Unreadable(format!("the answer is longer than {most} MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Arrived { status: status.as_u16(), reason, content_type: kind, body })
    }
}

impl Client {
    /// A login changes nothing, so one that broke off is tried at the next endpoint, too.
    async fn log_in(&self, form: &Form) -> Result<Arrived, Trouble> {
        let mut body = String::new();
        for (name, value) in form {
            let and = if body.is_empty() { "" } else { "&" };
            let value = utf8_percent_encode(value.expose_secret(), NON_ALPHANUMERIC);
            // Writing to a String cannot fail.
            let _ = write!(body, "{and}{name}={value}");
        }
        let body = &body;
        let round = || async move {
            let mut tour = self.endpoints.tour();
            while let Some(at) = tour.next() {
                let builder = at.1.http().post(at.1.url(TICKET));
                let builder = builder.header(CONTENT_TYPE, FORM).header(CONTENT_LENGTH, body.len());
                let came = self.answer(at.1, builder.body(body.clone()), self.timeout).await;
                if let Some(end) = tour.took(at, came) {
                    return end;
                }
            }
            Err(tour.end())
        };
        self.repeat(Repeat::Freely, round).await
    }
}

impl Post for Client {
    fn post<'a>(&'a self, form: &'a Form) -> BoxFuture<'a, Result<Arrived, Trouble>> {
        Box::pin(self.log_in(form))
    }
}

/// The words of the status line: the API's own, which are kept where they differ from the usual ones.
fn reason(response: &reqwest::Response) -> String {
    let own = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let own = own.map(|phrase| String::from_utf8_lossy(phrase.as_bytes()).into_owned());
    own.or_else(|| response.status().canonical_reason().map(str::to_owned)).unwrap_or_default()
}

/// Where a redirect leads, without what a query may hold.
fn place(location: &str) -> String {
    match Url::parse(location) {
        Ok(url) => match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
            _ => url.scheme().to_owned(),
        },
        Err(_) => crate::engine::clean::line(location.split('?').next().unwrap_or_default(), 80),
    }
}
