//! An embedded Proxmox VE cluster: three nodes or many, guests of both kinds, storages, backups, tasks, a guest agent,
//! users, pools and a firewall, behind real HTTPS on loopback.
//!
//! Strict like the real thing (every request is checked against the facts of `proxmox-spec`) and deterministic: its
//! clock moves by requests only, so the same requests give the same bytes. Knows the facts and the wire, and nothing
//! of whoever talks to it.

mod answer;
mod api;
mod auth;
mod calendar;
mod clock;
mod cluster;
mod control;
mod disks;
mod dispatch;
mod endpoints;
mod factors;
mod fault;
mod firewall;
mod generic;
mod guest;
mod identity;
mod interfaces;
mod multipart;
mod options;
mod outside;
mod pages;
mod plain;
mod programs;
mod request;
mod seed;
mod server;
mod tasks;
mod upid;
mod validate;
mod volumes;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

pub use cluster::Cluster;
pub use endpoints::Endpoint;
pub use fault::{BadText, Fault, Rule, State, Trouble, Verbs};
pub use guest::{Kind, Power};
pub use identity::Identity;
pub use options::{Layout, Options};
pub use proxmox_spec::Verb;

/// One request that the sandbox has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The HTTP method as sent.
    pub verb: String,
    /// The request target as sent: path and query.
    pub target: String,
    /// The address that it came to, one of [`Sandbox::endpoints`].
    pub at: SocketAddr,
    /// The decoded parameters of path, query and body, by name; an element of an array is a pair of its own.
    pub params: Vec<(String, String)>,
    /// The status of the answer; 0 when there was none.
    pub status: u16,
    /// The cluster has dealt with it, whatever it answered and whether or not the answer arrived. False where it was
    /// refused or struck by a fault before: then nothing has happened.
    pub handled: bool,
}

/// What is called before a request is handled.
pub(crate) type Hook = Box<dyn Fn(&Received, &mut Cluster) + Send + Sync>;

/// What all connections share.
pub(crate) struct Shared {
    pub cluster: Mutex<Cluster>,
    pub requests: Mutex<Vec<Received>>,
    pub hook: Mutex<Option<Arc<Hook>>>,
    pub connections: AtomicUsize,
    pub endpoints: Mutex<Vec<Endpoint>>,
    /// The password of [`USER`] and root@pam.
    pub password: String,
    pub auth_delay: Duration,
    /// Serves the control endpoint.
    pub control: bool,
}

/// How many requests are remembered; of more, the older half is forgotten.
const REMEMBERED: usize = 100_000;

impl Shared {
    /// Remembers a request with its end, and logs it.
    pub(crate) fn record(&self, received: Received) {
        let Received { verb, target, status, handled, .. } = &received;
        match (status, handled) {
            (0, true) => tracing::info!("{verb} {target}: handled, no answer"),
            (0, false) => tracing::info!("{verb} {target}: no answer"),
            (status, _) => tracing::info!("{verb} {target}: {status}"),
        }
        let mut requests = lock(&self.requests);
        if requests.len() >= REMEMBERED {
            requests.drain(..REMEMBERED / 2);
        }
        requests.push(received);
    }
}

/// The user for logging in with a password: an administrator, who may do all that a role can allow. His second factors
/// are those of [`Options`].
pub const USER: &str = "admin@pve";

