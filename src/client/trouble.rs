//! What can go wrong between us and the API, told apart by what has to be done about it.
//!
//! Knows whether bytes of a request may have reached the server, on which repetition and "outcome unknown" depend.
//! Knows nothing of tools; the words for people are put together in the engine.

use std::error::Error;
use std::io;
use std::time::Duration;
use tokio::time::error::Elapsed;

/// A request that brought no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Trouble {
    /// The fence: a request without leave.
    #[error("{0}")]
    Fenced(String),
    /// The connection could not even be prepared (CA file, roots of the system).
    #[error("{0}")]
    Setup(String),
    /// A local file that cannot be sent.
    #[error("{0}")]
    File(String),
    /// Nobody is logged in, so nothing else was sent. The text is whole.
    #[error("{says}")]
    Login { says: String },
    #[error("the host name cannot be resolved: {0}")]
    Dns(String),
    #[error("no connection: {0}")]
    Connect(String),
    /// `presented` is the SHA-256 of the certificate that the server showed, with colons; `None` when it was not the
    /// certificate that was wrong.
    #[error("no TLS connection: {detail}")]
    Tls { detail: String, presented: Option<String> },
    #[error("no answer within {0} ms")]
    Timeout(u128),
    #[error("the connection broke off: {0}")]
    Broken(String),
    #[error("all {0} connections are in use")]
    Busy(usize),
    /// The caller does not want the answer any more.
    #[error("cancelled")]
    Cancelled,
    #[error("redirected to {0}")]
    Redirect(String),
    /// A complete answer that is not what the API sends.
    #[error("{0}")]
    Unreadable(String),
    /// A complete rejection.
    #[error("{} {}", .0.status, .0.message)]
    Rejected(Rejection),
    /// One of these, at this endpoint (`https://host:port`) of several.
    #[error("{at}: {trouble}")]
    At { at: String, trouble: Box<Trouble> },
    /// No endpoint could be connected to; each with its own trouble.
    #[error("no endpoint can be reached: {}", .0.iter().map(|(at, trouble)| format!("{at}: {trouble}")).collect::<Vec<_>>().join("; "))]
    Nowhere(Vec<(String, Trouble)>),
}

/// A complete answer with an error status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub status: u16,
    /// The body's message, else the reason phrase; control characters removed.
    pub message: String,
    /// The API's words per parameter.
    pub errors: Vec<(String, String)>,
}

impl Trouble {
    /// Nobody is logged in, for this reason.
    pub(super) fn login(says: String) -> Trouble {
        Trouble::Login { says }
    }

    /// The same as that of one endpoint of several. What comes from the API itself, or from us, has no place.
    pub(super) fn at(self, at: &str) -> Trouble {
        match self {
            Trouble::Dns(_)
            | Trouble::Connect(_)
            | Trouble::Tls { .. }
            | Trouble::Timeout(_)
            | Trouble::Broken(_)
            | Trouble::Redirect(_)
            | Trouble::Unreadable(_) => Trouble::At { at: at.to_owned(), trouble: Box::new(self) },
            other => other,
        }
    }

    /// No connection was made, so another endpoint may be asked, whatever the request is.
    pub(super) fn unconnected(&self) -> bool {
        matches!(self, Trouble::Dns(_) | Trouble::Connect(_) | Trouble::Tls { .. })
    }

    /// The trouble of a login that was to come before a request: of the request itself nothing left.
    pub(super) fn before_sending(self) -> Trouble {
        match self {
            Trouble::Rejected(rejection) => Trouble::login(format!(
                "The login was not answered: {} (HTTP {}).",
                rejection.message, rejection.status
            )),
            Trouble::At { at, trouble } if !trouble.unconnected() => {
                Trouble::login(format!("The login at {at} was not answered: {trouble}."))
            }
            Trouble::Timeout(_) | Trouble::Broken(_) | Trouble::Unreadable(_) | Trouble::Redirect(_) => {
                Trouble::login(format!("The login was not answered: {self}."))
            }
            other => other,
        }
    }

