//! The connection to the API: one request in, one complete answer or one well-told trouble out.
//!
//! Knows TLS, encoding, time-outs, retries and the limit of requests in flight. Knows nothing of tools, and holds the
//! second fence: nothing but GET leaves without a [`Permit`], and none at all if no call of this server may write.

mod listing;
pub mod probe;
mod reply;
mod request;
mod tls;
mod trouble;
mod upload;

use crate::access::Permit;
use crate::arguments::FileSource;
use crate::settings::{Auth, Settings};
use crate::tool::Verb;
pub use listing::{Listing, Row};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
pub use probe::probe;
use reply::Arrived;
pub use reply::Reply;
pub use request::{PreparedParam, PreparedRequest};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::time::Duration;
pub use tls::hex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
pub use trouble::{Rejection, Trouble};

/// Requests in flight. A node has three workers, each of which holds many connections; a client that asks for more than
/// this at once waits here, where it can be told so, and not there.
const IN_FLIGHT: usize = 32;
/// Where the API begins.
const ROOT: &str = "/api2/json";
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// Room that is made for an answer before it has come, in bytes.
const TRUSTED: usize = 4 * 1024 * 1024;
/// A server closes connections that were idle for five seconds; ours are given up before that, so that no write
/// meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(3);
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
    http: reqwest::Client,
    /// Scheme, host and port.
    base: Url,
    authorization: HeaderValue,
    slots: Semaphore,
    timeout: Duration,
    tries: u32,
    pause: Duration,
    presented: tls::Presented,
    writes: bool,
    upload_dir: Option<PathBuf>,
}

/// What may leave.
enum Leave<'a> {
    Read,
    Write(&'a Permit, Option<upload::Upload>),
}

impl Client {
    /// # Errors
    /// [`Trouble::Setup`]: the CA file or the system's roots cannot be read.
    ///
    /// `writes`: may any call of this server send something other than GET?
    pub async fn new(settings: &Settings, writes: bool) -> Result<Client, Trouble> {
        let presented = tls::Presented::default();
        let tls = tls::Roots::of(&settings.trust)?.config(presented.clone())?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IN_FLIGHT)
            .connect_timeout(settings.connect_timeout)
            .user_agent(concat!("proxmox-mcp/", env!("CARGO_PKG_VERSION")));
        if settings.sandbox {
            builder = builder.no_proxy();
        }
        let http =
            builder.build().map_err(|error| Trouble::Setup(format!("the HTTP client cannot be built: {error}")))?;
        let token = match &settings.auth {
            Auth::Token { user, name, secret } => {
                let secret = secret.reveal().await.map_err(|error| Trouble::Setup(error.to_string()))?;
                let (user, secret) = (user.as_str(), secret.expose_secret());
                let [user, secret] = [user, secret].map(|text| utf8_percent_encode(text, IN_TOKEN));
                format!("PVEAPIToken={user}!{name}={secret}")
            }
            Auth::Password { .. } => return Err(Trouble::Setup("passwords are not taken yet".to_owned())),
        };
        let mut authorization = HeaderValue::from_str(&token)
            .map_err(|_| Trouble::Setup("user or token hold characters that no header can carry".to_owned()))?;
        authorization.set_sensitive(true);
        let origin = settings.origin();
        let base = Url::parse(&origin).map_err(|error| Trouble::Setup(format!("`{origin}` is no address: {error}")))?;
        Ok(Client {
            http,
            base,
            authorization,
            slots: Semaphore::new(IN_FLIGHT),
            timeout: settings.timeout,
            tries: settings.retries.max(1),
            pause: settings.retry_delay,
            presented,
            writes,
            upload_dir: settings.upload_dir.clone(),
        })
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
            // A streamed file can be sent once, so it is opened again for every try.
            let upload = match file {
                Some(file) => Some(upload::prepare(request, file, self.upload_dir.as_deref()).await?),
                None => None,
            };
            let answer = self.exchange(request, Leave::Write(permit, upload), stop).await.and_then(reply::read);
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

    /// One request, one answer. The only place where something leaves this process.
    async fn exchange(
        &self,
        request: &PreparedRequest,
        leave: Leave<'_>,
        stop: &CancellationToken,
    ) -> Result<Arrived, Trouble> {
        let upload = match leave {
            Leave::Read if request.verb == Verb::Get => None,
            Leave::Write(permit, upload)
                if permit.verb() == request.verb && (self.writes || request.verb == Verb::Get) =>
            {
                upload
            }
            _ => {
                return Err(Trouble::Fenced(format!(
                    "{} may not leave: this server runs at a tier that only reads",
                    request.verb
                )));
            }
        };
        let _slot = self.slot(stop).await?;
        tracing::debug!(%request, "sending");
        let method = match request.verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
            Verb::Delete => reqwest::Method::DELETE,
        };
        let in_query = matches!(request.verb, Verb::Get | Verb::Delete);
        let params = request.encoded_params();
        // Both are percent-encoded already, and everything that has a meaning there is.
        let mut url = self.base.clone();
        url.set_path(&format!("{ROOT}{}", request.encoded_path()));
        if in_query && !params.is_empty() {
            url.set_query(Some(&params));
        }
        let mut timeout = self.timeout;
        let mut builder = self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone());
        if let Some(upload) = upload {
            timeout += Duration::from_secs(upload.size / SLOWEST_UPLOAD);
            builder = builder.multipart(upload.form);
        } else if !in_query {
            // The API wants a length even where there is nothing, and knows no chunks.
            builder = builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(CONTENT_LENGTH, params.len())
                .body(params);
        }
        let told = |error: reqwest::Error| {
            Trouble::from_reqwest(&error.without_url(), timeout.as_millis(), self.presented.last())
        };
        let mut response = builder.timeout(timeout).send().await.map_err(told)?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            return Err(Trouble::Redirect(place(to)));
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