/// The other user with that password, and without a second factor: the only one who may do what no role allows.
pub const ROOT: &str = "root@pam";

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    /// The first endpoint.
    first: Endpoint,
    token: String,
    auditor_token: String,
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Sandbox {
    /// Starts a cluster and its server, with a certificate, a token and a password of its own.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, an option is out of its range, or there is no randomness for the key.
    pub async fn start(options: Options) -> io::Result<Sandbox> {
        options.check()?;
        let secret = options.token_secret.clone().map_or_else(random_secret, Ok)?;
        let password = options.password.clone().map_or_else(random_secret, Ok)?;
        let mut cluster = seed::cluster(&options);
        let auditor = random_secret()?;
        cluster.secrets.insert(seed::TOKEN.to_owned(), secret.clone());
        cluster.secrets.insert(seed::AUDITOR_TOKEN.to_owned(), auditor.clone());
        for user in [USER, ROOT] {
            cluster.set_password(user, &password);
        }
        if let Some(seed) = &options.totp_seed {
            cluster.add_totp(USER, seed).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        if !options.recovery_codes.is_empty() {
            cluster.set_recovery_codes(USER, &options.recovery_codes);
        }
        cluster.key = random_secret()?;
        if options.real_time {
            cluster.clock.follow();
        }
        let shared = Arc::new(Shared {
            cluster: Mutex::new(cluster),
            requests: Mutex::new(Vec::new()),
            hook: Mutex::new(None),
            connections: AtomicUsize::new(0),
            endpoints: Mutex::new(Vec::new()),
            password,
            auth_delay: options.auth_delay,
            control: options.control,
        });
        let (first, task) = endpoints::open(&shared, options.address, options.identity).await?;
        let token = format!("{}={secret}", seed::TOKEN);
        let auditor_token = format!("{}={auditor}", seed::AUDITOR_TOKEN);
        Ok(Sandbox { first, token, auditor_token, shared, tasks: Mutex::new(vec![task]) })
    }

    /// Where it listens: the first endpoint.
    pub fn address(&self) -> SocketAddr {
        self.first.address()
    }

    /// SHA-256 of the first endpoint's certificate in DER form.
    pub fn certificate_fingerprint(&self) -> [u8; 32] {
        self.first.certificate_fingerprint()
    }

    /// The first endpoint's certificate in PEM form; it signs itself.
    pub fn certificate_pem(&self) -> &str {
        self.first.certificate_pem()
    }

    /// The full token, `user@realm!name=secret`: root's own without privilege separation, so everything that a token
    /// can do at all.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A full token that may look at everything and change nothing: role `PVEAuditor` on `/`.
    pub fn auditor_token(&self) -> &str {
        &self.auditor_token
    }

    /// The password of [`USER`] and [`ROOT`].
    pub fn password(&self) -> &str {
        &self.shared.password
    }

    /// Every request so far, in the order in which they came in; of very many, the latest ones.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.shared.requests).clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Calls this before each request is handled; it may change the cluster. Replaces an earlier hook. The hook must not
    /// call the sandbox itself.
    pub fn on_request(&self, hook: impl Fn(&Received, &mut Cluster) + Send + Sync + 'static) {
        *lock(&self.shared.hook) = Some(Arc::new(Box::new(hook)));
    }

    /// Looks at or changes the cluster between two requests.
    pub fn with_cluster<T>(&self, change: impl FnOnce(&mut Cluster) -> T) -> T {
        change(&mut lock(&self.shared.cluster))
    }

    /// Replaces all fault rules. The first rule that fits a request and is not used up strikes.
    pub fn set_faults(&self, rules: Vec<Rule>) {
        self.with_cluster(|cluster| cluster.set_faults(rules));
    }

    /// Adds a fault rule behind the others.
    pub fn add_fault(&self, rule: Rule) {
        self.with_cluster(|cluster| cluster.add_fault(rule));
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.with_cluster(Cluster::clear_faults);
    }

    /// Adds a rule or changes a state, as text forms say it: `"node-offline=pve3".parse::<Trouble>()`.
    ///
    /// # Errors
    ///
    /// When a state or a rule names a node, guest, storage or endpoint that is not there.
    pub fn apply(&self, trouble: Trouble) -> Result<(), BadText> {
        match trouble {
            Trouble::Rule(rule) => {
                self.with_cluster(|cluster| cluster.check_rule(&rule))?;
                self.add_fault(rule);
            }
            Trouble::State(state) => self.with_cluster(|cluster| cluster.apply(&state))?,
        }
        Ok(())
    }

    /// How many connections have been made, those included that no request came on.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Stops listening and ends all connections.
    pub async fn shutdown(self) {
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks {
            task.abort();
            // The only outcome of an aborted task is the abort itself.
            let _ = task.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        lock(&self.tasks).iter().for_each(JoinHandle::abort);
    }
}

/// Whether the sandbox plays a method by hand; all others are answered by the facts alone.
pub fn played_by_hand(method: &proxmox_spec::Method) -> bool {
    api::handler(method).is_some()
}

/// A test that panics while it holds the state must not take the server down with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A random secret in the form of a UUID, as the API makes token secrets.
fn random_secret() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let text = guest::hex(&bytes);
    Ok(format!("{}-{}-{}-{}-{}", &text[0..8], &text[8..12], &text[12..16], &text[16..20], &text[20..32]))
}
