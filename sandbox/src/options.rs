//! How a sandbox starts.
//!
//! Knows values and their ranges; what they lead to is elsewhere.

use std::{io, net::SocketAddr, time::Duration};

use crate::{Identity, factors::Totp};

/// How a sandbox starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 = any free one.
    pub address: SocketAddr,
    /// Makes everything that looks random (MAC addresses, UUIDs). The same seed gives the same answers.
    pub seed: u64,
    /// The factor on the duration of every task: 1 = as on a small cluster, 0 = tasks are over at once. A task that
    /// takes ten seconds is over ten requests later.
    pub task_time: f64,
    /// How long a refused authentication is held back. A real server takes three seconds for every 401, and for an
    /// upload that is not permitted; here nobody has to wait unless a test wants it.
    pub auth_delay: Duration,
    /// Nodes of the cluster, [`Options::NODES`]; those beyond three are named and built as the first three. Without
    /// meaning for [`Layout::Standalone`].
    pub nodes: u16,
    /// Guests in all, [`Options::GUESTS`]. The first nine are always the same; the others have ids from 1000 on, and
    /// the same seed makes the same ones. Without meaning for [`Layout::Standalone`].
    pub guests: u32,
    /// What stands at the start.
    pub layout: Layout,
    /// Serves the control endpoint below `/sandbox`, by which another process can script faults and read the record of
    /// requests, without a token.
    pub control: bool,
    /// The secret of the token; `None` = a new one at each start.
    pub token_secret: Option<String>,
    /// The password of [`crate::USER`] and of root@pam; `None` = a new one at each start.
    pub password: Option<String>,
    /// A seed in base32: a login of [`crate::USER`] takes a code from an app, too.
    pub totp_seed: Option<String>,
    /// Codes on paper, each good for one login of [`crate::USER`] instead of a code from an app.
    pub recovery_codes: Vec<String>,
    /// The clock shows the real time instead of moving by requests: for what compares it with its own. The same
    /// requests no longer give the same answers then.
    pub real_time: bool,
    /// The server's certificate; `None` = a new one at each start.
    pub identity: Option<Identity>,
}

/// What a sandbox consists of at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Three nodes with guests, shared storages, pools, jobs and a history.
    #[default]
    Cluster,
    /// One freshly installed node `pve1` that is in no cluster: no guests, the storage `local` for everything, the
    /// bridge `vmbr0`.
    Standalone,
}

impl Options {
    /// How many nodes there can be.
    pub const NODES: std::ops::RangeInclusive<u16> = 3..=64;
    /// How many guests there can be.
    pub const GUESTS: std::ops::RangeInclusive<u32> = 9..=100_000;

    /// Whether every value is within its range.
    pub(crate) fn check(&self) -> io::Result<()> {
        // What a header carries as it is.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if self.token_secret.as_ref().is_some_and(|secret| secret.is_empty() || !secret.bytes().all(plain)) {
            let text = "the token's secret must be of letters, digits and -_.~";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let invalid = |text: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if self.password.as_ref().is_some_and(|password| password.is_empty() || password.chars().any(char::is_control))
        {
            return invalid("the password must be at least one character, and none of them a control character");
        }
        if self.totp_seed.as_ref().is_some_and(|seed| Totp::of_seed(seed).is_none()) {
            return invalid("the TOTP seed must be base32: letters A to Z and digits 2 to 7");
        }
        if self.recovery_codes.iter().any(|code| code.is_empty() || code.chars().any(char::is_control)) {
            return invalid("a recovery code must be at least one character, and none of them a control character");
        }
        let wrong = |what: &str, first: u32, last: u32| {
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{what} must be from {first} to {last}")))
        };
        if !Options::NODES.contains(&self.nodes) {
            return wrong("the number of nodes", (*Options::NODES.start()).into(), (*Options::NODES.end()).into());
        }
        if !Options::GUESTS.contains(&self.guests) {
            return wrong("the number of guests", *Options::GUESTS.start(), *Options::GUESTS.end());
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            task_time: 1.0,
            auth_delay: Duration::ZERO,
            nodes: 3,
            guests: 9,
            layout: Layout::default(),
            control: false,
            token_secret: None,
            password: None,
            totp_seed: None,
            recovery_codes: Vec::new(),
            real_time: false,
            identity: None,
        }
    }
}
