//! How old something is, by two clocks at once.
//!
//! The monotonic clock stands still while a machine sleeps, and the wall clock can be put forward or back; what is
//! older by either of them is that old.

use crate::engine::consent::Clock;
use std::time::Duration;
use tokio::time::Instant;

/// A wall clock that went back by more than this was put right, and tells nothing.
const BACK: u64 = 300;

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    since_start: Instant,
    /// Seconds since 1970.
    wall: u64,
}

impl Moment {
    pub fn now(clock: &Clock) -> Moment {
        Moment { since_start: Instant::now(), wall: clock.now() }
    }

    /// How long ago it was, at least. A clock that was put back makes it as old as can be.
    pub fn age(&self, clock: &Clock) -> Duration {
        let (elapsed, wall) = (self.since_start.elapsed(), clock.now());
        if wall + BACK < self.wall {
            return Duration::MAX;
        }
        elapsed.max(Duration::from_secs(wall.saturating_sub(self.wall)))
    }
}
