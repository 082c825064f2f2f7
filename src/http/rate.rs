//! How often one caller may ask: a share of its own for each, so that one that runs wild does not use up the others'.
//!
//! Knows names and times.

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// So many callers are remembered; those who have been quiet long enough are forgotten beyond it.
const MOST: usize = 1_000;

/// Requests per second and caller.
pub(super) struct Rate {
    limiter: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
    per_second: NonZeroU32,
}

impl Rate {
    /// After a pause, four seconds' worth may come at once.
    pub(super) fn new(per_second: NonZeroU32) -> Rate {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(3));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Rate { limiter: RateLimiter::hashmap(quota), per_second }
    }

    /// One more request of this caller.
    ///
    /// # Errors
    /// It came too soon: when the next one may come, and what is said.
    pub(super) fn check(&self, caller: &str) -> Result<(), (Duration, String)> {
        if self.limiter.len() > MOST {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&caller.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let says = format!(
                "more than {} requests per second came with this token (--rate); nothing was done, try again later",
                self.per_second
            );
            (wait, says)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caller_has_a_share_of_its_own() {
        let rate = Rate::new(NonZeroU32::MIN);
        for _ in 0..4 {
            assert!(rate.check("alice").is_ok());
        }
        let (wait, says) = rate.check("alice").expect_err("too many");
        assert!(wait <= Duration::from_secs(1) && says.contains("--rate"), "{wait:?} {says}");
        assert!(rate.check("bob").is_ok());
    }
}
