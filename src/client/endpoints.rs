//! Where the API listens, at one address or several: which one is asked, and which ones are left alone for a while.
//!
//! The endpoint that answered last is asked first. One that could not be connected to is passed by until a pause is
//! over, which grows each time; when none is left, all are tried all the same. Knows nothing of what is asked: whether
//! something may be sent a second time says the trouble.

use super::IN_FLIGHT;
use super::probe::unproxied;
use super::tls::{Presented, Roots};
use super::trouble::Trouble;
use crate::settings::{Endpoint, Settings};
use reqwest::Url;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where the API begins.
const ROOT: &str = "/api2/json";
/// A server closes connections that were idle for five seconds; ours are given up before that, so that no write
/// meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(3);
/// How long an endpoint is passed by at first, and at most.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// All endpoints of a cluster; at least one.
#[derive(Debug)]
pub struct Endpoints {
    first: Place,
    others: Vec<Place>,
    /// The number of the one that is asked first.
    kept: AtomicUsize,
}

/// One endpoint, and its connections.
#[derive(Debug)]
pub struct Place {
    origin: String,
    base: Url,
    http: reqwest::Client,
    presented: Presented,
    /// Until a connection is given up that is not made.
    connect_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Passed by until then.
    until: Option<Instant>,
    pause: Duration,
}

impl Place {
    fn new(endpoint: &Endpoint, roots: &Roots, settings: &Settings) -> Result<Place, Trouble> {
        let presented = Presented::default();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(roots.config(presented.clone())?)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IN_FLIGHT)
            .connect_timeout(settings.connect_timeout)
            .user_agent(concat!("proxmox-mcp/", env!("CARGO_PKG_VERSION")));
        if settings.sandbox || unproxied() {
            builder = builder.no_proxy();
        }
        let http =
            builder.build().map_err(|error| Trouble::Setup(format!("the HTTP client cannot be built: {error}")))?;
        let origin = endpoint.origin();
        let base = Url::parse(&origin).map_err(|error| Trouble::Setup(format!("`{origin}` is no address: {error}")))?;
        let connect_timeout = settings.connect_timeout;
        Ok(Place { origin, base, http, presented, connect_timeout, state: Mutex::default() })
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// `https://host:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The address of a path of the API, which is percent-encoded already.
    pub fn url(&self, encoded: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{ROOT}{encoded}"));
        url
    }

    /// The fingerprint of the certificate that was last turned down here.
    pub fn turned_down(&self) -> Option<String> {
        self.presented.last()
    }

    fn resting(&self, now: Instant) -> bool {
        self.with(|state| state.until.is_some_and(|until| until > now))
    }

    fn rest(&self) -> Duration {
        self.with(|state| {
            state.pause = if state.pause.is_zero() { PAUSE } else { (state.pause * 2).min(LONGEST_PAUSE) };
            state.until = Some(Instant::now() + state.pause);
            state.pause
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Endpoints {
    /// # Errors
    /// [`Trouble::Setup`]: the CA file or the system's roots cannot be read, or there is no endpoint.
    pub fn new(settings: &Settings) -> Result<Endpoints, Trouble> {
        let roots = Roots::of(&settings.trust)?;
        let mut places = settings.endpoints.iter().map(|endpoint| Place::new(endpoint, &roots, settings));
        let none = || Trouble::Setup("no endpoint is set: PROXMOX_HOST (--host) names one".to_owned());
        let first = places.next().ok_or_else(none)??;
        Ok(Endpoints { first, others: places.collect::<Result<_, _>>()?, kept: AtomicUsize::new(0) })
    }

    fn all(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The one that is asked first.
    pub fn kept(&self) -> &Place {
        self.all().nth(self.kept.load(Ordering::Relaxed)).unwrap_or(&self.first)
    }

    /// Those to ask, in this order, with their numbers.
    fn order(&self) -> Vec<(usize, &Place)> {
        let now = Instant::now();
        let kept = self.kept.load(Ordering::Relaxed);
        let mut all: Vec<(usize, &Place)> = self.all().enumerate().collect();
        all.sort_by_key(|(number, _)| *number != kept);
        let awake: Vec<(usize, &Place)> = all.iter().filter(|(_, place)| !place.resting(now)).copied().collect();
        if awake.is_empty() { all } else { awake }
    }

    /// Goes from one endpoint to the next until one can be connected to.
    pub fn tour(&self) -> Tour<'_> {
        let mut left = if self.others.is_empty() { vec![(0, &self.first)] } else { self.order() };
        left.reverse();
        Tour { endpoints: self, left, failed: Vec::new() }
    }

    fn answers(&self, number: usize, place: &Place) {
        place.with(|state| *state = State::default());
        if self.kept.swap(number, Ordering::Relaxed) != number {
            tracing::info!(at = place.origin, "this endpoint is used from now on");
        }
    }
}

/// One request on its way to the endpoint that answers.
#[derive(Debug)]
pub struct Tour<'a> {
    endpoints: &'a Endpoints,
    /// The next one last.
    left: Vec<(usize, &'a Place)>,
    failed: Vec<(String, Trouble)>,
}

impl<'a> Tour<'a> {
    /// The endpoint to ask now; `None` = there is no other.
    pub fn next(&mut self) -> Option<(usize, &'a Place)> {
        self.left.pop()
    }

    /// What came of it; gives it back if it is the end of the tour. One that could not be connected to is not: nothing
    /// left, so another one may be asked, whatever the request is.
    pub fn took<T>(&mut self, at: (usize, &Place), came: Result<T, Trouble>) -> Option<Result<T, Trouble>> {
        let (number, place) = at;
        if self.endpoints.others.is_empty() {
            return Some(came);
        }
        match came {
            Ok(answer) => {
                self.endpoints.answers(number, place);
                Some(Ok(answer))
            }
            Err(trouble) => {
                let unconnected = trouble.unconnected();
                // Whether a request that broke off may be repeated is not decided here; the next one goes elsewhere.
                if unconnected || matches!(trouble, Trouble::Broken(_) | Trouble::Timeout(_)) {
                    let pause = place.rest();
                    tracing::warn!(at = place.origin, %trouble, ?pause, "this endpoint is left alone for a while");
                }
                if !unconnected {
                    return Some(Err(trouble.at(&place.origin)));
                }
                self.failed.push((place.origin.clone(), trouble));
                None
            }
        }
    }

    /// None of them could be connected to.
    pub fn end(self) -> Trouble {
        Trouble::Nowhere(self.failed)
    }
}