    /// May the server have received and carried out the request although no answer came?
    ///
    /// 595 says that the node in between could not connect to the one that was meant; 596 to 599 come from a later
    /// phase, so the work may go on, and so do 502 and 504 of a proxy in front (the API itself sends neither). Any other
    /// complete rejection, or a redirect, means that it was not carried out.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Trouble::Timeout(_) | Trouble::Broken(_) | Trouble::Unreadable(_) => true,
            Trouble::Rejected(rejection) => matches!(rejection.status, 502 | 504 | 596..=599),
            Trouble::At { trouble, .. } => trouble.may_have_happened(),
            _ => false,
        }
    }

    /// No byte of the request left this process, so it may be sent again whatever it is.
    pub fn nothing_left(&self) -> bool {
        match self {
            Trouble::Dns(_) | Trouble::Connect(_) => true,
            Trouble::At { trouble, .. } => trouble.nothing_left(),
            Trouble::Nowhere(all) => all.iter().any(|(_, trouble)| trouble.nothing_left()),
            _ => false,
        }
    }

    /// Worth repeating for a read.
    pub fn passing(&self) -> bool {
        match self {
            Trouble::Dns(_) | Trouble::Connect(_) | Trouble::Broken(_) => true,
            Trouble::Rejected(rejection) => (595..=599).contains(&rejection.status),
            Trouble::At { trouble, .. } => trouble.passing(),
            Trouble::Nowhere(_) => self.nothing_left(),
            _ => false,
        }
    }

    /// What went wrong, without a word of the server's: it may repeat what it was sent. For the log.
    pub fn brief(&self) -> String {
        match self {
            Trouble::Rejected(rejection) => format!("status {}", rejection.status),
            Trouble::Redirect(_) => "redirected".to_owned(),
            Trouble::Unreadable(_) => "unreadable".to_owned(),
            Trouble::Login { .. } => "not logged in".to_owned(),
            Trouble::At { at, trouble } => format!("{at}: {}", trouble.brief()),
            ours => ours.to_string(),
        }
    }

    /// The rejection, if it is one.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Trouble::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }

    /// From reqwest's error. `timeouts`: until a connection stands, and until the answer is there. `presented` is the
    /// certificate of the last failed handshake.
    pub(super) fn from_reqwest(
        error: &reqwest::Error,
        timeouts: (Duration, Duration),
        presented: Option<String>,
    ) -> Trouble {
        let chain = chain(error);
        if let Some(wrong) = chain.iter().find_map(|link| link.downcast_ref::<rustls::Error>()) {
            let detail = wrong.to_string();
            let presented = presented.filter(|_| matches!(wrong, rustls::Error::InvalidCertificate(_)));
            return if error.is_connect() { Trouble::Tls { detail, presented } } else { Trouble::Broken(detail) };
        }
        let detail = chain.last().map(ToString::to_string).unwrap_or_default();
        if error.is_connect() {
            // What the system itself gave up says so with a number of its own, and took longer.
            let system = chain
                .iter()
                .any(|link| link.downcast_ref::<io::Error>().is_some_and(|error| error.raw_os_error().is_some()));
            if !system && (error.is_timeout() || chain.iter().any(|link| link.is::<Elapsed>())) {
                return Trouble::Connect(format!(
                    "none was made within {} ms (--connect-timeout)",
                    timeouts.0.as_millis()
                ));
            }
            let dns = chain.iter().any(|link| link.to_string().starts_with("dns error"));
            return if dns { Trouble::Dns(detail) } else { Trouble::Connect(detail) };
        }
        if error.is_timeout() {
            return Trouble::Timeout(timeouts.1.as_millis());
        }
        if error.is_builder() {
            return Trouble::Setup(detail);
        }
        Trouble::Broken(detail)
    }
}

/// An error and what it came from, outermost first; looks into `io::Error`, which hides what it wraps.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut links = vec![error];
    let mut last = error;
    while links.len() < 16 {
        let inner = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let next = match inner {
            Some(inner) => inner as &(dyn Error + 'static),
            None => match last.source() {
                Some(source) => source,
                None => break,
            },
        };
        links.push(next);
        last = next;
    }
    links
}
