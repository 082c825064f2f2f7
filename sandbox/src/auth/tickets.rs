//! Tickets and the tokens against forged requests: how they are written and sealed, and how long they are good.
//!
//! Knows users, instants and seals. Who gets a ticket is in `login`, where one is shown in `identify`.
//! Source: pve-access-control `AccessControl.pm` and pve-common `Ticket.pm`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::cluster::Cluster;

/// Seconds from a login to the end of its ticket.
const LIFETIME: i64 = 7_200;
/// Seconds that a ticket may come from the future: clocks of nodes differ.
const GRACE: i64 = 300;
/// What the ticket of a login begins with that waits for its second factor.
const HALF: &str = "!tfa!";
/// Blocks of a seal: as many bytes as the signature of a real server has.
const BLOCKS: u8 = 8;

/// A ticket of this user, good from now on.
pub(super) fn ticket_of(cluster: &Cluster, userid: &str) -> String {
    written(cluster, userid, "")
}

/// The ticket of a user who has yet to show a second factor. The challenge is JSON and tells which ones there are.
pub(super) fn half_ticket_of(cluster: &Cluster, userid: &str, challenge: &str) -> String {
    written(cluster, &format!("{HALF}{challenge}"), userid)
}

/// Whose ticket this is; none if it is not complete, too old, or sealed by somebody else.
pub(super) fn user_of_ticket(cluster: &Cluster, ticket: &str) -> Option<String> {
    read(cluster, ticket, "").filter(|data| !data.starts_with('!'))
}

/// Whether this is the ticket of a login of this user that waits for its second factor.
pub(super) fn is_half_ticket(cluster: &Cluster, ticket: &str, userid: &str) -> bool {
    read(cluster, ticket, userid).is_some_and(|data| data.starts_with(HALF))
}

/// The token against forged requests: with a ticket, every request that changes something has to carry one.
pub(super) fn csrf_of(cluster: &Cluster, userid: &str) -> String {
    let time = now(cluster);
    format!("{time}:{}", seal(cluster, &format!("csrf {time}:{userid}"), 1))
}

/// Whether the token is of this user and young enough. It need not have come with the same ticket.
pub(super) fn csrf_is_good(cluster: &Cluster, userid: &str, token: &str) -> bool {
    let Some((time, given)) = token.split_once(':') else { return false };
    given == seal(cluster, &format!("csrf {time}:{userid}"), 1) && is_young(cluster, time)
}

/// `PVE:DATA:TIME::SEAL`. What is bound goes into the seal and is not told.
fn written(cluster: &Cluster, data: &str, bound: &str) -> String {
    let plain = format!("PVE:{}:{}", data.replace(':', "%3A"), now(cluster));
    let seal = seal(cluster, &sealed(&plain, bound), BLOCKS);
    format!("{plain}::{seal}")
}

/// What a good ticket holds.
fn read(cluster: &Cluster, ticket: &str, bound: &str) -> Option<String> {
    let (plain, given) = ticket.rsplit_once("::")?;
    let (data, time) = plain.strip_prefix("PVE:")?.rsplit_once(':')?;
    let good = given == seal(cluster, &sealed(plain, bound), BLOCKS) && is_young(cluster, time);
    good.then(|| data.replace("%3A", ":"))
}

fn sealed(plain: &str, bound: &str) -> String {
    if bound.is_empty() { format!("ticket {plain}") } else { format!("ticket {plain}:{bound}") }
}

/// Seconds since 1970 in eight digits of upper-case hex.
fn now(cluster: &Cluster) -> String {
    format!("{:08X}", cluster.clock.seconds())
}

fn is_young(cluster: &Cluster, time: &str) -> bool {
    let Ok(time) = i64::from_str_radix(time, 16) else { return false };
    let age = cluster.clock.seconds() - time;
    age > -GRACE && age < LIFETIME
}

/// Base64 with all that has to be encoded in a cookie: `+`, `/` and `=`.
fn seal(cluster: &Cluster, text: &str, blocks: u8) -> String {
    let block = |number: u8| {
        // A key of any length is taken.
        let mut hash = Hmac::<Sha256>::new_from_slice(cluster.key.as_bytes()).ok()?;
        hash.update(&[number]);
        hash.update(text.as_bytes());
        Some(hash.finalize().into_bytes())
    };
    let bytes: Vec<u8> = (0..blocks).filter_map(block).flatten().collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn cluster(key: &str) -> Cluster {
        let mut cluster = Cluster::empty(1, 0.0);
        cluster.key = key.to_owned();
        cluster
    }

    #[test]
    fn a_ticket_is_good_for_two_hours() {
        let mut cluster = cluster("key");
        let ticket = ticket_of(&cluster, "alice@pve");
        let csrf = csrf_of(&cluster, "alice@pve");
        assert!(ticket.starts_with("PVE:alice@pve:6AE6F180::"), "{ticket}");
        for (seconds, good) in [(0, true), (7_199, true), (1, false)] {
            cluster.pass(Duration::from_secs(seconds));
            assert_eq!(user_of_ticket(&cluster, &ticket).is_some(), good, "{seconds}");
            assert_eq!(csrf_is_good(&cluster, "alice@pve", &csrf), good, "{seconds}");
        }
    }

    #[test]
    fn nobody_else_can_seal_or_use_it() {
        let (one, two) = (cluster("one"), cluster("two"));
        let ticket = ticket_of(&one, "alice@pve");
        assert_eq!(user_of_ticket(&two, &ticket), None);
        assert_eq!(user_of_ticket(&one, &ticket.replace("alice", "admin")), None);
        assert!(!csrf_is_good(&one, "admin@pve", &csrf_of(&one, "alice@pve")));
        for text in ["", "PVE:", "PVE:alice@pve", "PVE:alice@pve:69051F00", "PVE:alice@pve:69051F00::", "x::y"] {
            assert_eq!(user_of_ticket(&one, text), None, "{text}");
        }
    }

    #[test]
    fn a_half_ticket_is_no_ticket_and_belongs_to_one_user() {
        let cluster = cluster("key");
        let half = half_ticket_of(&cluster, "alice@pve", "{\"totp\":true}");
        assert!(half.starts_with("PVE:!tfa!{\"totp\"%3Atrue}:"), "{half}");
        assert_eq!(user_of_ticket(&cluster, &half), None);
        assert!(is_half_ticket(&cluster, &half, "alice@pve"));
        assert!(!is_half_ticket(&cluster, &half, "admin@pve"));
        assert!(!is_half_ticket(&cluster, &ticket_of(&cluster, "alice@pve"), "alice@pve"));
    }
}
